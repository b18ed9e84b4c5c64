"""One call on one chat message of 20 to 500 bytes: median and 99th percentile, warm, to a list.

Every message is timed in several passes with new str objects and its median taken, so that the
percentiles say which messages are slow, not when the machine was busy. What reading the clock
costs is subtracted.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from time import perf_counter_ns
from typing import Any

from .. import corpora, peers
from ..harness import Job
from ..plan import Plan
from ..vocabularies import SERVED

PEERS = ("ctok", "tiktoken", "gigatoken", "fastokens", "tokenizers", "quicktok", "toktok")
PASSES = 7


def jobs(plan: Plan) -> list[Job]:
    encodings = ("cl100k_base",) if plan.quick else SERVED
    return plan.only_equal(
        Job("latency", peer, {"encoding": encoding, "corpus": "chat"})
        for encoding in encodings
        for peer in (PEERS if encoding == "cl100k_base" else ("ctok", "tiktoken", "toktok"))
    )


def sample(peer: str, encoding: str, corpus: str) -> Iterator[dict[str, Any]]:
    """Nanoseconds a call: of encode_ordinary, and of encode, which looks for specials."""
    loaded = peers.load(peer, encoding)
    texts = corpora.documents(corpus)
    found: dict[str, Any] = {"messages": len(texts)}
    calls = {"ordinary": loaded.encode_list, "checked": loaded.encode_checked}
    for name, call in calls.items():
        if call is not None:
            found[name] = _percentiles(call, texts)
    yield found


def _percentiles(call: Any, texts: list[str]) -> dict[str, float]:
    for text in corpora.fresh(texts):
        call(text)
    passes = []
    for _ in range(PASSES):
        taken = []
        for text in corpora.fresh(texts):
            start = perf_counter_ns()
            call(text)
            taken.append(perf_counter_ns() - start)
        passes.append(taken)
    clock = _clock_cost()
    by_message = sorted(statistics.median(times) - clock for times in zip(*passes, strict=True))
    return {
        "p50": by_message[len(by_message) // 2],
        "p99": by_message[len(by_message) * 99 // 100],
    }


def _clock_cost() -> float:
    taken = []
    for _ in range(2000):
        start = perf_counter_ns()
        taken.append(perf_counter_ns() - start)
    return statistics.median(taken)
