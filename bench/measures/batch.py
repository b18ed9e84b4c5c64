"""Batches: 5 MB of documents on one thread and on two, and small ones that threads could slow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .. import clock, corpora, peers
from ..harness import Job, medians
from ..plan import Plan
from . import processors

PEERS = ("ctok", "tiktoken", "gigatoken", "fastokens", "toktok", "quicktok", "tokenizers")
SMALL_BYTES = (1_000, 10_000, 100_000, 400_000)
REPEATS = 40


def jobs(plan: Plan) -> list[Job]:
    size = 500_000 if plan.quick else 5_000_000
    peers_asked = PEERS[:3] if plan.quick else PEERS
    found = [
        Job(
            "batch",
            peer,
            {"encoding": "cl100k_base", "corpus": "mixed", "size": size, "threads": threads},
            cpus=2,
            most_rounds=3 if peer == "tokenizers" else None,
        )
        for peer in peers_asked
        for threads in (1, 2)
    ]
    return [*plan.only_equal(found), processors.job()]


def sample(
    peer: str, encoding: str, corpus: str, size: int, threads: int
) -> Iterator[dict[str, Any]]:
    """Wall seconds of the first call and of one with new str objects; of a second one to lists; for
    ctok also the medians of many small batches, on one thread and on more in turn."""
    loaded = peers.load(peer, encoding)
    # Imports that a first call makes (numpy, awkward) are not the batch's; its threads are.
    loaded.encode_batch(["hello"], 1)
    texts = corpora.documents(corpus, size)
    found: dict[str, Any] = {"bytes": sum(len(text.encode()) for text in texts)}
    for state in ("first", "second"):
        found[state] = clock.once(loaded.encode_batch, corpora.fresh(texts), threads)
    for _ in range(2 if loaded.encode_batch_lists else 0):
        found["lists"] = clock.once(loaded.encode_batch_lists, corpora.fresh(texts), threads)
    yield found
    if peer == "ctok" and threads > 1:
        found["small"] = {}
        for n_bytes in SMALL_BYTES:
            few = corpora.documents(corpus, n_bytes) if n_bytes > 10_000 else [texts[0][:n_bytes]]
            found["small"][str(n_bytes)] = medians(
                {
                    "one thread": clock.once(loaded.encode_batch, few, 1)["wall"],
                    "threads": clock.once(loaded.encode_batch, few, threads)["wall"],
                }
                for _ in range(REPEATS)
            )
        yield found
