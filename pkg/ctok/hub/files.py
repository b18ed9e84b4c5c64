"""One file of the Hub as a path on this machine: the functions users call."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack, overload

from ctok import config
from ctok.hub import flat, store
from ctok.hub.checksum import check_sha256, verify_file
from ctok.hub.disk import writing
from ctok.hub.errors import HubValidationError, LocalEntryNotFoundError
from ctok.hub.http import Client
from ctok.hub.local_dir import obtain_into, read_note
from ctok.hub.lockfile import Frozen, resolve_frozen
from ctok.hub.obtain import Job, announced, cached, fetch_into, missing, obtain
from ctok.hub.paths import Places, RepoId, check_filename, check_revision
from ctok.hub.progress import Progress, ProgressCallback
from ctok.hub.reference import Reference, parse_reference
from ctok.hub.transfer import CHUNK

if TYPE_CHECKING:
    import requests

StrPath = str | os.PathLike[str]
Layout = Literal["hub", "flat"]


@dataclass(frozen=True)
class PlannedFile:
    """What ``dry_run=True`` returns: what a download would do.

    Attributes:
        commit_hash: the commit the revision means.
        filename: the path inside the repository.
        file_size: bytes, where the server says.
        local_path: where the file is or would be.
        is_cached: whether that is there already.
        will_download: whether bytes would be received.
    """

    commit_hash: str
    filename: str
    file_size: int | None
    local_path: Path
    is_cached: bool
    will_download: bool


class FileOptions(TypedDict, total=False):
    """The keyword arguments of ``resolve_file``: those of ``download`` but the revision."""

    repo_type: str | None
    subfolder: str | None
    token: str | bool | None
    cache_dir: StrPath | None
    local_dir: StrPath | None
    force: bool
    offline: bool | None
    local_files_only: bool
    prefer_cache: bool
    frozen: Frozen
    session: requests.Session | None
    fetch: flat.Fetch | None
    progress: ProgressCallback | None
    expected_sha256: str | None
    endpoint: str | Sequence[str] | None
    timeout: float | None
    extract: bool
    extract_dir: StrPath | None
    layout: Layout
    chunk_size: int
    rate_limit: float | None
    lock_timeout: float | None
    client: Client | None


class DownloadOptions(FileOptions, total=False):
    """The keyword arguments of ``download``, for functions that pass them on."""

    revision: str | None


@overload
def download(
    repo: Any, file: str, *, dry_run: Literal[True], **options: Unpack[DownloadOptions]
) -> PlannedFile: ...
@overload
def download(
    repo: Any, file: str, *, dry_run: Literal[False] = ..., **options: Unpack[DownloadOptions]
) -> Path: ...
@overload
def download(
    repo: Any, file: str, *, dry_run: bool, **options: Unpack[DownloadOptions]
) -> Path | PlannedFile: ...
def download(
    repo: str | StrPath | Reference | Mapping[str, Any] | tuple[str, Mapping[str, Any]],
    file: str,
    *,
    revision: str | None = None,
    repo_type: str | None = None,
    subfolder: str | None = None,
    token: str | bool | None = None,
    cache_dir: StrPath | None = None,
    local_dir: StrPath | None = None,
    force: bool = False,
    offline: bool | None = None,
    local_files_only: bool = False,
    prefer_cache: bool = False,
    frozen: Frozen = None,
    session: requests.Session | None = None,
    fetch: flat.Fetch | None = None,
    progress: ProgressCallback | None = None,
    expected_sha256: str | None = None,
    endpoint: str | Sequence[str] | None = None,
    timeout: float | None = None,
    dry_run: bool = False,
    extract: bool = False,
    extract_dir: StrPath | None = None,
    layout: Layout = "hub",
    chunk_size: int = CHUNK,
    rate_limit: float | None = None,
    lock_timeout: float | None = None,
    client: Client | None = None,
) -> Path | PlannedFile:
    """Returns a file of a repository as a local path, downloading it if it has to.

    What is cached under a full commit hash costs no request. A branch is asked about first;
    when the Hub gives no answer, the copy of last time is served with a ``StaleFileWarning``.

    Args:
        repo: ``org/name``, ``org/name@revision``, ``hf://...``, a local directory, or what else
            ``parse_reference`` reads.
        file: the path inside the repository.
        revision: branch, tag, ``refs/pr/N`` or commit; ``main`` by default.
        repo_type: ``model`` (default), ``dataset`` or ``space``.
        subfolder: a folder that is put before ``file``.
        token: a token; True demands one, False sends none, None takes what is found.
        cache_dir: the cache; by default the one huggingface_hub uses.
        local_dir: put the file here instead of the cache.
        force: download even what is cached. The old file stays until the new one is whole.
        offline: make no request (None: as ``CTOK_OFFLINE`` or ``HF_HUB_OFFLINE`` says).
        local_files_only: make no request for this call.
        prefer_cache: take a cached file without asking whether the branch has moved.
        frozen: a lock file (True: ``ctok.lock`` here), or a ``Lock``: serve the commit and the
            bytes that it pins, refuse anything else. None takes ``CTOK_FROZEN``.
        session: a ``requests.Session`` of yours.
        fetch: a function of ``(repo_id, revision, filename, options)`` that returns the bytes
            instead of the Hub; implies ``layout="flat"``.
        progress: called with bytes done and bytes in all (or None).
        expected_sha256: what the file must have, downloaded or cached.
        endpoint: the server, or several to try in order.
        timeout: seconds to wait for a connection or the next bytes.
        dry_run: only say what would be done.
        extract: unpack the file (an archive) and return the directory.
        extract_dir: where to unpack to; by default in ctok's own cache.
        layout: ``hub``, or ``flat`` for ``<cache>/hf/<repo>/<revision>/<file>`` in ctok's cache.
        chunk_size: the most bytes received at one time.
        rate_limit: bytes per second.
        lock_timeout: seconds to wait for another process that downloads the same file; by
            default as long as it takes.
        client: a ``Client`` to use, instead of token, session, offline, endpoint and timeout.

    Returns:
        The path of the file; of the directory with ``extract``; a ``PlannedFile`` with
        ``dry_run``.

    Raises:
        HubValidationError: an argument that names nothing.
        RepositoryNotFoundError, GatedRepoError, RevisionNotFoundError,
        RemoteEntryNotFoundError: the Hub has no such thing, or not for this token.
        LocalEntryNotFoundError: not cached, and not to be had: ``OfflineEntryNotFoundError`` in
            offline mode, ``UnreachableEntryError`` without an answer.
        FrozenError: the lock file does not pin this file.
        VerificationError: other bytes than announced or expected; nothing was stored.
        DiskFullError, ReadOnlyCacheError: the cache cannot be written; nothing was lost.

    Example:
        >>> from ctok import hub
        >>> hub.download("openai-community/gpt2", "vocab.json")  # doctest: +SKIP
        PosixPath('.../models--openai-community--gpt2/snapshots/607a30d.../vocab.json')
    """
    if not isinstance(file, str):
        raise HubValidationError(f"the file name {file!r} is no text", value=file)
    reference = parse_reference(
        repo, revision=revision, repo_type=repo_type, token=token, offline=offline
    )
    expected = check_sha256(expected_sha256)
    name = check_filename(file, "/".join(filter(None, (reference.subdir, subfolder))))
    if reference.local is not None:
        return _in_directory(reference.local, name, expected)
    at = check_revision(reference.revision)
    identity = RepoId.of(reference.repo, reference.kind)
    lock = resolve_frozen(frozen)
    if lock is not None:
        at, expected = lock.hold(identity.id, identity.kind, at, name, expected)
    own = client is None
    asked = client or Client(
        endpoint=endpoint,
        token=reference.token,
        session=session,
        offline=reference.offline,
        timeout=timeout,
    )
    root = config.hub_cache() if cache_dir is None else config.expand(cache_dir)
    job = Job(
        places=Places(root, identity),
        revision=at,
        filename=name,
        client=asked,
        local_only=local_files_only or bool(reference.offline),
        prefer_cache=prefer_cache,
        force=force,
        expected_sha256=expected,
        progress=Progress(progress),
        chunk_size=chunk_size,
        rate_limit=rate_limit,
        timeout=timeout,
        lock_timeout=lock_timeout,
        frozen=lock is not None,
    )
    with asked if own else nullcontext():
        if fetch is not None or layout == "flat":
            flat_root = config.cache_dir() if cache_dir is None else config.expand(cache_dir)
            path = _flat(job, flat_root, fetch)
        elif layout != "hub":
            raise HubValidationError(f"layout is {layout!r}, not 'hub' or 'flat'", value=layout)
        elif dry_run:
            return _plan(job, None if local_dir is None else config.expand(local_dir))
        elif local_dir is not None:
            path = obtain_into(job, config.expand(local_dir))
        else:
            path = obtain(job)
    return _unpack(path, extract_dir) if extract or extract_dir is not None else path


def hf_hub_download(
    repo_id: str,
    filename: str,
    *,
    subfolder: str | None = None,
    repo_type: str | None = None,
    revision: str | None = None,
    cache_dir: StrPath | None = None,
    local_dir: StrPath | None = None,
    force_download: bool = False,
    token: str | bool | None = None,
    local_files_only: bool = False,
    etag_timeout: float | None = None,
    endpoint: str | None = None,
    dry_run: bool = False,
    **options: Any,
) -> str | PlannedFile:
    """``download`` under huggingface_hub's name, with its argument names and a ``str`` result.

    Args:
        repo_id: ``org/name``; here a local directory is not meant.
        filename: the path inside the repository.
        force_download: ``download``'s ``force``.
        etag_timeout: ``download``'s ``timeout``.
        **options: what else ``download`` takes (``extract``, ``progress``, ``expected_sha256``...).

    Returns:
        The path as a string; a ``PlannedFile`` with ``dry_run``.

    Raises:
        HubError: see ``download``.
    """
    identity = RepoId.of(repo_id, repo_type)
    result = download(
        Reference(repo=identity.id, kind=identity.kind),
        filename,
        subfolder=subfolder or None,
        revision=revision,
        cache_dir=cache_dir,
        local_dir=local_dir,
        force=force_download,
        token=token,
        local_files_only=local_files_only,
        endpoint=endpoint,
        dry_run=dry_run,
        **{"timeout": etag_timeout, **options},
    )
    return result if isinstance(result, PlannedFile) else str(result)


def resolve_file(
    repo_id: str, revision: str, filename: str, **options: Unpack[FileOptions]
) -> Path:
    """The cached path of a file, fetched if it is not there. A cached file is returned as it is.

    Args:
        repo_id, revision, filename: which file.
        **options: what ``download`` takes. The timeout is 120 s where nothing else is said, and
            ``prefer_cache`` is on.

    Returns:
        The path.

    Raises:
        HubError: see ``download``.

    Example:
        >>> resolve_file(
        ...     "org/name",
        ...     "main",
        ...     "vocab.txt",
        ...     fetch=lambda repo, revision, file, options: b"a b c",
        ... ).read_bytes()
        b'a b c'
    """
    identity = RepoId.of(repo_id, options.pop("repo_type", None))
    if options.get("timeout") is None and options.get("client") is None:
        options["timeout"] = config.download_timeout(default=120.0)
    options.setdefault("prefer_cache", True)
    repo = Reference(repo=identity.id, kind=identity.kind)
    return download(repo, filename, revision=revision, **options)


def _in_directory(folder: Path, name: str, expected: str | None) -> Path:
    """A local directory stands for a repository: the file is there or it is not."""
    path = folder / name
    if not path.is_file():
        raise LocalEntryNotFoundError(
            f"{folder} has no file {name!r}",
            repo_id=str(folder),
            revision="",
            filename=name,
            suggestions=(f"Look what is there: ls {folder}",),
        )
    verify_file(path, expected_sha256=expected)
    return path


def _flat(job: Job, root: Path, fetch: flat.Fetch | None) -> Path:
    path = flat.flat_path(root, job.repo, job.revision, job.filename)

    def write(temporary: Path) -> None:
        if fetch is not None:
            options = {"force": job.force, "timeout": job.timeout, "offline": job.quiet}
            data = flat.call_fetch(fetch, job.repo, job.revision, job.filename, options)
            temporary.write_bytes(data)
        elif job.quiet:
            raise missing(job)
        else:
            fetch_into(job, announced(job), temporary)

    return flat.resolve_flat(
        path,
        write,
        root=root,
        force=job.force,
        expected_sha256=job.expected_sha256,
        lock_timeout=job.lock_timeout,
    )


def _plan(job: Job, folder: Path | None) -> PlannedFile:
    """What obtaining the file would do. Writes nothing."""
    if folder is None and not job.force:
        found = cached(job)
        if found is not None:
            commit = str(store.read_ref(job.places, job.revision))
            return PlannedFile(commit, job.filename, found.stat().st_size, found, True, False)
    if job.quiet:
        raise missing(job)
    metadata = announced(job)
    blob = store.find_blob(job.places, metadata.etag, metadata.size) is not None
    if folder is None:
        target = job.places.pointer(metadata.commit, job.filename)
        there = store.find_file(job.places, metadata.commit, job.filename) is not None
    else:
        target = folder / job.filename
        note = read_note(folder, job.filename)
        there = note is not None and note.etag == metadata.etag
    return PlannedFile(
        metadata.commit,
        job.filename,
        metadata.size,
        target,
        is_cached=there or blob,
        will_download=job.force or not (there or blob),
    )


def _unpack(path: Path, target: StrPath | None) -> Path:
    """Unpacks into the given directory, or one of ctok's cache that is named by the content."""
    from ctok.hub.checksum import sha256_of
    from ctok.hub.extract import extract

    if target is not None:
        return extract(path, config.expand(target))
    place = config.cache_dir() / "extracted" / sha256_of(path)
    with writing(place):
        return extract(path, place)
