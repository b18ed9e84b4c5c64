"""A Hub on loopback: real sockets, real threads, two origins, and faults on demand.

::

    with HubServer() as hub:
        repo = hub.add_repo("org/name", {"config.json": b"{}", "model.bin": lfs(b"...")})
        hub.inject("*/model.bin", status=503, times=2)
        ...                                          # point a client at hub.endpoint
        assert hub.hits("*/config.json", method="GET") == 1
        assert hub.leaks == []

The first origin (``endpoint``) answers ``/resolve/`` and ``/api/``; LFS files redirect to the
second (``cdn``), which serves signed URLs only and must never see an Authorization header.
Whatever is not told otherwise by ``inject`` behaves as huggingface.co does; the real
huggingface_hub downloads from it with ``HF_ENDPOINT`` set (tests/parity checks that).
"""

from __future__ import annotations

import fnmatch
import gzip
import re
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

from hubrepos import Repo, StoredFile, git_blob_id, lfs
from hubroutes import Exchange, Reply, Routes

__all__ = [
    "Exchange",
    "Fault",
    "HubServer",
    "Repo",
    "StoredFile",
    "git_blob_id",
    "lfs",
    "rate_limited",
]


@dataclass
class Fault:
    """What goes wrong, for which requests.

    Attributes:
        path: pattern (fnmatch) on the decoded path without the query.
        method, origin: only these; origin is "hub" or "cdn".
        after, times: skip the first ``after`` matching requests, then apply ``times`` times.
        status, headers, body: answer this instead (headers alone are added to the answer).
        delay: seconds of silence before the answer.
        chunk, pause: send the body in pieces of ``chunk`` bytes, ``pause`` seconds apart.
        reset_after: reset the connection after so many body bytes (-1: before the status line).
        truncate_to: close the connection in order after so many body bytes.
        content_length: claim this length instead of the real one ("": send none).
        ignore_range: answer 200 with everything to a Range request.
        then: called once the body was sent or cut, before the client can notice.
    """

    path: str = "*"
    method: str | None = None
    origin: str | None = None
    after: int = 0
    times: int | None = None
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    delay: float = 0.0
    chunk: int | None = None
    pause: float = 0.0
    reset_after: int | None = None
    truncate_to: int | None = None
    content_length: int | str | None = None
    ignore_range: bool = False
    then: Callable[[], object] | None = None
    seen: int = 0

    def strikes(self, exchange: Exchange) -> bool:
        """Counts a matching request and says whether this one is to fail."""
        if not fnmatch.fnmatchcase(unquote(exchange.path), self.path):
            return False
        if self.method not in (None, exchange.method) or self.origin not in (
            None,
            exchange.origin,
        ):
            return False
        self.seen += 1
        past = self.seen - self.after
        return past > 0 and (self.times is None or past <= self.times)


def rate_limited(seconds: int, *, retry_after: bool = True) -> dict[str, Any]:
    """Arguments of ``inject`` for a 429 as the Hub words it."""
    headers = {
        "RateLimit": f'"resolvers";r=0;t={seconds}',
        "RateLimit-Policy": '"fixed window";"resolvers";q=5000;w=300',
    }
    if retry_after:
        headers["Retry-After"] = str(seconds)
    return {"status": 429, "headers": headers, "body": b"Too Many Requests"}


class HubServer(Routes):
    """The server, its faults and its log. Use it as a context manager.

    Attributes:
        endpoint, cdn: the two origins, ``http://127.0.0.1:<port>``.
        log: every exchange in order of arrival.
        leaks: exchanges in which the second origin saw an Authorization header.
        crashes: exceptions of the server itself: must stay empty.
        compress: send small files gzipped to clients that accept it, as the Hub does.
        peak: the most requests that were being answered at one time.
    """

    def __init__(self, *, repos: dict[tuple[str, str], Repo] | None = None) -> None:
        super().__init__({} if repos is None else repos)
        self.log: list[Exchange] = []
        self.crashes: list[BaseException] = []
        self.compress = False
        self.peak = 0
        self.closing = threading.Event()
        self._faults: list[Fault] = []
        self._active = 0
        self._lock = threading.Lock()
        self._servers = {name: _Origin(name, self) for name in ("hub", "cdn")}
        self._threads = [
            threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
            for server in self._servers.values()
        ]
        self.endpoint = self._servers["hub"].url
        self.cdn = self._servers["cdn"].url

    def __enter__(self) -> HubServer:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Stops both origins; connections that are still open are reset."""
        self.closing.set()
        for server, thread in zip(self._servers.values(), self._threads, strict=True):
            server.stop()
            thread.join(timeout=5)

    def inject(self, path: str = "*", **what: Any) -> Fault:
        """Adds a fault; the first one that strikes a request decides. See ``Fault``."""
        fault = Fault(path, **what)
        with self._lock:
            self._faults.append(fault)
        return fault

    def heal(self) -> None:
        """Removes every fault."""
        with self._lock:
            self._faults.clear()

    def hits(self, path: str = "*", *, method: str | None = None, origin: str | None = None) -> int:
        """How many requests matched."""
        return len(self.matching(path, method=method, origin=origin))

    def matching(
        self, path: str = "*", *, method: str | None = None, origin: str | None = None
    ) -> list[Exchange]:
        with self._lock:
            return [
                seen
                for seen in self.log
                if fnmatch.fnmatchcase(unquote(seen.path), path)
                and method in (None, seen.method)
                and origin in (None, seen.origin)
            ]

    def forget(self) -> None:
        """Empties the log and the peak."""
        with self._lock:
            self.log.clear()
            self.peak = 0

    @property
    def leaks(self) -> list[Exchange]:
        return [seen for seen in self.matching(origin="cdn") if "authorization" in seen.headers]

    # What the handlers call.

    def begin(self, exchange: Exchange) -> Fault:
        with self._lock:
            self.log.append(exchange)
            self._active += 1
            self.peak = max(self.peak, self._active)
            return next((fault for fault in self._faults if fault.strikes(exchange)), Fault())

    def end(self) -> None:
        with self._lock:
            self._active -= 1


def _cut(reply: Reply, headers: Mapping[str, str]) -> Reply:
    """Applies Range and If-Range to a whole answer."""
    wanted = re.fullmatch(r"bytes=(\d*)-(\d*)", headers.get("range", ""))
    if reply.status != 200 or "Accept-Ranges" not in reply.headers or wanted is None:
        return reply
    if headers.get("if-range", reply.headers.get("ETag")) != reply.headers.get("ETag"):
        return reply
    size = len(reply.body)
    first, last = wanted.groups()
    if not first:
        start, stop = max(size - int(last or "0"), 0), size
    else:
        start, stop = int(first), min(int(last) + 1 if last else size, size)
    if start >= size or stop <= start:
        return Reply(416, {"Content-Range": f"bytes */{size}", "Accept-Ranges": "bytes"}, b"")
    ranged = {"Content-Range": f"bytes {start}-{stop - 1}/{size}"}
    return Reply(206, reply.headers | ranged, memoryview(reply.body)[start:stop])


class _Origin(ThreadingHTTPServer):
    """One listening socket; knows its open connections so that it can end them."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, name: str, hub: HubServer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.name = name
        self.hub = hub
        self.open: set[socket.socket] = set()
        self.reset: set[socket.socket] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def process_request(self, request: Any, client_address: Any) -> None:
        self.open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        if request in self.reset:
            # Linger 0 turns close() into a reset; a shutdown first would send an orderly end.
            request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_request(request)
        else:
            super().shutdown_request(request)
        self.open.discard(request)
        self.reset.discard(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exc_info()[1]
        if error is not None and not isinstance(error, OSError):
            self.hub.crashes.append(error)

    def stop(self) -> None:
        self.shutdown()
        for connection in list(self.open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server_version = "LoopbackHub/1"
    timeout = 30
    server: _Origin

    def log_message(self, *args: Any) -> None:
        """Keeps the test output quiet: the log is HubServer.log."""

    def do_GET(self) -> None:
        self._handle()

    def do_HEAD(self) -> None:
        self._handle()

    def do_POST(self) -> None:
        self._handle()

    def _handle(self) -> None:
        hub = self.server.hub
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", "0")))
        exchange = Exchange(
            self.server.name, self.command, parts.path, parts.query, headers, time.monotonic()
        )
        fault = hub.begin(exchange)
        try:
            hub.closing.wait(fault.delay)
            if fault.reset_after is not None and fault.reset_after < 0:
                self._break(fault)
                return
            self._send(exchange, self._decide(exchange, fault, body), fault)
        finally:
            hub.end()

    def _decide(self, exchange: Exchange, fault: Fault, body: bytes) -> Reply:
        if fault.status is not None:
            return Reply(fault.status, dict(fault.headers), fault.body or b"")
        reply = self.server.hub.answer(exchange, body)
        reply.headers |= fault.headers
        if fault.body is not None:
            reply.body = fault.body
        accepted = exchange.headers.get("accept-encoding", "")
        if self.server.hub.compress and "gzip" in accepted and "X-Repo-Commit" in reply.headers:
            if reply.status == 200:
                reply.body = gzip.compress(bytes(reply.body))
                reply.headers |= {"Content-Encoding": "gzip", "ETag": "W/" + reply.headers["ETag"]}
            return reply
        return reply if fault.ignore_range else _cut(reply, exchange.headers)

    def _send(self, exchange: Exchange, reply: Reply, fault: Fault) -> None:
        size = len(reply.body)
        exchange.status = reply.status
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if "Content-Encoding" in reply.headers or fault.content_length == "":
            # No length: the end of the connection is the end of the body.
            self.send_header("Connection", "close")
        else:
            shown = size if fault.content_length is None else fault.content_length
            self.send_header("Content-Length", str(shown))
            if fault.content_length is not None:
                self.send_header("Connection", "close")
        self.end_headers()
        if self.command == "HEAD":
            if fault.then is not None:
                fault.then()
            return
        stops = [stop for stop in (fault.reset_after, fault.truncate_to) if stop is not None]
        stop = min([size, *stops])
        view, step = memoryview(reply.body), fault.chunk or 1 << 20
        for start in range(0, stop, step):
            if start:
                self.server.hub.closing.wait(fault.pause)
            piece = view[start : min(start + step, stop)]
            # Counted first: a client may look at the log as soon as it has the bytes.
            exchange.sent += len(piece)
            self.wfile.write(piece)
        if stops and fault.reset_after is not None:
            # Let the bytes arrive: a reset discards what is still on its way.
            self.server.hub.closing.wait(0.05)
            self._break(fault)
            return
        self.close_connection = self.close_connection or bool(stops)
        if fault.then is not None:
            self.wfile.flush()
            fault.then()

    def _break(self, fault: Fault) -> None:
        if fault.then is not None:
            fault.then()
        self.server.reset.add(self.connection)
        self.close_connection = True
