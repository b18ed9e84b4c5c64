"""The files of one commit, as data: asked for once, then kept beside the snapshot.

``trees/<commit>.json`` has huggingface_hub's form, so that each finds what the other asked for::

    {"format_version": 1, "files": {"a.json": {"size": 2, "blob_id": "<git SHA-1>"},
        "b.bin": {"size": 9, "blob_id": "...", "lfs_sha256": "...", "lfs_size": 9}}}
"""

from __future__ import annotations

import contextlib
import fnmatch
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ctok.hub import store
from ctok.hub.errors import HubValidationError
from ctok.hub.http import Client
from ctok.hub.paths import Places, ensure_inside
from ctok.hub.refusal import Subject

_VERSION = 1


@dataclass(frozen=True)
class Listed:
    """One file of a commit: its length, git's id, and its SHA-256 where it lies in LFS."""

    path: str
    size: int
    oid: str
    sha256: str | None = None

    @property
    def etag(self) -> str:
        """What the Hub will send as ETag, hence the name of the blob."""
        return self.sha256 or self.oid


def select(
    paths: Iterable[str],
    allow: str | Sequence[str] | None = None,
    ignore: str | Sequence[str] | None = None,
) -> list[str]:
    """The paths that match a pattern to allow and none to ignore.

    Args:
        paths: what to choose from.
        allow: patterns of ``*``, ``?``, ``[...]``; ``*`` and ``**`` cross slashes, a pattern that
            ends in a slash means all below. None allows everything.
        ignore: patterns likewise.

    Example:
        >>> select(["a.json", "x/b.json", "x/c.bin"], allow="*.json", ignore=["x/"])
        ['a.json']
    """
    wanted, unwanted = _patterns(allow), _patterns(ignore)
    return [
        path
        for path in paths
        if (allow is None or any(fnmatch.fnmatchcase(path, each) for each in wanted))
        and not any(fnmatch.fnmatchcase(path, each) for each in unwanted)
    ]


def _patterns(given: str | Sequence[str] | None) -> list[str]:
    named = [given] if isinstance(given, str) else list(given or ())
    for each in named:
        if not isinstance(each, str):
            raise HubValidationError(f"the pattern {each!r} is no text", value=each)
    return [each + "*" if each.endswith("/") else each for each in named]


def fetch_listing(client: Client, places: Places, commit: str) -> dict[str, Listed]:
    """Every file of a commit, asked of the Hub and kept in the cache."""
    rows = client.pages(
        places.repo.api_path("tree", commit),
        subject=Subject(places.repo, commit),
        params={"recursive": "1"},
    )
    found = {each.path: each for each in map(_from_row, rows) if each is not None}
    _write(places, commit, found)
    return found


def _from_row(row: Any) -> Listed | None:
    if not isinstance(row, Mapping) or row.get("type") != "file":
        return None
    lfs = row.get("lfs") or {}
    return Listed(
        path=str(row["path"]),
        size=int(lfs.get("size") or row.get("size") or 0),
        oid=str(row["oid"]),
        sha256=str(lfs["oid"]).removeprefix("sha256:") if "oid" in lfs else None,
    )


def read_listing(places: Places, commit: str) -> dict[str, Listed] | None:
    """The listing that is kept, or None where there is none that can be read."""
    try:
        data = json.loads(places.tree(commit).read_text(encoding="utf-8"))
        if data["format_version"] != _VERSION:
            return None
        return {
            path: Listed(
                path=path,
                size=int(each.get("lfs_size", each["size"])),
                oid=str(each["blob_id"]),
                sha256=each.get("lfs_sha256"),
            )
            for path, each in data["files"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _write(places: Places, commit: str, files: Mapping[str, Listed]) -> None:
    """Keeps the listing, where the cache can be written."""
    shown: dict[str, dict[str, Any]] = {}
    for path, each in files.items():
        shown[path] = {"size": each.size, "blob_id": each.oid}
        if each.sha256 is not None:
            shown[path] |= {"lfs_sha256": each.sha256, "lfs_size": each.size}
    target = places.tree(commit)
    with contextlib.suppress(OSError):
        ensure_inside(target, places.folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = store.new_incomplete(places.blobs, "tree")
        try:
            text = json.dumps({"format_version": _VERSION, "files": shown}, indent=1)
            temporary.write_text(text, encoding="utf-8")
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
