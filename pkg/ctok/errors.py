"""Every exception ctok raises.

::

    CtokError
    ├── ValidationError            (ValueError)   an argument makes no sense
    │   ├── TextTypeError          (TypeError)    text that is not str
    │   ├── InvalidTokenIdError    (TypeError)    an id that is not an integer
    │   ├── TokenIdRangeError      (OverflowError) an id that is negative or huge
    │   ├── VocabSizeError         (AssertionError) not the size that was promised
    │   ├── InvalidPatternError                   a pattern that does not compile
    │   ├── InvalidRanksError                     mergeable ranks that make no tokenizer
    │   ├── InvalidSpecialTokensError             special tokens likewise
    │   └── DisallowedSpecialError                a special token in ordinary text
    ├── UnknownTokenError          (KeyError)     bytes or text that are no token
    ├── UnknownTokenIdError        (KeyError)     an id that no token has
    ├── UnknownEncodingError       (ValueError)   a name that no encoding has
    ├── UnknownModelError          (KeyError)     a model with no known encoding
    ├── MissingRankError           (KeyError)     a byte the vocabulary cannot express
    ├── FormatError                (ValueError)   a file that is not what it should be
    │   ├── EmptyTiktokenModelError               a .tiktoken file without tokens
    │   ├── InvalidTiktokenModelError             a .tiktoken file with a line that is none
    │   └── HashMismatchError                     a file with another SHA-256 than expected
    ├── DownloadError              (OSError)      a URL that gave no file
    ├── LimitError                 (ValueError)   a published limit was exceeded
    ├── SplitError                 (RuntimeError) a pattern gave up on a text
    ├── MissingPackageError        (ImportError)  an optional package is not installed
    └── HubError                                  see ctok.hub.errors

Each also derives from the builtin (in brackets) that users of tiktoken,
huggingface_hub or Python itself already catch, carries its facts as attributes, and
offers ``suggestions()``: what to do next.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any


class CtokError(Exception):
    """The root of everything ctok raises on purpose.

    Args:
        message: what happened, to which thing, where.
        suggestions: what to do next, most useful first, in ctok's own commands.
        **facts: set as attributes of the same name.

    >>> import ctok
    >>> try:
    ...     ctok.get_encoding("gpt2").encode("<|endoftext|>")
    ... except ctok.CtokError as error:
    ...     print(error.offset, error.suggestions()[0])
    0 To get its id, pass allowed_special={'<|endoftext|>'} or allowed_special='all'.
    """

    default_suggestions: tuple[str, ...] = ()

    def __init__(self, message: str, *, suggestions: Sequence[str] = (), **facts: Any) -> None:
        super().__init__(message)
        self.message = message
        self._suggestions = tuple(suggestions)
        self._facts = facts
        for name, value in facts.items():
            setattr(self, name, value)

    def __str__(self) -> str:
        # KeyError would show the repr of its argument.
        return self.message

    def suggestions(self) -> list[str]:
        """What to do next, most useful first."""
        return list(self._suggestions or self.default_suggestions)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.message, self._suggestions, self._facts)


def _rebuild(
    cls: type[CtokError], message: str, suggestions: tuple[str, ...], facts: dict[str, Any]
) -> CtokError:
    return cls(message, suggestions=suggestions, **facts)


class ValidationError(CtokError, ValueError):
    """An argument makes no sense."""

    default_suggestions: tuple[str, ...] = (
        "Check the argument named in the message against help(ctok.Encoding).",
    )


class TextTypeError(ValidationError, TypeError):
    """Text that is not str. ``value`` is what was given."""

    value: object
    default_suggestions = ("Decode bytes first: data.decode('utf-8').",)


class InvalidTokenIdError(ValidationError, TypeError, AssertionError):
    """An id that is not an integer. ``value`` is what was given.

    An AssertionError too, for that is what ``is_special_token`` of tiktoken raises.
    """

    value: object
    default_suggestions = ("Pass ids as integers: a list, a tuple or a numpy integer array.",)


class TokenIdRangeError(ValidationError, OverflowError):
    """An id that is negative or does not fit 32 bits. ``token_id`` is what was given."""

    token_id: int
    default_suggestions = ("Remove padding such as -100 before decoding.",)


class VocabSizeError(ValidationError, AssertionError):
    """A vocabulary that has not the size its ``explicit_n_vocab`` promises."""

    default_suggestions = (
        "Leave explicit_n_vocab out, or compare the number of ranks and specials.",
    )


class InvalidPatternError(ValidationError):
    """A pattern that does not compile. ``pattern`` and the character ``offset``."""

    pattern: str
    offset: int
    default_suggestions = ("Mend the pattern at the offset named in the message.",)


class InvalidRanksError(ValidationError):
    """Mergeable ranks that make no tokenizer, alone or with the special tokens."""

    default_suggestions = (
        "Ranks map token bytes to distinct integers from 0 to 4294967294, none a special token's.",
        "Load a known vocabulary with ctok.load.load_tiktoken_bpe(path).",
    )


class InvalidSpecialTokensError(ValidationError):
    """Special tokens that make no tokenizer."""

    default_suggestions = ("Special tokens map non-empty text to integers from 0 to 4294967294.",)


class DisallowedSpecialError(ValidationError):
    """A special token in text that was to be encoded as ordinary text.

    ``token`` is its text, ``offset`` its first character.
    """

    token: str
    offset: int
    default_suggestions = (
        "To get its id, pass it in allowed_special, or allowed_special='all'.",
        "To encode it as plain text, pass disallowed_special=() or use encode_ordinary().",
    )


class UnknownTokenError(CtokError, KeyError):
    """Bytes or text that are no token. ``token`` is what was asked for."""

    token: bytes
    default_suggestions = ("Use encode() for text that may be more than one token.",)


class UnknownTokenIdError(CtokError, KeyError):
    """An id that no token has. ``token_id`` is that id."""

    token_id: int
    default_suggestions = ("Check that the ids come from this encoding: see Encoding.n_vocab.",)


class UnknownEncodingError(CtokError, ValueError):
    """A name that no encoding has. ``name`` is what was asked for."""

    name: str
    default_suggestions = ("List the names with ctok.list_encoding_names() or `ctok encodings`.",)


class UnknownModelError(CtokError, KeyError):
    """A model whose encoding is not known. ``model`` is what was asked for."""

    model: str
    default_suggestions = ("Name the encoding instead: ctok.get_encoding('o200k_base').",)


class MissingRankError(CtokError, KeyError):
    """A byte that the vocabulary cannot express. ``piece`` is that byte, ``offset`` the character
    that it belongs to."""

    piece: bytes
    offset: int
    default_suggestions = ("Use a vocabulary that has all 256 single bytes.",)


class FormatError(CtokError, ValueError):
    """A file that is not what it should be. ``path`` and, where known, ``line`` or ``offset``."""

    path: str
    default_suggestions: tuple[str, ...] = (
        "Download the file again: it may be truncated or of another format.",
    )


class EmptyTiktokenModelError(FormatError):
    """A ``.tiktoken`` file without tokens. ``path``."""


class InvalidTiktokenModelError(FormatError):
    """A ``.tiktoken`` file with a line that is not base64 and rank. ``path`` and ``line``."""

    line: int


class HashMismatchError(FormatError):
    """A file with another SHA-256 than expected. ``path``, ``expected`` and ``actual``."""

    expected: str
    actual: str
    default_suggestions = (
        "Download it again: it may be damaged, or a proxy or mirror may change it.",
        "If the publisher changed the file, update the expected hash.",
    )


class DownloadError(CtokError, OSError):
    """A URL that gave no file. ``url`` and the HTTP ``status``, None where there was no answer."""

    url: str
    status: int | None
    default_suggestions = (
        "Check the connection and the proxy settings (HTTPS_PROXY, REQUESTS_CA_BUNDLE).",
        "Or put the file into TIKTOKEN_CACHE_DIR, named by the SHA-1 of its URL.",
    )


class LimitError(CtokError, ValueError):
    """A published limit was exceeded."""

    default_suggestions = ("Split the input into smaller parts.",)


class SplitError(CtokError, RuntimeError):
    """A pattern gave up on a text: it looks ahead in vain, or backtracks, without bound.
    ``offset`` is the character at which it did."""

    offset: int
    default_suggestions = (
        r"Bound the repeat that looks ahead in vain: \([^)]{0,200}\) instead of \([^)]*\).",
        "With PCRE2, possessive quantifiers (++, *+, ?+) keep a pattern from backtracking.",
    )


class MissingPackageError(CtokError, ImportError):
    """An optional package is not installed. ``package``, and the ``extra`` of ctok that brings it,
    None where there is none."""

    package: str
    extra: str | None = None
