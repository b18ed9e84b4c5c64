"""Are the cached bytes still what their names say?

A blob's name is its checksum: SHA-256 or git's SHA-1. Each is read once, however many commits
share it. Blobs named otherwise (by a mirror's ETag) have no checksum to compare with.
"""

from __future__ import annotations

import logging
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from ctok.hub.cache import CachedFile, CachedRepo, CachedRevision, scan_cache
from ctok.hub.checksum import EMPTY, etag_algorithm, verify_file
from ctok.hub.disk import writing
from ctok.hub.errors import HubError, VerificationError
from ctok.hub.files import StrPath
from ctok.hub.http import Client
from ctok.hub.obtain import Job, obtain
from ctok.hub.paths import Places, RepoId

_logger = logging.getLogger("ctok.hub")


@dataclass(frozen=True)
class Damage:
    """A cached file that is not right.

    Attributes:
        repo, commit, name: which file.
        path: where the snapshot shows it.
        reason: what is wrong.
        repaired: downloaded anew (True), or removed so that it will be (False); None where nothing
            was changed.
    """

    repo: RepoId
    commit: str
    name: str
    path: Path
    reason: str
    repaired: bool | None = None


@dataclass(frozen=True)
class VerifyReport:
    """What a verification found.

    Attributes:
        total: blobs that were looked at.
        valid: of these, with the right checksum.
        corrupted: each with a wrong checksum, or empty without cause; and links that lead
            nowhere.
        missing_checksum: paths of blobs whose name is no checksum.
    """

    total: int
    valid: int
    corrupted: tuple[Damage, ...]
    missing_checksum: tuple[Path, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong, or all of it was mended."""
        return all(each.repaired for each in self.corrupted)


def verify_cache(
    repo_id: str | None = None,
    *,
    repo_type: str | None = None,
    cache_dir: StrPath | None = None,
    repair: bool = False,
    client: Client | None = None,
) -> VerifyReport:
    """Compares every cached blob with its name.

    Args:
        repo_id, repo_type: one repository; None for all.
        cache_dir: the cache.
        repair: download damaged files anew, at their commit. What cannot be had is removed:
            a wrong file is worse than none.
        client: how to ask for them.

    Raises:
        CacheNotFoundError: there is no cache.

    Example:
        >>> verify_cache("org/name").ok  # doctest: +SKIP
        True
    """
    wanted = None if repo_id is None else RepoId.of(repo_id, repo_type)
    info = scan_cache(cache_dir)
    checked: dict[Path, str | None] = {}
    damages: list[Damage] = []
    for repo in info.repos:
        if wanted is not None and repo.identity != wanted:
            continue
        for revision in repo.revisions:
            for file in revision.files:
                if file.blob not in checked:
                    checked[file.blob] = _fault(file)
                reason = checked[file.blob]
                if reason is not None:
                    damages.append(_damage(repo, revision.commit, file.name, file.path, reason))
            damages += _dangling(repo, revision)
    if repair and damages:
        with Client() if client is None else nullcontext(client) as asked:
            damages = [_repair(info.root, each, asked) for each in damages]
    unknown = [
        blob
        for blob, fault in checked.items()
        if fault is None and etag_algorithm(blob.name) is None
    ]
    bad = sum(fault is not None for fault in checked.values())
    return VerifyReport(
        len(checked), len(checked) - bad - len(unknown), tuple(damages), tuple(unknown)
    )


def _fault(file: CachedFile) -> str | None:
    if file.size == 0:
        return None if file.blob.name in EMPTY else "it is empty"
    try:
        verify_file(file.blob, etag=file.blob.name)
    except VerificationError as error:
        return str(error)
    except OSError as error:
        return f"it cannot be read: {error.strerror}"
    return None


def _dangling(repo: CachedRepo, revision: CachedRevision) -> list[Damage]:
    return [
        _damage(
            repo,
            revision.commit,
            path.relative_to(revision.path).as_posix(),
            path,
            "the link leads nowhere",
        )
        for path in sorted(revision.path.rglob("*"))
        if path.is_symlink() and not path.exists()
    ]


def _damage(repo: CachedRepo, commit: str, name: str, path: Path, reason: str) -> Damage:
    return Damage(repo.identity, commit, name, path, reason)


def _repair(root: Path, damage: Damage, client: Client) -> Damage:
    places = Places(root, damage.repo)
    repaired = True
    try:
        # force leaves the old file in place until the new one is whole and verified.
        obtain(Job(places, damage.commit, damage.name, client, force=True))
    except HubError as error:
        _logger.warning("%s could not be downloaded anew: %s", damage.path, error)
        repaired = False
        with writing(damage.path):
            blob = damage.path.resolve()
            damage.path.unlink(missing_ok=True)
            # Other commits that link to it then miss it, and fetch it.
            if blob.parent == places.blobs.resolve():
                blob.unlink(missing_ok=True)
    return Damage(
        damage.repo, damage.commit, damage.name, damage.path, damage.reason, repaired=repaired
    )
