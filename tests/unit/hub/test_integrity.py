"""Are the cached bytes what their names say? (E33)"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ctok.hub import download, verify_cache
from ctok.hub.errors import CacheNotFoundError
from hubclock import quick_client
from hubfiles import BIG, SMALL, add_repo
from hubserver import HubServer


@pytest.fixture
def repo(hub: HubServer) -> Any:
    made = add_repo(hub)
    for name in ("a.json", "model.bin", "d/e.txt"):
        download("org/name", name)
    return made


def damage(path: Path, data: bytes) -> None:
    path.resolve().write_bytes(data)


def test_e33_a_whole_cache_is_valid(hub: HubServer, repo: Any) -> None:
    report = verify_cache()
    assert (3, 3, (), ()) == (
        report.total,
        report.valid,
        report.corrupted,
        report.missing_checksum,
    )
    assert report.ok


def test_e33_wrong_short_and_empty_files_are_found(hub: HubServer, repo: Any) -> None:
    commit = repo.branches["main"]
    damage(download("org/name", "a.json"), b"x" * len(SMALL))
    damage(download("org/name", "model.bin"), BIG[:-1])
    damage(download("org/name", "d/e.txt"), b"")
    report = verify_cache()
    assert (3, 0, False) == (report.total, report.valid, report.ok)
    found = {each.name: each.reason for each in report.corrupted}
    assert {"a.json", "model.bin", "d/e.txt"} == set(found)
    assert "git SHA-1" in found["a.json"]
    assert "SHA-256" in found["model.bin"]
    assert "empty" in found["d/e.txt"]
    assert {commit} == {each.commit for each in report.corrupted}


def test_e33_a_link_that_leads_nowhere_is_found(hub: HubServer, repo: Any) -> None:
    download("org/name", "a.json").resolve().unlink()
    report = verify_cache()
    assert ["a.json"] == [each.name for each in report.corrupted]
    assert "nowhere" in report.corrupted[0].reason


def test_e33_a_name_that_is_no_checksum_cannot_be_checked(hub: HubServer, repo: Any) -> None:
    hub.inject("*/a.json", headers={"ETag": '"mirror-2"'})
    download("org/name", "a.json", force=True)
    report = verify_cache()
    assert ["mirror-2"] == [each.name for each in report.missing_checksum]
    assert report.ok


def test_e33_repair_downloads_what_is_damaged(hub: HubServer, repo: Any) -> None:
    path = download("org/name", "a.json")
    damage(path, b"x" * len(SMALL))
    download("org/name", "d/e.txt").resolve().unlink()
    hub.forget()
    report = verify_cache(repair=True)
    assert [True, True] == [each.repaired for each in report.corrupted]
    assert report.ok
    assert 2 == hub.hits(method="GET")
    assert SMALL == path.read_bytes()
    assert () == verify_cache().corrupted


def test_e33_what_cannot_be_repaired_is_removed_and_missed(hub: HubServer, repo: Any) -> None:
    path = download("org/name", "a.json")
    damage(path, b"x" * len(SMALL))
    hub.close()
    report = verify_cache(repair=True, client=quick_client())
    assert ([False], False) == ([each.repaired for each in report.corrupted], report.ok)
    assert not path.is_symlink()
    assert () == verify_cache().corrupted


def test_e33_one_repository_can_be_verified_alone(hub: HubServer, repo: Any) -> None:
    hub.add_repo("org/other", {"f": b"1"})
    damage(download("org/other", "f"), b"2")
    assert verify_cache("org/name").ok
    assert not verify_cache("org/other").ok


def test_e33_a_blob_that_two_commits_share_is_read_once(hub: HubServer, repo: Any) -> None:
    repo.commit({"a.json": b"[2]"})
    path = download("org/name", "model.bin")
    damage(path, b"x")
    report = verify_cache()
    assert (3, 2) == (report.total, len(report.corrupted))


def test_e33_without_a_cache_there_is_nothing_to_verify(tmp_path: Path) -> None:
    with pytest.raises(CacheNotFoundError):
        verify_cache(cache_dir=tmp_path / "none")
