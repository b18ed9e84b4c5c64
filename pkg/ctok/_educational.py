"""Byte pair encoding made to be read: slow, short, and equal to the real one.

The names are those of tiktoken's module of the same purpose. To see the merges of the real
encodings use :meth:`ctok.Encoding.explain`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import pairwise
from pathlib import Path

from ._core import Splitter
from .encoding import Encoding
from .errors import MissingRankError, UnknownTokenIdError, ValidationError
from .view import PALETTE

GPT2_PATTERN = r"'s|'t|'re|'ve|'m|'ll|'d| ?[\p{L}]+| ?[\p{N}]+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"


class SimpleBytePairEncoding:
    """Text to ids and back, one obvious step after the other.

    Args:
        pat_str: the pattern that splits text into words.
        mergeable_ranks: token bytes to rank, which is also the id.

    >>> enc = SimpleBytePairEncoding(pat_str=".+", mergeable_ranks={b"a": 0, b"b": 1, b"ab": 2})
    >>> enc.encode("abba", visualise=None)
    [2, 1, 0]
    """

    def __init__(self, *, pat_str: str, mergeable_ranks: Mapping[bytes, int]) -> None:
        self.pat_str = pat_str
        self.mergeable_ranks = mergeable_ranks
        self._decoder = {rank: token for token, rank in mergeable_ranks.items()}
        self._splitter = Splitter(pat_str)

    def encode(self, text: str, visualise: str | None = "colour") -> list[int]:
        """The ids of a text.

        Args:
            text: what to encode.
            visualise: "colour" or "simple" prints the parts of each word after each merge,
                None prints nothing.
        """
        ids: list[int] = []
        for word in self._splitter.split(text):
            ids += bpe_encode(self.mergeable_ranks, word.encode(), visualise=visualise)
        return ids

    def decode_tokens_bytes(self, tokens: Iterable[int]) -> list[bytes]:
        """The bytes of each id."""
        try:
            return [self._decoder[token] for token in tokens]
        except KeyError as exc:
            token_id = exc.args[0]
            raise UnknownTokenIdError(f"id {token_id} is not a token", token_id=token_id) from exc

    def decode_bytes(self, tokens: Iterable[int]) -> bytes:
        """The bytes of ids, joined."""
        return b"".join(self.decode_tokens_bytes(tokens))

    def decode(self, tokens: Iterable[int]) -> str:
        """The text of ids; bytes that are no UTF-8 become U+FFFD."""
        return self.decode_bytes(tokens).decode("utf-8", "replace")

    @staticmethod
    def train(
        training_data: str, vocab_size: int, pat_str: str, visualise: str | None = "colour"
    ) -> SimpleBytePairEncoding:
        """Learns an encoding from a text; see :func:`bpe_train`."""
        ranks = bpe_train(training_data, vocab_size, pat_str, visualise=visualise)
        return SimpleBytePairEncoding(pat_str=pat_str, mergeable_ranks=ranks)

    @staticmethod
    def from_tiktoken(encoding: Encoding | str) -> SimpleBytePairEncoding:
        """The simple form of an encoding, given by name or as it is. Specials are left out."""
        if isinstance(encoding, str):
            from .registry import get_encoding

            encoding = get_encoding(encoding)
        return SimpleBytePairEncoding(
            pat_str=encoding._pat_str, mergeable_ranks=encoding._mergeable_ranks
        )


def bpe_encode(
    mergeable_ranks: Mapping[bytes, int],
    input: bytes,  # noqa: A002 - the name that tiktoken gave it
    visualise: str | None = "colour",
) -> list[int]:
    """The ids of one word: merge the neighbours of the lowest rank, leftmost first, until no two
    neighbours are a token.

    Args:
        mergeable_ranks: token bytes to rank.
        input: the word.
        visualise: as in :meth:`SimpleBytePairEncoding.encode`.

    Raises:
        MissingRankError: (a KeyError) a byte is no token.
    """
    parts = [bytes([byte]) for byte in input]
    while True:
        _show_parts(parts, visualise)
        known = [left + right for left, right in pairwise(parts) if left + right in mergeable_ranks]
        if not known:
            break
        best = min(known, key=mergeable_ranks.__getitem__)
        i = next(i for i, (left, right) in enumerate(pairwise(parts)) if left + right == best)
        parts[i : i + 2] = [best]
    if visualise:
        print()
    try:
        return [mergeable_ranks[part] for part in parts]
    except KeyError as exc:
        raise MissingRankError(f"{exc.args[0]!r} is no token", piece=exc.args[0]) from exc


def bpe_train(
    data: str, vocab_size: int, pat_str: str, visualise: str | None = "colour"
) -> dict[bytes, int]:
    """Learns ranks from a text: the most frequent pair of neighbours becomes the next token,
    the one seen first if several are. The single bytes come before all.

    Args:
        data: the text.
        vocab_size: how many tokens to make, at least 256.
        pat_str: the pattern that splits the text into words; no token spans two.
        visualise: "colour" or "simple" prints each new token and some words; None nothing.

    Raises:
        ValidationError: (a ValueError) vocab_size is below 256, or the text has too few pairs.

    >>> list(bpe_train("low lower lowest", 259, r"\\w+|\\s+", visualise=None))[256:]
    [b'lo', b'low', b'lowe']
    """
    if vocab_size < 256:
        raise ValidationError(f"vocab_size is {vocab_size}, at least 256 for the single bytes")
    ranks = {bytes([byte]): byte for byte in range(256)}
    # Each different word once, with its number, in the order in which the text has them.
    counts = Counter(Splitter(pat_str).split(data))
    words = {word: [bytes([byte]) for byte in word.encode()] for word in counts}
    while len(ranks) < vocab_size:
        pairs: Counter[tuple[bytes, bytes]] = Counter()
        for word, parts in words.items():
            for pair in pairwise(parts):
                pairs[pair] += counts[word]
        if not pairs:
            raise ValidationError(
                f"the text is used up at {len(ranks)} tokens, vocab_size is {vocab_size}",
                suggestions=["Train on more text, or ask for fewer tokens."],
            )
        pair = max(pairs, key=pairs.__getitem__)
        ranks[pair[0] + pair[1]] = len(ranks)
        for parts in words.values():
            _merge_pair(parts, pair)
        _show_training(pair, len(ranks), list(words.values()), visualise)
    return ranks


def _merge_pair(parts: list[bytes], pair: tuple[bytes, bytes]) -> None:
    """Merges every such pair in place, from the left."""
    i = 0
    while i < len(parts) - 1:
        if (parts[i], parts[i + 1]) == pair:
            parts[i : i + 2] = [pair[0] + pair[1]]
        i += 1


def _show_parts(parts: list[bytes], visualise: str | None) -> None:
    if visualise in ("colour", "color"):
        visualise_tokens(parts)
    elif visualise == "simple":
        print(parts)


def _show_training(
    pair: tuple[bytes, bytes], n_tokens: int, words: list[list[bytes]], visualise: str | None
) -> None:
    if not visualise:
        return
    print(f"token {n_tokens}: {pair[0]!r} + {pair[1]!r}, now the most frequent pair")
    if visualise == "simple":
        for parts in words[:20]:
            print(parts)
    else:
        visualise_tokens([part for parts in words[:50] for part in parts])
    print()


def visualise_tokens(token_values: Iterable[bytes]) -> None:
    """Prints tokens on coloured backgrounds, neighbours always on different ones.

    The colour follows from the number of characters before, so a token keeps it while others
    behind it merge.
    """
    n_characters = 0
    last = -1
    for token in token_values:
        text = token.decode("utf-8", "replace")
        colour = n_characters % len(PALETTE)
        if colour == last:
            colour = (colour + 1) % len(PALETTE)
        last = colour
        n_characters += len(text)
        print(f"\x1b[48;5;{PALETTE[colour]}m{text}", end="")
    print("\x1b[0m")


def train_simple_encoding() -> SimpleBytePairEncoding:
    """Learns 600 tokens from the text of this module, and shows how they encode "hello world"."""
    text = Path(__file__).read_text(encoding="utf-8")
    encoding = SimpleBytePairEncoding.train(text, vocab_size=600, pat_str=GPT2_PATTERN)
    print("The merges that encode 'hello world':")
    encoding.encode("hello world")
    return encoding
