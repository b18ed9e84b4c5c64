"""What is to be measured: the peers that are there, what of them is equal, and how much of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from .harness import Job
from .peers import TIERS

Unequal = dict[tuple[str, str], dict[str, str]]
"""(peer, encoding) -> corpus -> what differs; "*" stands for every corpus."""


@dataclass(frozen=True)
class Plan:
    """Attributes:
    peers: those installed, ctok first and tiktoken second.
    best_cpu: the tier that plain "ctok" runs on.
    quick: a look in seconds, on less text and fewer cases; nothing to publish.
    unequal: what must not be timed.
    """

    peers: tuple[str, ...]
    best_cpu: str
    quick: bool = False
    unequal: Unequal = field(default_factory=dict)

    @property
    def max_bytes(self) -> int:
        """How much of a corpus is encoded in one pass."""
        return 300_000 if self.quick else 2_000_000

    @property
    def tiers(self) -> tuple[str, ...]:
        """ctok held to the lesser vector codes of this machine."""
        order = ("avx512", *TIERS)
        lesser = order[order.index(self.best_cpu) + 1 :] if self.best_cpu in order else ()
        return tuple(f"ctok:{tier}" for tier in lesser)

    def equal(self, peer: str, encoding: str, corpus: str | None = None) -> bool:
        """Whether a peer may be timed. Without a corpus: whether it is equal on all of them."""
        found = self.unequal.get((peer.partition(":")[0], encoding), {})
        return not found if corpus is None else not found.keys() & {corpus, "*"}

    def only_equal(self, jobs: Iterable[Job]) -> list[Job]:
        """Without the jobs of peers that are not there or not equal."""
        kept = []
        for job in jobs:
            encoding, corpus = job.args.get("encoding"), job.args.get("corpus")
            there = job.peer.partition(":")[0] in self.peers
            if there and (encoding is None or self.equal(job.peer, encoding, corpus)):
                kept.append(job)
        return kept
