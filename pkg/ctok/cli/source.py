"""What commands read, and with which encoding: the arguments that several of them share."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ..encoding import Encoding
from ..errors import FormatError
from ..model import encoding_for_model
from ..registry import get_encoding

DEFAULT_ENCODING = "o200k_base"
STDIN = "-"


class Input(NamedTuple):
    """Something to work on: where it is from, and what it is."""

    name: str
    data: bytes

    @property
    def shown_name(self) -> str:
        """What messages call it."""
        return "standard input" if self.name == STDIN else self.name

    def text(self) -> str:
        """It as text.

        Raises:
            FormatError: it is not UTF-8; says where.
        """
        try:
            return self.data.decode()
        except UnicodeDecodeError as exc:
            line = self.data.count(b"\n", 0, exc.start) + 1
            raise FormatError(
                f"{self.shown_name}: not UTF-8: byte 0x{self.data[exc.start]:02X} at offset "
                f"{exc.start} (line {line})",
                path=self.name,
                offset=exc.start,
                suggestions=["Convert it first, e.g.: iconv -f latin1 -t utf-8 FILE | ctok ..."],
            ) from exc

    def ids(self) -> list[int]:
        """It as ids: integers between blanks, commas and brackets, or the lines that
        ``ctok encode --json`` writes.

        Raises:
            FormatError: there is something else; says where.
        """
        if self.data.lstrip().startswith(b"{"):
            return self._ids_of_json()
        ids: list[int] = []
        for word in re.finditer(rb"[^\s,\[\]]+", self.data):
            # A longer number is no id, and int() takes for ever on a huge one.
            if not re.fullmatch(rb"[+-]?[0-9]{1,20}", word.group()):
                shown = word.group()[:40].decode(errors="backslashreplace")
                raise FormatError(
                    f"{self.shown_name}: {shown!r} at offset {word.start()} is no id",
                    path=self.name,
                    offset=word.start(),
                    suggestions=["Ids are integers, with blanks or commas between them."],
                )
            ids.append(int(word.group()))
        return ids

    def _ids_of_json(self) -> list[int]:
        ids: list[int] = []
        for number, line in enumerate(self.data.splitlines(), 1):
            if line.strip():
                try:
                    ids += [int(i) for i in json.loads(line)["ids"]]
                except (ValueError, KeyError, TypeError) as exc:
                    raise FormatError(
                        f'{self.name}, line {number}: no JSON object with "ids"',
                        path=self.name,
                        line=number,
                        suggestions=["Write it with: ctok encode --json"],
                    ) from exc
        return ids


def read_inputs(arguments: argparse.Namespace) -> Iterator[Input]:
    """The texts given with -t, then the files; standard input if there are neither."""
    for text in arguments.text:
        # What the shell passed, byte for byte.
        yield Input("the text given", text.encode("utf-8", "surrogateescape"))
    for name in arguments.files or ([] if arguments.text else [STDIN]):
        if name == STDIN:
            yield Input(STDIN, sys.stdin.buffer.read())
        else:
            yield Input(name, Path(name).read_bytes())


def chosen_encoding(arguments: argparse.Namespace) -> Encoding:
    """The encoding that the arguments name."""
    if arguments.model is not None:
        return encoding_for_model(arguments.model)
    return get_encoding(arguments.encoding)


def chosen_specials(arguments: argparse.Namespace) -> Any:
    """The value for allowed_special."""
    if "all" in arguments.allowed_special:
        return "all"
    return frozenset(arguments.allowed_special)


def add_inputs(parser: argparse.ArgumentParser, what: str = "text") -> None:
    """Adds the arguments that read_inputs reads."""
    parser.add_argument(
        "files", nargs="*", metavar="FILE", help=f"files of {what}; - or none: standard input"
    )
    parser.add_argument(
        "-t",
        "--text",
        action="append",
        default=[],
        metavar=what.upper(),
        help=f"{what} given here; may be repeated",
    )


def add_encoding(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments that chosen_encoding reads."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "-e",
        "--encoding",
        default=DEFAULT_ENCODING,
        metavar="NAME",
        help="which encoding (%(default)s); `ctok encodings` lists them",
    )
    which.add_argument("-m", "--model", metavar="MODEL", help="the encoding of this model")


def add_specials(parser: argparse.ArgumentParser, otherwise: str) -> None:
    """Adds the argument that chosen_specials reads."""
    parser.add_argument(
        "-s",
        "--allowed-special",
        action="append",
        default=[],
        metavar="TOKEN",
        help="let this special token in the text become its id, or `all`; may be repeated. "
        f"Others are {otherwise}",
    )


def add_json(parser: argparse.ArgumentParser) -> None:
    """Adds --json."""
    parser.add_argument("--json", action="store_true", help="one JSON object per input and line")


def write_json(**fields: Any) -> None:
    """Prints one line of JSON."""
    print(json.dumps(fields, ensure_ascii=False))


def add_command(
    subparsers: Any, name: str, summary: str, description: str, examples: str
) -> argparse.ArgumentParser:
    """Adds a command with its help."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        name,
        help=summary,
        description=description,
        epilog=f"examples:\n{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    return parser
