"""Decoding documents: uint32 array to bytes, list to bytes, list to str; and a stream of ids."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .. import clock, corpora, peers
from ..harness import Job
from ..plan import Plan

PEERS = ("ctok", "tiktoken", "gigatoken", "fastokens", "quicktok", "toktok")
MAX_BYTES = 1_000_000
STREAM_IDS = 20_000
STREAMED_BEFORE = 1_000_000


def jobs(plan: Plan) -> list[Job]:
    cases = [("cl100k_base", "english", PEERS), ("o200k_base", "english", PEERS[:2])]
    cases += [("cl100k_base", "code", PEERS[:2]), ("cl100k_base", "multilingual", PEERS[:2])]
    return plan.only_equal(
        Job("decode", peer, {"encoding": encoding, "corpus": corpus, "max_bytes": MAX_BYTES})
        for encoding, corpus, asked in cases[: 1 if plan.quick else None]
        for peer in asked
    )


def sample(peer: str, encoding: str, corpus: str, max_bytes: int) -> Iterator[dict[str, Any]]:
    """Seconds for each form that the peer has, the second of two passes; for ctok also the
    nanoseconds of one id in a stream, at its beginning and after a million."""
    import numpy as np

    loaded = peers.load(peer, encoding)
    texts = corpora.documents(corpus, max_bytes)
    lists = [list(loaded.encode_list(text)) for text in texts]
    arrays = [np.array(ids, dtype=np.uint32) for ids in lists]
    found: dict[str, Any] = {"bytes": sum(len(text.encode()) for text in texts)}
    forms = {
        "array to bytes": (loaded.array_to_bytes, arrays),
        "list to bytes": (loaded.list_to_bytes, lists),
        "list to str": (loaded.list_to_str, lists),
    }
    for name, (call, ids) in forms.items():
        if call is not None:
            for _ in range(2):
                found[name] = clock.each(call, ids)
    if peer == "ctok":
        found["stream"] = _stream(loaded.encoding, [i for ids in lists for i in ids])
    yield found


def _stream(encoding: Any, ids: list[int]) -> dict[str, float]:
    stream = encoding.decode_stream()
    some = (ids * (STREAM_IDS // len(ids) + 1))[:STREAM_IDS]
    first = clock.each(stream.push, some)["cpu"]
    for _ in range(STREAMED_BEFORE // STREAM_IDS):
        clock.each(stream.push, some)
    last = clock.each(stream.push, some)["cpu"]
    return {"first_ns": first / STREAM_IDS * 1e9, "last_ns": last / STREAM_IDS * 1e9}
