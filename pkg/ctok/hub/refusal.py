"""What a server's refusal, or its silence, means as an exception.

The Hub names the cause in ``X-Error-Code``; status and message decide where it does not. The
text of an error shows neither tokens nor the query of a URL: a signed URL is a key.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from ctok.hub.errors import (
    AuthenticationError,
    BadRequestError,
    DisabledRepoError,
    GatedRepoError,
    HubConnectionError,
    HubError,
    HubHTTPError,
    HubTimeoutError,
    HubValidationError,
    RateLimitError,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from ctok.hub.paths import RepoId

_SHOWN = 500
_TOKEN = re.compile(r"hf_[A-Za-z0-9_]{6,}|(?i:bearer)\s+\S+")


@dataclass(frozen=True)
class Subject:
    """What a request is about, for the message of its error."""

    repo: RepoId
    revision: str = "main"
    filename: str = ""

    def __str__(self) -> str:
        at = f" at revision {self.revision!r}" if self.revision else ""
        file = f"{self.filename!r} of " if self.filename else ""
        return f"{file}{self.repo}{at}"


def shown_url(url: str) -> str:
    """The URL without user, password, query and fragment.

    Example:
        >>> shown_url("https://user:secret@host/a?Signature=s")
        'https://host/a'
    """
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))


def redacted(text: str) -> str:
    """One printable line of at most 500 characters, with tokens masked."""
    plain = _TOKEN.sub("<token>", " ".join(text.split()))
    plain = "".join(each if each.isprintable() else "?" for each in plain)
    return plain if len(plain) <= _SHOWN else plain[: _SHOWN - 1] + "…"


def refusal(
    response: Any,
    body: bytes,
    subject: Subject | None,
    retry_after: float | None,
    *,
    secret: str | None = None,
) -> HubHTTPError:
    """The exception for an answer that is not what was asked for.

    Args:
        response: status, headers and URL of the answer.
        body: the beginning of its body.
        subject: what was asked for; None where it was no repository.
        retry_after: seconds that the server asks to wait.
        secret: the token that was sent, for the case that the server repeats it.
    """
    status: int = response.status_code
    code = response.headers.get("X-Error-Code", "")
    header = response.headers.get("X-Error-Message", "")
    if secret:
        body = body.replace(secret.encode(), b"<token>")
        header = header.replace(secret, "<token>")
    data = _json(body)
    said = header or _message(data, body)
    message = redacted(said)
    facts: dict[str, Any] = {
        "status": status,
        "url": shown_url(response.url),
        "request_id": response.headers.get("X-Request-Id") or response.headers.get("X-Amz-Cf-Id"),
        "server_message": message or None,
        "retry_after": retry_after,
        "data": data,
    }
    tail = f" (HTTP {status}" + (f": {message})" if message else ")")
    if code == "EntryNotFound":
        facts["commit"] = response.headers.get("X-Repo-Commit")
    if subject is not None:
        found = _about_subject(status, code, said, subject, facts, tail)
        if found is not None:
            return found
    where = f"{subject}: " if subject is not None else ""
    text = f"{where}{facts['url']} answered{tail}"
    if status == 400:
        return BadRequestError(text, **facts)
    if status == 429:
        return RateLimitError(text, **facts)
    if status in (401, 403):
        return AuthenticationError(text, **facts)
    return HubHTTPError(text, **facts)


def _about_subject(
    status: int, code: str, said: str, subject: Subject, facts: dict[str, Any], tail: str
) -> HubHTTPError | None:
    repo = subject.repo
    facts = facts | {"repo_id": repo.id}
    if code == "GatedRepo":
        page = f"{'/'.join(facts['url'].split('/')[:3])}/{repo.page}"
        return GatedRepoError(
            f"{repo} is gated: accept its terms at {page} first{tail}", access_url=page, **facts
        )
    if said.rstrip(".").endswith("is disabled") and status == 403:
        return DisabledRepoError(f"{repo} was disabled by the Hub{tail}", **facts)
    if code == "RevisionNotFound":
        return RevisionNotFoundError(
            f"{repo} has no revision {subject.revision!r}{tail}",
            revision=subject.revision,
            **facts,
        )
    refused_token = "invalid credentials" in said.lower()
    unknown = status == 404 and not code
    if code == "EntryNotFound" or (unknown and subject.filename):
        return RemoteEntryNotFoundError(
            f"no file {subject.filename!r} in {repo} at revision {subject.revision!r}{tail}",
            revision=subject.revision,
            filename=subject.filename,
            **facts,
        )
    if code == "RepoNotFound" or (status == 401 and not code and not refused_token) or unknown:
        return RepositoryNotFoundError(
            f"no repository {repo}, or it is private and the token does not reach it{tail}",
            **facts,
        )
    return None


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


def _message(data: Any, body: bytes) -> str:
    if isinstance(data, dict) and isinstance(data.get("error"), str):
        return str(data["error"])
    text = body.decode("utf-8", "replace")
    return "" if text.lstrip()[:1] == "<" else text


def no_answer(exc: Exception, url: str) -> HubError:
    """What an exception of requests means. The request it carries loses its token."""
    import requests

    carried = getattr(exc, "request", None)
    if carried is not None and getattr(carried, "headers", None):
        carried.headers.pop("Authorization", None)
    where = shown_url(url)
    if isinstance(exc, requests.Timeout):
        return HubTimeoutError(f"{where} gave no answer in time", url=where)
    if isinstance(exc, requests.exceptions.SSLError) or not isinstance(
        exc, requests.RequestException
    ):
        return HubConnectionError(
            f"{where}: the encrypted connection failed: {_reason(exc)}",
            url=where,
            final=True,
            suggestions=(
                "Behind a company proxy, name its certificates: REQUESTS_CA_BUNDLE=/path/ca.pem.",
                "Check the machine's clock: certificates expire.",
            ),
        )
    if isinstance(exc, requests.exceptions.ChunkedEncodingError):
        return HubConnectionError(f"{where}: the connection broke during the answer", url=where)
    if isinstance(exc, requests.ConnectionError | requests.exceptions.ContentDecodingError):
        return HubConnectionError(f"{where} could not be reached: {_reason(exc)}", url=where)
    return HubValidationError(f"{where} is no address to ask: {_reason(exc)}", value=where)


def _reason(exc: BaseException) -> str:
    """The innermost cause in a few words: it names no URL, so no signature either."""
    inner = exc
    while isinstance(getattr(inner, "reason", None) or (inner.args or (None,))[0], BaseException):
        inner = getattr(inner, "reason", None) or inner.args[0]
    text = redacted(str(inner))
    return type(inner).__name__ if "?" in text or "://" in text else text.rpartition(": ")[2]
