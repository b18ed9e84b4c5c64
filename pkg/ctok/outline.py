"""A definition whose tables are read when somebody asks for them.

An encoding that comes out of an image (image.py) has its tables there. What it was defined by is
needed again only to copy, compare or explain it, and reading that takes longer than all else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from .spec import TokenizerSpec


class Outline(NamedTuple):
    """Everything of a :class:`ctok.TokenizerSpec` but its tables.

    Attributes:
        name, pattern, specials, whole_piece, explicit_n_vocab, allow_duplicate_ids: those of the
            spec.
        tables: what tells its tables from all others, if that is known without reading them.
        read: gives the spec.
    """

    name: str
    pattern: str
    specials: Mapping[str, int]
    whole_piece: bool
    explicit_n_vocab: int | None
    allow_duplicate_ids: bool
    tables: str | None
    read: Callable[[], TokenizerSpec]

    @classmethod
    def of(cls, spec: TokenizerSpec) -> Outline:
        """That of a spec which is there already."""
        return cls(
            spec.name,
            spec.pattern,
            spec.specials,
            spec.whole_piece,
            spec.explicit_n_vocab,
            spec.allow_duplicate_ids,
            None,
            lambda: spec,
        )
