"""Which configurations and splits a dataset has, and which files hold them.

Asked in this order, the first that knows wins::

    the README's YAML     configs: [{config_name, data_files: [{split, path}]}]
                          dataset_info: {splits: [...]}, or a list of them by config_name
                          dataset_config_names: [...]            (old)
    dataset_infos.json    {config: {splits: {name: ...}}}        (old)
    the names of files    <config>/[data/]<split>-00000.parquet, <split>.csv, train/x.json, ...
"""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Unpack

from ctok.hub.api import Access, RepoFile, RepoInfo, dataset_info, list_repo_tree, reached
from ctok.hub.errors import EntryNotFoundError, RemoteEntryNotFoundError
from ctok.hub.files import download
from ctok.hub.http import Client

SUFFIXES = (
    *(".parquet", ".jsonl", ".json", ".csv", ".tsv", ".arrow", ".txt", ".zip"),
    *(".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst", ".gz"),
)
# Split names and the words that mean them in the name of a file or folder.
KEYWORDS = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "dev", "val"),
    "test": ("test", "testing", "eval", "evaluation"),
}
_NO_DATA = ("dataset_infos.json", "dataset_info.json", "state.json")
_BREAK = r"[-._ 0-9/]"
_SHARD = re.compile(r"(?P<split>[A-Za-z0-9_.]+)-\d{5}-of-\d{5}[^/]*$")


def dataset_configs(
    repo_id: str, *, revision: str | None = None, **access: Unpack[Access]
) -> list[str]:
    """The names of a dataset's configurations; an empty list where nothing tells.

    Raises:
        HubError: the dataset cannot be read (a gated one says how to get access).

    Example:
        >>> dataset_configs("openai/gsm8k")  # doctest: +SKIP
        ['main', 'socratic']
    """
    with reached(access) as client:
        return _Dataset(client, repo_id, revision).configs()


def dataset_splits(
    repo_id: str,
    config: str | None = None,
    *,
    revision: str | None = None,
    **access: Unpack[Access],
) -> list[str]:
    """The names of the splits of a configuration, sorted; an empty list where nothing tells.

    Args:
        repo_id, revision: which dataset.
        config: which configuration; ``default`` if there is one, else the first.
        **access: see ``ctok.hub.api.Access``.

    Example:
        >>> dataset_splits("openai/gsm8k", "main")  # doctest: +SKIP
        ['test', 'train']
    """
    with reached(access) as client:
        return _Dataset(client, repo_id, revision).splits(config)


def data_files(
    repo_id: str,
    split: str,
    config: str | None = None,
    *,
    revision: str | None = None,
    **access: Unpack[Access],
) -> list[str]:
    """The paths of the files that hold a split of a configuration, in order.

    Args:
        repo_id, revision: which dataset.
        split: ``train``, ``test`` or another name.
        config: as for ``dataset_splits``.
        **access: see ``ctok.hub.api.Access``.

    Raises:
        EntryNotFoundError: no file belongs to it; the message names the splits there are.

    Example:
        >>> data_files("openai/gsm8k", "test", "main")  # doctest: +SKIP
        ['main/test-00000-of-00001.parquet']
    """
    with reached(access) as client:
        dataset = _Dataset(client, repo_id, revision)
        chosen = dataset.choose(config)
        found = dataset.files_of(split, chosen)
        if found:
            return found
        known = dataset.splits(chosen)
    raise EntryNotFoundError(
        f"no data file of {repo_id} belongs to split {split!r}"
        + (f" of configuration {chosen!r}" if chosen else "")
        + (f"; there are {', '.join(known)}" if known else ""),
        repo_id=repo_id,
        revision=revision or "main",
        filename=split,
        suggestions=(
            f"List the splits: ctok.hub.dataset_splits({repo_id!r}, {chosen!r}).",
            f"List the configurations: ctok.hub.dataset_configs({repo_id!r}).",
        ),
    )


def is_data(path: str) -> bool:
    """Whether a path is that of a data file, by its suffix.

    Example:
        >>> is_data("data/train-00000-of-00001.parquet"), is_data("README.md")
        (True, False)
    """
    name = path.rpartition("/")[2]
    return name.lower().endswith(SUFFIXES) and name not in _NO_DATA and not name.startswith(".")


def split_of(path: str) -> str | None:
    """The split that a path (below its configuration) names, or None.

    Example:
        >>> split_of("train-00000-of-00001.parquet"), split_of("en/dev.jsonl"), split_of("x.csv")
        ('train', 'validation', None)
    """
    shard = _SHARD.search(path)
    if shard is not None:
        return _canonical(shard["split"])
    for split, words in KEYWORDS.items():
        if any(_mentions(path, word) for word in words):
            return split
    return None


def _canonical(word: str) -> str:
    return next((split for split, words in KEYWORDS.items() if word in words), word)


def _mentions(path: str, word: str) -> bool:
    return re.search(f"(?:^|{_BREAK}){re.escape(word)}(?:{_BREAK}|$)", path) is not None


@dataclass
class _Dataset:
    """One dataset at one revision; each source is asked at most once."""

    client: Client
    repo_id: str
    revision: str | None
    _asked: dict[str, Any] = field(default_factory=dict)

    @property
    def info(self) -> RepoInfo:
        if "info" not in self._asked:
            self._asked["info"] = dataset_info(
                self.repo_id, revision=self.revision, client=self.client
            )
        found: RepoInfo = self._asked["info"]
        return found

    @property
    def legacy(self) -> Mapping[str, Any]:
        """dataset_infos.json, or nothing."""
        if "legacy" not in self._asked:
            self._asked["legacy"] = self._read_legacy()
        found: Mapping[str, Any] = self._asked["legacy"]
        return found

    @property
    def files(self) -> list[str]:
        """All data files."""
        if "files" not in self._asked:
            tree = list_repo_tree(
                self.repo_id,
                repo_type="dataset",
                revision=self.info.sha or self.revision,
                recursive=True,
                client=self.client,
            )
            paths = (entry.path for entry in tree if isinstance(entry, RepoFile))
            self._asked["files"] = sorted(filter(is_data, paths))
        found: list[str] = self._asked["files"]
        return found

    def configs(self) -> list[str]:
        card = self.info.card_data
        return (
            [str(each["config_name"]) for each in _dicts(card.get("configs")) if _named(each)]
            or _names(card.get("dataset_config_names"))
            or _names(self.info.raw.get("dataset_config_names"))
            or [str(each["config_name"]) for each in self._card_infos() if _named(each)]
            or sorted(map(str, self.legacy))
            or self._configs_by_folder()
        )

    def choose(self, config: str | None) -> str | None:
        """The configuration that is meant: as given, else ``default``, else the first."""
        if config is not None:
            return config
        names = self.configs()
        return "default" if "default" in names else next(iter(names), None)

    def splits(self, config: str | None) -> list[str]:
        chosen = self.choose(config)
        for info in self._card_infos():
            if (not _named(info) or info["config_name"] == chosen) and info.get("splits"):
                return sorted(_split_names(info["splits"]))
        declared = self._declared(chosen)
        if declared:
            return sorted(declared)
        legacy = self.legacy.get(chosen or "default")
        if isinstance(legacy, Mapping) and legacy.get("splits"):
            return sorted(_split_names(legacy["splits"]))
        inside = self._inside(chosen)
        named = {split for split in map(split_of, inside.values()) if split is not None}
        # As in the datasets library, files that name no split are for training.
        return sorted(named) or (["train"] if inside else [])

    def files_of(self, split: str, config: str | None) -> list[str]:
        patterns = self._declared(config).get(split)
        if patterns:
            return [path for path in self.files if any(_matches(path, each) for each in patterns)]
        inside = self._inside(config)
        exact = [
            path
            for path, rest in inside.items()
            if rest.startswith((f"{split}-", f"{split}.", f"{split}/"))
        ]
        if exact:
            return exact
        by_word = [path for path, rest in inside.items() if split_of(rest) == split]
        if by_word or split != "train" or any(map(split_of, inside.values())):
            return by_word
        return list(inside)

    def _inside(self, config: str | None) -> dict[str, str]:
        """Path -> path below its configuration's folder; the top where it has no folder."""
        own = (f"{config}/data/", f"{config}/", f"data/{config}/") if config else ()
        for prefix in (*own, "data/", ""):
            found = {
                path: path.removeprefix(prefix) for path in self.files if path.startswith(prefix)
            }
            if found:
                return found
        return {}

    def _configs_by_folder(self) -> list[str]:
        tops = {path.partition("/")[0] for path in self.files if "/" in path}
        folders = sorted(top for top in tops if top != "data" and split_of(f"{top}/") is None)
        if folders:
            return folders
        return ["default"] if self.files else []

    def _card_infos(self) -> list[Mapping[str, Any]]:
        return _dicts(self.info.card_data.get("dataset_info"))

    def _declared(self, config: str | None) -> dict[str, list[str]]:
        """Split -> patterns, where the card says so."""
        for each in _dicts(self.info.card_data.get("configs")):
            if each.get("config_name") == config:
                return _patterns(each.get("data_files"))
        return {}

    def _read_legacy(self) -> Mapping[str, Any]:
        try:
            path = download(
                self.repo_id,
                "dataset_infos.json",
                repo_type="dataset",
                revision=self.info.sha or self.revision,
                client=self.client,
            )
        except RemoteEntryNotFoundError:
            return {}
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            return {}
        return data if isinstance(data, Mapping) else {}


def _dicts(value: Any) -> list[Mapping[str, Any]]:
    """A mapping or a list of them, as a list."""
    listed = [value] if isinstance(value, Mapping) else value
    if not isinstance(listed, Sequence) or isinstance(listed, str):
        return []
    return [each for each in listed if isinstance(each, Mapping)]


def _names(value: Any) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else []


def _named(info: Mapping[str, Any]) -> bool:
    return bool(info.get("config_name"))


def _split_names(splits: Any) -> Iterable[str]:
    """Both forms: ``{name: {...}}`` and ``[{"name": name, ...}]``."""
    if isinstance(splits, Mapping):
        return map(str, splits)
    return [str(each["name"]) for each in _dicts(splits) if "name" in each]


def _patterns(declared: Any) -> dict[str, list[str]]:
    """``data_files`` in all its forms: a pattern, a list of them, or split by split."""
    if isinstance(declared, str):
        return {"train": [declared]}
    if isinstance(declared, list) and all(isinstance(each, str) for each in declared):
        return {"train": list(declared)} if declared else {}
    found: dict[str, list[str]] = {}
    for each in _dicts(declared):
        path = each.get("path")
        paths = [path] if isinstance(path, str) else _names(path)
        if "split" in each and paths:
            found.setdefault(str(each["split"]), []).extend(paths)
    return found


def _matches(path: str, pattern: str) -> bool:
    """A card's pattern: ``*`` stays within a folder, ``**`` does not."""
    pattern = pattern.removeprefix("./")
    if "**" in pattern:
        return fnmatch.fnmatchcase(path, pattern.replace("**/", "*").replace("**", "*"))
    parts, wanted = path.split("/"), pattern.split("/")
    return len(parts) == len(wanted) and all(map(fnmatch.fnmatchcase, parts, wanted))
