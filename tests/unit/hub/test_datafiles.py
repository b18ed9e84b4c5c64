"""Configurations, splits and data files of datasets (E12, E13, E14)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ctok.hub import data_files, dataset_configs, dataset_splits
from ctok.hub.datafiles import is_data, split_of
from ctok.hub.errors import AuthenticationError, EntryNotFoundError, GatedRepoError
from hubserver import HubServer

LEGACY = {
    "en": {"splits": {"train": {}, "test": {}}},
    "de": {"splits": {"validation": {}, "train": {}}},
}


def dataset(hub: HubServer, *files: str, card: dict[str, Any] | None = None, **more: bytes) -> None:
    contents = dict.fromkeys(files, b"data")
    contents |= {name.replace("__", "."): data for name, data in more.items()}
    hub.add_repo("org/data", contents or {"README.md": b"#"}, kind="dataset", card=card or {})


def test_e12_the_cards_configurations_come_first(hub: HubServer) -> None:
    dataset(
        hub,
        "x/train.csv",
        card={
            "configs": [{"config_name": "b"}, {"config_name": "a"}],
            "dataset_config_names": ["old"],
        },
        dataset_infos__json=json.dumps(LEGACY).encode(),
    )
    assert ["b", "a"] == dataset_configs("org/data")


def test_e12_then_the_legacy_names(hub: HubServer) -> None:
    dataset(
        hub,
        "x/train.csv",
        card={"dataset_config_names": ["one", "two"]},
        dataset_infos__json=json.dumps(LEGACY).encode(),
    )
    assert ["one", "two"] == dataset_configs("org/data")


def test_e12_then_the_keys_of_dataset_infos(hub: HubServer) -> None:
    dataset(hub, "x/train.csv", dataset_infos__json=json.dumps(LEGACY).encode())
    assert ["de", "en"] == dataset_configs("org/data")


def test_e12_then_the_folders(hub: HubServer) -> None:
    dataset(hub, "math/train.parquet", "law/test.parquet", "README.md", "docs/readme.md")
    assert ["law", "math"] == dataset_configs("org/data")


@pytest.mark.parametrize(
    "files", [("train.csv",), ("data/train.csv",), ("train/1.csv", "test/1.csv")]
)
def test_e12_files_without_a_folder_of_their_own_are_the_default(
    hub: HubServer, files: tuple[str, ...]
) -> None:
    dataset(hub, *files)
    assert ["default"] == dataset_configs("org/data")


@pytest.mark.parametrize("legacy", [b"{", b"[]", b""])
def test_e12_nothing_known_is_an_empty_list(hub: HubServer, legacy: bytes) -> None:
    dataset(hub, "README.md", dataset_infos__json=legacy)
    assert [] == dataset_configs("org/data")


def test_e12_a_refusal_is_raised(hub: HubServer) -> None:
    dataset(hub, "train.csv")
    hub.inject("/api/datasets/*", status=403)
    with pytest.raises(AuthenticationError):
        dataset_configs("org/data")
    hub.heal()
    hub.inject("*/dataset_infos.json", status=403, headers={"X-Error-Code": "GatedRepo"})
    with pytest.raises(GatedRepoError):
        dataset_configs("org/data")


def test_e13_splits_of_the_card_in_both_forms(hub: HubServer) -> None:
    dataset(hub, "x.csv", card={"dataset_info": {"splits": [{"name": "train"}, {"name": "dev"}]}})
    assert ["dev", "train"] == dataset_splits("org/data")
    dataset(
        hub,
        "x.csv",
        card={
            "dataset_info": [
                {"config_name": "a", "splits": [{"name": "z"}, {"name": "b"}]},
                {"config_name": "default", "splits": {"only": {}}},
            ]
        },
    )
    assert ["b", "z"] == dataset_splits("org/data", "a")
    assert ["only"] == dataset_splits("org/data")


def test_e13_splits_of_dataset_infos(hub: HubServer) -> None:
    dataset(hub, "x.csv", dataset_infos__json=json.dumps(LEGACY).encode())
    assert ["test", "train"] == dataset_splits("org/data", "en")
    assert ["train", "validation"] == dataset_splits("org/data")


def test_e13_splits_of_declared_files(hub: HubServer) -> None:
    configs = [
        {
            "config_name": "main",
            "data_files": [{"split": "x", "path": "f.csv"}, {"split": "a", "path": ["g.csv"]}],
        }
    ]
    dataset(hub, "f.csv", "g.csv", card={"configs": configs})
    assert ["a", "x"] == dataset_splits("org/data", "main")


def test_e13_splits_by_the_names_of_files(hub: HubServer) -> None:
    dataset(
        hub,
        "a/train-00000-of-00002.parquet",
        "a/validation-00000-of-00001.parquet",
        "a/custom_split-00000-of-00001.parquet",
        "b/data/eval.jsonl",
    )
    assert ["custom_split", "train", "validation"] == dataset_splits("org/data", "a")
    assert ["test"] == dataset_splits("org/data", "b")


def test_e13_the_default_configuration_is_default_else_the_first(hub: HubServer) -> None:
    dataset(hub, "zeta/test.csv", "default/train.csv", "alpha/dev.csv")
    assert ["train"] == dataset_splits("org/data")
    dataset(hub, "zeta/test.csv", "alpha/dev.csv")
    assert ["validation"] == dataset_splits("org/data")


def test_e13_nothing_known_is_an_empty_list(hub: HubServer) -> None:
    dataset(hub, "README.md")
    assert [] == dataset_splits("org/data")
    assert [] == dataset_splits("org/data", "none")


@pytest.mark.parametrize(
    ("files", "config", "split", "expected"),
    [
        (
            ["a/test-00001-of-00002.parquet", "a/test-00000-of-00002.parquet", "a/train.csv"],
            "a",
            "test",
            ["a/test-00000-of-00002.parquet", "a/test-00001-of-00002.parquet"],
        ),
        (["a/data/test.jsonl", "a/test.txt.md"], "a", "test", ["a/data/test.jsonl"]),
        (["a/test/1.csv", "a/test/2.csv"], "a", "test", ["a/test/1.csv", "a/test/2.csv"]),
        (["data/test.csv"], "a", "test", ["data/test.csv"]),
        (["test.csv", "b/test.csv"], "a", "test", ["test.csv"]),
        (["a/x-dev.csv"], "a", "validation", ["a/x-dev.csv"]),
        (["a/val.csv"], "a", "validation", ["a/val.csv"]),
        (["a/valid.csv"], "a", "validation", ["a/valid.csv"]),
        (["a/x.training.csv"], "a", "train", ["a/x.training.csv"]),
        (["a/my_evaluation_set.csv"], "a", "test", ["a/my_evaluation_set.csv"]),
        (["a/testing/deep/x.csv"], "a", "test", ["a/testing/deep/x.csv"]),
        (["a/1.csv", "a/2.csv"], "a", "train", ["a/1.csv", "a/2.csv"]),
    ],
)
def test_e14_files_of_a_split(
    hub: HubServer, files: list[str], config: str, split: str, expected: list[str]
) -> None:
    dataset(hub, *files)
    assert expected == data_files("org/data", split, config)


def test_e14_declared_patterns_win_over_names(hub: HubServer) -> None:
    configs = [
        {
            "config_name": "main",
            "data_files": [
                {"split": "train", "path": "parts/*.csv"},
                {"split": "test", "path": "**/held-out.csv"},
            ],
        }
    ]
    dataset(
        hub,
        "parts/1.csv",
        "parts/x/2.csv",
        "train.csv",
        "x/held-out.csv",
        card={"configs": configs},
    )
    assert ["parts/1.csv"] == data_files("org/data", "train", "main")
    assert ["x/held-out.csv"] == data_files("org/data", "test")


@pytest.mark.parametrize(
    "declared", ["all.csv", ["all.csv"], {"split": "train", "path": "all.csv"}]
)
def test_e14_declared_files_in_all_their_forms(hub: HubServer, declared: Any) -> None:
    dataset(
        hub,
        "all.csv",
        "other.csv",
        card={"configs": [{"config_name": "main", "data_files": declared}]},
    )
    assert ["all.csv"] == data_files("org/data", "train")


def test_e14_no_match_is_an_error_that_names_the_splits(hub: HubServer) -> None:
    dataset(hub, "a/train.csv", "a/dev.csv")
    with pytest.raises(EntryNotFoundError) as caught:
        data_files("org/data", "test", "a")
    assert "train, validation" in str(caught.value)
    assert "dataset_splits" in caught.value.suggestions()[0]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        *((f"x.{end}", True) for end in ("parquet", "jsonl", "json", "csv", "tsv", "arrow")),
        *((f"x.{end}", True) for end in ("txt", "zip", "tar", "tar.gz", "tgz", "csv.gz")),
        *((f"x.{end}", False) for end in ("md", "py", "png", "bin", "parquets")),
        *((name, False) for name in ("dataset_infos.json", ".gitattributes", "d/.x.json")),
    ],
)
def test_e14_what_counts_as_data(name: str, expected: bool) -> None:
    assert expected == is_data(name)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("trainer.csv", None),
        ("contest.csv", None),
        ("restraining/x.csv", None),
        ("x/train/1.csv", "train"),
        ("train1.csv", "train"),
        ("latest.csv", None),
    ],
)
def test_e14_a_keyword_stands_alone(path: str, expected: str | None) -> None:
    assert expected == split_of(path)
