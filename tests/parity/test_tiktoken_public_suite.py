"""tiktoken's own public tests, from its source distribution, with ctok in its place."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

import ctok

VERSION = "0.14.0"

# First on the path: whoever imports tiktoken gets ctok. The tests start interpreters of their own,
# so it has to be a module and not a fixture.
SHIM = """
import ctok
ctok.install_as_tiktoken()
"""

# Hypothesis draws texts from the constants of modules that are not installed, as ctok is in a
# checkout: its special tokens, which encode refuses, and so would tiktoken's.
PLUGIN = """
from hypothesis.internal.conjecture import providers
providers.is_local_module_file = lambda path: False
"""

pytestmark = [pytest.mark.peer, pytest.mark.slow]


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with tiktoken's tests; skipped where no package registry is reachable."""
    folder = tmp_path_factory.mktemp("tiktoken")
    download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    download += ["--no-binary", ":all:", "--dest", str(folder), f"tiktoken=={VERSION}"]
    # pip asks the distribution for its metadata, which runs its build.
    done = subprocess.run(download, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        reason = done.stderr.strip().splitlines()[-1:] or ["no message"]
        pytest.skip(f"tiktoken's source distribution is not to be had: {reason[0]}")
    with tarfile.open(next(folder.glob("tiktoken-*.tar.gz"))) as archive:
        members = [member for member in archive if "/tests/" in member.name]
        archive.extractall(folder, members=members, filter="data")
    (folder / "shim").mkdir()
    (folder / "shim" / "tiktoken.py").write_text(SHIM)
    (folder / "shim" / "all_is_installed.py").write_text(PLUGIN)
    return folder


def environment(suite: Path) -> dict[str, str]:
    paths = [str(suite / "shim"), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(paths),
        "CTOK_OFFLINE": "1",
        "TIKTOKEN_CACHE_DIR": "",
    }


def test_shim_puts_ctok_in_tiktokens_place(suite: Path) -> None:
    program = "import tiktoken.registry; print(tiktoken.__name__, tiktoken.registry.__name__)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment(suite),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "ctok ctok.registry\n" == done.stdout


def test_public_tests_of_tiktoken_pass(suite: Path) -> None:
    tests = suite / f"tiktoken-{VERSION}" / "tests"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, "-p", "all_is_installed", "--rootdir", tests, tests],
        env=environment(suite),
        cwd=suite,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    summary = done.stdout.strip().splitlines()[-1] if done.stdout else done.stderr
    assert 0 == done.returncode, done.stdout[-4000:]
    passed = re.search(r"(\d+) passed", summary)
    assert passed, summary
    assert 30 <= int(passed.group(1))
    assert "failed" not in summary
    assert "skipped" not in summary


def test_ctok_is_what_was_tested() -> None:
    # The suite above proves nothing if the interpreter finds another ctok.
    done = subprocess.run(
        [sys.executable, "-c", "import ctok; print(ctok.__file__)"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert ctok.__file__ == done.stdout.strip()
