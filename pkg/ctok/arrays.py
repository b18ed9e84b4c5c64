"""Ids as numpy arrays. The functions are methods of :class:`ctok.Encoding`; numpy is imported when
one is called."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .batches import run_batches

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from .encoding import Encoding
    from .specials import AllowedSpecial, DisallowedSpecial


def encode_to_numpy(
    self: Encoding,
    text: str,
    *,
    allowed_special: AllowedSpecial = frozenset(),
    disallowed_special: DisallowedSpecial = "all",
) -> npt.NDArray[np.uint32]:
    """Ids as an array, without a copy.

    Args:
        text: what to encode; surrogates are mended as in :meth:`encode`.
        allowed_special, disallowed_special: as in :meth:`encode`.

    Returns:
        uint32[n], read-only.

    Raises:
        DisallowedSpecialError, TextTypeError, MissingRankError, SplitError: as in
            :meth:`encode`.

    >>> import ctok
    >>> ctok.get_encoding("gpt2").encode_to_numpy("hello world")
    array([31373,   995], dtype=uint32)
    """
    import numpy as np

    sets = self._special_sets(allowed_special, disallowed_special)
    return np.frombuffer(memoryview(self._encode_buffer(text, sets)), dtype=np.uint32)


def encode_ordinary_to_numpy(self: Encoding, text: str) -> npt.NDArray[np.uint32]:
    """Ids as an array, special tokens in the text being ordinary text.

    Args:
        text: what to encode.

    Returns:
        uint32[n], read-only.

    Raises:
        TextTypeError, MissingRankError, SplitError: as in :meth:`encode`.
    """
    import numpy as np

    return np.frombuffer(memoryview(self.encode_ordinary_to_buffer(text)), dtype=np.uint32)


def encode_batch_to_numpy(
    self: Encoding,
    texts: Sequence[str],
    *,
    num_threads: int = 8,
    allowed_special: AllowedSpecial = frozenset(),
    disallowed_special: DisallowedSpecial = "all",
) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]:
    """The ids of many texts in one array.

    Args:
        texts: the texts.
        num_threads: as in :meth:`encode_batch`.
        allowed_special, disallowed_special: as in :meth:`encode`.

    Returns:
        ids uint32[n] and offsets int64[len(texts) + 1]: text i has
        ``ids[offsets[i]:offsets[i + 1]]``.

    Raises:
        What :meth:`encode_batch` raises.

    >>> import ctok
    >>> ids, offsets = ctok.get_encoding("gpt2").encode_batch_to_numpy(["hello world", "hi"])
    >>> ids[offsets[0] : offsets[1]].tolist(), offsets.tolist()
    ([31373, 995], [0, 2, 3])
    """
    import numpy as np

    sets = self._special_sets(allowed_special, disallowed_special)
    batches = run_batches(self, texts, num_threads, sets)
    lengths = [n for batch in batches for n in batch.lengths()]
    parts = [np.frombuffer(memoryview(batch.take()), dtype=np.uint32) for batch in batches]
    offsets = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return (parts[0] if len(parts) == 1 else np.concatenate(parts)), offsets
