"""Local paths, http(s) addresses and ``hf://`` references, read in one way.

::

    from ctok.hub import fs

    with fs.open("hf://org/name@main/model.gguf") as file:    # seekable: a header costs kilobytes
        magic = file.read(4)
    fs.read("hf://datasets/org/data/README.md")
    fs.exists("https://example.org/vocab.json")
    fs.ls("hf://org/name@v1")
    fs.glob("hf://datasets/org/data/**/*.parquet")

Why not fsspec: its http file system brings aiohttp and an event loop in a thread, follows
redirects with the token still on, and takes a 200 for a part; its ``hf://`` is
huggingface_hub. What is needed of it is this module, on the session, the token rules and the
cache that every other request of ctok uses.

What the cache holds is read from there: always for a commit hash or offline, else once the
Hub has said that it is still current. Remote parts are not checksummed (a part has no
checksum); in frozen mode the whole file is therefore downloaded and verified first.
"""

from __future__ import annotations

import fnmatch
import glob as local_glob
import io
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, cast
from urllib.parse import quote, urlsplit
from urllib.request import url2pathname

import requests

from ctok import config
from ctok.hub.checksum import etag_algorithm
from ctok.hub.errors import (
    EntryNotFoundError,
    HubHTTPError,
    HubValidationError,
    LocalEntryNotFoundError,
    OfflineModeError,
)
from ctok.hub.files import download
from ctok.hub.http import Client, origin
from ctok.hub.lockfile import resolve_frozen
from ctok.hub.metadata import FileMetadata, fetch_metadata
from ctok.hub.paths import Places, RepoId, check_filename, check_revision, is_commit
from ctok.hub.ranged import RangedFile
from ctok.hub.reference import Reference, parse_reference
from ctok.hub.refusal import Subject, shown_url
from ctok.hub.store import find_blob, find_file, is_absent, read_ref

SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
MAGIC = re.compile(r"[*?\[]")
# Statuses by which a signed address says that its time is over.
EXPIRED = frozenset({401, 403, 404, 410})


@dataclass(frozen=True)
class Entry:
    """One name in a folder. ``path`` can be given to ``open`` or ``ls`` again.

    ``size`` is None for folders.
    """

    path: str
    size: int | None

    @property
    def is_folder(self) -> bool:
        return self.size is None


@dataclass(frozen=True)
class Options:
    """How remote places are reached; the defaults are those of ``download``."""

    token: str | bool | None = None
    cache_dir: str | os.PathLike[str] | None = None
    offline: bool | None = None
    session: requests.Session | None = None

    @property
    def is_offline(self) -> bool:
        return config.offline() if self.offline is None else self.offline

    def client(self) -> Client:
        """A client for the configured endpoints."""
        return Client(token=self.token, session=self.session, offline=self.is_offline)

    def client_for(self, url: str) -> Client:
        """A client for any address. A token that was not given for it goes to endpoints only."""
        known = {origin(each) for each in config.endpoints()}
        parts = urlsplit(url)
        return Client(
            endpoint=f"{parts.scheme}://{parts.netloc}",
            token=False if self.token is None and origin(url) not in known else self.token,
            session=self.session,
            offline=self.is_offline,
        )


def open(  # noqa: A001 - the name that users of a file system expect
    path: str | os.PathLike[str] | Reference, **options: Any
) -> BinaryIO:
    """Opens a file for reading bytes, seekable wherever it lies.

    Args:
        path: a local path, ``file://``, ``http(s)://`` or ``hf://`` address, or a ``Reference``.
        **options: ``token``, ``cache_dir``, ``offline``, ``session``, as ``download`` takes them.

    Raises:
        FileNotFoundError: no such local file.
        EntryNotFoundError: no such file in the repository.
        RangeError: the server cannot serve parts of a large file.
        HubError: see ``Client.request``.

    Example:
        >>> with open("hf://org/name/model.gguf") as file:  # doctest: +SKIP
        ...     file.read(4)
        b'GGUF'
    """
    place, how = _place(path, options)
    if isinstance(place, Path):
        return place.open("rb")
    if isinstance(place, Reference):
        return _open_repo(place, how)
    client = how.client_for(place)

    def ask(headers: Mapping[str, str]) -> requests.Response:
        return client.request("GET", place, headers=headers, stream=True)

    return _ranged(client, ask, shown_url(place))


def read(
    path: str | os.PathLike[str] | Reference,
    start: int = 0,
    length: int | None = None,
    **options: Any,
) -> bytes:
    """Reads a file, or ``length`` bytes of it from ``start`` on.

    Raises:
        As ``open``.
    """
    with open(path, **options) as file:
        file.seek(start)
        return file.read(-1 if length is None else length)


def exists(path: str | os.PathLike[str] | Reference, **options: Any) -> bool:
    """Whether there is such a file or folder. Only "no such thing" is a no: a refused token
    or a server without answer raises.
    """
    place, how = _place(path, options)
    if isinstance(place, Path):
        return place.exists()
    if isinstance(place, Reference):
        return _exists_in_repo(place, how)
    with how.client_for(place) as client:
        try:
            client.request("HEAD", place).close()
        except HubHTTPError as exc:
            if exc.status in (404, 410):
                return False
            raise
    return True


def ls(path: str | os.PathLike[str] | Reference, **options: Any) -> list[Entry]:
    """What a folder holds, sorted by name.

    Raises:
        NotADirectoryError, FileNotFoundError: no local folder.
        EntryNotFoundError: no such folder in the repository.
        HubValidationError: an http(s) address: HTTP knows no folders.
    """
    place, how = _place(path, options)
    if isinstance(place, Path):
        return [_local_entry(each) for each in sorted(place.iterdir())]
    if isinstance(place, Reference):
        return _tree(place, how, recursive=False)
    raise HubValidationError(f"{shown_url(place)}: HTTP lists no folders", value=shown_url(place))


def glob(pattern: str, **options: Any) -> list[str]:
    """The files and folders that match, sorted: ``*``, ``?`` and ``[]`` within a name,
    ``**`` for any folders.

    Raises:
        As ``ls``. A local pattern that matches nothing is no error.

    Example:
        >>> glob("hf://datasets/org/data/**/*.parquet")  # doctest: +SKIP
        ['hf://datasets/org/data/train/0.parquet']
    """
    place, how = _place(pattern, options)
    if isinstance(place, Path):
        # Path.glob takes no absolute pattern.
        return sorted(local_glob.glob(str(place), recursive=True))  # noqa: PTH207
    if not isinstance(place, Reference):
        raise HubValidationError(
            f"{shown_url(place)}: HTTP lists no folders", value=shown_url(place)
        )
    parts = place.subdir.split("/")
    fixed = next((i for i, part in enumerate(parts) if MAGIC.search(part)), len(parts))
    top = replace(place, subdir="/".join(parts[:fixed]))
    found = _tree(top, how, recursive=True)
    base = len(str(replace(place, subdir=""))) + 1
    return [each.path for each in found if _matches(parts, each.path[base:].split("/"))]


# --- which place a path names ----------------------------------------------------------------


def _place(
    path: str | os.PathLike[str] | Reference, options: Mapping[str, Any]
) -> tuple[Path | Reference | str, Options]:
    try:
        how = Options(**options)
    except TypeError as exc:
        raise HubValidationError(f"unknown option: {exc}", value=dict(options)) from exc
    if isinstance(path, Reference) or (isinstance(path, str) and path.startswith("hf://")):
        found = parse_reference(path)
        if found.local is not None:
            return found.local / found.subdir, how
        token = how.token if found.token is None else found.token
        offline = how.offline if found.offline is None else found.offline
        return found, replace(how, token=token, offline=offline)
    text = os.fspath(path)
    scheme = SCHEME.match(text)
    if scheme is None:
        return Path(text).expanduser(), how
    if scheme[1].lower() in ("http", "https"):
        return text, how
    if scheme[1].lower() == "file":
        return Path(url2pathname(urlsplit(text).path)), how
    raise HubValidationError(
        f"{scheme[1]}:// is not known here; known: paths, file://, http://, https://, hf://",
        value=shown_url(text),
    )


# --- repositories ----------------------------------------------------------------------------


def _open_repo(place: Reference, how: Options) -> BinaryIO:
    repo, revision = RepoId.of(place.repo, place.kind), check_revision(place.revision)
    if not place.subdir:
        raise HubValidationError(f"{place} names a repository, not a file", value=str(place))
    if resolve_frozen(None) is not None:
        top = replace(place, subdir="", token=how.token, offline=how.offline)
        path = download(top, place.subdir, cache_dir=how.cache_dir, session=how.session)
        return path.open("rb")
    places = _places(repo, how)
    cached = _cached(places, revision, place.subdir)
    if cached is not None and (how.is_offline or is_commit(revision)):
        return cached.open("rb")
    if how.is_offline:
        raise LocalEntryNotFoundError(
            f"{place.subdir!r} of {repo} at revision {revision!r} is not in the cache "
            f"{places.root}, and offline mode is on",
            repo_id=repo.id,
            revision=revision,
            filename=place.subdir,
        )
    client = how.client()
    try:
        metadata = fetch_metadata(client, repo, revision, place.subdir)
        blob = find_blob(places, metadata.etag, metadata.size)
        if blob is not None and etag_algorithm(metadata.etag) is not None:
            client.close()
            return blob.open("rb")
        if metadata.size == 0:
            client.close()
            return io.BytesIO()
        return _ranged(client, _Asking(client, repo, place.subdir, metadata), str(place))
    except BaseException:
        client.close()
        raise


class _Asking:
    """Sends range requests for one file of one commit; renews a signed address once it is old."""

    def __init__(self, client: Client, repo: RepoId, filename: str, metadata: FileMetadata) -> None:
        self._client = client
        self._repo = repo
        self._filename = filename
        self._metadata = metadata

    def __call__(self, headers: Mapping[str, str]) -> requests.Response:
        location = self._metadata.location
        if location is not None:
            try:
                return self._client.request("GET", location, headers=headers, stream=True)
            except HubHTTPError as exc:
                if exc.status not in EXPIRED:
                    raise
            commit = self._metadata.commit
            self._metadata = fetch_metadata(self._client, self._repo, commit, self._filename)
        return self._client.request(
            "GET",
            self._metadata.location or self._repo.file_path(self._metadata.commit, self._filename),
            subject=Subject(self._repo, self._metadata.commit, self._filename),
            headers=headers,
            stream=True,
        )


def _ranged(client: Client, ask: Any, name: str) -> BinaryIO:
    try:
        return cast(BinaryIO, io.BufferedReader(RangedFile(ask, name, client.close)))
    except BaseException:
        client.close()
        raise


def _exists_in_repo(place: Reference, how: Options) -> bool:
    repo, revision = RepoId.of(place.repo, place.kind), check_revision(place.revision)
    places = _places(repo, how)
    commit = read_ref(places, revision)
    if commit is not None and (how.is_offline or commit == revision):
        if (places.snapshot(commit) / place.subdir).exists():
            return True
        if is_absent(places, commit, place.subdir):
            return False
    if how.is_offline:
        raise OfflineModeError(f"offline mode is on and the cache does not know {place}")
    try:
        if not place.subdir:
            _tree(place, how, recursive=False)
            return True
        with how.client() as client:
            fetch_metadata(client, repo, revision, place.subdir)
        return True
    except EntryNotFoundError:
        pass
    try:
        return bool(_tree(place, how, recursive=False))
    except EntryNotFoundError:
        return False


def _tree(place: Reference, how: Options, *, recursive: bool) -> list[Entry]:
    repo, revision = RepoId.of(place.repo, place.kind), check_revision(place.revision)
    top = replace(place, subdir="")
    if how.is_offline:
        return _cached_tree(place, _places(repo, how), revision, recursive)
    path = repo.api_path("tree", revision) + (f"/{quote(place.subdir)}" if place.subdir else "")
    with how.client() as client:
        rows: Iterable[Any] = client.pages(
            path,
            subject=Subject(repo, revision, place.subdir),
            params={"recursive": "true"} if recursive else None,
        )
        return sorted(
            (
                Entry(
                    str(top.join(check_filename(row["path"]))),
                    row["size"] if row["type"] == "file" else None,
                )
                for row in rows
            ),
            key=lambda entry: entry.path,
        )


def _cached_tree(place: Reference, places: Places, revision: str, recursive: bool) -> list[Entry]:
    commit = read_ref(places, revision)
    folder = None if commit is None else places.snapshot(commit) / place.subdir
    if folder is None or not folder.is_dir():
        raise LocalEntryNotFoundError(
            f"{place} is not in the cache {places.root}, and offline mode is on",
            repo_id=place.repo,
            revision=revision,
            filename=place.subdir,
        )
    inside = folder.rglob("*") if recursive else folder.iterdir()
    return sorted(
        (
            Entry(
                str(place.join(each.relative_to(folder).as_posix())),
                None if each.is_dir() else each.stat().st_size,
            )
            for each in inside
        ),
        key=lambda entry: entry.path,
    )


def _places(repo: RepoId, how: Options) -> Places:
    root = config.hub_cache() if how.cache_dir is None else config.expand(how.cache_dir)
    return Places(root, repo)


def _cached(places: Places, revision: str, filename: str) -> Path | None:
    commit = read_ref(places, revision)
    return None if commit is None else find_file(places, commit, filename)


def _local_entry(path: Path) -> Entry:
    return Entry(str(path), None if path.is_dir() else path.stat().st_size)


def _matches(pattern: Sequence[str], names: Sequence[str]) -> bool:
    """Whether the parts of a path match those of a pattern; ``**`` is any number of parts."""
    if not pattern:
        return not names
    if pattern[0] == "**":
        return _matches(pattern[1:], names) or (bool(names) and _matches(pattern, names[1:]))
    return (
        bool(names)
        and fnmatch.fnmatchcase(names[0], pattern[0])
        and _matches(pattern[1:], names[1:])
    )
