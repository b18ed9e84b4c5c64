"""Repository references: E44, one value from every way of writing one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ctok.hub.errors import HubValidationError
from ctok.hub.reference import Reference, parse_reference

SHA = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("org/name", Reference(repo="org/name")),
        ("gpt2", Reference(repo="gpt2")),
        ("gpt2@v1", Reference(repo="gpt2", revision="v1")),
        ("org/name@" + SHA, Reference(repo="org/name", revision=SHA)),
        ("org/name@refs/pr/1", Reference(repo="org/name", revision="refs/pr/1")),
        ("org/name@feature%2Fx", Reference(repo="org/name", revision="feature/x")),
        ("org/name@feature/x", Reference(repo="org/name", revision="feature/x")),
        ("datasets/org/name", Reference(repo="org/name", kind="dataset")),
        ("datasets/squad@v1", Reference(repo="squad", kind="dataset", revision="v1")),
        ("spaces/org/name", Reference(repo="org/name", kind="space")),
        ("hf://org/name", Reference(repo="org/name")),
        ("hf://org/name/a/b.json", Reference(repo="org/name", subdir="a/b.json")),
        ("hf://org/name/a@b.json", Reference(repo="org/name", subdir="a@b.json")),
        ("hf://org/name@v1/a", Reference(repo="org/name", revision="v1", subdir="a")),
        ("hf://gpt2@main/a", Reference(repo="gpt2", revision="main", subdir="a")),
        (
            "hf://datasets/org/name@refs/convert/parquet/x/0.parquet",
            Reference(
                repo="org/name",
                kind="dataset",
                revision="refs/convert/parquet",
                subdir="x/0.parquet",
            ),
        ),
        (
            "hf://org/name@feature%2Fx/a",
            Reference(repo="org/name", revision="feature/x", subdir="a"),
        ),
    ],
)
def test_every_way_of_writing_a_repository(text: str, expected: Reference) -> None:
    assert expected == parse_reference(text)
    if expected.revision or "/" in expected.repo:
        assert expected == parse_reference(str(expected))


def test_an_existing_directory_wins_over_a_repository_of_that_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "org" / "name").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert Path("org/name") == parse_reference("org/name").local
    assert parse_reference("hf://org/name").local is None


@pytest.mark.parametrize("text", ["./x", "/x", "../x", "~/x"])
def test_a_path_is_local_whether_or_not_it_exists(text: str) -> None:
    assert Path(text).expanduser() == parse_reference(text).local


@pytest.mark.parametrize(
    "value",
    [
        {"repo": "org/name", "revision": "v1", "subdir": "a", "token": "t", "offline": True},
        ("org/name", {"revision": "v1", "subdir": "a", "token": "t", "offline": True}),
        {"repo": "hf://org/name@v1/a", "token": "t", "offline": True},
        Reference(repo="org/name", revision="v1", subdir="a", token="t", offline=True),
    ],
)
def test_options_arrive_the_same_whichever_way_they_are_given(value: Any) -> None:
    expected = parse_reference("org/name", revision="v1", subdir="a", token="t", offline=True)
    assert expected == parse_reference(value)


def test_the_token_is_never_shown() -> None:
    found = parse_reference("org/name", token="hf_secret")
    assert "hf_secret" not in repr(found) + str(found)


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        None,
        3,
        "a/b/c",
        "org/../name",
        "org/na..me",
        "org/na--me",
        "-org/name",
        "org/name.",
        "org/name.git",
        "org/na me",
        "org\\name",
        "org/na\0me",
        "org/name@",
        "hf://",
        "hf://org/",
        "hf://../name/x",
        "hf://org/name/../x",
        "hf://org/name/a/./b",
        "hf://org/name@v1/..",
        "hf://org/name@..%2F../a",
        "org/name@../../x",
        "org/name@/etc",
        "org/name@a\0b",
        "hf://org/name/a\\..\\b",
        {"revision": "v1"},
        {"repo": "org/name", "colour": "red"},
        {"repo": "org/name@v1", "revision": "v2"},
        {"repo": "org/name", "subdir": "../x"},
    ],
)
def test_what_names_no_repository_is_refused(value: Any) -> None:
    with pytest.raises(HubValidationError) as caught:
        parse_reference(value)
    assert caught.value.suggestions()
