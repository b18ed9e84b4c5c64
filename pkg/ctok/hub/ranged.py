"""A remote file that can be sought in, paid for by the part that is read.

Bytes arrive in windows: the first is small, the next ones double while reading goes on
where the last one ended, and a jump starts small again. So the header of a model file of
many gigabytes costs kilobytes, and reading it all costs few requests.

Windows of two versions of a file are never mixed: every request after the first carries
``If-Range`` with the ETag of the first, and the size must stay what it was. A server that
answers a range request with the whole file is left at once, unless the file is small.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from typing import Any

import requests

from ctok.hub.errors import NETWORK, HubError, HubHTTPError, TruncatedError

FIRST_WINDOW = 64 << 10
LARGEST_WINDOW = 8 << 20
# A whole file of this size may come in place of a range: it costs no more than a window.
SMALL_FILE = 1 << 20
ATTEMPTS = 3
CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")

Ask = Callable[[Mapping[str, str]], requests.Response]


class RangeError(HubError, io.UnsupportedOperation):
    """The server does not serve parts of the file, or the file changed between two parts.

    ``url`` (without its query) says which.
    """

    url: str
    exit_code = NETWORK
    default_suggestions = ("Download the file and open the copy: ctok fetch REPO FILE.",)


class RangedFile(io.RawIOBase):
    """Reads through ``ask``, which sends one GET with the headers given.

    ``ask`` returns a streamed response below 400 and raises ``HubHTTPError`` for others; it
    follows redirects, adds the credentials and tries again where no answer came. Wrap the
    file in ``io.BufferedReader`` for reads that are never short.

    Args:
        ask: sends the request.
        name: for messages: no query, no password.
        closing: called when the file is closed.

    Attributes:
        size: of the whole file, in bytes.
        requests: how many requests were sent.
    """

    def __init__(self, ask: Ask, name: str, closing: Callable[[], object] | None = None) -> None:
        super().__init__()
        self._ask = ask
        self._closing = closing
        self.name = name
        self.size = 0
        self.requests = 0
        self._etag: str | None = None
        self._whole = False
        self._position = 0
        self._start = 0
        self._window = memoryview(b"")
        self._length = FIRST_WINDOW
        self._fetch(0)

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        if not self.closed and self._closing is not None:
            self._closing()
        super().close()

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size}[whence]
        if base + offset < 0:
            raise ValueError(f"{self.name}: cannot seek to {base + offset}")
        self._position = base + offset
        return self._position

    def readinto(self, buffer: Any) -> int:
        if self._position >= self.size or not len(buffer):
            return 0
        if not 0 <= self._position - self._start < len(self._window):
            self._grow()
            self._fetch(self._position)
        offset = self._position - self._start
        piece = self._window[offset : offset + len(buffer)]
        buffer[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)

    def _grow(self) -> None:
        onwards = self._position == self._start + len(self._window)
        self._length = min(self._length * 2, LARGEST_WINDOW) if onwards else FIRST_WINDOW

    def _fetch(self, start: int) -> None:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                self._window = memoryview(self._request(start))
                break
            except TruncatedError:
                if attempt == ATTEMPTS:
                    raise
        self._start = 0 if self._whole else start

    def _request(self, start: int) -> bytes:
        headers = {
            "Range": f"bytes={start}-{start + self._length - 1}",
            "Accept-Encoding": "identity",
        }
        if self._etag is not None:
            headers["If-Range"] = self._etag
        first = self.requests == 0
        self.requests += 1
        try:
            reply = self._ask(headers)
        except HubHTTPError as exc:
            if first and exc.status == 416:
                return b""  # only an empty file has no first byte
            raise
        with reply:
            part = reply.headers.get("Content-Range", "")
            if reply.status_code == 200 and self._etag is None and not self.size:
                return self._take_whole(reply)
            found = CONTENT_RANGE.fullmatch(part)
            if reply.status_code != 206 or found is None:
                raise self._error("changed while it was read, or cannot be read in parts")
            begin, end, size = map(int, found.groups())
            if begin != start or not begin <= end < size or self.size not in (0, size):
                raise self._error(f"answered with {found.group()!r} to {headers['Range']!r}")
            self.size = size
            etag = reply.headers.get("ETag", "")
            # A weak ETag says "much the same", which is not enough to join parts.
            self._etag = etag if etag.startswith('"') else self._etag
            return self._body(reply, end - begin + 1)

    def _take_whole(self, reply: requests.Response) -> bytes:
        length = reply.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > SMALL_FILE:
            raise self._error("the server sends the whole file in place of a part")
        body = self._body(reply, int(length))
        self._whole = True
        self.size = len(body)
        return body

    def _body(self, reply: requests.Response, expected: int) -> bytes:
        body = bytearray()
        arrived = 0
        try:
            for piece in reply.iter_content(FIRST_WINDOW):
                body += piece
                arrived = len(body)
                if arrived > expected:
                    break
        except requests.RequestException:
            # The last, short piece is lost with the exception; the count is not.
            arrived = reply.raw.tell()
        if arrived != expected:
            raise TruncatedError(
                f"{self.name}: {arrived} bytes arrived in place of {expected}",
                expected=expected,
                actual=arrived,
            )
        return bytes(body)

    def _error(self, what: str) -> RangeError:
        return RangeError(f"{self.name}: {what}", url=self.name)
