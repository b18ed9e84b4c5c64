"""Many processes, sudden death, a full disk, a cache that cannot be written (E04, E05, E17, E29).

Each child is a process of its own, so that what is proved here is proved about files and the
kernel, not about one interpreter.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ctok.hub import download, remove_partial_downloads, scan_cache, verify_cache
from ctok.hub.checksum import sha256_of
from ctok.hub.errors import DiskFullError, ReadOnlyCacheError
from ctok.hub.locks import file_lock
from ctok.hub.paths import Places, RepoId
from hubserver import HubServer, lfs

BIG = random.Random(1).randbytes(3_000_000)
FETCH = """
import sys
from ctok.hub import download
print("ready", flush=True)
sys.stdin.readline()
for name in sys.argv[1:]:
    print(download("org/name", name), flush=True)
"""


def start(*names: str) -> subprocess.Popen[str]:
    """A process that is about to download the files, once it is told to go."""
    process = subprocess.Popen(
        [sys.executable, "-c", FETCH, *names],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert "ready\n" == process.stdout.readline()
    return process


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def test_e05_eight_processes_cause_one_download(hub: HubServer, cache: Path) -> None:
    hub.add_repo("org/name", {"model.bin": lfs(BIG)})
    hub.inject("/repos/*", chunk=200_000, pause=0.02)
    processes = [start("model.bin") for _ in range(8)]
    for process in processes:
        go(process)
    for process in processes:
        path, errors = process.communicate(timeout=60)
        assert (0, "") == (process.returncode, errors)
        assert BIG == Path(path.strip()).read_bytes()
    assert 1 == hub.hits(method="GET")


def kill_at_random_points(hub: HubServer, cache: Path, times: int) -> None:
    """Kills downloads again and again; whatever the cache shows in between must be whole."""
    repo = hub.add_repo("org/name", {"model.bin": lfs(BIG), "a.json": b'{"a": 1}' * 100})
    hub.inject("/repos/*", chunk=100_000, pause=0.003)
    places = Places(cache, RepoId("org/name"))
    whole = {"model.bin": BIG, "a.json": b'{"a": 1}' * 100}
    draw = random.Random(4)
    finished = killed = 0
    for turn in range(times):
        # Another commit each time, so that links and refs are written again, too.
        repo.commit({"turn.txt": str(turn).encode()})
        if turn % 3 == 0 and places.blob(lfs(BIG).sha256).exists():
            places.blob(lfs(BIG).sha256).unlink()
        process = start("a.json", "model.bin", "turn.txt")
        go(process)
        time.sleep(draw.random() * 0.25)
        killed += process.poll() is None
        process.send_signal(signal.SIGKILL)
        output, _ = process.communicate(timeout=30)
        finished += output.count("\n") == 3
        for pointer in places.folder.glob("snapshots/*/*"):
            if pointer.name in whole and pointer.exists():
                assert whole[pointer.name] == pointer.read_bytes()
        for ref in places.folder.glob("refs/*"):
            assert places.snapshot(ref.read_text()).is_dir()
        for lock in places.locks.glob("*.lock"):
            with file_lock(lock, timeout=0) as held:
                assert held
    # Both things happened, or the points were not random.
    assert killed > times // 4
    assert BIG == download("org/name", "model.bin").read_bytes()
    assert verify_cache().corrupted == () or all(
        each.reason == "the link leads nowhere" for each in verify_cache().corrupted
    )
    remove_partial_downloads(now=time.time() + 3600)
    assert [] == list(cache.rglob("*.incomplete"))


def test_e04_killing_a_download_40_times_leaves_only_whole_files(
    hub: HubServer, cache: Path
) -> None:
    kill_at_random_points(hub, cache, 40)


@pytest.mark.slow
def test_e04_killing_a_download_500_times_leaves_only_whole_files(
    hub: HubServer, cache: Path
) -> None:
    kill_at_random_points(hub, cache, 500)


def test_e29_the_next_process_goes_on_when_the_first_is_killed(hub: HubServer, cache: Path) -> None:
    hub.add_repo("org/name", {"model.bin": lfs(BIG)})
    slow = hub.inject("/repos/*", chunk=100_000, pause=0.2)
    first = start("model.bin")
    go(first)
    while not hub.hits(origin="cdn"):
        time.sleep(0.01)
    second = start("model.bin")
    go(second)
    time.sleep(0.2)
    assert 1 == hub.hits(origin="cdn")
    slow.times = 0
    first.send_signal(signal.SIGKILL)
    first.communicate(timeout=10)
    path, errors = second.communicate(timeout=30)
    assert (0, "") == (second.returncode, errors)
    assert BIG == Path(path.strip()).read_bytes()


FORK = """
import os
from ctok.hub.obtain import _slot
slots = [_slot() for _ in range(4)]
for slot in slots:
    slot.acquire()
child = os.fork()
if child == 0:
    os._exit(0 if _slot().acquire(timeout=5) else 1)
print(os.waitpid(child, 0)[1])
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_e45_a_forked_child_does_not_wait_for_its_parents_transfers(hub: HubServer) -> None:
    result = subprocess.run([sys.executable, "-c", FORK], capture_output=True, timeout=60)
    assert b"0\n" == result.stdout


@contextlib.contextmanager
def mounted(folder: Path, *options: str) -> Iterator[Path]:
    """A filesystem of its own, where this process may mount one."""
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", str(folder)],
        capture_output=True,
    )
    if done.returncode != 0:
        pytest.skip("a filesystem can be mounted by root alone")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True, capture_output=True)


@pytest.mark.skipif(sys.platform != "linux", reason="mounts a tmpfs")
def test_a_full_disk_is_a_typed_error_and_loses_nothing(hub: HubServer, tmp_path: Path) -> None:
    hub.add_repo("org/name", {"model.bin": lfs(BIG), "a.json": b"{}"})
    with mounted(tmp_path / "disk", "size=1m") as disk:
        old = download("org/name", "a.json", cache_dir=disk)
        with pytest.raises(DiskFullError) as caught:
            download("org/name", "model.bin", cache_dir=disk)
        assert "ctok cache evict" in caught.value.suggestions()[0]
        assert b"{}" == old.read_bytes()
        assert [] == list(disk.rglob("*.incomplete"))
        assert (1, ()) == (scan_cache(disk).files, scan_cache(disk).warnings)
        with file_lock(Places(disk, RepoId("org/name")).lock(lfs(BIG).sha256), timeout=0) as held:
            assert held


@pytest.mark.skipif(sys.platform != "linux", reason="mounts a tmpfs")
def test_a_read_only_cache_serves_hits_and_refuses_the_rest(
    hub: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = hub.add_repo("org/name", {"model.bin": lfs(BIG), "a.json": b"{}"})
    with mounted(tmp_path / "disk", "size=16m") as disk:
        path = download("org/name", "a.json", cache_dir=disk)
        # The newest commit is cached, and the ref is out of date: a hit all the same.
        Places(disk, RepoId("org/name")).ref("main").write_text("0" * 40)
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        assert path == download("org/name", "a.json", cache_dir=disk)
        assert b"{}" == path.read_bytes()
        with pytest.raises(ReadOnlyCacheError) as caught:
            download("org/name", "model.bin", cache_dir=disk)
        assert isinstance(caught.value, PermissionError)
        monkeypatch.setenv("CTOK_CACHE_DIR", str(disk / "own"))
        commit = repo.branches["main"]
        assert path == download("org/name", "a.json", cache_dir=disk, offline=True, revision=commit)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="changes the user")
def test_a_cache_of_somebody_else_serves_hits(hub: HubServer, tmp_path: Path) -> None:
    repo = hub.add_repo("org/name", {"a.json": b"{}"})
    shared = tmp_path / "shared"
    path = download("org/name", "a.json", cache_dir=shared)
    for folder in (*tmp_path.parents, tmp_path):
        if folder.stat().st_uid == 0 and folder not in (Path("/"), Path("/tmp")):
            folder.chmod(folder.stat().st_mode | 0o755)
    code = (
        "import os, sys\n"
        "from ctok.hub import download\n"
        # The other user may not even read this Python: everything is imported before.
        "download('org/name', 'a.json', cache_dir=sys.argv[3])\n"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "print(download('org/name', 'a.json', cache_dir=sys.argv[1], revision=sys.argv[2]))\n"
        "print(download('org/name', 'a.json', cache_dir=sys.argv[1]))\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, str(shared), repo.branches["main"], str(tmp_path / "own")],
        capture_output=True,
        text=True,
    )
    assert (0, f"{path}\n{path}\n") == (result.returncode, result.stdout), result.stderr
    assert sha256_of(path)
