"""Single pieces of 1 MB and 2 MB: speed, how time grows when the input doubles, and memory."""

from __future__ import annotations

import base64
import random
import re
import string
from collections.abc import Iterator
from typing import Any

from .. import clock, corpora, peers
from ..harness import Job
from ..plan import Plan

PEERS = ("ctok", "tiktoken", "gigatoken", "quicktok", "toktok", "fastokens")
SIZE = 1_000_000
REPEATED = ("one letter", "blanks", "equals signs", "newlines", "CR LF")
"""Those of one repeated character (or pair)."""
GIVE_UP = 4.0


def texts(size: int) -> dict[str, str]:
    """A text of about `size` bytes of every kind."""
    draw = random.Random(0)
    ideographs = re.sub("[^\u4e00-\u9fff]", "", "".join(corpora.documents("cjk")))
    n_ideographs = size // 3
    return {
        "one letter": "a" * size,
        "blanks": " " * size,
        "equals signs": "=" * size,
        "newlines": "\n" * size,
        "CR LF": "\r\n" * (size // 2),
        "random letters": "".join(draw.choices(string.ascii_lowercase, k=size)),
        "base64": base64.b64encode(draw.randbytes(size * 3 // 4)).decode(),
        "CJK without blanks": (ideographs * (n_ideographs // len(ideographs) + 1))[:n_ideographs],
    }


def jobs(plan: Plan) -> list[Job]:
    size = SIZE // 10 if plan.quick else SIZE
    return plan.only_equal(
        Job(
            "worst",
            peer,
            {"encoding": encoding, "size": size},
            most_rounds=None if peer == "ctok" else 3,
            timeout=25,
        )
        for encoding, asked in (("cl100k_base", PEERS), ("o200k_base", ("ctok",)))
        for peer in asked
        if not (plan.quick and encoding == "o200k_base")
    )


def sample(peer: str, encoding: str, size: int) -> Iterator[dict[str, Any]]:
    """Seconds at `size`; for ctok also at twice that, and the peak memory of both. A peer that
    takes more than GIVE_UP seconds for one kind is asked for no more."""
    loaded = peers.load(peer, encoding)
    small, large = texts(size), texts(2 * size)
    loaded.encode_list("hello")
    found: dict[str, Any] = {}
    for kind, text in small.items():
        found[kind] = {"bytes": len(text.encode())}
        found[kind]["seconds"], found[kind]["memory"] = _measure(loaded, text)
        if peer == "ctok":
            found[kind]["seconds at twice"], found[kind]["memory at twice"] = _measure(
                loaded, large[kind]
            )
        yield found
        if found[kind]["seconds"] > GIVE_UP:
            return


def _measure(loaded: peers.Loaded, text: str) -> tuple[float, int]:
    before = clock.memory()["rss"]
    clock.reset_peak()
    seconds = clock.once(loaded.encode_list, text)["cpu"]
    return seconds, clock.peak() - before
