"""No network, no answer, no room: what is served and what is raised (E04, E37, E41, E47)."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ctok.hub import store
from ctok.hub.errors import (
    CacheWriteError,
    DiskFullError,
    EntryNotFoundError,
    HubConnectionError,
    HubHTTPError,
    LocalEntryNotFoundError,
    OfflineModeError,
    ReadOnlyCacheError,
    StaleFileWarning,
    UnreachableEntryError,
)
from ctok.hub.files import download
from ctok.hub.locks import file_lock
from hubclock import FakeClock, quick_client
from hubfiles import BIG, SMALL, add_repo, leftovers, no_sockets, places
from hubserver import HubServer, lfs


@pytest.fixture
def repo(hub: HubServer) -> Any:
    return add_repo(hub)


@pytest.mark.parametrize("value", ["1", "true", "YES", "on"])
@pytest.mark.parametrize("name", ["CTOK_OFFLINE", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"])
def test_e37_offline_serves_the_cache_and_opens_no_socket(
    hub: HubServer, repo: Any, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    path = download("org/name", "a.json")
    monkeypatch.setenv(name, value)
    no_sockets(monkeypatch)
    assert path == download("org/name", "a.json")
    with pytest.raises(OfflineModeError) as caught:
        download("org/name", "model.bin")
    assert isinstance(caught.value, LocalEntryNotFoundError | FileNotFoundError)
    assert isinstance(caught.value, ConnectionError)
    with pytest.raises(OfflineModeError):
        download("org/name", "a.json", force=True)


def faults(hub: HubServer) -> dict[str, Callable[[], object]]:
    return {
        "down": hub.close,
        "503": lambda: hub.inject(status=503),
        "429": lambda: hub.inject(status=429, headers={"Retry-After": "1"}),
        "reset": lambda: hub.inject(reset_after=-1),
    }


@pytest.mark.parametrize("fault", ["down", "503", "429", "reset"])
def test_e47_without_an_answer_the_older_copy_is_served_with_a_warning(
    hub: HubServer, repo: Any, fault: str
) -> None:
    path = download("org/name", "a.json")
    faults(hub)[fault]()
    fake = FakeClock()
    with pytest.warns(StaleFileWarning, match=repo.branches["main"][:12]):
        assert path == download("org/name", "a.json", client=quick_client(fake))
    # With a copy at hand nobody is kept waiting.
    assert [] == fake.sleeps


def test_e47_strict_refuses_the_older_copy(
    hub: HubServer, repo: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    download("org/name", "a.json")
    hub.close()
    monkeypatch.setenv("CTOK_STRICT", "1")
    with pytest.raises(UnreachableEntryError):
        download("org/name", "a.json", client=quick_client())


@pytest.mark.parametrize("status", [401, 403, 404])
def test_e47_a_refusal_is_no_reason_for_the_older_copy(
    hub: HubServer, repo: Any, status: int
) -> None:
    download("org/name", "a.json")
    hub.inject(status=status)
    with pytest.raises(HubHTTPError):
        download("org/name", "a.json", client=quick_client())


def test_e47_a_body_that_fails_keeps_the_good_copy(hub: HubServer, repo: Any) -> None:
    path = download("org/name", "a.json")
    repo.commit({"a.json": b"[2]"})
    hub.inject("*/a.json", method="GET", status=500)
    with pytest.raises(HubHTTPError):
        download("org/name", "a.json", client=quick_client())
    hub.close()
    with pytest.warns(StaleFileWarning):
        assert path == download("org/name", "a.json", client=quick_client())


def test_e41_cached_data_is_served_while_the_circuit_is_open(hub: HubServer, repo: Any) -> None:
    from ctok.hub.retry import Breakers

    path = download("org/name", "a.json")
    hub.inject(status=500)
    client = quick_client(breakers=Breakers(threshold=1))
    for _ in range(2):
        with pytest.warns(StaleFileWarning):
            assert path == download("org/name", "a.json", client=client)
    assert 3 == hub.hits()  # HEAD and GET at first, then one HEAD that opened the circuit


def test_without_an_answer_and_a_copy_the_error_is_both_kinds(hub: HubServer) -> None:
    hub.close()
    with pytest.raises(UnreachableEntryError) as caught:
        download("org/name", "a.json", client=quick_client())
    assert isinstance(caught.value, ConnectionError)
    assert isinstance(caught.value, FileNotFoundError)
    assert isinstance(caught.value, EntryNotFoundError)
    assert (14, "org/name", "a.json") == (
        caught.value.exit_code,
        caught.value.repo_id,
        caught.value.filename,
    )
    assert isinstance(caught.value.__cause__, HubConnectionError)


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.ENOSPC, DiskFullError),
        (errno.EDQUOT, DiskFullError),
        (errno.EROFS, ReadOnlyCacheError),
        (errno.EACCES, ReadOnlyCacheError),
        (errno.EIO, CacheWriteError),
    ],
)
def test_a_disk_that_refuses_is_a_typed_error_and_loses_nothing(
    hub: HubServer,
    repo: Any,
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    expected: type[Exception],
) -> None:
    old = download("org/name", "a.json")

    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(expected) as caught:
        download("org/name", "model.bin")
    monkeypatch.undo()
    assert number == caught.value.errno  # type: ignore[attr-defined]
    assert [] == leftovers(cache)
    assert SMALL == old.read_bytes()


def test_e04_a_rename_that_fails_is_success_where_the_whole_file_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary, target = tmp_path / "t", tmp_path / "target"
    temporary.write_bytes(b"same")
    target.write_bytes(b"same")

    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, "in use")

    monkeypatch.setattr(Path, "replace", refuse)
    store.publish(temporary, target)
    assert not temporary.exists()
    temporary.write_bytes(b"other one")
    with pytest.raises(PermissionError):
        store.publish(temporary, target)


def test_ctrl_c_leaves_whole_files_and_no_lock(hub: HubServer, repo: Any, cache: Path) -> None:
    def stop(done: int, total: int | None) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download("org/name", "model.bin", progress=stop)
    assert not list((cache / "models--org--name").glob("snapshots/*/*"))
    with file_lock(places(cache).lock(lfs(BIG).sha256), timeout=0) as held:
        assert held


def test_e04_the_file_is_flushed_before_its_rename_and_the_folder_after(
    hub: HubServer, repo: Any, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def spy_fsync(descriptor: int) -> None:
        order.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        fsync(descriptor)

    def spy_replace(self: Path, target: Path) -> Path:
        if target.parent.name == "blobs":
            order.append("rename")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", spy_fsync)
    monkeypatch.setattr(Path, "replace", spy_replace)
    download("org/name", "a.json")
    assert ["file", "rename", "folder"] == order


def test_a_filesystem_that_cannot_flush_folders_is_usable(
    hub: HubServer, repo: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    fsync = os.fsync

    def refuse(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "Invalid argument")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", refuse)
    assert SMALL == download("org/name", "a.json").read_bytes()
