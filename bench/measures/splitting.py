"""Splitting alone: PCRE2's JIT, the automaton, and vector code, on the same bytes.

Timed in C through bench/splitting.c, because a piece costs less than the Python object it would
become. ASCII text is timed by itself: there the vector code owes most.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .. import clock, corpora, places, vocabularies
from ..harness import Job
from ..plan import Plan

CPUS = {"automaton": 1, "avx2": 3, "avx512": 4}
"""The engines of the core, by the number that ctok.h gives the tier. Portable is the automaton."""
PCRE2 = "PCRE2 JIT"
OWN_PCRE2 = "PCRE2 JIT, ctok's tables"
FAILED = ctypes.c_size_t(-1).value
LIBRARY = Path(places.WORK) / "splitting.so"
ASCII = "ascii"
"""The documents of english and code that have nothing else."""


def jobs(plan: Plan) -> list[Job]:
    if not _build():
        return []
    patterns = ("cl100k_base",) if plan.quick else vocabularies.ENCODINGS
    found = []
    for name in patterns:
        for text in (ASCII,) if plan.quick else (ASCII, "multilingual"):
            for engine in (PCRE2, OWN_PCRE2, *CPUS):
                arguments = {"pattern": name, "text": text, "engine": engine}
                found.append(Job("splitting", "ctok", arguments | {"max_bytes": plan.max_bytes}))
    return found


def _build() -> bool:
    """Compiles the library when a source is newer. False, and a line, when it does not work."""
    root = Path(places.ROOT)
    sources = sorted({*root.glob("csrc/*.c")} - {root / "csrc" / "ctok_all.c"})
    sources.append(root / "bench" / "splitting.c")
    if LIBRARY.exists() and LIBRARY.stat().st_mtime > max(f.stat().st_mtime for f in sources):
        return True
    try:
        archive, include = _locate_pcre2(root)
        compiler = os.environ.get("CC", "cc")
        flags = ["-std=c11", "-O3", "-fPIC", "-shared", "-fvisibility=hidden", "-DPCRE2_STATIC"]
        folders = [f"-I{root / 'csrc'}", f"-I{include}"]
        command = [compiler, *flags, *folders, *map(str, sources), str(archive), "-o", str(LIBRARY)]
        subprocess.run(command, check=True, capture_output=True, text=True)
    except subprocess.CalledProcessError as exc:
        print(f"  splitting is left out: {exc.stderr.strip().splitlines()[-1]}")
        return False
    except (OSError, ImportError) as exc:
        print(f"  splitting is left out: {exc}")
        return False
    return True


def _locate_pcre2(root: Path) -> tuple[Path, Path]:
    """Asks what the build of ctok asks."""
    path = root / "vendor" / "pcre2" / "locate.py"
    spec = importlib.util.spec_from_file_location("locate", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: tuple[Path, Path] = module.locate()
    return found


def sample(
    peer: str, pattern: str, text: str, engine: str, max_bytes: int
) -> Iterator[dict[str, Any]]:
    """Seconds of the second of two passes, and the number of pieces."""
    library = ctypes.CDLL(str(LIBRARY))
    library.bench_core_new.restype = ctypes.c_void_p
    library.bench_pcre2_new.restype = ctypes.c_void_p
    library.bench_name.restype = ctypes.c_char_p
    for drain in (library.bench_drain, library.bench_pcre2_drain):
        drain.restype = ctypes.c_size_t
    source = vocabularies.pattern(pattern).encode()
    drain, name = library.bench_drain, engine
    if engine == PCRE2:
        drain, handle = library.bench_pcre2_drain, library.bench_pcre2_new(source, _size(source))
    elif engine == OWN_PCRE2:
        from ctok import pcre2

        compiled = pcre2.compile(source.decode())
        handle = compiled.take()
    else:
        handle = library.bench_core_new(source, _size(source), CPUS[engine])
        name = library.bench_name(ctypes.c_void_p(handle)).decode() if handle else "none"
    if not handle:
        raise SystemExit(f"{engine} cannot do the pattern of {pattern}")
    data = _text(text, max_bytes)
    found: dict[str, Any] = {"bytes": len(data), "engine": name}
    for _ in range(2):
        n_pieces = FAILED

        def run() -> None:
            nonlocal n_pieces
            n_pieces = drain(ctypes.c_void_p(handle), data, _size(data))

        found |= clock.once(run)
    if n_pieces == FAILED:
        raise SystemExit(f"{engine} failed on {text}")
    yield found | {"pieces": n_pieces}


def _size(data: bytes) -> ctypes.c_size_t:
    return ctypes.c_size_t(len(data))


def _text(name: str, max_bytes: int) -> bytes:
    if name != ASCII:
        return "".join(corpora.documents(name, max_bytes)).encode()
    texts = corpora.documents("english") + corpora.documents("code")
    plain = [text for text in texts if text.isascii()]
    return "".join(plain[:: max(1, sum(map(len, plain)) // max_bytes)]).encode()
