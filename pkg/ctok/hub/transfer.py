"""Receives the bytes of one file, resuming where a connection broke, and never splices two files.

::

    ask (Range, If-Range) --> 200: from the start   --> chunks --> all there? --> done
       ^                      206: from the offset         |            | no
       |                      416: nothing is left         |            |
       +------------- pause <------- broke or fell silent -+------------+

What keeps two versions apart: the address is that of a commit, or signed for one content;
``If-Range`` makes a server send a changed file whole; the length must be the announced one.
The caller compares the checksum.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ctok import config
from ctok.hub.checksum import etag_algorithm
from ctok.hub.errors import HubConnectionError, HubError, HubHTTPError, TruncatedError
from ctok.hub.http import Client, origin
from ctok.hub.metadata import FileMetadata, normalized_etag
from ctok.hub.paths import RepoId
from ctok.hub.refusal import Subject, no_answer, shown_url
from ctok.hub.retry import RetryPolicy

if TYPE_CHECKING:
    import requests

_logger = logging.getLogger("ctok.hub")

CHUNK = 64 << 10
# A connection that brought this much is no longer the failed one: the count starts over.
_WORTH = 1 << 20


@dataclass(frozen=True)
class Wanted:
    """One file to receive, as announced."""

    repo: RepoId
    filename: str
    metadata: FileMetadata

    @property
    def subject(self) -> Subject:
        return Subject(self.repo, self.metadata.commit, self.filename)


def receive(
    client: Client,
    wanted: Wanted,
    *,
    start: int = 0,
    chunk_size: int = CHUNK,
    rate_limit: float | None = None,
    timeout: float | None = None,
) -> Iterator[tuple[int, bytes]]:
    """Yields ``(offset, chunk)`` until the whole file came.

    An offset that is smaller than before means that the transfer began again there: what was
    yielded from that offset on is to be forgotten.

    Args:
        client: how to ask.
        wanted: what to ask for.
        start: bytes that are there already, from another run. Only for an ETag that is a
            checksum, which the caller verifies.
        chunk_size: the most bytes in one chunk.
        rate_limit: bytes per second; None for no limit.
        timeout: seconds without a byte after which the connection counts as dead.

    Raises:
        HubConnectionError: no answer, or broken again and again.
        HubHTTPError: refused.
        TruncatedError: more or fewer bytes than announced, again and again.
    """
    transfer = _Transfer(client, wanted, start, timeout or config.download_timeout())
    pace = _Pace(client, rate_limit)
    failed, since = 0, start
    while not transfer.complete:
        try:
            for offset, chunk in transfer.run(pace.chunk(chunk_size)):
                yield offset, chunk
                pace.wait(len(chunk))
        except HubError as error:
            failed = 1 if transfer.offset - since >= _WORTH else failed + 1
            since = transfer.offset
            wait = transfer.pause(error, failed)
            if wait is None:
                raise
            _logger.debug("%s; going on at byte %d in %.1f s", error, transfer.offset, wait)
            client.clock.sleep(wait)


class _Transfer:
    """The state that outlives a connection: how far, from where, and what it must still be."""

    def __init__(self, client: Client, wanted: Wanted, start: int, timeout: float) -> None:
        self._client = client
        self._wanted = wanted
        self._size = wanted.metadata.size
        self._timeout = timeout
        self._signed = wanted.metadata.location
        self._provable = etag_algorithm(wanted.metadata.etag) is not None
        self._validator: str | None = None
        self.offset = start
        # An empty file is complete only once the server said so: its first answer is awaited.
        self.complete = False

    def pause(self, error: HubError, failed: int) -> float | None:
        """Seconds until the next try, or None to give up."""
        policy = self._client.retry
        if isinstance(error, TruncatedError):
            return policy.pause(failed, self._client.clock) if failed <= policy.retries else None
        return self._client.wait_before_retry(error, failed)

    def run(self, chunk_size: int) -> Iterator[tuple[int, bytes]]:
        """One connection's worth of chunks."""
        if self.offset and self.offset == self._size:
            self.complete = True
            return
        response = self._open()
        if response is None:
            self.complete = True
            return
        with response:
            announced = self._announced(response)
            for chunk in _chunks(response, chunk_size):
                if self._size is not None and self.offset + len(chunk) > self._size:
                    self._start_over(self._size, self.offset + len(chunk))
                yield self.offset, chunk
                self.offset += len(chunk)
        end = self._size if self._size is not None else announced
        if end is not None and self.offset != end:
            raise TruncatedError(
                f"{self._wanted.subject}: the connection ended after {self.offset} of {end} bytes",
                expected=end,
                actual=self.offset,
            )
        self.complete = True

    def _open(self) -> requests.Response | None:
        """Asks for what is missing; None where nothing is."""
        headers: dict[str, str] = {}
        if self.offset and not (self._validator or self._provable):
            self.offset = 0
        if self.offset:
            headers["Range"] = f"bytes={self.offset}-"
            if self._validator:
                headers["If-Range"] = self._validator
        try:
            response = self._ask(headers)
        except HubHTTPError as error:
            if error.status != 416 or not self.offset:
                raise
            if self._size is None and self._provable:
                return None
            self.offset = 0
            response = self._ask({})
        if response.status_code == 206:
            self._check_range(response)
        else:
            self.offset = 0
        tag = response.headers.get("ETag")
        self._validator = tag if tag and not tag.startswith("W/") else None
        return response

    def _ask(self, headers: dict[str, str]) -> requests.Response:
        metadata = self._wanted.metadata
        # One try: receive() counts them, so that a broken body and a dead server share a limit.
        more: dict[str, Any] = {
            "headers": headers,
            "stream": True,
            "timeout": self._timeout,
            "retry": RetryPolicy(retries=0),
        }
        if self._signed is not None:
            try:
                return self._client.request("GET", self._signed, **more)
            except HubConnectionError:
                # The next try asks the Hub, or another endpoint, where else the bytes are.
                self._signed = None
                raise
            except HubHTTPError as error:
                if error.status not in (400, 401, 403, 404, 410):
                    raise
                # Signed addresses expire: the Hub hands out a new one.
                self._signed = None
        path = self._wanted.repo.file_path(metadata.commit, self._wanted.filename)
        return self._client.request("GET", path, subject=self._wanted.subject, **more)

    def _check_range(self, response: requests.Response) -> None:
        stated = re.fullmatch(
            r"bytes (\d+)-(\d+)/(\d+|\*)", response.headers.get("Content-Range", "")
        )
        right = stated is not None and int(stated[1]) == self.offset
        if right and stated is not None and stated[3] != "*" and self._size is not None:
            right = int(stated[3]) == self._size
        if not right:
            response.close()
            said = response.headers.get("Content-Range")
            offset, self.offset, self._validator = self.offset, 0, None
            raise TruncatedError(
                f"{shown_url(response.url)} sent the range {said!r} for bytes {offset}- "
                f"of {self._size}",
                expected=self._size,
                actual=offset,
            )

    def _announced(self, response: requests.Response) -> int | None:
        """The length of the whole file by this answer. Another than known is refused at once."""
        length = response.headers.get("Content-Length", "")
        if not length.isdigit() or response.headers.get("Content-Encoding", "identity") not in (
            "identity",
            "",
        ):
            return None
        whole = self.offset + int(length)
        if self._size is not None and whole != self._size:
            self._start_over(self._size, whole)
        metadata = self._wanted.metadata
        tag = normalized_etag(response.headers.get("X-Linked-Etag") or response.headers.get("ETag"))
        on_hub = any(origin(response.url) == origin(each) for each in self._client.endpoints)
        if on_hub and tag is not None and tag != metadata.etag and not self._provable:
            self._start_over(metadata.etag, tag)
        return whole

    def _start_over(self, expected: object, actual: object) -> None:
        self.offset, self._validator = 0, None
        raise TruncatedError(
            f"{self._wanted.subject}: the server sends {actual}, not the announced {expected}",
            expected=expected,
            actual=actual,
        )


def _chunks(response: requests.Response, size: int) -> Iterator[bytes]:
    import requests

    try:
        for chunk in response.iter_content(size):
            if chunk:
                yield chunk
    except requests.RequestException as exc:
        raise no_answer(exc, response.url) from exc


class _Pace:
    """Keeps the average below a rate by resting after each chunk."""

    def __init__(self, client: Client, rate: float | None) -> None:
        self._clock = client.clock
        self._rate = config.rate_limit() if rate is None else rate
        self._due = self._clock.monotonic()

    def chunk(self, size: int) -> int:
        """Small enough for four chunks per second, so that the flow is even."""
        return size if self._rate is None else max(1, min(size, int(self._rate / 4)))

    def wait(self, received: int) -> None:
        if self._rate is None:
            return
        now = self._clock.monotonic()
        self._due = max(self._due, now - 0.25) + received / self._rate
        if self._due > now:
            self._clock.sleep(self._due - now)
