"""Names from outside, checked, and the places they lead to inside the cache.

::

    <root>/models--org--name/blobs/<etag>                 the bytes
                             refs/<revision>              a commit hash, no newline
                             snapshots/<commit>/<path>    relative link to the blob
                             .no_exist/<commit>/<path>    the Hub said: no such file
                             trees/<commit>.json          a listing, so that none is asked for
    <root>/.locks/models--org--name/<etag>.lock

This is huggingface_hub's layout, and both use it at the same time. Every part of a path comes
from a user, a server or a repository, so every part passes a check here first. The checks are
the same on every platform: a cache may be shared between them.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from ctok.hub.errors import HubValidationError

RepoType = Literal["model", "dataset", "space"]
PLURALS: dict[RepoType, str] = {"model": "models", "dataset": "datasets", "space": "spaces"}

_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_ETAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._=+-]{0,199}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# What Windows takes for a device in any folder and with any extension.
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\..*)?", re.IGNORECASE)


def check_repo_type(value: str | None) -> RepoType:
    """``model``, ``dataset`` or ``space``; None means model."""
    if value is None:
        return "model"
    if value not in PLURALS:
        raise HubValidationError(
            f"repo_type is {value!r}, not one of {', '.join(PLURALS)}", value=value
        )
    return value


def check_repo_id(value: str) -> str:
    """``name`` or ``org/name`` as the Hub allows them.

    Raises:
        HubValidationError: anything else, such as ``../name`` or a URL.

    Example:
        >>> check_repo_id("org/name")
        'org/name'
    """
    parts = value.split("/") if isinstance(value, str) else []
    plain = 1 <= len(parts) <= 2 and all(_NAME.fullmatch(part) for part in parts)
    if (
        not plain
        or len(value) > 96 + 96
        or len(parts[-1]) > 96
        or "--" in value
        or ".." in value
        or value.endswith(".git")
    ):
        raise HubValidationError(
            f"{value!r} is no repository id: 'name' or 'org/name' of letters, digits, '-', '_' "
            "and '.', without '--' or '..', not ending in '.git', at most 96 characters each",
            value=value,
        )
    return value


def check_revision(value: str | None) -> str:
    """A branch, tag, ``refs/pr/N`` or commit; None means ``main``."""
    if value is None:
        return "main"
    if not isinstance(value, str):
        raise HubValidationError(f"the revision {value!r} is no text", value=value)
    _check_parts(value, "revision")
    if len(value) > 250 or any(character in value for character in ':*?"<>|~^['):
        raise HubValidationError(f"{value!r} is no branch, tag or commit", value=value)
    return value


def check_filename(value: str, subfolder: str | None = None) -> str:
    """A file's path inside a repository, joined with the subfolder.

    Example:
        >>> check_filename("vocab.json", "tokenizer")
        'tokenizer/vocab.json'
    """
    if not isinstance(value, str):
        raise HubValidationError(f"the file name {value!r} is no text", value=value)
    joined = f"{subfolder}/{value}" if subfolder else value
    _check_parts(joined, "file name")
    if os.name == "nt" and any(
        _DEVICE.fullmatch(part) or ":" in part or part[-1] in ". " for part in joined.split("/")
    ):
        raise HubValidationError(f"Windows cannot store the file name {joined!r}", value=joined)
    return joined


def _check_parts(value: str, what: str) -> None:
    """Refuses what is absolute, climbs, names a drive or share, or hides a character."""
    parts = value.split("/")
    # Windows drops dots and spaces at the end of a name, so ".. ." climbs there.
    climbs = any(not part.strip(". ") for part in parts)
    drive = re.match(r"[A-Za-z]:", value)
    if climbs or drive or "\\" in value or _CONTROL.search(value) or len(value) > 4096:
        raise HubValidationError(
            f"{value!r} is no {what}: it must be relative, with forward slashes, and every part "
            "must be a name",
            value=value,
        )
    try:
        value.encode()
    except UnicodeEncodeError as exc:
        raise HubValidationError(f"{value!r} is no {what}: not valid text", value=value) from exc


def is_commit(revision: str) -> bool:
    """Whether the revision is a full commit hash, hence will never mean anything else."""
    return _COMMIT.fullmatch(revision) is not None


def blob_name(etag: str) -> str:
    """The file name for an ETag: itself, or a hash of one that is no safe name."""
    if _ETAG.fullmatch(etag) and ".." not in etag and not etag.endswith((".", ".incomplete")):
        return etag
    return f"etag-{hashlib.sha256(etag.encode(errors='replace')).hexdigest()[:40]}"


@dataclass(frozen=True, order=True)
class RepoId:
    """A repository, checked. ``kind`` is the repository type."""

    id: str
    kind: RepoType = "model"

    @classmethod
    def of(cls, repo_id: str, repo_type: str | None = None) -> RepoId:
        """Checks both.

        Raises:
            HubValidationError: not a repository id or type.
        """
        return cls(check_repo_id(repo_id), check_repo_type(repo_type))

    @property
    def folder(self) -> str:
        """The folder's name in the cache: ``models--org--name``."""
        return "--".join((PLURALS[self.kind], *self.id.split("/")))

    @property
    def page(self) -> str:
        """The repository's path on the site: ``org/name``, ``datasets/org/name``."""
        return self.id if self.kind == "model" else f"{PLURALS[self.kind]}/{self.id}"

    def __str__(self) -> str:
        return self.id if self.kind == "model" else f"{self.kind} {self.id}"

    def api_path(self, *parts: str) -> str:
        """``/api/models/org/name/...``; each part is quoted whole.

        Example:
            >>> RepoId("org/name").api_path("revision", "refs/pr/1")
            '/api/models/org/name/revision/refs%2Fpr%2F1'
        """
        tail = "".join("/" + quote(part, safe="") for part in parts)
        return f"/api/{PLURALS[self.kind]}/{self.id}{tail}"

    def file_path(self, revision: str, filename: str) -> str:
        """``/org/name/resolve/<revision>/<path>``.

        Example:
            >>> RepoId("org/name", "dataset").file_path("refs/pr/1", "a b#.json")
            '/datasets/org/name/resolve/refs%2Fpr%2F1/a%20b%23.json'
        """
        return f"/{self.page}/resolve/{quote(revision, safe='')}/{quote(filename)}"


@dataclass(frozen=True)
class Places:
    """Where one repository's files lie in one cache."""

    root: Path
    repo: RepoId

    @property
    def folder(self) -> Path:
        return self.root / self.repo.folder

    @property
    def blobs(self) -> Path:
        return self.folder / "blobs"

    @property
    def locks(self) -> Path:
        return self.root / ".locks" / self.repo.folder

    def blob(self, etag: str) -> Path:
        return self.blobs / blob_name(etag)

    def lock(self, etag: str) -> Path:
        return self.locks / f"{blob_name(etag)}.lock"

    def ref(self, revision: str) -> Path:
        return self.folder / "refs" / revision

    def snapshot(self, commit: str) -> Path:
        return self.folder / "snapshots" / commit

    def pointer(self, commit: str, filename: str) -> Path:
        return self.snapshot(commit) / filename

    def no_exist(self, commit: str, filename: str) -> Path:
        return self.folder / ".no_exist" / commit / filename

    def tree(self, commit: str) -> Path:
        return self.folder / "trees" / f"{commit}.json"


def ensure_inside(path: Path, root: Path) -> None:
    """Refuses a path whose folders lead out of ``root`` through a link.

    Raises:
        HubValidationError: they do.
    """
    real, top = os.path.realpath(path.parent), os.path.realpath(root)
    if real != top and not real.startswith(top.rstrip(os.sep) + os.sep):
        raise HubValidationError(f"{path} leads out of {root} through a link", value=str(path))
