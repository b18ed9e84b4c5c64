"""One writer per file, across threads, processes and huggingface_hub.

The lock is advisory and best effort: some network filesystems grant it to everybody. It saves
downloads; correct files come from unique temporary names and atomic renames alone. A lock
file is opened for appending, never truncated and never removed (two processes would else
hold locks on two files of one name). The kernel drops the lock with its holder, so a killed
process leaves none behind.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from ctok.hub.errors import LockTimeoutError

_logger = logging.getLogger("ctok.hub")

# The filesystem has no locks, or the folder takes no lock file: go on without one.
_NO_LOCKS = frozenset(
    getattr(errno, name)
    for name in ("EROFS", "EACCES", "EPERM", "ENOLCK", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EINVAL")
    if hasattr(errno, name)
)
_POLL_FIRST, _POLL_MOST = 0.01, 0.25


@contextlib.contextmanager
def file_lock(path: Path, *, timeout: float | None = None) -> Iterator[bool]:
    """Holds the exclusive lock of ``path`` while the block runs.

    Args:
        path: the lock file; it and its folders are created.
        timeout: seconds to wait; None waits for as long as it takes, 0 tries once.

    Yields:
        Whether the lock is held: False where the filesystem offers none.

    Raises:
        LockTimeoutError: somebody else held it all the time; it names the process where the
            system tells.
    """
    file = _open(path)
    if file is None:
        yield False
        return
    with file:
        held = _acquire(file, path, timeout)
        try:
            yield held
        finally:
            if held:
                import portalocker

                portalocker.unlock(file)


def is_locked(path: Path) -> bool:
    """Whether somebody holds the lock right now. Creates nothing."""
    if not path.is_file():
        return False
    try:
        with file_lock(path, timeout=0):
            return False
    except LockTimeoutError:
        return True


def _open(path: Path) -> IO[str] | None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        new = not path.exists()
        # Not a with statement: the caller keeps it open while it holds the lock.
        file = open(path, "a")  # noqa: SIM115, PTH123
    except OSError as exc:
        if exc.errno not in _NO_LOCKS:
            raise
        _logger.debug("no lock at %s (%s): going on without", path, exc.strerror)
        return None
    if new:
        # Other users of a shared cache must be able to open it, whatever the umask says.
        with contextlib.suppress(OSError):
            path.chmod(0o664)
    return file


def _acquire(file: IO[str], path: Path, timeout: float | None) -> bool:
    import portalocker

    deadline = None if timeout is None else time.monotonic() + timeout
    # Windows locks a range that starts at the position; everybody must mean the first byte.
    file.seek(0)
    pause, told = _POLL_FIRST, False
    while True:
        try:
            portalocker.lock(file, portalocker.LOCK_EX | portalocker.LOCK_NB)
            return True
        except portalocker.AlreadyLocked as exc:
            if deadline is not None and time.monotonic() >= deadline:
                owner = lock_owner(path)
                by = "another process" if owner is None else f"process {owner}"
                raise LockTimeoutError(
                    f"{path} is held by {by} for longer than {timeout:g} s",
                    path=str(path),
                    timeout=timeout,
                    owner=owner,
                ) from exc
        except (portalocker.LockException, OSError) as exc:
            if _error_number(exc) not in _NO_LOCKS:
                raise
            _logger.debug("no lock at %s (%s): going on without", path, exc)
            return False
        if not told:
            _logger.debug("waiting for %s, held by %s", path, lock_owner(path) or "somebody")
            told = True
        time.sleep(pause)
        pause = min(pause * 2, _POLL_MOST)


def _error_number(exc: BaseException) -> int | None:
    """portalocker wraps the system's error: as the first argument or as the cause."""
    for each in (exc, *exc.args, exc.__cause__, exc.__context__):
        if isinstance(each, OSError) and each.errno is not None:
            return each.errno
    return None


def lock_owner(path: Path) -> int | None:
    """The process that holds the lock, where the system tells (Linux), else None.

    Nothing is written into the lock file for this, so the answer is never stale and is right
    for huggingface_hub's locks, too.
    """
    try:
        wanted = path.stat()
        table = Path("/proc/locks").read_text()
    except OSError:
        return None
    device = f"{os.major(wanted.st_dev):02x}:{os.minor(wanted.st_dev):02x}:{wanted.st_ino}"
    for line in table.splitlines():
        fields = line.split()
        # "1: FLOCK  ADVISORY  WRITE 4711 08:01:1234 0 EOF"; "->" marks one that waits.
        if len(fields) >= 6 and fields[1] != "->" and fields[5] == device and fields[4].isdigit():
            return int(fields[4]) or None
    return None
