"""Pinning a repository, and holding every later download to the pin."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from ctok.hub import fs
from ctok.hub.errors import (
    ChecksumError,
    RemoteEntryNotFoundError,
    RevisionNotFoundError,
    SnapshotError,
)
from ctok.hub.files import download
from ctok.hub.lockfile import (
    FrozenError,
    Lock,
    PinnedFile,
    PinnedRepo,
    write_lock,
)
from ctok.hub.pinning import pin_repo
from ctok.hub.snapshot import snapshot_download
from ctok.hub.stream import download_stream
from hubserver import HubServer, Repo, lfs

BIG = bytes(range(256)) * 2000


def pinned(data: bytes) -> PinnedFile:
    return PinnedFile(hashlib.sha256(data).hexdigest(), len(data))


@pytest.fixture
def repo(hub: HubServer) -> Repo:
    files = {"tokenizer.json": b"{}", "sub/vocab.txt": b"a", "empty": b"", "model.bin": lfs(BIG)}
    return hub.add_repo("org/name", files)


def test_a_pin_holds_commit_and_every_checksum(hub: HubServer, repo: Repo) -> None:
    expected = {
        "empty": pinned(b""),
        "model.bin": pinned(BIG),
        "sub/vocab.txt": pinned(b"a"),
        "tokenizer.json": pinned(b"{}"),
    }
    found = pin_repo("org/name")
    assert PinnedRepo("org/name", "model", "main", repo.branches["main"], expected) == found
    # The Hub knows what LFS holds: nothing of it is transferred.
    assert 0 == hub.hits(origin="cdn")
    assert 0 == hub.hits(method="HEAD")


def test_a_second_pin_downloads_nothing(hub: HubServer, repo: Repo) -> None:
    first = pin_repo("org/name")
    hub.forget()
    assert first == pin_repo("org/name")
    assert 0 == hub.hits("*/resolve/*")


def test_names_and_patterns_choose_and_must_match(hub: HubServer, repo: Repo) -> None:
    chosen = pin_repo("org/name", ["*.json", "sub/vocab.txt"]).files
    assert ["sub/vocab.txt", "tokenizer.json"] == list(chosen)
    with pytest.raises(RemoteEntryNotFoundError, match=r"matches '\*\.gguf'"):
        pin_repo("org/name", ["*.json", "*.gguf"])
    with pytest.raises(RevisionNotFoundError):
        pin_repo("org/name@v9")


def test_frozen_serves_the_pinned_commit_after_the_branch_moved(
    hub: HubServer, repo: Repo, tmp_path: Path
) -> None:
    lock = Lock().with_repo(pin_repo("org/name"))
    repo.commit({"tokenizer.json": b"[]", "model.bin": lfs(BIG[::-1])})
    assert b"{}" == download("org/name", "tokenizer.json", frozen=lock).read_bytes()
    assert BIG == download("org/name", "model.bin", frozen=lock).read_bytes()
    assert b"[]" == download("org/name", "tokenizer.json").read_bytes()


def test_a_frozen_hit_costs_no_request(hub: HubServer, repo: Repo) -> None:
    lock = Lock().with_repo(pin_repo("org/name"))
    hub.forget()
    download("org/name", "tokenizer.json", frozen=lock)
    assert 0 == hub.hits()


def test_frozen_refuses_what_is_not_pinned_without_a_request(hub: HubServer, repo: Repo) -> None:
    lock = Lock().with_repo(pin_repo("org/name", ["tokenizer.json"]))
    hub.forget()
    for name, file in (("org/name", "model.bin"), ("org/name@v1", "tokenizer.json")):
        with pytest.raises(FrozenError):
            download(name, file, frozen=lock)
    with pytest.raises(ChecksumError, match="lock file pins"):
        download("org/name", "tokenizer.json", frozen=lock, expected_sha256="0" * 64)
    assert 0 == hub.hits()


def test_frozen_refuses_other_bytes_even_if_they_are_cached(hub: HubServer, repo: Repo) -> None:
    commit = repo.branches["main"]
    lock = Lock().with_repo(
        PinnedRepo("org/name", "model", "main", commit, {"tokenizer.json": pinned(b"xx")})
    )
    for _ in range(2):
        with pytest.raises(ChecksumError):
            download("org/name", "tokenizer.json", frozen=lock)
        download("org/name", "tokenizer.json")


@pytest.mark.parametrize("value", ["1", "other.lock"])
def test_the_environment_freezes_and_an_argument_thaws(
    hub: HubServer,
    repo: Repo,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    value: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    lock = Lock().with_repo(pin_repo("org/name", ["tokenizer.json", "sub/vocab.txt"]))
    write_lock(lock, "ctok.lock" if value == "1" else value)
    repo.commit({"tokenizer.json": b"[]"})
    monkeypatch.setenv("CTOK_FROZEN", value)
    assert b"{}" == download("org/name", "tokenizer.json").read_bytes()
    assert b"{}" == fs.read("hf://org/name/tokenizer.json")
    with pytest.raises(FrozenError):
        download("org/name", "model.bin")
    with pytest.raises(FrozenError):
        fs.open("hf://org/name/model.bin")
    assert b"[]" == download("org/name", "tokenizer.json", frozen=False).read_bytes()
    monkeypatch.setenv("CTOK_FROZEN", "0")
    assert b"[]" == download("org/name", "tokenizer.json").read_bytes()


def test_frozen_without_a_lock_file_is_an_error_not_a_thaw(
    hub: HubServer, repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CTOK_FROZEN", "1")
    with pytest.raises(FileNotFoundError):
        download("org/name", "tokenizer.json")


def test_a_frozen_snapshot_is_what_the_lock_pins(
    hub: HubServer, repo: Repo, tmp_path: Path
) -> None:
    lock = Lock().with_repo(pin_repo("org/name", ["tokenizer.json", "model.bin"]))
    repo.commit({"tokenizer.json": b"[]", "new.json": b""})
    folder = snapshot_download("org/name", frozen=lock)
    found = {each.name: each.read_bytes() for each in folder.iterdir() if each.is_file()}
    assert {"tokenizer.json": b"{}", "model.bin": BIG} == found
    hub.forget()
    assert folder == snapshot_download("org/name", frozen=lock, allow_patterns="*.json")
    assert 0 == hub.hits()
    for options in ({"allow_patterns": "new.json"}, {"revision": "v1"}, {"repo_type": "dataset"}):
        with pytest.raises(FrozenError):
            snapshot_download("org/name", frozen=lock, **options)  # type: ignore[arg-type]
    (folder / "model.bin").resolve().write_bytes(BIG[::-1])
    with pytest.raises(SnapshotError) as caught:
        snapshot_download("org/name", frozen=lock)
    assert ["model.bin"] == list(caught.value.failures)
    assert 15 == caught.value.exit_code


def test_a_frozen_stream_is_checked_against_the_pin(hub: HubServer, repo: Repo) -> None:
    lock = Lock().with_repo(pin_repo("org/name", ["model.bin"]))
    repo.commit({"model.bin": lfs(BIG[::-1])})
    with download_stream("org/name", "model.bin", frozen=lock) as chunks:
        assert BIG == b"".join(chunks)
    with pytest.raises(FrozenError):
        download_stream("org/name", "tokenizer.json", frozen=lock)
