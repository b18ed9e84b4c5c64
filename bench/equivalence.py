"""Compares the ids of every peer with tiktoken's: python -m bench.equivalence [--quick]

Every document that is timed is compared first, and the stress corpora besides; what differs is
told and not timed. Each peer runs in a process of its own, so one that crashes is one that differs.
"""

from __future__ import annotations

import hashlib
import sys
from array import array
from collections.abc import Iterator
from typing import Any

from . import convert, corpora, harness, peers, places, vocabularies
from .harness import Job
from .measures import encode, worst

REFERENCE = "tiktoken"
PIECES = "long pieces"
"""The texts of measures/worst.py, short."""
PIECE_BYTES = 20_000
FEW_BYTES = 200_000
"""Of the stress corpora, and of the mixed one, which is english, code and web cut elsewhere."""
SOME = 100
"""On how many documents of a corpus the other calls are compared with encode_list."""

ALWAYS = ("chat", corpora.MIXED, *corpora.STRESS, PIECES)
"""Compared whatever is timed."""

Digests = dict[str, list[str]]


def texts(corpus: str, max_bytes: int) -> list[str]:
    if corpus == PIECES:
        return list(worst.texts(PIECE_BYTES).values())
    return corpora.documents(corpus, max_bytes if corpus in corpora.TIMED else FEW_BYTES)


def digests(
    peer: str, encoding: str, compared: list[str], max_bytes: int
) -> Iterator[dict[str, Any]]:
    """In the worker: what each corpus became, a digest a document; and calls that disagree."""
    loaded = peers.load(peer, encoding)
    found: dict[str, Any] = {}
    for corpus in compared:
        documents = texts(corpus, max_bytes)
        lists = [list(loaded.encode_list(text)) for text in documents]
        found[corpus] = {
            "digests": [_digest(ids) for ids in lists],
            "differs": sorted(_calls_that_differ(loaded, documents, lists)),
        }
        yield found


def _calls_that_differ(
    loaded: peers.Loaded, documents: list[str], lists: list[list[int]]
) -> set[str]:
    """The other calls of a peer, held against its own lists and texts, on some documents."""
    step = max(1, len(documents) // SOME)
    documents, lists = documents[::step], lists[::step]
    wrong = set()
    for text, ids in zip(documents, lists, strict=True):
        if loaded.encode_array and _ids(loaded.encode_array(text)) != ids:
            wrong.add("encode_array")
        # No text that is compared has a special token in it.
        if loaded.encode_checked and list(loaded.encode_checked(text)) != ids:
            wrong.add("encode_checked")
        if loaded.array_to_bytes and bytes(loaded.array_to_bytes(_array(ids))) != text.encode():
            wrong.add("array_to_bytes")
        if loaded.list_to_bytes and bytes(loaded.list_to_bytes(ids)) != text.encode():
            wrong.add("list_to_bytes")
        if loaded.list_to_str and loaded.list_to_str(ids) != text:
            wrong.add("list_to_str")
        if loaded.count and loaded.count(text) != len(ids):
            wrong.add("count")
    flat = [i for ids in lists for i in ids]
    if _ids(loaded.flat_ids(loaded.encode_batch(documents, 2))) != flat:
        wrong.add("encode_batch")
    return wrong


def _ids(found: Any) -> list[int]:
    if isinstance(found, bytes):
        return memoryview(found).cast("I").tolist()
    return list(found.tolist() if hasattr(found, "tolist") else found)


def _array(ids: list[int]) -> Any:
    import numpy as np

    return np.array(ids, dtype=np.uint32)


def _digest(ids: list[int]) -> str:
    return hashlib.sha256(array("I", ids).tobytes()).hexdigest()[:16]


def compare(names: tuple[str, ...], *, quick: bool) -> list[dict[str, Any]]:
    """One row a peer and encoding: how many documents of each corpus differ.

    A row has "peer", "encoding", "failure" (why there is nothing to compare, or None) and
    "corpora": name -> documents, unequal, and the calls that differ.
    """
    max_bytes = 100_000 if quick else 2_000_000
    encodings = vocabularies.SERVED if quick else vocabularies.ENCODINGS
    rows = []
    for encoding in encodings:
        expected: Digests = {}
        timed = encode.corpora_of(encoding)
        others = (name for name in names if name in timed and name != REFERENCE)
        for peer in (REFERENCE, *others):
            compared = list(dict.fromkeys([*timed[peer], *ALWAYS]))
            arguments = {"encoding": encoding, "compared": compared, "max_bytes": max_bytes}
            found, failure = harness.work(
                Job("equivalence", peer, arguments | {"threads": 2}, cpus=2, timeout=120)
            )
            if found is None and failure is None:
                failure = "it reported nothing"
            if peer == REFERENCE:
                if failure:
                    sys.exit(f"the reference failed on {encoding}: {failure}")
                expected = {corpus: row["digests"] for corpus, row in (found or {}).items()}
            row = _row(peer, encoding, found or {}, failure, expected)
            rows.append(row)
            print(f"  {describe(row)}", flush=True)
    return rows


def _row(
    peer: str, encoding: str, found: dict[str, Any], failure: str | None, expected: Digests
) -> dict[str, Any]:
    table = {}
    for corpus in found:
        got, wanted = found[corpus]["digests"], expected[corpus]
        table[corpus] = {
            "documents": len(wanted),
            "unequal": sum(a != b for a, b in zip(got, wanted, strict=True)),
            "differs": found[corpus]["differs"],
        }
    if failure and failure.startswith("KeyError"):
        failure = failure.partition(": ")[2].strip("'\"")
    return {"peer": peer, "encoding": encoding, "failure": failure, "corpora": table}


def describe(row: dict[str, Any]) -> str:
    name = f"{row['peer']} {row['encoding']}"
    problems = [
        f"{corpus}: {found['unequal']} of {found['documents']} differ"
        for corpus, found in row["corpora"].items()
        if found["unequal"]
    ] + [
        f"{corpus}: {', '.join(found['differs'])} not as encode_list"
        for corpus, found in row["corpora"].items()
        if found["differs"]
    ]
    if row["failure"]:
        problems.append(row["failure"])
    return f"{name}: {'; '.join(problems) or 'equal'}"


def ours_are_equal(rows: list[dict[str, Any]]) -> bool:
    """Whether ctok gave tiktoken's ids everywhere."""
    return all(describe(row).endswith(": equal") for row in rows if row["peer"] == "ctok")


def unequal(rows: list[dict[str, Any]]) -> dict[tuple[str, str], dict[str, str]]:
    """What must not be timed, in the form of plan.Plan. Stress corpora are not timed anyway."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for row in rows:
        wrong = {
            corpus: "ids" if table["unequal"] else "calls"
            for corpus, table in row["corpora"].items()
            if corpus not in corpora.STRESS and (table["unequal"] or table["differs"])
        }
        if row["failure"]:
            wrong["*"] = row["failure"]
        if wrong:
            found[row["peer"], row["encoding"]] = wrong
    return found


def main() -> int:
    corpora.prepare()
    convert.prepare()
    installed = peers.installed()
    print(f"equivalence: {', '.join(installed)} against {REFERENCE}, data of {places.DATA}")
    rows = compare(tuple(installed), quick="--quick" in sys.argv[1:])
    return 0 if ours_are_equal(rows) else 1


if __name__ == "__main__":
    sys.exit(main())
