"""The command line: ``ctok encode README.md`` and so on.

Exit codes: 0 done; 1 an error, said on standard error with what to do next; 2 the command line
itself is wrong; 3 ``truncate --exit-code`` cut something off; 130 interrupted; 141 nobody
reads the output any more. Errors of the Hub have codes of their own, see ctok.hub.errors.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import io
import os
import sys
from collections.abc import Sequence

from .. import __version__
from ..errors import CtokError
from ..view import wants_colour

MODULES = ("text", "look", "hub")
"""Each defines add_commands(subparsers); the order is that of the help."""

EXAMPLES = """
examples:
  ctok count README.md src/*.py          how many tokens, file by file and in all
  ctok encode -t "hello world"           24912 2375
  ctok encode notes.txt | ctok decode    the text again
  ctok truncate -n 4096 < prompt.txt     what fits
  ctok show -t "how is this split?"      the tokens, in colour
  ctok COMMAND --help                    more on each
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command.

    Args:
        argv: the arguments, without the program's name; those of the process if None.

    Returns:
        The exit code.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        # Print what the terminal's encoding lacks as an escape instead of failing.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        arguments = _parser().parse_args(argv)
        code: int = arguments.run(arguments) or 0
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # Nobody reads on (as in `ctok encode ... | head`). Give the interpreter something to
        # flush into, or it complains when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except KeyboardInterrupt:
        return 130
    except (CtokError, OSError) as exc:
        report(exc)
        return getattr(exc, "exit_code", 1)


def report(error: Exception) -> None:
    """Says on standard error what went wrong and what to do next."""
    bold, plain = ("\x1b[1;31m", "\x1b[0m") if wants_colour(sys.stderr) else ("", "")
    message = str(error)
    if type(error).__module__ == "builtins" and isinstance(error, OSError) and error.filename:
        message = f"{error.filename}: {error.strerror}"
    lines = [f"{bold}ctok: error:{plain} {message}"]
    if isinstance(error, CtokError):
        lines += [f"  - {suggestion}" for suggestion in error.suggestions()]
    print("\n".join(lines), file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ctok",
        description="Text to tokens and back, exactly as the models do it.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"ctok {__version__}")
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name in MODULES:
        if importlib.util.find_spec(f"{__name__}.{name}"):
            importlib.import_module(f"{__name__}.{name}").add_commands(subparsers)
    return parser
