"""A definition whose tables are read when somebody asks for them.

An encoding that comes out of an image (image.py) has its tables there. What it was defined by is
needed again only to copy, compare or explain it, and reading that takes longer than all else.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .packed import Merges, Tables
    from .spec import TokenizerSpec


MAX_ID = 0xFFFF_FFFE
"""The largest id: one less than the largest uint32, which the core keeps for "no id"."""


class Outline:
    """Everything of a :class:`ctok.TokenizerSpec` but its tables.

    Args:
        name, pattern, specials, whole_piece, explicit_n_vocab, allow_duplicate_ids: those of the
            spec.
        tables_id: what tells its tables from all others, if that is known without reading them.
        read_tables: gives the tables alone, where that is faster than the spec.
        read: gives the spec.
    """

    __slots__ = (
        "allow_duplicate_ids",
        "explicit_n_vocab",
        "name",
        "pattern",
        "read",
        "read_tables",
        "specials",
        "tables_id",
        "whole_piece",
    )

    def __init__(
        self,
        name: str,
        pattern: str,
        specials: Mapping[str, int],
        *,
        whole_piece: bool = True,
        explicit_n_vocab: int | None = None,
        allow_duplicate_ids: bool = False,
        tables_id: str | None = None,
        read_tables: Callable[[], Tables] | None = None,
        read: Callable[[], TokenizerSpec],
    ) -> None:
        self.name = name
        self.pattern = pattern
        self.specials = specials
        self.whole_piece = whole_piece
        self.explicit_n_vocab = explicit_n_vocab
        self.allow_duplicate_ids = allow_duplicate_ids
        self.tables_id = tables_id
        self.read_tables = read_tables
        self.read = read

    def tables(self) -> tuple[bytes, bytes, bytes, Merges | None]:
        """Tokens and merges as :data:`ctok.packed.Tables`; None when they are to be derived."""
        if self.read_tables is not None:
            return self.read_tables()
        spec = self.read()
        tokens, merges = spec.tokens, spec.merges
        packed = None if merges is None else (merges.left, merges.right, merges.merged)
        return tokens.blob, tokens.ends, tokens.ids, packed

    @classmethod
    def of(cls, spec: TokenizerSpec) -> Outline:
        """That of a spec which is there already."""
        return cls(
            spec.name,
            spec.pattern,
            spec.specials,
            whole_piece=spec.whole_piece,
            explicit_n_vocab=spec.explicit_n_vocab,
            allow_duplicate_ids=spec.allow_duplicate_ids,
            read=lambda: spec,
        )
