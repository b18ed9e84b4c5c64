"""Gets one file into the cache: the flow, step by step.

::

    cached, and the commit is pinned or no request is wanted? ------------------> the file
            | no
    ask for metadata --- no answer, and an older copy is there ----> warn ------> the file
            |
    blob there? --- no --> lock --> there now? -- no --> receive -> verify -> publish
            |                            |                                      |
            +----------------------------+------------------> link -> note ref -> the file

Everything before the lock works on a cache that cannot be written.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import warnings
from dataclasses import dataclass, replace
from pathlib import Path

from ctok import config
from ctok.hub import stamps, store
from ctok.hub.checksum import etag_algorithm, verify_file
from ctok.hub.disk import writing
from ctok.hub.errors import (
    CacheWriteError,
    ChecksumError,
    HubConnectionError,
    HubHTTPError,
    LocalEntryNotFoundError,
    OfflineEntryNotFoundError,
    OfflineModeError,
    RemoteEntryNotFoundError,
    StaleFileWarning,
    UnreachableEntryError,
)
from ctok.hub.http import Client
from ctok.hub.locks import file_lock
from ctok.hub.metadata import FileMetadata, fetch_metadata
from ctok.hub.paths import Places, RepoId, ensure_inside, is_commit
from ctok.hub.progress import Progress
from ctok.hub.retry import RETRIED, RetryPolicy
from ctok.hub.transfer import CHUNK, Wanted, receive

_logger = logging.getLogger("ctok.hub")

# By process: what was taken before a fork is not for the child to wait for.
_slots: dict[tuple[int, int], threading.BoundedSemaphore] = {}


@dataclass(frozen=True)
class Job:
    """What is wanted and how, with every argument checked.

    Attributes:
        places: where the repository's files lie in the cache.
        revision, filename: what to get.
        client: how to ask.
        local_only: make no request.
        prefer_cache: take what is cached without asking whether the branch has moved.
        force: download even what is there.
        expected_sha256: what the file must have, cached or not.
        metadata: what is known from a listing, so that it need not be asked for.
        frozen: never serve an older copy.
    """

    places: Places
    revision: str
    filename: str
    client: Client
    local_only: bool = False
    prefer_cache: bool = False
    force: bool = False
    expected_sha256: str | None = None
    progress: Progress | None = None
    chunk_size: int = CHUNK
    rate_limit: float | None = None
    timeout: float | None = None
    lock_timeout: float | None = None
    metadata: FileMetadata | None = None
    frozen: bool = False

    @property
    def repo(self) -> RepoId:
        return self.places.repo

    @property
    def quiet(self) -> bool:
        """Whether no request may be made."""
        return self.local_only or self.client.offline

    def facts(self) -> dict[str, str]:
        """What every error about the file carries."""
        return {
            "repo_id": self.repo.id,
            "revision": self.revision,
            "filename": self.filename,
        }


def obtain(job: Job) -> Path:
    """Returns the path of the file in the cache, fetching it where needed.

    Raises:
        EntryNotFoundError: the file is nowhere, or out of reach.
        HubError: see ``download``.
    """
    if not job.force:
        found = cached(job)
        if found is not None:
            return found
    if job.quiet:
        raise missing(job)
    try:
        metadata = announced(job)
    except (HubConnectionError, HubHTTPError) as error:
        return _older_copy(job, error)
    check_expectation(job, metadata)
    path = _bring(job, metadata)
    note_ref(job.places, job.revision, metadata.commit)
    _use(job, metadata.commit, path)
    return path


def note_ref(places: Places, revision: str, commit: str) -> None:
    """Notes what a branch means now. A cache that refuses costs the note, not the file."""
    try:
        store.write_ref(places, revision, commit)
    except CacheWriteError as error:
        _logger.debug("%s", error)


def cached(job: Job) -> Path | None:
    """The cached file, where no request is needed or allowed.

    Raises:
        RemoteEntryNotFoundError: the commit is known to lack the file.
        ChecksumError: the cached file is not the one that was expected.
    """
    if not (is_commit(job.revision) or job.quiet or job.prefer_cache):
        return None
    commit = store.read_ref(job.places, job.revision)
    if commit is None:
        return None
    found = store.find_file(job.places, commit, job.filename)
    if found is None:
        if is_commit(job.revision) and store.is_absent(job.places, commit, job.filename):
            raise RemoteEntryNotFoundError(
                f"no file {job.filename!r} in {job.repo} at revision {job.revision!r}: the Hub "
                "said so earlier",
                status=404,
                commit=commit,
                url=job.repo.file_path(commit, job.filename),
                **job.facts(),
            )
        return None
    _use(job, commit, found)
    return found


def missing(job: Job) -> LocalEntryNotFoundError:
    """The error for a file that is not cached while no request may be made."""
    what = f"{job.filename!r} of {job.repo} at revision {job.revision!r}"
    if job.client.offline:
        why = "cannot be downloaded again" if job.force else f"is not cached in {job.places.root}"
        return OfflineEntryNotFoundError(f"{what} {why}, and offline mode is on", **job.facts())
    return LocalEntryNotFoundError(
        f"{what} is not cached in {job.places.root}, and local_files_only is set", **job.facts()
    )


def announced(job: Job) -> FileMetadata:
    """What the Hub says about the file. A file that is not there is noted in the cache."""
    if job.metadata is not None:
        return job.metadata
    # With a copy at hand there is no point in insisting.
    has_copy = not job.force and _last_copy(job) is not None
    hasty = RetryPolicy(retries=0) if has_copy and not is_strict(job) else None
    try:
        return fetch_metadata(job.client, job.repo, job.revision, job.filename, retry=hasty)
    except RemoteEntryNotFoundError as error:
        if error.commit is not None and is_commit(error.commit):
            store.mark_absent(job.places, error.commit, job.filename)
            # Without the ref nobody finds the marker by the branch's name.
            with contextlib.suppress(CacheWriteError):
                store.write_ref(job.places, job.revision, error.commit)
        raise


def check_expectation(job: Job, metadata: FileMetadata) -> None:
    """Compares the expected checksum with the announced one, before any byte is received.

    Raises:
        ChecksumError: the Hub has another file.
    """
    wanted, etag = job.expected_sha256, metadata.etag
    if wanted is not None and etag_algorithm(etag) == "sha256" and wanted != etag:
        raise ChecksumError(
            f"{job.filename!r} of {job.repo} has the SHA-256 {etag} on the Hub, not {wanted}",
            expected=wanted,
            actual=etag,
            algorithm="SHA-256",
            path=str(job.places.pointer(metadata.commit, job.filename)),
        )


def is_strict(job: Job) -> bool:
    """Whether an older copy is refused."""
    return job.frozen or config.strict()


def _last_copy(job: Job) -> tuple[str, Path] | None:
    commit = store.read_ref(job.places, job.revision)
    if commit is None:
        return None
    found = store.find_file(job.places, commit, job.filename)
    return None if found is None else (commit, found)


def _older_copy(job: Job, error: HubConnectionError | HubHTTPError) -> Path:
    """What can be served although the Hub could not be asked; else the error."""
    if isinstance(error, OfflineModeError):
        raise error
    if isinstance(error, HubHTTPError) and error.status not in RETRIED:
        raise error
    copy = None if job.force or is_strict(job) else _last_copy(job)
    if copy is not None:
        commit, path = copy
        warn_stale(job, commit, error)
        _use(job, commit, path)
        return path
    if isinstance(error, HubHTTPError):
        raise error
    raise unreachable(job, error, str(job.places.root)) from error


def unreachable(job: Job, error: HubConnectionError, where: str) -> UnreachableEntryError:
    """The error for a file that is not there while the Hub gives no answer."""
    return UnreachableEntryError(
        f"{job.filename!r} of {job.repo} at revision {job.revision!r} is not in {where}, and "
        f"{error}",
        url=error.url,
        **job.facts(),
    )


def warn_stale(job: Job, commit: str, error: HubConnectionError | HubHTTPError) -> None:
    """Says that a file is served without the Hub's word that it is the newest."""
    warnings.warn(
        f"{error}. Served without asking: {job.filename!r} of {job.repo} as of commit "
        f"{commit[:12]}, which may be outdated",
        StaleFileWarning,
        stacklevel=2,
    )


def _use(job: Job, commit: str, path: Path) -> None:
    """Checks what the caller expects of a file that is about to be returned."""
    if job.expected_sha256 is not None:
        verify_file(path, expected_sha256=job.expected_sha256)
    stamps.touch(job.places, commit)


def _bring(job: Job, metadata: FileMetadata) -> Path:
    """Puts the announced file into the snapshot of its commit."""
    if not job.force:
        found = _present(job, metadata)
        if found is not None:
            return found
    places = job.places
    with (
        writing(places.folder),
        file_lock(places.lock(metadata.etag), timeout=job.lock_timeout),
    ):
        found = None if job.force else _present(job, metadata)
        if found is not None:
            return found
        ensure_inside(places.blob(metadata.etag), places.folder)
        places.blobs.mkdir(parents=True, exist_ok=True)
        try:
            _download_blob(job, metadata)
        except ChecksumError as error:
            if error.expected == job.expected_sha256:
                raise
            # Remains of an earlier run, or a cache between us and the Hub: once more, in full.
            _logger.warning("%s; downloading it again", error)
            _download_blob(replace(job, force=True), replace(metadata, location=None))
        return store.link(places, metadata.etag, metadata.commit, job.filename, fresh=True)


def _present(job: Job, metadata: FileMetadata) -> Path | None:
    """The file from what is cached already: the snapshot, or the same bytes of another commit."""
    places, etag, commit = job.places, metadata.etag, metadata.commit
    pointer = store.find_file(places, commit, job.filename)
    if pointer is None and metadata.size == 0 and places.pointer(commit, job.filename).is_file():
        pointer = places.pointer(commit, job.filename)
    if pointer is not None and metadata.size in (None, pointer.stat().st_size):
        return pointer
    if store.find_blob(places, etag, metadata.size) is None:
        return None
    with writing(places.folder):
        pointer = store.link(places, etag, commit, job.filename)
    # Somebody may have deleted the blob just before it was linked.
    return pointer if pointer.is_file() else None


def _download_blob(job: Job, metadata: FileMetadata) -> None:
    """Receives the bytes into a new file beside the blobs, and publishes it once verified."""
    places, etag = job.places, metadata.etag
    adopted = None if job.force else store.adopt_incomplete(places.blobs, etag)
    temporary = adopted or store.new_incomplete(places.blobs, etag)
    try:
        fetch_into(job, metadata, temporary)
        store.publish(temporary, places.blob(etag))
    except (HubConnectionError, KeyboardInterrupt):
        store.abandon(temporary, etag)
        raise
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def fetch_into(job: Job, metadata: FileMetadata, temporary: Path) -> None:
    """Writes the announced bytes to a file of ours, flushes it to the disk and verifies it.

    Raises:
        VerificationError: they are not what was announced or expected.
    """
    wanted = Wanted(job.repo, job.filename, metadata)
    with _slot(), temporary.open("r+b") as file:
        start = file.seek(0, 2)
        if metadata.size is not None and start > metadata.size:
            start = file.truncate(0)
        if job.progress is not None:
            job.progress.report(start, metadata.size)
        chunks = receive(
            job.client,
            wanted,
            start=start,
            chunk_size=job.chunk_size,
            rate_limit=job.rate_limit,
            timeout=job.timeout,
        )
        position = start
        for offset, chunk in chunks:
            if offset != position:
                file.truncate(offset)
                file.seek(offset)
            file.write(chunk)
            position = offset + len(chunk)
            if job.progress is not None:
                job.progress.report(position, metadata.size)
        file.truncate(position)
        file.flush()
        os.fsync(file.fileno())
    verify_file(
        temporary,
        etag=metadata.etag,
        size=metadata.size,
        expected_sha256=job.expected_sha256,
        shown=f"{job.filename!r} of {job.repo} as received",
    )
    if job.progress is not None:
        job.progress.report(position, position)


def _slot() -> threading.BoundedSemaphore:
    """One of the places for transfers that this process allows at one time."""
    most = config.max_downloads()
    return _slots.setdefault((os.getpid(), most), threading.BoundedSemaphore(most))
