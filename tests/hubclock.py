"""Time and chance that a test owns: a clock whose sleeps take none, and a client that uses it."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

from ctok.hub.http import Client
from ctok.hub.retry import Breakers, Clock


@dataclass
class FakeClock:
    """Moves only when slept on. ``sleeps`` lists for how long."""

    at: float = 1_000_000.0
    chance: float = 0.0
    sleeps: list[float] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.sleeps.append(seconds)
            self.at += seconds

    @property
    def clock(self) -> Clock:
        return Clock(lambda: self.at, lambda: self.at, self.sleep, lambda: self.chance)


def quick_client(fake: FakeClock | None = None, **options: Any) -> Client:
    """A client that never really waits, with circuit breakers of its own."""
    options.setdefault("breakers", Breakers(threshold=1000))
    return Client(clock=(fake or FakeClock()).clock, **options)
