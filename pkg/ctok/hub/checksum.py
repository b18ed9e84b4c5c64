"""Are these the bytes that were announced?

The Hub names a file's content in its ETag: the SHA-256 of a file in LFS, the git blob id of
any other, which is the SHA-1 of ``blob <size>\\0`` and the content. Some mirrors send the plain
SHA-1, which is as good. Any other ETag is just a name and proves nothing.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from ctok.hub.errors import ChecksumError, HubValidationError, TruncatedError

_HEX = re.compile(r"[0-9a-f]+")
EMPTY = frozenset({hashlib.sha256(b"").hexdigest(), hashlib.sha1(b"blob 0\0").hexdigest()})


def etag_algorithm(etag: str) -> str | None:
    """``sha256`` or ``git-sha1``, or None for an ETag that is no checksum.

    Example:
        >>> etag_algorithm("e69de29bb2d1d6434b8b29ae775ad8c2e48c5391")
        'git-sha1'
    """
    if _HEX.fullmatch(etag):
        return {64: "sha256", 40: "git-sha1"}.get(len(etag))
    return None


def check_sha256(value: str | None) -> str | None:
    """The checksum a user gave, in lower case.

    Raises:
        HubValidationError: not 64 hex digits.
    """
    if value is None:
        return None
    lowered = value.strip().lower()
    if etag_algorithm(lowered) != "sha256":
        raise HubValidationError(f"{value!r} is no SHA-256: 64 hex digits", value=value)
    return lowered


def sha256_of(path: Path) -> str:
    """The file's SHA-256 in lower-case hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def git_sha1_of(path: Path) -> str:
    """The id git would give the file's content."""
    digest = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def verify_file(
    path: Path,
    *,
    etag: str | None = None,
    size: int | None = None,
    expected_sha256: str | None = None,
    shown: str = "",
) -> None:
    """Compares a file with all that is known about it.

    Args:
        path: the file.
        etag: the ETag; checked where it is a checksum.
        size: the announced length.
        expected_sha256: what the caller asked for.
        shown: the name for messages; the path by default.

    Raises:
        TruncatedError: another length.
        ChecksumError: another checksum.
    """
    name = shown or str(path)
    actual_size = path.stat().st_size
    if size is not None and size != actual_size:
        raise TruncatedError(
            f"{name} has {actual_size} bytes, not {size}", expected=size, actual=actual_size
        )
    algorithm = None if etag is None else etag_algorithm(etag)
    sha256 = sha256_of(path) if expected_sha256 or algorithm == "sha256" else ""
    if expected_sha256 and sha256 != expected_sha256:
        raise _mismatch(name, path, "SHA-256", expected_sha256, sha256)
    if algorithm == "sha256" and sha256 != etag:
        raise _mismatch(name, path, "SHA-256", str(etag), sha256)
    if algorithm == "git-sha1":
        actual = git_sha1_of(path)
        if actual != etag and _plain_sha1(path) != etag:
            raise _mismatch(name, path, "git SHA-1", str(etag), actual)


def _plain_sha1(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha1").hexdigest()


def _mismatch(name: str, path: Path, algorithm: str, expected: str, actual: str) -> ChecksumError:
    return ChecksumError(
        f"{name} has the {algorithm} {actual}, not {expected}",
        expected=expected,
        actual=actual,
        algorithm=algorithm,
        path=str(path),
    )
