"""The tables of bench/README.md, as Markdown."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence

from . import equivalence
from .book import Book, Row, rate, times
from .contests import OURS, Contest, contests, encode_row
from .measures.splitting import CPUS, OWN_PCRE2, PCRE2
from .targets import findings

NOTHING = "Not measured in this run."


def number(value: float | None) -> str:
    """Three digits or so; a dash for what was not measured."""
    if value is None:
        return "-"
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    rule = ["---"] + ["---:"] * (len(head) - 1)
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, rule, *rows))


def machine(book: Book) -> str:
    facts = dict(book.facts)
    versions = ", ".join(f"{name} {version}" for name, version in facts.pop("versions").items())
    if not facts.pop("whole"):
        facts["a part"] = "a quick look or some of the measures: nothing to rely on"
    lines = [f"- {name}: {value}" for name, value in facts.items()]
    lines += [*_second_processor(book), *_pace(book), f"- versions: {versions}"]
    return "\n".join(lines)


def _second_processor(book: Book) -> list[str]:
    """About the most that a row of two threads can reach."""
    found = [sample["times"] for row in book.all("processors") for sample in row["samples"]]
    if not found:
        return []
    return [
        f"- two threads of SHA-512 against one: {number(statistics.median(found))}x "
        f"({number(min(found))} to {number(max(found))})"
    ]


def _pace(book: Book) -> list[str]:
    """How much slower than at its best the machine was, asked behind each process."""
    found = sorted(pace for row in book.rows for pace in row["paces"])
    if not found:
        return []
    middle, slow = (number(found[len(found) * k // 10] / found[0]) for k in (5, 9))
    return [
        f"- a millisecond of SHA-512, against the least of {len(found):,}: "
        f"{middle}x in the median, more than {slow}x in one of ten"
    ]


def owed(book: Book) -> str:
    """T rows, target against reached."""
    rows = []
    for found in findings(book):
        verdict = {True: "yes", False: "**no**", None: "not measured"}[found.met]
        sign = "<=" if found.at_most else ">="
        unit = found.unit if found.unit in ("x", "") else f" {found.unit}"
        reached = "-" if found.reached is None else f"{number(found.reached)}{unit}"
        rows.append((found.row, found.case, f"{sign} {found.owed:g}{unit}", reached, verdict))
    return table(("row", "case", "owed", "reached", "met"), rows)


def summary(book: Book) -> str:
    everything = findings(book)
    known = [found for found in everything if found.met is not None]
    n_met = sum(bool(found.met) for found in known)
    lost = [contest for contest in contests(book) if contest.behind() is not None]
    return (
        f"{n_met} of {len(known)} targets are met, {len(everything) - len(known)} were not "
        "measured; ctok is not first in "
        f"{len(lost)} of {len(contests(book))} comparisons."
    )


def not_first(book: Book) -> str:
    """The rows where another one is better than ctok."""
    rows = [
        (
            contest.section,
            contest.case,
            contest.first,
            f"{number(contest.values[contest.first])} {contest.unit}",
            f"{number(contest.values[OURS])} {contest.unit}",
            f"{number(behind)}x" if math.isfinite(behind) else "-",
        )
        for contest in contests(book)
        if (behind := contest.behind()) is not None
    ]
    if not rows:
        return "None in this run."
    return table(("what", "case", "first", "it has", "ctok has", "behind by"), rows)


def encoding(book: Book, name: str) -> str:
    """Cold / warm MB/s of each peer and output, and warm over tiktoken's lists."""
    asked = book.all("encode", encoding=name)
    corpora = list(dict.fromkeys(row["args"]["corpus"] for row in asked))
    if not corpora:
        return NOTHING
    rows = []
    for peer in book.peers("encode", encoding=name):
        for output in ("array", "list"):
            cells = [_speeds(book, name, corpus, peer, output) for corpus in corpora]
            if any(cell != "-" for cell in cells):
                rows.append((f"{peer} ({output})", *cells))
    return table(("cold / warm MB/s", *corpora), rows)


def _speeds(book: Book, name: str, corpus: str, peer: str, output: str) -> str:
    row = encode_row(book, name, corpus, peer, output)
    if row is None:
        return "-"
    cold, warm = rate(row, f"{output}.cold.cpu"), rate(row, f"{output}.warm.cpu")
    yardstick = book.one("encode", "tiktoken", encoding=name, corpus=corpus)
    ratio = times(row, f"{output}.warm.cpu", yardstick, "list.warm.cpu")
    return f"{number(cold)} / {number(warm)}" + (f" ({ratio:.1f}x)" if ratio else "")


def section(book: Book, *names: str) -> str:
    """A table of contests: the cases down, the peers across; the first of each in bold."""
    chosen: list[Contest] = [c for c in contests(book) if c.section in names]
    peers = list(dict.fromkeys(peer for contest in chosen for peer in contest.values))
    rows = []
    for contest in chosen:
        cells = [
            f"**{number(contest.values[peer])}**"
            if peer == contest.first
            else number(contest.values.get(peer))
            for peer in peers
        ]
        title = contest.case if len(names) == 1 else f"{contest.section}: {contest.case}"
        rows.append((f"{title} ({contest.unit})", *cells))
    return table(("", *peers), rows) if rows else NOTHING


def splitting(book: Book) -> str:
    engines = (PCRE2, OWN_PCRE2, *CPUS)
    rows = []
    for pattern in book.values("splitting", "pattern"):
        for text in book.values("splitting", "text"):
            case = {"pattern": pattern, "text": text}
            found = {
                engine: book.one("splitting", "ctok", engine=engine, **case) for engine in engines
            }
            cells = [_splitting_cell(found[engine], found[PCRE2]) for engine in engines]
            rows.append((f"{pattern}, {text}", *cells))
    return table(("MB/s", *engines), rows) if rows else NOTHING


def _splitting_cell(row: Row | None, yardstick: Row | None) -> str:
    ratio = times(row, "cpu", yardstick, "cpu")
    return number(rate(row, "cpu")) + (f" ({ratio:.1f}x)" if ratio else "")


def failures(book: Book) -> str:
    """What was tried and did not work, with the reason."""
    rows = [
        (row["measure"], row["peer"], ", ".join(map(str, row["args"].values())), row["failure"])
        for row in book.rows
        if row["failure"]
    ]
    return table(("measure", "peer", "arguments", "reason"), rows) if rows else "Nothing failed."


def equality(book: Book) -> str:
    """What differs from tiktoken, or could not be compared."""
    lines = [
        equivalence.describe(row)
        for row in book.equivalence
        if not equivalence.describe(row).endswith(": equal")
    ]
    n_compared = sum(row["failure"] is None for row in book.equivalence)
    head = f"{n_compared} pairs of peer and encoding were compared. "
    if not lines:
        return head + "All are equal on every corpus."
    return head + "Not equal, or not there:\n\n" + "\n".join(f"- {line}" for line in lines)
