"""The lock file: what it pins, how it reads, what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ctok.errors import FormatError
from ctok.hub.lockfile import (
    FrozenError,
    Lock,
    Pin,
    PinnedFile,
    PinnedRepo,
    changes,
    format_lock,
    parse_lock,
    read_lock,
    write_lock,
)

A, B = "a" * 64, "b" * 64
ONE, TWO = "1" * 40, "2" * 40
MODEL = PinnedRepo(
    "org/name", "model", "main", ONE, {"b.bin": PinnedFile(B, 9), "a": PinnedFile(A, 2)}
)
DATA = PinnedRepo("org/name", "dataset", "refs/pr/1", TWO, {"x/y é.csv": PinnedFile(A, 0)})
LOCK = Lock().with_repo(MODEL).with_repo(DATA)

TEXT = """\
{
  "version": 1,
  "repos": {
    "datasets/org/name@refs/pr/1": {
      "commit": "2222222222222222222222222222222222222222",
      "files": {
        "x/y \\u00e9.csv": {"size": 0, "sha256": "AAA"}
      }
    },
    "org/name@main": {
      "commit": "1111111111111111111111111111111111111111",
      "files": {
        "a": {"size": 2, "sha256": "AAA"},
        "b.bin": {"size": 9, "sha256": "BBB"}
      }
    }
  }
}
""".replace("AAA", A).replace("BBB", B)


def test_the_text_is_sorted_and_one_file_a_line() -> None:
    assert TEXT == format_lock(LOCK)
    assert TEXT == format_lock(Lock().with_repo(DATA).with_repo(MODEL))


@pytest.mark.parametrize(
    "lock", [LOCK, Lock(), Lock().with_repo(PinnedRepo("gpt2", "space", "v1", ONE))]
)
def test_what_was_written_is_read_back(tmp_path: Path, lock: Lock) -> None:
    write_lock(lock, tmp_path / "ctok.lock")
    assert lock == read_lock(tmp_path / "ctok.lock")
    assert ["ctok.lock", "home"] == sorted(path.name for path in tmp_path.iterdir())


def test_a_pin_is_found_by_revision_and_by_commit() -> None:
    assert Pin(ONE, A, 2) == LOCK.pin("org/name", "model", "main", "a")
    assert Pin(ONE, A, 2) == LOCK.pin("org/name", "model", ONE, "a")


@pytest.mark.parametrize(
    ("repo", "kind", "revision", "filename"),
    [
        ("org/other", "model", "main", "a"),
        ("org/name", "space", "main", "a"),
        ("org/name", "model", "v1", "a"),
        ("org/name", "model", TWO, "a"),
        ("org/name", "model", "main", "c"),
    ],
)
def test_what_is_not_pinned_is_refused(repo: str, kind: str, revision: str, filename: str) -> None:
    with pytest.raises(FrozenError) as caught:
        LOCK.pin(repo, kind, revision, filename)
    assert isinstance(caught.value, LookupError)
    assert 15 == caught.value.exit_code
    assert "ctok lock" in caught.value.suggestions()[0]


def damaged(**edit: Any) -> Any:
    data = json.loads(TEXT)
    data["repos"]["org/name@main"] |= edit
    return data


@pytest.mark.parametrize(
    "data",
    [
        [],
        {},
        {"version": 2, "repos": {}},
        {"version": 1},
        {"version": 1, "repos": []},
        {"version": 1, "repos": {"org/name": {"commit": ONE, "files": {}}}},
        damaged(commit="main"),
        damaged(commit=None),
        damaged(files=None),
        damaged(files={"a": {"size": 1}}),
        damaged(files={"a": {"size": "1", "sha256": A}}),
        damaged(files={"a": {"size": 1, "sha256": A.upper()}}),
        damaged(files={"../a": {"size": 1, "sha256": A}}),
        damaged(files={"/a": {"size": 1, "sha256": A}}),
    ],
)
def test_a_lock_file_that_is_not_one_is_refused(data: Any) -> None:
    with pytest.raises(FormatError, match=r"^some\.lock: ") as caught:
        parse_lock(data, "some.lock")
    assert caught.value.suggestions()


def test_broken_json_is_refused_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "ctok.lock").write_text('{\n"version": 1,\n')
    with pytest.raises(FormatError, match="line 3"):
        read_lock(tmp_path / "ctok.lock")


def test_changes_are_told_a_line_each() -> None:
    moved = PinnedRepo(
        "org/name", "model", "main", TWO, {"a": PinnedFile(B, 2), "c": PinnedFile(A, 1)}
    )
    new = Lock().with_repo(moved).with_repo(PinnedRepo("org/new", "model", "main", ONE))
    assert [
        "datasets/org/name@refs/pr/1: no longer pinned",
        "org/name@main: commit 111111111111 -> 222222222222",
        "org/name@main: a changed",
        "org/name@main: b.bin removed",
        "org/name@main: c added",
        "org/new@main: pinned at 111111111111, 0 files",
    ] == list(changes(LOCK, new))
