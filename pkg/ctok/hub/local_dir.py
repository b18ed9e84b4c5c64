"""Downloads into a folder of the user's choice instead of the cache.

The file lies at ``<local_dir>/<path>`` as a plain file. What it is (commit, ETag, when) is
noted where huggingface_hub notes it, in the same three lines, so that neither downloads what
the other brought::

    <local_dir>/.cache/huggingface/download/<path>.metadata
                                            <path>.lock
                                            <etag>.<8 hex>.incomplete
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from ctok.hub import store
from ctok.hub.checksum import etag_algorithm, verify_file
from ctok.hub.disk import writing
from ctok.hub.errors import (
    HubConnectionError,
    HubHTTPError,
    OfflineModeError,
    VerificationError,
)
from ctok.hub.locks import file_lock
from ctok.hub.metadata import FileMetadata
from ctok.hub.obtain import (
    Job,
    announced,
    check_expectation,
    fetch_into,
    is_strict,
    missing,
    unreachable,
    warn_stale,
)
from ctok.hub.paths import ensure_inside, is_commit
from ctok.hub.retry import RETRIED

# File times have this resolution on some filesystems.
_SLACK = 2.0


@dataclass(frozen=True)
class Note:
    """What is noted about a file: its commit, its ETag, and when (seconds since 1970)."""

    commit: str
    etag: str
    at: float


def obtain_into(job: Job, folder: Path) -> Path:
    """Returns ``folder/filename``, fetching it where needed.

    Raises:
        HubError: see ``download``.
    """
    target = folder / job.filename
    note = read_note(folder, job.filename)
    if not job.force and target.is_file() and note is not None:
        pinned = is_commit(job.revision) and note.commit == job.revision
        if pinned or job.quiet or job.prefer_cache:
            return _expected(job, target)
    if job.quiet:
        if not job.force and target.is_file():
            return _expected(job, target)
        raise missing(job)
    try:
        metadata = announced(job)
    except (HubConnectionError, HubHTTPError) as error:
        passing = not isinstance(error, HubHTTPError) or error.status in RETRIED
        if passing and note is not None and target.is_file() and not (job.force or is_strict(job)):
            warn_stale(job, note.commit, error)
            return _expected(job, target)
        if isinstance(error, OfflineModeError | HubHTTPError):
            raise
        raise unreachable(job, error, str(folder)) from error
    check_expectation(job, metadata)
    if job.force or not _same(target, note, metadata):
        _bring(job, metadata, folder, target)
    _write_note(job, folder, metadata)
    return _expected(job, target)


def read_note(folder: Path, filename: str) -> Note | None:
    """The note about a file, unless the file was changed after it."""
    path = _notes(folder) / f"{filename}.metadata"
    try:
        commit, etag, at = path.read_text(encoding="utf-8").split("\n")[:3]
        note = Note(commit.strip(), etag.strip(), float(at))
        changed = (folder / filename).stat().st_mtime
    except (OSError, ValueError):
        return None
    return note if changed <= note.at + _SLACK else None


def _notes(folder: Path) -> Path:
    return folder / ".cache" / "huggingface" / "download"


def _expected(job: Job, target: Path) -> Path:
    if job.expected_sha256 is not None:
        verify_file(target, expected_sha256=job.expected_sha256)
    return target


def _same(target: Path, note: Note | None, metadata: FileMetadata) -> bool:
    """Whether the file that is there is the announced one: by the note, else by its checksum."""
    if not target.is_file():
        return False
    if metadata.size is not None and target.stat().st_size != metadata.size:
        return False
    if note is not None and note.etag == metadata.etag:
        return True
    if etag_algorithm(metadata.etag) is None:
        return False
    try:
        verify_file(target, etag=metadata.etag)
    except VerificationError:
        return False
    return True


def _bring(job: Job, metadata: FileMetadata, folder: Path, target: Path) -> None:
    notes = _notes(folder)
    with (
        writing(target),
        file_lock(notes / f"{job.filename}.lock", timeout=job.lock_timeout),
    ):
        if not job.force and _same(target, read_note(folder, job.filename), metadata):
            return
        ensure_inside(target, folder)
        notes.mkdir(parents=True, exist_ok=True)
        ignore = notes.parent / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*", encoding="ascii")
        temporary = store.new_incomplete(notes, metadata.etag)
        try:
            if job.force or not _copied(job, metadata, temporary):
                fetch_into(job, metadata, temporary)
            target.parent.mkdir(parents=True, exist_ok=True)
            store.publish(temporary, target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def _copied(job: Job, metadata: FileMetadata, temporary: Path) -> bool:
    """Takes the bytes from the cache, if they are there and right."""
    blob = store.find_blob(job.places, metadata.etag, metadata.size)
    if blob is None:
        return False
    shutil.copyfile(blob, temporary)
    try:
        verify_file(temporary, etag=metadata.etag, size=metadata.size)
    except VerificationError:
        temporary.write_bytes(b"")
        return False
    return True


def _write_note(job: Job, folder: Path, metadata: FileMetadata) -> None:
    path = _notes(folder) / f"{job.filename}.metadata"
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = store.new_incomplete(_notes(folder), "note")
        try:
            temporary.write_text(
                f"{metadata.commit}\n{metadata.etag}\n{job.client.clock.now()}\n", encoding="ascii"
            )
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
