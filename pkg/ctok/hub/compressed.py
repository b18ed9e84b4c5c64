"""Compressed streams: recognise one, read it within limits, unpack it to a file.

A compressed file from elsewhere can hold a million times its size, end in the middle or
be something else than its name says. So the format is read off the content, every byte
that comes out is counted, and a stream that ends early is an error in every format.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import secrets
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from ctok.errors import LimitError, MissingPackageError
from ctok.hub.disk import sync_directory
from ctok.hub.errors import VERIFICATION, HubError

MAGIC = (
    ("zip", b"PK\x03\x04"),
    ("zip", b"PK\x05\x06"),
    ("gz", b"\x1f\x8b\x08"),
    ("bz2", b"BZh"),
    ("xz", b"\xfd7zXZ\x00"),
    ("zst", b"\x28\xb5\x2f\xfd"),
)
TAR_BLOCK = 512
CHUNK = 1 << 20
# What one decompression step is fed. xz reaches 1:7000 and zstd 1:32000, so a step may
# bring 128 MiB at worst.
FEED = 4096
# A dictionary of `xz -9` needs 64 MiB; hostile headers ask for 4 GiB.
MAX_DICTIONARY = 256 << 20


class ArchiveError(HubError, ValueError):
    """An archive that is broken or of an unknown format.

    ``archive`` is its path and ``member`` the name inside it, where one is to blame.
    """

    archive: str
    member: str | None
    exit_code = VERIFICATION
    default_suggestions: tuple[str, ...] = (
        "Download the file again: it may be truncated (ctok fetch REPO FILE --force).",
        "Look at what it is with `file NAME`; ctok reads zip, tar, gz, bz2, xz and zst.",
    )


class UnsafeArchiveError(ArchiveError):
    """An archive with a member that would land, or point, outside the target."""

    default_suggestions = (
        "Do not unpack this archive by other means: tell the people who published it.",
    )


class ArchiveLimitError(ArchiveError, LimitError):
    """An archive that unpacks to more than the limits allow."""

    default_suggestions = ("If you trust the archive, pass limits=Limits(...) with more room.",)


@dataclass(frozen=True)
class Limits:
    """How much may come out of one archive.

    Args:
        max_bytes: bytes in all.
        max_ratio: bytes that come out for one byte of the archive. Real text stays under 50.
        ratio_from: the ratio matters only once this many bytes came out.
        max_members: files, folders and links in all.
    """

    max_bytes: int = 64 << 30
    max_ratio: float = 250.0
    ratio_from: int = 256 << 20
    max_members: int = 1_000_000


class Budget:
    """Counts what comes out of one archive against its limits."""

    def __init__(self, archive: Path, limits: Limits) -> None:
        self.archive = archive
        self.bytes = 0
        self.members = 0
        self._limits = limits
        by_ratio = int(archive.stat().st_size * limits.max_ratio)
        self._most = min(limits.max_bytes, max(by_ratio, limits.ratio_from))

    def take(self, size: int) -> None:
        """Counts ``size`` bytes.

        Raises:
            ArchiveLimitError: that is more than the limits allow.
        """
        self.bytes += size
        if self.bytes > self._most:
            raise ArchiveLimitError(
                f"{self.archive}: unpacks to more than {self._most} bytes, which is "
                f"{self._most / max(self.archive.stat().st_size, 1):.0f} times its size",
                archive=str(self.archive),
                member=None,
            )

    def add_member(self) -> None:
        """Counts one member; raises like ``take``."""
        self.members += 1
        if self.members > self._limits.max_members:
            raise ArchiveLimitError(
                f"{self.archive}: holds more than {self._limits.max_members} members",
                archive=str(self.archive),
                member=None,
            )


def archive_format(path: Path) -> str | None:
    """Reads off the content what a file is.

    Returns:
        ``zip``, ``tar``, ``tar.gz``, ``tar.bz2``, ``tar.xz``, ``tar.zst``, ``gz``, ``bz2``,
        ``xz``, ``zst``, or None for a file that is none of them.

    Raises:
        MissingPackageError: zstd, and no package to read it.
        ArchiveError: the stream is broken from the start.

    Example:
        >>> archive_format(Path("data.tar.gz"))  # doctest: +SKIP
        'tar.gz'
    """
    with path.open("rb") as file:
        head = file.read(TAR_BLOCK)
    kind = next((name for name, magic in MAGIC if head.startswith(magic)), None)
    if kind is None:
        return "tar" if _is_tar(head, path.name) else None
    if kind == "zip":
        return kind
    with open_compressed(path, kind) as stream:
        return f"tar.{kind}" if _is_tar(stream.read(TAR_BLOCK), path.name) else kind


def _is_tar(block: bytes, name: str) -> bool:
    try:
        tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        # An empty tar file is nothing but zeros; only its name tells.
        return ".tar" in name and len(block) == TAR_BLOCK and not any(block)
    return True


@contextmanager
def open_compressed(path: Path, kind: str, budget: Budget | None = None) -> Iterator[BinaryIO]:
    """Opens ``path`` for reading what it decompresses to.

    Args:
        path: the compressed file.
        kind: ``gz``, ``bz2``, ``xz``, ``zst`` or ``tar`` (read as it is).
        budget: counts the bytes; None reads without limit.

    Raises:
        MissingPackageError: zstd, and no package to read it.
        ArchiveError: from reads, when the stream is broken or ends early.
    """
    with path.open("rb") as file:
        inner: Any
        if kind == "gz":
            inner = gzip.GzipFile(fileobj=file)
        elif kind == "bz2":
            inner = bz2.BZ2File(file)
        elif kind == "xz":
            inner = _Stepwise(file, lambda: lzma.LZMADecompressor(memlimit=MAX_DICTIONARY))
        elif kind == "zst":
            inner = _Stepwise(file, _zstd_decompressor(path))
        else:
            inner = file
        with io.BufferedReader(Counted(inner, path, budget), CHUNK) as stream:
            yield stream


def _zstd_decompressor(path: Path) -> Callable[[], Any]:
    try:
        from compression import zstd  # type: ignore[import-not-found,unused-ignore]

        return zstd.ZstdDecompressor  # type: ignore[no-any-return,unused-ignore]
    except ImportError:
        pass
    try:
        import zstandard
    except ImportError as exc:
        raise MissingPackageError(
            f"{path}: zstd needs the package zstandard, which is not installed",
            suggestions=["Run: pip install 'ctok[zstd]'"],
            package="zstandard",
            extra="zstd",
        ) from exc
    limited = zstandard.ZstdDecompressor(max_window_size=MAX_DICTIONARY)
    return limited.decompressobj


class _Stepwise(io.RawIOBase):
    """Reads concatenated streams through decompressor objects, one small step at a time."""

    def __init__(self, file: BinaryIO, new: Callable[[], Any]) -> None:
        self._file = file
        self._new = new
        self._step = new()
        self._between = False
        self._fed = b""
        self._ready = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready:
            self._fed = self._fed or self._file.read(FEED)
            if not self._fed:
                if not self._between:
                    raise EOFError("the compressed stream ends in the middle")
                return 0
            if self._between:
                # Zeros pad xz files; anything else starts another stream.
                self._fed = self._fed.lstrip(b"\0")
                if not self._fed:
                    continue
                self._step = self._new()
                self._between = False
            self._ready = memoryview(self._step.decompress(self._fed))
            self._fed = b""
            if self._step.eof:
                self._fed = self._step.unused_data
                self._between = True
        size = min(len(buffer), len(self._ready))
        buffer[:size] = self._ready[:size]
        self._ready = self._ready[size:]
        return size


class Counted(io.RawIOBase):
    """Counts what is read, and gives every library's complaint one name."""

    def __init__(self, inner: Any, path: Path, budget: Budget | None) -> None:
        self._inner = inner
        self._path = path
        self._budget = budget

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            size: int = self._inner.readinto(buffer)
        except Exception as exc:
            if not _is_complaint(exc):
                raise
            raise ArchiveError(
                f"{self._path}: broken compressed data: {exc}",
                archive=str(self._path),
                member=None,
            ) from exc
        if self._budget is not None:
            self._budget.take(size)
        return size


def _is_complaint(exc: Exception) -> bool:
    """Whether a decompressor, and not the disk, is unhappy."""
    if isinstance(exc, OSError):
        # gzip and bz2 complain with an OSError that has no errno; a failing disk has one.
        return exc.errno is None
    # zstandard's own class is in a package that may be absent.
    return isinstance(exc, EOFError | zlib.error | lzma.LZMAError) or (
        type(exc).__name__ == "ZstdError"
    )


def decompress(source: Path, target: Path, *, limits: Limits | None = None) -> Path:
    """Unpacks one compressed file (gz, bz2, xz, zst) to ``target``, which appears whole.

    Args:
        source: the compressed file.
        target: the file to write; replaced if it exists.
        limits: how much may come out.

    Returns:
        ``target``.

    Raises:
        ArchiveError: not such a file, or broken.
        ArchiveLimitError: a bomb.
        MissingPackageError: zstd, and no package to read it.

    Example:
        >>> decompress(Path("train.jsonl.gz"), Path("train.jsonl"))  # doctest: +SKIP
    """
    kind = archive_format(source)
    kind = kind.removeprefix("tar.") if kind else None
    if kind not in ("gz", "bz2", "xz", "zst"):
        raise ArchiveError(
            f"{source}: expected gz, bz2, xz or zst data, found {kind or 'something else'}",
            archive=str(source),
            member=None,
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.incomplete")
    try:
        budget = Budget(source, limits or Limits())
        with open_compressed(source, kind, budget) as stream, temporary.open("xb") as out:
            while piece := stream.read(CHUNK):
                out.write(piece)
            out.flush()
            os.fsync(out.fileno())
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
    sync_directory(target.parent)
    return target
