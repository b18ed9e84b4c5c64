"""The texts: the corpora of the shared data, cut into documents.

A worker must not spend its time unpacking, so :func:`prepare` writes each corpus once as a pickle
of str; loading that again gives new str objects, which is what a *warm* pass needs.
"""

from __future__ import annotations

import json
import lzma
import pickle
import random
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from . import places

CORPORA = Path(places.DATA) / "corpora"
PREPARED = Path(places.WORK) / "corpora"

FILES = {
    "english": "english.txt.xz",
    "code": "code.txt.xz",
    "multilingual": "multilingual.txt.xz",
    "web": "web_mix.txt.xz",
}
TIMED = ("english", "code", "multilingual", "cjk", "web", "chat")
STRESS = {
    "normalization": "NormalizationTest.txt.xz",
    "emoji": "emoji-test.txt",
    "codepoints": "utf8_all_codepoints.txt",
}
"""Compared, never timed."""

MIXED = "mixed"
"""English, code and web text one after the other: 10 MB for long inputs."""
MIXED_BYTES = 10_000_000

DOCUMENT_BYTES = (4096, 10_240)
CHAT_BYTES = (20, 500)

_IDEOGRAPHIC = re.compile(
    "[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003134f]"
)
_LETTER = re.compile(r"[^\W\d_]")


def documents(name: str, max_bytes: int | None = None) -> list[str]:
    """The documents of a prepared corpus, as str objects that nobody has seen.

    Args:
        name: one of TIMED, STRESS or "mixed".
        max_bytes: about how much at most, taken evenly from the whole corpus.
    """
    found: list[str] = pickle.loads(_prepared(name).read_bytes())
    n_bytes = sum(len(text.encode()) for text in found)
    if max_bytes is None or n_bytes <= max_bytes:
        return found
    n = max(1, len(found) * max_bytes // n_bytes)
    return [found[i * len(found) // n] for i in range(n)]


def fresh(texts: list[str]) -> list[str]:
    """The same texts in new str objects, so that nothing cached in the old ones helps."""
    copies: list[str] = pickle.loads(pickle.dumps(texts))
    return copies


def prepare() -> None:
    """Unpacks and cuts every corpus. Does nothing where that was done."""
    texts = {name: _read(file) for name, file in FILES.items()}
    corpora: dict[str, Iterable[str]] = {name: _cut(text) for name, text in texts.items()}
    corpora["cjk"] = _cut("".join(_cjk_lines(texts["multilingual"])))
    corpora["chat"] = _messages()
    mixed = "".join(texts[name] for name in ("english", "code", "web")).encode()
    corpora[MIXED] = _cut(mixed[:MIXED_BYTES].decode(errors="ignore"))
    corpora |= {name: _cut(_read(file)) for name, file in STRESS.items()}
    for name, parts in corpora.items():
        path = _prepared(name)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(pickle.dumps(list(parts)))


def _prepared(name: str) -> Path:
    return PREPARED / f"{name}.pickle"


def _read(file: str) -> str:
    raw = (CORPORA / file).read_bytes()
    return (lzma.decompress(raw) if file.endswith(".xz") else raw).decode()


def _cut(text: str) -> Iterator[str]:
    """Whole lines until a document has the length drawn for it; long lines are cut."""
    draw = random.Random(0)
    part: list[str] = []
    size, wanted = 0, draw.randint(*DOCUMENT_BYTES)
    for line in text.splitlines(keepends=True):
        for start in range(0, len(line), DOCUMENT_BYTES[0]):
            stretch = line[start : start + DOCUMENT_BYTES[0]]
            part.append(stretch)
            size += len(stretch.encode())
            if size >= wanted:
                yield "".join(part)
                part, size, wanted = [], 0, draw.randint(*DOCUMENT_BYTES)
    if part:
        yield "".join(part)


def _cjk_lines(text: str) -> Iterator[str]:
    for line in text.splitlines(keepends=True):
        n_letters = len(_LETTER.findall(line))
        if n_letters and 2 * len(_IDEOGRAPHIC.findall(line)) > n_letters:
            yield line


def _messages() -> Iterator[str]:
    low, high = CHAT_BYTES
    seen = set()
    for line in (CORPORA / "chat.jsonl").read_text(encoding="utf-8").splitlines():
        for message in json.loads(line)["messages"]:
            text = message["content"]
            if low <= len(text.encode()) <= high and text not in seen:
                seen.add(text)
                yield text
