"""Callgrind: runs a program under it and reads what it wrote. What is read of a profile:

events: Ir Bc Bcm Bi Bim
summary: 413544 5120 310    all that was counted; zeros at the end are left out

fn=block_merge_group        the costs below are this function's
0 3135 40 3                 line, instructions, branches, those foretold wrongly: its own
cfn=bpe_many_avx2           what it calls
calls=209 0                 the next line is the cost of the calls, with all beneath them
0 409814 5080 307

"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

MISSING = (
    "valgrind is not installed: `apt install valgrind` on Debian and Ubuntu, "
    "`dnf install valgrind` on Fedora; there is none for macOS on arm64 nor for Windows"
)
OUT = "callgrind.out"
ENVIRONMENT = {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-ERMS,-FSRM"}
"""All there is, because even where the stack begins can change a count. Callgrind counts each byte
that `rep stosb` writes as an instruction, so glibc is told to do without."""


EVENTS = "Ir Bc Bcm Bi Bim"
"""Instructions; branches that are taken or not, and those of them that callgrind's predictor gets
wrong; then the same of jumps to places that are computed."""


@dataclass(frozen=True)
class Profile:
    """Instructions, and branches foretold wrongly.

    Attributes:
        total: all instructions.
        mispredicted: branches that a simple predictor, callgrind's, gets wrong. Where code lies in
            memory has a part in that: a tenth more or less may mean nothing.
        own: by function, what it does itself. What the compiler inlined belongs to the caller,
            and what it split off (``.part.0``, ``.constprop.0``) to the function it was part of.
        inclusive: by function, with all that it calls.
    """

    total: int
    mispredicted: int
    own: Mapping[str, int]
    inclusive: Mapping[str, int]


def parse(text: str) -> Profile:
    """Reads a profile written with ``--compress-strings=no --compress-pos=no``.

    Raises:
        ValueError: it counts something else, or its lines do not add up to its total.
    """
    if f"\nevents: {EVENTS}\n" not in text:
        raise ValueError(f"no callgrind profile of instructions and branches (events: {EVENTS})")
    total = mispredicted = 0
    own: Counter[str] = Counter()
    beneath: Counter[str] = Counter()
    function = callee = ""
    is_call = False
    for line in text.splitlines():
        if line.startswith("summary:"):
            counts = [int(word) for word in line.split()[1:]] + [0] * len(EVENTS.split())
            total, mispredicted = counts[0], counts[2] + counts[4]
        elif line.startswith("fn="):
            function = _name(line)
        elif line.startswith("cfn="):
            callee = _name(line)
        elif line.startswith("calls="):
            is_call = True
        elif line[:1].isdigit():
            cost = int(line.split()[1])
            if not is_call:
                own[function] += cost
            elif callee != function:
                beneath[function] += cost
            is_call = False
    if own.total() != total:
        raise ValueError(f"the functions add up to {own.total()} instructions, not to {total}")
    return Profile(total, mispredicted, own, own + beneath)


def _name(line: str) -> str:
    return line.partition("=")[2].partition(".")[0]


def profiles(command: Sequence[str], function: str, folder: Path) -> tuple[list[Profile], str]:
    """Runs a program in a folder and counts what happens inside one of its functions.

    Returns:
        A profile for each call of the function, and what the program printed.
    """
    valgrind = _valgrind()
    for old in _written(folder):
        old.unlink()
    options = [
        "--tool=callgrind",
        "--quiet",
        "--branch-sim=yes",
        "--compress-strings=no",
        "--compress-pos=no",
        f"--toggle-collect={function}",
        f"--dump-after={function}",
        f"--callgrind-out-file={OUT}",
    ]
    done = subprocess.run(
        [valgrind, *options, *command], cwd=folder, env=ENVIRONMENT, capture_output=True, text=True
    )
    if done.returncode:
        sys.exit(f"{command[0]} under valgrind: {done.stderr.strip()}")
    return [parse(path.read_text(encoding="utf-8")) for path in _written(folder)], done.stdout


def _written(folder: Path) -> Iterable[Path]:
    """The profiles of a folder, in the order of the calls."""
    found = folder.glob(f"{OUT}.[0-9]*")
    return sorted(found, key=lambda path: int(path.suffix[1:]))


def version() -> str:
    done = subprocess.run([_valgrind(), "--version"], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _valgrind() -> str:
    return shutil.which("valgrind") or sys.exit(MISSING)
