"""Unpacks an archive into a directory that appears whole, and never outside it.

The steps, and why a hostile archive gets nowhere:

1. every member is named by plain relative parts or the archive is refused: no absolute
   path, drive, share, backslash, ``..`` or NUL, on every platform;
2. members are written into a fresh sibling ``.<name>.<hex>.extracting`` that holds only
   directories and new files, so no write can go through a link; of a member's permissions
   only "executable" is kept; devices and pipes are refused;
3. links come last. One is made only if what it points at exists already and lies inside;
   later links take new names only, so that stays true;
4. every byte and member counts against ``Limits``;
5. everything is synced, the mark ``.ctok-complete`` is written, and one rename publishes it.
   A directory without the mark is never taken for an extracted archive.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import secrets
import shutil
import stat
import tarfile
import time
import zipfile
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, BinaryIO, Literal

from ctok.hub.compressed import (
    CHUNK,
    ArchiveError,
    Budget,
    Counted,
    Limits,
    UnsafeArchiveError,
    archive_format,
    open_compressed,
)
from ctok.hub.disk import sync_directory
from ctok.hub.errors import HubError

MARK = ".ctok-complete"
SUFFIXES = re.compile(r"\.(gz|bz2|xz|zst|zip|tar|tgz|tbz2?|txz)$", re.IGNORECASE)
# A tar header extension (long name, pax record) is a few hundred bytes; reading one in full
# is where a hostile size would cost memory.
MAX_READ = 8 << 20
MAX_TARGET = 4096
STALE_SECONDS = 24 * 3600


class TargetExistsError(HubError, FileExistsError):
    """The place to unpack to holds something else."""

    default_suggestions = (
        "Name another target, or remove this one.",
        "To replace it, whatever it holds, pass force=True.",
    )


@dataclass
class Member:
    """One entry of an archive, in the words all formats share."""

    name: str
    kind: Literal["file", "folder", "symlink", "hardlink"]
    target: str = ""
    executable: bool = False
    data: IO[bytes] | None = field(default=None, repr=False)


def extract(
    archive: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    limits: Limits | None = None,
    force: bool = False,
) -> Path:
    """Unpacks a zip, tar (plain or compressed) or single compressed file into a directory.

    Safe to repeat and to run twice at once: a target that was completely extracted from the
    same archive is returned as it is.

    Args:
        archive: the file; its format is read off its content.
        target: the directory to create. A single compressed file becomes one file in it,
            named without the compression suffix.
        limits: how much may come out.
        force: replace an existing target, whatever it is.

    Returns:
        ``target``.

    Raises:
        ArchiveError: not an archive, or broken; the target is as it was.
        UnsafeArchiveError: a member that would land or point outside.
        ArchiveLimitError: a bomb.
        TargetExistsError: the target exists and is not a complete extraction of this archive.
        MissingPackageError: zstd, and no package to read it.

    Example:
        >>> extract("data.tar.gz", "data")  # doctest: +SKIP
        PosixPath('data')
    """
    source, place = Path(archive), Path(target)
    if not force and place.exists() and (not place.is_dir() or any(place.iterdir())):
        # Looked at in this order, since another process may publish the target meanwhile.
        if _is_complete(place, source):
            return place
        raise TargetExistsError(f"{place}: exists and was not extracted from {source}")
    kind = archive_format(source)
    if kind is None:
        raise ArchiveError(
            f"{source}: not a zip, tar, gz, bz2, xz or zst file", archive=str(source), member=None
        )
    place.parent.mkdir(parents=True, exist_ok=True)
    _remove_stale(place)
    temporary = place.with_name(f".{place.name}.{secrets.token_hex(4)}.extracting")
    temporary.mkdir()
    try:
        budget = Budget(source, limits or Limits())
        with _members(source, kind, budget) as members:
            _place(members, temporary, budget)
        (temporary / MARK).write_text(json.dumps(_identity(source, digest=True), indent=1))
        _sync_tree(temporary)
        _publish(temporary, place, source, force=force)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    sync_directory(place.parent)
    return place


# --- what an archive holds -----------------------------------------------------------------


@contextmanager
def _members(source: Path, kind: str, budget: Budget) -> Iterator[Iterator[Member]]:
    try:
        if kind == "zip":
            with zipfile.ZipFile(source) as file, closing(_zip_members(file, budget)) as members:
                yield members
        elif kind.startswith("tar"):
            inner = kind.removeprefix("tar.")
            with (
                open_compressed(source, inner, budget) as stream,
                closing(_tar_members(_Forward(stream, source), source)) as members,
            ):
                yield members
        else:
            with open_compressed(source, kind, budget) as stream:
                name = SUFFIXES.sub("", source.name) or source.name
                yield iter([Member(name, "file", data=stream)])
    except (tarfile.TarError, zipfile.BadZipFile, NotImplementedError) as exc:
        raise ArchiveError(
            f"{source}: broken {kind} archive: {exc}", archive=str(source), member=None
        ) from exc


def _zip_members(file: zipfile.ZipFile, budget: Budget) -> Generator[Member, None, None]:
    for info in file.infolist():
        if info.flag_bits & 1:
            raise _refusal(budget.archive, info.filename, "is encrypted", ArchiveError)
        kind = stat.S_IFMT(info.external_attr >> 16)
        executable = bool(info.external_attr >> 16 & stat.S_IXUSR)
        if info.is_dir():
            yield Member(info.filename, "folder")
        elif kind == stat.S_IFLNK:
            with file.open(info) as data:
                yield Member(info.filename, "symlink", os.fsdecode(data.read(MAX_TARGET)))
        elif kind in (0, stat.S_IFREG):
            with file.open(info) as data:
                # Counted as it comes out: the size that a member declares may be a lie.
                counted = io.BufferedReader(Counted(data, budget.archive, budget), CHUNK)
                yield Member(info.filename, "file", executable=executable, data=counted)
        else:
            raise _refusal(budget.archive, info.filename, "is a device or a pipe")


def _tar_members(stream: _Forward, source: Path) -> Generator[Member, None, None]:
    with tarfile.open(fileobj=stream, mode="r:") as file:  # type: ignore[call-overload]
        while (info := stream.next_of(file)) is not None:
            # The open file would keep every header it ever saw.
            file.members.clear()
            if info.isdir():
                yield Member(info.name, "folder")
            elif info.issym():
                yield Member(info.name, "symlink", info.linkname)
            elif info.islnk():
                yield Member(info.name, "hardlink", info.linkname)
            elif info.isreg():
                executable = bool(info.mode & stat.S_IXUSR)
                yield Member(info.name, "file", executable=executable, data=file.extractfile(info))
            else:
                raise _refusal(source, info.name, "is a device or a pipe")
    # tarfile takes a broken header for the end; the true end is a block of zeros.
    if stream.last != bytes(tarfile.BLOCKSIZE):
        raise tarfile.ReadError("it ends, or is broken, before the end mark")
    while stream.read(CHUNK):
        continue  # so that a checksum behind the last member is checked


class _Forward:
    """A stream that tarfile may seek in, forwards only, reading a bounded amount at a time."""

    def __init__(self, stream: BinaryIO, source: Path) -> None:
        self._stream = stream
        self._source = source
        self._at = 0
        self._header_left: int | None = MAX_READ  # tarfile.open reads the first header
        self.last = b""

    def next_of(self, file: tarfile.TarFile) -> tarfile.TarInfo | None:
        """The next member, whose headers are bounded all together: newer versions of tarfile
        (3.14.10) read a long one in many small steps."""
        self._header_left = MAX_READ
        try:
            return file.next()
        finally:
            self._header_left = None

    def tell(self) -> int:
        return self._at

    def seek(self, position: int) -> int:
        while self._at < position:
            if not self._take(min(position - self._at, CHUNK)):
                break
        return self._at

    def read(self, size: int) -> bytes:
        if size > (MAX_READ if self._header_left is None else self._header_left):
            raise ArchiveError(
                f"{self._source}: a header of more than {MAX_READ} bytes up to offset {self._at}",
                archive=str(self._source),
                member=None,
            )
        if self._header_left is not None:
            self._header_left -= size
        return self._take(size)

    def _take(self, size: int) -> bytes:
        self.last = self._stream.read(size)
        self._at += len(self.last)
        return self.last


# --- where it goes -------------------------------------------------------------------------


def _place(members: Iterator[Member], root: Path, budget: Budget) -> None:
    links: list[Member] = []
    for member in members:
        budget.add_member()
        parts = _safe_parts(budget.archive, member.name)
        if not parts:
            continue
        path = root.joinpath(*parts)
        try:
            if member.kind == "folder":
                path.mkdir(parents=True, exist_ok=True)
            elif member.kind == "symlink":
                links.append(member)
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                _write(member, path, root, budget)
        except (FileExistsError, NotADirectoryError) as exc:
            raise _refusal(
                budget.archive, member.name, "is there twice, or below a file", ArchiveError
            ) from exc
    _link(links, root, budget.archive)


def _write(member: Member, path: Path, root: Path, budget: Budget) -> None:
    if member.kind == "hardlink":
        original = root.joinpath(*_safe_parts(budget.archive, member.target))
        if not original.is_file():
            raise _refusal(budget.archive, member.name, f"links to {member.target!r}, not a file")
        # A copy, since a link would let a change of one file reach the other.
        budget.take(original.stat().st_size)
        shutil.copy(original, path)
        return
    assert member.data is not None
    with path.open("xb") as out:
        while piece := member.data.read(CHUNK):
            out.write(piece)
        if member.executable:
            mode = stat.S_IMODE(os.fstat(out.fileno()).st_mode)
            path.chmod(mode | (mode & 0o444) >> 2)


def _link(links: list[Member], root: Path, archive: Path) -> None:
    """Makes the links whose target exists, until no more can be made; refuses the rest."""
    real = root.resolve()
    while links:
        waiting = []
        for member in links:
            path = root.joinpath(*_safe_parts(archive, member.name))
            _safe_target(archive, member)
            inside = (path.parent / member.target).resolve()
            if not inside.is_relative_to(real) or not path.parent.resolve().is_relative_to(real):
                raise _refusal(archive, member.name, f"links to {member.target!r}, outside")
            if not inside.exists():
                waiting.append(member)
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                path.symlink_to(member.target, target_is_directory=inside.is_dir())
            except FileExistsError as exc:
                raise _refusal(archive, member.name, "is there twice", ArchiveError) from exc
        if len(waiting) == len(links):
            raise _refusal(
                archive, links[0].name, f"links to {links[0].target!r}, which is not there"
            )
        links = waiting


def _safe_parts(archive: Path, name: str) -> tuple[str, ...]:
    """The parts of a member's name; a leading ``./`` and a trailing ``/`` mean nothing."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") or "\\" in name or re.match("[A-Za-z]:", name):
        raise _refusal(archive, name, "has an absolute path, a drive or a backslash")
    if ".." in parts or "\0" in name or MARK in parts[:1]:
        raise _refusal(archive, name, "leaves the target or has a reserved name")
    return tuple(parts)


def _safe_target(archive: Path, member: Member) -> None:
    target = member.target
    if target.startswith("/") or "\\" in target or re.match("[A-Za-z]:", target):
        raise _refusal(archive, member.name, f"links to {target!r}, an absolute path")
    if not target or "\0" in target:
        raise _refusal(archive, member.name, "links to nothing")


def _refusal(
    archive: Path, member: str, why: str, error: type[ArchiveError] = UnsafeArchiveError
) -> ArchiveError:
    return error(f"{archive}: member {member!r} {why}", archive=str(archive), member=member)


# --- when it is done -----------------------------------------------------------------------


def _identity(source: Path, *, digest: bool) -> dict[str, Any]:
    """What the mark says about the archive; the digest is only needed if the rest differs."""
    facts = source.stat()
    known: dict[str, Any] = {"size": facts.st_size, "mtime_ns": facts.st_mtime_ns}
    if digest:
        with source.open("rb") as file:
            known["sha256"] = hashlib.file_digest(file, "sha256").hexdigest()
    return known


def _is_complete(place: Path, source: Path) -> bool:
    try:
        mark = json.loads((place / MARK).read_text())
    except (OSError, ValueError):
        return False
    if mark.items() >= _identity(source, digest=False).items():
        return True
    return bool(mark.get("sha256") == _identity(source, digest=True)["sha256"])


def _sync_tree(root: Path) -> None:
    """Syncs files first, then directories from the inside out, so that names follow content."""
    for folder, _, names in os.walk(root, topdown=False):
        for name in names:
            path = Path(folder, name)
            if not path.is_symlink():
                with path.open("rb") as file:
                    os.fsync(file.fileno())
        sync_directory(Path(folder))


def _publish(temporary: Path, place: Path, source: Path, *, force: bool) -> None:
    old = place.with_name(f".{place.name}.{secrets.token_hex(4)}.extracting")
    if force and place.exists():
        place.rename(old)
    try:
        temporary.rename(place)
    except OSError:
        # Another process may have been faster. Its result is as good if it is complete.
        if not _is_complete(place, source):
            if old.exists():
                old.rename(place)
            raise
    if old.is_dir() and not old.is_symlink():
        shutil.rmtree(old, ignore_errors=True)
    else:
        old.unlink(missing_ok=True)


def _remove_stale(place: Path) -> None:
    """Removes what killed processes left behind, once it is a day old."""
    oldest = time.time() - STALE_SECONDS
    for left in place.parent.glob(f".{place.name}.*.extracting"):
        with suppress(FileNotFoundError):  # its owner has just published it
            if left.stat().st_mtime < oldest:
                shutil.rmtree(left, ignore_errors=True)
