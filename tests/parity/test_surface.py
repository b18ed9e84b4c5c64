"""tiktoken's whole surface on Encoding: the same names, parameters and results."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
import tiktoken

import ctok
from oracles import OPENAI, definition, tiktoken_encoding
from strategies import NASTY

everywhere = pytest.mark.parametrize("name", OPENAI)

METHODS = [
    name
    for name, member in vars(tiktoken.Encoding).items()
    if callable(member) and not name.startswith("__")
]
SAMPLES = (
    "",
    "hello world",
    "  def f(x):\n\treturn x  # don't\r\n",
    "Größe 漢字かな한국어 👩‍👩‍👧 123456",
    "".join(NASTY),
)


@pytest.mark.parametrize("method", METHODS)
def test_method_takes_tiktokens_parameters(method: str) -> None:
    def parameters(cls: type) -> dict[str, tuple[object, object]]:
        signature = inspect.signature(getattr(cls, method))
        return {p.name: (p.kind, p.default) for p in signature.parameters.values()}

    theirs, ours = parameters(tiktoken.Encoding), parameters(ctok.Encoding)
    for parameter, (kind, default) in theirs.items():
        assert parameter in ours
        assert kind == ours[parameter][0]
        assert default == ours[parameter][1]


@everywhere
def test_facts_equal_tiktokens(name: str) -> None:
    ours, theirs = ctok.get_encoding(name), tiktoken_encoding(name)
    assert theirs.name == ours.name
    assert repr(theirs) == repr(ours)
    assert theirs.n_vocab == ours.n_vocab
    assert theirs.max_token_value == ours.max_token_value
    assert theirs.eot_token == ours.eot_token
    assert theirs.special_tokens_set == ours.special_tokens_set
    assert theirs.token_byte_values() == ours.token_byte_values()
    assert theirs._pat_str == ours._pat_str
    assert theirs._special_tokens == ours._special_tokens
    assert theirs._mergeable_ranks == ours._mergeable_ranks
    ids = [*range(0, theirs.n_vocab, 97), *theirs._special_tokens.values(), theirs.n_vocab, -1]
    assert [theirs.is_special_token(i) for i in ids] == [ours.is_special_token(i) for i in ids]


@everywhere
def test_every_token_has_tiktokens_bytes_and_id(name: str) -> None:
    ours, theirs = ctok.get_encoding(name), tiktoken_encoding(name)
    ids = [*theirs._mergeable_ranks.values(), *theirs._special_tokens.values()]
    tokens = theirs.decode_tokens_bytes(ids)
    assert tokens == ours.decode_tokens_bytes(ids)
    assert ids == [ours.encode_single_token(token) for token in tokens]


@everywhere
def test_same_definition_makes_the_same_encoding(name: str) -> None:
    # o200k_harmony has one id for two specials.
    made = ctok.Encoding(**definition(name), allow_duplicate_ids=name == "o200k_harmony")
    text = "".join(SAMPLES)
    assert ctok.get_encoding(name).fingerprint == made.fingerprint
    assert tiktoken_encoding(name).encode(text) == made.encode(text)


@everywhere
@pytest.mark.parametrize("text", SAMPLES, ids=range(len(SAMPLES)))
def test_results_equal_tiktokens(name: str, text: str) -> None:
    ours, theirs = ctok.get_encoding(name), tiktoken_encoding(name)
    ids = theirs.encode(text)
    assert ids == ours.encode(text)
    assert ids == ours.encode_ordinary(text)
    assert [ids, ids] == ours.encode_batch([text, text], num_threads=2)
    assert [ids] == ours.encode_ordinary_batch([text], num_threads=1)
    assert ids == ours.encode_to_numpy(text).tolist()
    assert theirs.decode(ids) == ours.decode(ids)
    assert theirs.decode(np.array(ids, dtype=np.uint32)) == ours.decode(
        np.array(ids, dtype=np.uint32)
    )
    assert theirs.decode_bytes(ids) == ours.decode_bytes(ids)
    assert theirs.decode_tokens_bytes(ids) == ours.decode_tokens_bytes(ids)
    assert theirs.decode_batch([ids, []]) == ours.decode_batch([ids, []])
    assert theirs.decode_bytes_batch([[], ids]) == ours.decode_bytes_batch([[], ids])
    assert theirs.decode_with_offsets(ids) == ours.decode_with_offsets(ids)
    assert theirs._encode_bytes(b"\xff" + ours.decode_bytes(ids) + b"\xc3") == ours._encode_bytes(
        b"\xff" + ours.decode_bytes(ids) + b"\xc3"
    )


@everywhere
def test_arrays_have_tiktokens_type(name: str) -> None:
    theirs = tiktoken_encoding(name).encode_to_numpy("hello world")
    ours = ctok.get_encoding(name).encode_to_numpy("hello world")
    assert (theirs.dtype, theirs.shape) == (ours.dtype, ours.shape)
    assert theirs.flags.writeable == ours.flags.writeable


@everywhere
@pytest.mark.parametrize(
    "piece", ["a", "hello", "helloqqqq", " 漢", b"\xff\xfe", "a" * 700, "é" * 90]
)
def test_single_pieces_equal_tiktokens(name: str, piece: str | bytes) -> None:
    expected = tiktoken_encoding(name)._encode_single_piece(piece)
    assert expected == ctok.get_encoding(name)._encode_single_piece(piece)


@everywhere
@pytest.mark.parametrize(
    "text", ["", "hello fanta", "hello", " ", "we'l", "x = 1\n", "a\u0301", "漢", "don", "  \n "]
)
def test_unstable_completions_equal_tiktokens(name: str, text: str) -> None:
    stable, completions = tiktoken_encoding(name).encode_with_unstable(text)
    ours = ctok.get_encoding(name).encode_with_unstable(text)
    assert (stable, sorted(completions)) == (ours[0], sorted(ours[1]))


@everywhere
def test_long_inputs_equal_tiktokens(name: str) -> None:
    ours, theirs = ctok.get_encoding(name), tiktoken_encoding(name)
    for text in ("a" * 30_000, " " * 30_000, "ab漢" * 10_000, "\n" * 30_000, "=" * 30_000):
        assert theirs.encode(text) == ours.encode(text)


def test_definition_whose_specials_share_an_id_makes_the_encoding_that_tiktoken_makes() -> None:
    arguments = definition("o200k_harmony")
    theirs, ours = tiktoken_encoding("o200k_harmony"), ctok.Encoding(**arguments)
    both = ["<|endofprompt|>", "<|reserved_200018|>"]
    assert [200018, 200018] == [arguments["special_tokens"][text] for text in both]
    for enc in (theirs, ours, ctok.get_encoding("o200k_harmony")):
        assert [[200018]] * 2 == [enc.encode(text, allowed_special="all") for text in both]
        assert both[0] == enc.decode([200018])
        assert both[0].encode() == enc.decode_single_token_bytes(200018)
    assert theirs.n_vocab == ours.n_vocab
