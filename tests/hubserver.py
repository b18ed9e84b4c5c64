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
import json
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
from urllib.parse import parse_qs, quote, unquote, urlsplit

from hubrepos import KINDS, Commit, Repo, StoredFile, git_blob_id, lfs

__all__ = ["Exchange", "Fault", "HubServer", "Repo", "StoredFile", "git_blob_id", "lfs"]

ACTIONS = ("resolve", "revision", "tree", "refs", "paths-info")


@dataclass
class Exchange:
    """One request as it arrived and what was answered."""

    origin: str
    method: str
    path: str
    query: str
    headers: dict[str, str]
    at: float
    status: int = 0
    sent: int = 0


@dataclass
class Reply:
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = b""


@dataclass
class Fault:
    """What goes wrong, for which requests. Lower-case header names compare as HTTP does.

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


class HubServer:
    """The server, its repositories, its faults and its log. Use it as a context manager.

    Attributes:
        endpoint, cdn: the two origins, ``http://127.0.0.1:<port>``.
        users: token -> user name; any other token is refused with 401.
        log: every exchange in order of arrival.
        leaks: exchanges in which the second origin saw an Authorization header.
        crashes: exceptions of the server itself: must stay empty.
        page_size: rows per page of listings and trees.
        resolve_cache: redirect small files to ``/api/resolve-cache/...`` first, as the Hub does.
        compress: send small files gzipped to clients that accept it, as the Hub does.
        peak: the most requests that were being answered at one time.
    """

    def __init__(self, *, repos: dict[tuple[str, str], Repo] | None = None) -> None:
        self.repos = {} if repos is None else repos
        self.renamed: dict[tuple[str, str], str] = {}
        self.users = {"hf_valid": "alice"}
        self.objects: dict[str, Any] = {}
        self.log: list[Exchange] = []
        self.crashes: list[BaseException] = []
        self.page_size = 1000
        self.resolve_cache = False
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

    def add_repo(
        self,
        repo_id: str,
        files: Mapping[str, bytes | StoredFile] | None = None,
        *,
        kind: str = "model",
        **attributes: Any,
    ) -> Repo:
        """Creates a repository with one commit on main. Attributes are those of ``Repo``."""
        repo = Repo(repo_id, kind, **attributes)
        contents: dict[str, bytes | StoredFile] = dict(files or {})
        if repo.card:
            contents.setdefault("README.md", repo.readme())
        repo.commit(contents)
        self.repos[kind, repo_id] = repo
        return repo

    def rename(self, old: str, new: str, *, kind: str = "model") -> None:
        """Moves a repository; the old name redirects with a relative Location."""
        repo = self.repos.pop((kind, old))
        repo.id = new
        self.repos[kind, new] = repo
        self.renamed[kind, old] = new

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

    def answer(self, exchange: Exchange, body: bytes) -> Reply:
        """Routes one request."""
        if exchange.origin == "cdn":
            return self._serve_object(exchange)
        token = exchange.headers.get("authorization", "").removeprefix("Bearer ")
        if token and token not in self.users:
            return _refused(401, None, "Invalid credentials in Authorization header")
        user = self.users.get(token)
        segments = exchange.path.lstrip("/").split("/")
        if segments[:2] == ["api", "whoami-v2"]:
            if user is None:
                return _refused(401, None, "Invalid username or password.")
            return _json({"type": "user", "name": user, "auth": {"type": "access_token"}})
        if segments[:2] == ["api", "resolve-cache"]:
            return self._resolve(exchange, user, segments[2:], cached=True)
        if segments[0] == "api":
            return self._api(exchange, user, segments[1:], body)
        return self._resolve(exchange, user, segments)

    def _serve_object(self, exchange: Exchange) -> Reply:
        if "authorization" in exchange.headers:
            return Reply(400, {}, b"Only one auth mechanism allowed")
        if "Signature=" not in exchange.query:
            return Reply(403, {}, b"Access Denied")
        data = self.objects.get(exchange.path.rsplit("/", 1)[-1])
        if data is None:
            return Reply(404, {}, b"NoSuchKey")
        # An object store's own ETag: quoted, and not the SHA-256 that the Hub announced.
        return Reply(200, {"ETag": f'"{git_blob_id(data)[:32]}"', "Accept-Ranges": "bytes"}, data)

    def _find(
        self, kind: str, segments: list[str], user: str | None, *, download: bool
    ) -> tuple[Repo | None, list[str], Reply]:
        """The repository that the segments begin with, the rest, or the refusal."""
        cut = next((i for i, part in enumerate(segments) if part in ACTIONS), len(segments))
        repo_id, rest = unquote("/".join(segments[:cut])), segments[cut:]
        if (moved := self.renamed.get((kind, repo_id))) is not None:
            return None, rest, Reply(307, {"X-Moved": moved}, b"")
        repo = self.repos.get((kind, repo_id))
        if repo is None or (repo.private and user not in repo.readers):
            if user is None:
                return None, rest, _refused(401, "RepoNotFound", "Invalid username or password.")
            return None, rest, _refused(404, "RepoNotFound", "Repository not found")
        if repo.disabled:
            return None, rest, _refused(403, None, "Access to this resource is disabled.")
        if download and repo.gated and user not in repo.readers:
            message = f"Access to {kind} {repo_id} is restricted"
            return None, rest, _refused(401 if user is None else 403, "GatedRepo", message)
        return repo, rest, Reply()

    def _resolve(
        self, exchange: Exchange, user: str | None, segments: list[str], *, cached: bool = False
    ) -> Reply:
        """``/{repo}/resolve/{revision}/{path}``, datasets and spaces with their prefix."""
        prefix = segments[0] if segments[0] in KINDS else "models"
        inner = segments[1:] if segments[0] in KINDS else segments
        if cached:
            # /api/resolve-cache/models/{org}/{name}/{commit}/{path}
            at = next(i for i, part in enumerate(inner) if re.fullmatch("[0-9a-f]{40}", part))
            inner = [*inner[:at], "resolve", *inner[at:]]
        repo, rest, refusal = self._find(KINDS[prefix], inner, user, download=True)
        if moved := refusal.headers.pop("X-Moved", None):
            shown = "" if prefix == "models" else f"{prefix}/"
            return _redirect(307, f"/{shown}{quote(moved)}/" + "/".join(rest))
        if repo is None:
            return refusal
        if len(rest) < 3 or rest[0] != "resolve":
            return _refused(404, None, "Sorry, we can't find the page you are looking for.")
        commit, path = _split_revision(repo, rest[1:])
        if commit is None:
            return _refused(404, "RevisionNotFound", f"Invalid rev id: {unquote(rest[1])}")
        file = commit.files.get(path)
        if file is None:
            reply = _refused(404, "EntryNotFound", "Entry not found")
            reply.headers["X-Repo-Commit"] = commit.sha
            return reply
        headers = {"X-Repo-Commit": commit.sha, "Accept-Ranges": "bytes"}
        linked = {"X-Linked-Size": str(file.size), "X-Linked-Etag": f'"{file.etag}"'}
        if file.lfs:
            self.objects.setdefault(file.sha256, file.data)
            where = f"{self.cdn}/repos/xx/{file.sha256}?Expires=1&Signature=loopback"
            reply = _redirect(302, where)
            reply.headers |= headers | linked | {"ETag": f'"{file.oid}"'}
            return reply
        if self.resolve_cache and not cached:
            where = f"/api/resolve-cache/{prefix}/{quote(repo.id)}/{commit.sha}/{quote(path)}"
            reply = _redirect(307, where)
            reply.headers |= headers | linked
            return reply
        return Reply(200, headers | {"ETag": f'"{file.etag}"'}, file.data)

    def _api(self, exchange: Exchange, user: str | None, segments: list[str], body: bytes) -> Reply:
        """``/api/{models|datasets|spaces}[/{repo}[/{action}/...]]``."""
        query = parse_qs(exchange.query)
        kind = KINDS.get(segments[0])
        if kind is None:
            return _refused(404, None, "Not found")
        if len(segments) == 1:
            return self._list(exchange, kind, query, user)
        repo, rest, refusal = self._find(kind, segments[1:], user, download=False)
        if moved := refusal.headers.pop("X-Moved", None):
            tail = "".join(f"/{part}" for part in rest)
            search = f"?{exchange.query}" if exchange.query else ""
            return _redirect(307, f"/api/{segments[0]}/{quote(moved)}{tail}{search}")
        if repo is None:
            return refusal
        action = rest[0] if rest else "revision"
        if action == "refs":
            return _json(repo.refs())
        commit, path = _split_revision(repo, rest[1:] or ["main"])
        if commit is None:
            return _refused(404, "RevisionNotFound", f"Invalid rev id: {unquote(rest[1])}")
        if action == "revision":
            return _json(repo.info(commit, blobs=_truthy(query.get("blobs"))))
        expand = _truthy(query.get("expand"))
        if action == "tree":
            entries = commit.tree(path, recursive=_truthy(query.get("recursive")))
            if entries is None:
                return _refused(404, "EntryNotFound", f"{path} does not exist on {commit.sha}")
            return self._page(exchange, _expanded(commit, entries, expand))
        return _json(_expanded(commit, _paths_info(commit, exchange, body), expand))

    def _list(
        self, exchange: Exchange, kind: str, query: dict[str, list[str]], user: str | None
    ) -> Reply:
        rows = [
            repo.summary()
            for (each, _), repo in self.repos.items()
            if each == kind and not (repo.private and user not in repo.readers)
        ]
        for author in query.get("author", []):
            rows = [row for row in rows if row["author"] == author]
        for text in query.get("search", []):
            rows = [row for row in rows if text.lower() in row["id"].lower()]
        for tag in query.get("filter", []):
            rows = [row for row in rows if tag in row["tags"]]
        sort = query.get("sort", ["id"])[0]
        rows.sort(key=lambda row: row["id"])
        rows.sort(key=lambda row: row.get(sort) or 0 if sort != "id" else 0, reverse=True)
        size = int(query.get("limit", [str(self.page_size)])[0])
        return self._page(exchange, rows, size=min(size, self.page_size))

    def _page(self, exchange: Exchange, rows: list[Any], *, size: int | None = None) -> Reply:
        """One page; the next one hides behind an opaque cursor that carries every parameter."""
        size = size or self.page_size
        query = parse_qs(exchange.query)
        start = int(query.pop("cursor", ["0"])[0])
        reply = _json(rows[start : start + size])
        if start + size < len(rows):
            kept = "".join(f"{key}={quote(v)}&" for key, vs in query.items() for v in vs)
            where = f"{self.endpoint}{exchange.path}?{kept}cursor={start + size}"
            reply.headers["Link"] = f'<{where}>; rel="next"'
        return reply


def _split_revision(repo: Repo, segments: list[str]) -> tuple[Commit | None, str]:
    """The revision may be quoted whole (one segment) or, as the Hub allows, with bare slashes."""
    for length in (1, 3, 2):
        commit = repo.resolve(unquote("/".join(segments[:length])))
        if commit is not None:
            return commit, unquote("/".join(segments[length:]))
    return None, ""


def _paths_info(commit: Commit, exchange: Exchange, body: bytes) -> list[dict[str, Any]]:
    if "json" in exchange.headers.get("content-type", ""):
        wanted = json.loads(body)["paths"]
    else:
        wanted = parse_qs(body.decode()).get("paths", [])
    listed = {entry["path"]: entry for entry in commit.tree("", recursive=True) or []}
    return [listed[path] for path in wanted if path in listed]


def _expanded(commit: Commit, entries: list[dict[str, Any]], expand: bool) -> list[dict[str, Any]]:
    if not expand:
        return entries
    last = {"id": commit.sha, "title": commit.title, "date": "2024-05-01T12:00:00.000Z"}
    return [entry | {"lastCommit": last} for entry in entries]


def _truthy(values: list[str] | None) -> bool:
    return bool(values) and values is not None and values[0].lower() in ("1", "true")


def _json(value: Any) -> Reply:
    body = json.dumps(value).encode()
    return Reply(200, {"Content-Type": "application/json; charset=utf-8"}, body)


def _refused(status: int, code: str | None, message: str) -> Reply:
    headers = {"X-Error-Message": message, "Content-Type": "application/json"}
    if code is not None:
        headers["X-Error-Code"] = code
    return Reply(status, headers, json.dumps({"error": message}).encode())


def _redirect(status: int, where: str) -> Reply:
    # The Hub's redirects carry a body: a client that stores it has a bug.
    return Reply(status, {"Location": where}, f"Found. Redirecting to {where}".encode())


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
