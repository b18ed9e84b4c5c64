"""The flat layout and the injected fetcher (E01, E02, E03, E06)."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ctok.hub.errors import ChecksumError, HubValidationError, OfflineModeError
from ctok.hub.files import download, resolve_file
from hubserver import HubServer


class Fetcher:
    """Counts its calls and remembers their arguments."""

    def __init__(self, data: Any = b"bytes") -> None:
        self.data = data
        self.calls: list[tuple[str, str, str, Mapping[str, Any]]] = []

    def __call__(self, repo: str, revision: str, file: str, options: Mapping[str, Any]) -> Any:
        self.calls.append((repo, revision, file, options))
        if isinstance(self.data, Exception):
            raise self.data
        return self.data


def test_e01_a_cached_file_is_returned_without_fetching(tmp_path: Path) -> None:
    fetch = Fetcher()
    first = resolve_file("org/name", "main", "a.txt", fetch=fetch, cache_dir=tmp_path)
    second = resolve_file("org/name", "main", "a.txt", fetch=fetch, cache_dir=tmp_path)
    assert first == second
    assert (b"bytes", 1) == (first.read_bytes(), len(fetch.calls))


def test_e02_the_fetcher_gets_repository_revision_file_and_options(tmp_path: Path) -> None:
    fetch = Fetcher()
    resolve_file("org/name", "v1", "d/a.txt", fetch=fetch, cache_dir=tmp_path, force=True)
    repo, revision, file, options = fetch.calls[0]
    assert ("org/name", "v1", "d/a.txt") == (repo, revision, file)
    assert options["force"] is True


@pytest.mark.parametrize("wrong", [3, "url", object()])
def test_e02_a_fetcher_that_cannot_be_called_is_refused(tmp_path: Path, wrong: Any) -> None:
    with pytest.raises(HubValidationError, match="fetch="):
        resolve_file("org/name", "main", "a.txt", fetch=wrong, cache_dir=tmp_path)


@pytest.mark.parametrize("wrong", ["text", None, 5, ["b"]])
def test_e02_a_fetcher_that_returns_no_bytes_is_refused(tmp_path: Path, wrong: Any) -> None:
    with pytest.raises(HubValidationError, match="not bytes"):
        resolve_file("org/name", "main", "a.txt", fetch=Fetcher(wrong), cache_dir=tmp_path)
    assert not (tmp_path / "hf/org__name/main/a.txt").exists()


def test_e02_what_the_fetcher_raises_is_raised_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="mine"):
        resolve_file(
            "org/name", "main", "a.txt", fetch=Fetcher(LookupError("mine")), cache_dir=tmp_path
        )
    left = [each.name for each in (tmp_path / "hf").rglob("*") if each.is_file()]
    assert [".a.txt.lock"] == left


def test_e06_the_layout_is_repository_revision_file(tmp_path: Path) -> None:
    where = {"fetch": Fetcher(), "cache_dir": tmp_path}
    path = resolve_file("org/name", "main", "d/a.txt", **where)  # type: ignore[arg-type]
    assert tmp_path / "hf/org__name/main/d/a.txt" == path
    path = resolve_file("org/name", "refs/pr/1", "a.txt", repo_type="dataset", **where)  # type: ignore[arg-type]
    assert tmp_path / "hf/datasets__org__name/refs__pr__1/a.txt" == path


def test_e06_the_root_is_ctoks_own_cache_never_the_hubs(
    cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CTOK_CACHE_DIR", str(tmp_path / "own"))
    path = resolve_file("org/name", "main", "a.txt", fetch=Fetcher())
    assert tmp_path / "own/hf/org__name/main/a.txt" == path
    assert not cache.exists()


def test_e06_files_that_are_there_already_are_read(tmp_path: Path) -> None:
    old = tmp_path / "hf/org__name/main/a.txt"
    old.parent.mkdir(parents=True)
    old.write_bytes(b"of an earlier program")
    assert old == resolve_file("org/name", "main", "a.txt", layout="flat", cache_dir=tmp_path)


@pytest.mark.parametrize(
    ("repo", "revision", "file"),
    [
        ("../evil/repo", "main", "a"),
        ("..", "main", "a"),
        ("org/name", "../../x", "a"),
        ("org/name", "main", "../../x"),
        ("org/name", "main", "/etc/passwd"),
        ("org/name", "main", "C:\\x"),
        ("org/name", "main", "..\\x"),
        ("org/name", "main", "a\0b"),
    ],
)
def test_e03_nothing_is_written_outside_the_root(
    tmp_path: Path, repo: str, revision: str, file: str
) -> None:
    root = tmp_path / "deep" / "root"
    fetch = Fetcher()
    with pytest.raises(HubValidationError):
        resolve_file(repo, revision, file, fetch=fetch, cache_dir=root)
    assert ([], False) == (fetch.calls, root.exists())


def test_e03_a_folder_that_is_a_link_is_not_written_through(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "root/hf").mkdir(parents=True)
    (tmp_path / "root/hf/org__name").symlink_to(outside)
    with pytest.raises(HubValidationError, match="through a link"):
        resolve_file("org/name", "main", "a", fetch=Fetcher(), cache_dir=tmp_path / "root")
    assert [] == list(outside.iterdir())


def test_an_empty_file_counts_as_an_accident(tmp_path: Path) -> None:
    path = tmp_path / "hf/org__name/main/a.txt"
    path.parent.mkdir(parents=True)
    path.touch()
    found = resolve_file("org/name", "main", "a.txt", fetch=Fetcher(), cache_dir=tmp_path)
    assert b"bytes" == found.read_bytes()


def test_force_fetches_again_and_a_failure_keeps_the_old_file(tmp_path: Path) -> None:
    path = resolve_file("org/name", "main", "a", fetch=Fetcher(), cache_dir=tmp_path)
    resolve_file("org/name", "main", "a", fetch=Fetcher(b"new"), cache_dir=tmp_path, force=True)
    assert b"new" == path.read_bytes()
    with pytest.raises(ValueError, match="no"):
        resolve_file(
            "org/name",
            "main",
            "a",
            fetch=Fetcher(ValueError("no")),
            cache_dir=tmp_path,
            force=True,
        )
    assert b"new" == path.read_bytes()


def test_e22_the_expected_checksum_holds_for_fetched_bytes(tmp_path: Path) -> None:
    with pytest.raises(ChecksumError):
        resolve_file(
            "org/name",
            "main",
            "a",
            fetch=Fetcher(),
            cache_dir=tmp_path,
            expected_sha256="0" * 64,
        )
    assert not (tmp_path / "hf/org__name/main/a").exists()


def test_the_flat_layout_can_be_filled_from_the_hub(hub: HubServer, tmp_path: Path) -> None:
    hub.add_repo("org/name", {"a.json": b"{}"})
    path = download("org/name", "a.json", layout="flat", cache_dir=tmp_path)
    assert (tmp_path / "hf/org__name/main/a.json", b"{}") == (path, path.read_bytes())
    hub.close()
    assert path == download("org/name", "a.json", layout="flat", cache_dir=tmp_path)
    with pytest.raises(OfflineModeError):
        download("org/name", "b.json", layout="flat", cache_dir=tmp_path, offline=True)


def test_an_unknown_layout_is_refused() -> None:
    with pytest.raises(HubValidationError, match="layout"):
        download("org/name", "a", layout="round")  # type: ignore[call-overload]


def test_e05_five_threads_with_a_slow_fetcher_fetch_once(tmp_path: Path) -> None:
    import time

    calls: list[int] = []

    def slow(*_: Any) -> bytes:
        calls.append(1)
        time.sleep(0.1)
        return b"slow" * 1000

    results: list[bytes] = []
    threads = [
        threading.Thread(
            target=lambda: results.append(
                resolve_file("org/name", "main", "a", fetch=slow, cache_dir=tmp_path).read_bytes()
            )
        )
        for _ in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert ([b"slow" * 1000] * 5, [1]) == (results, calls)
