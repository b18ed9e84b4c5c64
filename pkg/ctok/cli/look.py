"""Commands to look at tokens: show, explain, encodings."""

from __future__ import annotations

import argparse
from typing import Any

from .. import model, openai, registry
from ..spec import unpack_u32
from .output import aligned, emit
from .source import (
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


def add_commands(subparsers: Any) -> None:
    """Adds the commands of this module."""
    _add_show(subparsers)
    _add_explain(subparsers)
    _add_encodings(subparsers)


# ---- show ----


def _add_show(subparsers: Any) -> None:
    parser = add_command(
        subparsers,
        "show",
        "the tokens of a text, in colour",
        "Shows where tokens begin and end. Blanks have glyphs, parts of a character are shown as "
        "<E4>. Without colour (no terminal, or NO_COLOR is set) there are bars between tokens.",
        "  ctok show -t 'how is this split?'\n"
        "  ctok show --ids -m gpt-4 notes.txt\n"
        "  ctok show --budget 100 prompt.txt        what is beyond is grey\n"
        "  ctok show --html notes.txt > notes.html",
    )
    add_inputs(parser)
    add_encoding(parser)
    add_specials(parser, "ordinary text")
    parser.add_argument("--ids", action="store_true", help="show the id behind each token")
    parser.add_argument(
        "--budget", type=int, metavar="N", help="grey the tokens beyond this number"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument(
        "--color",
        choices=["auto", "always", "never"],
        default="auto",
        help="colours (%(default)s: in a terminal)",
    )
    form.add_argument("--html", action="store_true", help="print a page of HTML")
    parser.set_defaults(run=_show)


def _show(arguments: argparse.Namespace) -> None:
    encoding = chosen_encoding(arguments)
    allowed = chosen_specials(arguments)
    shown = []
    for source in read_inputs(arguments):
        view = encoding.view(
            source.text(),
            budget=arguments.budget,
            show_ids=arguments.ids,
            allowed_special=allowed,
        )
        if arguments.html:
            shown.append(view.html())
        elif arguments.color == "auto":
            print(view)
        else:
            print(view.ansi() if arguments.color == "always" else view.plain())
    if arguments.html:
        # color-scheme lets the browser choose dark or light.
        print(
            '<!doctype html><html lang="en"><head><meta charset="utf-8">'
            '<meta name="color-scheme" content="dark light"><title>ctok</title></head><body>'
            f"{''.join(shown)}</body></html>"
        )


# ---- explain ----


def _add_explain(subparsers: Any) -> None:
    parser = add_command(
        subparsers,
        "explain",
        "how a piece of text becomes its tokens",
        "Shows the merges of one piece of text, step by step.",
        "  ctok explain tokenization\n  ctok explain -e gpt2 ' hello'",
    )
    parser.add_argument("piece", nargs="+", metavar="PIECE", help="a word, with its blank if any")
    add_encoding(parser)
    add_json(parser)
    parser.set_defaults(run=_explain)


def _explain(arguments: argparse.Namespace) -> None:
    encoding = chosen_encoding(arguments)
    for piece in arguments.piece:
        explanation = encoding.explain(piece)
        if arguments.json:
            write_json(
                piece=piece,
                encoding=encoding.name,
                ids=explanation.ids,
                whole=explanation.whole,
                steps=[
                    {
                        "left": step.left.hex(),
                        "right": step.right.hex(),
                        "rank": step.rank,
                        "id": step.id,
                    }
                    for step in explanation.steps
                ],
            )
        else:
            print(explanation)


# ---- encodings ----


def _add_encodings(subparsers: Any) -> None:
    parser = add_command(
        subparsers,
        "encodings",
        "the encodings there are",
        "Lists the encodings inside ctok and those of plugins, with the models that use them.",
        "  ctok encodings\n  ctok encodings --json",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON value")
    parser.set_defaults(run=_encodings)


def _encodings(arguments: argparse.Namespace) -> None:
    found = [_facts(name) for name in registry.list_encoding_names()]
    rows = [("ENCODING", "VOCABULARY", "MODELS")]
    for facts in found:
        size = "plugin" if facts["n_vocab"] is None else str(facts["n_vocab"])
        rows.append((facts["name"], size, _shortened(" ".join(facts["models"]))))
    emit(arguments, found, aligned(rows))


def _facts(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "n_vocab": _vocabulary_size(name) if name in openai.ENCODINGS else None,
        "models": [m for m, encoding in model.MODEL_TO_ENCODING.items() if encoding == name],
        "model_prefixes": [
            prefix
            for prefix, encoding in model.MODEL_PREFIX_TO_ENCODING.items()
            if encoding == name
        ],
    }


def _vocabulary_size(name: str) -> int:
    """One more than the largest id, without making the encoding."""
    spec = openai.spec(name)
    assert spec.merges is not None
    return max(max(unpack_u32(spec.merges.merged)), *spec.specials.values()) + 1


def _shortened(models: str) -> str:
    return models if len(models) <= 60 else f"{models[:57].rpartition(' ')[0]} ..."
