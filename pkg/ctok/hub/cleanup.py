"""Makes room: deletes commits, repositories, or whatever was not used for longest.

Nothing outside the repositories' own folders is touched, no link is followed, and nothing is
deleted from a repository into which somebody is downloading. The order keeps the cache right
at every step: the refs first, then the snapshot, then the blobs that no snapshot needs.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ctok.hub import stamps
from ctok.hub.cache import (
    CachedRepo,
    CachedRevision,
    CacheInfo,
    cache_root,
    identity_of,
    scan_cache,
)
from ctok.hub.disk import writing
from ctok.hub.errors import (
    CacheInUseError,
    CacheNotFoundError,
    HubValidationError,
    LockTimeoutError,
)
from ctok.hub.files import StrPath
from ctok.hub.locks import file_lock, is_locked
from ctok.hub.paths import Places, RepoId
from ctok.hub.store import ABANDONED_SECONDS

_logger = logging.getLogger("ctok.hub")

DEFAULT_SIZE = 10 * 10**9


@dataclass(frozen=True)
class Deletion:
    """What was deleted, or would be.

    Attributes:
        commits: repository and commit, in the order of deletion.
        freed: bytes.
        kept_in_use: repositories that were left alone because of a download in progress.
    """

    commits: tuple[tuple[str, str], ...]
    freed: int
    kept_in_use: tuple[str, ...] = ()


def evict(
    target_size: int | None = DEFAULT_SIZE,
    max_age: float | None = None,
    *,
    cache_dir: StrPath | None = None,
    dry_run: bool = False,
    now: float | None = None,
) -> Deletion:
    """Deletes the commits that were not used for longest, until the cache is small enough.

    The cache is shared: commits that huggingface_hub brought count and go like any other. Their
    last use is what ctok noted, else what the filesystem knows.

    Args:
        target_size: bytes that may stay; None for no limit.
        max_age: seconds; commits not used for longer go even if there is room.
        cache_dir: the cache.
        dry_run: only say what would go.
        now: the time to reckon from, in seconds since 1970.

    Returns:
        What was deleted.

    Raises:
        CacheNotFoundError: there is no cache.
        CacheWriteError: it cannot be written.

    Example:
        >>> evict(50 * 10**9, max_age=90 * 86400, dry_run=True).freed  # doctest: +SKIP
        0
    """
    if target_size is not None and target_size < 0:
        raise HubValidationError(f"target_size is {target_size}, below 0", value=target_size)
    info = scan_cache(cache_dir)
    moment = time.time() if now is None else now
    busy = {repo.path for repo in info.repos if _in_use(info.root, repo, moment)}
    queue = sorted(
        (
            (revision.last_used, repo.id, revision.commit, repo, revision)
            for repo in info.repos
            if repo.path not in busy
            for revision in repo.revisions
        ),
        key=lambda entry: entry[:3],
    )
    left = info.size
    gone: dict[Path, set[str]] = {}
    order: list[tuple[CachedRepo, CachedRevision]] = []
    for used, _, commit, repo, revision in queue:
        too_old = max_age is not None and moment - used > max_age
        too_much = target_size is not None and left > target_size
        if not (too_old or too_much):
            continue
        doomed = gone.setdefault(repo.path, set())
        left -= sum(_freed_by(repo, doomed, revision).values())
        doomed.add(commit)
        order.append((repo, revision))
    return _delete(info, order, dry_run=dry_run, kept=[r.id for r in info.repos if r.path in busy])


def delete_revisions(
    *commits: str, cache_dir: StrPath | None = None, dry_run: bool = False
) -> Deletion:
    """Deletes cached commits by their full hash, of whatever repository.

    Args:
        *commits: the hashes.
        cache_dir: the cache.
        dry_run: only say what would go.

    Returns:
        What was deleted, and how many bytes that freed.

    Raises:
        CacheNotFoundError: a commit that is not cached.
        CacheInUseError: somebody is downloading into its repository.
    """
    info = scan_cache(cache_dir)
    order = [
        (repo, revision)
        for repo in info.repos
        for revision in repo.revisions
        if revision.commit in commits
    ]
    unknown = set(commits) - {revision.commit for _, revision in order}
    if unknown:
        raise CacheNotFoundError(
            f"the commit {min(unknown)} is not cached in {info.root}", path=str(info.root)
        )
    for repo, _ in order:
        _refuse_in_use(info.root, repo)
    return _delete(info, order, dry_run=dry_run)


def clear_cache(
    repo_id: str | None = None,
    *,
    repo_type: str | None = None,
    cache_dir: StrPath | None = None,
    dry_run: bool = False,
) -> Deletion:
    """Deletes one repository from the cache, or all of them. Lock files and all else stay.

    Args:
        repo_id, repo_type: which; None for all.
        cache_dir: the cache.
        dry_run: only say what would go.

    Returns:
        What was deleted, and how many bytes that freed.

    Raises:
        CacheNotFoundError: it is not cached.
        CacheInUseError: somebody is downloading into it.
    """
    wanted = None if repo_id is None else RepoId.of(repo_id, repo_type)
    info = scan_cache(cache_dir)
    repos = info.repos
    if wanted is not None:
        repos = tuple(repo for repo in repos if repo.identity == wanted)
        if not repos:
            raise CacheNotFoundError(f"{wanted} is not cached in {info.root}", path=str(info.root))
    for repo in repos:
        _refuse_in_use(info.root, repo)
    commits = [(repo.id, each.commit) for repo in repos for each in repo.revisions]
    freed = sum(repo.size + repo.partial_size for repo in repos)
    if not dry_run:
        for repo in repos:
            _remove_repo(info.root, repo.path)
            for each in repo.revisions:
                stamps.forget(Places(info.root, repo.identity), each.commit)
    return Deletion(tuple(commits), freed)


def remove_partial_downloads(cache_dir: StrPath | None = None, *, now: float | None = None) -> int:
    """Deletes what killed downloads left behind and nobody has touched for a minute.

    Args:
        cache_dir: the cache.
        now: the time to reckon from, in seconds since 1970.

    Returns:
        How many bytes that were.

    Example:
        >>> remove_partial_downloads("/nowhere")
        0
    """
    root = cache_root(cache_dir)
    moment = time.time() if now is None else now
    freed = 0
    for folder in root.iterdir() if root.is_dir() else ():
        if identity_of(folder) is None:
            continue
        for path in (folder / "blobs").glob("*.incomplete"):
            with contextlib.suppress(OSError):
                state = path.lstat()
                if moment - state.st_mtime >= ABANDONED_SECONDS:
                    path.unlink()
                    freed += state.st_size
    return freed


def _in_use(root: Path, repo: CachedRepo, now: float) -> bool:
    """Whether a download is in progress: a lock is held, or an unfinished file grows."""
    locks = root / ".locks" / repo.path.name
    if locks.is_dir() and any(is_locked(path) for path in locks.glob("*.lock")):
        return True
    for path in (repo.path / "blobs").glob("*.incomplete"):
        with contextlib.suppress(OSError):
            if now - path.lstat().st_mtime < ABANDONED_SECONDS:
                return True
    return False


def _refuse_in_use(root: Path, repo: CachedRepo) -> None:
    if _in_use(root, repo, time.time()):
        raise CacheInUseError(f"somebody is downloading into {repo.path}", path=str(repo.path))


def _freed_by(repo: CachedRepo, gone: set[str], revision: CachedRevision) -> dict[Path, int]:
    """The blobs that only this commit needs, once those in ``gone`` are deleted."""
    needed = {
        each.blob
        for other in repo.revisions
        if other is not revision and other.commit not in gone
        for each in other.files
    }
    return {each.blob: each.size for each in revision.files if each.blob not in needed}


def _delete(
    info: CacheInfo,
    order: Iterable[tuple[CachedRepo, CachedRevision]],
    *,
    dry_run: bool,
    kept: Iterable[str] = (),
) -> Deletion:
    gone: dict[Path, set[str]] = {}
    commits: list[tuple[str, str]] = []
    freed = 0
    for repo, revision in order:
        doomed = gone.setdefault(repo.path, set())
        blobs = _freed_by(repo, doomed, revision)
        doomed.add(revision.commit)
        commits.append((repo.id, revision.commit))
        freed += sum(blobs.values())
        if not dry_run:
            _remove_revision(Places(info.root, repo.identity), revision, blobs)
            if doomed == {each.commit for each in repo.revisions}:
                _remove_repo(info.root, repo.path)
            _logger.info("deleted %s at %s from the cache", repo.id, revision.commit[:12])
    return Deletion(tuple(commits), freed, tuple(kept))


def _remove_revision(places: Places, revision: CachedRevision, blobs: Iterable[Path]) -> None:
    folder = places.folder
    with writing(folder):
        for name in revision.refs:
            places.ref(name).unlink(missing_ok=True)
        _remove_tree(revision.path, folder)
        _remove_tree(folder / ".no_exist" / revision.commit, folder)
        places.tree(revision.commit).unlink(missing_ok=True)
        for blob in blobs:
            if blob.parent != places.blobs:
                continue
            # Under the lock no download can be about to link to it.
            with (
                contextlib.suppress(LockTimeoutError),
                file_lock(_lock_of(places, blob), timeout=0),
            ):
                blob.unlink(missing_ok=True)
    stamps.forget(places, revision.commit)


def _lock_of(places: Places, blob: Path) -> Path:
    return places.locks / f"{blob.name}.lock"


def _remove_repo(root: Path, folder: Path) -> None:
    with writing(folder):
        # What still holds a download that began just now stays, with its folder.
        if any(is_locked(path) for path in (root / ".locks" / folder.name).glob("*.lock")):
            raise CacheInUseError(f"somebody is downloading into {folder}", path=str(folder))
        _remove_tree(folder, root)


def _remove_tree(path: Path, root: Path) -> None:
    """Deletes a folder that lies inside ``root``, not following links out of it."""
    inside = os.path.realpath(path.parent) + os.sep
    if not inside.startswith(os.path.realpath(root) + os.sep):
        raise HubValidationError(f"{path} does not lie in {root}", value=str(path))
    if path.is_symlink():
        path.unlink()
    elif path.is_dir():
        shutil.rmtree(path)
