"""The plain layout: one folder per revision, for files that come from an injected fetcher.

::

    <ctok cache>/hf/<org__name>/<revision>/<filename>

It knows no commits and no checksums, so a file that is there is never asked for again unless
forced. It lives in ctok's own cache: what did not come from the Hub's protocol must not enter
the cache that is shared with huggingface_hub.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ctok.hub import store
from ctok.hub.checksum import verify_file
from ctok.hub.disk import writing
from ctok.hub.errors import HubValidationError
from ctok.hub.locks import file_lock
from ctok.hub.paths import RepoId, ensure_inside

# (repo_id, revision, filename, options) -> the file's bytes
Fetch = Callable[[str, str, str, Mapping[str, Any]], bytes]


def flat_path(root: Path, repo: RepoId, revision: str, filename: str) -> Path:
    """Where a file lies. Every part was checked before, so none climbs.

    Example:
        >>> flat_path(Path("/c"), RepoId("org/name"), "refs/pr/1", "a/b.json").as_posix()
        '/c/hf/org__name/refs__pr__1/a/b.json'
    """
    folder = repo.id.replace("/", "__")
    if repo.kind != "model":
        folder = f"{repo.kind}s__{folder}"
    return root / "hf" / folder / revision.replace("/", "__") / filename


def find_flat(path: Path) -> Path | None:
    """The cached file. An empty one counts as the remains of an accident."""
    try:
        return path if path.is_file() and path.stat().st_size > 0 else None
    except OSError:
        return None


def resolve_flat(
    path: Path,
    write: Callable[[Path], None],
    *,
    root: Path,
    force: bool,
    expected_sha256: str | None,
    lock_timeout: float | None,
) -> Path:
    """Returns ``path``, calling ``write(temporary)`` to fill it where it is not there.

    Of many callers one writes, and the file appears whole or not at all.
    """
    found = None if force else find_flat(path)
    if found is None:
        ensure_inside(path, root)
        with (
            writing(path),
            file_lock(path.with_name(f".{path.name}.lock"), timeout=lock_timeout),
        ):
            found = None if force else find_flat(path)
            if found is None:
                temporary = store.new_incomplete(path.parent, f"flat-{path.name}")
                try:
                    write(temporary)
                    verify_file(temporary, expected_sha256=expected_sha256, shown=path.name)
                    store.publish(temporary, path)
                except BaseException:
                    temporary.unlink(missing_ok=True)
                    raise
                return path
    verify_file(found, expected_sha256=expected_sha256)
    return found


def call_fetch(
    fetch: Fetch, repo: RepoId, revision: str, filename: str, options: Mapping[str, Any]
) -> bytes:
    """Calls the injected fetcher and checks what it returns.

    Raises:
        HubValidationError: it is not callable, or returned no bytes.
    """
    if not callable(fetch):
        raise HubValidationError(
            f"fetch= is {type(fetch).__name__}, not a function of "
            "(repo_id, revision, filename, options)",
            value=fetch,
        )
    data = fetch(repo.id, revision, filename, options)
    if not isinstance(data, bytes | bytearray | memoryview):
        raise HubValidationError(
            f"fetch= returned {type(data).__name__} for {filename!r} of {repo}, not bytes",
            value=None,
        )
    return bytes(data)
