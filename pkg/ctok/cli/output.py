"""What every command prints: lines for people, or one JSON value."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterable, Sequence
from typing import Any


def add_output_options(parser: argparse.ArgumentParser) -> None:
    """Adds ``--json`` and ``--quiet``."""
    parser.add_argument("--json", action="store_true", help="print one JSON value")
    parser.add_argument("-q", "--quiet", action="store_true", help="show no progress")


def emit(args: argparse.Namespace, data: Any, lines: Iterable[str]) -> None:
    """Prints the result: ``data`` with ``--json``, else the lines."""
    if args.json:
        print(json.dumps(data, indent=2, ensure_ascii=False))
    else:
        for line in lines:
            print(line)


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """The rows of a table as lines, columns aligned.

    Example:
        >>> aligned([("A", "B"), ("long", "x")])
        ['A     B', 'long  x']
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def shown_date(moment: float) -> str:
    """Seconds since 1970 as local date and time; 0 means never."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(moment)) if moment else "never"
