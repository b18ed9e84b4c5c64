"""What users write when they mean a repository, as one value.

::

    ./model  /data/model  ~/model        a local directory (anything that exists, too)
    org/name                             a model on the Hub
    org/name@revision                    ... at a branch, tag, pull request or commit
    datasets/org/name@revision           a dataset; spaces/org/name a space
    hf://org/name@revision/sub/dir       the same with a folder or file inside
    {"repo": "org/name", "revision": ..., "subdir": ..., "token": ..., "offline": ...}
    ("org/name", {"revision": ...})

A revision that holds slashes is written as it is where its shape is known (``refs/pr/1``,
``refs/convert/parquet``), else quoted (``feature%2Fx``). After ``hf://`` a repository
without owner needs its revision (``hf://gpt2@main/vocab.json``): without it, two segments
are owner and name.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from ctok.hub.errors import HubValidationError
from ctok.hub.paths import (
    PLURALS,
    RepoType,
    check_filename,
    check_repo_id,
    check_repo_type,
    check_revision,
)

PREFIXES: dict[str, RepoType] = {plural: kind for kind, plural in PLURALS.items()}
# Revisions with slashes that need no quoting.
BARE_REVISION = re.compile(r"refs/(?:pr|convert)/[^/]+")
OPTIONS = ("revision", "subdir", "token", "offline", "repo_type")


@dataclass(frozen=True)
class Reference:
    """A repository, or a local directory that stands for one.

    Attributes:
        local: the directory, or None for a repository on the Hub.
        repo: ``org/name``; empty for a local directory.
        kind: ``model``, ``dataset`` or ``space``.
        revision: as asked for; None means the default branch.
        subdir: folder or file inside, ``/``-separated; empty for the top.
        token: as ``download(token=...)`` takes it; never shown.
        offline: as ``download(offline=...)`` takes it.
    """

    local: Path | None = None
    repo: str = ""
    kind: RepoType = "model"
    revision: str | None = None
    subdir: str = ""
    token: str | bool | None = field(default=None, repr=False)
    offline: bool | None = None

    def __str__(self) -> str:
        if self.local is not None:
            return str(self.local / self.subdir)
        prefix = "" if self.kind == "model" else f"{self.kind}s/"
        bare = self.revision is None or BARE_REVISION.fullmatch(self.revision)
        shown = self.revision if bare else quote(self.revision or "", safe="")
        at = f"@{shown}" if shown or "/" not in self.repo else ""
        return f"hf://{prefix}{self.repo}{at or ''}" + (f"/{self.subdir}" if self.subdir else "")

    def join(self, path: str) -> Reference:
        """The reference of something inside.

        Example:
            >>> str(parse_reference("org/name@v1").join("a/b.json"))
            'hf://org/name@v1/a/b.json'
        """
        return replace(self, subdir=_inside("/".join(filter(None, (self.subdir, path)))))


def parse_reference(value: Any, **options: Any) -> Reference:
    """Reads any of the ways in which a repository can be named.

    Args:
        value: a string, a path, a mapping with ``repo``, a pair of string and mapping, or a
            ``Reference``.
        **options: ``revision``, ``subdir``, ``token``, ``offline``, ``repo_type``; None says
            nothing. A revision given twice must be the same twice.

    Raises:
        HubValidationError: it names no repository, or contradicts itself.

    Example:
        >>> parse_reference("datasets/org/name@refs/pr/1").kind
        'dataset'
        >>> parse_reference("org/name", revision="v1").revision
        'v1'
    """
    if isinstance(value, Mapping):
        given = dict(value)
        return _merged(parse_reference(given.pop("repo", None)), given, options)
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[1], Mapping):
        return _merged(parse_reference(value[0]), dict(value[1]), options)
    if isinstance(value, Reference):
        return _merged(value, {}, options)
    if isinstance(value, os.PathLike):
        return _merged(Reference(local=Path(value)), {}, options)
    if not isinstance(value, str) or not value.strip():
        raise HubValidationError(f"{value!r} names no repository or directory", value=value)
    return _merged(_parse_text(value), {}, options)


def _parse_text(text: str) -> Reference:
    if text.startswith("hf://"):
        return _parse_url(text)
    path = Path(text).expanduser()
    if text.startswith((".", "/", "~", "\\")) or path.exists() or path.is_absolute():
        return Reference(local=path)
    head, at, revision = text.partition("@")
    parts = head.split("/")
    kind: RepoType = "model"
    if len(parts) in (2, 3) and parts[0] in PREFIXES:
        kind = PREFIXES[parts.pop(0)]
    if at and not revision:
        raise HubValidationError(f"{text!r}: nothing follows the @", value=text)
    return Reference(
        repo=_repo_id("/".join(parts), text),
        kind=kind,
        revision=check_revision(unquote(revision)) if at else None,
    )


def _parse_url(url: str) -> Reference:
    """``hf://[datasets/|spaces/]org/name[@revision][/path]``."""
    rest = url.removeprefix("hf://")
    first, _, tail = rest.partition("/")
    kind: RepoType = "model"
    if first in PREFIXES and tail:
        kind, rest = PREFIXES[first], tail
    repo, at, behind = rest.partition("@")
    if at and repo.count("/") <= 1:
        bare = BARE_REVISION.match(behind)
        revision = bare.group() if bare else behind.split("/", 1)[0]
        subdir = behind[len(revision) :].lstrip("/")
        if not revision:
            raise HubValidationError(f"{url!r}: nothing follows the @", value=url)
        asked = check_revision(unquote(revision))
        return Reference(None, _repo_id(repo, url), kind, asked, _inside(subdir))
    # An @ further right is part of a file's name.
    parts = rest.split("/", 2)
    return Reference(
        repo=_repo_id("/".join(parts[:2]), url),
        kind=kind,
        subdir=_inside(parts[2] if len(parts) > 2 else ""),
    )


def _repo_id(text: str, source: str) -> str:
    try:
        return check_repo_id(text)
    except HubValidationError as exc:
        raise HubValidationError(
            f"{source!r} is neither an existing directory nor a repository id",
            value=source,
            suggestions=(
                "A repository is written org/name, org/name@revision or datasets/org/name.",
                "A directory is written with a leading ./ or /.",
            ),
        ) from exc


def _inside(path: str) -> str:
    path = path.strip("/")
    return check_filename(path) if path else ""


CHECKS: dict[str, Callable[[Any], Any]] = {"kind": check_repo_type, "revision": check_revision}


def _merged(found: Reference, given: dict[str, Any], options: dict[str, Any]) -> Reference:
    for name in (*given, *options):
        if name not in OPTIONS:
            raise HubValidationError(
                f"{name!r} is no option of a repository reference; known: {', '.join(OPTIONS)}",
                value=name,
            )
    for more in (given, options):
        for name, value in more.items():
            if value is None:
                continue
            if name == "subdir":
                found = found.join(value)
                continue
            name = "kind" if name == "repo_type" else name
            old = getattr(found, name)
            if name == "revision" and old not in (None, value):
                raise HubValidationError(
                    f"{found} asks for revision {old!r} and for {value!r}", value=value
                )
            checked: dict[str, Any] = {name: CHECKS.get(name, lambda same: same)(value)}
            found = replace(found, **checked)
    return found
