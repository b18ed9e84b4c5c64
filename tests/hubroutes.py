"""What the loopback Hub answers when nothing goes wrong: a request in, a reply out.

The paths, headers and error codes are those that huggingface.co sends. Nothing here opens a
socket: see hubserver.py.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, quote, unquote

from hubrepos import DATE, KINDS, Commit, Repo, StoredFile, git_blob_id

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


class Routes:
    """The repositories and who may see them.

    Attributes:
        endpoint, cdn: the two origins, ``http://127.0.0.1:<port>``.
        users: token -> user name; any other token is refused with 401.
        objects: what the second origin stores, by SHA-256.
        page_size: rows per page of listings and trees.
        resolve_cache: redirect small files to ``/api/resolve-cache/...`` first, as the Hub does.
    """

    endpoint: str
    cdn: str

    def __init__(self, repos: dict[tuple[str, str], Repo]) -> None:
        self.repos = repos
        self.renamed: dict[tuple[str, str], str] = {}
        self.users = {"hf_valid": "alice"}
        self.objects: dict[str, Any] = {}
        self.page_size = 1000
        self.resolve_cache = False

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
    last = {"id": commit.sha, "title": commit.title, "date": DATE}
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
