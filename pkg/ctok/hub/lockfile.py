"""The lock file: which commit, and which bytes, a name is allowed to mean.

``ctok lock`` writes it, people review it, and in frozen mode nothing else is served::

    {
      "version": 1,
      "repos": {
        "datasets/org/data@main": {
          "commit": "89d0...",
          "files": {
            "test.jsonl": {"size": 181, "sha256": "ab12..."}
          }
        },
        "org/name@main": {...}
      }
    }

JSON, because Python both reads and writes it; keys sorted and one file a line, so that a
change of one file is a change of one line.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ctok import config
from ctok.errors import FormatError
from ctok.hub.disk import sync_directory
from ctok.hub.errors import VERIFICATION, ChecksumError, HubError, HubValidationError
from ctok.hub.paths import RepoId, RepoType, check_filename, check_revision
from ctok.hub.reference import PREFIXES

VERSION = 1
DEFAULT_NAME = "ctok.lock"
COMMIT = re.compile("[0-9a-f]{40}")
SHA256 = re.compile("[0-9a-f]{64}")


class FrozenError(HubError, LookupError):
    """Frozen mode: something was asked for that the lock file does not pin.

    ``repo``, ``revision`` and ``filename`` (None for the repository as a whole) were asked for.
    """

    repo: str
    revision: str
    filename: str | None
    exit_code = VERIFICATION
    default_suggestions = (
        "Pin it: ctok lock REPO, then review and commit the lock file.",
        "Or leave frozen mode: unset CTOK_FROZEN, drop --frozen.",
    )


class LockFileNotFoundError(HubError, FileNotFoundError):
    """There is no lock file. ``path`` is where it was looked for."""

    path: str
    default_suggestions = (
        "Write one: ctok lock REPO.",
        "Name another: --frozen LOCK, frozen= or CTOK_FROZEN.",
    )


@dataclass(frozen=True)
class PinnedFile:
    """The bytes that a file must have."""

    sha256: str
    size: int


@dataclass(frozen=True)
class PinnedRepo:
    """One repository at one revision: the commit that it means and the files in it."""

    repo: str
    kind: RepoType
    revision: str
    commit: str
    files: Mapping[str, PinnedFile] = field(default_factory=dict)

    @property
    def key(self) -> str:
        prefix = "" if self.kind == "model" else f"{self.kind}s/"
        return f"{prefix}{self.repo}@{self.revision}"


@dataclass(frozen=True)
class Pin:
    """What one file of one repository must be: ``commit``, ``sha256`` and ``size``."""

    commit: str
    sha256: str
    size: int


@dataclass(frozen=True)
class Lock:
    """The content of a lock file.

    Example:
        >>> file = PinnedFile("0" * 64, 2)
        >>> pinned = PinnedRepo("org/name", "model", "main", "1" * 40, {"a.json": file})
        >>> Lock().with_repo(pinned).pin("org/name", "model", "main", "a.json").size
        2
    """

    repos: Mapping[str, PinnedRepo] = field(default_factory=dict)

    def with_repo(self, pinned: PinnedRepo) -> Lock:
        """A lock that also pins this; an older pin of the same revision is replaced."""
        return Lock({**self.repos, pinned.key: pinned})

    def find(self, repo: str, kind: str, revision: str) -> PinnedRepo:
        """The pin of a repository. A pinned commit may also be asked for by its hash.

        Raises:
            FrozenError: it is not pinned.
        """
        for pinned in self.repos.values():
            if (pinned.repo, pinned.kind) == (repo, kind) and revision in (
                pinned.revision,
                pinned.commit,
            ):
                return pinned
        raise FrozenError(
            f"{kind} {repo} at {revision} is not in the lock file",
            repo=repo,
            revision=revision,
            filename=None,
        )

    def pin(self, repo: str, kind: str, revision: str, filename: str) -> Pin:
        """What a file must be.

        Raises:
            FrozenError: the repository, or the file in it, is not pinned.
        """
        pinned = self.find(repo, kind, revision)
        file = pinned.files.get(filename)
        if file is None:
            raise FrozenError(
                f"{filename} of {kind} {repo} at {revision} is not in the lock file",
                repo=repo,
                revision=revision,
                filename=filename,
            )
        return Pin(pinned.commit, file.sha256, file.size)

    def hold(
        self, repo: str, kind: str, revision: str, filename: str, expected: str | None
    ) -> tuple[str, str]:
        """The revision and checksum to download with, in place of those that were asked for.

        Raises:
            FrozenError: as ``pin``.
            ChecksumError: the caller expects other bytes than the lock file pins.
        """
        pin = self.pin(repo, kind, revision, filename)
        if expected not in (None, pin.sha256):
            raise ChecksumError(
                f"the lock file pins the SHA-256 {pin.sha256} for {filename!r} of {repo}, "
                f"not {expected}",
                expected=expected,
                actual=pin.sha256,
                algorithm="SHA-256",
                path=filename,
            )
        return pin.commit, pin.sha256


# What a frozen= argument may be; see resolve_frozen.
Frozen = Lock | str | os.PathLike[str] | bool | None


def read_lock(path: str | os.PathLike[str]) -> Lock:
    """Reads a lock file.

    Raises:
        LockFileNotFoundError: there is none.
        FormatError: it is not a lock file, or of a newer version.
    """
    place = Path(path)
    try:
        data = json.loads(place.read_text(encoding="utf-8"))
    except FileNotFoundError as exc:
        raise LockFileNotFoundError(f"there is no lock file {place}", path=str(place)) from exc
    except ValueError as exc:
        raise FormatError(f"{place}: not a lock file: {exc}", path=str(place)) from exc
    return parse_lock(data, str(place))


def parse_lock(data: Any, source: str) -> Lock:
    """Checks and converts what a lock file holds. ``source`` is named in errors.

    Raises:
        FormatError: anything is not as ``write_lock`` writes it.
    """

    def refuse(what: str) -> FormatError:
        return FormatError(
            f"{source}: {what}",
            path=source,
            suggestions=("Restore it from version control, or write it anew with ctok lock.",),
        )

    if not isinstance(data, dict) or data.get("version") != VERSION:
        found = data.get("version") if isinstance(data, dict) else type(data).__name__
        raise refuse(f"lock file of version {found!r}, expected {VERSION}")
    lock = Lock()
    try:
        for key, entry in data["repos"].items():
            name, _, revision = key.partition("@")
            prefix, _, rest = name.partition("/")
            kind: RepoType = PREFIXES[prefix] if prefix in PREFIXES and rest else "model"
            repo = name if kind == "model" else rest
            files = {}
            for path, file in entry["files"].items():
                if not SHA256.fullmatch(file["sha256"]) or type(file["size"]) is not int:
                    raise refuse(f"{key}: {path}: expected a sha256 in hex and a size")
                files[check_filename(path)] = PinnedFile(file["sha256"], file["size"])
            if not COMMIT.fullmatch(entry["commit"]) or not revision:
                raise refuse(f"{key}: expected name@revision and a full commit hash")
            check_revision(revision)
            RepoId.of(repo, kind)
            lock = lock.with_repo(PinnedRepo(repo, kind, revision, entry["commit"], files))
    except HubValidationError as exc:
        raise refuse(exc.message) from exc
    except (KeyError, TypeError, AttributeError) as exc:
        raise refuse(f"misses something: {exc!r}") from exc
    return lock


def format_lock(lock: Lock) -> str:
    """The text of a lock file: the same for the same lock, whatever the order of pinning."""
    blocks = []
    for key, pinned in sorted(lock.repos.items()):
        rows = ",\n".join(
            f"        {json.dumps(path)}: "
            f'{{"size": {file.size}, "sha256": {json.dumps(file.sha256)}}}'
            for path, file in sorted(pinned.files.items())
        )
        files = f"{{\n{rows}\n      }}" if rows else "{}"
        blocks.append(
            f"    {json.dumps(key)}: {{\n"
            f'      "commit": {json.dumps(pinned.commit)},\n'
            f'      "files": {files}\n    }}'
        )
    repos = "{\n" + ",\n".join(blocks) + "\n  }" if blocks else "{}"
    return f'{{\n  "version": {VERSION},\n  "repos": {repos}\n}}\n'


def write_lock(lock: Lock, path: str | os.PathLike[str]) -> None:
    """Writes a lock file; readers see the old one or the new one, never a part.

    Raises:
        OSError: the folder cannot be written; the old file is as it was.
    """
    place = Path(path)
    temporary = place.with_name(f".{place.name}.{secrets.token_hex(4)}.incomplete")
    try:
        with temporary.open("x", encoding="utf-8", newline="\n") as file:
            file.write(format_lock(lock))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(place)
    finally:
        temporary.unlink(missing_ok=True)
    sync_directory(place.parent)


def resolve_frozen(frozen: Frozen) -> Lock | None:
    """The lock that a ``frozen=`` argument means; None where nothing is frozen.

    Args:
        frozen: a lock or the path of one; True is ``ctok.lock`` in the current folder, False
            is never, None is what ``CTOK_FROZEN`` says.

    Raises:
        LockFileNotFoundError, FormatError: as ``read_lock``.
    """
    if isinstance(frozen, Lock):
        return frozen
    path = config.lock_file() if frozen is None else frozen
    if path is None or path is False:
        return None
    return read_lock(DEFAULT_NAME if path is True else path)


def changes(old: Lock, new: Lock) -> Iterable[str]:
    """What a re-lock changed, a line each, for people to read.

    Example:
        >>> first = PinnedRepo("org/name", "model", "main", "1" * 40)
        >>> second = PinnedRepo("org/name", "model", "main", "2" * 40)
        >>> list(changes(Lock().with_repo(first), Lock().with_repo(second)))
        ['org/name@main: commit 111111111111 -> 222222222222']
    """
    for key in sorted({*old.repos, *new.repos}):
        before, after = old.repos.get(key), new.repos.get(key)
        if before is None and after is not None:
            yield f"{key}: pinned at {after.commit[:12]}, {len(after.files)} files"
        elif after is None:
            yield f"{key}: no longer pinned"
        elif before is not None:
            if before.commit != after.commit:
                yield f"{key}: commit {before.commit[:12]} -> {after.commit[:12]}"
            for path in sorted({*before.files, *after.files}):
                if before.files.get(path) != after.files.get(path):
                    state = (
                        "changed"
                        if path in before.files and path in after.files
                        else ("added" if path in after.files else "removed")
                    )
                    yield f"{key}: {path} {state}"
