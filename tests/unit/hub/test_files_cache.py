"""One file, cached once in huggingface_hub's layout (E03, E08, E16, D07)."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from ctok.hub.errors import (
    HubValidationError,
    OfflineModeError,
    RemoteEntryNotFoundError,
)
from ctok.hub.files import download
from hubfiles import BIG, SMALL, add_repo, leftovers, no_sockets, places
from hubserver import HubServer, git_blob_id, lfs


@pytest.fixture
def repo(hub: HubServer) -> Any:
    return add_repo(hub)


def test_e08_the_cache_holds_exactly_what_huggingface_hub_would(
    hub: HubServer, repo: Any, cache: Path
) -> None:
    path = download("org/name", "d/e.txt")
    commit, etag = repo.branches["main"], git_blob_id(b"deep")
    found = {each.relative_to(cache).as_posix() for each in cache.rglob("*") if not each.is_dir()}
    assert {
        f"models--org--name/blobs/{etag}",
        "models--org--name/refs/main",
        f"models--org--name/snapshots/{commit}/d/e.txt",
        f".locks/models--org--name/{etag}.lock",
    } == found
    assert f"../../../blobs/{etag}" == str(path.readlink())
    assert commit.encode() == (cache / "models--org--name/refs/main").read_bytes()
    assert 0o666 & ~umask() == places(cache).blob(etag).stat().st_mode & 0o777


def umask() -> int:
    now = os.umask(0)
    os.umask(now)
    return now


def test_d07_a_pinned_commit_that_is_cached_costs_no_request(
    hub: HubServer, repo: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = repo.branches["main"]
    first = download("org/name", "a.json", revision=commit)
    no_sockets(monkeypatch)
    assert first == download("org/name", "a.json", revision=commit)
    assert first == download(f"org/name@{commit}", "a.json")


def test_d07_a_pinned_commit_that_lacks_a_file_is_asked_once(hub: HubServer, repo: Any) -> None:
    commit = repo.branches["main"]
    for _ in range(2):
        with pytest.raises(RemoteEntryNotFoundError) as caught:
            download("org/name", "none.json", revision=commit)
        assert 404 == caught.value.status
    assert 1 == hub.hits()


def test_a_branch_costs_one_head_when_it_has_not_moved(hub: HubServer, repo: Any) -> None:
    download("org/name", "a.json")
    hub.forget()
    download("org/name", "a.json")
    assert [("HEAD", "/org/name/resolve/main/a.json")] == [(e.method, e.path) for e in hub.log]


def test_a_branch_that_moved_brings_the_new_file_and_keeps_the_old(
    hub: HubServer, repo: Any
) -> None:
    old = download("org/name", "a.json")
    repo.commit({"a.json": b"[2]"})
    new = download("org/name", "a.json")
    assert (SMALL, b"[2]") == (old.read_bytes(), new.read_bytes())


def test_the_same_bytes_in_another_commit_are_linked_not_downloaded(
    hub: HubServer, repo: Any
) -> None:
    first = download("org/name", "model.bin")
    repo.commit({"a.json": b"[]"})
    hub.forget()
    second = download("org/name", "model.bin")
    assert first != second
    assert first.resolve() == second.resolve()
    assert 0 == hub.hits(method="GET")


def test_tags_and_pull_requests_are_revisions(hub: HubServer, repo: Any, cache: Path) -> None:
    repo.tag("v1")
    commit = repo.pull_request(1, {"a.json": b"[1]"})
    assert SMALL == download("org/name", "a.json", revision="v1").read_bytes()
    assert b"[1]" == download("org/name", "a.json", revision="refs/pr/1").read_bytes()
    assert commit == (cache / "models--org--name/refs/refs/pr/1").read_text()


def test_an_empty_file_is_whole_and_costs_no_second_download(hub: HubServer) -> None:
    repo = hub.add_repo("org/empty", {"e": b"", "big-e": lfs(b"")})
    for name in ("e", "big-e"):
        assert b"" == download("org/empty", name).read_bytes()
        hub.forget()
        download("org/empty", name, revision=repo.branches["main"])
        assert [] == hub.log


def test_e16_an_empty_cache_entry_is_downloaded_again(hub: HubServer, repo: Any) -> None:
    path = download("org/name", "a.json")
    path.resolve().write_bytes(b"")
    assert SMALL == download("org/name", "a.json").read_bytes()
    path.resolve().write_bytes(b"")
    assert SMALL == download("org/name", "a.json", revision=repo.branches["main"]).read_bytes()


def test_e16_an_empty_cache_entry_is_not_served_offline(hub: HubServer, repo: Any) -> None:
    download("org/name", "a.json").resolve().write_bytes(b"")
    with pytest.raises(OfflineModeError):
        download("org/name", "a.json", offline=True)


def test_a_link_that_leads_nowhere_is_mended(hub: HubServer, repo: Any) -> None:
    path = download("org/name", "a.json")
    path.resolve().unlink()
    assert SMALL == download("org/name", "a.json").read_bytes()


def test_a_blob_that_is_a_link_into_a_shared_store_is_read_and_replaced_not_followed(
    hub: HubServer, repo: Any, cache: Path, tmp_path: Path
) -> None:
    path = download("org/name", "a.json")
    blob, shared = path.resolve(), tmp_path / "shared"
    blob.rename(shared)
    blob.symlink_to(shared)
    assert SMALL == download("org/name", "a.json").read_bytes()
    shared.write_bytes(b"!")
    assert SMALL == download("org/name", "a.json").read_bytes()
    assert b"!" == shared.read_bytes()
    assert not places(cache).blob(git_blob_id(SMALL)).is_symlink()


def test_without_symlinks_the_snapshot_holds_files(
    hub: HubServer, repo: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_DISABLE_SYMLINKS", "1")
    path = download("org/name", "model.bin")
    assert (False, BIG) == (path.is_symlink(), path.read_bytes())
    hub.forget()
    assert path == download("org/name", "model.bin", revision=repo.branches["main"])
    assert [] == hub.log


def test_a_filesystem_without_symlinks_is_recognised(
    hub: HubServer, repo: Any, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    path = download("org/name", "model.bin")
    assert (False, BIG) == (path.is_symlink(), path.read_bytes())
    repo.commit({"a.json": b"[]"})
    again = download("org/name", "model.bin")
    assert (BIG, BIG) == (path.read_bytes(), again.read_bytes())
    assert [] == leftovers(cache)


def test_e03_a_snapshot_folder_that_is_a_link_is_not_written_through(
    hub: HubServer, repo: Any, cache: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    snapshot = places(cache).snapshot(repo.branches["main"])
    snapshot.mkdir(parents=True)
    (snapshot / "d").symlink_to(outside)
    with pytest.raises(HubValidationError, match="through a link"):
        download("org/name", "d/e.txt")
    assert [] == list(outside.iterdir())


def test_a_hit_needs_no_token_and_no_right_one(
    hub: HubServer, repo: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = repo.branches["main"]
    path = download("org/name", "a.json", revision=commit)
    monkeypatch.setenv("HF_TOKEN", "no token at all")
    assert path == download("org/name", "a.json", revision=commit)
    assert path == download("org/name", "a.json", offline=True, revision=commit)
    with pytest.raises(HubValidationError, match="HF_TOKEN"):
        download("org/name", "model.bin", revision=commit)
