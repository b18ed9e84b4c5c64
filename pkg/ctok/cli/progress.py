"""Shows how far a transfer is: a bar on a terminal, a line now and then elsewhere.

Everything goes to stderr, so that stdout holds results only. A bar needs the package rich; a
terminal without it gets lines. Nothing is drawn more often than every 500 ms.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, TextIO

from ctok import config

INTERVAL = 0.5


def shown_size(size: float) -> str:
    """A number of bytes for people, in powers of 1000 as disks and networks count.

    Example:
        >>> shown_size(999), shown_size(1_500_000)
        ('999 B', '1.5 MB')
    """
    if size < 1000:
        return f"{size:.0f} B"
    for unit in ("kB", "MB", "GB", "TB", "PB"):
        size /= 1000
        if size < 999.95 or unit == "PB":
            break
    return f"{size:.1f} {unit}"


class Lines:
    """Progress as lines: the first after half a second, the last when all is there."""

    def __init__(self, name: str, out: TextIO, clock: Callable[[], float]) -> None:
        self._name = name
        self._out = out
        self._clock = clock
        self._last = clock()
        self._told = -1

    def update(self, done: int, total: int | None) -> None:
        finished = done == total and done != self._told
        if self._clock() - self._last < INTERVAL and not finished:
            return
        self._last = self._clock()
        self._told = done
        if total:
            share = f"{done * 100 // total:3d} %  {shown_size(done)} of {shown_size(total)}"
        else:
            share = shown_size(done)
        print(f"{self._name}: {share}", file=self._out, flush=True)

    def close(self) -> None:
        """Nothing is open."""


class Bar:
    """Progress as one line that rich redraws, at most twice a second."""

    def __init__(self, name: str, out: TextIO, clock: Callable[[], float]) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )

        self._clock = clock
        self._last = float("-inf")
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=Console(file=out),
            auto_refresh=False,
        )
        self._task = self._bar.add_task(name, total=None)
        self._bar.start()

    def update(self, done: int, total: int | None) -> None:
        self._bar.update(self._task, completed=done, total=total)
        if done == total or self._clock() - self._last >= INTERVAL:
            self._last = self._clock()
            self._bar.refresh()

    def close(self) -> None:
        self._bar.stop()


class Shown:
    """A context manager whose ``update`` is a progress callback for ``download``.

    Args:
        name: what is transferred.
        quiet: show nothing.
        out: where to; stderr by default.
        clock: seconds that never run backwards.

    Example:
        >>> with Shown("model.bin", quiet=True) as shown:
        ...     shown.update(1, 2)
    """

    def __init__(
        self,
        name: str,
        *,
        quiet: bool = False,
        out: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._quiet = quiet or config.progress_bars_disabled()
        self._out = sys.stderr if out is None else out
        self._clock = clock
        self._shown: Any = None

    def __enter__(self) -> Shown:
        # What takes no time shows nothing: the display starts with the first byte.
        return self

    def update(self, done: int, total: int | None) -> None:
        """Shows the numbers, if it is time to."""
        if self._quiet:
            return
        if self._shown is None:
            kind = Bar if _can_draw(self._out) else Lines
            self._shown = kind(self._name, self._out, self._clock)
        self._shown.update(done, total)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._shown is not None:
            self._shown.close()


def _can_draw(out: TextIO) -> bool:
    if not out.isatty():
        return False
    try:
        import rich.progress  # noqa: F401
    except ImportError:
        return False
    return True
