"""``ctok cache``: what is in the cache that is shared with huggingface_hub, and less of it."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ctok.cli.output import add_output_options, aligned, emit, shown_date
from ctok.cli.progress import shown_size

UNVERIFIED = 15
UNITS = {
    "": 1,
    **{f"{letter}B": 1000**power for power, letter in enumerate("KMGT", 1)},
    **{f"{letter}iB": 1024**power for power, letter in enumerate("KMGT", 1)},
    **{letter: 1000**power for power, letter in enumerate("KMGT", 1)},
}
SPANS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


def size(text: str) -> int:
    """A size as people write it, for argparse.

    Example:
        >>> size("10GB"), size("1.5GiB"), size("4096")
        (10000000000, 1610612736, 4096)
    """
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]*)", text.strip())
    units = {name.lower(): factor for name, factor in UNITS.items()}
    if found is None or found[2].lower() not in units:
        raise argparse.ArgumentTypeError(f"{text!r} is no size such as 10GB or 500MiB")
    return int(float(found[1]) * units[found[2].lower()])


def age(text: str) -> float:
    """A span of time as people write it, for argparse.

    Example:
        >>> age("30d"), age("12h")
        (2592000.0, 43200.0)
    """
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([smhdw])", text.strip())
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no age such as 30d, 12h or 2w")
    return float(found[1]) * SPANS[found[2]]


def add_cache(subparsers: argparse._SubParsersAction[Any]) -> None:
    parser = subparsers.add_parser(
        "cache",
        help="look at, check and clean the cache",
        description="The cache is shared with huggingface_hub.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, run: Callable[[argparse.Namespace], int], text: str) -> Any:
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("--cache-dir", type=Path, metavar="DIR", help="another cache")
        add_output_options(command)
        command.set_defaults(run=run)
        return command

    add("ls", _cache_ls, "List the repositories in the cache.")
    add("info", _cache_info, "Count what the cache holds.")
    verify = add("verify", _cache_verify, "Compare every file with its checksum.")
    verify.add_argument("repo", nargs="?", help="only this repository")
    verify.add_argument("--repair", action="store_true", help="download damaged files anew")
    evict = add("evict", _cache_evict, "Delete what was not used for longest.")
    evict.add_argument("--size", type=size, metavar="SIZE", help="what may stay (10GB)")
    evict.add_argument("--older-than", type=age, metavar="AGE", help="delete this too (30d)")
    evict.add_argument("--dry-run", action="store_true", help="only say what would go")
    clear = add("clear", _cache_clear, "Delete one repository, or all of them.")
    clear.add_argument("repo", nargs="?", help="org/name or datasets/org/name")
    clear.add_argument("--all", action="store_true", help="delete every repository")
    clear.add_argument("--dry-run", action="store_true", help="only say what would go")
    images = commands.add_parser(
        "images",
        help="encodings that ctok keeps built",
        description="Encodings that ctok keeps built, in its own cache (CTOK_CACHE_DIR).",
    )
    images.add_argument("--clear", action="store_true", help="delete them; they are built anew")
    add_output_options(images)
    images.set_defaults(run=_cache_images)
    path = add("path", _cache_path, "Print where the cache, a repository or a file is.")
    path.add_argument("repo", nargs="?", help="org/name, org/name@revision or datasets/org/name")
    path.add_argument("file", nargs="?", help="a file in it")


def _cache_ls(args: argparse.Namespace) -> int:
    from ctok import hub

    info = hub.scan_cache(args.cache_dir)
    rows = [
        {
            "repo": repo.id,
            "type": repo.kind,
            "size": repo.size,
            "partial_size": repo.partial_size,
            "files": repo.files,
            "last_used": repo.last_used,
            "revisions": [
                {"commit": each.commit, "refs": list(each.refs), "size": each.size}
                for each in repo.revisions
            ],
        }
        for repo in info.repos
    ]
    table = [("REPOSITORY", "SIZE", "FILES", "LAST USED", "REVISIONS")]
    for repo in info.repos:
        refs = [", ".join(each.refs) or each.commit[:12] for each in repo.revisions]
        name = repo.id if repo.kind == "model" else f"{repo.kind}s/{repo.id}"
        used = shown_date(repo.last_used)
        table.append((name, shown_size(repo.size), str(repo.files), used, "; ".join(refs)))
    emit(args, rows, aligned(table))
    return 0


def _cache_info(args: argparse.Namespace) -> int:
    from ctok import hub

    info = hub.scan_cache(args.cache_dir)
    partial = sum(repo.partial_size for repo in info.repos)
    facts = {
        "path": str(info.root),
        "repos": len(info.repos),
        "files": info.files,
        "size": info.size,
        "partial_size": partial,
        "last_used": info.last_used,
        "warnings": [str(each) for each in info.warnings],
    }
    lines = [
        f"cache:      {info.root}",
        f"size:       {shown_size(info.size)}, of it unfinished {shown_size(partial)}",
        f"content:    {len(info.repos)} repositories, {info.files} files",
        f"last used:  {shown_date(info.last_used)}",
        *(f"warning:    {each}" for each in info.warnings),
    ]
    emit(args, facts, lines)
    return 0


def _cache_verify(args: argparse.Namespace) -> int:
    from ctok import hub

    place = _repository(args.repo) if args.repo else None
    report = hub.verify_cache(
        place.repo if place else None,
        repo_type=place.kind if place else None,
        cache_dir=args.cache_dir,
        repair=args.repair,
    )
    facts = {
        "total": report.total,
        "valid": report.valid,
        "corrupted": [
            {"path": str(each.path), "reason": each.reason, "repaired": each.repaired}
            for each in report.corrupted
        ],
        "missing_checksum": [str(each) for each in report.missing_checksum],
    }
    lines = []
    for each in report.corrupted:
        what = {None: "damaged", True: "repaired", False: "removed"}[each.repaired]
        lines.append(f"{what}: {each.path}: {each.reason}")
    lines += [f"no checksum: {each}" for each in report.missing_checksum]
    lines.append(f"{report.total} files, {report.valid} valid")
    emit(args, facts, lines)
    return 0 if report.ok else UNVERIFIED


def _cache_evict(args: argparse.Namespace) -> int:
    from ctok import hub
    from ctok.hub.cleanup import DEFAULT_SIZE

    # An age alone is no reason to apply the usual size as well.
    target = args.size
    if target is None and args.older_than is None:
        target = DEFAULT_SIZE
    deletion = hub.evict(target, args.older_than, cache_dir=args.cache_dir, dry_run=args.dry_run)
    return _tell_deletion(args, deletion)


def _cache_clear(args: argparse.Namespace) -> int:
    from ctok import hub

    if bool(args.repo) == args.all:
        raise hub.HubValidationError(
            "ctok cache clear: name a repository, or pass --all",
            value=args.repo,
            suggestions=("See what is there: ctok cache ls",),
            exit_code=2,
        )
    place = _repository(args.repo) if args.repo else None
    deletion = hub.clear_cache(
        place.repo if place else None,
        repo_type=place.kind if place else None,
        cache_dir=args.cache_dir,
        dry_run=args.dry_run,
    )
    return _tell_deletion(args, deletion)


def _tell_deletion(args: argparse.Namespace, deletion: Any) -> int:
    facts = {
        "deleted": [{"repo": repo, "commit": commit} for repo, commit in deletion.commits],
        "freed": deletion.freed,
        "kept_in_use": list(deletion.kept_in_use),
        "dry_run": args.dry_run,
    }
    verb = "would delete" if args.dry_run else "deleted"
    lines = [f"{verb} {repo} at {commit[:12]}" for repo, commit in deletion.commits]
    lines += [f"kept {repo}: a download is in progress" for repo in deletion.kept_in_use]
    lines.append(f"{shown_size(deletion.freed)} {'to free' if args.dry_run else 'freed'}")
    emit(args, facts, lines)
    return 0


def _cache_images(args: argparse.Namespace) -> int:
    from ctok import images

    place = images.folder()
    found = sorted(images.found(place))
    if args.clear:
        for path, _ in found:
            Path(path).unlink(missing_ok=True)
    size = sum(facts.st_size for _, facts in found)
    facts = {
        "path": place,
        "size": size,
        "cleared": args.clear,
        "images": [
            {"name": Path(path).name, "size": each.st_size, "written": each.st_mtime}
            for path, each in found
        ],
    }
    table = [("IMAGE", "SIZE", "WRITTEN")]
    for path, each in found:
        table.append((Path(path).name, shown_size(each.st_size), shown_date(each.st_mtime)))
    verb = "deleted from" if args.clear else "in"
    lines = [*aligned(table), f"{len(found)} images, {shown_size(size)}, {verb} {place}"]
    emit(args, facts, lines)
    return 0


def _cache_path(args: argparse.Namespace) -> int:
    from ctok import config, hub

    if args.repo is None:
        root = config.hub_cache() if args.cache_dir is None else args.cache_dir
        emit(args, str(root), [str(root)])
        return 0
    place = _repository(args.repo)
    path = hub.cache_path(
        place.repo,
        args.file,
        revision=place.revision,
        repo_type=place.kind,
        cache_dir=args.cache_dir,
    )
    emit(args, str(path), [str(path)])
    return 0


def _repository(text: str) -> Any:
    """The repository a user names. A local directory of that name is not meant here."""
    from ctok import hub

    return hub.parse_reference(text if text.startswith("hf://") else f"hf://{text}")
