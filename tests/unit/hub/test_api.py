"""Information, listings, trees and branches (E09, E10, E11)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import pytest

from ctok.hub import (
    RepoFile,
    RepoFolder,
    dataset_info,
    get_paths_info,
    list_datasets,
    list_files,
    list_models,
    list_repo_refs,
    list_repo_tree,
    list_spaces,
    model_info,
    repo_exists,
    space_info,
)
from ctok.hub.errors import (
    HubHTTPError,
    HubValidationError,
    OfflineModeError,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from hubserver import HubServer, lfs


@pytest.fixture
def repo(hub: HubServer) -> Any:
    return hub.add_repo(
        "org/name",
        {"config.json": b"{}", "sub/deep/x.bin": lfs(b"x" * 99), "sub/y.txt": b"y"},
        tags_shown=["text", "en"],
        downloads=7,
        likes=3,
        card={"license": "mit"},
    )


def test_e09_pages_are_followed_and_parameters_sent_once(hub: HubServer) -> None:
    hub.page_size = 2
    for number in range(5):
        hub.add_repo(f"org/m{number}", {"f": b"1"}, tags_shown=["x"])
    found = [each.id for each in list_models(author="org", filter=["x"], search="m")]
    assert [f"org/m{number}" for number in range(5)] == found
    queries = [parse_qs(each.query) for each in hub.log]
    assert {"author": ["org"], "filter": ["x"], "search": ["m"]} == queries[0]
    assert ["2"] == queries[1]["cursor"]
    assert all(1 == len(values) for query in queries for values in query.values())


def test_e09_pages_are_asked_for_as_they_are_needed(hub: HubServer) -> None:
    hub.page_size = 1
    for number in range(5):
        hub.add_repo(f"org/m{number}", {"f": b"1"})
    rows = list_models()
    assert [] == hub.log
    next(rows)
    assert 1 == hub.hits()
    rows.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize(("limit", "expected"), [(0, 0), (1, 1), (3, 3), (99, 5)])
def test_e09_no_more_than_the_limit(hub: HubServer, limit: int, expected: int) -> None:
    hub.page_size = 2
    for number in range(5):
        hub.add_repo(f"org/m{number}", {"f": b"1"})
    assert expected == len(list(list_models(limit=limit)))


def test_e09_sorting_is_the_hubs(hub: HubServer) -> None:
    for number in range(3):
        hub.add_repo(f"org/d{number}", {"f": b"1"}, kind="dataset", downloads=number)
    hub.add_repo("org/s", {"f": b"1"}, kind="space")
    found = list_datasets(sort="downloads", direction=-1)
    assert ["org/d2", "org/d1", "org/d0"] == [each.id for each in found]
    assert ["-1"] == parse_qs(hub.log[0].query)["direction"]
    assert ["org/s"] == [each.id for each in list_spaces()]


def test_e09_arguments_that_make_no_sense_are_refused() -> None:
    with pytest.raises(HubValidationError):
        list_models(limit=-1)
    with pytest.raises(HubValidationError):
        list_models(direction="up")


def test_e10_what_the_hub_says_about_a_repository(hub: HubServer, repo: Any) -> None:
    info = model_info("org/name")
    assert ("org/name", "model", "org", repo.branches["main"]) == (
        info.id,
        info.kind,
        info.author,
        info.sha,
    )
    assert (("text", "en"), 7, 3) == (info.tags, info.downloads, info.likes)
    assert datetime(2024, 5, 1, 12, tzinfo=UTC) == info.last_modified == info.created_at
    assert {"license": "mit"} == info.card_data
    assert "sub/y.txt" in [each.path for each in info.siblings]
    assert (False, False, False) == (info.gated, info.private, info.disabled)
    assert "usedStorage" in info.raw


def test_e10_sizes_and_checksums_on_request(hub: HubServer, repo: Any) -> None:
    found = {each.path: each for each in model_info("org/name", files_metadata=True).siblings}
    file = lfs(b"x" * 99)
    assert RepoFile("sub/deep/x.bin", 99, file.oid, file.sha256) == found["sub/deep/x.bin"]


def test_e10_datasets_spaces_and_revisions(hub: HubServer, repo: Any) -> None:
    hub.add_repo("org/d", {"f": b"1"}, kind="dataset", gated="auto")
    hub.add_repo("org/s", {"f": b"1"}, kind="space")
    assert ("dataset", "auto") == (dataset_info("org/d").kind, dataset_info("org/d").gated)
    assert "org/s" == space_info("org/s").id
    commit = repo.pull_request(1, {"new": b"1"})
    assert commit == model_info("org/name", revision="refs/pr/1").sha
    with pytest.raises(RevisionNotFoundError):
        model_info("org/name", revision="none")
    with pytest.raises(RepositoryNotFoundError):
        model_info("org/none")
    assert (True, False) == (repo_exists("org/name"), repo_exists("org/none"))


def test_e11_a_tree_by_folder(hub: HubServer, repo: Any) -> None:
    assert {"README.md", "config.json", "sub"} == {e.path for e in list_repo_tree("org/name")}
    below = list(list_repo_tree("org/name", "sub"))
    assert [RepoFolder, RepoFile] == [type(each) for each in below]
    with pytest.raises(RemoteEntryNotFoundError):
        list(list_repo_tree("org/name", "none"))


def test_e11_recursive_and_expanded_are_asked_for_by_one(hub: HubServer, repo: Any) -> None:
    found = {e.path: e for e in list_repo_tree("org/name", recursive=True, expand=True)}
    query = parse_qs(hub.log[0].query)
    assert {"recursive": ["1"], "expand": ["1"]} == query
    deep = found["sub/deep/x.bin"]
    assert isinstance(deep, RepoFile)
    assert (99, lfs(b"x" * 99).sha256) == (deep.size, deep.sha256)
    assert deep.last_commit is not None
    assert repo.branches["main"] == deep.last_commit["id"]


def test_e11_pages_of_a_tree_and_its_files(hub: HubServer, repo: Any) -> None:
    hub.page_size = 1
    assert ["README.md", "config.json", "sub/deep/x.bin", "sub/y.txt"] == list_files("org/name")


def test_e11_climbing_folders_are_refused() -> None:
    with pytest.raises(HubValidationError):
        list_repo_tree("org/name", "../x")


def test_refs_have_names_and_commits(hub: HubServer, repo: Any) -> None:
    main = repo.branches["main"]
    repo.tag("v1")
    pull = repo.pull_request(1, {"f": b"1"})
    refs = list_repo_refs("org/name")
    assert [("main", "refs/heads/main", main)] == [
        (each.name, each.ref, each.commit) for each in refs.branches
    ]
    assert ["v1"] == [each.name for each in refs.tags]
    assert [pull] == [each.commit for each in refs.pull_requests]
    assert () == refs.converts


def test_some_files_in_one_request(hub: HubServer, repo: Any) -> None:
    found = get_paths_info("org/name", ["config.json", "none", "sub"])
    assert [("config.json", RepoFile), ("sub", RepoFolder)] == [
        (each.path, type(each)) for each in found
    ]
    assert 1 == len(get_paths_info("org/name", "config.json"))


def test_e37_offline_forbids_all_of_it(hub: HubServer, repo: Any) -> None:
    for call in (model_info, list_files, list_repo_refs):
        with pytest.raises(OfflineModeError):
            call("org/name", offline=True)
    with pytest.raises(OfflineModeError):
        list(list_models(offline=True))
    assert [] == hub.log


def test_a_listing_that_is_none_is_refused(hub: HubServer) -> None:
    hub.inject("/api/models", status=200, body=b'{"a": 1}')
    with pytest.raises(HubHTTPError, match="a list"):
        list(list_models())
    hub.inject("/api/models/*", status=200, body=b"[]")
    with pytest.raises(HubHTTPError, match="described"):
        model_info("org/name")
