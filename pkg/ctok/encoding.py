"""Encoding: text to ids and back, with tiktoken's surface and tiktoken's defaults."""

from __future__ import annotations

from . import _core, image
from .late import Method, Module
from .outline import Outline
from .specials import Specials

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any, Literal

    import numpy as np
    import numpy.typing as npt

    from . import arrays, batches, budget, core_bpe, errors, offsets, unstable
    from .explain import Explanation
    from .spec import TokenizerSpec
    from .specials import AllowedSpecial, DisallowedSpecial
    from .view import View
else:
    errors = Module("errors")


class Encoding(_core.Codec):
    """Text to ids and back; exact, immutable, safe to share between threads.

    Args:
        name: what it is called. Known encodings come from :func:`ctok.get_encoding`.
        pat_str: the pattern that splits text into pieces, in tiktoken's syntax.
        mergeable_ranks: token bytes to rank; a rank is merge priority and id at once.
        special_tokens: special tokens to ids.
        explicit_n_vocab: if given, the number of tokens, checked.
        special_token_matching: "parity" leaves open which of several special tokens
            that start at one place is matched, as tiktoken does; "longest" promises the
            longest. Both match the longest.
        allow_duplicate_ids: accept an id given to several tokens: all of them encode to
            it, and it decodes to the last of them. Special tokens may share one always; it
            decodes to the first of them.

    Raises:
        InvalidRanksError, InvalidSpecialTokensError, InvalidPatternError, VocabSizeError

    >>> from ctok import Encoding
    >>> ranks = {bytes([i]): i for i in range(256)} | {b"he": 256, b"ll": 257, b"llo": 258}
    >>> enc = Encoding("tiny", pat_str=r"\\w+|\\W+", mergeable_ranks=ranks, special_tokens={})
    >>> enc.encode("hello")
    [256, 258]
    >>> enc.decode([256, 258])
    'hello'
    """

    __slots__ = ("_cached", "_engine", "_outline", "_specials")

    _outline: Outline
    _engine: str | None
    _specials: Specials
    _cached: dict[str, Any]

    def __init__(
        self,
        name: str,
        *,
        pat_str: str,
        mergeable_ranks: Mapping[bytes, int],
        special_tokens: Mapping[str, int],
        explicit_n_vocab: int | None = None,
        special_token_matching: Literal["parity", "longest"] = "parity",
        allow_duplicate_ids: bool = False,
    ) -> None:
        from .definition import spec_from_ranks

        spec = spec_from_ranks(
            name,
            pat_str=pat_str,
            mergeable_ranks=mergeable_ranks,
            special_tokens=special_tokens,
            explicit_n_vocab=explicit_n_vocab,
            special_token_matching=special_token_matching,
            allow_duplicate_ids=allow_duplicate_ids,
        )
        self._fill(Outline.of(spec))

    @classmethod
    def from_spec(cls, spec: TokenizerSpec, *, engine: str | None = None) -> Encoding:
        """An encoding from what a format reader found.

        Args:
            spec: everything that decides ids.
            engine: "automaton" or "pcre2" to insist on a splitting engine; by default the
                automaton where it can do the pattern, with vector code where that is known to
                be the same.

        Returns:
            The encoding.

        Raises:
            InvalidRanksError, InvalidSpecialTokensError, InvalidPatternError, VocabSizeError

        >>> import ctok
        >>> table = ctok.TokenTable.from_ranks({b"a": 0, b"b": 1, b"ab": 2})
        >>> spec = ctok.TokenizerSpec("tiny", table, pattern=".+")
        >>> ctok.Encoding.from_spec(spec).encode("abba")
        [2, 1, 0]
        """
        return cls._from_outline(Outline.of(spec), engine)

    @classmethod
    def _from_outline(cls, outline: Outline, engine: str | None = None) -> Encoding:
        self = cls.__new__(cls)
        self._fill(outline, engine)
        return self

    def _fill(self, outline: Outline, engine: str | None = None) -> None:
        self._claim()
        object.__setattr__(self, "_outline", outline)
        object.__setattr__(self, "_engine", engine)
        object.__setattr__(self, "_specials", Specials(outline.specials))
        object.__setattr__(self, "_cached", {})
        image.fill(self, outline, engine)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{name}: an Encoding does not change; make another one")

    # ---- facts ----

    @property
    def name(self) -> str:
        """What it is called."""
        return self._outline.name

    @property
    def spec(self) -> TokenizerSpec:
        """Everything that decides its ids."""
        cached: TokenizerSpec | None = self._cached.get("spec")
        if cached is None:
            cached = self._cached["spec"] = self._outline.read()
        return cached

    @property
    def splitter(self) -> str:
        """The engine that splits text: "vector" (vector code beside the automaton),
        "automaton" or "pcre2"."""
        engine: str = self._info["splitter"]
        return engine

    @property
    def max_token_value(self) -> int:
        """The largest id."""
        value: int = self._info["max_id"]
        return value

    @property
    def n_vocab(self) -> int:
        """One more than the largest id."""
        return self.max_token_value + 1

    @property
    def eot_token(self) -> int:
        """The id of <|endoftext|>. KeyError when there is none."""
        return self._outline.specials["<|endoftext|>"]

    @property
    def special_tokens_set(self) -> set[str]:
        """The special tokens' texts."""
        return set(self._outline.specials)

    @property
    def fingerprint(self) -> str:
        """SHA-256, in hexadecimal, of everything that decides ids; the same in every process.

        Sources: the token table by id, merges, pattern, specials, and the Unicode version of the
        tables that split text.
        """
        cached: str | None = self._cached.get("fingerprint")
        if cached is None:
            from .fingerprint import fingerprint

            cached = fingerprint(self.spec, self._ranks)
            self._cached["fingerprint"] = cached
        return cached

    @property
    def _pat_str(self) -> str:
        return self._outline.pattern

    @property
    def _special_tokens(self) -> dict[str, int]:
        return dict(self._outline.specials)

    @property
    def _mergeable_ranks(self) -> dict[bytes, int]:
        # Programs ask for this again and again, and a program may change what it has got.
        cached: dict[bytes, int] | None = self._cached.get("mergeable_ranks")
        if cached is None:
            cached = self._cached["mergeable_ranks"] = dict(self._ranks)
        return cached

    @property
    def _ranks(self) -> dict[bytes, int]:
        cached: dict[bytes, int] | None = self._cached.get("ranks")
        if cached is None:
            from .spec import unpack_u32

            spec = self.spec
            cached = dict(spec.tokens)
            if spec.merges is not None:
                for token_id in unpack_u32(spec.merges.merged):
                    token = self._token_bytes(token_id)
                    assert token is not None
                    cached.setdefault(token, token_id)
            self._cached["ranks"] = cached
        return cached

    @property
    def _special_ids(self) -> frozenset[int]:
        cached: frozenset[int] | None = self._cached.get("special_ids")
        if cached is None:
            cached = self._cached["special_ids"] = frozenset(self._outline.specials.values())
        return cached

    @property
    def _sorted_tokens(self) -> list[bytes]:
        cached: list[bytes] | None = self._cached.get("sorted_tokens")
        if cached is None:
            cached = self._cached["sorted_tokens"] = sorted(self._ranks)
        return cached

    @property
    def _core_bpe(self) -> core_bpe.CoreBPE:
        from . import core_bpe

        return core_bpe.CoreBPE(self)

    def __repr__(self) -> str:
        return f"<Encoding {self.name!r}>"

    def _special_sets(
        self, allowed_special: AllowedSpecial, disallowed_special: DisallowedSpecial
    ) -> _core.SpecialSets:
        return self._specials.sets(allowed_special, disallowed_special)

    def _disallowed(
        self, number: int | None, offset: int, text: str = ""
    ) -> errors.DisallowedSpecialError:
        return self._specials.refusal(number, offset, text)

    # ---- encode ----

    if TYPE_CHECKING:  # implemented in _core.Codec, without a Python frame in between

        def encode(
            self,
            text: str,
            *,
            allowed_special: AllowedSpecial = frozenset(),
            disallowed_special: DisallowedSpecial = "all",
        ) -> list[int]: ...

        def encode_ordinary(self, text: str) -> list[int]: ...

        def encode_to_numpy(
            self,
            text: str,
            *,
            allowed_special: AllowedSpecial = frozenset(),
            disallowed_special: DisallowedSpecial = "all",
        ) -> npt.NDArray[np.uint32]: ...

        def encode_ordinary_to_numpy(self, text: str) -> npt.NDArray[np.uint32]: ...

        def count(
            self,
            text: str,
            *,
            allowed_special: AllowedSpecial = frozenset(),
            disallowed_special: DisallowedSpecial = (),
        ) -> int: ...

    def encode_single_token(self, text_or_bytes: str | bytes) -> int:
        """The id of one token, special or not.

        Args:
            text_or_bytes: the token.

        Returns:
            Its id.

        Raises:
            UnknownTokenError: (a KeyError) it is no token.

        >>> import ctok
        >>> enc = ctok.get_encoding("gpt2")
        >>> enc.encode_single_token("hello"), enc.encode_single_token(b"\\xe4")
        (31373, 160)
        """
        token = text_or_bytes.encode() if isinstance(text_or_bytes, str) else text_or_bytes
        # The core, which never has to find it, does not know the empty token.
        found: int | None = self._find(token) if token != b"" else self._ranks.get(token)
        if found is None:
            try:
                found = self._outline.specials.get(token.decode())
            except UnicodeDecodeError:
                found = None
        if found is None:
            raise errors.UnknownTokenError(f"{text_or_bytes!r} is no token", token=token)
        return found

    def pieces(self, text: str) -> list[str]:
        """The pieces that the pattern splits a text into, specials being ordinary text.

        Args:
            text: what to split.

        Returns:
            The pieces, in order; what the pattern does not cover is left out.

        Raises:
            TextTypeError, SplitError: as in :meth:`encode`.

        >>> import ctok
        >>> ctok.get_encoding("cl100k_base").pieces("don't stop")
        ['don', "'t", ' stop']
        """
        splitter: _core.Splitter | None = self._cached.get("splitter")
        if splitter is None:
            splitter = self._cached["splitter"] = _core.Splitter(self._pat_str, self._engine)
        pieces: list[str] = splitter.split(text)
        return pieces

    def _merge_bytes(self, piece: bytes) -> list[int]:
        """The ids of bytes taken as one piece."""
        if piece == b"" and piece in self._ranks:
            return [self._ranks[piece]]
        ids: list[int] = self._encode_piece(piece)
        return ids

    # ---- decode ----

    if TYPE_CHECKING:  # implemented in _core.Codec

        def decode(self, tokens: Sequence[int], errors: str = "replace") -> str: ...

        def decode_bytes(self, tokens: Sequence[int]) -> bytes: ...

        def decode_tokens_bytes(self, tokens: Iterable[int]) -> list[bytes]: ...

        def decode_with_offsets(self, tokens: Iterable[int]) -> tuple[str, list[int]]: ...

    def decode_single_token_bytes(self, token: int) -> bytes:
        """The bytes of one id, special or not.

        Args:
            token: the id.

        Returns:
            Its bytes, which need not be UTF-8.

        Raises:
            UnknownTokenIdError: (a KeyError) no token has this id.

        >>> import ctok
        >>> ctok.get_encoding("gpt2").decode_single_token_bytes(995)
        b' world'
        """
        return self.decode_bytes([token])

    def token_byte_values(self) -> list[bytes]:
        """All tokens that are not special.

        Returns:
            Their bytes, sorted; a list of the caller's own.

        >>> import ctok
        >>> ctok.get_encoding("gpt2").token_byte_values()[-1]
        b'\\xff'
        """
        return self._sorted_tokens.copy()

    def is_special_token(self, token: int) -> bool:
        """Whether an id is that of a special token.

        Args:
            token: the id.

        Returns:
            True for the id of a special token, False for any other integer.

        Raises:
            InvalidTokenIdError: (a TypeError, and an AssertionError) token is no integer.

        >>> import ctok
        >>> ctok.get_encoding("gpt2").is_special_token(50256)
        True
        """
        if not hasattr(token, "__index__"):
            raise errors.InvalidTokenIdError(
                f"token is {type(token).__name__}, an integer expected", value=token
            )
        return token in self._special_ids

    # ---- functions of other modules: one module for each thing to do with ids ----

    if TYPE_CHECKING:
        encode_batch = batches.encode_batch
        encode_ordinary_batch = batches.encode_ordinary_batch
        decode_batch = batches.decode_batch
        decode_bytes_batch = batches.decode_bytes_batch
        encode_batch_to_numpy = arrays.encode_batch_to_numpy
        encode_with_offsets = offsets.encode_with_offsets
        encode_with_unstable = unstable.encode_with_unstable
        fits = budget.fits
        truncate = budget.truncate
        split_by_tokens = budget.split_by_tokens
        _encode_single_piece = core_bpe._encode_single_piece
        _encode_only_native_bpe = core_bpe._encode_only_native_bpe
        _encode_bytes = core_bpe._encode_bytes
    else:
        encode_batch = Method("batches")
        encode_ordinary_batch = Method("batches")
        decode_batch = Method("batches")
        decode_bytes_batch = Method("batches")
        encode_batch_to_numpy = Method("arrays")
        encode_with_offsets = Method("offsets")
        encode_with_unstable = Method("unstable")
        fits = Method("budget")
        truncate = Method("budget")
        split_by_tokens = Method("budget")
        _encode_single_piece = Method("core_bpe")
        _encode_only_native_bpe = Method("core_bpe")
        _encode_bytes = Method("core_bpe")

    # ---- see ----

    def view(self, text: str, **options: Any) -> View:
        """The tokens of a text to look at: in a terminal, a notebook, or as HTML.

        Args:
            text: what to encode; special tokens in it are ordinary text by default.
            **options: ``budget=n`` greys the tokens beyond n, ``show_ids=True`` shows ids, and
                allowed_special, disallowed_special are as in :meth:`encode`.

        Returns:
            An object to print, or to look at in a notebook; ``.html()`` is a page's element.

        Raises:
            What :meth:`encode` raises.

        >>> import ctok
        >>> print(ctok.get_encoding("gpt2").view("hello wörld").plain())
        hello│·w│ör│ld
        4 tokens · 11 characters · 12 bytes · 3.00 bytes per token · gpt2
        """
        from .view import View

        return View.of(self, text, **options)

    def explain(self, piece: str | bytes) -> Explanation:
        """How a piece became its ids: the merges, step by step.

        Args:
            piece: text or bytes, taken as one piece.

        Returns:
            An object to print, or to look at in a notebook; ``.steps`` and ``.ids`` for programs.

        Raises:
            LimitError: it is longer than 1024 bytes.
            MissingRankError: (a KeyError) the vocabulary cannot express a byte of it.

        >>> import ctok
        >>> print(ctok.get_encoding("gpt2").explain("low"))
        'low' in gpt2
                                l o w
          1  o + w   rank 322   l ow
          2  l + ow  rank 9319  low
        the piece is a token, taken at once; merges would make the same
        ids: 9319
        """
        from .explain import Explanation

        return Explanation.of(self, piece)

    # ---- copies ----

    def __reduce__(self) -> tuple[Any, ...]:
        from . import registry

        if registry.is_registered(self):
            return registry.get_encoding, (self.name,)
        return _from_spec, (type(self), self.spec, self._engine, getattr(self, "__dict__", {}))

    def __copy__(self) -> Encoding:
        return self

    def __deepcopy__(self, memo: object) -> Encoding:
        return self

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Encoding):
            return NotImplemented
        return self is other or self.fingerprint == other.fingerprint

    def __hash__(self) -> int:
        # Equal fingerprints have these equal, and no other attribute that is at hand.
        return hash((self._pat_str, self.max_token_value))


def _from_spec(
    cls: type[Encoding], spec: TokenizerSpec, engine: str | None, attributes: dict[str, Any]
) -> Encoding:
    """What a pickle calls. Only an object of a derived class has attributes of its own."""
    self = cls.from_spec(spec, engine=engine)
    if attributes:
        self.__dict__.update(attributes)
    return self
