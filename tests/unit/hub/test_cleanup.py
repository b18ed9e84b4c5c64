"""Making room, and never too much of it (E32, E34)."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from ctok.hub import (
    clear_cache,
    delete_revisions,
    download,
    evict,
    is_cached,
    remove_partial_downloads,
    scan_cache,
    try_to_load_from_cache,
)
from ctok.hub.errors import CacheInUseError, CacheNotFoundError, HubValidationError
from ctok.hub.locks import file_lock
from ctok.hub.paths import Places, RepoId
from ctok.hub.stamps import stamp_path
from hubserver import HubServer, git_blob_id

KB = 1000


@pytest.fixture
def three(hub: HubServer, cache: Path) -> dict[str, str]:
    """Three repositories of 1 kB, used at 1000, 2000 and 3000 s; name -> commit."""
    commits = {}
    for at, name in enumerate(("org/old", "org/mid", "org/new"), start=1):
        repo = hub.add_repo(name, {"f": name.encode() * (KB // 7) + b"." * (KB - 7 * (KB // 7))})
        download(name, "f")
        commits[name] = repo.branches["main"]
        used(cache, name, commits[name], at * 1000)
    return commits


def used(cache: Path, name: str, commit: str, at: float) -> None:
    os.utime(stamp_path(Places(cache, RepoId(name)), commit), (at, at))


def there(*names: str) -> list[bool]:
    return [is_cached(name, "f") for name in names]


def test_e32_nothing_is_evicted_while_there_is_room(three: dict[str, str]) -> None:
    deleted = evict()
    assert ((), 0) == (deleted.commits, deleted.freed)
    assert [True] * 3 == there(*three)


def test_e32_nothing_is_evicted_from_an_empty_cache(cache: Path) -> None:
    cache.mkdir(parents=True)
    assert () == evict(0).commits


def test_e32_the_oldest_goes_first_until_the_rest_fits(three: dict[str, str]) -> None:
    deleted = evict(2 * KB)
    assert ((("org/old", three["org/old"]),), KB) == (deleted.commits, deleted.freed)
    assert [False, True, True] == there(*three)
    assert 2 * KB == scan_cache().size


def test_e32_a_use_moves_a_commit_to_the_end_of_the_queue(three: dict[str, str]) -> None:
    download("org/old", "f", offline=True)
    evict(KB)
    assert [True, False, False] == there(*three)


def test_e32_what_is_too_old_goes_even_if_there_is_room(three: dict[str, str]) -> None:
    deleted = evict(None, max_age=1500, now=3600)
    assert [name for name, _ in deleted.commits] == ["org/old", "org/mid"]
    assert [False, False, True] == there(*three)


def test_e32_everything_goes_for_a_size_of_zero_and_no_ref_dangles(
    three: dict[str, str], cache: Path
) -> None:
    assert 3 * KB == evict(0).freed
    assert [] == list(cache.glob("models--*"))
    assert (0, ()) == (scan_cache().size, scan_cache().warnings)


def test_e32_a_dry_run_deletes_nothing(three: dict[str, str]) -> None:
    assert 3 * KB == evict(0, dry_run=True).freed
    assert [True] * 3 == there(*three)


def test_e32_a_repository_that_is_being_downloaded_into_is_kept(
    three: dict[str, str], cache: Path
) -> None:
    lock = Places(cache, RepoId("org/old")).lock("0" * 40)
    with file_lock(lock):
        deleted = evict(0)
        assert ("org/old",) == deleted.kept_in_use
        assert [True, False, False] == there(*three)
    blobs = Places(cache, RepoId("org/old")).blobs
    (blobs / "abc.01234567.incomplete").write_bytes(b"x")
    assert ("org/old",) == evict(0).kept_in_use
    assert ("org/old",) == evict(0, now=time.time() + 30).kept_in_use
    assert 1 == len(evict(0, now=time.time() + 120).commits)


def test_e32_a_blob_that_another_commit_needs_stays(hub: HubServer, cache: Path) -> None:
    repo = hub.add_repo("org/name", {"shared": b"s" * KB, "f": b"1"})
    first = repo.branches["main"]
    download("org/name", "shared")
    download("org/name", "f")
    second = repo.commit({"f": b"22"})
    download("org/name", "shared")
    used(cache, "org/name", first, 1000)
    deleted = evict(KB)
    assert ((("org/name", first),), 1) == (deleted.commits, deleted.freed)
    assert b"s" * KB == download("org/name", "shared", revision=second, offline=True).read_bytes()
    assert () == scan_cache().warnings


def test_e32_without_a_note_the_filesystem_decides(three: dict[str, str], cache: Path) -> None:
    for name, commit in three.items():
        stamp_path(Places(cache, RepoId(name)), commit).unlink()
    for at, name in enumerate(("org/mid", "org/new", "org/old"), start=1):
        for blob in Places(cache, RepoId(name)).blobs.iterdir():
            os.utime(blob, (at * 1000, at * 1000))
    assert "org/mid" == evict(2 * KB).commits[0][0]


def test_e32_a_negative_size_is_refused() -> None:
    with pytest.raises(HubValidationError):
        evict(-1)


def test_commits_are_deleted_by_hash_with_their_refs_and_markers(
    three: dict[str, str], cache: Path
) -> None:
    commit = three["org/mid"]
    marker = Places(cache, RepoId("org/mid")).no_exist(commit, "x")
    marker.parent.mkdir(parents=True)
    marker.touch()
    assert KB == delete_revisions(commit, dry_run=True).freed
    assert KB == delete_revisions(commit).freed
    assert [True, False, True] == there("org/old", "org/mid", "org/new")
    assert try_to_load_from_cache("org/mid", "x", revision=commit) is None
    with pytest.raises(CacheNotFoundError):
        delete_revisions(commit)


def test_a_deleted_file_is_fetched_again(three: dict[str, str]) -> None:
    delete_revisions(three["org/mid"])
    assert KB == len(download("org/mid", "f").read_bytes())


def test_e34_one_repository_is_cleared_and_its_siblings_untouched(
    three: dict[str, str], cache: Path
) -> None:
    assert KB == clear_cache("org/mid").freed
    assert [True, False, True] == there("org/old", "org/mid", "org/new")
    assert not (cache / "models--org--mid").exists()
    with pytest.raises(CacheNotFoundError):
        clear_cache("org/mid")


def test_e34_everything_is_cleared_and_what_is_not_ours_stays(
    three: dict[str, str], cache: Path, tmp_path: Path
) -> None:
    (cache / "CACHEDIR.TAG").write_text("x")
    (cache / "blobs/ab").mkdir(parents=True)
    assert 3 * KB == clear_cache().freed
    assert {"CACHEDIR.TAG", "blobs", ".locks"} == {each.name for each in cache.iterdir()}


def test_e34_links_are_not_followed(three: dict[str, str], cache: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    (precious / "deep").mkdir(parents=True)
    (precious / "deep/file").write_text("mine")
    (cache / "models--org--link").symlink_to(precious)
    places = Places(cache, RepoId("org/old"))
    (places.snapshot(three["org/old"]) / "sub").symlink_to(precious)
    evict(0)
    clear_cache()
    assert "mine" == (precious / "deep/file").read_text()


def test_e34_a_blob_that_is_a_link_into_a_shared_store_loses_only_the_link(
    hub: HubServer, cache: Path, tmp_path: Path
) -> None:
    repo = hub.add_repo("org/name", {"f": b"data"})
    blob = download("org/name", "f").resolve()
    blob.rename(tmp_path / "shared")
    blob.symlink_to(tmp_path / "shared")
    delete_revisions(repo.branches["main"])
    assert b"data" == (tmp_path / "shared").read_bytes()
    assert not blob.is_symlink()


def test_e34_a_repository_in_use_is_not_cleared(three: dict[str, str], cache: Path) -> None:
    lock = Places(cache, RepoId("org/old")).lock(git_blob_id(b"x"))
    with file_lock(lock), pytest.raises(CacheInUseError) as caught:
        clear_cache("org/old")
    assert "Wait" in caught.value.suggestions()[0]
    assert [True] * 3 == there(*three)


def test_e34_climbing_names_are_refused(three: dict[str, str]) -> None:
    with pytest.raises(HubValidationError):
        clear_cache("../..")


def test_remains_of_killed_downloads_are_removed(three: Any, cache: Path) -> None:
    blobs = cache / "models--org--old/blobs"
    old, fresh = blobs / "a.01234567.incomplete", blobs / "b.01234567.incomplete"
    old.write_bytes(b"12345")
    fresh.write_bytes(b"1")
    os.utime(old, (1000, 1000))
    assert 5 == remove_partial_downloads()
    assert (False, True) == (old.exists(), fresh.exists())
