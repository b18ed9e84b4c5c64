"""Long texts divided among batches: the ids of the whole, in one piece."""

from __future__ import annotations

import gc
import os
import random
import signal
import threading
import time
import traceback
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import ctok
from ctok import Encoding, _core, batches
from ctok.errors import DisallowedSpecialError, ValidationError

NAMES = ["gpt2", "cl100k_base", "o200k_base"]
UNITS = {
    "ascii": [
        "the",
        "The",
        " ",
        "  ",
        "\n",
        "\n\n",
        "\r\n",
        "\t",
        "'s",
        "'",
        "12",
        "/",
        "!",
        ".\n",
    ],
    "latin": ["é", "É", "naïve", " ", "\n", "\xa0", "\x85", "²", "'ll", "1", ";"],
    "wide": ["漢", "字。", "\u3000", "\n", " ", "да", "\u0301", "\u2019s", "x", "\u2028", "٣", "/"],
    "astral": ["🙂", "a", " ", "\n", "\U0001d400", "👩\u200d🚀", "b'", "漢", "é"],
}


def long_text(kind: str, seed: int, n: int = 300_000) -> str:
    rng = random.Random(seed)
    return "".join(rng.choices(UNITS[kind], k=n // 2))


def planned(
    enc: Encoding, texts: list[str], n_batches: int, sets: _core.SpecialSets
) -> list[_core.Batch]:
    return _core.plan_batches(enc, sets, texts, _core.count_chars(texts), n_batches)


def divided(
    enc: Encoding, texts: list[str], n_batches: int, allowed: str = "", n_threads: int = 2
) -> list[list[int]]:
    sets = enc._special_sets("all" if allowed else frozenset(), ())
    batches = planned(enc, texts, n_batches, sets)
    lengths: list[int] = []
    _core.run_batches(enc, batches, n_threads, True)
    for batch in batches:
        batch.check()
        batch.add_lengths_to(lengths)
    lists = _core.join_lists(batches)
    assert [len(ids) for ids in lists] == lengths
    joined = memoryview(_core.join_batches(batches))
    assert joined.tolist() == [i for ids in lists for i in ids]
    return lists


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", UNITS)
def test_divided_text_has_the_ids_of_the_whole(name: str, kind: str) -> None:
    enc = ctok.get_encoding(name)
    for seed in range(4):
        text = long_text(kind, seed)
        whole = enc.encode_ordinary(text)
        for n_batches in (2, 3, 5):
            assert n_batches == len(
                planned(enc, [text], n_batches, enc._special_sets(frozenset(), ()))
            )
            assert [whole] == divided(enc, [text], n_batches)


@pytest.mark.parametrize("kind", UNITS)
def test_special_tokens_are_not_divided(kind: str) -> None:
    enc = ctok.get_encoding("o200k_base")
    rng = random.Random(kind)
    units = [*UNITS[kind], "<|endoftext|>", "<|endof", "text|>", "<|endofprompt|>"]
    for _ in range(4):
        text = "".join(rng.choices(units, k=100_000))
        whole = enc.encode(text, allowed_special="all")
        assert [whole] == divided(enc, [text], 4, "all")


def test_short_and_long_texts_keep_their_order() -> None:
    enc = ctok.get_encoding("cl100k_base")
    texts = ["", "a", long_text("ascii", 1), "b", long_text("wide", 2), "", "c" * 5]
    expected = [enc.encode_ordinary(text) for text in texts]
    for n_batches in range(1, 12):
        for n_threads in (1, 2, 3, 20):
            assert expected == divided(enc, texts, n_batches, n_threads=n_threads)
    ids, offsets = enc.encode_batch_to_numpy(texts, num_threads=2, disallowed_special=())
    assert expected == [ids[a:b].tolist() for a, b in pairwise(offsets)]
    assert np.uint32 == ids.dtype


def test_number_of_threads_is_an_integer_or_none() -> None:
    enc = ctok.get_encoding("gpt2")
    for n in (None, 0, -1, np.int64(2)):
        assert [[31373]] == enc.encode_batch(["hello"], num_threads=n)
    for wrong in ("2", 1.5):
        with pytest.raises(ValidationError, match="num_threads"):
            enc.encode_batch(["hello"], num_threads=wrong)  # type: ignore[arg-type]


def test_one_thread_has_batches_too(monkeypatch: pytest.MonkeyPatch) -> None:
    enc = ctok.get_encoding("cl100k_base")
    texts = [long_text("wide", seed) for seed in range(3)]
    expected = [enc.encode_ordinary(text) for text in texts]
    monkeypatch.setattr(batches, "CHARS_PER_INTERRUPT", 50_000)
    sets = enc._special_sets(frozenset(), ())
    assert len(batches.run_batches(enc, texts, 1, sets, as_lists=False)) > 2
    assert expected == enc.encode_ordinary_batch(texts, num_threads=1)
    ids, offsets = enc.encode_batch_to_numpy(texts, num_threads=1)
    assert expected == [ids[a:b].tolist() for a, b in pairwise(offsets)]


def test_the_collector_does_not_look_at_lists_before_they_are_whole() -> None:
    enc = ctok.get_encoding("gpt2")
    texts = [" hello" * 1237] * 2_000
    n_seen = []

    def count(phase: str, _: object) -> None:
        if phase == "start":
            n_seen.append(sum(type(o) is list and len(o) == 1237 for o in gc.get_objects()))

    gc.callbacks.append(count)
    try:
        lists = enc.encode_ordinary_batch(texts, num_threads=2)
    finally:
        gc.callbacks.remove(count)
    assert [[23748] * 1237] * 2_000 == lists
    assert all(map(gc.is_tracked, lists))
    assert n_seen
    assert {0} == set(n_seen)


def test_where_no_thread_starts_one_does_all(monkeypatch: pytest.MonkeyPatch) -> None:
    enc = ctok.get_encoding("gpt2")
    text = long_text("ascii", 9, 2_000_000)
    monkeypatch.setattr(batches, "n_processors", lambda: 4)
    usual = threading.stack_size(1 << 46)  # nobody has so much memory
    try:
        with pytest.raises(RuntimeError):
            threading.Thread(target=int).start()
        assert [enc.encode_ordinary(text)] == enc.encode_batch([text], num_threads=4)
    finally:
        threading.stack_size(usual)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="processors cannot be chosen")
def test_no_more_threads_than_processors_that_may_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    enc = ctok.get_encoding("gpt2")
    sets = enc._special_sets(frozenset(), ())
    texts = [long_text("ascii", 9, 2_000_000)]
    usual = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(usual)})
    try:
        assert 1 == len(batches.run_batches(enc, texts, 8, sets, as_lists=False))
    finally:
        os.sched_setaffinity(0, usual)
    monkeypatch.setattr(batches, "n_processors", lambda: 2)
    assert 1 < len(batches.run_batches(enc, texts, 8, sets, as_lists=False))


def threads_of_the_system() -> list[Path]:
    """Also those that Python does not know of; none where the system does not tell."""
    return list(Path("/proc/self").glob("task/*"))


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="processors cannot be chosen")
def test_threads_that_have_not_begun_are_not_waited_for() -> None:
    enc = ctok.get_encoding("gpt2")
    texts = [long_text("ascii", seed, 2_000) for seed in range(16)]
    expected = [enc.encode(text) for text in texts]
    usual = os.sched_getaffinity(0)
    n_threads = len(threads_of_the_system())
    n_late = 0
    os.sched_setaffinity(0, {min(usual)})  # the caller's own thread has it
    try:
        for _ in range(300):
            assert expected == divided(enc, texts, 16, n_threads=4)
            n_late += len(threads_of_the_system()) > n_threads
    finally:
        os.sched_setaffinity(0, usual)
    deadline = time.monotonic() + 10
    while len(threads_of_the_system()) > n_threads:
        assert time.monotonic() < deadline
    assert n_late > 30  # of those that were waited for 3 or 4 are still on their way out


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timer interrupts this system")
def test_an_interrupt_leaves_no_thread_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    enc = ctok.get_encoding("gpt2")
    texts = [long_text("wide", seed) for seed in range(40)]
    expected = enc.encode_batch(texts, num_threads=2)
    monkeypatch.setattr(batches, "n_processors", lambda: 2)
    handler = signal.signal(signal.SIGALRM, signal.default_int_handler)
    n_interrupts = 0
    n_threads = len(threads_of_the_system())
    try:
        for delay in (0.002, 0.005, 0.01, 0.02):
            signal.setitimer(signal.ITIMER_REAL, delay)
            try:
                enc.encode_batch(texts, num_threads=2)
                time.sleep(1)  # it was faster: the interrupt comes here
            except KeyboardInterrupt as interrupt:
                frames = [frame.name for frame in traceback.extract_tb(interrupt.__traceback__)]
                n_interrupts += "run_batches" in frames
                deadline = time.monotonic() + 10  # one that is done may be on its way out
                while len(threads_of_the_system()) > n_threads:
                    assert time.monotonic() < deadline
            assert expected == enc.encode_batch(texts, num_threads=2)
    finally:
        signal.signal(signal.SIGALRM, handler)
    assert n_interrupts > 0


def test_ids_that_do_not_fit_into_their_share_are_joined_as_well() -> None:
    """More ids than expected in the first share, in the second, in both."""
    enc = ctok.get_encoding("gpt2")
    few, many = long_text("ascii", 1), "".join(chr(33 + i * 7 % 90) for i in range(400_000))
    hidden = "x" * 50_000 + long_text("astral", 3)
    for texts in ([few, many], [many, few], [many, many], [few, hidden], [hidden, many]):
        expected = [enc.encode_ordinary(text) for text in texts]
        for n_batches in (2, 4, 8):
            assert expected == divided(enc, texts, n_batches)


def test_ids_behind_a_batch_that_did_not_fit_are_not_overwritten() -> None:
    """The first batch leaves the output of its share in the midst, for memory of its own; the
    second is at the beginning of the output then, where the ids of the first would be joined."""
    enc = ctok.get_encoding("gpt2")
    texts = ["".join("#%+"[i * i % 3] + "9" for i in range(50_000)), "a" * 100_000, "b c " * 10_000]
    expected = [enc.encode_ordinary(text) for text in texts]
    assert len(expected[0]) > sum(map(len, texts)) // 3 + 3 * 8  # so many are expected in all
    assert expected == divided(enc, texts, 2, n_threads=1)


def test_a_batch_that_was_not_run_is_not_taken_for_an_empty_one() -> None:
    enc = ctok.get_encoding("gpt2")
    (batch,) = planned(enc, ["hello"], 1, enc._special_sets(frozenset(), ()))
    with pytest.raises(MemoryError):
        batch.check()


def test_text_with_surrogates_has_the_same_ids() -> None:
    enc = ctok.get_encoding("cl100k_base")
    text = "one \ud83d\ude42 two \udc00 " * 30_000
    assert [enc.encode_ordinary(text)] == divided(enc, [text], 3)


def test_text_of_an_unknown_pattern_stays_whole() -> None:
    ranks = {bytes([i]): i for i in range(256)}
    enc = Encoding("words", pat_str=r"\w+|\W+", mergeable_ranks=ranks, special_tokens={})
    text = "hello world " * 30_000
    sets = enc._special_sets(frozenset(), ())
    assert 1 == len(planned(enc, [text], 4, sets))
    assert [enc.encode_ordinary(text)] == divided(enc, [text], 4)


def test_text_with_no_safe_place_stays_whole() -> None:
    enc = ctok.get_encoding("cl100k_base")
    for text in ("a" * 400_000, "漢字" * 200_000, " " * 400_000):
        assert [enc.encode_ordinary(text)] == divided(enc, [text], 4)


@pytest.mark.parametrize("kind", ["ascii", "wide"])
def test_error_of_a_divided_text_names_its_place(kind: str) -> None:
    enc = ctok.get_encoding("cl100k_base")
    text = long_text(kind, 7, 2_000_000)
    wrong = text + "<|endoftext|>" + text[:5]
    with pytest.raises(DisallowedSpecialError) as caught:
        enc.encode_batch(["x", wrong], num_threads=2)
    assert len(text) == caught.value.offset
    assert ["in text 1 of the batch"] == caught.value.__notes__


# ---- the beginning of a long text --------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", UNITS)
def test_beginning_of_a_long_text_is_counted_as_in_the_whole(name: str, kind: str) -> None:
    enc = ctok.get_encoding(name)
    text = long_text(kind, 3, 60_000)
    encoded = enc.encode_with_offsets(text, disallowed_special=())
    for limit in (1, 2, 3, 10, 100, 1000, 5000):
        end = encoded.char_offsets[limit - 1][1]
        while encoded.char_offsets[limit][0] < end:  # inside of a character
            end -= 1
        assert enc.count(text[:end]) <= limit
        assert (text[:end], enc.count(text[:end]), True) == enc.truncate(text, limit)
    n = len(encoded.ids)
    assert not enc.fits(text, n - 1)
    assert enc.fits(text, n)


def test_cost_of_a_beginning_does_not_grow_with_the_text() -> None:
    enc = ctok.get_encoding("cl100k_base")
    text = long_text("wide", 1, 8_000_000)

    def fastest(part: str) -> float:
        times = []
        for _ in range(7):
            start = time.perf_counter()
            enc.truncate(part, 100)
            times.append(time.perf_counter() - start)
        return min(times)

    assert fastest(text) < 20 * fastest(text[: len(text) // 200])


# ---- a long text made UTF-8 part by part --------------------------------------------------


def undivided(enc: Encoding, text: str, allowed: str = "") -> list[int]:
    """By the way with offsets, which has the whole text as UTF-8."""
    return enc._encode_ranges(text, enc._special_sets("all" if allowed else frozenset(), ()))[0]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", UNITS)
def test_long_text_has_the_same_ids_part_by_part(name: str, kind: str) -> None:
    enc = ctok.get_encoding(name)
    for seed in range(3):
        text = long_text(kind, seed, 500_000)
        whole = undivided(enc, text)
        assert whole == enc.encode_ordinary(text)
        assert whole == enc.encode_to_numpy(text, disallowed_special=()).tolist()
        assert len(whole) == enc.count(text)


@pytest.mark.parametrize("kind", UNITS)
def test_special_tokens_stay_whole_part_by_part(kind: str) -> None:
    enc = ctok.get_encoding("o200k_base")
    rng = random.Random(kind)
    units = [*UNITS[kind], "<|endoftext|>", "<|endof", "text|>", "é<|endofprompt|>"]
    for _ in range(4):
        text = "".join(rng.choices(units, k=100_000))
        whole = undivided(enc, text, "all")
        assert whole == enc.encode(text, allowed_special="all")
        assert len(whole) == enc.count(text, allowed_special="all")


@pytest.mark.parametrize(
    "text",
    [
        "one \ud83d\ude42 two \udc00 é " * 30_000,
        "\ud83d" * 70_000 + "\ude42" * 70_000,
        "漢字" * 200_000,
        "é" + "a" * 400_000,
        "é" + " " * 400_000,
        "é\n" * 65_536,
        "a" * 65_535 + " " + "a" * 400_000,
        "the end\n" * 20_000 + "=" * 300_000 + "\nx" * 70_000,
        " " * 400_000,
    ],
    ids=[
        "surrogates",
        "surrogates apart",
        "characters",
        "letters",
        "blanks",
        "newlines",
        "ASCII letters",
        "ASCII lines",
        "ASCII blanks",
    ],
)
def test_text_with_few_places_to_part_it_has_the_same_ids(text: str) -> None:
    enc = ctok.get_encoding("cl100k_base")
    assert undivided(enc, text) == enc.encode_ordinary(text)


@pytest.mark.parametrize("first", ["", "é", "漢", "🙂"], ids=["ascii", "latin", "cjk", "wide"])
def test_a_text_may_have_many_more_ids_than_its_beginning(first: str) -> None:
    enc = ctok.get_encoding("cl100k_base")
    text = f"{first} international" * 15_000 + "\n1 -2 ; +3 .\n\x01\x02\x03" * 60_000
    whole = undivided(enc, text)
    assert len(whole) > 10 * enc.count(text[: len(text) // 10])
    assert whole == enc.encode_ordinary(text)
    assert whole == enc.encode_to_numpy(text, disallowed_special=()).tolist()
    assert len(whole) == enc.count(text)


def test_text_that_is_never_cut_has_the_same_ids() -> None:
    ranks = dict(ctok.get_encoding("gpt2")._mergeable_ranks)
    enc = Encoding("own", pat_str=r"\w+[ ]?|[^\w]", mergeable_ranks=ranks, special_tokens={})
    for text in ("two words\n" * 30_000, "zwei Wörter\n" * 30_000):
        whole = undivided(enc, text)
        assert whole == enc.encode_ordinary(text)
        assert whole == enc.encode_to_numpy(text).tolist()
        assert len(whole) == enc.count(text)


@pytest.mark.parametrize("kind", ["ascii", "wide"])
def test_error_far_on_in_a_text_names_its_place(kind: str) -> None:
    enc = ctok.get_encoding("cl100k_base")
    text = long_text(kind, 7, 2_000_000)
    with pytest.raises(DisallowedSpecialError) as caught:
        enc.encode(text + "<|endoftext|>" + text[:5])
    assert len(text) == caught.value.offset
