"""What the cache holds: one file looked up, or everything counted. No network, no writes.

The numbers are computed from the disk each time. Entries that cannot be right are listed as
warnings and never stop the scan; what is not ours (the shared store of huggingface_hub, lock
files) is passed over.
"""

from __future__ import annotations

import enum
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from ctok import config
from ctok.hub import stamps, store
from ctok.hub.errors import CacheNotFoundError, CorruptedCacheError
from ctok.hub.files import StrPath
from ctok.hub.paths import (
    PLURALS,
    Places,
    RepoId,
    RepoType,
    check_filename,
    check_revision,
    is_commit,
)


class _Absent(enum.Enum):
    KNOWN_ABSENT = enum.auto()

    def __bool__(self) -> bool:
        return False


KNOWN_ABSENT: Final = _Absent.KNOWN_ABSENT


@dataclass(frozen=True)
class CachedFile:
    """A file of a cached commit.

    Attributes:
        name: the path inside the repository.
        path: where the snapshot shows it.
        blob: the bytes it leads to; itself where the snapshot holds no links.
        size: their number.
    """

    name: str
    path: Path
    blob: Path
    size: int


@dataclass(frozen=True)
class CachedRevision:
    """A cached commit: its files, the branches and tags that mean it, and when it was used."""

    commit: str
    path: Path
    files: tuple[CachedFile, ...]
    refs: tuple[str, ...]
    last_used: float

    @property
    def size(self) -> int:
        """Bytes of its files, each blob counted once."""
        return sum({each.blob: each.size for each in self.files}.values())


@dataclass(frozen=True)
class CachedRepo:
    """A cached repository."""

    id: str
    kind: RepoType
    path: Path
    revisions: tuple[CachedRevision, ...]
    size: int
    partial_size: int

    @property
    def files(self) -> int:
        """How many different blobs the snapshots lead to."""
        return len({each.blob for revision in self.revisions for each in revision.files})

    @property
    def last_used(self) -> float:
        """When any of its commits was used last."""
        return max((revision.last_used for revision in self.revisions), default=0.0)

    @property
    def identity(self) -> RepoId:
        """The repository as the rest of the client names it."""
        return RepoId(self.id, self.kind)


@dataclass(frozen=True)
class CacheInfo:
    """A whole cache. ``warnings`` are entries that cannot be right."""

    root: Path
    repos: tuple[CachedRepo, ...]
    warnings: tuple[CorruptedCacheError, ...]

    @property
    def size(self) -> int:
        """Bytes on the disk, unfinished downloads included."""
        return sum(repo.size + repo.partial_size for repo in self.repos)

    @property
    def files(self) -> int:
        """How many blobs."""
        return sum(repo.files for repo in self.repos)

    @property
    def last_used(self) -> float:
        """When anything was used last, in seconds since 1970; 0 for an empty cache."""
        return max((repo.last_used for repo in self.repos), default=0.0)


def cache_root(cache_dir: StrPath | None = None) -> Path:
    """The cache that is used: the argument, else what the environment says."""
    return config.hub_cache() if cache_dir is None else config.expand(cache_dir)


def try_to_load_from_cache(
    repo_id: str,
    filename: str,
    *,
    revision: str | None = None,
    repo_type: str | None = None,
    cache_dir: StrPath | None = None,
) -> Path | Literal[_Absent.KNOWN_ABSENT] | None:
    """Looks a file up, without the network and without changing anything.

    Args:
        repo_id, filename, revision, repo_type: which file.
        cache_dir: the cache; by default the one the environment names.

    Returns:
        Its path; ``KNOWN_ABSENT`` where the Hub said that the commit has no such file; None where
        nothing is known. Both of the latter are false.

    Example:
        >>> try_to_load_from_cache("org/name", "no-such-file") is None
        True
    """
    places = Places(cache_root(cache_dir), RepoId.of(repo_id, repo_type))
    name = check_filename(filename)
    commit = store.read_ref(places, check_revision(revision))
    if commit is None:
        return None
    found = store.find_file(places, commit, name)
    if found is not None:
        return found
    return KNOWN_ABSENT if store.is_absent(places, commit, name) else None


def is_cached(
    repo_id: str,
    filename: str,
    *,
    revision: str | None = None,
    repo_type: str | None = None,
    cache_dir: StrPath | None = None,
) -> bool:
    """Whether ``try_to_load_from_cache``, which takes the same arguments, finds the file.

    Example:
        >>> is_cached("org/name", "no-such-file")
        False
    """
    return bool(
        try_to_load_from_cache(
            repo_id, filename, revision=revision, repo_type=repo_type, cache_dir=cache_dir
        )
    )


def cache_path(
    repo_id: str,
    filename: str | None = None,
    *,
    revision: str | None = None,
    repo_type: str | None = None,
    cache_dir: StrPath | None = None,
) -> Path:
    """Where the repository, or one of its files, lies or would lie in the cache.

    Args:
        repo_id, revision, repo_type: which.
        filename: one of its files; None for the repository's folder.
        cache_dir: the cache; by default the one the environment names.

    Returns:
        The path, whether there is anything or not.

    Raises:
        CacheNotFoundError: a file of a branch whose commit the cache does not know.
    """
    places = Places(cache_root(cache_dir), RepoId.of(repo_id, repo_type))
    if filename is None:
        return places.folder
    at = check_revision(revision)
    commit = store.read_ref(places, at)
    if commit is None:
        raise CacheNotFoundError(
            f"{places.folder} does not know which commit {at!r} is", path=str(places.ref(at))
        )
    return places.pointer(commit, check_filename(filename))


def scan_cache(cache_dir: StrPath | None = None) -> CacheInfo:
    """Walks the cache and says what is in it.

    Args:
        cache_dir: the cache; by default the one the environment names.

    Raises:
        CacheNotFoundError: there is no such folder.

    Example:
        >>> scan_cache("/nowhere")
        Traceback (most recent call last):
        ctok.hub.errors.CacheNotFoundError: there is no cache at /nowhere
    """
    root = cache_root(cache_dir)
    if not root.is_dir():
        raise CacheNotFoundError(f"there is no cache at {root}", path=str(root))
    repos: list[CachedRepo] = []
    warnings: list[CorruptedCacheError] = []
    for folder in sorted(root.iterdir()):
        identity = identity_of(folder)
        if identity is not None:
            repos.append(_scan_repo(Places(root, identity), warnings))
    return CacheInfo(root, tuple(repos), tuple(warnings))


def identity_of(folder: Path) -> RepoId | None:
    """The repository a folder of the cache stands for, or None where it stands for none."""
    kinds = {plural: kind for kind, plural in PLURALS.items()}
    plural, _, rest = folder.name.partition("--")
    if plural not in kinds or not rest or folder.is_symlink() or not folder.is_dir():
        return None
    return RepoId("/".join(rest.split("--")), kinds[plural])


def _scan_repo(places: Places, warnings: list[CorruptedCacheError]) -> CachedRepo:
    refs: dict[str, list[str]] = {}
    for name, path in _files_below(places.folder / "refs"):
        commit = store.read_ref(places, name)
        if commit is None or not places.snapshot(commit).is_dir():
            warnings.append(_warning(path, "the ref names no cached commit"))
        else:
            refs.setdefault(commit, []).append(name)
    revisions = []
    snapshots = places.folder / "snapshots"
    for snapshot in sorted(snapshots.iterdir()) if snapshots.is_dir() else ():
        if not is_commit(snapshot.name) or not snapshot.is_dir():
            warnings.append(_warning(snapshot, "no snapshot of a commit"))
            continue
        files = tuple(_scan_files(snapshot, warnings))
        used = stamps.last_use(places, snapshot.name)
        if used is None:
            used = max((_used(each.blob) for each in files), default=snapshot.stat().st_mtime)
        revisions.append(
            CachedRevision(
                snapshot.name, snapshot, files, tuple(sorted(refs.get(snapshot.name, ()))), used
            )
        )
    blobs = {each.blob: each.size for revision in revisions for each in revision.files}
    partial = 0
    for _, path in _files_below(places.blobs):
        if path.name.endswith(".incomplete"):
            partial += _size(path)
        else:
            blobs.setdefault(path, _size(path))
    return CachedRepo(
        places.repo.id,
        places.repo.kind,
        places.folder,
        tuple(revisions),
        sum(blobs.values()),
        partial,
    )


def _scan_files(snapshot: Path, warnings: list[CorruptedCacheError]) -> Iterator[CachedFile]:
    for name, path in _files_below(snapshot):
        blob = Path(os.path.normpath(path.parent / path.readlink())) if path.is_symlink() else path
        try:
            size = blob.stat().st_size
        except OSError:
            warnings.append(_warning(path, "the link leads nowhere"))
            continue
        yield CachedFile(name, path, blob, size)


def _files_below(folder: Path) -> Iterator[tuple[str, Path]]:
    """Names and paths of all files and links, without following links to folders."""
    for current, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            path = Path(current, name)
            yield path.relative_to(folder).as_posix(), path


def _size(path: Path) -> int:
    try:
        state = path.stat()
    except OSError:
        return 0
    return state.st_size if stat.S_ISREG(state.st_mode) else 0


def _used(path: Path) -> float:
    try:
        state = path.stat()
    except OSError:
        return 0.0
    return max(state.st_atime, state.st_mtime)


def _warning(path: Path, what: str) -> CorruptedCacheError:
    return CorruptedCacheError(f"{path}: {what}", path=str(path))
