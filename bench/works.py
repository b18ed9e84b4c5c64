"""The fixed work whose instructions are counted: instructions.c, its texts, and what it is asked.

Needs the test data and a C compiler; ctok need not be installed.
"""

from __future__ import annotations

import binascii
import hashlib
import json
import os
import struct
import subprocess
import sys
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

from . import corpora, places
from .measures import worst
from .vocabularies import SERVED

TIERS = ("portable", "avx2")
"""Valgrind knows no AVX-512."""
FLAGS = ("-std=c11", "-O3", "-DNDEBUG", "-fPIC", "-fvisibility=hidden")
"""Those of the release preset."""
FOLDER = Path(places.WORK) / "instructions"
PROGRAM = "./instructions"

SAMPLE = 300_000
"""Bytes of each corpus."""
PIECE = 100_000
"""Bytes of a text that is one piece."""


class Work(NamedTuple):
    """What instructions.c is asked: how (its `kinds`), and which texts."""

    texts: str
    kind: str

    @property
    def title(self) -> str:
        return f"{self.texts}, {self.kind}"

    @property
    def file(self) -> str:
        return f"{self.texts} {self.kind}" if self.kind in UNITS else self.texts


UNITS = {"ucs2": "utf-16", "ucs4": "utf-32"}
CORPORA = ("english", "code", "multilingual", "cjk", "chat")
PIECES = ("random letters", "one letter")
WORKS = (
    *(Work("english", kind) for kind in ("cold", "warm", "count", "decode")),
    *(Work(name, kind) for name in CORPORA[1:] for kind in ("cold", "warm")),
    *(Work(name, "cold") for name in PIECES),
    *(Work("multilingual", kind) for kind in UNITS),
)
"""In this order, in one process: *warm* and *count* use the words that *cold* left in the cache,
*decode* its ids."""


def texts(work: Work) -> list[str]:
    """What a work is done on. In UCS-2, as Python has it, there are no surrogates."""
    if work.texts in PIECES:
        return [worst.texts(PIECE)[work.texts]]
    found = corpora.documents(work.texts, SAMPLE)
    return [text for text in found if max(text) <= "\uffff"] if work.kind == "ucs2" else found


def prepare() -> str:
    """Writes the texts and vocabularies and compiles the program.

    Returns:
        A hash of all that goes in: counts of other texts or vocabularies cannot be compared.
    """
    if not corpora.CORPORA.is_dir():
        sys.exit(f"no test data at {places.DATA}: set CTOK_TEST_DATA")
    corpora.prepare()
    FOLDER.mkdir(parents=True, exist_ok=True)
    _compile()
    lists = {work.file: [_coded(text, work.kind) for text in texts(work)] for work in WORKS}
    lists |= {name: _vocabulary(name) for name in SERVED}
    digest = hashlib.sha256()
    for name, strings in lists.items():
        written = _packed(strings)
        digest.update(written)
        (FOLDER / name).write_bytes(written)
    return digest.hexdigest()[:16]


def command(encoding: str, tier: str, works: Sequence[Work] = WORKS) -> list[str]:
    """What is run in FOLDER."""
    asked = [argument for work in works for argument in (work.kind, work.file)]
    return [PROGRAM, tier, encoding, *asked]


def _compile() -> None:
    root = Path(places.ROOT)
    sources = sorted({*root.glob("csrc/*.c")} - {root / "csrc" / "ctok_all.c"})
    sources.append(root / "bench" / "instructions.c")
    compiler = os.environ.get("CC", "cc")
    asked = [compiler, *FLAGS, f"-I{root / 'csrc'}", *map(str, sources), "-o", PROGRAM]
    try:
        subprocess.run(asked, cwd=FOLDER, check=True, capture_output=True, text=True)
    except FileNotFoundError:
        sys.exit(f"no C compiler called {compiler}: set CC")
    except subprocess.CalledProcessError as exc:
        sys.exit(f"{compiler}: {exc.stderr.strip()}")


def _coded(text: str, kind: str) -> bytes:
    if kind not in UNITS:
        return text.encode()
    return text.encode(f"{UNITS[kind]}-{'le' if sys.byteorder == 'little' else 'be'}")


def _vocabulary(name: str) -> list[bytes]:
    """The pattern, then the tokens by id."""
    folder = Path(places.DATA) / "tiktoken"
    known = json.loads((folder / "encodings.json").read_text(encoding="utf-8"))[name]
    lines = (folder / known["file"]).read_bytes().splitlines()
    ranks = {int(rank): token for token, rank in (line.split() for line in lines if line)}
    if sorted(ranks) != list(range(len(ranks))):
        sys.exit(f"{known['file']}: instructions.c wants ids without holes")
    return [known["pat_str"].encode(), *(binascii.a2b_base64(ranks[i]) for i in range(len(ranks)))]


def _packed(strings: Sequence[bytes]) -> bytes:
    """A list of strings as instructions.c reads it."""
    ends = accumulate(map(len, strings))
    return struct.pack(f"={len(strings) + 1}I", len(strings), *ends) + b"".join(strings)
