"""What the cache holds (E30, E31)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from ctok.hub import (
    KNOWN_ABSENT,
    cache_path,
    download,
    is_cached,
    scan_cache,
    snapshot_download,
    try_to_load_from_cache,
)
from ctok.hub.errors import CacheNotFoundError, HubValidationError, RemoteEntryNotFoundError
from hubfiles import BIG, SMALL, add_repo, no_sockets
from hubserver import HubServer


@pytest.fixture
def repo(hub: HubServer) -> Any:
    return add_repo(hub)


def everything(root: Path) -> dict[str, int]:
    return {str(each): each.lstat().st_mtime_ns for each in root.rglob("*")}


def test_e30_a_cached_file_is_found_by_branch_and_by_commit(hub: HubServer, repo: Any) -> None:
    path = download("org/name", "a.json")
    assert path == try_to_load_from_cache("org/name", "a.json")
    assert path == try_to_load_from_cache("org/name", "a.json", revision=repo.branches["main"])
    assert is_cached("org/name", "a.json")


def test_e30_nothing_is_known_about_other_files_and_repositories(hub: HubServer, repo: Any) -> None:
    download("org/name", "a.json")
    assert try_to_load_from_cache("org/name", "model.bin") is None
    assert try_to_load_from_cache("org/name", "a.json", revision="v1") is None
    assert try_to_load_from_cache("org/name", "a.json", repo_type="dataset") is None
    assert try_to_load_from_cache("org/other", "a.json") is None
    assert not is_cached("org/other", "a.json")


def test_e30_a_file_that_the_hub_denied_is_known_to_be_absent(hub: HubServer, repo: Any) -> None:
    commit = repo.branches["main"]
    with pytest.raises(RemoteEntryNotFoundError):
        download("org/name", "none", revision=commit)
    assert KNOWN_ABSENT is try_to_load_from_cache("org/name", "none", revision=commit)
    assert not KNOWN_ABSENT
    assert not is_cached("org/name", "none", revision=commit)


def test_e30_looking_needs_no_network_and_changes_nothing(
    hub: HubServer, repo: Any, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    download("org/name", "a.json")
    before = everything(cache)
    no_sockets(monkeypatch)
    try_to_load_from_cache("org/name", "a.json")
    try_to_load_from_cache("org/name", "other")
    scan_cache()
    assert before == everything(cache)


def test_e30_another_cache_dir_is_looked_at(hub: HubServer, repo: Any, tmp_path: Path) -> None:
    path = download("org/name", "a.json", cache_dir=tmp_path / "c")
    assert try_to_load_from_cache("org/name", "a.json") is None
    assert path == try_to_load_from_cache("org/name", "a.json", cache_dir=tmp_path / "c")


def test_e30_climbing_names_are_refused() -> None:
    with pytest.raises(HubValidationError):
        try_to_load_from_cache("org/name", "../x")


def test_e30_where_things_lie(hub: HubServer, repo: Any, cache: Path) -> None:
    assert cache / "models--org--name" == cache_path("org/name")
    with pytest.raises(CacheNotFoundError):
        cache_path("org/name", "a.json")
    assert download("org/name", "a.json") == cache_path("org/name", "a.json")


def test_e31_the_numbers_are_those_of_the_disk(hub: HubServer, repo: Any, cache: Path) -> None:
    hub.add_repo("org/data", {"x.csv": b"1,2"}, kind="dataset")
    download("org/name", "a.json")
    download("org/name", "model.bin")
    download("org/data", "x.csv", repo_type="dataset")
    repo.commit({"a.json": b"[2]"})
    download("org/name", "a.json")
    download("org/name", "model.bin")
    info = scan_cache()
    blobs = [each for each in cache.glob("*/blobs/*") if each.is_file()]
    assert (len(blobs), 4) == (info.files, len(blobs))
    assert sum(each.stat().st_size for each in blobs) == info.size
    assert [("dataset", "org/data"), ("model", "org/name")] == [(r.kind, r.id) for r in info.repos]
    model = info.repos[1]
    assert {len(BIG) + len(SMALL), len(BIG) + 3} == {each.size for each in model.revisions}
    assert [("main",), ()] == sorted((each.refs for each in model.revisions), reverse=True)
    assert () == info.warnings


def test_e31_last_use_is_ctoks_own_note(hub: HubServer, repo: Any, clean_environment: Path) -> None:
    download("org/name", "a.json")
    stamps = [
        each for each in (clean_environment / "cache/ctok/access").rglob("*") if each.is_file()
    ]
    assert 1 == len(stamps)
    os.utime(stamps[0], (5000, 5000))
    assert 5000 == scan_cache().last_used
    download("org/name", "a.json", offline=True)
    assert 5000 < scan_cache().last_used


def test_e31_unfinished_downloads_count_and_are_no_files(
    hub: HubServer, repo: Any, cache: Path
) -> None:
    download("org/name", "a.json")
    (cache / "models--org--name/blobs/abc.01234567.incomplete").write_bytes(b"x" * 50)
    info = scan_cache()
    assert (1, len(SMALL) + 50, 50) == (info.files, info.size, info.repos[0].partial_size)


def test_e31_damage_is_reported_and_does_not_stop_the_scan(
    hub: HubServer, repo: Any, cache: Path
) -> None:
    path = download("org/name", "a.json")
    download("org/name", "model.bin")
    path.resolve().unlink()
    (cache / "models--org--name/refs/gone").write_text("0" * 40)
    (cache / "models--org--name/snapshots/no-commit").mkdir()
    info = scan_cache()
    assert 3 == len(info.warnings)
    assert all("ctok cache verify" in each.suggestions()[0] for each in info.warnings)
    assert 1 == info.files


def test_e31_what_is_not_a_repository_is_passed_over(
    hub: HubServer, repo: Any, cache: Path, tmp_path: Path
) -> None:
    download("org/name", "a.json")
    (cache / "blobs/ab").mkdir(parents=True)
    (cache / "CACHEDIR.TAG").touch()
    (tmp_path / "elsewhere").mkdir()
    (cache / "models--x--y").symlink_to(tmp_path / "elsewhere")
    assert ["org/name"] == [each.id for each in scan_cache().repos]


def test_e31_an_empty_cache_and_none(cache: Path) -> None:
    with pytest.raises(CacheNotFoundError) as caught:
        scan_cache()
    assert str(cache) == caught.value.path
    cache.mkdir(parents=True)
    info = scan_cache()
    assert (0, 0, 0.0, ()) == (info.size, info.files, info.last_used, info.repos)


def test_a_cache_that_is_reached_through_a_link_keeps_its_notes(
    hub: HubServer, repo: Any, cache: Path, tmp_path: Path
) -> None:
    download("org/name", "a.json")
    (tmp_path / "alias").symlink_to(cache)
    assert scan_cache().last_used == scan_cache(tmp_path / "alias").last_used


def test_a_snapshot_of_nothing_is_a_revision_without_files(hub: HubServer, repo: Any) -> None:
    snapshot_download("org/name", allow_patterns=[])
    revision = scan_cache().repos[0].revisions[0]
    assert (0, 0) == (len(revision.files), revision.size)
