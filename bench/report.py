"""Writes the tables and the plot: python -m bench.report [--results FILE] [--accept]

What was a quick or partial run goes to build/bench instead. Says which accepted ratios were lost.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from . import instructions, places, plot, tables
from .book import Book
from .run import OUT
from .sections import filled
from .targets import findings

HERE = Path(__file__).parent
README = HERE / "README.md"
PLOT = HERE / "throughput.svg"
ACCEPTED = HERE / "accepted.json"
LOSS = 0.05
"""A change that loses more of an accepted ratio than this says so and why."""

SECTIONS: dict[str, Callable[[Book], str]] = {
    "machine": tables.machine,
    "summary": tables.summary,
    "equality": tables.equality,
    "failures": tables.failures,
    "targets": tables.owed,
    "not first": tables.not_first,
    "cl100k_base": lambda book: tables.encoding(book, "cl100k_base"),
    "o200k_base": lambda book: tables.encoding(book, "o200k_base"),
    "gpt2": lambda book: tables.encoding(book, "gpt2"),
    "llama3": lambda book: tables.encoding(book, "llama3"),
    "qwen2": lambda book: tables.encoding(book, "qwen2"),
    "sizes list": lambda book: tables.section(book, "sizes list"),
    "sizes array": lambda book: tables.section(book, "sizes array"),
    "batch": lambda book: tables.section(book, "batch"),
    "latency": lambda book: tables.section(book, "latency"),
    "decode": lambda book: tables.section(book, "decode", "count"),
    "load": lambda book: tables.section(book, "import", "load cl100k_base", "load o200k_base"),
    "worst": lambda book: tables.section(book, "worst"),
    "splitting": tables.splitting,
    instructions.SECTION: lambda _: instructions.section(),
}


def section(book: Book, name: str) -> str:
    """What a section of the README becomes."""
    if name not in SECTIONS:
        sys.exit(f"{README}: no section is called {name!r}: {', '.join(SECTIONS)}")
    return SECTIONS[name](book)


def ratios(book: Book) -> dict[str, float]:
    """What the regression gate compares: every finding, larger being better."""
    return {
        f"{found.row} {found.case}": round(1 / found.reached if found.at_most else found.reached, 6)
        for found in findings(book)
        if found.reached
    }


def lost(book: Book) -> list[str]:
    """The accepted figures that this run does not reach."""
    if not ACCEPTED.exists():
        return []
    accepted: dict[str, float] = json.loads(ACCEPTED.read_text(encoding="utf-8"))
    now = ratios(book)
    worse = [
        f"{name}: {now[name] / before:.2f} of what was accepted"
        for name, before in accepted.items()
        if name in now and now[name] < before * (1 - LOSS)
    ]
    gone = [f"{name}: accepted, not measured now" for name in accepted if name not in now]
    return worse + gone if book.facts["whole"] else worse


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.report", description=__doc__)
    parser.add_argument("--results", type=Path, default=OUT, help=f"default {OUT}")
    parser.add_argument("--accept", action="store_true", help="these are the ratios to keep")
    options = parser.parse_args()
    book = Book.read(options.results)
    if options.accept and not book.facts["whole"]:
        sys.exit(f"{options.results} is of a quick or partial run: only a whole one is accepted")
    text = README.read_text(encoding="utf-8")
    readme = README if book.facts["whole"] else Path(places.WORK) / README.name
    readme.write_text(filled(text, partial(section, book)), encoding="utf-8")
    drawn = plot.draw(book, readme.with_name(PLOT.name))
    print(f"{readme}{f' and {PLOT.name}' if drawn else ''}: {tables.summary(book)}")
    for line in lost(book):
        print(f"lost: {line}")
    if options.accept:
        ACCEPTED.write_text(json.dumps(ratios(book), indent=1) + "\n", encoding="utf-8")
        print(f"accepted: {ACCEPTED}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
