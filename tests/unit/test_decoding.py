"""Decoding: bytes, text, streams, and ids that are none."""

from __future__ import annotations

import random
from array import array
from typing import Any

import numpy as np
import pytest

from ctok import Encoding
from ctok.errors import CtokError, InvalidTokenIdError, TokenIdRangeError, UnknownTokenIdError

BYTES = {bytes([i]): i for i in range(256)}


@pytest.fixture(scope="module")
def enc() -> Encoding:
    return Encoding(
        "bytes",
        pat_str=r"(?s:.+)",
        mergeable_ranks=BYTES | {"é".encode(): 256, b"": 400},
        special_tokens={"<|é|>": 300},
    )


def test_decode_joins_the_bytes_of_tokens_and_specials(enc: Encoding) -> None:
    assert "aé<|é|>b" == enc.decode([97, 256, 300, 98])
    assert "aé<|é|>b".encode() == enc.decode_bytes([97, 256, 300, 98])
    assert "" == enc.decode([])


def test_bytes_that_are_not_utf8_become_the_replacement_character(enc: Encoding) -> None:
    assert "�" == enc.decode([0xE4])
    assert "a�b" == enc.decode([97, 0xE4, 98])
    assert "ab" == enc.decode([97, 0xE4, 98], errors="ignore")
    assert b"a\xe4b" == enc.decode_bytes([97, 0xE4, 98])
    assert "a\udce4b" == enc.decode([97, 0xE4, 98], errors="surrogateescape")


def test_strict_decoding_raises_on_bytes_that_are_not_utf8(enc: Encoding) -> None:
    with pytest.raises(UnicodeDecodeError):
        enc.decode([0xE4], errors="strict")


def test_unknown_error_handler_is_a_lookup_error(enc: Encoding) -> None:
    with pytest.raises(LookupError):
        enc.decode([0xE4], errors="nonsense")


@pytest.mark.parametrize("wrong", ["a", 1.0, None, b"a", [1], "1"])
def test_id_that_is_no_integer_is_named(enc: Encoding, wrong: Any) -> None:
    with pytest.raises(InvalidTokenIdError) as caught:
        enc.decode([97, wrong])
    assert wrong == caught.value.value
    assert isinstance(caught.value, TypeError)


def test_unknown_id_is_named() -> None:
    one = Encoding("one", pat_str=".", mergeable_ranks={b"a": 0}, special_tokens={})
    with pytest.raises(UnknownTokenIdError) as caught:
        one.decode([0, 1])
    assert 1 == caught.value.token_id
    assert isinstance(caught.value, KeyError)


@pytest.mark.parametrize("token_id", [-1, -100, 2**32, 2**64, 2**200, -(2**200)])
def test_id_beyond_32_bits_is_a_range_error(enc: Encoding, token_id: int) -> None:
    with pytest.raises(TokenIdRangeError) as caught:
        enc.decode([97, token_id])
    assert token_id == caught.value.token_id
    assert isinstance(caught.value, OverflowError)


def test_largest_uint32_is_no_id(enc: Encoding) -> None:
    with pytest.raises(UnknownTokenIdError):
        enc.decode([2**32 - 1])


@pytest.mark.parametrize("ids", [7, None, 1.5, object()])
def test_ids_that_are_no_sequence_are_a_type_error(enc: Encoding, ids: Any) -> None:
    with pytest.raises(TypeError):
        enc.decode(ids)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64])
def test_arrays_of_integers_are_ids(enc: Encoding, dtype: Any) -> None:
    assert "abc" == enc.decode(np.array([97, 98, 99], dtype=dtype))


def test_strided_and_foreign_endian_arrays_are_ids(enc: Encoding) -> None:
    ids = np.array([97, 0, 98, 0, 99, 0], dtype=np.uint32)
    assert "abc" == enc.decode(ids[::2])
    assert "cba" == enc.decode(ids[4::-2])
    assert "abc" == enc.decode(np.array([97, 98, 99], dtype=">i4"))


def test_array_of_floats_is_a_type_error(enc: Encoding) -> None:
    with pytest.raises(TypeError):
        enc.decode(np.array([97.0]))


def test_array_with_a_negative_id_is_a_range_error(enc: Encoding) -> None:
    with pytest.raises(OverflowError):
        enc.decode(np.array([97, -100]))


@pytest.mark.parametrize("code", "BHILQbhilq")
def test_arrays_of_the_standard_library_are_ids(enc: Encoding, code: str) -> None:
    assert "abc" == enc.decode(array(code, [97, 98, 99]))
    assert b"abc" == enc.decode_bytes(memoryview(array(code, [97, 98, 99])))


def test_ids_as_encoded_into_a_buffer_decode_in_place(enc: Encoding) -> None:
    ids = enc.encode_ordinary_to_buffer("aé" * 3000)
    assert "aé" * 3000 == enc.decode(ids)
    assert ("aé" * 3000).encode() == enc.decode_bytes(memoryview(ids))


def test_array_that_is_not_aligned_has_its_ids(enc: Encoding) -> None:
    data = b"\0" + np.array([97, 98, 99], dtype=np.uint32).tobytes()
    assert "abc" == enc.decode(np.frombuffer(data, dtype=np.uint32, offset=1))


@pytest.mark.parametrize(
    ("dtype", "wrong"),
    [
        (np.int8, -1),
        (np.int16, -2),
        (np.int32, -3),
        (np.int64, -4),
        (np.int64, 2**32),
        (np.uint64, 2**32),
        (np.uint64, 2**63),
    ],
)
def test_array_with_an_id_beyond_32_bits_names_it(enc: Encoding, dtype: Any, wrong: int) -> None:
    with pytest.raises(TokenIdRangeError) as caught:
        enc.decode(np.array([97] * 100 + [wrong, 98], dtype=dtype))
    assert wrong == caught.value.token_id


@pytest.mark.parametrize("dtype", [np.int64, np.uint32])
def test_unknown_id_of_an_array_is_named_with_its_index(enc: Encoding, dtype: Any) -> None:
    with pytest.raises(UnknownTokenIdError) as caught:
        enc.decode(np.array([97] * 100 + [299], dtype=dtype))
    assert (299, 100) == (caught.value.token_id, caught.value.index)


@pytest.mark.parametrize("shape", [(), (2, 2), (0, 3)])
def test_array_that_is_not_one_row_is_a_type_error(enc: Encoding, shape: tuple[int, ...]) -> None:
    if shape == (0, 3):
        assert "" == enc.decode(np.zeros(shape, dtype=np.uint32))
        return
    with pytest.raises(InvalidTokenIdError):
        enc.decode(np.full(shape, 97, dtype=np.uint32))


def test_array_is_let_go_of_after_success_and_failure(enc: Encoding) -> None:
    ids = array("I", [97, 299])
    with pytest.raises(UnknownTokenIdError):
        enc.decode(ids)
    ids.pop()  # a BufferError while somebody looks at it
    assert b"a" == enc.decode_bytes(ids)
    ids.append(98)


def test_list_that_changes_while_it_is_read_is_an_error(enc: Encoding) -> None:
    class Shrinking:
        def __index__(self) -> int:
            ids.clear()
            return 97

    ids: list[Any] = [97, Shrinking()] + [98] * 1000
    with pytest.raises(RuntimeError, match="changed"):
        enc.decode(ids)


def test_ids_are_read_as_python_reads_integers(enc: Encoding) -> None:
    class Half:
        def __index__(self) -> int:
            return 1.5  # type: ignore[return-value]

    class Other(int):
        def __index__(self) -> int:
            return 98

    with pytest.raises(InvalidTokenIdError, match="Half"):
        enc.decode([Half()])
    assert "a" == enc.decode([Other(97)])


def test_name_of_an_error_handler_is_read_to_its_end(enc: Encoding) -> None:
    with pytest.raises(ValueError, match="null character"):
        enc.decode([97], "replace\0")


@pytest.mark.parametrize("n", [63, 64, 65, 127, 128, 2047, 2048, 2049, 5000])
def test_ids_in_any_number_and_form_decode_alike(enc: Encoding, n: int) -> None:
    rng = random.Random(n)
    ids = [rng.choice([rng.randrange(256), 256, 300, 400]) for _ in range(n)]
    tokens = {256: "é".encode(), 300: "<|é|>".encode(), 400: b""}
    expected = b"".join(tokens.get(i, bytes([i & 255])) for i in ids)
    for same in (ids, tuple(ids), array("I", ids), np.array(ids), [np.int16(i) for i in ids]):
        assert expected == enc.decode_bytes(same)
        assert expected.decode("utf-8", "replace") == enc.decode(same)


def test_tuples_ranges_and_numpy_scalars_are_ids(enc: Encoding) -> None:
    assert "ab" == enc.decode((97, 98))
    assert "abc" == enc.decode(range(97, 100))
    assert "ab" == enc.decode([np.int64(97), np.uint8(98)])


def test_single_tokens_have_their_bytes(enc: Encoding) -> None:
    assert b"\xc3\xa9" == enc.decode_single_token_bytes(256)
    assert [b"a", "<|é|>".encode()] == enc.decode_tokens_bytes([97, 300])
    with pytest.raises(UnknownTokenIdError):
        enc.decode_single_token_bytes(299)


def test_decode_with_offsets_gives_the_character_of_each_start(enc: Encoding) -> None:
    assert ("aéb", [0, 1, 1, 2]) == enc.decode_with_offsets([97, 0xC3, 0xA9, 98])
    with pytest.raises(UnicodeDecodeError):
        enc.decode_with_offsets([0xC3])


def test_batches_keep_their_order(enc: Encoding) -> None:
    assert ["a", "", "é"] == enc.decode_batch([[97], [], [256]])
    assert [b"a", b"", b"\xe4"] == enc.decode_bytes_batch([[97], [], [0xE4]])


# ---- streams ----------------------------------------------------------------------


def test_stream_holds_back_what_is_not_a_character_yet(enc: Encoding) -> None:
    stream = enc.decode_stream()
    pushed = [stream.push(byte) for byte in "a🙂é".encode()]
    assert ["a", "", "", "", "🙂", "", "é"] == pushed
    assert "" == stream.flush()


def test_stream_replaces_what_cannot_become_a_character(enc: Encoding) -> None:
    stream = enc.decode_stream()
    assert ["", "�a"] == [stream.push(0xE4), stream.push(97)]
    assert ["", "�"] == [stream.push(0xE4), stream.flush()]
    assert "b" == stream.push(98)


def test_stream_goes_on_after_a_wrong_id(enc: Encoding) -> None:
    stream = enc.decode_stream()
    assert "" == stream.push(0xC3)
    for wrong in (299, -1, 2**40, "a"):
        with pytest.raises(CtokError):
            stream.push(wrong)  # type: ignore[arg-type]
    assert "é" == stream.push(0xA9)


def test_empty_token_decodes_to_nothing(enc: Encoding) -> None:
    assert "ab" == enc.decode([97, 400, 98])
    stream = enc.decode_stream()
    assert ["", "", "é"] == [stream.push(0xC3), stream.push(400), stream.push(0xA9)]
