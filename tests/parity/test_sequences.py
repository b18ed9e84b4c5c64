"""What may be decoded: the containers of ids that tiktoken takes, and none that it refuses."""

from __future__ import annotations

import collections
from array import array
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest

import ctok
from oracles import tiktoken_encoding

NAME = "gpt2"


class Indexed:
    """Elements by number, and nothing else that makes a sequence."""

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> int:
        return [1, 2][index]


class Counted(Sequence[int]):
    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: Any) -> Any:
        return [1, 2][index]


class Iterated:
    def __iter__(self) -> Iterator[int]:
        return iter([1, 2])


class Number:
    def __index__(self) -> int:
        return 5


CONTAINERS: dict[str, Callable[[], Any]] = {
    "list": lambda: [1, 2],
    "tuple": lambda: (1, 2),
    "UserList": lambda: collections.UserList([1, 2]),
    "deque": lambda: collections.deque([1, 2]),
    "range": lambda: range(3),
    "bytes": lambda: b"ab",
    "no bytes": lambda: b"",
    "bytearray": lambda: bytearray(b"ab"),
    "memoryview": lambda: memoryview(b"ab"),
    "memoryview of uint32": lambda: memoryview(array("I", [1, 2, 3]))[::2],
    "array of uint32": lambda: array("I", [1, 2]),
    "array of int64": lambda: array("q", [1, 2]),
    "array of float": lambda: array("d", [1.0]),
    "numpy uint32": lambda: np.array([1, 2], dtype=np.uint32),
    "numpy int64": lambda: np.array([1, 2]),
    "numpy object": lambda: np.array([1, 2], dtype=object),
    "numpy bool": lambda: np.array([True]),
    "numpy str": lambda: np.array(["a"]),
    "numpy empty": lambda: np.array([]),
    "numpy of no dimension": lambda: np.array(1),
    "numpy scalar": lambda: np.int64(3),
    "elements by number": Indexed,
    "sequence": Counted,
    "list of numpy": lambda: [np.int64(1)],
    "list of bool": lambda: [True],
    "list of numbers": lambda: [Number()],
    "str": lambda: "ab",
    "no str": lambda: "",
    "set": lambda: {1, 2},
    "no set": set,
    "frozenset": lambda: frozenset({1}),
    "dict": lambda: {1: 2},
    "no dict": dict,
    "keys": lambda: {1: 2}.keys(),
    "values": lambda: {1: 2}.values(),
    "generator": lambda: (i for i in [1]),
    "iterator": lambda: iter([1]),
    "map": lambda: map(int, "12"),
    "what can only be iterated over": Iterated,
}
METHODS: dict[str, Callable[[Any, Any], Any]] = {
    "decode": lambda enc, ids: enc.decode(ids),
    "decode_bytes": lambda enc, ids: enc.decode_bytes(ids),
    "decode_tokens_bytes": lambda enc, ids: enc.decode_tokens_bytes(ids),
    "decode_with_offsets": lambda enc, ids: enc.decode_with_offsets(ids),
    "decode_batch": lambda enc, ids: enc.decode_batch([ids]),
    "decode_bytes_batch": lambda enc, ids: enc.decode_bytes_batch([ids]),
    "decode_batch of them": lambda enc, ids: enc.decode_batch(ids),
}


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS.keys())
@pytest.mark.parametrize("container", CONTAINERS.values(), ids=CONTAINERS.keys())
def test_container_is_decoded_or_refused_as_by_tiktoken(
    container: Callable[[], Any], method: Callable[[Any, Any], Any]
) -> None:
    try:
        expected = method(tiktoken_encoding(NAME), container())
    except Exception as error:
        with pytest.raises(type(error)):
            method(ctok.get_encoding(NAME), container())
    else:
        assert expected == method(ctok.get_encoding(NAME), container())


def test_buffers_of_ids_are_decoded() -> None:
    enc = ctok.get_encoding(NAME)
    buffer = enc.encode_ordinary_to_buffer("hello world")
    assert "hello world" == enc.decode(buffer)  # type: ignore[arg-type]
    assert "hello world" == enc.decode(memoryview(buffer))
