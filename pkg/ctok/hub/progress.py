"""Tells a caller how far a transfer is, and never lets the caller break it."""

from __future__ import annotations

import logging
from collections.abc import Callable

_logger = logging.getLogger("ctok.hub")

ProgressCallback = Callable[[int, int | None], object]


class Progress:
    """Calls ``callback(done, total)`` with values that only grow.

    A transfer that starts over reports again once it is past the point it had reached. A
    callback that raises is not called again; the transfer goes on.

    Args:
        callback: gets bytes done and bytes in all (None while unknown); or None.
    """

    def __init__(self, callback: ProgressCallback | None) -> None:
        self._callback = callback
        self._done = -1

    def report(self, done: int, total: int | None) -> None:
        """Passes the numbers on if they are news."""
        if self._callback is None or done <= self._done:
            return
        self._done = done
        try:
            self._callback(done, total)
        except Exception:
            # Whatever a user's callback raises is no reason to lose a download.
            _logger.warning("the progress callback failed and is not called again", exc_info=True)
            self._callback = None
