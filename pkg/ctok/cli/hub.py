"""``ctok fetch | cache | lock | bundle | login | logout | whoami``: the Hub from a shell.

Each command parses, calls one function of ``ctok.hub`` and prints. Results go to stdout (with
``--json`` as one JSON value), everything else to stderr. Errors propagate: ``main`` prints
their message and suggestions and returns their ``exit_code``: 11 access, 14 network, 15
verification, else 1; argparse itself returns 2.
"""

from __future__ import annotations

import argparse
import logging
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ctok.cli.cache import add_cache
from ctok.cli.output import add_output_options, emit
from ctok.cli.progress import Shown, shown_size

OK, UNVERIFIED = 0, 15
MAGIC = re.compile(r"[*?\[]")


def add_commands(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Adds every command of this module to ctok's parser; each sets ``run``."""
    _add_fetch(subparsers)
    add_cache(subparsers)
    _add_lock(subparsers)
    _add_bundle(subparsers)
    _add_account(subparsers)


# --- fetch -----------------------------------------------------------------------------------


def _add_fetch(subparsers: argparse._SubParsersAction[Any]) -> None:
    parser = subparsers.add_parser(
        "fetch",
        help="download files of a repository into the cache",
        description="Downloads files of a repository and prints where they are. What is in the "
        "cache already is not even asked about.",
    )
    parser.add_argument("repo", help="org/name, org/name@revision or datasets/org/name")
    parser.add_argument(
        "files", nargs="*", metavar="FILE", help="names or patterns (*.json); all files if none"
    )
    parser.add_argument("--into", type=Path, metavar="DIR", help="put the files into this folder")
    parser.add_argument(
        "--update", action="store_true", help="ask whether the branch has moved since"
    )
    parser.add_argument("--force", action="store_true", help="download even what is there")
    parser.add_argument(
        "--frozen",
        nargs="?",
        const=True,
        metavar="LOCK",
        help="only what this lock file (./ctok.lock) pins",
    )
    parser.add_argument("--offline", action="store_true", default=None, help="make no request")
    parser.add_argument(
        "--endpoint", action="append", metavar="URL", help="the server; repeat it for mirrors"
    )
    parser.add_argument(
        "--source",
        choices=("official", "mirror"),
        help="only the first of the configured endpoints, or only the others (CTOK_ENDPOINTS)",
    )
    _add_reference_options(parser)
    add_output_options(parser)
    parser.set_defaults(run=_fetch)


def _fetch(args: argparse.Namespace) -> int:
    from ctok import hub

    _be_verbose(args)
    reference = _reference(args)
    endpoint = _endpoint(args)
    plain = [name for name in args.files if not MAGIC.search(name)]
    patterns = [name for name in args.files if MAGIC.search(name)]
    common = {
        "cache_dir": args.cache_dir,
        "local_dir": args.into,
        "offline": args.offline,
        "frozen": args.frozen,
        "endpoint": endpoint,
        # A folder does not tell which branch its files came from: there the Hub is asked.
        "prefer_cache": args.into is None and not args.update,
    }
    paths: list[Path] = []
    for name in plain:
        with Shown(name, quiet=args.quiet) as shown:
            path = hub.download(reference, name, force=args.force, progress=shown.update, **common)
        paths.append(path)
    if patterns or not args.files:
        with Shown(str(reference), quiet=args.quiet) as shown:
            folder = hub.snapshot_download(
                reference,
                allow_patterns=patterns or None,
                force_download=args.force,
                progress=shown.update,
                **common,
            )
        paths.append(folder)
    emit(args, [str(path) for path in paths], [str(path) for path in paths])
    return OK


def _endpoint(args: argparse.Namespace) -> Sequence[str] | None:
    """The servers that ``--endpoint`` and ``--source`` leave."""
    from ctok import config
    from ctok.hub.errors import HubValidationError

    chosen: Sequence[str] = args.endpoint or config.endpoints()
    if args.source == "official":
        return chosen[:1]
    if args.source == "mirror":
        if len(chosen) < 2:
            raise HubValidationError(
                "--source mirror: no mirror is configured",
                value=args.source,
                suggestions=(
                    "Name the mirrors after the official server: "
                    "CTOK_ENDPOINTS=https://huggingface.co,https://mirror",
                ),
            )
        return chosen[1:]
    given: list[str] | None = args.endpoint
    return given


# --- lock and bundle -------------------------------------------------------------------------


def _add_lock(subparsers: argparse._SubParsersAction[Any]) -> None:
    parser = subparsers.add_parser(
        "lock",
        help="pin repositories to a commit and checksums",
        description="Writes which commit and which bytes a repository means now. Without a "
        "repository, everything in the lock file is pinned anew.",
    )
    parser.add_argument("repo", nargs="?", help="org/name, org/name@revision or datasets/org/name")
    parser.add_argument(
        "files", nargs="*", metavar="FILE", help="names or patterns to pin; all files if none"
    )
    parser.add_argument("-o", "--output", type=Path, metavar="LOCK", help="default: ./ctok.lock")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit 15 if anything changed"
    )
    _add_reference_options(parser)
    add_output_options(parser)
    parser.set_defaults(run=_lock)


def _lock(args: argparse.Namespace) -> int:
    from ctok import hub
    from ctok.hub.lockfile import DEFAULT_NAME, changes

    _be_verbose(args)
    path = args.output or Path(DEFAULT_NAME)
    old = hub.read_lock(path) if path.exists() or args.repo is None else hub.Lock()
    if args.repo is not None:
        wanted = [(_reference(args), args.files)]
    else:
        wanted = [
            (
                hub.Reference(repo=each.repo, kind=each.kind, revision=each.revision),
                list(each.files),
            )
            for each in old.repos.values()
        ]
    new = old
    for reference, files in wanted:

        def told(name: str, reference: Any = reference) -> None:
            if not args.quiet:
                print(f"{reference}: {name}", file=sys.stderr)

        new = new.with_repo(
            hub.pin_repo(reference, files, token=_token(args), cache_dir=args.cache_dir, told=told)
        )
    lines = list(changes(old, new))
    if not args.check:
        hub.write_lock(new, path)
    facts = {"path": str(path), "written": not args.check, "changes": lines}
    emit(args, facts, lines or [f"{path}: nothing changed"])
    return UNVERIFIED if args.check and lines else OK


def _add_bundle(subparsers: argparse._SubParsersAction[Any]) -> None:
    parser = subparsers.add_parser(
        "bundle",
        help="carry pinned repositories to a machine without network",
        description="An archive with everything a lock file pins, verified on both sides.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    export = commands.add_parser("export", help="write a bundle")
    export.add_argument("bundle", type=Path, help="NAME.tar or NAME.tar.gz")
    export.add_argument("--lock", type=Path, metavar="LOCK", help="default: ./ctok.lock")
    export.add_argument("--offline", action="store_true", default=None, help="make no request")
    _add_token_option(export)
    bring = commands.add_parser("import", help="verify a bundle and place it into the cache")
    bring.add_argument("bundle", type=Path, help="what ctok bundle export wrote")
    bring.add_argument("--lock", type=Path, metavar="LOCK", help="write what it pins to this file")
    for command, run in ((export, _bundle_export), (bring, _bundle_import)):
        command.add_argument("--cache-dir", type=Path, metavar="DIR", help="another cache")
        add_output_options(command)
        command.set_defaults(run=run)


def _bundle_export(args: argparse.Namespace) -> int:
    from ctok import hub
    from ctok.hub.lockfile import DEFAULT_NAME

    lock = hub.read_lock(args.lock or DEFAULT_NAME)
    path = hub.export_bundle(
        lock,
        args.bundle,
        token=_token(args),
        cache_dir=args.cache_dir,
        offline=args.offline,
    )
    total = path.stat().st_size
    facts = {"path": str(path), "size": total, "repos": sorted(lock.repos)}
    emit(args, facts, [*sorted(lock.repos), f"{path}: {shown_size(total)}"])
    return OK


def _bundle_import(args: argparse.Namespace) -> int:
    from ctok import hub

    lock = hub.import_bundle(args.bundle, cache_dir=args.cache_dir)
    if args.lock is not None:
        hub.write_lock(lock, args.lock)
    rows = {key: each.commit for key, each in sorted(lock.repos.items())}
    emit(args, rows, [f"{key}: {commit[:12]}" for key, commit in rows.items()])
    return OK


# --- account ---------------------------------------------------------------------------------


def _add_account(subparsers: argparse._SubParsersAction[Any]) -> None:
    login = subparsers.add_parser(
        "login",
        help="store a token for the Hub",
        description="Reads a token from the terminal, or from stdin where that is a pipe, asks "
        "the Hub whose it is, and stores it where huggingface_hub finds it, too.",
    )
    login.add_argument("--no-check", action="store_true", help="store it without asking the Hub")
    login.set_defaults(run=_login)
    logout = subparsers.add_parser("logout", help="remove the stored token")
    logout.set_defaults(run=_logout)
    whoami = subparsers.add_parser("whoami", help="ask the Hub whose token it is")
    _add_token_option(whoami)
    whoami.set_defaults(run=_whoami)
    for command in (login, logout, whoami):
        add_output_options(command)


def _login(args: argparse.Namespace) -> int:
    from ctok import config, hub

    # Never an option: arguments end up in the shell's history and in the process list.
    if sys.stdin.isatty():
        import getpass

        token = getpass.getpass("Token (from https://huggingface.co/settings/tokens): ")
    else:
        token = sys.stdin.readline()
    account = hub.login(token, validate=not args.no_check)
    found = config.environment_token()
    if found is not None and found[0] != token.strip():
        print(f"note: {found[1]} is set and wins over the stored token", file=sys.stderr)
    name = account.name if account is not None else None
    shown = f"logged in as {name}" if name else "stored"
    emit(args, {"name": name, "path": str(config.token_path())}, [shown])
    return OK


def _logout(args: argparse.Namespace) -> int:
    from ctok import config, hub

    had = hub.logout()
    found = config.environment_token()
    if found is not None:
        print(f"note: {found[1]} is still set", file=sys.stderr)
    emit(args, {"removed": had}, ["logged out" if had else "there was no stored token"])
    return OK


def _whoami(args: argparse.Namespace) -> int:
    from ctok import hub

    account = hub.whoami(token=_token(args))
    facts = {
        "name": account.name,
        "type": account.kind,
        "organizations": list(account.organizations),
    }
    lines = [account.name]
    if account.organizations:
        lines.append("member of " + ", ".join(account.organizations))
    emit(args, facts, lines)
    return OK


# --- what commands share ---------------------------------------------------------------------


def _add_reference_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--revision", help="branch, tag, refs/pr/N or commit")
    parser.add_argument("--repo-type", choices=("model", "dataset", "space"))
    parser.add_argument("--cache-dir", type=Path, metavar="DIR", help="another cache")
    parser.add_argument("-v", "--verbose", action="store_true", help="log each request to stderr")
    _add_token_option(parser)


def _add_token_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--no-token", action="store_true", help="send no token, even if one is stored"
    )


def _reference(args: argparse.Namespace) -> Any:
    from ctok import hub

    return hub.parse_reference(
        args.repo, revision=args.revision, repo_type=args.repo_type, token=_token(args)
    )


def _token(args: argparse.Namespace) -> bool | None:
    return False if args.no_token else None


def _be_verbose(args: argparse.Namespace) -> None:
    if args.verbose:
        logging.basicConfig(stream=sys.stderr, format="%(name)s: %(message)s")
        logging.getLogger("ctok.hub").setLevel(logging.DEBUG)
