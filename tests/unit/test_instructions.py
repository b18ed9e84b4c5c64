"""The record of instruction counts: reading callgrind, comparing, and the work that is counted."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from bench import callgrind, instructions, vocabularies, works
from bench.callgrind import Profile
from bench.instructions import Case, Count
from bench.works import Work

import ctok
from ctok import _core

# As callgrind 3.19 writes it, shortened. `split` has a part of its own that the compiler cut off.
SAMPLE = """\
# callgrind format
version: 1
creator: callgrind-3.19.0
pid: 1
cmd:  ./instructions avx2 cl100k_base cold english
part: 1


desc: Trigger: --dump-after=measured

positions: line
events: Ir Bc Bcm Bi Bim
summary: 1000 80 7 2 1


ob=/tmp/instructions
fl=???
fn=measured
0 4 3 2
cfn=encode
calls=1 0
0 990 70 5 2 1
0 6

fn=encode
0 100
cfn=split
calls=2 0
0 700
cob=/usr/lib/libc.so.6
cfi=./string/memcpy.S
cfn=memcpy
calls=3 80
0 190

fn=split
0 300 10 2
0 50
cfn=split.part.0
calls=1 0
0 350

fn=split.part.0
0 350

ob=/usr/lib/libc.so.6
fl=./string/memcpy.S
fn=memcpy
80 90
fe=./string/other.S
12 100

totals: 1000 80 7 2 1
"""
CASE = Case("cl100k_base", "avx2", "english, cold")
FACTS: dict[str, Any] = {name: name for name in instructions.BASIS}


def counted(**own: int) -> dict[Case, Count]:
    return {CASE: Count(100, Profile(sum(own.values()), 100, own, own))}


def recorded(**own: int) -> dict[str, Any]:
    return instructions.record(FACTS, counted(**own))


# ---- callgrind ------------------------------------------------------------------------------


def test_a_function_owns_what_is_its_own_and_the_parts_the_compiler_cut_off() -> None:
    expected = {"measured": 10, "encode": 100, "split": 700, "memcpy": 190}
    assert expected == callgrind.parse(SAMPLE).own


def test_mispredicted_are_branches_and_jumps() -> None:
    assert 7 + 1 == callgrind.parse(SAMPLE).mispredicted
    assert 7 == callgrind.parse(SAMPLE.replace("7 2 1", "7")).mispredicted
    assert 0 == callgrind.parse(SAMPLE.replace("80 7 2 1", "")).mispredicted


def test_inclusive_cost_has_the_callees_once() -> None:
    expected = {"measured": 1000, "encode": 990, "split": 700, "memcpy": 190}
    assert expected == callgrind.parse(SAMPLE).inclusive


def test_a_profile_that_does_not_add_up_is_refused() -> None:
    with pytest.raises(ValueError, match="add up to 1000 instructions, not to 999"):
        callgrind.parse(SAMPLE.replace("summary: 1000", "summary: 999"))


def test_a_profile_of_other_events_is_refused() -> None:
    with pytest.raises(ValueError, match="events: Ir Bc"):
        callgrind.parse(SAMPLE.replace("events: Ir Bc Bcm Bi Bim", "events: Ir"))


def test_without_valgrind_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SystemExit, match="apt install valgrind"):
        callgrind.version()


# ---- the record -----------------------------------------------------------------------------


def test_only_functions_of_one_percent_are_recorded() -> None:
    (entry,) = (entry for _, entry in instructions.recorded(recorded(split=990, merge=10, rest=9)))
    assert {"split": 990} == entry["functions"]
    assert (100, 1009, 10.09) == (entry["bytes"], entry["instructions"], entry["per byte"])


def test_two_percent_are_no_change() -> None:
    now = counted(split=1020, merge=980)
    assert ([], []) == instructions.changes(recorded(split=1000, merge=1000), now)


def test_every_function_that_is_worse_is_named() -> None:
    worse, better = instructions.changes(
        recorded(split=1000, merge=1000), counted(split=1021, merge=979)
    )
    assert ["cl100k_base, avx2: english, cold: split: 1,000 -> 1,021 (+2.1%)"] == worse
    assert ["cl100k_base, avx2: english, cold: merge: 1,000 -> 979 (-2.1%)"] == better


def test_a_new_function_makes_the_whole_worse() -> None:
    worse, _ = instructions.changes(recorded(split=1000), counted(split=1000, extra=30))
    assert ["cl100k_base, avx2: english, cold: all: 1,000 -> 1,030 (+3.0%)"] == worse


def test_mispredicted_branches_may_be_a_tenth_more() -> None:
    now = {CASE: counted(split=1000)[CASE]}
    for mispredicted, n_worse, n_better in ((110, 0, 0), (111, 1, 0), (90, 0, 0), (89, 0, 1)):
        profile = Profile(1000, mispredicted, {"split": 1000}, {"split": 1000})
        now[CASE] = Count(100, profile)
        worse, better = instructions.changes(recorded(split=1000), now)
        assert (n_worse, n_better) == (len(worse), len(better))
        assert all("mispredicted branches: 100 -> " in line for line in worse + better)


def test_ten_mispredicted_branches_more_are_nothing() -> None:
    for mispredicted, n_worse in ((19, 0), (20, 1)):
        document = recorded(split=1000)
        for _, entry in instructions.recorded(document):
            entry["mispredicted"] = 9
        profile = Profile(1000, mispredicted, {"split": 1000}, {"split": 1000})
        worse, better = instructions.changes(document, {CASE: Count(100, profile)})
        assert (n_worse, 0) == (len(worse), len(better))


def test_a_work_that_is_no_longer_counted_is_named() -> None:
    worse, _ = instructions.changes(recorded(split=1000), {})
    assert ["cl100k_base, avx2: english, cold: is not counted any more"] == worse


@pytest.fixture
def accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A record of 1000 instructions."""
    path = tmp_path / "instructions.json"
    path.write_text(instructions.json.dumps(recorded(split=1000)))
    monkeypatch.setattr(instructions, "RECORD", path)
    return path


@pytest.mark.parametrize(("now", "status"), [(1000, 0), (900, 0), (1100, 1)])
def test_check_fails_where_a_count_is_worse(accepted: Path, now: int, status: int) -> None:
    assert status == instructions.check(FACTS, counted(split=now))


def test_check_with_another_compiler_reports_and_gives_no_verdict(
    accepted: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 0 == instructions.check(FACTS | {"compiler": "cc 13"}, counted(split=1100))
    told = capsys.readouterr().out
    assert "not comparable: compiler: the record has 'compiler', here it is 'cc 13'" in told
    assert "split: 1,000 -> 1,100 (+10.0%)" in told


def test_the_readme_has_the_tables_of_the_record() -> None:
    assert instructions.section() in instructions.README.read_text(encoding="utf-8")


# ---- the work -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the program, its texts and vocabularies are."""
    if shutil.which("cc") is None:
        pytest.skip("no C compiler called cc")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(works, "FOLDER", tmp_path_factory.mktemp("instructions"))
        works.prepare()
        return works.FOLDER


@pytest.mark.slow
@pytest.mark.parametrize("tier", works.TIERS)
@pytest.mark.parametrize("encoding", vocabularies.SERVED)
def test_the_work_makes_the_ids_and_bytes_that_ctok_makes(
    folder: Path, encoding: str, tier: str
) -> None:
    if tier == "avx2" and _core.cpu() not in ("avx2", "avx512"):
        pytest.skip("this machine has no AVX2")
    command = works.command(encoding, tier)
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    assert (0, "") == (done.returncode, done.stderr)
    made = [int(line.split()[2]) for line in done.stdout.splitlines()]
    assert [expected(encoding, work) for work in works.WORKS] == made


def expected(encoding: str, work: Work) -> int:
    """Ids where a work encodes, bytes of UTF-8 where it decodes or transcodes."""
    texts = works.texts(work)
    if work.kind in ("cold", "warm", "count"):
        return sum(map(len, ctok.get_encoding(encoding).encode_ordinary_batch(texts)))
    return sum(len(text.encode()) for text in texts)


@pytest.mark.slow
def test_two_runs_take_the_same_instructions(folder: Path) -> None:
    if shutil.which("valgrind") is None:
        pytest.skip("valgrind is not installed")
    command = works.command("cl100k_base", "portable", [Work("chat", "cold"), Work("chat", "warm")])
    first, printed = callgrind.profiles(command, "measured", folder)
    again, _ = callgrind.profiles(command, "measured", folder)
    assert first == again
    assert ["cold", "warm"] == [line.split()[0] for line in printed.splitlines()]
    cold, warm = first
    assert 0 < warm.own["block_encode"] < cold.own["block_encode"] < cold.total
