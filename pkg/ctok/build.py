"""From an outline to a codec."""

from __future__ import annotations

from . import _core
from .specials import special_pairs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .outline import Outline


def build(codec: _core.Codec, outline: Outline, engine: str | None) -> None:
    """Fills an empty codec.

    Args:
        codec: what to fill.
        outline: everything that decides ids.
        engine: as in :meth:`ctok.Encoding.from_spec`.

    Raises:
        InvalidRanksError, InvalidSpecialTokensError, InvalidPatternError, VocabSizeError
    """
    blob, ends, ids, merges = outline.tables()
    specials = list(special_pairs(outline.specials))
    codec._build(
        blob,
        ends,
        ids,
        merges,
        specials,
        outline.pattern,
        engine,
        outline.whole_piece,
        outline.allow_duplicate_ids,
    )
    if outline.whole_piece and _core.has_empty_token(ends):
        _check_never_empty(outline.pattern)
    if outline.explicit_n_vocab:
        info = codec._info
        n_tokens, max_id = info["n_tokens"] + len(specials), info["max_id"]
        if not n_tokens == outline.explicit_n_vocab == max_id + 1:
            from .errors import VocabSizeError

            raise VocabSizeError(
                f"explicit_n_vocab is {outline.explicit_n_vocab}, but there are {n_tokens} "
                f"tokens and the largest id is {max_id}"
            )


def _check_never_empty(pattern: str) -> None:
    """tiktoken makes the empty token of every empty match, and ctok of none."""
    from . import dialect, errors

    try:
        if not dialect.rewrite(pattern).can_be_empty:
            return
    except errors.InvalidPatternError:
        pass  # not known to match something
    raise errors.InvalidRanksError(
        "b'' is a token and the pattern may match nothing: ids for empty matches are not supported",
        suggestions=["Leave b'' out of the tokens, or let the pattern match a character or more."],
    )
