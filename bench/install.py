"""Installs the peers into the Python that runs this, one by one: python -m bench.install"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

REQUIREMENTS = Path(__file__).with_name("requirements.txt")


def requirements() -> list[str]:
    lines = (line.partition("#")[0].strip() for line in REQUIREMENTS.read_text().splitlines())
    return [line for line in lines if line]


def main() -> int:
    missing = []
    for requirement in requirements():
        pip = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        done = subprocess.run(
            [*pip, "--only-binary", ":all:", requirement], capture_output=True, text=True
        )
        if done.returncode:
            missing.append(requirement)
            reason = (done.stderr.strip().splitlines() or ["pip gave no reason"])[-1]
            print(f"skipped   {requirement}: {reason}")
        else:
            print(f"installed {requirement}")
    if missing:
        print(f"{len(missing)} not installed; the bench leaves them out")
    return 0


if __name__ == "__main__":
    sys.exit(main())
