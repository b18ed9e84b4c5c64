"""Names from outside: what is refused, and where the rest leads (E03, E42)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctok.hub.errors import HubValidationError
from ctok.hub.paths import (
    Places,
    RepoId,
    blob_name,
    check_filename,
    check_repo_id,
    check_repo_type,
    check_revision,
    ensure_inside,
    is_commit,
)

CLIMBING = [
    *("../x", "../../x", "a/../../x", "..", ".", "a/.", "./a", "/etc/passwd", "//host/share"),
    *("C:/x", "c:x", "C:\\x", "..\\x", "a\\..\\b", "\\\\host\\share", "a//b", "a/", "/a", ""),
    *("a\0b", "a\nb", "a\x7f", ".. /x", "... /x", "a/.. ./x", " /x", "\ud800"),
]


@pytest.mark.parametrize("name", CLIMBING)
def test_e03_file_names_that_climb_are_refused(name: str) -> None:
    with pytest.raises(HubValidationError) as caught:
        check_filename(name)
    assert caught.value.suggestions()


@pytest.mark.parametrize("name", CLIMBING)
def test_e03_subfolders_that_climb_are_refused(name: str) -> None:
    if name:
        with pytest.raises(HubValidationError):
            check_filename("x", name)


@pytest.mark.parametrize("name", [*CLIMBING, "a:b", "a*", "a?", "a..b/../c", "a^", "x" * 251])
def test_e03_revisions_that_climb_are_refused(name: str) -> None:
    with pytest.raises(HubValidationError):
        check_revision(name)


@pytest.mark.parametrize(
    "name",
    [
        *("../evil/repo", "..", "a/b/c", "a/..", "/a", "a/", "a//b", "org\\name", "a b", "", "~"),
        *("org/na..me", "org/na--me", "org/name.git", "-a", "a-", ".a", "x" * 97, "a\0", "a/b\n"),
        *("https://huggingface.co/org/name", "C:/x"),
    ],
)
def test_e03_repository_ids_that_are_none_are_refused(name: str) -> None:
    with pytest.raises(HubValidationError):
        check_repo_id(name)


@pytest.mark.parametrize("value", [None, 3, b"a"])
def test_a_name_that_is_no_text_is_refused(value: object) -> None:
    with pytest.raises(HubValidationError):
        check_filename(value)  # type: ignore[arg-type]
    with pytest.raises(HubValidationError):
        check_repo_id(value)  # type: ignore[arg-type]


def test_unknown_repository_types_are_refused() -> None:
    with pytest.raises(HubValidationError, match="model, dataset, space"):
        check_repo_type("kernel")


@pytest.mark.parametrize(
    "name", ["gpt2", "org/name", "org/name-1.5_B", "a", "0/1", "org/" + "x" * 96, "_a/b_"]
)
def test_ordinary_repository_ids_pass(name: str) -> None:
    assert name == check_repo_id(name)


@pytest.mark.parametrize(
    "name", ["a.json", "a b#.json", "d/e/f", "..a", "a..", ".gitignore", "日本"]
)
def test_ordinary_file_names_pass(name: str) -> None:
    assert name == check_filename(name)


@given(st.text(max_size=30))
def test_e03_no_name_that_passes_leaves_the_root(name: str) -> None:
    try:
        checked = check_filename(name)
    except HubValidationError:
        return
    place = os.path.normpath(Path("/data/folder") / checked)
    assert place.startswith("/data/folder/")


@given(st.text(max_size=30))
def test_e03_no_etag_leaves_the_blobs(etag: str) -> None:
    places = Places(Path("/cache"), RepoId("org/name"))
    assert "/cache/models--org--name/blobs" == os.path.normpath(places.blob(etag).parent)
    assert blob_name(etag) not in ("", ".", "..")


def test_e03_a_folder_that_is_a_link_out_of_the_root_is_refused(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (root / "sub").symlink_to(outside)
    ensure_inside(root / "file", root)
    with pytest.raises(HubValidationError, match="through a link"):
        ensure_inside(root / "sub" / "file", root)


@pytest.mark.parametrize(
    ("repo", "revision", "file", "expected"),
    [
        (RepoId("org/name"), "main", "a.json", "/org/name/resolve/main/a.json"),
        (RepoId("gpt2"), "refs/pr/1", "a b#.json", "/gpt2/resolve/refs%2Fpr%2F1/a%20b%23.json"),
        (RepoId("o/n", "dataset"), "v1", "d/e?.csv", "/datasets/o/n/resolve/v1/d/e%3F.csv"),
        (RepoId("o/n", "space"), "main", "100%.txt", "/spaces/o/n/resolve/main/100%25.txt"),
    ],
)
def test_e42_urls_quote_the_revision_whole_and_the_path_by_segment(
    repo: RepoId, revision: str, file: str, expected: str
) -> None:
    assert expected == repo.file_path(revision, file)


def test_e42_api_paths_name_the_kind() -> None:
    assert "/api/models/org/name" == RepoId("org/name").api_path()
    assert "/api/datasets/o/n/revision/refs%2Fpr%2F1" == RepoId("o/n", "dataset").api_path(
        "revision", "refs/pr/1"
    )


def test_e08_the_layout_is_huggingface_hubs() -> None:
    places = Places(Path("/c"), RepoId("org/name", "dataset"))
    commit = "0" * 40
    assert Path("/c/datasets--org--name/blobs/abc") == places.blob("abc")
    assert Path("/c/datasets--org--name/refs/refs/pr/1") == places.ref("refs/pr/1")
    assert Path(f"/c/datasets--org--name/snapshots/{commit}/d/f") == places.pointer(commit, "d/f")
    assert Path(f"/c/datasets--org--name/.no_exist/{commit}/f") == places.no_exist(commit, "f")
    assert Path("/c/.locks/datasets--org--name/abc.lock") == places.lock("abc")


@pytest.mark.parametrize(
    ("value", "expected"),
    [("0" * 40, True), ("0" * 39, False), ("g" * 40, False), ("A" * 40, False), ("main", False)],
)
def test_d07_only_a_full_hash_pins(value: str, expected: bool) -> None:
    assert expected == is_commit(value)
