"""The file system view: E43, one test per scheme and operation."""

from __future__ import annotations

import random
import struct
from pathlib import Path
from typing import Any

import pytest

from ctok.hub import fs
from ctok.hub.errors import (
    AuthenticationError,
    HubValidationError,
    LocalEntryNotFoundError,
    OfflineModeError,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
)
from ctok.hub.paths import Places, RepoId
from ctok.hub.ranged import FIRST_WINDOW, RangeError
from ctok.hub.store import link, mark_absent, write_ref
from hubserver import HubServer, Repo, lfs

# A header as a GGUF has it, then weights that nobody wants to download for it.
GGUF = b"GGUF" + struct.pack("<IQQ", 3, 291, 24) + random.Random(5).randbytes(6 << 20)
FILES = {
    "config.json": b"{}",
    "sub/a.txt": b"alpha",
    "sub/deep/b.txt": b"beta",
    "sub/deep/c.json": b"[]",
}


@pytest.fixture
def repo(hub: HubServer) -> Repo:
    return hub.add_repo("org/name", {**FILES, "model.gguf": lfs(GGUF), "empty": b""})


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name, data in FILES.items():
        path = tmp_path / "tree" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return tmp_path / "tree"


def put(cache: Path, repo: Repo, filename: str, revision: str = "main") -> None:
    """Puts a file into the cache as a download would."""
    commit = repo.resolve(revision)
    assert commit is not None
    stored = commit.files[filename]
    places = Places(cache, RepoId(repo.id))
    places.blobs.mkdir(parents=True, exist_ok=True)
    places.blob(stored.etag).write_bytes(stored.data)
    link(places, stored.etag, commit.sha, filename)
    write_ref(places, revision, commit.sha)


# --- local --------------------------------------------------------------------------------


def test_local_paths_and_file_addresses(tree: Path) -> None:
    assert b"alpha" == fs.read(tree / "sub" / "a.txt")
    assert b"lph" == fs.read(str(tree / "sub" / "a.txt"), 1, 3)
    assert b"alpha" == fs.read((tree / "sub" / "a.txt").as_uri())
    assert fs.exists(tree) and not fs.exists(tree / "no")
    found = [(Path(each.path).name, each.size, each.is_folder) for each in fs.ls(tree)]
    assert [("config.json", 2, False), ("sub", None, True)] == found
    assert [str(tree / "sub/deep/b.txt")] == fs.glob(f"{tree}/**/b.txt")
    with pytest.raises(FileNotFoundError):
        fs.open(tree / "no")


# --- http ---------------------------------------------------------------------------------


def test_http_reads_parts_and_says_what_is_there(hub: HubServer, repo: Repo) -> None:
    url = f"{hub.endpoint}/org/name/resolve/main/model.gguf?download=true"
    with fs.open(url) as file:
        assert file.seekable()
        assert GGUF[:24] == file.read(24)
        file.seek(5 << 20)
        assert GGUF[5 << 20 : (5 << 20) + 9] == file.read(9)
    assert sum(seen.sent for seen in hub.matching(origin="cdn")) <= 2 * FIRST_WINDOW
    assert fs.exists(url)
    assert not fs.exists(f"{hub.endpoint}/org/name/resolve/main/no")
    assert b"" == fs.read(f"{hub.endpoint}/org/name/resolve/main/empty")
    with pytest.raises(HubValidationError, match="no folders"):
        fs.ls(url)
    with pytest.raises(HubValidationError, match="no folders"):
        fs.glob(f"{hub.endpoint}/*")


def test_an_ambient_token_goes_to_the_endpoint_only(
    hub: HubServer, repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_valid")
    with HubServer() as other:
        other.add_repo("org/name", FILES)
        fs.read(f"{other.endpoint}/org/name/resolve/main/config.json")
        fs.read(f"{hub.endpoint}/org/name/resolve/main/config.json")
        assert ["authorization" in seen.headers for seen in other.log] == [False]
        assert ["authorization" in seen.headers for seen in hub.log] == [True]
        # One that is given for the address goes there.
        fs.read(f"{other.endpoint}/org/name/resolve/main/config.json", token="hf_valid")
        assert "authorization" in other.log[-1].headers


def test_an_unknown_scheme_or_option_is_refused_by_name() -> None:
    with pytest.raises(HubValidationError, match="s3:// is not known"):
        fs.open("s3://bucket/key")
    with pytest.raises(HubValidationError, match="colour"):
        fs.open("hf://org/name/a", colour="red")


# --- hf -----------------------------------------------------------------------------------


def test_a_remote_gguf_header_costs_kilobytes(hub: HubServer, repo: Repo) -> None:
    with fs.open("hf://org/name/model.gguf") as file:
        magic, version, tensors, keys = struct.unpack("<4sIQQ", file.read(24))
        assert (b"GGUF", 3, 291, 24) == (magic, version, tensors, keys)
    assert FIRST_WINDOW == sum(seen.sent for seen in hub.matching(origin="cdn"))
    assert [("hub", "HEAD"), ("cdn", "GET")] == [(seen.origin, seen.method) for seen in hub.log]


@pytest.mark.parametrize("kind", ["dataset", "space"])
def test_datasets_and_spaces_at_a_revision(hub: HubServer, kind: str) -> None:
    repo = hub.add_repo("org/data", FILES, kind=kind)
    repo.pull_request(1, {"sub/a.txt": b"of the pull request"})
    top = f"hf://{kind}s/org/data@refs/pr/1"
    assert b"of the pull request" == fs.read(f"{top}/sub/a.txt")
    assert [f"{top}/sub/a.txt", f"{top}/sub/deep"] == [each.path for each in fs.ls(f"{top}/sub")]
    assert fs.exists(f"{top}/sub/deep/b.txt")


def test_ls_glob_and_exists_agree(hub: HubServer, repo: Repo) -> None:
    hub.page_size = 2
    assert [
        ("hf://org/name/config.json", 2),
        ("hf://org/name/empty", 0),
        ("hf://org/name/model.gguf", len(GGUF)),
        ("hf://org/name/sub", None),
    ] == [(each.path, each.size) for each in fs.ls("hf://org/name")]
    for path in fs.glob("hf://org/name/**"):
        assert fs.exists(path)
    assert fs.exists("hf://org/name")
    assert not fs.exists("hf://org/name/no")
    assert not fs.exists("hf://org/name/sub/no.txt")


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.json", ["config.json"]),
        ("**/*.json", ["config.json", "sub/deep/c.json"]),
        ("sub/*.txt", ["sub/a.txt"]),
        ("sub/**/*.txt", ["sub/a.txt", "sub/deep/b.txt"]),
        ("s?b/[a-c].txt", ["sub/a.txt"]),
        ("sub/*", ["sub/a.txt", "sub/deep"]),
        ("sub/*/b.txt", ["sub/deep/b.txt"]),
        ("sub/a.txt", ["sub/a.txt"]),
        ("no*", []),
    ],
)
def test_patterns_mean_the_same_here_and_on_disk(
    hub: HubServer, repo: Repo, tree: Path, pattern: str, expected: list[str]
) -> None:
    assert [str(tree / name) for name in expected] == fs.glob(f"{tree}/{pattern}")
    if pattern != "sub/a.txt":
        assert [f"hf://org/name/{name}" for name in expected] == fs.glob(f"hf://org/name/{pattern}")


def test_the_cache_saves_the_transfer_but_not_the_question(
    hub: HubServer, repo: Repo, cache: Path
) -> None:
    put(cache, repo, "model.gguf")
    assert GGUF == fs.read("hf://org/name/model.gguf")
    assert (1, 0) == (hub.hits(method="HEAD"), hub.hits(method="GET"))
    hub.forget()
    assert GGUF == fs.read(f"hf://org/name@{repo.branches['main']}/model.gguf")
    assert 0 == hub.hits()


def test_a_cached_file_of_an_older_commit_is_not_served(
    hub: HubServer, repo: Repo, cache: Path
) -> None:
    put(cache, repo, "config.json")
    repo.commit({"config.json": b"new"})
    assert b"new" == fs.read("hf://org/name/config.json")


def test_offline_serves_the_cache_and_opens_no_socket(
    hub: HubServer, repo: Repo, cache: Path
) -> None:
    put(cache, repo, "sub/a.txt")
    mark_absent(Places(cache, RepoId("org/name")), repo.branches["main"], "no.json")
    how: dict[str, Any] = {"offline": True}
    assert b"alpha" == fs.read("hf://org/name/sub/a.txt", **how)
    assert fs.exists("hf://org/name/sub/a.txt", **how)
    assert not fs.exists("hf://org/name/no.json", **how)
    assert ["hf://org/name/sub/a.txt"] == [each.path for each in fs.ls("hf://org/name/sub", **how)]
    assert ["hf://org/name/sub/a.txt"] == fs.glob("hf://org/name/**/*.txt", **how)
    with pytest.raises(LocalEntryNotFoundError):
        fs.open("hf://org/name/config.json", **how)
    with pytest.raises(OfflineModeError):
        fs.exists("hf://org/name/config.json", **how)
    with pytest.raises(OfflineModeError):
        fs.open(f"{hub.endpoint}/x", **how)
    assert 0 == hub.hits()


def test_a_signed_address_that_expires_is_renewed(hub: HubServer, repo: Repo) -> None:
    with fs.open("hf://org/name/model.gguf") as file:
        file.read(1)
        hub.inject("*", origin="cdn", status=403, times=1)
        file.seek(3 << 20)
        assert GGUF[3 << 20 : (3 << 20) + 5] == file.read(5)
    assert 2 == hub.hits(method="HEAD")


def test_the_commit_is_pinned_while_a_file_is_open(hub: HubServer, repo: Repo) -> None:
    repo.commit({"big.txt": GGUF})
    with fs.open("hf://org/name/big.txt") as file:
        file.read(1)
        repo.commit({"big.txt": GGUF[::-1]})
        file.seek(3 << 20)
        assert GGUF[3 << 20 : (3 << 20) + 5] == file.read(5)


def test_a_server_that_sends_everything_is_left(hub: HubServer, repo: Repo) -> None:
    hub.inject("*", origin="cdn", ignore_range=True)
    with pytest.raises(RangeError):
        fs.open("hf://org/name/model.gguf")


def test_refusals_are_not_taken_for_absence(hub: HubServer, repo: Repo) -> None:
    with pytest.raises(RemoteEntryNotFoundError):
        fs.open("hf://org/name/no")
    with pytest.raises(RemoteEntryNotFoundError):
        fs.ls("hf://org/name/no")
    with pytest.raises(RepositoryNotFoundError):
        fs.exists("hf://org/other/x")
    with pytest.raises(AuthenticationError):
        fs.exists("hf://org/name/x", token="hf_wrong")
    with pytest.raises(HubValidationError, match="not a file"):
        fs.open("hf://org/name")
