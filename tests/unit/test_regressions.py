"""Every line of tests/regressions.txt, for Encoding and for the slow reference."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest

import ctok
import reference

FILE = Path(__file__).parent.parent / "regressions.txt"
ESCAPE = re.compile(rb"\\(x[0-9a-f]{2}|.)")


class Case(NamedTuple):
    encoding: str
    text: str
    ids: list[int]
    reason: str


def unescape(field: str) -> bytes:
    def byte(match: re.Match[bytes]) -> bytes:
        escape = match[1]
        if escape.startswith(b"x"):
            return bytes([int(escape[1:], 16)])
        return {b"t": b"\t", b"n": b"\n", b"\\": b"\\"}[escape]

    return ESCAPE.sub(byte, field.encode())


def read() -> tuple[dict[str, reference.Tokenizer], list[Case]]:
    encodings: dict[str, reference.Tokenizer] = {}
    cases = []
    for line in FILE.read_text(encoding="utf-8").split("\n"):
        if not line or line.startswith("#"):
            continue
        kind, *fields = line.split("\t")
        if kind == "encoding":
            name, pattern, tokens, *specials = fields
            ranks = {bytes([i]): i for i in range(256)}
            ranks |= {unescape(token): 256 + i for i, token in enumerate(tokens.split(" "))}
            numbers = {text: 1000 + i for i, text in enumerate(" ".join(specials).split())}
            encodings[name] = reference.Tokenizer(unescape(pattern).decode(), ranks, numbers)
        else:
            text, ids, reason = fields
            numbers_of_ids = [int(number) for number in ids.split(" ")]
            cases.append(Case(kind, unescape(text).decode(), numbers_of_ids, reason))
    return encodings, cases


ENCODINGS, CASES = read()


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.encoding}: {case.reason}")
def test_ids_are_those_on_record(case: Case) -> None:
    slow = ENCODINGS.get(case.encoding)
    if slow is None:
        assert case.ids == ctok.get_encoding(case.encoding).encode(case.text)
        return
    enc = ctok.Encoding(
        case.encoding,
        pat_str=slow.pattern,
        mergeable_ranks=slow.ranks,
        special_tokens=slow.specials,
    )
    assert case.ids == slow.encode(case.text, slow.specials).ids
    assert case.ids == enc.encode(case.text, allowed_special="all")
