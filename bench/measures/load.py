"""From an imported package to the first ids, what that adds to memory, and what encoding adds."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from time import perf_counter, process_time
from typing import Any

from .. import clock, peers
from ..harness import Job
from ..plan import Plan
from ..vocabularies import SERVED

PEERS = ("ctok", "tiktoken", "gigatoken", "fastokens", "tokenizers", "quicktok", "toktok")
BRIEF = ("ctok", "tiktoken", "gigatoken", "toktok")
"""Those asked for o200k as well."""
CACHED = ("english", "multilingual")
CACHED_BYTES = 1_000_000
"""What is encoded to see what caches keep: this much of each."""


def jobs(plan: Plan) -> list[Job]:
    encodings = ("cl100k_base",) if plan.quick else SERVED
    found = []
    for encoding in encodings:
        arguments = {"encoding": encoding}
        found.append(Job("load", "ctok", arguments, fresh_cache=True))
        found += [
            Job("load", peer, arguments) for peer in (PEERS if encoding == "cl100k_base" else BRIEF)
        ]
        found.append(Job("load", "ctok", arguments | {"shared": True}))
    return plan.only_equal(found)


def sample(peer: str, encoding: str, shared: bool = False) -> Iterator[dict[str, Any]]:
    """Seconds from the imported package to the first ids; bytes of memory that this added, that
    encoding 2 MB added then (to arrays, where the peer has them), and the same to lists after that.

    With `shared`, while another process holds the same encoding.
    """
    holder = _hold(peer, encoding) if shared else None
    try:
        __import__(peer)
        before = clock.memory()
        start, cpu = perf_counter(), process_time()
        loaded = peers.load(peer, encoding)
        n_ids = len(loaded.encode_list("hello world"))
        found: dict[str, Any] = {
            "load": {"cpu": process_time() - cpu, "wall": perf_counter() - start},
            "n_ids": n_ids,
        }
        after = clock.memory()
        found["memory"] = {name: after[name] - before[name] for name in after}
        yield found
        from .. import corpora

        texts = [text for name in CACHED for text in corpora.documents(name, CACHED_BYTES)]
        encode_array = loaded.encode_array or loaded.encode_list
        encode_array("hello world")  # imports numpy
        for what, call in ("caches", encode_array), ("ints", loaded.encode_list):
            before = clock.memory()
            for text in texts:
                call(text)
            found[what] = clock.memory()["private"] - before["private"]
        found["with_ints"] = found["memory"]["rss"] + found["ints"]
        found["encoding"] = found["caches"] + found["ints"]
        yield found
    finally:
        if holder is not None:
            holder.communicate("done\n")


def _hold(peer: str, encoding: str) -> subprocess.Popen[str]:
    """Another process that has the encoding loaded and waits."""
    code = (
        f"from bench import peers; p = peers.load({peer!r}, {encoding!r}); "
        "p.encode_list('hello world'); print('ready', flush=True); input()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    holder.stdout.readline()
    return holder
