"""Carries repositories to machines without network: one archive, verified as a whole.

::

    models.tar
        bundle.json       what a lock file says, and each file's ETag
        files/<sha256>    the content, once however often it is used

A bundle of the same files is the same bytes. On import everything is unpacked aside and every
checksum compared; only then is anything placed into the cache, blobs first and refs last, each
by one rename. A bundle with a wrong byte, a missing or an extra file changes nothing.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import secrets
import shutil
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from ctok import config
from ctok.errors import FormatError
from ctok.hub.checksum import etag_algorithm, git_sha1_of, sha256_of, verify_file
from ctok.hub.compressed import Limits
from ctok.hub.disk import sync_directory, writing
from ctok.hub.errors import VERIFICATION, HubError, VerificationError
from ctok.hub.extract import MARK, extract
from ctok.hub.http import Client
from ctok.hub.lockfile import Lock, PinnedFile, PinnedRepo, format_lock, parse_lock
from ctok.hub.locks import file_lock
from ctok.hub.obtain import Job, obtain
from ctok.hub.paths import Places, RepoId, blob_name, ensure_inside
from ctok.hub.store import find_blob, link, new_incomplete, publish, write_ref

if TYPE_CHECKING:
    import requests

MANIFEST = "bundle.json"
# Weights hardly compress, so what is unpacked is about what is there; text is small anyway.
LIMITS = Limits(max_bytes=4 << 40)


class BundleError(HubError, ValueError):
    """A bundle that is not what its manifest says. Nothing was imported. ``path``."""

    path: str
    exit_code = VERIFICATION
    default_suggestions = (
        "Copy the bundle again and compare its checksum on both machines (sha256sum).",
        "Write it anew where there is a network: ctok bundle export FILE",
    )


def export_bundle(
    lock: Lock,
    target: str | os.PathLike[str],
    *,
    token: str | bool | None = None,
    cache_dir: str | os.PathLike[str] | None = None,
    offline: bool | None = None,
    session: requests.Session | None = None,
    told: Callable[[str], object] | None = None,
) -> Path:
    """Writes everything a lock pins into one archive; fetches what the cache lacks.

    Args:
        lock: what to carry; every file is compared with its checksum on the way.
        target: ``.tar``, or ``.tar.gz`` to compress. Replaced if it exists; appears whole.
        token, cache_dir, offline, session: as ``download`` takes them.
        told: called with the name of each file as it is added.

    Raises:
        VerificationError: the cache or the Hub has other bytes than the lock says.
        HubError: see ``download``.

    Example:
        >>> export_bundle(read_lock("ctok.lock"), "models.tar")  # doctest: +SKIP
    """
    place = Path(target)
    place.parent.mkdir(parents=True, exist_ok=True)
    root = config.hub_cache() if cache_dir is None else config.expand(cache_dir)
    temporary = place.with_name(f".{place.name}.{secrets.token_hex(4)}.incomplete")
    try:
        with Client(token=token, offline=offline, session=session) as client:
            found = {
                (pinned.key, path): _fetch(client, root, pinned, path, file)
                for pinned in lock.repos.values()
                for path, file in pinned.files.items()
            }
        manifest = json.loads(format_lock(lock))
        for (key, path), local in found.items():
            manifest["repos"][key]["files"][path]["etag"] = _etag(local)
        text = json.dumps(manifest, indent=1, sort_keys=True).encode()
        with temporary.open("xb") as out, _tar(out, place.name) as tar:
            _add(tar, MANIFEST, io.BytesIO(text), len(text))
            contents = {sha256_in(lock, *each): local for each, local in found.items()}
            for digest, local in sorted(contents.items()):
                if told is not None:
                    told(str(local.name))
                with local.open("rb") as file:
                    _add(tar, f"files/{digest}", file, local.stat().st_size)
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(place)
    finally:
        temporary.unlink(missing_ok=True)
    sync_directory(place.parent)
    return place


def sha256_in(lock: Lock, key: str, path: str) -> str:
    """The checksum that a lock pins for a file."""
    return lock.repos[key].files[path].sha256


def import_bundle(
    bundle: str | os.PathLike[str],
    *,
    cache_dir: str | os.PathLike[str] | None = None,
    limits: Limits | None = None,
) -> Lock:
    """Places what a bundle carries into the cache, after verifying all of it.

    Args:
        bundle: what ``export_bundle`` wrote.
        cache_dir: the Hub cache to fill.
        limits: how much may be unpacked.

    Returns:
        What is in the cache now: write it to a lock file to hold later runs to it.

    Raises:
        BundleError: it is not what its manifest says; the cache is as it was.
        ArchiveError: it is no archive, or a hostile one.
        CacheWriteError: the cache could not be written.

    Example:
        >>> import_bundle("models.tar")  # doctest: +SKIP
    """
    source = Path(bundle)
    if not source.is_file():
        raise BundleError(f"{source}: there is no such file", path=str(source), exit_code=1)
    root = config.hub_cache() if cache_dir is None else config.expand(cache_dir)
    aside = config.cache_dir() / "bundles" / secrets.token_hex(8)
    try:
        with writing(aside):
            unpacked = extract(source, aside, limits=limits or LIMITS)
        lock, etags = _verified(source, unpacked)
        for pinned in lock.repos.values():
            places = Places(root, RepoId(pinned.repo, pinned.kind))
            for path, file in sorted(pinned.files.items()):
                _place(unpacked, places, pinned.commit, path, file, etags[pinned.key, path])
        for pinned in lock.repos.values():
            write_ref(
                Places(root, RepoId(pinned.repo, pinned.kind)), pinned.revision, pinned.commit
            )
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return lock


# --- export ----------------------------------------------------------------------------------


def _fetch(client: Client, root: Path, pinned: PinnedRepo, path: str, file: PinnedFile) -> Path:
    places = Places(root, RepoId.of(pinned.repo, pinned.kind))
    return obtain(
        Job(
            places,
            pinned.commit,
            path,
            client,
            expected_sha256=file.sha256,
            frozen=True,
        )
    )


def _etag(local: Path) -> str:
    """The blob's name where the snapshot is a link to it, else what git would call it."""
    if local.is_symlink():
        name = Path(local.readlink()).name
        if etag_algorithm(name) is not None:
            return name
    return git_sha1_of(local)


@contextmanager
def _tar(out: IO[bytes], name: str) -> Iterator[tarfile.TarFile]:
    if name.endswith((".gz", ".tgz")):
        # No time and no name in the header: the same files give the same bytes.
        with (
            gzip.GzipFile(filename="", mode="wb", fileobj=out, mtime=0) as packed,
            tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
        ):
            yield tar
    else:
        with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
            yield tar


def _add(tar: tarfile.TarFile, name: str, data: IO[bytes], size: int) -> None:
    info = tarfile.TarInfo(name)
    info.size = size
    tar.addfile(info, data)


# --- import ----------------------------------------------------------------------------------


def _verified(source: Path, unpacked: Path) -> tuple[Lock, dict[tuple[str, str], str]]:
    """Compares all that was unpacked with the manifest, and the manifest with itself."""

    def refuse(what: str) -> BundleError:
        return BundleError(f"{source}: {what}", path=str(source))

    try:
        data = json.loads((unpacked / MANIFEST).read_text(encoding="utf-8"))
        lock = parse_lock(data, f"{source}: {MANIFEST}")
    except (OSError, ValueError) as exc:
        reason = exc.message if isinstance(exc, FormatError) else f"no readable {MANIFEST}"
        raise refuse(reason) from exc
    etags: dict[tuple[str, str], str] = {}
    expected: dict[str, int] = {}
    for pinned in lock.repos.values():
        for path, file in pinned.files.items():
            etag = data["repos"][pinned.key]["files"][path].get("etag")
            if not isinstance(etag, str) or etag_algorithm(etag) is None:
                raise refuse(f"{pinned.key}: {path}: {etag!r} is no checksum")
            etags[pinned.key, path] = etag
            if expected.setdefault(file.sha256, file.size) != file.size:
                raise refuse(f"{pinned.key}: {path}: one checksum with two sizes")
    found = {
        each.relative_to(unpacked).as_posix() for each in unpacked.rglob("*") if not each.is_dir()
    }
    wanted = {MANIFEST, MARK, *(f"files/{digest}" for digest in expected)}
    if found != wanted:
        odd = sorted(found ^ wanted)[0]
        raise refuse(f"{odd} is {'not in the manifest' if odd in found else 'missing'}")
    for digest, size in expected.items():
        _compare(refuse, unpacked / "files" / digest, size, digest, None)
    for pinned in lock.repos.values():
        for path, file in pinned.files.items():
            content = unpacked / "files" / file.sha256
            _compare(refuse, content, file.size, None, etags[pinned.key, path])
    return lock, etags


def _compare(
    refuse: Callable[[str], BundleError],
    path: Path,
    size: int,
    digest: str | None,
    etag: str | None,
) -> None:
    try:
        verify_file(path, etag=etag, size=size, expected_sha256=digest, shown=path.name)
    except VerificationError as exc:
        raise refuse(exc.message) from exc


def _place(
    unpacked: Path, places: Places, commit: str, path: str, file: PinnedFile, etag: str
) -> None:
    with writing(places.folder), file_lock(places.lock(etag)):
        ensure_inside(places.blob(etag), places.folder)
        blob = find_blob(places, etag, file.size)
        if blob is None or sha256_of(blob) != file.sha256:
            temporary = new_incomplete(places.blobs, blob_name(etag))
            try:
                with (
                    (unpacked / "files" / file.sha256).open("rb") as content,
                    temporary.open("r+b") as out,
                ):
                    shutil.copyfileobj(content, out, 1 << 20)
                    out.flush()
                    os.fsync(out.fileno())
                publish(temporary, places.blob(etag))
            finally:
                temporary.unlink(missing_ok=True)
        link(places, etag, commit, path)
