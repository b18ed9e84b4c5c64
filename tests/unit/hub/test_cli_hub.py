"""The Hub's commands: G12 (fetch), G13 (exit codes), G14 (progress), G15 (cache)."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import pty
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ctok.cli import cache as cache_commands
from ctok.cli import hub as commands
from ctok.cli.progress import INTERVAL, Shown, shown_size
from ctok.errors import CtokError
from ctok.hub import auth, read_lock
from ctok.hub.retry import BREAKERS, RetryPolicy
from hubserver import HubServer, Repo, lfs

BIG = bytes(range(256)) * 4000


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No state of one test reaches the next; a host that fails is not waited for."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(RetryPolicy, "pause", lambda *_: 0.0)
    BREAKERS.reset()
    yield
    BREAKERS.reset()
    auth.logout()


@pytest.fixture
def repo(hub: HubServer) -> Repo:
    files = {"tokenizer.json": b"{}", "sub/vocab.txt": b"a b", "model.bin": lfs(BIG)}
    return hub.add_repo("org/name", files)


@pytest.fixture
def ctok(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Runs a command as ``main`` does and returns exit code, stdout and stderr."""

    def run(*argv: str) -> tuple[int, str, str]:
        parser = argparse.ArgumentParser(prog="ctok")
        commands.add_commands(parser.add_subparsers(required=True))
        capsys.readouterr()
        try:
            args = parser.parse_args(argv)
            code = args.run(args)
        except SystemExit as exc:
            code = int(exc.code or 0)
        except CtokError as error:
            print(error, *error.suggestions(), sep="\n", file=sys.stderr)
            code = getattr(error, "exit_code", 1)
        out, err = capsys.readouterr()
        return code, out, err

    return run


Ctok = Callable[..., tuple[int, str, str]]


def value(result: tuple[int, str, str]) -> Any:
    code, out, err = result
    assert code == 0, err
    return json.loads(out)


# --- fetch --------------------------------------------------------------------------------


def test_fetch_prints_where_the_files_are(hub: HubServer, repo: Repo, ctok: Ctok) -> None:
    code, out, _ = ctok("fetch", "org/name", "tokenizer.json", "sub/vocab.txt")
    assert 0 == code
    assert [b"{}", b"a b"] == [Path(line).read_bytes() for line in out.splitlines()]


def test_fetch_without_files_brings_all_and_with_patterns_some(
    hub: HubServer, repo: Repo, ctok: Ctok, tmp_path: Path
) -> None:
    (folder,) = value(ctok("fetch", "org/name", "--json"))
    assert BIG == (Path(folder) / "model.bin").read_bytes()
    some = tmp_path / "some"
    assert 0 == ctok("fetch", "org/name", "*.txt", "--into", str(some), "-q")[0]
    assert ["vocab.txt"] == [each.name for each in some.rglob("*.txt")]
    assert not (some / "model.bin").exists()


@pytest.mark.parametrize("files", [("model.bin",), ("*.bin",), ()])
def test_a_second_fetch_makes_no_request(
    hub: HubServer, repo: Repo, ctok: Ctok, files: tuple[str, ...]
) -> None:
    first = ctok("fetch", "org/name", *files, "-q")
    hub.forget()
    assert first == ctok("fetch", "org/name", *files, "-q")
    assert 0 == hub.hits()
    ctok("fetch", "org/name", *files, "--force")
    assert 1 == hub.hits("*", method="GET", origin="cdn")


def test_fetch_follows_a_branch_when_told_to(hub: HubServer, repo: Repo, ctok: Ctok) -> None:
    old = ctok("fetch", "org/name", "tokenizer.json")[1]
    repo.commit({"tokenizer.json": b"[]"})
    assert old == ctok("fetch", "org/name", "tokenizer.json")[1]
    new = ctok("fetch", "org/name", "tokenizer.json", "--update")[1]
    assert b"[]" == Path(new.strip()).read_bytes()


def test_a_second_fetch_into_a_folder_asks_but_transfers_nothing(
    hub: HubServer, repo: Repo, ctok: Ctok, tmp_path: Path
) -> None:
    first, into = repo.branches["main"], ("--into", str(tmp_path / "f"))
    ctok("fetch", "org/name", "model.bin", *into)
    hub.forget()
    ctok("fetch", "org/name", "model.bin", *into)
    assert (1, 0) == (hub.hits(method="HEAD"), hub.hits(method="GET"))
    repo.commit({"model.bin": lfs(BIG[::-1])})
    ctok("fetch", "org/name", "model.bin", *into)
    assert BIG[::-1] == (tmp_path / "f" / "model.bin").read_bytes()
    ctok("fetch", f"org/name@{first}", "model.bin", *into)
    assert BIG == (tmp_path / "f" / "model.bin").read_bytes()
    hub.forget()
    ctok("fetch", f"org/name@{first}", "model.bin", *into)
    assert 0 == hub.hits()


def test_fetch_chooses_between_official_server_and_mirrors(
    hub: HubServer, repo: Repo, ctok: Ctok, monkeypatch: pytest.MonkeyPatch
) -> None:
    with HubServer(repos=hub.repos) as mirror:
        monkeypatch.setenv("CTOK_ENDPOINTS", f"{hub.endpoint},{mirror.endpoint}")
        assert 0 == ctok("fetch", "org/name", "tokenizer.json", "--source", "mirror")[0]
        assert (0, 2) == (hub.hits(), mirror.hits())
        assert 0 == ctok("fetch", "org/name", "sub/vocab.txt", "--source", "official")[0]
        assert (2, 2) == (hub.hits(), mirror.hits())
    monkeypatch.delenv("CTOK_ENDPOINTS")
    code, _, err = ctok("fetch", "org/name", "tokenizer.json", "--source", "mirror")
    assert code == 1 and "CTOK_ENDPOINTS" in err


# --- exit codes ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("argv", "code", "said"),
    [
        (["fetch"], 2, "required"),
        (["fetch", "org/name", "--repo-type", "x"], 2, "invalid choice"),
        (["cache", "evict", "--size", "many"], 2, "no size"),
        (["cache", "evict", "--older-than", "old"], 2, "no age"),
        (["cache", "clear"], 2, "--all"),
        (["cache", "clear", "org/name", "--all"], 2, "--all"),
        (["fetch", "../evil", "x"], 1, "has no file"),
        (["bundle", "import", "none.tar"], 1, "no such file"),
        (["bundle", "export", "b.tar"], 1, "ctok lock REPO"),
        (["lock"], 1, "ctok lock REPO"),
        (["fetch", "a/b/c", "x"], 1, "repository id"),
        (["fetch", "org/name", "../x"], 1, "file name"),
        (["fetch", "org/name", "no.json"], 1, "no file"),
        (["fetch", "org/other", "x"], 11, "ctok login"),
        (["fetch", "org/gated", "x"], 11, "Accept the terms"),
        (["fetch", "org/name", "tokenizer.json", "--offline"], 14, "ctok fetch"),
        (["fetch", "org/name", "tokenizer.json", "--endpoint", "http://127.0.0.1:9"], 14, ""),
        (["fetch", "org/name", "tokenizer.json", "--frozen"], 1, "ctok.lock"),
        (["whoami"], 11, "ctok login"),
    ],
)
def test_exit_codes_say_whose_turn_it_is(
    hub: HubServer, repo: Repo, ctok: Ctok, argv: list[str], code: int, said: str
) -> None:
    hub.add_repo("org/gated", {"x": b""}, gated=True)
    found, out, err = ctok(*argv)
    assert (code, "") == (found, out), err
    assert said in err


def test_bytes_that_are_wrong_exit_with_15(hub: HubServer, repo: Repo, ctok: Ctok) -> None:
    hub.inject("*", origin="cdn", method="GET", body=b"\1" + BIG[1:], status=200)
    code, _, err = ctok("fetch", "org/name", "model.bin")
    assert 15 == code, err


# --- progress -----------------------------------------------------------------------------


def test_lines_come_at_most_every_half_second() -> None:
    now = [0.0]
    out = io.StringIO()
    with Shown("f", out=out, clock=lambda: now[0]) as shown:
        for done in range(1001):
            now[0] = done * 0.002
            shown.update(done * 1000, 1_000_000)
    lines = out.getvalue().splitlines()
    assert "f: 100 %  1.0 MB of 1.0 MB" == lines[-1]
    assert 4 >= len(lines) >= 3


def test_quiet_and_the_environment_show_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = io.StringIO()
    with Shown("f", out=out, quiet=True) as shown:
        shown.update(1, 1)
    monkeypatch.setenv("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    with Shown("f", out=out) as shown:
        shown.update(1, 1)
    assert "" == out.getvalue()


@pytest.mark.parametrize("rich", [True, False])
def test_a_terminal_gets_a_bar_where_rich_is_installed(
    monkeypatch: pytest.MonkeyPatch, rich: bool
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    if rich:
        pytest.importorskip("rich")
    else:
        monkeypatch.setitem(sys.modules, "rich.progress", None)
    parent, child = pty.openpty()
    pieces: list[bytes] = []

    def drain() -> None:
        # The end of a terminal is an error on Linux, and nothing elsewhere.
        with contextlib.suppress(OSError):
            while piece := os.read(parent, 4096):
                pieces.append(piece)

    reader = threading.Thread(target=drain)
    reader.start()
    now = [0.0]
    with (
        os.fdopen(child, "w") as out,
        Shown("model.bin", out=out, clock=lambda: now[0]) as shown,
    ):
        for done in range(101):
            now[0] += 0.1
            shown.update(done, 100)
    reader.join(timeout=10)
    os.close(parent)
    written = b"".join(pieces).decode()
    assert "model.bin" in written
    assert rich == ("\x1b[" in written)
    # 10 seconds at a tenth each: 20 times at most, the first and the last beside.
    drawn = written.count("\x1b[2K") if rich else written.count("model.bin")
    assert 1 < drawn <= 10 / INTERVAL + 4


def test_a_piped_fetch_leaves_stdout_to_the_result(hub: HubServer, repo: Repo, ctok: Ctok) -> None:
    _, out, err = ctok("fetch", "org/name", "model.bin")
    assert 1 == len(out.splitlines())
    assert "model.bin: 100 %" in err
    _, _, err = ctok("fetch", "org/name", "model.bin", "--force", "--quiet")
    assert "" == err


def test_sizes_read_well() -> None:
    assert ["0 B", "1.0 kB", "1.0 MB", "9.5 GB"] == [
        shown_size(size) for size in (0, 1000, 999_999, 9_500_000_000)
    ]


# --- cache --------------------------------------------------------------------------------


def test_cache_commands_show_what_is_there(
    hub: HubServer, repo: Repo, ctok: Ctok, cache: Path
) -> None:
    hub.add_repo("org/data", {"a.csv": b"1"}, kind="dataset")
    ctok("fetch", "org/name")
    ctok("fetch", "datasets/org/data", "a.csv")
    rows = value(ctok("cache", "ls", "--json"))
    assert [("org/data", "dataset", 1), ("org/name", "model", len(BIG) + 5)] == [
        (row["repo"], row["type"], row["size"]) for row in rows
    ]
    assert ["main"] == rows[1]["revisions"][0]["refs"]
    table = ctok("cache", "ls")[1].splitlines()
    assert ["REPOSITORY", "datasets/org/data", "org/name"] == [row.split()[0] for row in table]
    facts = value(ctok("cache", "info", "--json"))
    assert (2, 4, str(cache)) == (facts["repos"], facts["files"], facts["path"])
    assert "2 repositories, 4 files" in ctok("cache", "info")[1]
    assert str(cache) == ctok("cache", "path")[1].strip()
    assert (
        b"{}" == Path(ctok("cache", "path", "org/name", "tokenizer.json")[1].strip()).read_bytes()
    )


def test_cache_verify_finds_and_repairs_damage(hub: HubServer, repo: Repo, ctok: Ctok) -> None:
    path = Path(ctok("fetch", "org/name", "model.bin")[1].strip())
    assert (0, "1 files, 1 valid\n") == ctok("cache", "verify")[:2]
    path.resolve().write_bytes(b"\1" + BIG[1:])
    code, out, _ = ctok("cache", "verify", "org/name")
    assert 15 == code and "damaged:" in out
    code, out, _ = ctok("cache", "verify", "--repair")
    assert 0 == code and "repaired:" in out
    assert BIG == path.read_bytes()


def test_cache_evict_and_clear_say_what_went(
    hub: HubServer, repo: Repo, ctok: Ctok, cache: Path
) -> None:
    hub.add_repo("org/other", {"f": b"x" * 1000})
    ctok("fetch", "org/name")
    ctok("fetch", "org/other")
    os.utime(cache / "models--org--other" / "blobs")
    would = value(ctok("cache", "evict", "--size", "1kB", "--dry-run", "--json"))
    assert ["org/name"] == [each["repo"] for each in would["deleted"]]
    assert (cache / "models--org--name").exists()
    assert "freed" in ctok("cache", "evict", "--size", "1kB")[1]
    assert not (cache / "models--org--name").exists()
    assert "0 B freed" in ctok("cache", "evict", "--older-than", "1d")[1]
    assert 0 == ctok("cache", "clear", "org/other")[0]
    assert [] == value(ctok("cache", "ls", "--json"))
    assert 1 == ctok("cache", "clear", "org/other")[0]
    assert 0 == ctok("cache", "clear", "--all")[0]


# --- lock and bundle ----------------------------------------------------------------------


def test_lock_pins_tells_changes_and_holds_fetch(hub: HubServer, repo: Repo, ctok: Ctok) -> None:
    first = repo.branches["main"]
    code, out, _ = ctok("lock", "org/name", "tokenizer.json")
    assert (0, f"org/name@main: pinned at {first[:12]}, 1 files\n") == (code, out)
    assert 0 == ctok("lock", "--check")[0]
    second = repo.commit({"tokenizer.json": b"[]"})
    code, out, _ = ctok("lock", "--check")
    assert 15 == code and f"{first[:12]} -> {second[:12]}" in out
    assert first == read_lock("ctok.lock").repos["org/name@main"].commit
    path = ctok("fetch", "org/name", "tokenizer.json", "--frozen")[1].strip()
    assert b"{}" == Path(path).read_bytes()
    assert 15 == ctok("fetch", "org/name", "model.bin", "--frozen", "ctok.lock")[0]
    assert "changed" in ctok("lock")[1]
    path = ctok("fetch", "org/name", "tokenizer.json", "--frozen")[1].strip()
    assert b"[]" == Path(path).read_bytes()
    assert 1 == ctok("lock", "org/name", "no-such-*")[0]


def test_a_bundle_travels(
    hub: HubServer, repo: Repo, ctok: Ctok, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ctok("lock", "org/name")
    facts = value(ctok("bundle", "export", "b.tar", "--json"))
    assert facts["size"] == (tmp_path / "b.tar").stat().st_size
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("CTOK_OFFLINE", "1")
    code, out, _ = ctok("bundle", "import", "b.tar", "--lock", "other.lock")
    assert (0, f"org/name@main: {repo.branches['main'][:12]}\n") == (code, out)
    assert (tmp_path / "ctok.lock").read_bytes() == (tmp_path / "other.lock").read_bytes()
    assert BIG == Path(ctok("fetch", "org/name", "model.bin")[1].strip()).read_bytes()
    data = bytearray((tmp_path / "b.tar").read_bytes())
    data[data.index(BIG[:1000])] ^= 1
    (tmp_path / "b.tar").write_bytes(data)
    assert 15 == ctok("bundle", "import", "b.tar")[0]


# --- account ------------------------------------------------------------------------------


def test_login_reads_stdin_checks_and_stores(
    hub: HubServer, ctok: Ctok, clean_environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = clean_environment / "hf" / "token"
    monkeypatch.setattr("sys.stdin", io.StringIO("hf_wrong\n"))
    assert 11 == ctok("login")[0]
    assert not stored.exists()
    monkeypatch.setattr("sys.stdin", io.StringIO("hf_valid\n"))
    code, out, err = ctok("login")
    assert (0, "logged in as alice\n", "") == (code, out, err)
    assert "hf_valid" == stored.read_text()
    assert 0o600 == stored.stat().st_mode & 0o777
    assert "alice" == value(ctok("whoami", "--json"))["name"]
    assert (0, "logged out\n") == ctok("logout")[:2]
    assert not stored.exists()
    assert (0, "there was no stored token\n") == ctok("logout")[:2]


def test_a_token_in_the_environment_that_wins_is_mentioned(
    hub: HubServer, ctok: Ctok, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_other")
    monkeypatch.setattr("sys.stdin", io.StringIO("hf_valid\n"))
    code, _, err = ctok("login")
    assert 0 == code and "HF_TOKEN is set" in err
    assert "hf_" not in err
    assert "HF_TOKEN is still set" in ctok("logout")[2]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0", 0), ("10GB", 10**10), ("10 gb", 10**10), ("1.5GiB", 3 << 29), ("2K", 2000)],
)
def test_sizes_are_read_as_people_write_them(text: str, expected: int) -> None:
    assert expected == cache_commands.size(text)


# --- as a program -------------------------------------------------------------------------


def test_the_program_returns_the_codes_and_keeps_the_streams_apart(
    hub: HubServer, repo: Repo, tmp_path: Path
) -> None:
    program = "import sys; from ctok.cli import main; sys.exit(main())"

    def run(*argv: str) -> tuple[int, str, str]:
        done = subprocess.run(
            [sys.executable, "-c", program, *argv], capture_output=True, text=True, timeout=60
        )
        return done.returncode, done.stdout, done.stderr

    code, out, err = run("fetch", "org/name", "tokenizer.json")
    assert (0, b"{}") == (code, Path(out.strip()).read_bytes()), err
    Path(out.strip()).resolve().write_bytes(b"[]")
    assert 15 == run("cache", "verify")[0]
    assert 2 == run("cache", "evict", "--size", "x")[0]
    code, out, err = run("fetch", "org/none", "x")
    assert (11, "") == (code, out) and "ctok login" in err and "Traceback" not in err
    code, out, err = run("fetch", "org/name", "model.bin", "--offline")
    assert (14, "") == (code, out) and "offline mode" in err and "Traceback" not in err
