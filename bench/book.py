"""The results of a run, and how to ask them: rates, and ratios taken inside rounds."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator
from functools import reduce
from pathlib import Path
from typing import Any

Row = dict[str, Any]


class Book:
    """What bench.run wrote.

    Attributes:
        facts: machine, versions, date.
        equivalence: the rows of equivalence.compare.
        rows: the records of harness.Result.
    """

    def __init__(self, document: dict[str, Any]) -> None:
        self.facts: dict[str, Any] = document["facts"]
        self.equivalence: list[Row] = document["equivalence"]
        self.rows: list[Row] = document["rows"]

    @classmethod
    def read(cls, path: Path) -> Book:
        return cls(json.loads(path.read_text(encoding="utf-8")))

    def all(self, measure: str, peer: str | None = None, **args: object) -> Iterator[Row]:
        for row in self.rows:
            if row["measure"] != measure or (peer is not None and row["peer"] != peer):
                continue
            if all(row["args"].get(name) == value for name, value in args.items()):
                yield row

    def one(self, measure: str, peer: str, **args: object) -> Row | None:
        """The first row that has samples; None where nothing was measured."""
        return next((row for row in self.all(measure, peer, **args) if row["samples"]), None)

    def values(self, measure: str, name: str) -> list[Any]:
        """The different values of an argument, in the order of the run."""
        return list(dict.fromkeys(row["args"].get(name) for row in self.all(measure)))

    def peers(self, measure: str, **args: object) -> list[str]:
        return list(dict.fromkeys(row["peer"] for row in self.all(measure, **args)))


def at(sample: Row, path: str) -> float | None:
    """A number inside a sample, by its keys with dots: "array.warm.cpu"."""
    found: Any = reduce(
        lambda part, key: part.get(key) if isinstance(part, dict) else None, path.split("."), sample
    )
    return found if isinstance(found, int | float) else None


def median(row: Row | None, path: str) -> float | None:
    return None if row is None else at(row["median"], path)


def rate(row: Row | None, path: str) -> float | None:
    """MB/s from the seconds at a path."""
    seconds, n_bytes = median(row, path), median(row, "bytes")
    return n_bytes / seconds / 1e6 if seconds and n_bytes else None


def times(row: Row | None, path: str, other: Row | None, other_path: str) -> float | None:
    """How many times faster a row is than another one: the median of the rounds' ratios of
    seconds, for the same number of bytes."""
    if row is None or other is None:
        return None
    ratios = []
    for ours, theirs in zip(row["samples"], other["samples"], strict=False):
        mine, his = at(ours, path), at(theirs, other_path)
        if mine and his:
            scale = (at(ours, "bytes") or 1) / (at(theirs, "bytes") or 1)
            ratios.append(his / mine * scale)
    return statistics.median(ratios) if ratios else None
