"""The program in csrc/README.md: it compiles as its line says, and prints what it says."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from testdata import ROOT

README = ROOT / "csrc" / "README.md"


def block(language: str) -> str:
    """The only block of a language."""
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", README.read_text(), re.S | re.M)
    return found


def test_program_of_the_readme_compiles_as_it_says_and_prints_what_it_says(tmp_path: Path) -> None:
    compiler, *options = shlex.split(block("sh"))
    if shutil.which(compiler) is None:
        pytest.skip(f"no C compiler called {compiler}")
    (tmp_path / "hello.c").write_text(block("c"))
    (tmp_path / "csrc").symlink_to(ROOT / "csrc")
    strict = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror"]
    subprocess.run([compiler, *options, *strict], cwd=tmp_path, check=True, timeout=300)
    ran = subprocess.run(["./hello"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (0, "", output()) == (ran.returncode, ran.stderr, ran.stdout)


def output() -> str:
    text = README.read_text()
    return text.split("It prints\n\n```\n", 1)[1].split("```", 1)[0]
