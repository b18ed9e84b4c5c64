"""The narrow waist: one frozen description of everything that decides ids.

Every format produces a :class:`TokenizerSpec`, the core consumes one, tests compare them.
Tables are packed (`bytes` of little-endian uint32) because a vocabulary has a hundred
thousand rows and most users never look at one of them.

::

    tokens   blob  H e l o He ll ...      merges   left    0 2 ...   ids, in rank order
             ends  1 2 3 4 6  8  ...               right   1 2 ...
             ids   0 1 2 3 4  5  ...               merged  4 5 ...
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from operator import index
from types import MappingProxyType

from .errors import InvalidRanksError
from .outline import MAX_ID


def pack_u32(values: Iterator[int] | list[int] | array[int]) -> bytes:
    """Packs integers as little-endian uint32; OverflowError when one does not fit."""
    packed = array("I", values)
    if sys.byteorder == "big":
        packed.byteswap()
    return packed.tobytes()


def unpack_u32(packed: bytes) -> array[int]:
    """The inverse of :func:`pack_u32`."""
    values = array("I")
    values.frombytes(packed)
    if sys.byteorder == "big":
        values.byteswap()
    return values


@dataclass(frozen=True, slots=True, repr=False)
class TokenTable:
    """Tokens and their ids, packed.

    Args:
        blob: the bytes of all tokens, one after the other.
        ends: uint32[n], where each token ends in `blob`.
        ids: uint32[n], the id of each token.
    """

    blob: bytes
    ends: bytes
    ids: bytes

    @classmethod
    def from_ranks(cls, ranks: Mapping[bytes, int]) -> TokenTable:
        """Packs tiktoken's ``mergeable_ranks``.

        Args:
            ranks: token bytes to rank, which is the id.

        Returns:
            The table, in the order of the ranks.

        Raises:
            InvalidRanksError: a key is not bytes or a value no integer from 0 to MAX_ID.

        >>> len(TokenTable.from_ranks({b"a": 0, b"b": 1, b"ab": 2}))
        3
        """
        ends = array("I")
        total = 0
        try:
            blob = b"".join(ranks)
            for token in ranks:
                total += len(token)
                ends.append(total)
            ids = array("I", ranks.values())
        except (TypeError, OverflowError) as exc:
            raise _bad_ranks(ranks) from exc
        if ids and max(ids) > MAX_ID:
            raise _bad_ranks(ranks)
        return cls(blob, pack_u32(ends), pack_u32(ids))

    def __len__(self) -> int:
        return len(self.ids) // 4

    def __iter__(self) -> Iterator[tuple[bytes, int]]:
        """Yields (token bytes, id) in the order of the table."""
        start = 0
        for end, token_id in zip(unpack_u32(self.ends), unpack_u32(self.ids), strict=True):
            yield self.blob[start:end], token_id
            start = end

    def __repr__(self) -> str:
        return f"<TokenTable of {len(self)} tokens>"


def _bad_ranks(ranks: Mapping[bytes, int]) -> InvalidRanksError:
    for token, rank in ranks.items():
        if not isinstance(token, bytes):
            return InvalidRanksError(
                f"mergeable_ranks: key {token!r} is {type(token).__name__}, bytes expected"
            )
        if not isinstance(rank, int) or not 0 <= rank <= MAX_ID:
            return InvalidRanksError(
                f"mergeable_ranks: the rank of {token!r} is {rank!r}, "
                f"an integer from 0 to {MAX_ID} expected"
            )
    return InvalidRanksError("mergeable_ranks: all tokens together exceed 4 GiB")


@dataclass(frozen=True, slots=True, repr=False)
class MergeTable:
    """Merges in rank order, best first, by id: left and right become merged.

    Args:
        left, right, merged: uint32[n] each.
    """

    left: bytes
    right: bytes
    merged: bytes

    def __len__(self) -> int:
        return len(self.merged) // 4

    def __repr__(self) -> str:
        return f"<MergeTable of {len(self)} merges>"


@dataclass(frozen=True, slots=True)
class TokenizerSpec:
    """Everything that decides ids.

    Args:
        name: what users call it.
        tokens: the vocabulary. With `merges`, tokens that a merge makes may be left out: their
            bytes follow from its two halves.
        merges: the merges in rank order; None when ids are ranks (tiktoken) and the
            merges follow from the tokens.
        pattern: the splitting pattern, in tiktoken's syntax.
        specials: special tokens and their ids.
        whole_piece: a piece that is a token is that token at once, as in tiktoken.
        explicit_n_vocab: the vocabulary size its source promises, or None.
        allow_duplicate_ids: an id given to several tokens is no mistake: all of them encode to
            it, and it decodes to the last of them. Specials may share one always; it
            decodes to the first of them.
    """

    name: str
    tokens: TokenTable
    pattern: str
    merges: MergeTable | None = None
    specials: Mapping[str, int] = field(default_factory=dict)
    whole_piece: bool = True
    explicit_n_vocab: int | None = None
    allow_duplicate_ids: bool = False

    def __post_init__(self) -> None:
        plain = {text: _plain(token_id) for text, token_id in self.specials.items()}
        object.__setattr__(self, "specials", MappingProxyType(plain))

    def __reduce__(self) -> tuple[object, ...]:
        return _spec, (
            self.name,
            self.tokens,
            self.pattern,
            self.merges,
            dict(self.specials),
            self.whole_piece,
            self.explicit_n_vocab,
            self.allow_duplicate_ids,
        )


def _plain(token_id: int) -> int:
    """An int of numpy's as one of Python's; what is none is refused later, with its token."""
    try:
        return index(token_id)
    except TypeError:
        return token_id


def _spec(*fields: object) -> TokenizerSpec:
    return TokenizerSpec(*fields)  # type: ignore[arg-type]
