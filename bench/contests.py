"""Everything that several tokenizers were measured at, in one form: who is first, by how much."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from .book import Book, Row, median, rate
from .measures.imports import ENCODING

OURS = "ctok"
BATCHES = {
    "first": "first call",
    "second": "second call",
    "lists": "second call, to lists",
}


@dataclass(frozen=True)
class Contest:
    """One measure of several peers.

    Attributes:
        section: which table it belongs to.
        case: the column in it.
        values: by peer, in the order of the run.
        unit: of the values.
        low_is_good: times and memory, not speeds.
    """

    section: str
    case: str
    values: dict[str, float]
    unit: str = "MB/s"
    low_is_good: bool = False

    @property
    def first(self) -> str:
        choose = min if self.low_is_good else max
        return choose(self.values, key=self.values.__getitem__)

    def behind(self) -> float | None:
        """How many times better the best other one is than ctok; None where ctok is first."""
        if OURS not in self.values or self.first == OURS:
            return None
        more, less = self.values[OURS], self.values[self.first]
        if not self.low_is_good:
            more, less = less, more
        return more / less if less > 0 else math.inf  # somebody's memory did not grow


def contests(book: Book) -> list[Contest]:
    parts = (_encode, _batch, _latency, _decode, _counting, _imports, _load, _worst, _sizes)
    return [contest for part in parts for contest in part(book) if len(contest.values) > 1]


def _values(rows: Iterable[Row], value: Callable[[Row], float | None]) -> dict[str, float]:
    found: dict[str, float] = {}
    for row in rows:
        number = value(row)
        if number is not None and ":" not in row["peer"]:
            found.setdefault(row["peer"], number)
    return found


def encode_row(book: Book, encoding: str, corpus: str, peer: str, output: str) -> Row | None:
    """The row that knows a peer's speed at an output, warm: that of the process that was asked for
    it first, which knows it cold as well, if there is one."""
    rows = [
        row
        for row in book.all("encode", peer, encoding=encoding, corpus=corpus)
        if row["samples"] and rate(row, f"{output}.warm.cpu")
    ]
    return min(rows, key=lambda row: row["args"]["first"] != output, default=None)


def _encode(book: Book) -> Iterator[Contest]:
    for encoding in book.values("encode", "encoding"):
        for corpus in book.values("encode", "corpus"):
            for output in ("array", "list"):
                names = book.peers("encode", encoding=encoding, corpus=corpus)
                rows = [encode_row(book, encoding, corpus, peer, output) for peer in names]
                for state in ("cold", "warm"):
                    path = f"{output}.{state}.cpu"
                    yield Contest(
                        f"encode {encoding}",
                        f"{corpus}, {output}, {state}",
                        _values(filter(None, rows), lambda row, path=path: rate(row, path)),
                    )


def _batch(book: Book) -> Iterator[Contest]:
    for threads in (1, 2):
        for state, title in BATCHES.items():
            yield Contest(
                "batch",
                f"{threads} thread{'s' * (threads > 1)}, {title}",
                _values(
                    book.all("batch", threads=threads),
                    lambda row, state=state: rate(row, f"{state}.wall"),
                ),
            )


def _latency(book: Book) -> Iterator[Contest]:
    for encoding in book.values("latency", "encoding"):
        for call, title in (("ordinary", "encode_ordinary"), ("checked", "encode")):
            for point in ("p50", "p99"):
                yield Contest(
                    "latency",
                    f"{encoding}, {title}, {point}",
                    {
                        peer: nanos / 1000
                        for peer, nanos in _values(
                            book.all("latency", encoding=encoding),
                            lambda row, path=f"{call}.{point}": median(row, path),
                        ).items()
                    },
                    "us",
                    low_is_good=True,
                )


def _decode(book: Book) -> Iterator[Contest]:
    for form in ("array to bytes", "list to bytes", "list to str"):
        rows = book.all("decode", encoding="cl100k_base", corpus="english")
        yield Contest(
            "decode", form, _values(rows, lambda row, form=form: rate(row, f"{form}.cpu"))
        )


def _counting(book: Book) -> Iterator[Contest]:
    yield Contest(
        "count", "count", _values(book.all("counting"), lambda row: rate(row, "count.cpu"))
    )


def _imports(book: Book) -> Iterator[Contest]:
    until = {"wall": "import", "first_ids.wall": f"import, load {ENCODING}, first ids"}
    for path, title in until.items():
        found = _values(book.all("imports"), lambda row, path=path: median(row, path))
        millis = {peer: seconds * 1000 for peer, seconds in found.items()}
        yield Contest("import", title, millis, "ms", low_is_good=True)


def _load(book: Book) -> Iterator[Contest]:
    for encoding in book.values("load", "encoding"):
        for path, title, unit, scale in (
            ("load.wall", "load to first ids", "ms", 1e3),
            ("memory.rss", "memory of loading", "MB", 1e-6),
            ("encoding", "memory of encoding 2 MB", "MB", 1e-6),
        ):
            rows = (
                row
                for row in book.all("load", encoding=encoding)
                if row["args"].keys() == {"encoding"}
            )
            found = _values(rows, lambda row, path=path: median(row, path))
            yield Contest(
                f"load {encoding}",
                title,
                {peer: value * scale for peer, value in found.items()},
                unit,
                low_is_good=True,
            )


def _worst(book: Book) -> Iterator[Contest]:
    rows = list(book.all("worst", encoding="cl100k_base"))
    kinds = dict.fromkeys(kind for row in rows for kind in row["median"])
    for kind in kinds:

        def speed(row: Row, kind: str = kind) -> float | None:
            seconds, n_bytes = median(row, f"{kind}.seconds"), median(row, f"{kind}.bytes")
            return n_bytes / seconds / 1e6 if seconds and n_bytes else None

        yield Contest("worst", kind, _values(rows, speed))


def _sizes(book: Book) -> Iterator[Contest]:
    rows = list(book.all("sizes"))
    for output in ("list", "array"):
        sizes = dict.fromkeys(size for row in rows for size in row["median"].get(output, {}))
        for size in sizes:
            yield Contest(
                f"sizes {output}",
                readable(int(size)),
                _values(rows, lambda row, p=f"{output}.{size}": median(row, p)),
            )


def readable(n_bytes: int) -> str:
    """10 B, 1 KB, 10 MB."""
    for unit, size in (("MB", 1_000_000), ("KB", 1_000)):
        if n_bytes >= size:
            return f"{n_bytes // size} {unit}"
    return f"{n_bytes} B"
