"""One repository's entries in the cache: read without a lock, written so that all appear whole.

A file arrives like this, and a crash between any two steps leaves a cache that is right::

    blobs/<etag>.<8 hex>.incomplete   new and unique: written, flushed, verified
              | os.replace
    blobs/<etag>                      then the folder is flushed
              ^ relative link
    snapshots/<commit>/<path>
    refs/<revision>                   last: it never names a commit before its file is there
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
import time
from pathlib import Path

from ctok import config
from ctok.hub.checksum import EMPTY, etag_algorithm
from ctok.hub.disk import FULL, sync_directory, writing
from ctok.hub.paths import Places, blob_name, ensure_inside, is_commit

# A writer that is alive touches its file more often than this, unless the server makes it wait.
ABANDONED_SECONDS = 60.0
# Less than this is received again sooner than explained.
WORTH_KEEPING = 8 << 20

_symlinks_work: dict[str, bool] = {}


# --- reading ---------------------------------------------------------------------------------


def read_ref(places: Places, revision: str) -> str | None:
    """The commit that a revision meant when it was last asked for; a commit means itself."""
    if is_commit(revision):
        return revision
    try:
        commit = places.ref(revision).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return commit if is_commit(commit) else None


def find_file(places: Places, commit: str, filename: str) -> Path | None:
    """The cached file, or None. An empty file counts only where it is known to be empty.

    A dangling link is a miss. Nothing is locked or written.
    """
    pointer = places.pointer(commit, filename)
    try:
        size = pointer.stat().st_size
    except OSError:
        return None
    if not pointer.is_file() or (size == 0 and not known_empty(pointer)):
        return None
    return pointer


def known_empty(pointer: Path) -> bool:
    """Whether the link leads to a blob whose name is the checksum of nothing."""
    try:
        return Path(pointer.readlink()).name in EMPTY
    except OSError:
        return False


def find_blob(places: Places, etag: str, size: int | None) -> Path | None:
    """The blob, if it is there and has the announced length."""
    blob = places.blob(etag)
    try:
        actual = blob.stat().st_size
    except OSError:
        return None
    whole = actual == size if size is not None else actual > 0 or etag in EMPTY
    return blob if whole else None


def is_absent(places: Places, commit: str, filename: str) -> bool:
    """Whether the Hub said that this commit has no such file."""
    return places.no_exist(commit, filename).is_file()


# --- writing ---------------------------------------------------------------------------------


def write_ref(places: Places, revision: str, commit: str) -> None:
    """Notes what a branch or tag means now. Without newline: readers compare the whole file."""
    if is_commit(revision) or read_ref(places, revision) == commit:
        return
    ref = places.ref(revision)
    with writing(ref):
        ensure_inside(ref, places.folder)
        ref.parent.mkdir(parents=True, exist_ok=True)
        # The temporary name lies beside the blobs: a stray file among the refs would be a ref.
        places.blobs.mkdir(parents=True, exist_ok=True)
        temporary = places.blobs / f"ref.{secrets.token_hex(4)}.incomplete"
        try:
            temporary.write_text(commit, encoding="ascii")
            temporary.replace(ref)
        finally:
            temporary.unlink(missing_ok=True)


def mark_absent(places: Places, commit: str, filename: str) -> None:
    """Notes that the commit has no such file, as far as the cache can be written."""
    marker = places.no_exist(commit, filename)
    with contextlib.suppress(OSError):
        ensure_inside(marker, places.folder)
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.touch()


def new_incomplete(folder: Path, etag: str) -> Path:
    """Creates an empty file that no other writer has. Its mode follows the umask."""
    folder.mkdir(parents=True, exist_ok=True)
    while True:
        path = folder / f"{blob_name(etag)}.{secrets.token_hex(4)}.incomplete"
        try:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
        except FileExistsError:
            continue
        return path


def adopt_incomplete(folder: Path, etag: str, now: float | None = None) -> Path | None:
    """What a killed writer left of this content, under a new name, or None.

    Only for content whose ETag is a checksum: whatever went wrong then shows at the end. Of
    several the longest is taken and the others are removed. Call it with the lock held.
    """
    now = time.time() if now is None else now
    found: list[tuple[int, Path]] = []
    for path in folder.glob(f"{blob_name(etag)}.*.incomplete"):
        with contextlib.suppress(OSError):
            state = path.lstat()
            if path.is_file() and now - state.st_mtime >= ABANDONED_SECONDS:
                found.append((state.st_size, path))
    adopted = None
    for size, path in sorted(found, reverse=True):
        with contextlib.suppress(OSError):
            if adopted is None and size > 0 and etag_algorithm(etag) is not None:
                name = folder / f"{blob_name(etag)}.{secrets.token_hex(4)}.incomplete"
                # A rename succeeds for one process alone.
                path.rename(name)
                adopted = name
            else:
                path.unlink()
    return adopted


def abandon(temporary: Path, etag: str) -> None:
    """Ends an attempt that failed: what is worth resuming is left for ``adopt_incomplete``."""
    with contextlib.suppress(OSError):
        if etag_algorithm(etag) is not None and temporary.stat().st_size >= WORTH_KEEPING:
            os.utime(temporary, (0, 0))
        else:
            temporary.unlink()


def publish(temporary: Path, target: Path) -> None:
    """Renames a finished file to its name, for good. A link at that name is replaced, not
    followed. Where the rename fails and a whole file is there already, that is as good."""
    size = temporary.stat().st_size
    try:
        temporary.replace(target)
    except OSError:
        # Windows refuses while somebody has the old file open: same name, same content.
        if not target.is_file() or target.stat().st_size != size:
            raise
        temporary.unlink(missing_ok=True)
    sync_directory(target.parent)


def link(places: Places, etag: str, commit: str, filename: str, *, fresh: bool = False) -> Path:
    """Makes the snapshot show the blob, and returns the path in the snapshot.

    Args:
        places, etag, commit, filename: which blob, where.
        fresh: the blob was just downloaded: without links it may be moved, else it is copied.
    """
    blob, pointer = places.blob(etag), places.pointer(commit, filename)
    ensure_inside(pointer, places.folder)
    pointer.parent.mkdir(parents=True, exist_ok=True)
    if not links_work(places):
        _place_without_link(places, blob, pointer, fresh)
        return pointer
    text = os.path.relpath(blob, pointer.parent)
    try:
        pointer.symlink_to(text)
    except FileExistsError:
        if _leads_to(pointer, text):
            return pointer
        temporary = places.blobs / f"{blob.name}.{secrets.token_hex(4)}.incomplete"
        temporary.symlink_to(text)
        try:
            temporary.replace(pointer)
        finally:
            temporary.unlink(missing_ok=True)
    return pointer


def links_work(places: Places) -> bool:
    """Whether snapshots are links: tried once per cache. Windows may need a privilege."""
    if config.symlinks_disabled():
        return False
    key = str(places.root)
    if key not in _symlinks_work:
        places.blobs.mkdir(parents=True, exist_ok=True)
        probe = places.blobs / f"probe.{secrets.token_hex(4)}.incomplete"
        try:
            probe.symlink_to("probe")
            _symlinks_work[key] = True
        except (OSError, NotImplementedError) as exc:
            # A filesystem without links says EPERM; these say something else.
            if isinstance(exc, OSError) and exc.errno in FULL | {errno.EROFS, errno.EACCES}:
                raise
            _symlinks_work[key] = False
        finally:
            probe.unlink(missing_ok=True)
    return _symlinks_work[key]


def _leads_to(pointer: Path, text: str) -> bool:
    try:
        return str(pointer.readlink()) == text
    except OSError:
        return False


def _place_without_link(places: Places, blob: Path, pointer: Path, fresh: bool) -> None:
    if fresh:
        publish(blob, pointer)
        return
    temporary = new_incomplete(places.blobs, blob.name)
    try:
        shutil.copyfile(blob, temporary)
        publish(temporary, pointer)
    finally:
        temporary.unlink(missing_ok=True)
