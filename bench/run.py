"""Measures: python -m bench.run [--quick] [--rounds N] [--only encode,load] [--out FILE]

Equality first: what differs from tiktoken is told and not timed. Then each measure in turn, all
its peers interleaved. Writes one JSON file, which ``python -m bench.report`` turns into tables.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

from . import convert, corpora, equivalence, facts, harness, places, vocabularies
from .harness import Job
from .plan import Plan

MEASURES = (
    "encode",
    "long",
    "batch",
    "latency",
    "decode",
    "counting",
    "load",
    "imports",
    "worst",
    "splitting",
    "sizes",
)
ROUNDS = 5
OUT = Path(places.WORK) / "results.json"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.run", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a look, on little text, one round")
    parser.add_argument("--rounds", type=int, help=f"samples of each figure (default {ROUNDS})")
    parser.add_argument("--only", default="", help="measures, with commas: " + ", ".join(MEASURES))
    parser.add_argument("--out", type=Path, default=OUT, help=f"default {OUT}")
    return parser.parse_args()


def prepare() -> None:
    """Texts and vocabularies, in the forms that the peers read; and one load, to warm the disk."""
    corpora.prepare()
    convert.prepare()
    for encoding in vocabularies.SERVED:
        harness.work(Job("load", "ctok", {"encoding": encoding}))


def measure(name: str, plan: Plan, rounds: int) -> list[dict[str, Any]]:
    jobs = import_module(f"bench.measures.{name}").jobs(plan)
    print(f"{name}:", flush=True)
    return [result.record() for result in harness.run(jobs, rounds)]


def main() -> int:
    options = arguments()
    rounds = options.rounds or (1 if options.quick else ROUNDS)
    wanted = [name for name in options.only.split(",") if name] or list(MEASURES)
    unknown = set(wanted) - set(MEASURES)
    if unknown:
        sys.exit(f"no measure {', '.join(unknown)}: {', '.join(MEASURES)}")
    started = time.perf_counter()
    known = facts.gather()
    plan = Plan(tuple(known["versions"]), known["vector code"], options.quick)
    prepare()
    print("equivalence:", flush=True)
    equal = equivalence.compare(plan.peers, quick=options.quick)
    if not equivalence.ours_are_equal(equal):
        sys.exit("ctok is not equal to the reference: nothing is timed")
    plan = Plan(plan.peers, plan.best_cpu, options.quick, equivalence.unequal(equal))
    rows = [row for name in wanted for row in measure(name, plan, rounds)]
    minutes = (time.perf_counter() - started) / 60
    options.out.parent.mkdir(parents=True, exist_ok=True)
    document = {
        "facts": known
        | {
            "rounds": rounds,
            "minutes": round(minutes, 1),
            "whole": not options.quick and set(wanted) == set(MEASURES),
        },
        "equivalence": equal,
        "rows": rows,
    }
    options.out.write_text(json.dumps(document, indent=1), encoding="utf-8")
    print(f"{options.out}: {len(rows)} rows in {minutes:.1f} minutes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
