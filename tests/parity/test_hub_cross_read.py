"""One cache, two libraries: huggingface_hub reads what ctok wrote, and the other way round.

huggingface_hub runs in processes of its own with a clean environment, pointed at the loopback
Hub; what it did there is told by what it printed and by the server's log.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ctok.hub.bundle import export_bundle, import_bundle
from ctok.hub.errors import LockTimeoutError, RemoteEntryNotFoundError
from ctok.hub.files import download
from ctok.hub.lockfile import Lock
from ctok.hub.locks import file_lock
from ctok.hub.paths import Places, RepoId
from ctok.hub.pinning import pin_repo
from ctok.hub.snapshot import snapshot_download
from hubserver import HubServer, Repo, lfs

pytest.importorskip("huggingface_hub")

BIG = bytes(range(256)) * 4000
FILES = {
    "config.json": b"{}",
    "sub/a b#é.txt": b"a name to quote",
    "sub/same.json": b"{}",
    "empty.txt": b"",
    "model.bin": lfs(BIG),
}
Run = Callable[..., Any]


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[HubServer]:
    for name in list(os.environ):
        if name.startswith(("HF_", "HUGGING", "CTOK_", "TRANSFORMERS_", "XDG_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("CTOK_CACHE_DIR", str(tmp_path / "ctok"))
    with HubServer() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.endpoint)
        yield server
    assert server.crashes == []
    assert server.leaks == []


@pytest.fixture
def cache(hub: HubServer, tmp_path: Path) -> Path:
    return tmp_path / "hf" / "hub"


@pytest.fixture
def repo(hub: HubServer) -> Repo:
    repo = hub.add_repo("org/name", FILES)
    repo.tag("v1")
    repo.pull_request(1, {"config.json": b"[]"})
    return repo


@pytest.fixture
def peer(hub: HubServer, tmp_path: Path) -> Run:
    """Runs code with huggingface_hub as ``hf`` and returns what it assigned to ``result``."""

    def run(code: str, **variables: str) -> Any:
        return finish(start(code, tmp_path, **variables))

    return run


def start(code: str, home: Path, **variables: str) -> subprocess.Popen[str]:
    env = {name: os.environ[name] for name in ("HF_ENDPOINT", "HF_HOME", "HOME", "PATH")}
    program = (
        "import json, os, huggingface_hub as hf\n"
        f"FILES = {list(FILES)!r}\n{code}\nprint(json.dumps(result))"
    )
    return subprocess.Popen(
        [sys.executable, "-W", "error::ResourceWarning", "-c", program],
        env={**env, "HF_HUB_DISABLE_PROGRESS_BARS": "1", **variables},
        cwd=home,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> Any:
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return json.loads(out.splitlines()[-1])


def transfers(hub: HubServer) -> int:
    """How often bytes of a file were sent."""
    return sum(seen.sent > 0 and seen.status in (200, 206) for seen in hub.matching("*/resolve/*")
               ) + hub.hits(method="GET", origin="cdn")  # fmt: skip


def names(root: Path) -> dict[str, str]:
    """Every file and link of a cache, without locks and listings, with what it holds."""
    shown = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if name.startswith(".locks") or "/trees" in name or name == "CACHEDIR.TAG":
            continue
        if path.is_symlink():
            shown[name] = f"-> {path.readlink()}"
        elif path.is_file():
            shown[name] = f"{path.stat().st_mode & 0o777:o} {path.read_bytes()[:100]!r}"
    return shown


# --- it reads what ctok wrote --------------------------------------------------------------


def test_it_reads_what_ctok_downloaded_without_a_second_transfer(
    hub: HubServer, repo: Repo, peer: Run
) -> None:
    for file in FILES:
        download("org/name", file)
    for revision in ("v1", "refs/pr/1"):
        download("org/name", "config.json", revision=revision)
    hub.forget()
    code = """
result = {}
for file in FILES:
    result[file] = len(open(hf.hf_hub_download("org/name", file), "rb").read())
for revision in ("v1", "refs/pr/1"):
    result[revision] = open(hf.hf_hub_download("org/name", "config.json", revision=revision)).read()
"""
    expected = {name: len(getattr(data, "data", data)) for name, data in FILES.items()}
    assert {**expected, "v1": "{}", "refs/pr/1": "[]"} == peer(code)
    assert 0 == transfers(hub)
    hub.forget()
    assert {**expected, "v1": "{}", "refs/pr/1": "[]"} == peer(code, HF_HUB_OFFLINE="1")
    assert 0 == hub.hits()


def test_it_takes_a_snapshot_of_ctok_for_complete(hub: HubServer, repo: Repo, peer: Run) -> None:
    folder = snapshot_download("org/name")
    hub.forget()
    code = "result = hf.snapshot_download('org/name')"
    assert str(folder) == peer(code)
    assert 0 == transfers(hub)
    hub.forget()
    assert str(folder) == peer(code, HF_HUB_OFFLINE="1")
    assert 0 == hub.hits()


def test_its_scan_finds_nothing_wrong_with_what_ctok_wrote(
    hub: HubServer, repo: Repo, cache: Path, peer: Run
) -> None:
    hub.add_repo("org/data", {"a.csv": b"1,2"}, kind="dataset")
    hub.add_repo("demo", {"app.py": b""}, kind="space")
    snapshot_download("org/name")
    download("org/name", "config.json", revision="refs/pr/1")
    download("datasets/org/data", "a.csv")
    download("spaces/demo", "app.py")
    with pytest.raises(RemoteEntryNotFoundError):
        download("org/name", "absent.json")
    found = peer("""
info = hf.scan_cache_dir()
result = {
    "warnings": [str(each) for each in info.warnings],
    "repos": {
        f"{repo.repo_type} {repo.repo_id}": {
            "refs": sorted(repo.refs),
            "size": repo.size_on_disk,
            "files": sorted({f.file_name for rev in repo.revisions for f in rev.files}),
        }
        for repo in info.repos
    },
}""")
    assert [] == found["warnings"]
    assert {"model org/name", "dataset org/data", "space demo"} == set(found["repos"])
    model = found["repos"]["model org/name"]
    assert ["main", "refs/pr/1"] == model["refs"]
    # Equal files share a blob: "{}" counts once, and the pull request's "[]".
    assert len(BIG) + len(b"{}") + len(b"a name to quote") + len(b"[]") == model["size"]


def test_it_can_delete_what_ctok_wrote(hub: HubServer, repo: Repo, cache: Path, peer: Run) -> None:
    snapshot_download("org/name")
    download("org/name", "config.json", revision="refs/pr/1")
    kept = repo.pulls["refs/pr/1"]
    gone = repo.branches["main"]
    peer(f"hf.scan_cache_dir().delete_revisions({gone!r}).execute(); result = None")
    assert b"[]" == download("org/name", "config.json", revision=kept).read_bytes()
    assert b"{}" == download("org/name", "config.json").read_bytes()


def test_it_reads_what_a_bundle_brought(
    hub: HubServer, repo: Repo, tmp_path: Path, peer: Run
) -> None:
    lock = Lock().with_repo(pin_repo("org/name")).with_repo(pin_repo("org/name@refs/pr/1"))
    bundle = export_bundle(lock, tmp_path / "b.tar")
    elsewhere = tmp_path / "elsewhere"
    import_bundle(bundle, cache_dir=elsewhere)
    hub.forget()
    found = peer(
        """
paths = [hf.hf_hub_download("org/name", file) for file in FILES]
paths.append(hf.hf_hub_download("org/name", "config.json", revision="refs/pr/1"))
warnings = [str(each) for each in hf.scan_cache_dir().warnings]
result = [[len(open(path, "rb").read()) for path in paths], warnings]
""",
        HF_HUB_CACHE=str(elsewhere),
        HF_HUB_OFFLINE="1",
    )
    sizes = [len(getattr(data, "data", data)) for data in FILES.values()]
    assert [[*sizes, 2], []] == found
    assert 0 == hub.hits()


# --- ctok reads what it wrote --------------------------------------------------------------


def test_ctok_reads_what_it_downloaded_without_a_second_transfer(
    hub: HubServer, repo: Repo, peer: Run
) -> None:
    peer("""
result = hf.snapshot_download("org/name")
hf.hf_hub_download("org/name", "config.json", revision="refs/pr/1")""")
    hub.forget()
    for file, data in FILES.items():
        assert getattr(data, "data", data) == download("org/name", file).read_bytes()
    assert b"[]" == download("org/name", "config.json", revision="refs/pr/1").read_bytes()
    snapshot_download("org/name")
    assert 0 == transfers(hub)
    hub.forget()
    for file, data in FILES.items():
        path = download("org/name", file, offline=True)
        assert getattr(data, "data", data) == path.read_bytes()
        download("org/name", file, revision=repo.branches["main"])
    snapshot_download("org/name", offline=True)
    assert 0 == hub.hits()


def test_both_leave_the_same_cache(hub: HubServer, repo: Repo, tmp_path: Path, peer: Run) -> None:
    """Same names, same links, same refs to the byte, same permissions."""
    peer("""
for file in FILES:
    hf.hf_hub_download("org/name", file)
hf.hf_hub_download("org/name", "config.json", revision="refs/pr/1")
try:
    hf.hf_hub_download("org/name", "absent/x.json")
except hf.errors.EntryNotFoundError:
    result = None
""", HF_HUB_CACHE=str(tmp_path / "theirs"))  # fmt: skip
    ours = tmp_path / "ours"
    for file in FILES:
        download("org/name", file, cache_dir=ours)
    download("org/name", "config.json", revision="refs/pr/1", cache_dir=ours)
    with pytest.raises(RemoteEntryNotFoundError):
        download("org/name", "absent/x.json", cache_dir=ours)
    assert names(tmp_path / "theirs") == names(ours)


def test_what_is_known_to_be_absent_is_known_to_both(hub: HubServer, repo: Repo, peer: Run) -> None:
    commit = repo.branches["main"]
    with pytest.raises(RemoteEntryNotFoundError):
        download("org/name", "absent.json")
    known = "hf.try_to_load_from_cache('org/name', 'absent.json') is hf._CACHED_NO_EXIST"
    assert peer(f"result = {known}")
    peer("""
result = None
try:
    hf.hf_hub_download("org/name", "other.json")
except hf.errors.EntryNotFoundError:
    pass""")
    hub.forget()
    with pytest.raises(RemoteEntryNotFoundError):
        download("org/name", "other.json", revision=commit)
    assert 0 == hub.hits()


def test_a_folder_of_files_is_shared_too(
    hub: HubServer, repo: Repo, tmp_path: Path, peer: Run
) -> None:
    target = tmp_path / "folder"
    peer(f"result = hf.hf_hub_download('org/name', 'model.bin', local_dir={str(target)!r})")
    hub.forget()
    assert BIG == download("org/name", "model.bin", local_dir=target).read_bytes()
    download("org/name", "config.json", local_dir=target)
    assert 1 == transfers(hub)
    hub.forget()
    peer(f"result = hf.hf_hub_download('org/name', 'config.json', local_dir={str(target)!r})")
    assert 0 == transfers(hub)


# --- locks ---------------------------------------------------------------------------------

LOCKS = {
    "huggingface_hub": "from huggingface_hub.utils import WeakFileLock as Lock",
    "filelock": "from filelock import FileLock as Lock",
}


@pytest.mark.parametrize("library", LOCKS)
def test_a_download_waits_for_its_lock(
    hub: HubServer, repo: Repo, cache: Path, tmp_path: Path, library: str
) -> None:
    places = Places(cache, RepoId("org/name"))
    lock = places.lock(FILES["model.bin"].etag)  # type: ignore[union-attr]
    lock.parent.mkdir(parents=True)
    go = tmp_path / "go"
    holder = start(
        f"""
import time
{LOCKS[library]}
with Lock({str(lock)!r}):
    open({str(tmp_path / "held")!r}, "w").close()
    while not os.path.exists({str(go)!r}):
        time.sleep(0.01)
result = None""",
        tmp_path,
    )
    try:
        wait_for(tmp_path / "held", holder)
        with pytest.raises(LockTimeoutError) as caught:
            download("org/name", "model.bin", lock_timeout=0.3)
        assert holder.pid == caught.value.owner
        assert 0 == hub.hits(method="GET")
    finally:
        go.touch()
        finish(holder)
    assert BIG == download("org/name", "model.bin", lock_timeout=5).read_bytes()


@pytest.mark.parametrize("library", LOCKS)
def test_its_lock_waits_for_ours(hub: HubServer, cache: Path, peer: Run, library: str) -> None:
    lock = Places(cache, RepoId("org/name")).lock("abc")
    code = f"""
from filelock import Timeout
{LOCKS[library]}
try:
    with Lock({str(lock)!r}, timeout=0.3):
        result = "free"
except Timeout:
    result = "held" """
    with file_lock(lock) as held:
        assert held
        assert "held" == peer(code)
    assert "free" == peer(code)


def test_both_at_once_transfer_a_file_once(hub: HubServer, repo: Repo, tmp_path: Path) -> None:
    """Whoever comes first, the other one waits at the lock and takes the result."""
    hub.inject("*", origin="cdn", chunk=64 << 10, pause=0.05)
    peer = start("result = hf.hf_hub_download('org/name', 'model.bin')", tmp_path)
    deadline = time.monotonic() + 30
    while not hub.hits(origin="cdn") and time.monotonic() < deadline:
        time.sleep(0.01)
    ours: list[Path] = []
    thread = threading.Thread(target=lambda: ours.append(download("org/name", "model.bin")))
    thread.start()
    theirs = finish(peer)
    thread.join(timeout=30)
    assert [Path(theirs)] == ours
    assert BIG == ours[0].read_bytes()
    assert 1 == hub.hits(method="GET", origin="cdn")


def wait_for(path: Path, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 30
    while not path.exists():
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
