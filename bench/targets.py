"""What ctok owes, row by row, against what a run reached. The numbers are those of the project's
targets T1 to T16; rows about other formats belong to other benches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .book import Book, at, median, times
from .measures.counting import LIMITS
from .measures.splitting import ASCII, OWN_PCRE2, PCRE2
from .measures.worst import REPEATED
from .vocabularies import SERVED

PLAIN = ("english", "code")
FOREIGN = ("multilingual", "cjk")
NEVER_SLOWER = 0.95
"""What that means on a clock that wobbles."""


@dataclass(frozen=True)
class Finding:
    """One line: what is owed, and what was reached (None where nothing was measured)."""

    row: str
    case: str
    owed: float
    reached: float | None
    unit: str = "x"
    at_most: bool = False

    @property
    def met(self) -> bool | None:
        if self.reached is None:
            return None
        return self.reached <= self.owed if self.at_most else self.reached >= self.owed


def findings(book: Book) -> list[Finding]:
    parts = (encoding, latency, long, worst, batch, decode, load, imports, splitting, counting)
    return [finding for part in parts for finding in part(book)]


def encoding(book: Book) -> Iterator[Finding]:
    def compared(name: str, corpus: str, peer: str, state: str, output: str) -> float | None:
        case = {"encoding": name, "corpus": corpus, "first": "array"}
        ours, theirs = book.one("encode", "ctok", **case), book.one("encode", peer, **case)
        return times(ours, f"array.{state}.cpu", theirs, f"{output}.{state}.cpu")

    for name in SERVED:
        for corpus in PLAIN:
            case = f"{name}, {corpus}, warm"
            found = compared(name, corpus, "gigatoken", "warm", "array")
            yield Finding("T1", f"{case}, against gigatoken", 1.3, found)
            found = compared(name, corpus, "tiktoken", "warm", "list")
            yield Finding("T1", f"{case}, against tiktoken", 28, found)
    for name in SERVED:
        for corpus in PLAIN:
            found = compared(name, corpus, "gigatoken", "cold", "array")
            yield Finding("T2", f"{name}, {corpus}, cold, against gigatoken", 1.8, found)
    for name in SERVED:
        for corpus in FOREIGN:
            case = f"{name}, {corpus}, cold"
            found = compared(name, corpus, "fastokens", "cold", "array")
            yield Finding("T3", f"{case}, against fastokens", 1.2, found)
            found = compared(name, corpus, "tiktoken", "cold", "list")
            yield Finding("T3", f"{case}, against tiktoken", 6, found)
    for name in SERVED:
        for corpus in PLAIN:
            row = book.one("encode", "ctok", encoding=name, corpus=corpus, first="array")
            found = times(row, "turns.list.cpu", row, "turns.array.cpu")
            yield Finding("T4", f"{name}, {corpus}, lists against arrays", 0.85, found)


def latency(book: Book) -> Iterator[Finding]:
    for name in SERVED:
        ours = book.one("latency", "ctok", encoding=name)
        theirs = book.one("latency", "tiktoken", encoding=name)
        for call, title in (("ordinary", "encode_ordinary"), ("checked", "encode")):
            case = f"{name}, {title} of a chat message"
            for point, owed in (("p50", 0.8), ("p99", 3.0)):
                found = median(ours, f"{call}.{point}")
                micros = None if found is None else found / 1000
                yield Finding("T5", f"{case}, {point}", owed, micros, "us", at_most=True)
            found = times(ours, f"{call}.p50", theirs, f"{call}.p50")
            yield Finding("T5", f"{case}, p50 against tiktoken", 8, found)


def long(book: Book) -> Iterator[Finding]:
    for name in SERVED:
        case = {"encoding": name}
        documents = book.one("long", "ctok", shape="documents", **case)
        whole = book.one("long", "ctok", shape="one string", **case)
        found = times(whole, "cold.cpu", documents, "cold.cpu")
        yield Finding("T6", f"{name}, 10 MB string against documents, cold", 0.9, found)
        found = times(whole, "turns.one string.cpu", whole, "turns.documents.cpu")
        yield Finding("T6", f"{name}, 10 MB string against documents, warm", 0.9, found)
        one = book.one("long", "ctok", shape="batch of one", threads=1, **case)
        two = book.one("long", "ctok", shape="batch of one", threads=2, **case)
        found = times(two, "warm.wall", one, "warm.wall")
        yield Finding("T6", f"{name}, 10 MB string, two threads against one", 1.8, found)


def worst(book: Book) -> Iterator[Finding]:
    for name in SERVED:
        row = book.one("worst", "ctok", encoding=name)
        kinds = [] if row is None else list(row["median"])
        for kind in kinds:
            seconds = median(row, f"{kind}.seconds")
            n_bytes = median(row, f"{kind}.bytes")
            speed = n_bytes / seconds / 1e6 if seconds and n_bytes else None
            owed = 150 if kind in REPEATED else 15
            yield Finding("T7", f"{name}, 1 MB of {kind}", owed, speed, "MB/s")
        for kind in kinds:
            found = times(row, f"{kind}.seconds", row, f"{kind}.seconds at twice")
            yield Finding("T7", f"{name}, {kind}, time at 2 MB", 2.3, found, "x", at_most=True)
        if row is not None:
            most = max((at(row["median"], f"{kind}.memory at twice") or 0) / 2e6 for kind in kinds)
            yield Finding(
                "T7", f"{name}, most memory for 2 MB, per byte of text", 64, most, "B", at_most=True
            )


def batch(book: Book) -> Iterator[Finding]:
    one, two = (book.one("batch", "ctok", threads=threads) for threads in (1, 2))
    for state in ("first", "second"):
        found = times(two, f"{state}.wall", one, f"{state}.wall")
        yield Finding("T8", f"5 MB, two threads against one, {state} call", 1.8, found)
    sizes = [] if two is None else list(two["median"].get("small", {}))
    for size in sizes:
        found = times(two, f"small.{size}.threads", two, f"small.{size}.one thread")
        case = f"batch of {int(size) // 1000} KB, two threads against one"
        yield Finding("T8", case, NEVER_SLOWER, found)


def decode(book: Book) -> Iterator[Finding]:
    forms = (
        ("array to bytes", "list to bytes", 10.0),
        ("list to bytes", "list to bytes", 5.0),
        ("list to str", "list to str", 2.5),
    )
    for name, corpus in (("cl100k_base", "english"), ("cl100k_base", "code"),
                         ("cl100k_base", "multilingual"), ("o200k_base", "english")):  # fmt: skip
        case = {"encoding": name, "corpus": corpus}
        ours, theirs = book.one("decode", "ctok", **case), book.one("decode", "tiktoken", **case)
        for form, against, owed in forms:
            found = times(ours, f"{form}.cpu", theirs, f"{against}.cpu")
            title = f"{name}, {corpus}, {form}, against tiktoken's {against}"
            yield Finding("T9", title, owed, found)
    row = book.one("decode", "ctok", encoding="cl100k_base", corpus="english")
    for moment, title in (("first", "at the start"), ("last", "after a million ids")):
        nanos = median(row, f"stream.{moment}_ns")
        found = None if nanos is None else nanos / 1000
        yield Finding("T16", f"streaming, one id {title}", 0.3, found, "us", at_most=True)


def load(book: Book) -> Iterator[Finding]:
    owed = {"cl100k_base": (60, 5, 30), "o200k_base": (120, 5, 50)}
    for name, (first_ms, image_ms, megabytes) in owed.items():
        rows = {
            "first": book.one("load", "ctok", encoding=name, fresh_cache=True),
            "image": next(
                (
                    row
                    for row in book.all("load", "ctok", encoding=name)
                    if row["samples"] and row["args"].keys() == {"encoding"}
                ),
                None,
            ),
            "shared": book.one("load", "ctok", encoding=name, shared=True),
        }
        for key, title, most in (
            ("first", "first use ever", first_ms),
            ("image", "later uses", image_ms),
        ):
            seconds = median(rows[key], "load.wall")
            found = None if seconds is None else seconds * 1000
            yield Finding("T10", f"{name}, load to first ids, {title}", most, found, "ms", True)
        for key, path, title, most in (
            ("image", "with_ints", "memory of one encoding, with its ints for lists", megabytes),
            ("shared", "memory.private", "memory of one more process", 4),
            ("image", "caches", "memory of its caches, 2 MB encoded", 16),
        ):
            n_bytes = median(rows[key], path)
            found = None if n_bytes is None else n_bytes / 1e6
            yield Finding("T11", f"{name}, {title}", most, found, "MB", True)


def imports(book: Book) -> Iterator[Finding]:
    row = book.one("imports", "ctok")
    seconds = median(row, "wall")
    found = None if seconds is None else seconds * 1000
    yield Finding("T12", "import ctok, beyond a bare interpreter", 25, found, "ms", True)
    extra = None if row is None else float(len(row["samples"][0]["optional"]))
    yield Finding("T12", "optional packages that it imports", 0, extra, "", True)


def splitting(book: Book) -> Iterator[Finding]:
    vector = max(("avx2", "avx512"), key=lambda name: book.facts["vector code"] == name)
    for name in book.values("splitting", "pattern"):
        for text in book.values("splitting", "text"):
            for engine, owed in (("automaton", 2.0), (vector, 8.0)):
                if engine == vector and text != ASCII:
                    continue
                case = {"pattern": name, "text": text}
                ours = book.one("splitting", "ctok", engine=engine, **case)
                for jit in (PCRE2, OWN_PCRE2):
                    theirs = book.one("splitting", "ctok", engine=jit, **case)
                    found = times(ours, "cpu", theirs, "cpu")
                    yield Finding("T13", f"{name}, {text}, {engine} against {jit}", owed, found)


def counting(book: Book) -> Iterator[Finding]:
    row = book.one("counting", "ctok")
    yield Finding(
        "T15", "count against the array path", 1.1, times(row, "count.cpu", row, "array.cpu")
    )
    for limit in LIMITS:
        cut, whole = median(row, f"truncate {limit}"), median(row, f"encode {limit}")
        found = cut / whole if cut and whole else None
        case = f"truncate 10 MB to {limit} ids, against encoding what is kept"
        yield Finding("T15", case, 1.5, found, "x", at_most=True)
