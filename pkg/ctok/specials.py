"""Which special tokens a call allows in its text, and which it refuses."""

from __future__ import annotations

from . import _core
from .late import Module
from .outline import MAX_ID

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from collections.abc import Set as AbstractSet
    from typing import Literal

    from . import errors

    AllowedSpecial = Literal["all"] | set[str] | frozenset[str]
    DisallowedSpecial = Literal["all"] | Collection[str]
    Names = Literal["all"] | frozenset[str]
else:
    errors = Module("errors")

MAX_KNOWN_SETS = 64
"""Programs ask for the same few sets again and again; who makes new ones for each call should not
fill the memory."""


class Specials:
    """The special tokens of an encoding, in the order by which the core numbers them.

    Args:
        texts: what they are in a text.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._numbers = {text: number for number, text in enumerate(texts)}
        self._known: dict[tuple[Names, Names], _core.SpecialSets] = {}

    def allowed(self, allowed_special: AllowedSpecial) -> AbstractSet[str]:
        """The special tokens that an argument `allowed_special` names; other names are ignored.

        Raises:
            TypeError: it is neither "all" nor a set of str.
        """
        names = _allowed_names(allowed_special)
        if names == "all":
            return self._numbers.keys()
        for text in names:
            if not isinstance(text, str):
                raise TypeError(f"allowed_special has {text!r}, only str expected")
        return self._numbers.keys() & names

    def sets(
        self, allowed_special: AllowedSpecial, disallowed_special: DisallowedSpecial
    ) -> _core.SpecialSets:
        """The core's form of tiktoken's two arguments: known by what was given, for there may be a
        thousand special tokens.

        Raises:
            TypeError: as in :meth:`allowed`.
        """
        key = (_allowed_names(allowed_special), _names(disallowed_special or ()))
        sets = self._known.get(key)
        if sets is None:
            allowed = self.allowed(allowed_special)
            disallowed = self._numbers.keys() - allowed if key[1] == "all" else key[1]
            foreign = tuple(sorted(disallowed - self._numbers.keys()))
            sets = _core.SpecialSets(self._bits(allowed), self._bits(disallowed), foreign)
            if len(self._known) < MAX_KNOWN_SETS:
                self._known[key] = sets
        return sets

    def _bits(self, members: AbstractSet[str]) -> bytes | None:
        bits = 0
        for text in members:
            number = self._numbers.get(text)
            if number is not None:
                bits |= 1 << number
        if bits == 0:
            return None
        words = (len(self._numbers) + 63) // 64
        return bits.to_bytes(8 * words, "little")

    def refusal(self, number: int | None, offset: int, text: str) -> errors.DisallowedSpecialError:
        """The error for a special token that the core found by number, or for any other text
        that is not allowed."""
        token = text if number is None else list(self._numbers)[number]
        return errors.DisallowedSpecialError(
            f"the text has the special token {token!r} at character {offset}.\n"
            "Text from users should not turn into control tokens, so this is an error unless "
            "asked for:\n"
            f"to get its id, pass allowed_special={{{token!r}}} or allowed_special='all';\n"
            "to encode it like any other text, pass disallowed_special=().",
            token=token,
            offset=offset,
            suggestions=[
                f"To get its id, pass allowed_special={{{token!r}}} or allowed_special='all'.",
                "To encode it as plain text, pass disallowed_special=() or use encode_ordinary().",
            ],
        )


def _names(given: DisallowedSpecial) -> Names:
    return "all" if isinstance(given, str) and given == "all" else frozenset(given)


def _allowed_names(given: AllowedSpecial) -> Names:
    if isinstance(given, set | frozenset) or (isinstance(given, str) and given == "all"):
        return _names(given)
    shown = repr(given) if isinstance(given, str) else type(given).__name__
    raise TypeError(f"allowed_special is {shown}, 'all' or a set of str expected")


def special_pairs(specials: Mapping[str, int]) -> Iterator[tuple[bytes, int]]:
    """Special tokens as the core takes them; InvalidSpecialTokensError for what is none."""
    for text, token_id in specials.items():
        if not isinstance(text, str) or not text:
            raise errors.InvalidSpecialTokensError(
                f"special token {text!r}: non-empty str expected"
            )
        if not isinstance(token_id, int) or not 0 <= token_id <= MAX_ID:
            raise errors.InvalidSpecialTokensError(
                f"special token {text!r}: id {token_id!r}, an integer from 0 to {MAX_ID} expected"
            )
        yield text.encode("utf-8", "surrogatepass"), token_id
