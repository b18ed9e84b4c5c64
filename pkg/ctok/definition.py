"""From tiktoken's arguments to a spec."""

from __future__ import annotations

from collections.abc import Mapping

from .errors import InvalidRanksError, InvalidSpecialTokensError, ValidationError
from .spec import TokenizerSpec, TokenTable


def spec_from_ranks(
    name: str,
    *,
    pat_str: str,
    mergeable_ranks: Mapping[bytes, int],
    special_tokens: Mapping[str, int],
    explicit_n_vocab: int | None,
    special_token_matching: str,
    allow_duplicate_ids: bool,
) -> TokenizerSpec:
    """The spec of what :class:`ctok.Encoding` is made from. Arguments and errors are its."""
    if special_token_matching not in ("parity", "longest"):
        raise ValidationError(
            f"special_token_matching is {special_token_matching!r}, 'parity' or 'longest' expected"
        )
    if not isinstance(pat_str, str):
        raise ValidationError(f"pat_str is {type(pat_str).__name__}, str expected")
    if not isinstance(mergeable_ranks, Mapping) or not mergeable_ranks:
        raise InvalidRanksError(
            f"mergeable_ranks is {type(mergeable_ranks).__name__}, "
            "a dict with at least one token expected"
        )
    if not isinstance(special_tokens, Mapping):
        raise InvalidSpecialTokensError(
            f"special_tokens is {type(special_tokens).__name__}, a dict expected"
        )
    return TokenizerSpec(
        name=name,
        tokens=TokenTable.from_ranks(mergeable_ranks),
        pattern=str.__str__(pat_str),  # not of a subclass
        specials=special_tokens,
        explicit_n_vocab=explicit_n_vocab,
        allow_duplicate_ids=allow_duplicate_ids,
    )
