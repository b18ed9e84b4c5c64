"""Packed rank tables: what is embedded is what was published, and nothing is lost on the way."""

from __future__ import annotations

import base64
import hashlib
import random
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctok import openai, packed, ranks
from ctok.errors import FormatError, InvalidRanksError
from ctok.spec import unpack_u32

BYTES = {bytes([byte]): byte for byte in range(256)}


@pytest.mark.parametrize(("name", "sha256"), openai.TABLES.items())
def test_embedded_table_gives_back_the_published_file(name: str, sha256: str) -> None:
    packed = ranks.read(ranks.DATA / f"{name}.ranks")
    assert sha256 == packed.source_sha256
    assert sha256 == hashlib.sha256(ranks.to_tiktoken(packed)).hexdigest()


def test_embedded_tables_stay_small() -> None:
    assert 1_500_000 > sum(path.stat().st_size for path in ranks.DATA.glob("*.ranks"))


@pytest.mark.parametrize("name", openai.TABLES)
def test_embedded_table_spells_out_single_bytes_only(name: str) -> None:
    packed = ranks.read(ranks.DATA / f"{name}.ranks")
    assert set(BYTES) == {token for token, _ in packed.tokens}


def random_ranks(rng: random.Random, n: int, shuffle: bool) -> dict[bytes, int]:
    tokens = [bytes([byte]) for byte in b"abcd"]
    while len(tokens) < n:
        token = rng.choice(tokens) + rng.choice(tokens)
        if token not in tokens:
            tokens.append(token)
    if shuffle:
        rng.shuffle(tokens)
    ids = sorted(rng.sample(range(3 * n), n))
    return dict(zip(tokens, ids, strict=True))


@given(
    n=st.integers(4, 60),
    shuffle=st.booleans(),
    seed=st.integers(0, 2**32),
)
def test_any_table_with_its_bytes_comes_back(n: int, shuffle: bool, seed: int) -> None:
    # Shuffled, a token may have a lower rank than its halves, or be out of reach of merges.
    table = random_ranks(random.Random(seed), n, shuffle)
    assert table == ranks.to_ranks(ranks.read(ranks.pack(table)))


@given(seed=st.integers(0, 2**32), shuffle=st.booleans())
def test_one_merge_per_token_encodes_like_all_pairs(seed: int, shuffle: bool) -> None:
    # The claim that the format rests on: no pair but the canonical one is ever asked for.
    rng = random.Random(seed)
    table = random_ranks(rng, 40, shuffle)
    canonical = {halves: table[token] for token in table if (halves := halves_of(table, token))}
    text = bytes(rng.choices(b"abcd", k=rng.randrange(1, 80)))
    assert merged(text, lambda left, right: table.get(left + right)) == merged(
        text, lambda left, right: canonical.get((left, right))
    )


def halves_of(table: dict[bytes, int], token: bytes) -> tuple[bytes, bytes] | None:
    return ranks.canonical_merge(table, token)


def merged(text: bytes, rank: Callable[[bytes, bytes], int | None]) -> list[bytes]:
    parts = [text[i : i + 1] for i in range(len(text))]
    while True:
        found = [
            (known, i)
            for i in range(len(parts) - 1)
            if (known := rank(parts[i], parts[i + 1])) is not None
        ]
        if not found:
            return parts
        i = min(found)[1]
        parts[i : i + 2] = [parts[i] + parts[i + 1]]


def test_token_out_of_reach_is_spelled_out() -> None:
    table = {b"a": 0, b"b": 1, b"c": 2, b"abc": 3}
    packed = ranks.read(ranks.pack(table))
    assert 0 == len(packed.merges)
    assert (b"abc", 3) in list(packed.tokens)


def test_holes_between_ids_survive() -> None:
    packed = ranks.read(ranks.pack({b"a": 0, b"b": 7, b"ab": 300, b"ba": 70000}))
    assert [300, 70000] == list(unpack_u32(packed.merges.merged))


def test_runs_of_ids_across_byte_borders_are_exact() -> None:
    # 255 -> 256 and 65535 -> 65536 are where the planes change.
    for first in (0, 1, 200, 65500, 131071):
        for count in (1, 56, 257, 70000):
            run = bytes(packed._run(first, count))
            assert list(range(first, first + count)) == list(unpack_u32(run))


def test_empty_token_is_written_as_padding() -> None:
    assert b"YQ== 0\n= 1\n" == ranks.tiktoken_text({b"a": 0, b"": 1})


def test_byte_that_is_no_token_is_refused() -> None:
    with pytest.raises(InvalidRanksError, match="no token"):
        ranks.pack({b"a": 0, b"ab": 1})


def test_rank_beyond_three_bytes_is_refused() -> None:
    with pytest.raises(InvalidRanksError, match="16777216"):
        ranks.pack({b"a": 1 << 24})


@pytest.fixture
def packed_file() -> bytes:
    return ranks.pack(BYTES | {b"ab": 256, b"abc": 257}, text=b"text")


def test_every_truncation_is_refused(packed_file: bytes) -> None:
    for length in range(len(packed_file)):
        with pytest.raises(FormatError):
            ranks.read(packed_file[:length])


def test_every_changed_byte_is_refused(packed_file: bytes) -> None:
    # All but the reserved field and the record of the source's hash, which decides nothing.
    unchecked = {6, 7, *range(28, 60)}
    for i in range(len(packed_file)):
        if i not in unchecked:
            damaged = bytearray(packed_file)
            damaged[i] ^= 0x41
            with pytest.raises(FormatError):
                ranks.read(bytes(damaged))


def test_another_payload_of_the_same_length_is_refused(packed_file: bytes) -> None:
    payload = bytearray(zlib.decompress(packed_file[packed.HEADER.size :]))
    payload[-1] ^= 1
    with pytest.raises(FormatError, match="not the one that was written"):
        ranks.read(packed_file[: packed.HEADER.size] + zlib.compress(payload, 9))


def test_header_that_asks_for_gigabytes_is_refused(packed_file: bytes) -> None:
    n_merges = 0xFFFF_FFFF
    hostile = bytearray(packed_file)
    struct.pack_into("<I", hostile, 16, n_merges)
    with pytest.raises(FormatError, match="payload"):
        ranks.read(bytes(hostile))


def test_error_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "broken.ranks"
    path.write_bytes(b"not one")
    with pytest.raises(FormatError, match=r"broken\.ranks") as caught:
        ranks.read(path)
    assert str(path) == caught.value.path


def test_packed_from_the_shared_files(data_dir: Path) -> None:
    text = (data_dir / "tiktoken" / "r50k_base.tiktoken").read_bytes()
    table = {
        base64.b64decode(token): int(rank)
        for token, rank in (line.split() for line in text.splitlines())
    }
    assert table == ranks.to_ranks(ranks.read(ranks.DATA / "r50k_base.ranks"))
