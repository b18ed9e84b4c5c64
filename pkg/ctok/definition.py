"""From a definition to a codec: tiktoken's arguments make a spec, a spec fills a codec."""

from __future__ import annotations

from collections.abc import Mapping

from ._core import Codec
from .errors import (
    InvalidRanksError,
    InvalidSpecialTokensError,
    ValidationError,
    VocabSizeError,
)
from .spec import TokenizerSpec, TokenTable
from .specials import special_pairs


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
        pattern=pat_str,
        specials=special_tokens,
        explicit_n_vocab=explicit_n_vocab,
        allow_duplicate_ids=allow_duplicate_ids,
    )


def build(codec: Codec, spec: TokenizerSpec, engine: str | None) -> None:
    """Fills an empty codec.

    Args:
        codec: what to fill.
        spec: everything that decides ids.
        engine: as in :meth:`ctok.Encoding.from_spec`.

    Raises:
        InvalidRanksError, InvalidSpecialTokensError, InvalidPatternError, VocabSizeError
    """
    specials = list(special_pairs(spec.specials))
    merges = None
    if spec.merges is not None:
        tables = (spec.merges.left, spec.merges.right, spec.merges.merged)
        merges = tuple(memoryview(table).cast("I") for table in tables)
    codec._build(
        spec.tokens.blob,
        memoryview(spec.tokens.ends).cast("I"),
        memoryview(spec.tokens.ids).cast("I"),
        merges,
        specials,
        spec.pattern,
        engine,
        spec.whole_piece,
        spec.allow_duplicate_ids,
    )
    if spec.explicit_n_vocab:
        info = codec._info
        n_tokens, max_id = info["n_tokens"] + len(specials), info["max_id"]
        if not n_tokens == spec.explicit_n_vocab == max_id + 1:
            raise VocabSizeError(
                f"explicit_n_vocab is {spec.explicit_n_vocab}, but there are {n_tokens} "
                f"tokens and the largest id is {max_id}"
            )
