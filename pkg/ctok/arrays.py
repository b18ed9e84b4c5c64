"""The ids of a batch as numpy arrays. The function is a method of :class:`ctok.Encoding`; numpy is
imported when it is called."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from . import _core
from .batches import run_batches

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from .encoding import Encoding
    from .specials import AllowedSpecial, DisallowedSpecial


def encode_batch_to_numpy(
    self: Encoding,
    texts: Sequence[str],
    *,
    num_threads: int | None = 8,
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
    batches = run_batches(self, texts, num_threads, sets, as_lists=False)
    lengths: list[int] = []
    for batch in batches:
        batch.add_lengths_to(lengths)
    offsets = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return np.frombuffer(memoryview(_core.join_batches(batches)), dtype=np.uint32), offsets
