"""Bytes without a file (E26)."""

from __future__ import annotations

import hashlib
import mmap
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ctok.hub import download, download_stream
from ctok.hub.errors import (
    ChecksumError,
    LocalEntryNotFoundError,
    OfflineModeError,
    RemoteEntryNotFoundError,
    TruncatedError,
)
from hubclock import quick_client
from hubfiles import BIG, SMALL, add_repo
from hubserver import HubServer, lfs


@pytest.fixture
def repo(hub: HubServer) -> Any:
    return add_repo(hub)


def test_e26_chunks_are_bounded_and_make_up_the_file(
    hub: HubServer, repo: Any, cache: Path
) -> None:
    with download_stream("org/name", "model.bin", chunk_size=100_000) as stream:
        assert (len(BIG), repo.branches["main"]) == (stream.size, stream.commit)
        chunks = list(stream)
    assert BIG == b"".join(chunks)
    assert 100_000 == max(map(len, chunks))
    assert not (cache / "models--org--name/blobs").exists()


def test_e26_a_404_is_raised_at_the_call(hub: HubServer, repo: Any) -> None:
    with pytest.raises(RemoteEntryNotFoundError):
        download_stream("org/name", "none")
    hub.inject("*/a.json", method="GET", status=404)
    with pytest.raises(RemoteEntryNotFoundError):
        download_stream("org/name", "a.json")


def test_e26_a_broken_stream_goes_on(hub: HubServer, repo: Any) -> None:
    hub.inject("/repos/*", reset_after=300_000, times=1)
    with download_stream("org/name", "model.bin", client=quick_client()) as stream:
        assert BIG == b"".join(stream)


def test_e26_a_broken_stream_that_must_begin_again_repeats_nothing(
    hub: HubServer, repo: Any
) -> None:
    hub.inject("/repos/*", reset_after=300_000, times=1)
    hub.inject("/repos/*", ignore_range=True)
    with download_stream("org/name", "model.bin", client=quick_client()) as stream:
        assert BIG == b"".join(stream)


def test_e26_without_a_checksum_a_stream_cannot_begin_again(hub: HubServer, repo: Any) -> None:
    hub.inject("*/model.bin", headers={"X-Linked-Etag": '"just-a-name"'})
    hub.inject("/repos/*", reset_after=300_000, times=1)
    hub.inject("/repos/*", ignore_range=True)
    stream = download_stream("org/name", "model.bin", client=quick_client(), chunk_size=100_000)
    with stream, pytest.raises(TruncatedError, match="begin again"):
        list(stream)


def test_e26_a_stream_that_ends_early_raises(hub: HubServer, repo: Any) -> None:
    hub.inject("/repos/*", truncate_to=300_000, ignore_range=True)
    with (
        pytest.raises((TruncatedError, ConnectionError)),
        download_stream("org/name", "model.bin", client=quick_client()) as stream,
    ):
        list(stream)


@pytest.mark.parametrize("name", ["a.json", "model.bin"])
def test_e26_other_bytes_raise_at_the_end(hub: HubServer, repo: Any, name: str) -> None:
    size = len(SMALL if name == "a.json" else BIG)
    hub.inject(f"*/{name}", method="GET", status=200, body=b"x" * size)
    hub.inject("/repos/*", status=200, body=b"x" * size)
    with download_stream("org/name", name) as stream, pytest.raises(ChecksumError):
        list(stream)


def test_e26_what_is_cached_is_streamed_without_a_request(hub: HubServer, repo: Any) -> None:
    path = download("org/name", "a.json")
    hub.forget()
    with download_stream("org/name", "a.json", offline=True) as stream:
        assert SMALL == b"".join(stream)
    with download_stream(path.parent, "a.json") as stream:
        assert SMALL == b"".join(stream)
    assert [] == hub.log
    with pytest.raises(OfflineModeError):
        download_stream("org/name", "model.bin", offline=True)
    with pytest.raises(LocalEntryNotFoundError):
        download_stream("org/name", "model.bin", local_files_only=True)


def test_e22_an_expected_checksum_ends_the_stream(hub: HubServer, repo: Any) -> None:
    right = hashlib.sha256(SMALL).hexdigest()
    with download_stream("org/name", "a.json", expected_sha256=right) as stream:
        assert SMALL == b"".join(stream)
    stream = download_stream("org/name", "a.json", expected_sha256="0" * 64)
    with stream, pytest.raises(ChecksumError):
        list(stream)


def test_an_empty_file_streams_nothing(hub: HubServer) -> None:
    hub.add_repo("org/empty", {"e": b""})
    with download_stream("org/empty", "e") as stream:
        assert [] == list(stream)


def test_a_stream_that_is_dropped_half_way_closes_its_connection(hub: HubServer, repo: Any) -> None:
    hub.inject("/repos/*", chunk=10_000, pause=0.01)
    stream = download_stream("org/name", "model.bin", chunk_size=10_000)
    next(stream)
    stream.close()
    stream.close()
    with pytest.raises(StopIteration):
        next(stream)


# Not ru_maxrss: a child inherits that of the process that started it.
MEASURE = """
import pathlib, re
from ctok.hub import download_stream
def peak():
    return re.search(r"VmHWM:\\s*(\\d+)", pathlib.Path("/proc/self/status").read_text())[1]
with download_stream("org/name", "huge.bin") as stream:
    first = len(next(stream))
    before = peak()
    size = first + sum(map(len, stream))
print(size, before, peak())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(
    "mib", [64, pytest.param(1024, marks=pytest.mark.slow)], ids=["64MiB", "1GiB"]
)
def test_e26_memory_does_not_grow_with_the_file(hub: HubServer, tmp_path: Path, mib: int) -> None:
    with (tmp_path / "huge").open("w+b") as file:
        file.truncate(mib << 20)
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            hub.add_repo("org/name", {"huge.bin": lfs(data)})
            result = subprocess.run(
                [sys.executable, "-c", MEASURE], capture_output=True, check=True, env=os.environ
            )
            hub.objects.clear()
            hub.repos.clear()
    size, before, after = map(int, result.stdout.split())
    assert mib << 20 == size
    assert 10_000 > after - before
    assert 50_000 > after
