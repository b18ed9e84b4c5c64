"""Where the checkout and the shared test data are, and how their files are read."""

from __future__ import annotations

import lzma
import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("CTOK_TEST_DATA") or ROOT.parent / "shared" / "data")


def read_data(path: Path) -> bytes:
    """The contents of a data file, or of the .xz beside it."""
    if path.suffix == ".xz" or not path.exists():
        packed = path if path.suffix == ".xz" else path.with_name(path.name + ".xz")
        return lzma.decompress(packed.read_bytes())
    return path.read_bytes()
