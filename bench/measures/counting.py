"""``count`` against the array path, and ``truncate`` against encoding what it keeps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .. import clock, corpora, peers
from ..harness import Job
from ..plan import Plan

LIMITS = (100, 10_000)


def jobs(plan: Plan) -> list[Job]:
    return plan.only_equal(
        Job("counting", peer, {"encoding": "cl100k_base", "corpus": "english"})
        for peer in ("ctok", "quicktok", "toktok")
    )


def sample(peer: str, encoding: str, corpus: str) -> Iterator[dict[str, Any]]:
    loaded = peers.load(peer, encoding)
    texts = corpora.documents(corpus, 1_000_000)
    found: dict[str, Any] = {"bytes": sum(len(text.encode()) for text in texts)}
    for _ in range(3):  # the last pass counts
        found["array"] = clock.each(loaded.encode_array, corpora.fresh(texts))
        found["count"] = clock.each(loaded.count, corpora.fresh(texts))
    if peer == "ctok":
        whole = "".join(corpora.documents(corpora.MIXED))
        for limit in LIMITS:
            kept = loaded.encoding.truncate(whole, limit).text
            found[f"truncate {limit}"] = _best(lambda n=limit: loaded.encoding.truncate(whole, n))
            found[f"encode {limit}"] = _best(lambda text=kept: loaded.encode_array(text))
    yield found


def _best(call: Any) -> float:
    return min(clock.once(call)["cpu"] for _ in range(20))
