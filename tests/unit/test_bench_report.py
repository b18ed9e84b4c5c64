"""The report of the bench: which accepted ratios a run does not reach, how slow the machine was."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from bench import report, tables
from bench.book import Book
from bench.contests import Contest
from bench.targets import Finding

FASTER = Finding("T1", "english", owed=1.3, reached=2.0)
SHORTER = Finding("T10", "load", owed=5, reached=4.0, unit="ms", at_most=True)


def lost(monkeypatch: pytest.MonkeyPatch, *findings: Finding, whole: bool = True) -> list[str]:
    monkeypatch.setattr(report, "findings", lambda book: list(findings))
    return report.lost(Book({"facts": {"whole": whole}, "equivalence": [], "rows": []}))


@pytest.fixture(autouse=True)
def accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """2.0 times as fast, and 4 ms (a quarter, because larger is better)."""
    monkeypatch.setattr(report, "ACCEPTED", tmp_path / "accepted.json")
    report.ACCEPTED.write_text(json.dumps({"T1 english": 2.0, "T10 load": 0.25}))


def test_what_was_accepted_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [] == lost(monkeypatch, FASTER, SHORTER)


@pytest.mark.parametrize(("reached", "n_lost"), [(1.91, 0), (1.89, 1), (3.0, 0)])
def test_a_ratio_five_percent_lower_is_lost(
    monkeypatch: pytest.MonkeyPatch, reached: float, n_lost: int
) -> None:
    now = Finding("T1", "english", owed=1.3, reached=reached)
    assert n_lost == len(lost(monkeypatch, now, SHORTER))


def test_a_time_that_grew_is_lost_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    now = Finding("T10", "load", owed=5, reached=5.0, unit="ms", at_most=True)
    assert ["T10 load: 0.80 of what was accepted"] == lost(monkeypatch, FASTER, now)


def test_a_whole_run_that_did_not_measure_it_lost_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ["T10 load: accepted, not measured now"] == lost(monkeypatch, FASTER)
    assert [] == lost(monkeypatch, FASTER, whole=False)


def test_behind_is_how_many_times_better_the_best_is() -> None:
    assert 2.0 == Contest("s", "c", {"ctok": 10.0, "other": 20.0}).behind()
    assert 2.0 == Contest("s", "c", {"ctok": 20.0, "other": 10.0}, "ms", low_is_good=True).behind()
    assert Contest("s", "c", {"ctok": 20.0, "other": 10.0}).behind() is None


def test_nothing_is_infinitely_less_memory_than_something() -> None:
    memory = Contest("s", "c", {"ctok": 20.0, "other": 0.0}, "MB", low_is_good=True)
    assert float("inf") == memory.behind()


def test_the_pace_of_the_machine_is_told_against_its_best() -> None:
    rows = [{"measure": "encode", "samples": [], "paces": [0.25 * k]} for k in range(4, 14)]
    book = Book({"facts": {"whole": True, "versions": {}}, "equivalence": [], "rows": rows})
    assert "the least of 10: 2.25x in the median, more than 3.25x in one of ten" in tables.machine(
        book
    )
