"""Locks: exclusive between threads and processes, gone with their holder (E29)."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import portalocker
import pytest

from ctok.hub.errors import LockTimeoutError
from ctok.hub.locks import file_lock, is_locked, lock_owner

HOLD = """
import sys, time
from pathlib import Path
from ctok.hub.locks import file_lock
with file_lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def holder(path: Path) -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert b"held\n" == process.stdout.readline()
    return process


def test_e29_a_second_thread_waits_for_the_first(tmp_path: Path) -> None:
    path, order = tmp_path / "a.lock", []
    inside = threading.Event()

    def second() -> None:
        inside.wait(5)
        with file_lock(path):
            order.append("second")

    thread = threading.Thread(target=second)
    thread.start()
    with file_lock(path) as held:
        assert held
        inside.set()
        time.sleep(0.1)
        order.append("first")
    thread.join(5)
    assert ["first", "second"] == order


def test_e29_the_lock_of_a_killed_process_is_free_and_its_owner_was_named(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    process = holder(path)
    try:
        with pytest.raises(LockTimeoutError) as caught, file_lock(path, timeout=0.1):
            pass
        if sys.platform == "linux":
            assert process.pid == caught.value.owner
            assert str(process.pid) in str(caught.value)
        assert is_locked(path)
        assert caught.value.suggestions()
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        assert process.stdout is not None
        process.stdout.close()
    with file_lock(path, timeout=5) as held:
        assert held
    assert not is_locked(path)


def test_a_lock_file_is_kept_and_its_content_too(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    path.write_text("theirs")
    inode = path.stat().st_ino
    with file_lock(path):
        pass
    assert ("theirs", inode) == (path.read_text(), path.stat().st_ino)


def test_a_new_lock_file_can_be_opened_by_the_group(tmp_path: Path) -> None:
    old = os.umask(0o077)
    try:
        with file_lock(tmp_path / "deep" / "a.lock"):
            pass
    finally:
        os.umask(old)
    assert 0o664 == (tmp_path / "deep" / "a.lock").stat().st_mode & 0o777


def test_asking_whether_a_lock_is_held_creates_nothing(tmp_path: Path) -> None:
    assert not is_locked(tmp_path / "none.lock")
    assert lock_owner(tmp_path / "none.lock") is None
    assert not (tmp_path / "none.lock").exists()


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS])
def test_a_filesystem_without_locks_does_not_stop_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(*_: object) -> None:
        raise portalocker.LockException(OSError(number, os.strerror(number)))

    monkeypatch.setattr(portalocker, "lock", refuse)
    with file_lock(tmp_path / "a.lock") as held:
        assert not held


def test_other_failures_of_a_lock_are_raised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise portalocker.LockException(OSError(errno.EIO, "broken"))

    monkeypatch.setattr(portalocker, "lock", refuse)
    with pytest.raises(portalocker.LockException), file_lock(tmp_path / "a.lock"):
        pass
