"""Many texts at once. All functions but the last are methods of :class:`ctok.Encoding`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from operator import index
from typing import TYPE_CHECKING

from . import _core
from .errors import ValidationError

if TYPE_CHECKING:
    from .encoding import Encoding
    from .specials import AllowedSpecial, DisallowedSpecial

CHARS_PER_THREAD = 1 << 18
"""A thread is not worth starting for less (it costs about 100 us, which encode some 20 kB, and its
caches are empty)."""

BATCHES_PER_THREAD = 16
CHARS_PER_BATCH = 1 << 16
"""Each thread has its share in so many batches that who is done early can take from who is late."""
CHARS_PER_INTERRUPT = 1 << 24
"""One thread alone has batches too: between two of them it looks whether it was interrupted, so no
batch of many is larger, either."""


def encode_batch(
    self: Encoding,
    text: Sequence[str],
    *,
    num_threads: int | None = 8,
    allowed_special: AllowedSpecial = frozenset(),
    disallowed_special: DisallowedSpecial = "all",
) -> list[list[int]]:
    """The ids of many texts, in their order.

    Args:
        text: the texts.
        num_threads: at most so many threads, for this call only; never more than the
            processors of this process (None: so many), nor than the texts are worth.
            Long texts are cut among them where that is known to change no id: where the
            pattern is gpt2's, cl100k's, o200k's or one of their kind.
        allowed_special, disallowed_special: as in :meth:`encode`.

    Returns:
        A list of ids for each text.

    Raises:
        ValidationError: a str was given instead of a sequence.
        DisallowedSpecialError, TextTypeError, MissingRankError, SplitError: as in
            :meth:`encode`, with a note that says which text it was.

    >>> import ctok
    >>> ctok.get_encoding("gpt2").encode_batch(["hello world", "goodbye"])
    [[31373, 995], [11274, 16390]]
    """
    sets = self._special_sets(allowed_special, disallowed_special)
    return _core.join_lists(run_batches(self, text, num_threads, sets, as_lists=True))


def encode_ordinary_batch(
    self: Encoding, text: Sequence[str], *, num_threads: int | None = 8
) -> list[list[int]]:
    """The ids of many texts, special tokens in them being ordinary text.

    Args:
        text: the texts.
        num_threads: as in :meth:`encode_batch`.

    Returns:
        A list of ids for each text.

    Raises:
        ValidationError, TextTypeError, MissingRankError, SplitError: as in
            :meth:`encode_batch`.

    >>> import ctok
    >>> ctok.get_encoding("gpt2").encode_ordinary_batch(["hi", "<|endoftext|>"])
    [[5303], [27, 91, 437, 1659, 5239, 91, 29]]
    """
    return self.encode_batch(text, num_threads=num_threads, disallowed_special=())


def decode_batch(
    self: Encoding,
    batch: Sequence[Sequence[int]],
    *,
    errors: str = "replace",
    num_threads: int | None = 8,
) -> list[str]:
    """The texts of many id sequences.

    Args:
        batch: the sequences of ids.
        errors: as in :meth:`decode`.
        num_threads: taken for compatibility and not used: making Python strings is most
            of the work and needs the interpreter.

    Returns:
        A text for each sequence, in their order.

    Raises:
        What :meth:`decode` raises.

    >>> import ctok
    >>> ctok.get_encoding("gpt2").decode_batch([[31373, 995], [5303]])
    ['hello world', 'hi']
    """
    return [self.decode(tokens, errors) for tokens in batch]


def decode_bytes_batch(
    self: Encoding, batch: Sequence[Sequence[int]], *, num_threads: int | None = 8
) -> list[bytes]:
    """The bytes of many id sequences.

    Args:
        batch: the sequences of ids.
        num_threads: as in :meth:`decode_batch`.

    Returns:
        The bytes of each sequence, in their order.

    Raises:
        What :meth:`decode_bytes` raises.

    >>> import ctok
    >>> ctok.get_encoding("gpt2").decode_bytes_batch([[31373, 995], [127]])
    [b'hello world', b'\\xc3']
    """
    return [self.decode_bytes(tokens) for tokens in batch]


def n_processors() -> int:
    """How many processors this process may use. To ask takes longer than to encode a short text."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _wanted(num_threads: int | None) -> int:
    """How many threads are asked for; None: any number."""
    if num_threads is None:
        return sys.maxsize
    try:
        return max(index(num_threads), 1)
    except TypeError:
        raise ValidationError(f"num_threads is {num_threads!r}, an integer expected") from None


def run_batches(
    encoding: Encoding,
    texts: Sequence[str],
    num_threads: int | None,
    sets: _core.SpecialSets,
    *,
    as_lists: bool,
) -> list[_core.Batch]:
    """Encodes texts in as many threads as they are worth; the batches have their ids in order.
    Where lists are wanted they are made meanwhile, by the caller's thread."""
    if isinstance(texts, str):
        raise ValidationError("texts is one str, a sequence of them expected")
    texts = list(texts)
    n_chars = _core.count_chars(texts)
    n_threads = min(_wanted(num_threads), n_chars // CHARS_PER_THREAD + 1)
    n_batches = n_chars // CHARS_PER_INTERRUPT + 1
    if n_threads > 1:
        n_threads = min(n_threads, n_processors())
    if n_threads > 1:
        n_batches = max(n_batches, min(n_threads * BATCHES_PER_THREAD, n_chars // CHARS_PER_BATCH))
    batches = _core.plan_batches(encoding, sets, texts, n_chars, n_batches)
    _core.run_batches(encoding, batches, n_threads, as_lists)
    for batch in batches:
        batch.check()
    return batches
