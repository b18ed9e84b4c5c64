"""What the Hub says about a file before any byte of it is asked for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from ctok.hub.errors import HubHTTPError
from ctok.hub.http import Client, origin
from ctok.hub.paths import RepoId, is_commit
from ctok.hub.refusal import Subject, shown_url
from ctok.hub.retry import RetryPolicy

if TYPE_CHECKING:
    import requests


@dataclass(frozen=True)
class FileMetadata:
    """A file as the Hub announces it.

    Attributes:
        commit: the full hash of the commit that the revision means now.
        etag: the name of its content: SHA-256 in LFS, else git's SHA-1.
        size: its length, where the server says.
        location: the signed address of the bytes, where they lie outside the Hub.
    """

    commit: str
    etag: str
    size: int | None = None
    location: str | None = None

    def __repr__(self) -> str:
        # The location is as good as a key.
        return f"<FileMetadata {self.etag} at {self.commit}, {self.size} bytes>"


def normalized_etag(value: str | None) -> str | None:
    """An ETag without its weak mark and quotes.

    Example:
        >>> normalized_etag('W/"abc"')
        'abc'
    """
    if value is None:
        return None
    return re.sub(r"^W/", "", value.strip()).strip('"') or None


def fetch_metadata(
    client: Client,
    repo: RepoId,
    revision: str,
    filename: str,
    *,
    retry: RetryPolicy | None = None,
) -> FileMetadata:
    """Asks with HEAD. Redirects on the Hub (a renamed repository) are followed; one that leads
    away from it is the address of the bytes, and is kept unvisited.

    Raises:
        RemoteEntryNotFoundError: with ``commit`` where the Hub named it.
        HubError: see ``Client.request``.
    """
    hops: list[requests.Response] = []

    def leads_away(response: requests.Response) -> bool:
        hops.append(response)
        where = urljoin(response.url, response.headers["Location"])
        return origin(where) != origin(response.url) and _header(hops, "Etag") is not None

    response = client.request(
        "HEAD",
        repo.file_path(revision, filename),
        subject=Subject(repo, revision, filename),
        stop=leads_away,
        retry=retry,
    )
    response.close()
    away = bool(hops) and hops[-1] is response
    seen = hops if away else [*hops, response]
    etag = normalized_etag(_header(seen, "Etag"))
    commit = _header(seen, "Commit") or (revision if is_commit(revision) else "")
    if etag is None or not is_commit(commit):
        raise HubHTTPError(
            f"{shown_url(response.url)} does not answer as the Hub does: no commit or no ETag",
            status=response.status_code,
            url=shown_url(response.url),
            suggestions=(
                "Check the endpoint (HF_ENDPOINT): a mirror must pass on X-Repo-Commit and ETag.",
                "A mirror without them works with a full commit hash as revision.",
            ),
        )
    size = _header(seen, "X-Linked-Size")
    if size is None and not away and "Content-Encoding" not in response.headers:
        size = response.headers.get("Content-Length")
    return FileMetadata(
        commit=commit,
        etag=etag,
        size=int(size) if size is not None and size.isdigit() else None,
        location=urljoin(response.url, response.headers["Location"]) if away else None,
    )


def _header(hops: list[requests.Response], name: str) -> str | None:
    """The first value on the way. What LFS is linked to counts, not the pointer's own ETag."""
    names = {"Etag": ("X-Linked-Etag", "ETag"), "Commit": ("X-Repo-Commit",)}.get(name, (name,))
    for each in names:
        for response in hops:
            value: str | None = response.headers.get(each)
            if value is not None:
                return value
    return None
