"""A repository's files at one commit, as a folder.

One request resolves the revision, one lists the files (with lengths and checksums), then each
file that is not cached costs one download: no HEAD per file. All files come from the commit
that was resolved, even if the branch moves meanwhile.
"""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from ctok import config
from ctok.hub import stamps, store
from ctok.hub.errors import (
    DiskFullError,
    GatedRepoError,
    HubConnectionError,
    HubError,
    HubHTTPError,
    IncompleteSnapshotError,
    LocalEntryNotFoundError,
    OfflineEntryNotFoundError,
    ReadOnlyCacheError,
    SnapshotError,
    StaleFileWarning,
    UnreachableEntryError,
)
from ctok.hub.files import StrPath
from ctok.hub.http import Client
from ctok.hub.listing import Listed, fetch_listing, read_listing, select
from ctok.hub.local_dir import obtain_into
from ctok.hub.lockfile import Frozen, FrozenError, PinnedRepo, resolve_frozen
from ctok.hub.metadata import FileMetadata
from ctok.hub.obtain import Job, note_ref, obtain
from ctok.hub.paths import Places, RepoId, check_filename, check_revision, is_commit
from ctok.hub.progress import Progress, ProgressCallback
from ctok.hub.reference import Reference, parse_reference
from ctok.hub.refusal import Subject
from ctok.hub.retry import RETRIED
from ctok.hub.transfer import CHUNK

if TYPE_CHECKING:
    import requests

_logger = logging.getLogger("ctok.hub")

# Failures that every other file would meet as well.
_HOPELESS = (GatedRepoError, DiskFullError, ReadOnlyCacheError)


def snapshot_download(
    repo_id: str | StrPath | Reference,
    *,
    repo_type: str | None = None,
    revision: str | None = None,
    allow_patterns: str | Sequence[str] | None = None,
    ignore_patterns: str | Sequence[str] | None = None,
    max_workers: int = 4,
    cache_dir: StrPath | None = None,
    local_dir: StrPath | None = None,
    force_download: bool = False,
    token: str | bool | None = None,
    offline: bool | None = None,
    local_files_only: bool = False,
    prefer_cache: bool = False,
    frozen: Frozen = None,
    session: requests.Session | None = None,
    endpoint: str | Sequence[str] | None = None,
    timeout: float | None = None,
    progress: ProgressCallback | None = None,
    chunk_size: int = CHUNK,
    rate_limit: float | None = None,
    client: Client | None = None,
) -> Path:
    """Downloads the files of a repository at one commit and returns their folder.

    Args:
        repo_id, repo_type, revision: which repository and commit, as for ``download``.
        allow_patterns, ignore_patterns: which files; see ``ctok.hub.listing.select``.
        max_workers: how many files at one time.
        progress: called with bytes done and bytes in all, of all files together.
        cache_dir, local_dir, token, offline, local_files_only, prefer_cache, session,
        endpoint, timeout, chunk_size, rate_limit, client: as for ``download``.
        force_download: download even what is cached.
        frozen: as for ``download``; the files that the lock file pins are then all there are.

    Returns:
        ``snapshots/<commit>`` in the cache, or ``local_dir``.

    Raises:
        SnapshotError: some files failed; ``failures`` says which and why. Run it again and only
            those are fetched.
        IncompleteSnapshotError: no request may be made, and files are missing.
        LocalEntryNotFoundError: nothing is cached, and the Hub is out of reach.
        RepositoryNotFoundError, RevisionNotFoundError: the Hub has no such thing.
        FrozenError: the lock file does not pin the repository, or none of the files.

    Example:
        >>> snapshot_download("org/name", allow_patterns=["*.json"])  # doctest: +SKIP
        PosixPath('.../models--org--name/snapshots/607a30d...')
    """
    reference = parse_reference(
        repo_id, revision=revision, repo_type=repo_type, token=token, offline=offline
    )
    if reference.local is not None:
        return _local(reference.local)
    asked = client or Client(
        endpoint=endpoint,
        token=reference.token,
        session=session,
        offline=reference.offline,
        timeout=timeout,
    )
    root = config.hub_cache() if cache_dir is None else config.expand(cache_dir)
    identity, at = RepoId.of(reference.repo, reference.kind), check_revision(reference.revision)
    lock = resolve_frozen(frozen)
    pinned = None if lock is None else lock.find(identity.id, identity.kind, at)
    wanted = _Wanted(
        places=Places(root, identity),
        revision=at if pinned is None else pinned.commit,
        client=asked,
        folder=None if local_dir is None else config.expand(local_dir),
        allow=[f"{reference.subdir}/*"]
        if reference.subdir and allow_patterns is None
        else allow_patterns,
        ignore=ignore_patterns,
        workers=max(1, max_workers),
        local_only=local_files_only or bool(reference.offline) or asked.offline,
        prefer_cache=prefer_cache,
        strict=config.strict(),
        pinned=pinned,
        progress=progress,
        options={
            "force": force_download,
            "frozen": lock is not None,
            "timeout": timeout,
            "chunk_size": chunk_size,
            "rate_limit": rate_limit,
        },
    )
    with asked if client is None else nullcontext():
        return wanted.run(force_download)


class _JobOptions(TypedDict, total=False):
    force: bool
    frozen: bool
    timeout: float | None
    chunk_size: int
    rate_limit: float | None


@dataclass(frozen=True)
class _Wanted:
    """One call of ``snapshot_download``, with its arguments checked."""

    places: Places
    revision: str
    client: Client
    folder: Path | None
    allow: str | Sequence[str] | None
    ignore: str | Sequence[str] | None
    workers: int
    local_only: bool
    prefer_cache: bool
    strict: bool
    pinned: PinnedRepo | None
    progress: ProgressCallback | None
    options: _JobOptions

    def run(self, force: bool) -> Path:
        if self.pinned is not None:
            return self._run_pinned(self.pinned)
        known = store.read_ref(self.places, self.revision)
        settled = is_commit(self.revision) or self.prefer_cache
        if settled and not force and self.folder is None and not self.local_only:
            found = self._whole(known)
            if found is not None:
                return found
        if self.local_only:
            return self._from_cache(known, None)
        try:
            commit = self._resolve()
            listing = read_listing(self.places, commit)
            if listing is None:
                listing = fetch_listing(self.client, self.places, commit)
        except (HubConnectionError, HubHTTPError) as error:
            if isinstance(error, HubHTTPError) and error.status not in RETRIED:
                raise
            if self.strict or force:
                raise
            return self._from_cache(known, error)
        names = select(listing, self.allow, self.ignore)
        self._fetch_all(commit, [listing[name] for name in names])
        if self.folder is not None:
            return self.folder
        note_ref(self.places, self.revision, commit)
        stamps.touch(self.places, commit)
        snapshot = self.places.snapshot(commit)
        snapshot.mkdir(parents=True, exist_ok=True)
        return snapshot

    def _run_pinned(self, pinned: PinnedRepo) -> Path:
        """Every pinned file that was asked for, each compared with its pin, cached or not."""
        names = select(pinned.files, self.allow, self.ignore)
        if not names:
            raise FrozenError(
                f"the lock file pins none of the files asked for of {self.places.repo}",
                repo=pinned.repo,
                revision=pinned.revision,
                filename=None,
            )
        self._fetch_all(
            pinned.commit, [Listed(name, pinned.files[name].size, "") for name in names]
        )
        return self.folder or self.places.snapshot(pinned.commit)

    def _resolve(self) -> str:
        if is_commit(self.revision):
            return self.revision
        repo = self.places.repo
        info = self.client.get_json(
            repo.api_path("revision", self.revision), subject=Subject(repo, self.revision)
        )
        commit = info.get("sha") if isinstance(info, dict) else None
        if not isinstance(commit, str) or not is_commit(commit):
            raise HubHTTPError(
                f"the Hub names no commit for {repo} at {self.revision!r}",
                status=200,
                url=repo.api_path("revision", self.revision),
            )
        return commit

    def _whole(self, commit: str | None) -> Path | None:
        """The cached snapshot, if a listing proves that nothing wanted is missing."""
        listing = None if commit is None else read_listing(self.places, commit)
        if commit is None or listing is None or self._missing(commit, listing):
            return None
        stamps.touch(self.places, commit)
        return self.places.snapshot(commit)

    def _missing(self, commit: str, listing: dict[str, Listed]) -> list[str]:
        def there(name: str) -> bool:
            if store.find_file(self.places, commit, name) is not None:
                return True
            return listing[name].size == 0 and self.places.pointer(commit, name).is_file()

        return [name for name in select(listing, self.allow, self.ignore) if not there(name)]

    def _from_cache(
        self, commit: str | None, error: HubConnectionError | HubHTTPError | None
    ) -> Path:
        """The cached snapshot where the Hub may not or cannot be asked."""
        repo = self.places.repo
        facts = {"repo_id": repo.id, "revision": self.revision, "filename": ""}
        snapshot = None if commit is None else self.places.snapshot(commit)
        if commit is None or snapshot is None or not snapshot.is_dir():
            text = f"no snapshot of {repo} at revision {self.revision!r} in {self.places.root}"
            if isinstance(error, HubHTTPError):
                raise error
            if error is not None:
                raise UnreachableEntryError(
                    f"{text}, and {error}", url=error.url, **facts
                ) from error
            if self.client.offline:
                raise OfflineEntryNotFoundError(f"{text}, and offline mode is on", **facts)
            raise LocalEntryNotFoundError(f"{text}, and local_files_only is set", **facts)
        listing = read_listing(self.places, commit)
        missing = self._missing(commit, listing) if listing is not None else []
        if missing:
            raise IncompleteSnapshotError(
                f"{snapshot} lacks {len(missing)} of the files asked for, such as {missing[0]!r}",
                path=str(snapshot),
                missing=tuple(missing),
            ) from error
        if error is not None:
            warnings.warn(
                f"{error}. Served from the cache: {repo} as of commit {commit[:12]}, which may be "
                "outdated",
                StaleFileWarning,
                stacklevel=3,
            )
        stamps.touch(self.places, commit)
        return snapshot

    def _fetch_all(self, commit: str, files: list[Listed]) -> None:
        from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

        total = _Total(self.progress, sum(each.size for each in files))
        failures: dict[str, BaseException] = {}

        def fetch(each: Listed) -> None:
            try:
                self._fetch(commit, each, total)
            except HubError as error:
                failures[each.path] = error
                _logger.warning("%s", error)
                if isinstance(error, _HOPELESS):
                    raise

        with ThreadPoolExecutor(self.workers, thread_name_prefix="ctok-hub") as pool:
            futures = [pool.submit(fetch, each) for each in files]
            try:
                wait(futures, return_when=FIRST_EXCEPTION)
            finally:
                pool.shutdown(cancel_futures=True)
        if failures:
            self._report(commit, failures, len(files))
        for future in futures:
            future.result()

    def _fetch(self, commit: str, each: Listed, total: _Total) -> None:
        job = Job(
            places=self.places,
            revision=commit,
            filename=check_filename(each.path),
            client=self.client,
            local_only=self.local_only,
            metadata=None if self.pinned else FileMetadata(commit, each.etag, each.size),
            expected_sha256=self.pinned.files[each.path].sha256 if self.pinned else None,
            progress=Progress(total.part(each.path)),
            **self.options,
        )
        if self.folder is None:
            obtain(job)
        else:
            obtain_into(job, self.folder)
        total.part(each.path)(each.size, each.size)

    def _report(self, commit: str, failures: dict[str, BaseException], asked: int) -> None:
        name, first = min(failures.items())
        raise SnapshotError(
            f"{len(failures)} of {asked} files of {self.places.repo} at {commit[:12]} failed; "
            f"{name!r}: {first}",
            failures=dict(sorted(failures.items())),
            exit_code=getattr(first, "exit_code", 1),
            path=str(self.folder or self.places.snapshot(commit)),
        ) from first


class _Total:
    """Adds up what the files report."""

    def __init__(self, callback: ProgressCallback | None, size: int) -> None:
        self._progress = Progress(callback)
        self._size = size
        self._done: dict[str, int] = {}
        self._lock = threading.Lock()

    def part(self, name: str) -> Callable[[int, int | None], None]:
        def report(done: int, _: int | None) -> None:
            with self._lock:
                self._done[name] = done
                self._progress.report(min(sum(self._done.values()), self._size), self._size)

        return report


def _local(folder: Path) -> Path:
    if not folder.is_dir():
        raise LocalEntryNotFoundError(
            f"there is no folder {folder}",
            repo_id=str(folder),
            revision="",
            filename="",
            suggestions=("A repository on the Hub is written org/name, without a leading ./",),
        )
    return folder
