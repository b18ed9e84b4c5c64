"""Bytes that are wrong, short, changed or resumed (E17, E18, E20, E21, E22)."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest

from ctok.hub.errors import (
    ChecksumError,
    HubConnectionError,
    HubHTTPError,
    HubValidationError,
    TruncatedError,
)
from ctok.hub.files import download
from ctok.hub.locks import file_lock
from hubclock import quick_client
from hubfiles import BIG, SMALL, add_repo, leftovers, places
from hubserver import HubServer, git_blob_id, lfs


@pytest.fixture
def repo(hub: HubServer) -> Any:
    return add_repo(hub)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 500])
def test_e17_a_failed_overwrite_keeps_the_old_file(
    hub: HubServer, repo: Any, cache: Path, status: int
) -> None:
    path = download("org/name", "a.json")
    hub.inject("*/a.json", method="GET", status=status, body=b"this is not the file")
    with pytest.raises(HubHTTPError):
        download("org/name", "a.json", force=True, client=quick_client())
    assert SMALL == path.read_bytes()
    assert [] == leftovers(cache)
    with file_lock(places(cache).lock(git_blob_id(SMALL)), timeout=0) as held:
        assert held


def test_e17_a_broken_first_download_leaves_nothing(hub: HubServer, repo: Any, cache: Path) -> None:
    hub.inject("*/a.json", method="GET", reset_after=3)
    with pytest.raises(HubConnectionError):
        download("org/name", "a.json", client=quick_client())
    assert not list((cache / "models--org--name").glob("snapshots/*/*"))
    assert not list((cache / "models--org--name").glob("refs/*"))
    assert [] == leftovers(cache)


def test_e18_the_body_of_a_redirect_is_never_stored(hub: HubServer, repo: Any) -> None:
    hub.inject(
        "/org/name/resolve/*/a.json",
        method="GET",
        times=1,
        status=307,
        headers={"Location": "/org/name/resolve/main/a.json?again"},
        body=b"Temporary Redirect. Redirecting to somewhere",
    )
    assert SMALL == download("org/name", "a.json").read_bytes()


def test_e20_a_broken_connection_is_resumed_where_it_broke(hub: HubServer, repo: Any) -> None:
    hub.inject("/repos/*", reset_after=300_000, times=1)
    assert BIG == download("org/name", "model.bin", client=quick_client()).read_bytes()
    second = hub.matching(origin="cdn")[1]
    start = int(second.headers["range"].removeprefix("bytes=").rstrip("-"))
    assert 0 < start <= 300_000
    assert "if-range" in second.headers
    assert len(BIG) - start == second.sent


def test_e20_a_server_that_ignores_the_range_is_read_from_the_start(
    hub: HubServer, repo: Any
) -> None:
    hub.inject("/repos/*", reset_after=300_000, times=1)
    hub.inject("/repos/*", ignore_range=True)
    assert BIG == download("org/name", "model.bin", client=quick_client()).read_bytes()


def test_e20_a_file_that_changed_meanwhile_is_not_spliced(hub: HubServer, repo: Any) -> None:
    other = bytes(reversed(BIG))
    object_name = lfs(BIG).sha256

    def swap() -> None:
        hub.objects[object_name] = other

    hub.inject("/repos/*", reset_after=300_000, times=1, then=swap)
    with pytest.raises(ChecksumError):
        download("org/name", "model.bin", client=quick_client())
    assert "range" in hub.matching(origin="cdn")[1].headers
    hub.objects[object_name] = BIG
    assert BIG == download("org/name", "model.bin").read_bytes()


def test_e20_a_branch_that_moves_during_the_download_changes_nothing(
    hub: HubServer, repo: Any
) -> None:
    moved = lambda: repo.commit({"a.json": b"[3]"})  # noqa: E731
    hub.inject("*/a.json", method="HEAD", times=1, then=moved)
    assert SMALL == download("org/name", "a.json").read_bytes()


def test_e20_a_range_that_was_not_asked_for_is_refused(hub: HubServer, repo: Any) -> None:
    hub.inject("/repos/*", reset_after=300_000, times=1)
    wrong = {"Content-Range": f"bytes 5-9/{len(BIG)}"}
    hub.inject("/repos/*", times=1, status=206, headers=wrong, body=b"wrong")
    assert BIG == download("org/name", "model.bin", client=quick_client()).read_bytes()
    assert "range" not in hub.matching(origin="cdn")[2].headers


def abandoned(cache: Path, content: bytes, etag: str) -> Path:
    """What a killed process leaves: an unfinished file that nobody touched for long."""
    blobs = places(cache).blobs
    blobs.mkdir(parents=True, exist_ok=True)
    path = blobs / f"{etag}.0123abcd.incomplete"
    path.write_bytes(content)
    os.utime(path, (1000, 1000))
    return path


def test_e20_what_a_killed_process_left_is_continued(
    hub: HubServer, repo: Any, cache: Path
) -> None:
    abandoned(cache, BIG[:700_000], lfs(BIG).sha256)
    assert BIG == download("org/name", "model.bin").read_bytes()
    assert "bytes=700000-" == hub.matching(origin="cdn")[0].headers["range"]
    assert [] == leftovers(cache)


def test_e20_remains_that_are_complete_are_verified_and_published(
    hub: HubServer, repo: Any, cache: Path
) -> None:
    abandoned(cache, BIG, lfs(BIG).sha256)
    assert BIG == download("org/name", "model.bin").read_bytes()
    assert 0 == hub.hits(origin="cdn")


@pytest.mark.parametrize("content", [b"x" * 700_000, b"x" * len(BIG), b"x" * 2_000_000])
def test_e20_remains_of_something_else_are_thrown_away(
    hub: HubServer, repo: Any, cache: Path, content: bytes
) -> None:
    abandoned(cache, content, lfs(BIG).sha256)
    assert BIG == download("org/name", "model.bin").read_bytes()
    assert [] == leftovers(cache)


def test_e20_an_unfinished_file_that_somebody_writes_is_left_alone(
    hub: HubServer, repo: Any, cache: Path
) -> None:
    path = abandoned(cache, BIG[:700_000], lfs(BIG).sha256)
    os.utime(path)
    assert BIG == download("org/name", "model.bin").read_bytes()
    assert BIG[:700_000] == path.read_bytes()


def test_e20_a_416_for_complete_bytes_is_verified(hub: HubServer, cache: Path) -> None:
    hub.add_repo("org/name", {"model.bin": lfs(BIG)})
    # Without a length in the metadata the client cannot know that it has everything.
    hub.inject("*/model.bin", method="HEAD", headers={"X-Linked-Size": "unknown"})
    abandoned(cache, BIG, lfs(BIG).sha256)
    assert BIG == download("org/name", "model.bin").read_bytes()
    assert [416] == [each.status for each in hub.matching(origin="cdn")]


def test_e21_a_connection_that_ends_early_is_resumed(hub: HubServer, repo: Any) -> None:
    hub.inject("/repos/*", truncate_to=400_000, times=1)
    assert BIG == download("org/name", "model.bin", client=quick_client()).read_bytes()


def test_e21_without_a_content_length_an_early_end_is_noticed_and_resumed(
    hub: HubServer, repo: Any
) -> None:
    hub.inject("/repos/*", truncate_to=400_000, content_length="", times=1)
    assert BIG == download("org/name", "model.bin", client=quick_client()).read_bytes()
    assert "bytes=400000-" == hub.matching(origin="cdn")[1].headers["range"]


def test_e21_a_short_body_is_never_success(hub: HubServer, repo: Any, cache: Path) -> None:
    hub.inject("/repos/*", truncate_to=400_000, ignore_range=True, content_length="")
    with pytest.raises(TruncatedError) as caught:
        download("org/name", "model.bin", client=quick_client())
    assert len(BIG) == caught.value.expected
    assert 15 == caught.value.exit_code
    assert [] == leftovers(cache)


@pytest.mark.parametrize("claimed", [len(BIG) - 1, len(BIG) + 1, 0])
def test_e21_a_wrong_length_is_refused(hub: HubServer, repo: Any, claimed: int) -> None:
    hub.inject("/repos/*", content_length=claimed)
    with pytest.raises((TruncatedError, HubConnectionError)):
        download("org/name", "model.bin", client=quick_client())


def test_e21_more_bytes_than_announced_are_refused(hub: HubServer, repo: Any) -> None:
    hub.inject("*/a.json", method="GET", body=SMALL + b" trailing", content_length="")
    with pytest.raises(TruncatedError):
        download("org/name", "a.json", client=quick_client())


@pytest.mark.parametrize(("name", "size"), [("a.json", len(SMALL)), ("model.bin", len(BIG))])
def test_e22_other_bytes_of_the_right_length_are_refused(
    hub: HubServer, repo: Any, cache: Path, name: str, size: int
) -> None:
    hub.inject(f"*/{name}", method="GET", status=200, body=b"x" * size)
    hub.inject("/repos/*", status=200, body=b"x" * size)
    with pytest.raises(ChecksumError) as caught:
        download("org/name", name, client=quick_client())
    assert caught.value.expected != caught.value.actual == caught.value.actual.lower()
    assert not list((cache / "models--org--name").glob("snapshots/*/*"))
    assert [] == leftovers(cache)


def test_e22_a_proxy_that_garbled_once_is_forgiven(hub: HubServer, repo: Any) -> None:
    hub.inject("*/a.json", method="GET", status=200, body=b"x" * len(SMALL), times=1)
    assert SMALL == download("org/name", "a.json", client=quick_client()).read_bytes()


def test_e22_an_expected_checksum_is_compared_in_any_case(hub: HubServer, repo: Any) -> None:
    right = hashlib.sha256(SMALL).hexdigest()
    for name, digest in (("a.json", right), ("model.bin", hashlib.sha256(BIG).hexdigest())):
        download("org/name", name, expected_sha256=digest.upper())
    with pytest.raises(HubValidationError):
        download("org/name", "a.json", expected_sha256="abc")


@pytest.mark.parametrize("name", ["a.json", "model.bin"])
def test_e22_an_expected_checksum_that_differs_is_an_error_cached_or_not(
    hub: HubServer, repo: Any, cache: Path, name: str
) -> None:
    for _ in range(2):
        with pytest.raises(ChecksumError) as caught:
            download("org/name", name, expected_sha256="0" * 64)
        assert ("0" * 64, 64) == (caught.value.expected, len(caught.value.actual))
        assert not list((cache / "models--org--name").glob("snapshots/*/*"))
    download("org/name", name)
    for offline in (False, True):
        with pytest.raises(ChecksumError):
            download("org/name", name, expected_sha256="0" * 64, offline=offline)


def test_e22_a_mirror_that_names_files_by_sha1_or_anything_else_is_usable(
    hub: HubServer, repo: Any
) -> None:
    for etag in (hashlib.sha1(SMALL).hexdigest(), "some-md5-2", "a/../b"):
        fault = hub.inject("*/a.json", headers={"ETag": f'"{etag}"'})
        assert SMALL == download("org/name", "a.json", force=True).read_bytes()
        fault.times = 0


def test_an_expired_signature_is_replaced_by_a_fresh_one(hub: HubServer, repo: Any) -> None:
    hub.inject("/repos/*", status=403, body=b"Request has expired", times=1)
    assert BIG == download("org/name", "model.bin", client=quick_client()).read_bytes()


def test_e20_much_that_was_received_before_a_failure_is_continued(
    hub: HubServer, cache: Path
) -> None:
    huge = BIG * 10
    hub.add_repo("org/name", {"model.bin": lfs(huge)})
    hub.inject("/repos/*", reset_after=9 << 20, times=1)
    hub.inject("/repos/*", reset_after=-1)
    with pytest.raises(HubConnectionError):
        download("org/name", "model.bin", client=quick_client())
    assert 1 == len(leftovers(cache))
    assert not list((cache / "models--org--name").glob("snapshots/*/*"))
    hub.heal()
    hub.forget()
    assert huge == download("org/name", "model.bin").read_bytes()
    start = hub.matching(origin="cdn")[0].headers["range"]
    assert 8 << 20 <= int(start.removeprefix("bytes=").rstrip("-"))
    assert [] == leftovers(cache)
