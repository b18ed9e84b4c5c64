"""Downloads into a folder of the user's choice (E15)."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from ctok.hub.errors import HubValidationError, LocalEntryNotFoundError, UnreachableEntryError
from ctok.hub.files import download
from hubclock import quick_client
from hubfiles import BIG, SMALL, add_repo
from hubserver import HubServer


@pytest.fixture
def repo(hub: HubServer) -> Any:
    return add_repo(hub)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "here"


def test_the_file_is_plain_and_the_cache_stays_empty(
    hub: HubServer, repo: Any, folder: Path, cache: Path
) -> None:
    path = download("org/name", "d/e.txt", local_dir=folder)
    assert (folder / "d/e.txt", b"deep", False) == (path, path.read_bytes(), path.is_symlink())
    assert not cache.exists()


def test_a_file_that_is_right_is_not_downloaded_again(
    hub: HubServer, repo: Any, folder: Path
) -> None:
    download("org/name", "model.bin", local_dir=folder)
    hub.forget()
    download("org/name", "model.bin", local_dir=folder)
    assert (1, 0) == (hub.hits(method="HEAD"), hub.hits(method="GET"))
    hub.forget()
    download("org/name", "model.bin", local_dir=folder, revision=repo.branches["main"])
    assert [] == hub.log


def test_a_right_file_without_note_is_recognised_by_its_checksum(
    hub: HubServer, repo: Any, folder: Path
) -> None:
    folder.mkdir()
    (folder / "model.bin").write_bytes(BIG)
    (folder / "a.json").write_bytes(SMALL)
    for name in ("model.bin", "a.json"):
        download("org/name", name, local_dir=folder)
    assert 0 == hub.hits(method="GET")


def test_a_file_that_was_changed_is_replaced(hub: HubServer, repo: Any, folder: Path) -> None:
    path = download("org/name", "a.json", local_dir=folder)
    path.write_bytes(b"[edited]")
    later = time.time() + 100
    os.utime(path, (later, later))
    assert SMALL == download("org/name", "a.json", local_dir=folder).read_bytes()


def test_a_new_commit_replaces_the_file(hub: HubServer, repo: Any, folder: Path) -> None:
    download("org/name", "a.json", local_dir=folder)
    repo.commit({"a.json": b"[2]"})
    assert b"[2]" == download("org/name", "a.json", local_dir=folder).read_bytes()


def test_bytes_that_are_cached_are_copied(hub: HubServer, repo: Any, folder: Path) -> None:
    download("org/name", "model.bin")
    hub.forget()
    assert BIG == download("org/name", "model.bin", local_dir=folder).read_bytes()
    assert 0 == hub.hits(method="GET")


def test_cached_bytes_that_are_damaged_are_not_copied(
    hub: HubServer, repo: Any, folder: Path
) -> None:
    download("org/name", "model.bin").resolve().write_bytes(b"x" * len(BIG))
    assert BIG == download("org/name", "model.bin", local_dir=folder).read_bytes()


def test_offline_and_local_only_take_what_is_there(hub: HubServer, repo: Any, folder: Path) -> None:
    with pytest.raises(LocalEntryNotFoundError):
        download("org/name", "a.json", local_dir=folder, local_files_only=True)
    path = download("org/name", "a.json", local_dir=folder)
    hub.forget()
    for how in ({"offline": True}, {"local_files_only": True}, {"prefer_cache": True}):
        assert path == download("org/name", "a.json", local_dir=folder, **how)  # type: ignore[arg-type]
    assert [] == hub.log


def test_without_an_answer_what_is_there_is_kept(hub: HubServer, repo: Any, folder: Path) -> None:
    path = download("org/name", "a.json", local_dir=folder)
    hub.close()
    with pytest.warns(UserWarning, match="outdated"):
        assert path == download("org/name", "a.json", local_dir=folder, client=quick_client())
    with pytest.raises(UnreachableEntryError):
        download("org/name", "model.bin", local_dir=folder, client=quick_client())


def test_force_downloads_again(hub: HubServer, repo: Any, folder: Path) -> None:
    for _ in range(2):
        download("org/name", "a.json", local_dir=folder, force=True)
    assert 2 == hub.hits(method="GET")


def test_e03_a_folder_that_is_a_link_is_not_written_through(
    hub: HubServer, repo: Any, folder: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    folder.mkdir()
    (folder / "d").symlink_to(outside)
    with pytest.raises(HubValidationError, match="through a link"):
        download("org/name", "d/e.txt", local_dir=folder)
    assert [] == list(outside.iterdir())


def test_dry_run_knows_the_folder(hub: HubServer, repo: Any, folder: Path) -> None:
    plan = download("org/name", "a.json", local_dir=folder, dry_run=True)
    assert (folder / "a.json", True) == (plan.local_path, plan.will_download)
    assert not folder.exists()
    download("org/name", "a.json", local_dir=folder)
    assert not download("org/name", "a.json", local_dir=folder, dry_run=True).will_download
