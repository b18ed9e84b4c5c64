"""What a figure needs beside it: machine, compiler, versions, date, vector code."""

from __future__ import annotations

import datetime as dt
import os
import platform
import re
import subprocess
from pathlib import Path
from typing import Any

from . import peers, places


def gather() -> dict[str, Any]:
    """The facts of this run, in the order in which the report tells them."""
    return {
        "date": dt.datetime.now(dt.UTC).strftime("%Y-%m-%d"),
        "commit": first_line("git", "-C", places.ROOT, "describe", "--always", "--dirty"),
        "processor": _processor(),
        "processors": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None,
        "memory": f"{_physical_memory() / 1e9:.1f} GB",
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "compiler": first_line(os.environ.get("CC", "cc"), "--version"),
        "vector code": best_cpu(),
        "load at the start": round(os.getloadavg()[0], 2),
        "versions": peers.installed(),
    }


def best_cpu() -> str:
    """The tier that ctok picks here."""
    from ctok import _core

    return _core.cpu()


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    if not path.exists():
        return platform.processor()
    text = path.read_text()
    found = {
        key: match[1]
        for key in ("model name", "cpu family", "model", "cache size")
        if (match := re.search(rf"^{key}\s*:\s*(.+)$", text, re.MULTILINE))
    }
    name = found.get("model name", platform.processor())
    if "model" in found:
        name += f" (family {found['cpu family']}, model {found['model']})"
    return name


def _physical_memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def first_line(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.splitlines()[0]
