"""Commands on text and ids: encode, decode, count, truncate."""

from __future__ import annotations

import argparse
import shlex
import sys
from typing import Any

from ..errors import DisallowedSpecialError
from .source import (
    Input,
    add_command,
    add_encoding,
    add_inputs,
    add_json,
    add_specials,
    chosen_encoding,
    chosen_specials,
    read_inputs,
    write_json,
)

WAS_CUT = 3
"""The exit code of ``truncate --exit-code`` when something was cut off."""


def add_commands(subparsers: Any) -> None:
    """Adds the commands of this module."""
    _add_encode(subparsers)
    _add_decode(subparsers)
    _add_count(subparsers)
    _add_truncate(subparsers)


# ---- encode ----


def _add_encode(subparsers: Any) -> None:
    parser = add_command(
        subparsers,
        "encode",
        "text to ids",
        "Prints the ids of each input on a line of its own. Text is taken as it is: `echo` adds a "
        "line end, `printf` does not.",
        "  ctok encode -t 'hello world'\n"
        "  ctok encode -e cl100k_base notes.txt\n"
        "  ctok encode -s all chat.txt              special tokens become their ids\n"
        "  ctok encode --json *.txt > ids.jsonl",
    )
    add_inputs(parser)
    add_encoding(parser)
    add_specials(parser, "an error, unless --ordinary")
    parser.add_argument(
        "--ordinary", action="store_true", help="special tokens in the text are ordinary text"
    )
    parser.add_argument("-1", "--lines", action="store_true", help="one id per line")
    add_json(parser)
    parser.set_defaults(run=_encode)


def _encode(arguments: argparse.Namespace) -> None:
    encoding = chosen_encoding(arguments)
    allowed = chosen_specials(arguments)
    disallowed: Any = () if arguments.ordinary else "all"
    for source in read_inputs(arguments):
        try:
            ids = encoding.encode(
                source.text(), allowed_special=allowed, disallowed_special=disallowed
            )
        except DisallowedSpecialError as exc:
            raise DisallowedSpecialError(
                f"{source.shown_name} has the special token {exc.token!r} at character "
                f"{exc.offset}",
                token=exc.token,
                offset=exc.offset,
                suggestions=[
                    f"To get its id: --allowed-special {shlex.quote(exc.token)} (or all).",
                    "To encode it like any other text: --ordinary.",
                ],
            ) from exc
        if arguments.json:
            write_json(input=source.name, encoding=encoding.name, tokens=len(ids), ids=ids)
        else:
            print("\n".join(map(str, ids)) if arguments.lines else " ".join(map(str, ids)))


# ---- decode ----


def _add_decode(subparsers: Any) -> None:
    parser = add_command(
        subparsers,
        "decode",
        "ids to text",
        "Prints the bytes that ids stand for, exactly and without a line end. Ids have blanks, "
        "commas or line ends between them; what `ctok encode --json` writes is read as well.",
        "  ctok decode -t '24912 2375'\n  ctok decode ids.jsonl\n  ctok encode f.txt | ctok decode",
    )
    add_inputs(parser, "ids")
    add_encoding(parser)
    parser.add_argument(
        "--errors",
        choices=["strict", "replace", "ignore"],
        help="what to do with bytes that are not UTF-8, instead of printing them: fail, print "
        "U+FFFD, or drop them",
    )
    add_json(parser)
    parser.set_defaults(run=_decode)


def _decode(arguments: argparse.Namespace) -> None:
    encoding = chosen_encoding(arguments)
    for source in read_inputs(arguments):
        data = encoding.decode_bytes(source.ids())
        if arguments.json:
            text = _decoded(source.name, data, arguments.errors or "replace")
            write_json(input=source.name, encoding=encoding.name, text=text)
        elif arguments.errors is None:
            _write(data)
        else:
            _write(_decoded(source.name, data, arguments.errors).encode())
    if not arguments.json and sys.stdout.isatty():
        print()


def _decoded(name: str, data: bytes, errors: str) -> str:
    if errors == "strict":
        return Input(f"the text of {name}", data).text()
    return data.decode("utf-8", errors)


def _write(data: bytes) -> None:
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


# ---- count ----


def _add_count(subparsers: Any) -> None:
    parser = add_command(
        subparsers,
        "count",
        "how many tokens",
        "Prints the number of tokens of each input, and their sum if there are several.",
        "  ctok count README.md\n  ctok count -m gpt-4o src/*.py\n  git diff | ctok count",
    )
    add_inputs(parser)
    add_encoding(parser)
    add_specials(parser, "ordinary text")
    add_json(parser)
    parser.set_defaults(run=_count)


def _count(arguments: argparse.Namespace) -> None:
    encoding = chosen_encoding(arguments)
    allowed = chosen_specials(arguments)
    n_inputs = len(arguments.files) + len(arguments.text)
    total = 0
    for source in read_inputs(arguments):
        n = encoding.count(source.text(), allowed_special=allowed)
        total += n
        if arguments.json:
            write_json(input=source.name, encoding=encoding.name, tokens=n)
        elif n_inputs <= 1:
            print(n)
        else:
            print(f"{n:>9} {source.name}")
    if n_inputs > 1 and not arguments.json:
        print(f"{total:>9} total")


# ---- truncate ----


def _add_truncate(subparsers: Any) -> None:
    parser = add_command(
        subparsers,
        "truncate",
        "cut text to a number of tokens",
        "Prints the beginning of the text that has at most so many tokens, never half a character. "
        f"When something was cut off, standard error says so, and --exit-code makes it {WAS_CUT}.",
        "  ctok truncate -n 4096 < prompt.txt\n"
        "  ctok truncate -n 100 --exit-code article.txt || echo 'it was longer'",
    )
    add_inputs(parser)
    add_encoding(parser)
    parser.add_argument(
        "-n", "--tokens", type=_count_argument, required=True, help="at most so many tokens"
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="say nothing when it cuts")
    parser.add_argument(
        "--exit-code", action="store_true", help=f"exit with {WAS_CUT} when something was cut off"
    )
    add_json(parser)
    parser.set_defaults(run=_truncate)


def _count_argument(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 on")
    return int(text)


def _truncate(arguments: argparse.Namespace) -> int:
    encoding = chosen_encoding(arguments)
    was_cut = False
    for source in read_inputs(arguments):
        text = source.text()
        kept = encoding.truncate(text, arguments.tokens)
        was_cut = was_cut or kept.truncated
        if arguments.json:
            write_json(
                input=source.name,
                encoding=encoding.name,
                tokens=kept.n_tokens,
                truncated=kept.truncated,
                text=kept.text,
            )
        else:
            _write(kept.text.encode())
        if kept.truncated and not arguments.quiet:
            print(
                f"ctok: {source.shown_name}: kept {kept.n_tokens} tokens, {len(kept.text)} of "
                f"{len(text)} characters",
                file=sys.stderr,
            )
    return WAS_CUT if was_cut and arguments.exit_code else 0
