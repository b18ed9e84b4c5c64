"""Reading parts of a remote file: few bytes, few requests, never two versions in one."""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Iterator, Mapping

import pytest
import requests

from ctok.hub.errors import TruncatedError
from ctok.hub.http import Client
from ctok.hub.ranged import FIRST_WINDOW, RangedFile, RangeError
from ctok.hub.retry import Clock
from hubserver import HubServer, Repo, lfs

BIG = random.Random(7).randbytes(3 << 20)
Ask = Callable[[Mapping[str, str]], requests.Response]


@pytest.fixture
def repo(hub: HubServer) -> Repo:
    return hub.add_repo("org/name", {"big": lfs(BIG), "small": b"tiny", "empty": b""})


@pytest.fixture
def ask(hub: HubServer, repo: Repo) -> Iterator[Callable[[str], Ask]]:
    with Client(clock=Clock(sleep=lambda _: None)) as client:

        def of(path: str) -> Ask:
            target = f"/org/name/resolve/main/{path}"
            return lambda headers: client.request("GET", target, headers=headers, stream=True)

        yield of


def test_a_header_costs_one_window(hub: HubServer, ask: Callable[[str], Ask]) -> None:
    file = RangedFile(ask("big"), "big")
    assert BIG[:1000] == io.BufferedReader(file).read(1000)
    assert len(BIG) == file.size
    assert FIRST_WINDOW == sum(seen.sent for seen in hub.matching(origin="cdn"))


def test_reading_on_takes_fewer_and_larger_windows(ask: Callable[[str], Ask]) -> None:
    file = RangedFile(ask("big"), "big")
    assert BIG == io.BufferedReader(file).read()
    # 64 KiB doubling to 3 MiB, with nothing fetched twice.
    assert 6 == file.requests


def test_random_seeks_read_what_is_there(ask: Callable[[str], Ask]) -> None:
    draw = random.Random(3)
    with io.BufferedReader(RangedFile(ask("big"), "big")) as file:
        for _ in range(40):
            at, length = draw.randrange(len(BIG) + 10), draw.randrange(200_000)
            assert at == file.seek(at)
            assert BIG[at : at + length] == file.read(length)
        assert len(BIG) - 5 == file.seek(-5, io.SEEK_END)
        assert BIG[-5:] == file.read()
        with pytest.raises(ValueError, match="cannot seek"):
            file.seek(-1)


def test_small_and_empty_files_need_no_ranges(hub: HubServer, ask: Callable[[str], Ask]) -> None:
    assert b"" == io.BufferedReader(RangedFile(ask("empty"), "empty")).read()
    hub.inject("*/small", ignore_range=True)
    file = RangedFile(ask("small"), "small")
    assert b"tiny" == io.BufferedReader(file).read()
    file.seek(1)
    assert b"iny" == file.read()
    assert 1 == file.requests


def test_a_server_without_ranges_is_left_at_once(hub: HubServer, ask: Callable[[str], Ask]) -> None:
    hub.inject("*", origin="cdn", ignore_range=True, chunk=4096, pause=0.01)
    with pytest.raises(RangeError, match="whole file") as caught:
        RangedFile(ask("big"), "big")
    assert isinstance(caught.value, io.UnsupportedOperation)
    assert "ctok fetch" in caught.value.suggestions()[0]
    assert hub.matching(origin="cdn")[0].sent < 1 << 20


def test_two_versions_are_never_joined(
    hub: HubServer, repo: Repo, ask: Callable[[str], Ask]
) -> None:
    file = RangedFile(ask("big"), "big")
    repo.commit({"big": lfs(BIG[::-1])})
    file.seek(1 << 20)
    with pytest.raises(RangeError, match="changed"):
        file.read(10)


@pytest.mark.parametrize(
    "fault", [{"truncate_to": 1000}, {"reset_after": 1000}, {"reset_after": -1}]
)
def test_a_broken_window_is_asked_for_again(
    hub: HubServer, ask: Callable[[str], Ask], fault: dict[str, int]
) -> None:
    hub.inject("*", origin="cdn", times=2, **fault)
    assert BIG[:10] == RangedFile(ask("big"), "big").read(10)
    assert 3 == hub.hits(origin="cdn")


def test_a_window_that_stays_broken_is_an_error(hub: HubServer, ask: Callable[[str], Ask]) -> None:
    hub.inject("*", origin="cdn", truncate_to=1000)
    with pytest.raises(TruncatedError, match="1000 bytes arrived in place of 65536"):
        RangedFile(ask("big"), "big")


def test_a_range_that_was_not_asked_for_is_refused(
    hub: HubServer, ask: Callable[[str], Ask]
) -> None:
    hub.inject("*", origin="cdn", headers={"Content-Range": "bytes 5-9/100"}, status=206, body=b"x")
    with pytest.raises(RangeError, match="answered with 'bytes 5-9/100'"):
        RangedFile(ask("big"), "big")
