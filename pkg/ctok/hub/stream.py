"""The bytes of a file without a file: in chunks, with bounded memory, verified at the end."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from ctok import config
from ctok.hub.checksum import check_sha256, etag_algorithm
from ctok.hub.errors import ChecksumError, TruncatedError
from ctok.hub.files import StrPath
from ctok.hub.http import Client
from ctok.hub.lockfile import Frozen, resolve_frozen
from ctok.hub.metadata import FileMetadata
from ctok.hub.obtain import Job, announced, cached, missing
from ctok.hub.paths import Places, RepoId, check_filename, check_revision
from ctok.hub.reference import parse_reference
from ctok.hub.store import find_blob
from ctok.hub.transfer import Wanted, receive

if TYPE_CHECKING:
    import requests


class ByteStream(Iterator[bytes]):
    """Iterates over the chunks of one file. Close it, or use it as a context manager.

    The last chunk is followed by ``StopIteration`` only if length and checksum were right.

    Attributes:
        size: bytes in all, where known.
        commit: the commit they belong to, where known.
        etag: the name of the content, where known.
    """

    def __init__(
        self,
        chunks: Iterator[bytes],
        closing: ExitStack,
        *,
        size: int | None,
        commit: str | None = None,
        etag: str | None = None,
    ) -> None:
        self._chunks = chunks
        self._closing = closing
        self.size = size
        self.commit = commit
        self.etag = etag

    def __next__(self) -> bytes:
        try:
            return next(self._chunks)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> ByteStream:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the transfer. Safe to call twice."""
        close = getattr(self._chunks, "close", None)
        if close is not None:
            close()
        self._closing.close()


def download_stream(
    repo: str | StrPath,
    file: str,
    *,
    revision: str | None = None,
    repo_type: str | None = None,
    subfolder: str | None = None,
    token: str | bool | None = None,
    cache_dir: StrPath | None = None,
    offline: bool | None = None,
    local_files_only: bool = False,
    frozen: Frozen = None,
    session: requests.Session | None = None,
    endpoint: str | Sequence[str] | None = None,
    timeout: float | None = None,
    expected_sha256: str | None = None,
    chunk_size: int = 1 << 20,
    rate_limit: float | None = None,
    client: Client | None = None,
) -> ByteStream:
    """Streams a file from the cache, or from the Hub without storing it.

    A refusal is raised here and not at the first chunk. A connection that breaks is resumed.

    Args:
        repo, file, revision, repo_type, subfolder, token, cache_dir, offline, local_files_only,
        frozen, session, endpoint, timeout, expected_sha256, rate_limit, client: as for
        ``download``.
        chunk_size: the most bytes in a chunk.

    Returns:
        A ``ByteStream``.

    Raises:
        HubError: see ``download``; while iterating, ``VerificationError`` or
            ``HubConnectionError``.

    Example:
        >>> with download_stream("org/name", "big.bin") as chunks:  # doctest: +SKIP
        ...     size = sum(map(len, chunks))
    """
    reference = parse_reference(
        repo, revision=revision, repo_type=repo_type, token=token, offline=offline
    )
    name = check_filename(file, "/".join(filter(None, (reference.subdir, subfolder))))
    expected = check_sha256(expected_sha256)
    closing = ExitStack()
    if reference.local is not None:
        return _from_file(reference.local / name, chunk_size, expected)
    asked = client or closing.enter_context(
        Client(
            endpoint=endpoint,
            token=reference.token,
            session=session,
            offline=reference.offline,
            timeout=timeout,
        )
    )
    root = config.hub_cache() if cache_dir is None else config.expand(cache_dir)
    identity, at = RepoId.of(reference.repo, reference.kind), check_revision(reference.revision)
    lock = resolve_frozen(frozen)
    if lock is not None:
        at, expected = lock.hold(identity.id, identity.kind, at, name, expected)
    job = Job(
        places=Places(root, identity),
        revision=at,
        filename=name,
        client=asked,
        local_only=local_files_only or bool(reference.offline),
        timeout=timeout,
    )
    with closing:
        found = cached(job)
        if found is not None:
            return _from_file(found, chunk_size, expected)
        if job.quiet:
            raise missing(job)
        metadata = announced(job)
        blob = find_blob(job.places, metadata.etag, metadata.size)
        if blob is not None:
            return _from_file(blob, chunk_size, expected)
        source = receive(
            asked,
            Wanted(job.repo, name, metadata),
            chunk_size=chunk_size,
            rate_limit=rate_limit,
            timeout=timeout,
        )
        # The first chunk is fetched now, so that a refusal shows here.
        first = next(source, None)
        chunks = _verified(first, source, metadata, expected, name)
        return ByteStream(
            chunks,
            closing.pop_all(),
            size=metadata.size,
            commit=metadata.commit,
            etag=metadata.etag,
        )


def _from_file(path: Path, chunk_size: int, expected: str | None) -> ByteStream:
    closing = ExitStack()
    file = closing.enter_context(path.open("rb"))

    def chunks() -> Iterator[bytes]:
        digest = hashlib.sha256()
        while chunk := file.read(chunk_size):
            digest.update(chunk)
            yield chunk
        _compare(expected, digest.hexdigest(), "SHA-256", str(path))

    return ByteStream(chunks(), closing, size=path.stat().st_size)


def _verified(
    first: tuple[int, bytes] | None,
    rest: Iterator[tuple[int, bytes]],
    metadata: FileMetadata,
    expected: str | None,
    name: str,
) -> Iterator[bytes]:
    """The chunks in order. What comes a second time, because the transfer had to begin again,
    is skipped: the checksum covers what was passed on."""
    algorithm = etag_algorithm(metadata.etag)
    sha256, sha1 = hashlib.sha256(), hashlib.sha1(usedforsecurity=False)
    if metadata.size is not None:
        sha1.update(b"blob %d\0" % metadata.size)
    position = 0

    def pieces() -> Iterator[tuple[int, bytes]]:
        if first is not None:
            yield first
        yield from rest

    for offset, chunk in pieces():
        if offset < position and algorithm is None:
            raise TruncatedError(
                f"{name}: the transfer had to begin again, and nothing proves that it is the same "
                "file",
                expected=position,
                actual=offset,
            )
        fresh = chunk[position - offset :] if offset < position else chunk
        if not fresh:
            continue
        sha256.update(fresh)
        sha1.update(fresh)
        position += len(fresh)
        yield fresh
    _compare(expected, sha256.hexdigest(), "SHA-256", name)
    if algorithm == "sha256":
        _compare(metadata.etag, sha256.hexdigest(), "SHA-256", name)
    elif algorithm == "git-sha1" and metadata.size is not None:
        _compare(metadata.etag, sha1.hexdigest(), "git SHA-1", name)


def _compare(expected: str | None, actual: str, algorithm: str, name: str) -> None:
    if expected is not None and expected != actual:
        raise ChecksumError(
            f"{name} has the {algorithm} {actual}, not {expected}",
            expected=expected,
            actual=actual,
            algorithm=algorithm,
            path=name,
        )
