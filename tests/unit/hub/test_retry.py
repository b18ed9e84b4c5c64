"""When to ask again, by a clock that the test owns (E40, E41)."""

from __future__ import annotations

import threading

import pytest

from ctok.hub.errors import CircuitOpenError
from ctok.hub.retry import Breakers, RetryPolicy, asked_wait
from hubclock import FakeClock


def test_e40_pauses_are_one_two_four_seconds() -> None:
    policy, clock = RetryPolicy(), FakeClock().clock
    assert [1.0, 2.0, 4.0] == [policy.pause(n, clock) for n in (1, 2, 3)]


def test_e40_jitter_adds_up_to_a_quarter() -> None:
    assert 1.25 == RetryPolicy().pause(1, FakeClock(chance=1.0).clock)


def test_pauses_end_growing() -> None:
    assert 8.0 == RetryPolicy().pause(10_000, FakeClock().clock)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "Mon, 12 Jan 1970 13:46:45 GMT"}, 5.0),
        ({"Retry-After": "Thu, 01 Jan 1970 00:00:00 GMT"}, 0.0),
        ({"Retry-After": "nonsense"}, None),
        ({"RateLimit": '"api";r=0;t=55'}, 55.0),
        ({"RateLimit": '"api";r=3;t=55'}, None),
        ({"RateLimit": '"resolvers";t=9;r=0'}, 9.0),
        ({"Retry-After": "7", "RateLimit": '"api";r=0;t=55'}, 7.0),
    ],
)
def test_e40_what_the_server_asks_for(headers: dict[str, str], expected: float | None) -> None:
    assert expected == asked_wait(headers, FakeClock(at=1_000_000.0).clock)


def test_e41_a_circuit_opens_after_k_failures_and_lets_one_probe_through() -> None:
    fake = FakeClock()
    breakers = Breakers(threshold=3, rest=30)
    for _ in range(3):
        breakers.check("host", fake.clock)
        breakers.failed("host", fake.clock)
    with pytest.raises(CircuitOpenError) as caught:
        breakers.check("host", fake.clock)
    assert ("host", 30.0) == (caught.value.host, caught.value.retry_after)
    fake.at += 30
    breakers.check("host", fake.clock)
    with pytest.raises(CircuitOpenError):
        breakers.check("host", fake.clock)


def test_e41_a_failed_probe_opens_the_circuit_again_and_a_good_one_closes_it() -> None:
    fake = FakeClock()
    breakers = Breakers(threshold=1, rest=30)
    breakers.failed("host", fake.clock)
    fake.at += 30
    breakers.check("host", fake.clock)
    breakers.failed("host", fake.clock)
    with pytest.raises(CircuitOpenError):
        breakers.check("host", fake.clock)
    fake.at += 30
    breakers.check("host", fake.clock)
    breakers.succeeded("host")
    breakers.check("host", fake.clock)
    breakers.check("host", fake.clock)


def test_e41_hosts_do_not_share_a_circuit() -> None:
    fake = FakeClock()
    breakers = Breakers(threshold=1)
    breakers.failed("a", fake.clock)
    breakers.check("b", fake.clock)


def test_e41_a_success_forgets_earlier_failures() -> None:
    fake = FakeClock()
    breakers = Breakers(threshold=2)
    for _ in range(5):
        breakers.failed("host", fake.clock)
        breakers.succeeded("host")
    breakers.check("host", fake.clock)


def test_e41_a_probe_that_was_interrupted_lets_the_next_one_through() -> None:
    fake = FakeClock()
    breakers = Breakers(threshold=1, rest=30)
    breakers.failed("host", fake.clock)
    fake.at += 30
    breakers.check("host", fake.clock)
    breakers.abandoned("host")
    breakers.check("host", fake.clock)


def test_e41_of_many_threads_one_sends_the_probe() -> None:
    fake = FakeClock()
    breakers = Breakers(threshold=1, rest=30)
    breakers.failed("host", fake.clock)
    fake.at += 31
    passed = []
    start = threading.Barrier(8)

    def probe() -> None:
        start.wait()
        try:
            breakers.check("host", fake.clock)
        except CircuitOpenError:
            return
        passed.append(1)

    threads = [threading.Thread(target=probe) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [1] == passed
