"""One encoding in many threads, processes and pickles: the same ids everywhere."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import ctok
from ctok import Encoding

TEXTS = [f"Text {i}: it's {'very ' * (i % 7)}long — 漢字 {'🙂' * (i % 3)}\n" for i in range(1000)]


def small() -> Encoding:
    ranks = {bytes([i]): i for i in range(256)} | {b"ab": 256}
    return Encoding("small", pat_str=".+", mergeable_ranks=ranks, special_tokens={"<s>": 300})


def encode_all(enc: Encoding) -> list[list[int]]:
    return [enc.encode(text) for text in TEXTS[:50]]


@pytest.mark.parametrize("name", ["cl100k_base", "o200k_base"])
def test_sixteen_threads_share_an_encoding(name: str) -> None:
    enc = ctok.get_encoding(name)
    expected = [enc.encode(text) for text in TEXTS]
    start = threading.Barrier(16)

    def work(_: int) -> bool:
        start.wait()
        mine = [enc.encode(text) for text in TEXTS]
        return mine == expected and [enc.decode(ids) for ids in mine] == TEXTS

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(work, range(16)))


def test_batches_from_several_threads_at_once_keep_their_order() -> None:
    enc = ctok.get_encoding("cl100k_base")
    expected = [enc.encode(text) for text in TEXTS]
    with ThreadPoolExecutor(4) as pool:
        batches = pool.map(lambda _: enc.encode_batch(TEXTS * 3, num_threads=4), range(4))
        assert all(batch == expected * 3 for batch in batches)


def test_clearing_caches_while_others_encode_is_safe() -> None:
    enc = ctok.get_encoding("cl100k_base")
    expected = [enc.encode(text) for text in TEXTS]
    with ThreadPoolExecutor(4) as pool:
        results = [pool.submit(lambda: [enc.encode(text) for text in TEXTS]) for _ in range(3)]
        for _ in range(200):
            enc.cache_clear()
        assert all(result.result() == expected for result in results)


@pytest.mark.parametrize("method", ["fork", "spawn"])
@pytest.mark.parametrize("make", [small, lambda: ctok.get_encoding("gpt2")])
@pytest.mark.filterwarnings("ignore:This process.*is multi-threaded:DeprecationWarning")
def test_processes_give_the_same_ids(method: str, make: Any) -> None:
    enc = make()
    expected = encode_all(enc)
    with multiprocessing.get_context(method).Pool(2) as pool:
        assert [expected, expected] == pool.map(encode_all, [enc, enc])


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_fork_during_encoding_leaves_the_child_whole() -> None:
    enc = ctok.get_encoding("gpt2")
    expected = encode_all(enc)
    stop = threading.Event()

    def keep_busy() -> None:
        while not stop.is_set():
            enc.encode_batch(TEXTS, num_threads=2)

    thread = threading.Thread(target=keep_busy)
    thread.start()
    try:
        for _ in range(5):
            child = os.fork()
            if child == 0:
                os._exit(0 if encode_all(enc) == expected else 1)
            assert 0 == os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_pickle_gives_the_encoding_back(protocol: int) -> None:
    enc = small()
    again = pickle.loads(pickle.dumps(enc, protocol))
    assert enc.fingerprint == again.fingerprint
    assert "small" == again.name
    assert encode_all(enc) == encode_all(again)
    assert enc.encode("ab<s>", allowed_special="all") == again.encode(
        "ab<s>", allowed_special="all"
    )


def test_known_encoding_is_pickled_by_name() -> None:
    enc = ctok.get_encoding("o200k_base")
    assert len(pickle.dumps(enc)) < 200
    assert enc is pickle.loads(pickle.dumps(enc))


SCRIPT = """
import hashlib, pickle, sys
import ctok
texts = [f"{i}: it's {'very ' * (i % 7)}long {chr(0x1F642) * (i % 3)}" for i in range(500)]
ranks = {bytes([i]): i for i in range(256)} | {b"ab": 256, b"it": 257}
specials = {"<s>": 300, "<t>": 301, "<u>": 302}
small = ctok.Encoding("small", pat_str=".+", mergeable_ranks=ranks, special_tokens=specials)
digest = hashlib.sha256()
for enc in (small, ctok.get_encoding("cl100k_base")):
    digest.update(pickle.dumps(enc))
    digest.update(enc.fingerprint.encode())
    for text in texts:
        digest.update(repr(enc.encode(text)).encode())
    batch = enc.encode_batch(texts * 20, num_threads=int(sys.argv[1]))
    digest.update(repr(batch).encode())
print(digest.hexdigest())
"""


def test_ids_fingerprints_and_pickles_are_the_same_in_every_process() -> None:
    digests = set()
    for seed, threads in (("0", "1"), ("1", "2"), ("4242", "1")):
        result = subprocess.run(
            [sys.executable, "-c", SCRIPT, threads],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        digests.add(result.stdout)
    assert 1 == len(digests)
    assert 65 == len(digests.pop())


@pytest.mark.parametrize("cache_bytes", ["0", "4096", "100000"])
def test_size_of_the_word_cache_changes_no_id(
    monkeypatch: pytest.MonkeyPatch, cache_bytes: str
) -> None:
    known = ctok.get_encoding("gpt2")
    monkeypatch.setenv("CTOK_CACHE_BYTES", cache_bytes)
    enc = Encoding(
        "small",
        pat_str=known._pat_str,
        mergeable_ranks=known._mergeable_ranks,
        special_tokens={},
    )
    text = " ".join(f"word{i} of number {i * i} 漢字{i}" for i in range(2000)) * 2
    assert int(cache_bytes) == enc._info["cache_bytes"]
    assert known.encode(text) == enc.encode(text)
    assert known.count(text) == enc.count(text)
