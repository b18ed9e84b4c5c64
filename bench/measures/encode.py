"""Encoding documents of 4 to 10 KB, and chat messages: cold and warm, to lists and to arrays.

Cold is the first pass of a process over distinct documents; warm is a second pass over the same
texts in new str objects.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from .. import clock, corpora, peers
from ..harness import Job, medians
from ..plan import Plan
from ..vocabularies import SERVED

FOUR = ("english", "code", "multilingual", "cjk")
FOREIGN = ("multilingual", "cjk")
EXACT = ("ctok", "tiktoken", "gigatoken", "toktok")
FAMILY = ("ctok", "tiktoken", "gigatoken")

# Who is asked for what. cl100k and o200k carry the targets; the slow ones, to load or to run, are
# asked where they matter, so that a run takes minutes.
CASES = (
    ("cl100k_base", corpora.TIMED, EXACT),
    ("cl100k_base", FOUR, ("fastokens", "quicktok")),
    ("cl100k_base", ("english",), ("tokenizers",)),
    ("o200k_base", corpora.TIMED, EXACT),
    ("o200k_base", FOREIGN, ("fastokens",)),
    ("gpt2", corpora.TIMED, FAMILY),
    ("llama3", corpora.TIMED, FAMILY),
    ("qwen2", corpora.TIMED, FAMILY),
)
QUICK = (
    ("cl100k_base", ("english", "cjk"), (*EXACT, "fastokens")),
    ("o200k_base", ("english",), EXACT),
)
TIER_ROUNDS = 3
"""Of ctok's lesser vector codes, on which no target hangs."""
TURNS = 9
"""Warm passes to arrays and to lists that one process of ctok makes in turn, for their ratio."""


def corpora_of(encoding: str) -> dict[str, list[str]]:
    """Who is timed on an encoding, and on what."""
    found: dict[str, list[str]] = {}
    for name, names, asked in CASES:
        for peer in asked if name == encoding else ():
            found.setdefault(peer, []).extend(names)
    return found


def jobs(plan: Plan) -> list[Job]:
    # Corpus by corpus, so that those who are compared run one after the other.
    cases = sorted(
        (SERVED.index(encoding) if encoding in SERVED else len(SERVED), encoding, corpus, peer)
        for encoding, names, asked in (QUICK if plan.quick else CASES)
        for corpus in names
        for peer in asked
    )
    found = []
    for _, encoding, corpus, peer in cases:
        found.append(_job(plan, peer, encoding, corpus, "array"))
        if encoding in SERVED and peer == "ctok":  # its lists are timed cold as well
            found.append(_job(plan, peer, encoding, corpus, "list"))
        if peer == "ctok" and not plan.quick:
            found += [
                replace(_job(plan, tier, encoding, corpus, "array"), most_rounds=TIER_ROUNDS)
                for tier in plan.tiers
            ]
    return plan.only_equal(found)


def _job(plan: Plan, peer: str, encoding: str, corpus: str, first: str) -> Job:
    arguments = {"encoding": encoding, "corpus": corpus, "first": first}
    return Job("encode", peer, arguments | {"max_bytes": plan.max_bytes})


def sample(
    peer: str, encoding: str, corpus: str, first: str, max_bytes: int
) -> Iterator[dict[str, Any]]:
    """Seconds cold and warm in the output asked for `first`, or the only one there is; after arrays
    then warm to lists, after a pass to lists that is not timed; of ctok also both in turn."""
    loaded = peers.load(peer, encoding)
    calls = {"array": loaded.encode_array, "list": loaded.encode_list}
    if calls[first] is None or peer == "tiktoken":
        first = "list"  # of tiktoken the usual output is the yardstick
    other = "list" if first == "array" else "array"
    texts = corpora.documents(corpus, max_bytes)
    found: dict[str, Any] = {"bytes": sum(len(text.encode()) for text in texts)}
    # One short text, so that what is set up on a first call is not counted as cold text.
    calls[first]("hello")
    found[first] = {
        state: clock.each(calls[first], corpora.fresh(texts)) for state in ("cold", "warm")
    }
    if first == "array" and calls[other] is not None:
        clock.each(calls[other], corpora.fresh(texts))
        found[other] = {"warm": clock.each(calls[other], corpora.fresh(texts))}
    if first == "array" and peer == "ctok":
        found["turns"] = medians(
            {output: clock.each(call, corpora.fresh(texts)) for output, call in calls.items()}
            for _ in range(TURNS)
        )
    yield found
