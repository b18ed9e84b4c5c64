"""Instructions of fixed work, counted by callgrind: python -m bench.instructions [--check|--accept]

Without an option the profile is printed. Unlike times the counts are the same on every run, so a
change of two percent is a change of the code. Beside them stand the branches that a simple
predictor gets wrong: arithmetic instead of a branch takes more instructions and less time.
`instructions.json` is the accepted record.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from . import callgrind, places, works
from .callgrind import Profile
from .facts import first_line
from .sections import filled
from .tables import number, table
from .vocabularies import SERVED

HERE = Path(__file__).parent
README = HERE / "README.md"
RECORD = HERE / "instructions.json"
SECTION = "instructions"
HOT = 0.01
"""The share of a work from which on a function is recorded."""
LOSS = 0.02
"""How much worse a count may be."""
BRANCH_LOSS = 0.1
"""The same of mispredicted branches, which depend on where code lies."""
BRANCH_FEW = 10
"""So many of them more are nothing in any case: decoding 300 KB has nine."""
BASIS = ("compiler", "flags", "valgrind", "c library", "texts")
"""Facts that counts depend on as much as on the code."""


class Case(NamedTuple):
    encoding: str
    tier: str
    work: str

    def __str__(self) -> str:
        return f"{self.encoding}, {self.tier}: {self.work}"


class Count(NamedTuple):
    """How many bytes went into a work, and what it took."""

    n_bytes: int
    profile: Profile


Counts = dict[Case, Count]


def measure() -> Counts:
    """Every work with every encoding and tier. works.prepare() comes first."""
    found: Counts = {}
    for encoding in SERVED:
        for tier in works.TIERS:
            command = works.command(encoding, tier)
            profiles, printed = callgrind.profiles(command, "measured", works.FOLDER)
            lines = printed.splitlines()
            for work, line, profile in zip(works.WORKS, lines, profiles, strict=True):
                found[Case(encoding, tier, work.title)] = Count(int(line.split()[1]), profile)
    return found


def facts() -> dict[str, Any]:
    return {
        "commit": first_line("git", "-C", places.ROOT, "describe", "--always", "--dirty"),
        "compiler": first_line(os.environ.get("CC", "cc"), "--version"),
        "flags": " ".join(works.FLAGS),
        "valgrind": callgrind.version(),
        "c library": " ".join(platform.libc_ver()),
    }


def record(known: dict[str, Any], counts: Counts) -> dict[str, Any]:
    """As JSON: facts, then counts by encoding, tier and work, of functions their own."""
    document: dict[str, Any] = {"facts": known, "counts": {}}
    for case, (n_bytes, profile) in counts.items():
        by_tier = document["counts"].setdefault(case.encoding, {})
        by_tier.setdefault(case.tier, {})[case.work] = {
            "bytes": n_bytes,
            "instructions": profile.total,
            "mispredicted": profile.mispredicted,
            "per byte": round(profile.total / n_bytes, 3),
            "functions": hot(profile),
        }
    return document


def hot(profile: Profile) -> dict[str, int]:
    """The functions that matter, by their own instructions, most first."""
    ranked = sorted(profile.own.items(), key=lambda item: (-item[1], item[0]))
    return {name: n for name, n in ranked if n >= HOT * profile.total}


def recorded(document: Mapping[str, Any]) -> Iterator[tuple[Case, dict[str, Any]]]:
    """The works of a record."""
    for encoding, by_tier in document["counts"].items():
        for tier, by_work in by_tier.items():
            for work, entry in by_work.items():
                yield Case(encoding, tier, work), entry


# ---- comparing -----------------------------------------------------------------------------


def changes(document: Mapping[str, Any], counts: Counts) -> tuple[list[str], list[str]]:
    """What is worse than in a record, and what is better: works as a whole and functions.

    A function that was not hot is not compared; the whole of the work tells of it.
    """
    worse, better = [], []
    for case, entry in recorded(document):
        if case not in counts:
            worse.append(f"{case}: is not counted any more")
            continue
        profile = counts[case].profile
        counted = {"all": (entry["instructions"], profile.total)}
        counted |= {name: (n, profile.own.get(name, 0)) for name, n in entry["functions"].items()}
        compared = [(name, *pair, pair[0] * LOSS) for name, pair in counted.items()]
        wrong = entry["mispredicted"]
        slack = max(wrong * BRANCH_LOSS, BRANCH_FEW)
        compared.append(("mispredicted branches", wrong, profile.mispredicted, slack))
        for name, before, now, slack in compared:
            change = f"{now / before - 1:+.1%}" if before else "new"
            line = f"{case}: {name}: {before:,} -> {now:,} ({change})"
            if now > before + slack:
                worse.append(line)
            elif now < before - slack:
                better.append(line)
    return worse, better


def other_basis(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Why the counts of a record and of now cannot be held against each other."""
    return [
        f"{name}: the record has {before.get(name)!r}, here it is {now[name]!r}"
        for name in BASIS
        if before.get(name) != now[name]
    ]


def check(known: dict[str, Any], counts: Counts) -> int:
    """Prints what changed. Returns the status to exit with: 1 where something got worse."""
    before = json.loads(RECORD.read_text(encoding="utf-8"))
    worse, better = changes(before, counts)
    for line in better:
        print(f"better: {line}")
    for line in worse:
        print(f"worse: {line}")
    differences = other_basis(before["facts"], known)
    for line in differences:
        print(f"not comparable: {line}")
    if differences:
        print(f"worse: {len(worse)}, but perhaps not because of the code: no verdict")
        return 0
    print(f"worse by more than {LOSS:.0%}: {len(worse)}; better: {len(better)}")
    return 1 if worse else 0


# ---- showing -------------------------------------------------------------------------------


def profile_text(counts: Counts) -> str:
    """Every work with its hot functions: their own share, and that with what they call."""
    lines = []
    for case, (n_bytes, profile) in counts.items():
        per_kb = number(1000 * profile.mispredicted / n_bytes)
        lines.append(
            f"\n{case}: {number(profile.total / n_bytes)} instructions per byte, "
            f"{per_kb} mispredicted branches per 1000 bytes"
        )
        for name, n in hot(profile).items():
            own, all_of_it = n / profile.total, profile.inclusive[name] / profile.total
            lines.append(f"{n / n_bytes:8.2f} {own:7.1%}, with callees {all_of_it:6.1%}  {name}")
    return "\n".join(lines)


def tables_of(document: Mapping[str, Any]) -> str:
    """The section of the README: works, and the functions of the better tier."""
    entries = dict(recorded(document))
    known = document["facts"]
    columns = [(encoding, tier) for encoding in SERVED for tier in works.TIERS]
    titles = [work.title for work in works.WORKS]
    names = [f"{encoding}, {tier}" for encoding, tier in columns]
    per_byte = [
        (title, *(number(entries[Case(*column, title)]["per byte"]) for column in columns))
        for title in titles
    ]
    branches = [
        (title, *(_mispredicted(entries[Case(*column, title)]) for column in columns))
        for title in titles
    ]
    return "\n\n".join(
        (
            f"Commit {known['commit']}; {known['compiler']}; `{known['flags']}`.",
            table(("instructions per byte", *names), per_byte),
            table(("mispredicted branches per 1000 bytes", *names), branches),
            *(_functions(entries, encoding, works.TIERS[-1]) for encoding in SERVED),
        )
    )


def _mispredicted(entry: Mapping[str, Any]) -> str:
    return number(1000 * entry["mispredicted"] / entry["bytes"])


def _functions(entries: Mapping[Case, dict[str, Any]], encoding: str, tier: str) -> str:
    """Where they are spent: functions down, encoding across."""
    shown = [work for work in works.WORKS if work.texts in works.CORPORA[:4]]
    shown = [work for work in shown if work.kind in ("cold", "warm")]
    columns = [entries[Case(encoding, tier, work.title)] for work in shown]
    most: dict[str, int] = {}
    for entry in columns:
        for name, n in entry["functions"].items():
            most[name] = max(n, most.get(name, 0))
    rows = [
        (f"`{name}`", *(_cell(entry, name) for entry in columns))
        for name in sorted(most, key=most.__getitem__, reverse=True)
    ]
    return table((f"{encoding}, {tier}", *(work.title for work in shown)), rows)


def _cell(entry: Mapping[str, Any], name: str) -> str:
    n = entry["functions"].get(name)
    return number(n / entry["bytes"] if n else None)


def section() -> str:
    """What bench/README.md has of the record."""
    if not RECORD.exists():
        return "There is no record yet."
    return tables_of(json.loads(RECORD.read_text(encoding="utf-8")))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.instructions", description=__doc__)
    asked = parser.add_mutually_exclusive_group()
    asked.add_argument(
        "--check", action="store_true", help=f"exit with 1 when a count is {LOSS:.0%} worse"
    )
    asked.add_argument("--accept", action="store_true", help="these are the counts to keep")
    options = parser.parse_args()
    if options.check and not RECORD.exists():
        sys.exit(f"no {RECORD.name} to compare with: --accept makes one")
    known = facts() | {"texts": works.prepare()}
    counts = measure()
    if options.check:
        return check(known, counts)
    if options.accept:
        document = json.dumps(record(known, counts), indent=1)
        RECORD.write_text(document + "\n", encoding="utf-8")
        text = README.read_text(encoding="utf-8")
        made = filled(text, lambda name: section() if name == SECTION else None)
        README.write_text(made, encoding="utf-8")
        print(f"accepted: {RECORD} and the table in {README.name}")
        return 0
    print(profile_text(counts))
    return 0


if __name__ == "__main__":
    sys.exit(main())
