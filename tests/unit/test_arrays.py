"""Ids as numpy arrays: what they are, and whose memory they have."""

from __future__ import annotations

import gc
import pickle
import subprocess
import sys

import numpy as np
import pytest

from ctok import Encoding

LENGTHS = [0, 1, 3, 4091, 4092, 4093, 4096, 4097, 70_000, 600_000]
"""In memory of their size, or in that of the longest possible; the last is on huge pages."""


def bytes_encoding() -> Encoding:
    return Encoding(
        "bytes",
        pat_str=r"[\s\S]+",
        mergeable_ranks={bytes([i]): i for i in range(256)},
        special_tokens={},
    )


@pytest.mark.parametrize("n", LENGTHS)
def test_array_is_a_row_of_uint32_that_nobody_writes_to(n: int) -> None:
    text = "abcdefg" * (n // 7) + "x" * (n % 7)
    ids = bytes_encoding().encode_to_numpy(text)  # the encoding is gone, its ids are not
    gc.collect()
    assert ids.dtype == np.uint32
    assert ids.shape == (n,)
    assert ids.flags.c_contiguous
    assert ids.flags.aligned
    assert not ids.flags.writeable
    assert ids.tolist() == list(text.encode())
    with pytest.raises(ValueError, match="WRITEABLE"):
        ids.flags.writeable = True


def test_arrays_can_be_copied_cut_and_pickled() -> None:
    ids = bytes_encoding().encode_ordinary_to_numpy("hello")
    assert ids[1:4].tolist() == [101, 108, 108]
    assert pickle.loads(pickle.dumps(ids)).tolist() == ids.tolist()
    copy = ids.copy()
    copy[0] = 0
    assert (copy != ids).tolist() == [True, False, False, False, False]


def test_memory_goes_with_the_last_array_that_looks_at_it() -> None:
    enc = bytes_encoding()
    n_types = sys.getrefcount(np.dtype(np.uint32))
    whole = enc.encode_to_numpy("hello")
    buffer = whole.base
    part = whole[2:]
    n = sys.getrefcount(buffer)
    del whole
    assert part.tolist() == [108, 108, 111]
    assert sys.getrefcount(buffer) == n
    del part
    assert sys.getrefcount(buffer) == n - 1
    for _ in range(1000):
        enc.encode_to_numpy("hello")
    assert sys.getrefcount(np.dtype(np.uint32)) < n_types + 100


@pytest.mark.parametrize(
    "capsule", ["0; del core._ARRAY_API", "None", "'no capsule'", "datetime.datetime_CAPI"]
)
def test_numpy_of_an_unknown_abi_gives_the_same_arrays(capsule: str) -> None:
    code = f"""
import datetime, numpy
try:
    from numpy._core import _multiarray_umath as core
except ImportError:
    from numpy.core import _multiarray_umath as core
core._ARRAY_API = {capsule}
import ctok
ids = ctok.get_encoding("gpt2").encode_to_numpy("hello world")
print(ids.tolist(), ids.dtype, ids.flags.writeable, type(ids.base).__name__)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["[31373,", "995]", "uint32", "False", "memoryview"]


def test_without_numpy_there_are_no_arrays_and_the_error_names_it() -> None:
    code = """
import sys
sys.modules["numpy"] = None  # importing it is an error now
import ctok
enc = ctok.get_encoding("gpt2")
try:
    enc.encode_to_numpy("hello world")
except ImportError as exc:
    print("numpy" in str(exc), enc.encode("hello world"))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "[31373,", "995]"]
