"""When to ask again: how long to wait, how often, and when to leave a host alone.

A host's circuit breaker::

    closed --- k failures in a row ---> open --- t seconds ---> half-open
      ^                                  ^                          | one probe goes out
      |                                  +------- it failed --------+
      +------------------------ it succeeded ----------------------+

Failures are those that say the host is unwell: no connection, no answer in time, 5xx. A 404
or a refused token is an answer. Time and chance come in through ``Clock``, so that tests own
both.
"""

from __future__ import annotations

import email.utils
import os
import random
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ctok.hub.errors import CircuitOpenError

RETRIED = frozenset({408, 429, 500, 502, 503, 504})


@dataclass(frozen=True)
class Clock:
    """Where time and chance come from.

    Attributes:
        now: seconds since 1970.
        monotonic: seconds that never run backwards.
        sleep: waits.
        chance: a random number from 0 to 1.
    """

    now: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random


@dataclass(frozen=True)
class RetryPolicy:
    """How often and after which pauses a request is sent again.

    Attributes:
        retries: further tries after the first.
        base: seconds before the first of them; each later pause is twice as long.
        longest: the longest of these pauses.
        jitter: up to this share of a pause is added by chance, so that many clients that
            failed together do not come back together.
        patience: the longest wait that a server may ask for; above it the error is raised.
    """

    retries: int = 3
    base: float = 1.0
    longest: float = 8.0
    jitter: float = 0.25
    patience: float = 300.0

    def pause(self, failed: int, clock: Clock) -> float:
        """Seconds to wait after so many failed tries (1 or more).

        Example:
            >>> [RetryPolicy().pause(n, Clock(chance=lambda: 0.0)) for n in (1, 2, 3, 9)]
            [1.0, 2.0, 4.0, 8.0]
        """
        # 60 doublings exceed any pause; more would overflow.
        pause = min(self.base * 2.0 ** min(failed - 1, 60), self.longest)
        return float(pause * (1.0 + self.jitter * clock.chance()))


def asked_wait(headers: Mapping[str, str], clock: Clock) -> float | None:
    """Seconds that the server asks to wait, or None where it does not say.

    ``Retry-After`` (seconds or a date) wins; else ``RateLimit`` (``"name";r=<left>;t=<seconds>``)
    where nothing is left.

    Example:
        >>> asked_wait({"RateLimit": '"api";r=0;t=55'}, Clock())
        55.0
    """
    after = headers.get("Retry-After", "").strip()
    if after.isdigit():
        return float(after)
    if after:
        try:
            date = email.utils.parsedate_to_datetime(after)
        except ValueError:
            pass
        else:
            return max(0.0, date.timestamp() - clock.now())
    limits = headers.get("RateLimit", "")
    left, seconds = re.search(r"\br=(\d+)", limits), re.search(r"\bt=(\d+)", limits)
    if left and seconds and int(left[1]) == 0:
        return float(seconds[1])
    return None


@dataclass
class _Circuit:
    failures: int = 0
    open_until: float | None = None
    probing: bool = False


@dataclass
class Breakers:
    """The circuit breakers of all hosts that were asked. Safe to share between threads.

    Attributes:
        threshold: failures in a row that open a circuit.
        rest: seconds before a probe is let through.
    """

    threshold: int = 5
    rest: float = 30.0
    _circuits: dict[str, _Circuit] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def check(self, host: str, clock: Clock) -> None:
        """Lets a request pass, or says why not.

        Raises:
            CircuitOpenError: the host failed lately, and it is not yet time for a probe or
                another request is the probe.
        """
        with self._lock:
            circuit = self._circuits.get(host)
            if circuit is None or circuit.open_until is None:
                return
            wait = circuit.open_until - clock.monotonic()
            if wait <= 0 and not circuit.probing:
                circuit.probing = True
                return
            failures = circuit.failures
        raise CircuitOpenError(
            f"{host} failed {failures} times in a row and is left alone for another "
            f"{max(wait, 0):.0f} s",
            url=host,
            host=host,
            retry_after=max(wait, 0.0),
        )

    def succeeded(self, host: str) -> None:
        """The host answered."""
        with self._lock:
            self._circuits.pop(host, None)

    def failed(self, host: str, clock: Clock) -> None:
        """The host gave no answer, or said that it is unwell."""
        with self._lock:
            circuit = self._circuits.setdefault(host, _Circuit())
            circuit.failures += 1
            circuit.probing = False
            if circuit.failures >= self.threshold:
                circuit.open_until = clock.monotonic() + self.rest

    def abandoned(self, host: str) -> None:
        """The request ended without a verdict (it was interrupted): another may probe."""
        with self._lock:
            if host in self._circuits:
                self._circuits[host].probing = False

    def reset(self) -> None:
        """Forgets every failure."""
        with self._lock:
            self._circuits.clear()

    def renew_lock(self) -> None:
        """For a forked child: whoever held the lock did not come along."""
        self._lock = threading.Lock()


BREAKERS = Breakers()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=BREAKERS.renew_lock)
