"""E03, E36: no name from a user, a server, an archive or a link leads out of its root."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ctok import hub as client
from ctok.hub import fs
from ctok.hub.errors import HubError, HubHTTPError, HubValidationError
from ctok.hub.extract import extract
from hubserver import HubServer, Repo, StoredFile

CLIMBS = [
    "..",
    "../evil",
    "../../evil",
    "a/../../evil",
    "./../evil",
    "/etc/passwd",
    "//host/share",
    "~/../evil/..",
    "C:/evil",
    "C:\\evil",
    "\\\\host\\share",
    "..\\evil",
    "a\\..\\..\\evil",
    "a/./b",
    "a//b",
    "a/.. /b",
    "a/.../b",
    "a/",
    "",
    "nul\0byte",
    "line\nfeed",
    "half\ud800",
]


@pytest.fixture
def repo(hub: HubServer) -> Repo:
    return hub.add_repo("org/name", {"f": b"content"})


@pytest.fixture
def untouched(tmp_path: Path) -> Callable[[], list[str]]:
    """Everything outside the caches, to be compared before and after."""

    def listing() -> list[str]:
        roots = (tmp_path / "home" / "hf", tmp_path / "home" / "cache")
        return sorted(
            str(path)
            for path in tmp_path.rglob("*")
            if not any(path == root or root in path.parents for root in roots)
        )

    return listing


# --- what users write ----------------------------------------------------------------------

TAKES_REPO: dict[str, Callable[[str], Any]] = {
    "hf_hub_download": lambda name: client.hf_hub_download(name, "f"),
    "resolve_file": lambda name: client.resolve_file(name, "main", "f"),
    "flat": lambda name: client.resolve_file(name, "main", "f", fetch=lambda *_: b"x"),
    "load": lambda name: client.try_to_load_from_cache(name, "f"),
    "path": lambda name: client.cache_path(name),
    "clear": lambda name: client.clear_cache(name),
    "hf": lambda name: fs.open(f"hf://{name}@main/f"),
    "info": lambda name: client.model_info(name),
}
TAKES_REVISION: dict[str, Callable[[str], Any]] = {
    "download": lambda name: client.download("org/name", "f", revision=name),
    "flat": lambda name: client.resolve_file("org/name", name, "f", fetch=lambda *_: b"x"),
    "snapshot": lambda name: client.snapshot_download("org/name", revision=name),
    "stream": lambda name: client.download_stream("org/name", "f", revision=name),
    "load": lambda name: client.try_to_load_from_cache("org/name", "f", revision=name),
    "tree": lambda name: list(client.list_repo_tree("org/name", revision=name)),
}
TAKES_FILE: dict[str, Callable[[str], Any]] = {
    "download": lambda name: client.download("org/name", name),
    "subfolder": lambda name: client.download("org/name", "f", subfolder=name or ".."),
    "local": lambda name: client.download("org/name", name, local_dir="folder"),
    "flat": lambda name: client.resolve_file("org/name", "main", name, fetch=lambda *_: b"x"),
    "stream": lambda name: client.download_stream("org/name", name),
    "load": lambda name: client.try_to_load_from_cache("org/name", name),
    "hf": lambda name: fs.open(f"hf://org/name@main/a/{name or '..'}/../x"),
}


def cases(table: dict[str, Callable[[str], Any]]) -> list[Any]:
    return [
        pytest.param(call, name, id=f"{label}-{name!r}")
        for label, call in table.items()
        for name in CLIMBS
    ]


@pytest.mark.parametrize(
    ("call", "name"), [*cases(TAKES_REPO), *cases(TAKES_REVISION), *cases(TAKES_FILE)]
)
def test_names_of_users_are_refused_before_anything_happens(
    hub: HubServer,
    repo: Repo,
    untouched: Callable[[], list[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    call: Callable[[str], Any],
    name: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    before = untouched()
    with pytest.raises(HubValidationError) as caught:
        call(name)
    assert caught.value.suggestions()
    assert 0 == hub.hits()
    assert before == untouched()


# --- what servers say ----------------------------------------------------------------------


@pytest.mark.parametrize("etag", ["../../../evil", "/tmp/evil", "..", "a/b", "x.incomplete", "C:x"])
def test_an_etag_is_a_name_and_no_path(
    hub: HubServer, repo: Repo, untouched: Callable[[], list[str]], cache: Path, etag: str
) -> None:
    hub.inject("*/f", headers={"ETag": f'"{etag}"'})
    before = untouched()
    assert b"content" == client.download("org/name", "f").read_bytes()
    assert before == untouched()
    blobs = cache / "models--org--name" / "blobs"
    assert 1 == len(list(blobs.iterdir()))


@pytest.mark.parametrize("commit", ["../../../evil", "/tmp/evil", "..", "main", "0" * 39, "0" * 41])
def test_a_commit_is_forty_digits_or_no_commit(
    hub: HubServer, repo: Repo, untouched: Callable[[], list[str]], commit: str
) -> None:
    hub.inject("*/f", headers={"X-Repo-Commit": commit})
    before = untouched()
    with pytest.raises(HubHTTPError):
        client.download("org/name", "f")
    hub.heal()
    hub.inject("/api/*", body=b'{"id": "org/name", "sha": "%s"}' % commit.encode())
    with pytest.raises(HubHTTPError):
        client.snapshot_download("org/name")
    with pytest.raises(HubHTTPError):
        client.pin_repo("org/name")
    assert before == untouched()


@pytest.mark.parametrize(
    "path", ["../../../evil", "/etc/evil", "a/../../evil", "C:\\evil", "a\\..\\b"]
)
def test_a_listing_with_a_climbing_path_is_refused(
    hub: HubServer,
    repo: Repo,
    untouched: Callable[[], list[str]],
    tmp_path: Path,
    path: str,
) -> None:
    repo.commit({path: StoredFile(b"evil")})
    before = untouched()
    for call in (
        lambda: client.snapshot_download("org/name"),
        lambda: client.snapshot_download("org/name", local_dir=tmp_path / "home" / "hf" / "local"),
        lambda: client.pin_repo("org/name"),
        lambda: fs.glob("hf://org/name/**"),
    ):
        with pytest.raises(HubError):
            call()
    assert before == untouched()


# --- links inside the cache ----------------------------------------------------------------


@pytest.mark.parametrize("folder", ["blobs", "snapshots", "refs", ".no_exist"])
def test_a_folder_of_the_cache_that_leads_out_is_not_written_through(
    hub: HubServer, repo: Repo, cache: Path, tmp_path: Path, folder: str
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    place = cache / "models--org--name" / folder
    place.parent.mkdir(parents=True)
    place.symlink_to(outside, target_is_directory=True)
    for name in ("f", "absent"):
        try:
            client.download("org/name", name)
        except HubError:
            continue
    assert [] == list(outside.iterdir())


def test_deleting_follows_no_link(hub: HubServer, repo: Repo, cache: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_bytes(b"mine")
    client.download("org/name", "f")
    snapshot = cache / "models--org--name" / "snapshots" / repo.branches["main"]
    (snapshot / "link").symlink_to(outside, target_is_directory=True)
    (snapshot / "file").symlink_to(outside / "precious")
    (cache / "models--evil").symlink_to(outside, target_is_directory=True)
    client.evict(0)
    client.clear_cache()
    assert b"mine" == (outside / "precious").read_bytes()


def test_a_downloaded_archive_is_held_to_the_rules_of_extraction(
    hub: HubServer, untouched: Callable[[], list[str]], tmp_path: Path
) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("../../../../evil"))
    hub.add_repo("org/evil", {"a.tar": out.getvalue()})
    before = untouched()
    with pytest.raises(client.UnsafeArchiveError):
        client.download("org/evil", "a.tar", extract=True)
    with pytest.raises(client.UnsafeArchiveError):
        extract(client.download("org/evil", "a.tar"), tmp_path / "home" / "hf" / "x")
    assert before == untouched()
