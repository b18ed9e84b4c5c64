"""A repository's files at one commit (E25, E45)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ctok.hub import snapshot_download
from ctok.hub.errors import (
    GatedRepoError,
    HubHTTPError,
    IncompleteSnapshotError,
    LocalEntryNotFoundError,
    OfflineModeError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
    SnapshotError,
    StaleFileWarning,
    UnreachableEntryError,
)
from ctok.hub.listing import select
from hubclock import quick_client
from hubfiles import no_sockets
from hubserver import HubServer, lfs

FILES = {
    "config.json": b"{}",
    "tokenizer.json": b"[]",
    "model.bin": lfs(b"weights" * 100),
    "onnx/model.onnx": lfs(b"onnx" * 100),
    "onnx/config.json": b"{1}",
    "empty": b"",
}


@pytest.fixture
def repo(hub: HubServer) -> Any:
    return hub.add_repo("org/name", FILES)


def names(folder: Path) -> set[str]:
    return {each.relative_to(folder).as_posix() for each in folder.rglob("*") if each.is_file()}


def test_e25_all_files_of_one_commit(hub: HubServer, repo: Any, cache: Path) -> None:
    folder = snapshot_download("org/name")
    assert cache / "models--org--name/snapshots" / repo.branches["main"] == folder
    assert set(FILES) == names(folder)
    assert b"weights" * 100 == (folder / "model.bin").read_bytes()
    assert repo.branches["main"] == (cache / "models--org--name/refs/main").read_text()


def test_e25_no_head_per_file(hub: HubServer, repo: Any) -> None:
    snapshot_download("org/name")
    assert 0 == hub.hits(method="HEAD")
    assert 2 == hub.hits("/api/*")


@pytest.mark.parametrize(
    ("allow", "ignore", "expected"),
    [
        (None, None, set(FILES)),
        ("*.json", None, {"config.json", "tokenizer.json", "onnx/config.json"}),
        (["*.json"], ["onnx/*"], {"config.json", "tokenizer.json"}),
        (["onnx/"], None, {"onnx/model.onnx", "onnx/config.json"}),
        (["**/*.json"], None, {"onnx/config.json"}),
        (["model.???"], None, {"model.bin"}),
        (["[ct]o*.json"], None, {"config.json", "tokenizer.json"}),
        (None, ["*.json", "onnx/**", "empty"], {"model.bin"}),
        ([], None, set()),
    ],
)
def test_e25_patterns_choose(
    hub: HubServer, repo: Any, allow: Any, ignore: Any, expected: set[str]
) -> None:
    assert expected == set(select(FILES, allow, ignore))
    folder = snapshot_download("org/name", allow_patterns=allow, ignore_patterns=ignore)
    assert expected == names(folder)


def test_e25_a_branch_that_moves_meanwhile_changes_nothing(hub: HubServer, repo: Any) -> None:
    first = repo.branches["main"]
    hub.inject(
        "/api/models/org/name/revision/main",
        times=1,
        then=lambda: repo.commit({"config.json": b"{new}", "more": b"1"}),
    )
    folder = snapshot_download("org/name")
    assert (first, set(FILES)) == (folder.name, names(folder))
    assert b"{}" == (folder / "config.json").read_bytes()


def test_e25_failures_are_gathered_and_the_rest_is_kept(hub: HubServer, repo: Any) -> None:
    hub.inject("*/config.json", status=500)
    with pytest.raises(SnapshotError) as caught:
        snapshot_download("org/name", client=quick_client())
    assert {"config.json", "onnx/config.json"} == set(caught.value.failures)
    assert all(isinstance(each, HubHTTPError) for each in caught.value.failures.values())
    assert "run it again" in caught.value.suggestions()[0].lower()
    hub.heal()
    hub.forget()
    snapshot_download("org/name")
    assert 2 == hub.hits("*/resolve/*")


def test_e25_what_no_file_can_overcome_ends_it_early(hub: HubServer) -> None:
    hub.add_repo("org/gated", {f"{n}": b"x" for n in range(40)}, gated=True)
    with pytest.raises(SnapshotError) as caught:
        snapshot_download("org/gated", max_workers=2)
    assert 10 > hub.hits("*/resolve/*")
    assert isinstance(caught.value.__cause__, GatedRepoError)
    assert 11 == caught.value.exit_code  # type: ignore[misc]
    assert any("Accept the terms" in each for each in caught.value.suggestions())


def test_e25_a_pinned_snapshot_costs_no_request(
    hub: HubServer, repo: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = repo.branches["main"]
    folder = snapshot_download("org/name", revision=commit)
    no_sockets(monkeypatch)
    assert folder == snapshot_download("org/name", revision=commit)
    assert folder == snapshot_download("org/name", revision=commit, allow_patterns="*.json")


def test_e25_offline_serves_a_whole_snapshot_and_says_what_is_missing(
    hub: HubServer, repo: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = snapshot_download("org/name", ignore_patterns="onnx/")
    monkeypatch.setenv("CTOK_OFFLINE", "1")
    no_sockets(monkeypatch)
    assert folder == snapshot_download("org/name", ignore_patterns="onnx/")
    with pytest.raises(IncompleteSnapshotError) as caught:
        snapshot_download("org/name")
    assert {"onnx/model.onnx", "onnx/config.json"} == set(caught.value.missing)
    assert str(folder) == caught.value.path
    with pytest.raises(OfflineModeError):
        snapshot_download("org/other")


def test_e25_local_files_only_without_a_snapshot(hub: HubServer, repo: Any) -> None:
    with pytest.raises(LocalEntryNotFoundError):
        snapshot_download("org/name", local_files_only=True)
    assert [] == hub.log


def test_e47_without_an_answer_the_older_snapshot_is_served_with_a_warning(
    hub: HubServer, repo: Any
) -> None:
    folder = snapshot_download("org/name")
    hub.close()
    with pytest.warns(StaleFileWarning, match="outdated"):
        assert folder == snapshot_download("org/name", client=quick_client())
    with pytest.raises(UnreachableEntryError):
        snapshot_download("org/name", revision="v2", client=quick_client())


def test_e15_a_snapshot_in_a_folder_of_choice(hub: HubServer, repo: Any, tmp_path: Path) -> None:
    folder = snapshot_download("org/name", local_dir=tmp_path / "here")
    assert tmp_path / "here" == folder
    assert set(FILES) == {each for each in names(folder) if not each.startswith(".cache/")}


@pytest.mark.parametrize("workers", [1, 3])
def test_e45_no_more_workers_than_asked_for(hub: HubServer, repo: Any, workers: int) -> None:
    hub.inject("*/resolve/*", delay=0.05)
    snapshot_download("org/name", max_workers=workers)
    assert workers >= hub.peak


def test_e39_progress_of_a_snapshot_adds_up(hub: HubServer, repo: Any) -> None:
    seen: list[tuple[int, int | None]] = []
    snapshot_download("org/name", progress=lambda done, total: seen.append((done, total)))
    size = sum(len(getattr(each, "data", each)) for each in FILES.values())
    done = [each for each, _ in seen]
    assert (size, size) == seen[-1]
    assert sorted(set(done)) == done


def test_pages_of_a_tree_are_all_read(hub: HubServer, repo: Any) -> None:
    hub.page_size = 2
    assert set(FILES) == names(snapshot_download("org/name"))


def test_what_the_hub_does_not_have_is_said(hub: HubServer, repo: Any) -> None:
    with pytest.raises(RepositoryNotFoundError):
        snapshot_download("org/none")
    with pytest.raises(RevisionNotFoundError):
        snapshot_download("org/name", revision="none")


def test_e03_a_tree_that_names_climbing_paths_writes_nothing_outside(
    hub: HubServer, cache: Path
) -> None:
    hub.add_repo("org/evil", {"../../../../evil": b"1", "ok": b"2"})
    with pytest.raises(SnapshotError) as caught:
        snapshot_download("org/evil")
    assert {"../../../../evil"} == set(caught.value.failures)
    assert not list(cache.parent.parent.glob("**/evil"))


def test_a_listing_that_cannot_be_read_is_asked_again(
    hub: HubServer, repo: Any, cache: Path
) -> None:
    commit = repo.branches["main"]
    snapshot_download("org/name", revision=commit)
    tree = cache / "models--org--name/trees" / f"{commit}.json"
    for damaged in ("{", "[]", '{"format_version": 99, "files": {}}'):
        tree.write_text(damaged)
        hub.forget()
        snapshot_download("org/name", revision=commit)
        assert 1 == hub.hits("/api/*")


def test_e44_a_local_directory_is_its_own_snapshot(hub: HubServer, tmp_path: Path) -> None:
    assert tmp_path == snapshot_download(tmp_path)
    with pytest.raises(LocalEntryNotFoundError):
        snapshot_download(tmp_path / "none")
    assert [] == hub.log
