"""Throughput by the length of the text, from 10 bytes to 10 MB: what the plot shows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .. import clock, corpora, peers
from ..harness import Job
from ..plan import Plan

PEERS = ("ctok", "tiktoken", "gigatoken", "fastokens", "tokenizers", "quicktok", "toktok")
SIZES = tuple(10**n for n in range(1, 8))
PASS_BYTES = 400_000
PASS_CALLS = 4_000
TOO_LONG = 0.3


def jobs(plan: Plan) -> list[Job]:
    largest = 100_000 if plan.quick else SIZES[-1]
    return plan.only_equal(
        Job(
            "sizes",
            peer,
            {"encoding": "cl100k_base", "corpus": corpora.MIXED, "largest": largest},
            most_rounds=3,
        )
        for peer in PEERS
    )


def sample(peer: str, encoding: str, corpus: str, largest: int) -> Iterator[dict[str, Any]]:
    """MB/s of processor time for each length and output; the second of two passes.

    Short texts are stretches of the whole, evenly spread. Once a peer needs more than TOO_LONG
    for one text it is asked for no longer one.
    """
    loaded = peers.load(peer, encoding)
    calls = {"list": loaded.encode_list, "array": loaded.encode_array}
    whole = "".join(corpora.documents(corpus))
    found: dict[str, Any] = {output: {} for output, call in calls.items() if call is not None}
    for output in found:
        for size in SIZES:
            if size > largest:
                break
            texts = _stretches(whole, size)
            n_bytes = sum(len(text.encode()) for text in texts)
            for _ in range(2):
                seconds = clock.each(calls[output], corpora.fresh(texts))["cpu"]
            found[output][str(size)] = n_bytes / seconds / 1e6
            if seconds / len(texts) > TOO_LONG:
                break
    yield found


def _stretches(whole: str, size: int) -> list[str]:
    n = max(1, min(PASS_CALLS, PASS_BYTES // size))
    step = (len(whole) - size) // n if n > 1 else 0
    return [whole[i * step : i * step + size] for i in range(n)]
