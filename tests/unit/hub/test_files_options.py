"""What a caller may ask of a download (E15, E44)."""

from __future__ import annotations

import tarfile
from pathlib import Path
from typing import Any

import pytest

from ctok.hub.errors import (
    LocalEntryNotFoundError,
    LockTimeoutError,
)
from ctok.hub.files import PlannedFile, download, hf_hub_download
from ctok.hub.locks import file_lock
from hubfiles import BIG, SMALL, add_repo, places
from hubserver import HubServer, git_blob_id


@pytest.fixture
def repo(hub: HubServer) -> Any:
    return add_repo(hub)


def test_e15_repo_type_revision_and_subfolder(hub: HubServer, cache: Path) -> None:
    data = hub.add_repo("org/data", {"sub/a.csv": b"1"}, kind="dataset")
    commit = data.branches["main"]
    path = download("org/data", "a.csv", repo_type="dataset", revision=commit, subfolder="sub")
    assert cache / f"datasets--org--data/snapshots/{commit}/sub/a.csv" == path


def test_e15_cache_dir_is_honoured_everywhere(
    hub: HubServer, repo: Any, cache: Path, tmp_path: Path
) -> None:
    mine = tmp_path / "mine"
    path = download("org/name", "a.json", cache_dir=mine)
    assert path.is_relative_to(mine)
    assert not cache.exists()
    assert path == download("org/name", "a.json", cache_dir=mine, local_files_only=True)
    with pytest.raises(LocalEntryNotFoundError):
        download("org/name", "a.json", local_files_only=True)


def test_e15_force_downloads_again(hub: HubServer, repo: Any) -> None:
    download("org/name", "a.json")
    download("org/name", "a.json", force=True)
    assert 2 == hub.hits(method="GET")


def test_e15_local_files_only_makes_no_request(hub: HubServer, repo: Any) -> None:
    with pytest.raises(LocalEntryNotFoundError) as caught:
        download("org/name", "a.json", local_files_only=True)
    assert isinstance(caught.value, FileNotFoundError)
    assert "ctok fetch org/name a.json" in caught.value.suggestions()[0]
    path = download("org/name", "a.json")
    hub.forget()
    assert path == download("org/name", "a.json", local_files_only=True)
    assert [] == hub.log


def test_e15_extract_unpacks_next_to_nothing_of_the_shared_cache(
    hub: HubServer, tmp_path: Path
) -> None:
    (tmp_path / "in.txt").write_text("inside")
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "in.txt", "in.txt")
    hub.add_repo("org/name", {"a.tar.gz": (tmp_path / "a.tar.gz").read_bytes()})
    assert "inside" == (download("org/name", "a.tar.gz", extract=True) / "in.txt").read_text()
    target = download("org/name", "a.tar.gz", extract_dir=tmp_path / "out")
    assert (tmp_path / "out", "inside") == (target, (target / "in.txt").read_text())


def test_e15_hf_hub_download_takes_huggingface_hubs_names(
    hub: HubServer, repo: Any, tmp_path: Path
) -> None:
    path = hf_hub_download(
        repo_id="org/name",
        filename="e.txt",
        subfolder="d",
        repo_type="model",
        revision="main",
        cache_dir=tmp_path / "c",
        force_download=True,
        token=False,
        local_files_only=False,
        etag_timeout=5,
        endpoint=hub.endpoint,
    )
    assert isinstance(path, str)
    assert b"deep" == Path(path).read_bytes()


def test_e15_dry_run_says_what_would_be_done_and_writes_nothing(
    hub: HubServer, repo: Any, cache: Path
) -> None:
    plan = download("org/name", "model.bin", dry_run=True)
    commit = repo.branches["main"]
    expected = places(cache).pointer(commit, "model.bin")
    assert PlannedFile(commit, "model.bin", len(BIG), expected, False, True) == plan
    assert not cache.exists()
    download("org/name", "model.bin")
    again = download("org/name", "model.bin", dry_run=True)
    assert (True, False) == (again.is_cached, again.will_download)


def test_prefer_cache_asks_only_for_what_is_missing(hub: HubServer, repo: Any) -> None:
    download("org/name", "a.json", prefer_cache=True)
    repo.commit({"a.json": b"[2]"})
    hub.forget()
    assert SMALL == download("org/name", "a.json", prefer_cache=True).read_bytes()
    assert [] == hub.log


def test_e44_a_repository_may_be_named_in_every_way(
    hub: HubServer, repo: Any, tmp_path: Path
) -> None:
    repo.tag("v1")
    folder = tmp_path / "folder"
    (folder / "d").mkdir(parents=True)
    (folder / "d" / "e.txt").write_bytes(b"deep")
    for name in (
        "org/name",
        "org/name@v1",
        "hf://org/name@v1",
        {"repo": "org/name", "revision": "v1"},
        ("org/name", {"revision": "v1", "offline": False}),
        folder,
        str(folder),
    ):
        assert b"deep" == download(name, "d/e.txt").read_bytes()
    assert b"deep" == download("hf://org/name@v1/d", "e.txt").read_bytes()
    with pytest.raises(LocalEntryNotFoundError):
        download(folder, "none")


def test_e15_a_lock_timeout_is_an_error_that_names_the_lock(
    hub: HubServer, repo: Any, cache: Path
) -> None:
    lock = places(cache).lock(git_blob_id(SMALL))
    with file_lock(lock), pytest.raises(LockTimeoutError) as caught:
        download("org/name", "a.json", lock_timeout=0.1)
    assert str(lock) == caught.value.path
