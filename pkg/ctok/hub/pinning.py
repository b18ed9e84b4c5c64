"""Finds out what a repository is now, so that a lock file can hold it to that."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from ctok import config
from ctok.hub.checksum import etag_algorithm, sha256_of
from ctok.hub.errors import HubHTTPError, RemoteEntryNotFoundError
from ctok.hub.http import Client
from ctok.hub.lockfile import PinnedFile, PinnedRepo
from ctok.hub.metadata import FileMetadata
from ctok.hub.obtain import Job, obtain
from ctok.hub.paths import Places, RepoId, check_filename, check_revision, is_commit
from ctok.hub.reference import parse_reference
from ctok.hub.refusal import Subject

if TYPE_CHECKING:
    import requests


def pin_repo(
    reference: Any,
    files: Iterable[str] = (),
    *,
    token: str | bool | None = None,
    cache_dir: str | os.PathLike[str] | None = None,
    session: requests.Session | None = None,
    client: Client | None = None,
    told: Callable[[str], object] | None = None,
) -> PinnedRepo:
    """Asks the Hub for a repository's commit and its files' checksums.

    The Hub knows the SHA-256 of files in LFS; any other file is small, and is downloaded into
    the cache (verified, as always) to compute it.

    Args:
        reference: the repository, as ``parse_reference`` takes it.
        files: names or patterns (``*.json``) of files to pin; all files when empty.
        token, cache_dir, session: as ``download`` takes them.
        client: a client to use in place of ``token`` and ``session``.
        told: called with the name of each file that is downloaded.

    Raises:
        RemoteEntryNotFoundError: a name or pattern matches no file.
        HubError: see ``Client.request``.

    Example:
        >>> pin_repo("org/name", ["tokenizer*.json"]).commit  # doctest: +SKIP
        '89d0...'
    """
    place = parse_reference(reference, token=token)
    repo, revision = RepoId.of(place.repo, place.kind), check_revision(place.revision)
    if client is not None:
        return _pin(client, repo, revision, tuple(files), cache_dir, told)
    with Client(token=place.token, session=session, offline=place.offline) as own:
        return _pin(own, repo, revision, tuple(files), cache_dir, told)


def _pin(
    client: Client,
    repo: RepoId,
    revision: str,
    wanted: tuple[str, ...],
    cache_dir: str | os.PathLike[str] | None,
    told: Callable[[str], object] | None,
) -> PinnedRepo:
    subject = Subject(repo, revision)
    commit = client.get_json(repo.api_path("revision", revision), subject=subject).get("sha", "")
    if not is_commit(commit):
        raise HubHTTPError(f"{repo} at {revision!r}: the Hub names no commit", url=str(repo))
    rows = [
        {**row, "path": check_filename(row["path"])}
        for row in client.pages(
            repo.api_path("tree", commit), subject=subject, params={"recursive": "true"}
        )
        if row["type"] == "file"
    ]
    chosen = _choose({row["path"]: row for row in rows}, wanted, repo, revision)
    root = config.hub_cache() if cache_dir is None else config.expand(cache_dir)
    pinned: dict[str, PinnedFile] = {}
    for path, row in sorted(chosen.items()):
        lfs = row.get("lfs") or {}
        if etag_algorithm(lfs.get("oid", "")) == "sha256":
            pinned[path] = PinnedFile(lfs["oid"], lfs["size"])
            continue
        if told is not None:
            told(path)
        known = FileMetadata(commit, row["oid"], row["size"])
        local = obtain(Job(Places(root, repo), commit, path, client, metadata=known))
        pinned[path] = PinnedFile(sha256_of(local), local.stat().st_size)
    return PinnedRepo(repo.id, repo.kind, revision, commit, pinned)


def _choose(
    rows: dict[str, Any], wanted: tuple[str, ...], repo: RepoId, revision: str
) -> dict[str, Any]:
    """The rows that a name or pattern means; one that means none is a mistake."""
    if not wanted:
        return rows
    chosen = {}
    for each in wanted:
        found = [path for path in rows if path == each or fnmatch.fnmatchcase(path, each)]
        if not found:
            raise RemoteEntryNotFoundError(
                f"no file of {repo} at revision {revision!r} matches {each!r}",
                url=str(repo),
                repo_id=repo.id,
                revision=revision,
                filename=each,
            )
        chosen.update({path: rows[path] for path in found})
    return chosen
