"""One string of 10 MB against the same text in documents of 4 to 10 KB; one thread and two."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .. import clock, corpora, peers
from ..harness import Job, medians
from ..plan import Plan
from ..vocabularies import SERVED
from . import processors

PEERS = ("ctok", "tiktoken", "gigatoken", "toktok")
TURNS = 9
"""Warm passes over the string and over the documents that one process of ctok makes in turn."""


def jobs(plan: Plan) -> list[Job]:
    size = 1_000_000 if plan.quick else corpora.MIXED_BYTES
    found = []
    for encoding in ("cl100k_base",) if plan.quick else SERVED:
        arguments = {"encoding": encoding, "corpus": corpora.MIXED, "size": size}
        found.append(Job("long", "ctok", arguments | {"shape": "documents"}))
        found += [
            Job("long", peer, arguments | {"shape": "one string"})
            for peer in (PEERS if encoding == "cl100k_base" else PEERS[:1])
        ]
        for threads in (1, 2):
            shape = {"shape": "batch of one", "threads": threads}
            found.append(Job("long", "ctok", arguments | shape, cpus=2))
    return [*plan.only_equal(found), processors.job()]


def sample(
    peer: str, encoding: str, corpus: str, size: int, shape: str, threads: int = 1
) -> Iterator[dict[str, Any]]:
    """Seconds cold and warm, to an array where the peer has one; of ctok's one string the medians
    of it and the documents in turn as well."""
    loaded = peers.load(peer, encoding)
    call = loaded.encode_array or loaded.encode_list
    documents = corpora.documents(corpus, size)
    found: dict[str, Any] = {"bytes": sum(len(text.encode()) for text in documents)}
    texts = documents if shape == "documents" else ["".join(documents)]
    call("hello")
    for state in ("cold", "warm"):
        texts = corpora.fresh(texts)
        if shape == "batch of one":
            found[state] = clock.once(loaded.encode_batch, texts, threads)
        else:
            found[state] = clock.each(call, texts)
    if peer == "ctok" and shape == "one string":
        found["turns"] = medians(
            {
                "documents": clock.each(call, corpora.fresh(documents)),
                "one string": clock.each(call, corpora.fresh(texts)),
            }
            for _ in range(TURNS)
        )
    yield found
