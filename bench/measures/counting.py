"""``count`` against the array path, and ``truncate`` against encoding what it keeps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .. import clock, corpora, peers
from ..harness import Job, medians
from ..plan import Plan

LIMITS = (100, 10_000)
N_UNTIMED, N_TIMED = 2, 9
"""Passes over the same texts, arrays and counts in turn. Each of those timed takes 1 to 2 ms: the
median of them counts."""


def jobs(plan: Plan) -> list[Job]:
    return plan.only_equal(
        Job("counting", peer, {"encoding": "cl100k_base", "corpus": "english"})
        for peer in ("ctok", "quicktok", "toktok")
    )


def sample(peer: str, encoding: str, corpus: str) -> Iterator[dict[str, Any]]:
    loaded = peers.load(peer, encoding)
    texts = corpora.documents(corpus, 1_000_000)
    found: dict[str, Any] = {"bytes": sum(len(text.encode()) for text in texts)}
    calls = {"array": loaded.encode_array, "count": loaded.count}
    passes = [
        {what: clock.each(call, corpora.fresh(texts)) for what, call in calls.items()}
        for _ in range(N_UNTIMED + N_TIMED)
    ]
    found |= medians(passes[N_UNTIMED:])
    if peer == "ctok":
        whole = "".join(corpora.documents(corpora.MIXED))
        for limit in LIMITS:
            kept = loaded.encoding.truncate(whole, limit).text
            times = 50_000 // limit
            found[f"truncate {limit}"] = _best(
                lambda n=limit: loaded.encoding.truncate(whole, n), times
            )
            found[f"encode {limit}"] = _best(lambda text=kept: loaded.encode_array(text), times)
    yield found


def _best(call: Any, times: int) -> float:
    """Seconds of one call, of so many one after the other: to read the clock takes as long as some
    hundred ids."""

    def calls() -> None:
        for _ in range(times):
            call()

    return min(clock.once(calls)["cpu"] for _ in range(20)) / times
