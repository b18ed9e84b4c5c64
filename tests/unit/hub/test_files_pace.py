"""Progress, many callers and limits (E05, E39, E45)."""

from __future__ import annotations

import itertools
import threading
from typing import Any

import pytest

from ctok.hub.errors import (
    RepositoryNotFoundError,
)
from ctok.hub.files import download, resolve_file
from ctok.hub.retry import RetryPolicy
from hubclock import FakeClock, quick_client
from hubfiles import BIG, SMALL, add_repo
from hubserver import HubServer, lfs


@pytest.fixture
def repo(hub: HubServer) -> Any:
    return add_repo(hub)


def test_e39_progress_grows_and_ends_with_the_size(hub: HubServer, repo: Any) -> None:
    seen: list[tuple[int, int | None]] = []
    download("org/name", "model.bin", progress=lambda done, total: seen.append((done, total)))
    done = [each for each, _ in seen]
    assert sorted(set(done)) == done
    assert (len(BIG), len(BIG)) == seen[-1]
    assert {len(BIG)} == {total for _, total in seen}


def test_e39_progress_never_shrinks_when_the_transfer_begins_again(
    hub: HubServer, repo: Any
) -> None:
    hub.inject("/repos/*", reset_after=500_000, times=1)
    hub.inject("/repos/*", ignore_range=True)
    done: list[int] = []
    download(
        "org/name",
        "model.bin",
        client=quick_client(),
        progress=lambda now, total: done.append(now),
    )
    assert sorted(set(done)) == done
    assert len(BIG) == done[-1]


def test_e39_without_a_length_the_total_is_none_until_the_end(hub: HubServer, repo: Any) -> None:
    hub.inject("*/a.json", content_length="")
    seen: list[tuple[int, int | None]] = []
    download("org/name", "a.json", progress=lambda done, total: seen.append((done, total)))
    assert len(SMALL) == seen[-1][0]
    assert None is seen[0][1]


def test_e39_progress_of_an_empty_file_ends_at_zero(hub: HubServer) -> None:
    hub.add_repo("org/empty", {"e": b""})
    seen: list[tuple[int, int | None]] = []
    download("org/empty", "e", progress=lambda done, total: seen.append((done, total)))
    assert [(0, 0)] == seen


def test_e39_a_callback_that_raises_does_not_break_the_download(hub: HubServer, repo: Any) -> None:
    calls = []

    def broken(done: int, total: int | None) -> None:
        calls.append(done)
        raise ValueError("a bug in the caller's bar")

    assert BIG == download("org/name", "model.bin", progress=broken).read_bytes()
    assert 1 == len(calls)


def test_e39_a_cached_file_reports_nothing(hub: HubServer, repo: Any) -> None:
    download("org/name", "a.json")
    calls: list[int] = []
    download("org/name", "a.json", progress=lambda done, total: calls.append(done))
    assert [] == calls


def test_e05_sixteen_threads_cause_one_download(hub: HubServer, repo: Any) -> None:
    hub.inject("/repos/*", chunk=100_000, pause=0.02)
    results: list[bytes] = []
    start = threading.Barrier(16)

    def fetch() -> None:
        start.wait()
        results.append(download("org/name", "model.bin").read_bytes())

    threads = [threading.Thread(target=fetch) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [BIG] * 16 == results
    assert 1 == hub.hits(method="GET")


def test_e45_a_rate_limit_slows_the_transfer(hub: HubServer, repo: Any) -> None:
    fake = FakeClock()
    download("org/name", "model.bin", rate_limit=100_000, client=quick_client(fake))
    assert len(BIG) / 100_000 == pytest.approx(sum(fake.sleeps), rel=0.1)


def test_e45_chunks_are_as_small_as_asked(hub: HubServer, repo: Any) -> None:
    done: list[int] = []
    download("org/name", "model.bin", chunk_size=1000, progress=lambda now, total: done.append(now))
    steps = [after - before for before, after in itertools.pairwise(done)]
    assert 1000 >= max(steps)


def test_e45_the_process_receives_four_files_at_one_time(hub: HubServer) -> None:
    hub.add_repo("org/many", {f"{n}.bin": lfs(bytes([n]) * 1000) for n in range(10)})
    hub.inject("/repos/*", delay=0.1)
    threads = [threading.Thread(target=download, args=("org/many", f"{n}.bin")) for n in range(10)]
    for thread in threads:
        thread.start()
    peak = 0
    while any(thread.is_alive() for thread in threads):
        with hub._lock:
            running = sum(1 for each in hub.log if each.origin == "cdn" and each.status == 0)
        peak = max(peak, running)
        threads[0].join(0.005)
    for thread in threads:
        thread.join()
    assert 1 <= peak <= 4


def test_e01_resolve_file_returns_what_is_cached_without_asking(hub: HubServer, repo: Any) -> None:
    first = resolve_file("org/name", "main", "a.json")
    hub.forget()
    assert first == resolve_file("org/name", "main", "a.json")
    assert [] == hub.log


def test_e07_resolve_file_waits_120_seconds_by_default(
    hub: HubServer, repo: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import requests

    seen = []
    real = requests.Session.request

    def spy(self: Any, *args: Any, **kwargs: Any) -> Any:
        seen.append(kwargs["timeout"])
        assert kwargs.get("verify") is None
        return real(self, *args, **kwargs)

    monkeypatch.setattr(requests.Session, "request", spy)
    resolve_file("org/name", "main", "a.json")
    assert {(120.0, 120.0)} == set(seen)
    seen.clear()
    download("org/name", "model.bin")
    assert {(10.0, 10.0)} == set(seen)


def test_a_repository_that_is_none_is_named(hub: HubServer) -> None:
    with pytest.raises(RepositoryNotFoundError, match="org/none"):
        download("org/none", "a.json", client=quick_client(retry=RetryPolicy(retries=0)))
