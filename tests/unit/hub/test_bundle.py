"""Bundles: everything arrives, or nothing changes."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ctok.hub.bundle import BundleError, export_bundle, import_bundle
from ctok.hub.compressed import ArchiveError, UnsafeArchiveError
from ctok.hub.errors import ChecksumError, OfflineEntryNotFoundError
from ctok.hub.files import download
from ctok.hub.lockfile import Lock
from ctok.hub.pinning import pin_repo
from hubserver import HubServer, Repo, lfs

BIG = bytes(range(256)) * 2000
FILES = {"tokenizer.json": b"{}", "sub/same.json": b"{}", "empty": b"", "model.bin": lfs(BIG)}


@pytest.fixture
def repo(hub: HubServer) -> Repo:
    return hub.add_repo("org/name", FILES)


@pytest.fixture
def lock(hub: HubServer, repo: Repo) -> Lock:
    data = hub.add_repo("org/data", {"a.csv": b"1,2"}, kind="dataset")
    data.pull_request(3, {"a.csv": b"3,4"})
    return Lock().with_repo(pin_repo("org/name")).with_repo(pin_repo("datasets/org/data@refs/pr/3"))


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Path]:
    """Becomes another machine: an empty cache and no network."""

    def move() -> Path:
        cache = tmp_path / "elsewhere" / "hub"
        monkeypatch.setenv("HF_HUB_CACHE", str(cache))
        monkeypatch.setenv("CTOK_CACHE_DIR", str(tmp_path / "elsewhere" / "ctok"))
        monkeypatch.setenv("CTOK_OFFLINE", "1")
        return cache

    return move


def content(folder: Path) -> list[str]:
    return sorted(
        each.relative_to(folder).as_posix() for each in folder.rglob("*") if each.is_file()
    )


@pytest.mark.parametrize("name", ["b.tar", "b.tar.gz"])
def test_a_bundle_makes_another_machine_work_offline(
    hub: HubServer, repo: Repo, lock: Lock, tmp_path: Path, elsewhere: Callable[[], Path], name: str
) -> None:
    bundle = export_bundle(lock, tmp_path / "deep" / name)
    assert [name] == [each.name for each in bundle.parent.iterdir()]
    elsewhere()
    hub.forget()
    assert lock == import_bundle(bundle)
    assert BIG == download("org/name", "model.bin").read_bytes()
    assert b"{}" == download("org/name", "sub/same.json", frozen=lock).read_bytes()
    assert b"" == download("org/name", "empty").read_bytes()
    assert b"3,4" == download("datasets/org/data@refs/pr/3", "a.csv").read_bytes()
    assert 0 == hub.hits()


def test_the_cache_after_an_import_is_the_cache_after_a_download(
    hub: HubServer, lock: Lock, cache: Path, tmp_path: Path, elsewhere: Callable[[], Path]
) -> None:
    bundle = export_bundle(lock, tmp_path / "b.tar")
    for file in FILES:
        download("org/name", file)
    download("datasets/org/data@refs/pr/3", "a.csv")
    other = elsewhere()
    import_bundle(bundle)

    def shown(root: Path) -> list[str]:
        return [each for each in content(root) if ".locks" not in each and "/trees/" not in each]

    assert shown(cache) == shown(other)


def test_the_same_files_make_the_same_bundle(hub: HubServer, lock: Lock, tmp_path: Path) -> None:
    for name in ("b.tar", "b.tar.gz"):
        first = export_bundle(lock, tmp_path / "1" / name).read_bytes()
        assert first == export_bundle(lock, tmp_path / "2" / name).read_bytes()
    with tarfile.open(tmp_path / "1" / "b.tar") as tar:
        # Twice "{}", once in the bundle.
        assert 1 + len({b"{}", b"", BIG, b"3,4"}) == len(tar.getnames())


def test_an_import_is_safe_to_repeat(
    hub: HubServer, lock: Lock, tmp_path: Path, elsewhere: Callable[[], Path]
) -> None:
    bundle = export_bundle(lock, tmp_path / "b.tar")
    other = elsewhere()
    import_bundle(bundle)
    before = content(other)
    import_bundle(bundle)
    assert before == content(other)
    assert [] == content(tmp_path / "elsewhere" / "ctok")


def test_an_export_checks_the_cache_against_the_lock(
    hub: HubServer, repo: Repo, lock: Lock, tmp_path: Path
) -> None:
    download("org/name", "tokenizer.json").resolve().write_bytes(b"[]")
    with pytest.raises(ChecksumError):
        export_bundle(lock, tmp_path / "b.tar")
    assert not (tmp_path / "b.tar").exists()


def test_an_offline_export_needs_every_file(hub: HubServer, lock: Lock, tmp_path: Path) -> None:
    with pytest.raises(OfflineEntryNotFoundError, match=r"model\.bin"):
        export_bundle(lock, tmp_path / "b.tar", offline=True)


def rebuilt(bundle: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    with tarfile.open(bundle) as tar:
        members = {each.name: tar.extractfile(each).read() for each in tar}  # type: ignore[union-attr]
    change(members)
    damaged = bundle.with_name("damaged.tar")
    with tarfile.open(damaged, "w") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return damaged


def edit(members: dict[str, bytes], change: Callable[[Any], object]) -> None:
    manifest = json.loads(members["bundle.json"])
    change(manifest)
    members["bundle.json"] = json.dumps(manifest).encode()


def first_blob(members: dict[str, bytes]) -> str:
    return next(name for name in members if name.startswith("files/") and members[name] == BIG)


def files(manifest: Any) -> Any:
    return manifest["repos"]["org/name@main"]["files"]


def under_another_digest(members: dict[str, bytes]) -> None:
    """The git checksum stays right, the pinned SHA-256 does not."""
    manifest = json.loads(members["bundle.json"])
    digest = files(manifest)["empty"]["sha256"]
    members[f"files/{'1' * 64}"] = members.pop(f"files/{digest}")
    members["bundle.json"] = members["bundle.json"].replace(digest.encode(), b"1" * 64)


def copied(key: str) -> Callable[[dict[str, bytes]], None]:
    """Adds a second repository under a name of choice."""
    return lambda members: edit(
        members, lambda d: d["repos"].update({key: d["repos"]["org/name@main"]})
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m.update({first_blob(m): b"\1" + BIG[1:]}), "SHA-256"),
        (lambda m: m.update({first_blob(m): BIG[:-1]}), "bytes, not"),
        (lambda m: m.pop(first_blob(m)), "is missing"),
        (lambda m: m.update({"files/extra": b"x"}), "not in the manifest"),
        (lambda m: m.pop("bundle.json"), r"no readable bundle\.json"),
        (lambda m: m.update({"bundle.json": b"{"}), r"no readable bundle\.json"),
        (lambda m: edit(m, lambda d: d.update(version=9)), "version 9"),
        (lambda m: edit(m, lambda d: files(d)["model.bin"].update(size=1)), "bytes, not 1"),
        (lambda m: edit(m, lambda d: files(d)["model.bin"].pop("etag")), "no checksum"),
        (lambda m: edit(m, lambda d: files(d)["model.bin"].update(etag="../x")), "no checksum"),
        (lambda m: edit(m, lambda d: files(d)["model.bin"].update(etag="0" * 64)), "SHA-256"),
        (lambda m: edit(m, lambda d: files(d)["empty"].update(etag="0" * 40)), "git SHA-1"),
        (
            lambda m: edit(m, lambda d: files(d).update({"../x": files(d)["empty"]})),
            "no file name",
        ),
        (under_another_digest, "SHA-256"),
        (copied("../x@main"), "no repository id"),
        (copied("org/x@../.."), "no revision"),
    ],
)
def test_a_damaged_bundle_changes_nothing(
    hub: HubServer,
    lock: Lock,
    tmp_path: Path,
    elsewhere: Callable[[], Path],
    change: Callable[[dict[str, bytes]], None],
    message: str,
) -> None:
    damaged = rebuilt(export_bundle(lock, tmp_path / "b.tar"), change)
    other = elsewhere()
    with pytest.raises(BundleError, match=message) as caught:
        import_bundle(damaged)
    assert 15 == caught.value.exit_code
    assert caught.value.suggestions()
    assert not other.exists()
    assert [] == content(tmp_path / "elsewhere")


def test_a_hostile_or_truncated_bundle_changes_nothing(
    hub: HubServer, lock: Lock, tmp_path: Path, elsewhere: Callable[[], Path]
) -> None:
    bundle = export_bundle(lock, tmp_path / "b.tar")
    other = elsewhere()
    with pytest.raises(UnsafeArchiveError):
        import_bundle(rebuilt(bundle, lambda m: m.update({"../escape": b"x"})))
    (tmp_path / "cut.tar").write_bytes(bundle.read_bytes()[:-20_000])
    with pytest.raises(ArchiveError):
        import_bundle(tmp_path / "cut.tar")
    assert not other.exists()
