"""How a piece of text becomes its ids, merge by merge.

::

    >>> import ctok
    >>> print(ctok.get_encoding("gpt2").explain("hello!"))
    'hello!' in gpt2
                               h e l l o !
      1  h + e     rank 258    he l l o !
      2  l + l     rank 297    he ll o !
      3  he + ll   rank 12758  hell o !
      4  hell + o  rank 31373  hello !
    encode() splits this text first and merges each piece: 'hello' '!'
    ids: 31373 0
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from .errors import LimitError
from .surrogates import mended
from .view import Token

if TYPE_CHECKING:
    from .encoding import Encoding

MAX_BYTES = 1024
"""A longer piece has more steps than anybody reads, and all parts of all steps take memory that
grows with the square of its length."""


@dataclass(frozen=True, slots=True)
class Step:
    """One merge.

    Attributes:
        left, right: the two neighbours that merged.
        rank: how early this pair merges; the lowest of all pairs at the time.
        id: the id of what they became.
        parts: all parts afterwards.
    """

    left: bytes
    right: bytes
    rank: int
    id: int
    parts: tuple[bytes, ...]

    @property
    def merged(self) -> bytes:
        """What they became."""
        return self.left + self.right


@dataclass(frozen=True)
class Explanation:
    """How a piece became its ids. Made by :meth:`ctok.Encoding.explain`.

    Attributes:
        name: of the encoding.
        piece: the bytes.
        ids: the ids.
        steps: the merges in the order in which they happen.
        whole: whether the piece is a token, which is taken at once: the steps then show how
            merges would have made it, or how far they would have come.
        pieces: what the encoding's pattern splits the text into; more than one means that
            ``encode`` merges each on its own. Empty when bytes were given.
    """

    name: str
    piece: bytes
    ids: tuple[int, ...]
    steps: tuple[Step, ...]
    whole: bool
    pieces: tuple[str, ...] = ()

    @classmethod
    def of(cls, encoding: Encoding, piece: str | bytes) -> Explanation:
        """Merges a piece and notes every step.

        Args:
            encoding: whose merges.
            piece: text or bytes, taken as one piece.

        Raises:
            LimitError: it is longer than MAX_BYTES.
            MissingRankError: it has a byte that the vocabulary cannot express.
        """
        data = mended(piece).encode() if isinstance(piece, str) else bytes(piece)
        if len(data) > MAX_BYTES:
            raise LimitError(
                f"the piece has {len(data)} bytes, at most {MAX_BYTES} can be explained",
                suggestions=["Explain a part of it, or look at all of it with Encoding.view()."],
            )
        return cls(
            name=encoding.name,
            piece=data,
            ids=tuple(encoding._merge_bytes(data)),
            steps=tuple(merge_steps(encoding, data)),
            whole=encoding.spec.whole_piece and encoding._find(data) is not None,
            pieces=tuple(encoding.pieces(piece)) if isinstance(piece, str) else (),
        )

    @property
    def parts(self) -> tuple[bytes, ...]:
        """The parts that the merges end with."""
        return last_parts(self.piece, self.steps)

    def notes(self) -> list[str]:
        """What the steps alone do not tell."""
        notes = []
        if len(self.pieces) > 1:
            shown = " ".join(map(repr, self.pieces))
            notes.append(f"encode() splits this text first and merges each piece: {shown}")
        if self.whole and len(self.parts) > 1:
            notes.append("the piece is a token, taken at once; merges alone would not make it")
        elif self.whole:
            notes.append("the piece is a token, taken at once; merges would make the same")
        notes.append(f"ids: {' '.join(map(str, self.ids))}")
        return notes

    def __str__(self) -> str:
        rows = [("", "", "", _shown(_single_bytes(self.piece)))]
        for number, step in enumerate(self.steps, 1):
            pair = f"{_shown((step.left,))} + {_shown((step.right,))}"
            rows.append((str(number), pair, f"rank {step.rank}", _shown(step.parts)))
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        lines = [f"{self._title()} in {self.name}"]
        for row in rows:
            left = (cell.ljust(width) for cell, width in zip(row, widths, strict=False))
            lines.append("  ".join(["", *left, row[3]]))
        return "\n".join([*lines, *self.notes()])

    def _repr_html_(self) -> str:
        cell = '<td style="text-align:left;padding:0 .7em;white-space:pre">'
        rows = [f"<tr>{cell}</td>{cell}</td>{cell}</td>{cell}{_chips(_single_bytes(self.piece))}"]
        for number, step in enumerate(self.steps, 1):
            pair = html.escape(f"{_shown((step.left,))} + {_shown((step.right,))}")
            rows.append(
                f"<tr>{cell}{number}</td>{cell}{pair}</td>{cell}rank {step.rank}</td>"
                f"{cell}{_chips(step.parts)}"
            )
        notes = "".join(f"<div>{html.escape(note)}</div>" for note in self.notes())
        title = html.escape(f"{self._title()} in {self.name}")
        return (
            '<div class="ctok-explain" style="font-family:ui-monospace,monospace">'
            f"<div>{title}</div><table>{'</td></tr>'.join(rows)}</td></tr></table>{notes}</div>"
        )

    def _title(self) -> str:
        try:
            return repr(self.piece.decode())
        except UnicodeDecodeError:
            return repr(self.piece)


def merge_steps(encoding: Encoding, data: bytes) -> list[Step]:
    """Lowest rank first, leftmost on ties."""
    parts = list(_single_bytes(data))
    merges = [encoding._merge(left, right) for left, right in pairwise(parts)]
    steps: list[Step] = []
    while True:
        candidates = [(merge[0], i) for i, merge in enumerate(merges) if merge is not None]
        if not candidates:
            return steps
        rank, i = min(candidates)
        left, right = parts[i], parts[i + 1]
        parts[i : i + 2] = [left + right]
        # Only the pairs that touch the new part are others than before.
        del merges[i]
        for j in (i - 1, i):
            if 0 <= j < len(merges):
                merges[j] = encoding._merge(parts[j], parts[j + 1])
        steps.append(
            Step(left, right, rank, encoding.encode_single_token(left + right), tuple(parts))
        )


def last_parts(data: bytes, steps: Sequence[Step]) -> tuple[bytes, ...]:
    """The parts of a piece when all its merges have happened."""
    return steps[-1].parts if steps else _single_bytes(data)


def _single_bytes(data: bytes) -> tuple[bytes, ...]:
    return tuple(data[i : i + 1] for i in range(len(data)))


def _shown(parts: tuple[bytes, ...]) -> str:
    return " ".join("".join(s.text for s in Token(0, part).segments()) for part in parts)


def _chips(parts: tuple[bytes, ...]) -> str:
    style = "border:1px solid rgba(128,128,128,.6);border-radius:3px;padding:0 2px"
    return " ".join(
        f'<span style="{style}">{html.escape(_shown((part,)))}</span>' for part in parts
    )
