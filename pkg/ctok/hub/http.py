"""Requests to the Hub: where a token goes, which redirects are followed, when to try again.

::

    request --> for each try -----> for each endpoint --> redirect loop --> breaker --> socket
                  ^   no answer, 429, 5xx      no answer        same origin: token
                  +-- wait and jitter          next one         any other:   none

Redirects are followed here and not by requests, because only the origin that a token is meant
for may see it. Every request carries an auth object of our own: without one, requests would
let ``~/.netrc`` replace the token.
"""

from __future__ import annotations

import functools
import itertools
import logging
import platform
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from ctok import config
from ctok.hub.auth import find_token
from ctok.hub.errors import (
    CircuitOpenError,
    HubConnectionError,
    HubError,
    HubHTTPError,
    HubValidationError,
    OfflineModeError,
)
from ctok.hub.refusal import Subject, no_answer, redacted, refusal, shown_url
from ctok.hub.retry import BREAKERS, RETRIED, Breakers, Clock, RetryPolicy, asked_wait

if TYPE_CHECKING:
    import requests

_logger = logging.getLogger("ctok.hub")

REDIRECTS = frozenset({301, 302, 303, 307, 308})
MAX_REDIRECTS = 10
_ERROR_BODY = 4096
# What a response must show to be passed to the caller although it redirects.
Stop = Callable[["requests.Response"], bool]


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port: what decides whether a token may be sent."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return parts.scheme.lower(), (parts.hostname or "").lower(), port


class _Auth:
    """Sets the Authorization header, or makes sure that nobody else does."""

    def __init__(self, token: str | None) -> None:
        self._token = token

    def __call__(self, request: Any) -> Any:
        if self._token is not None:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request

    def __repr__(self) -> str:
        return "<no token>" if self._token is None else "<token>"


class Client:
    """How to reach the Hub: endpoints, token, session, patience. Safe to share by threads.

    A client keeps its connections: use one for many calls and close it, or use it as a
    context manager.

    Args:
        endpoint: the server's URL, or several that are tried in order when one does not answer.
            None takes ``CTOK_ENDPOINTS``, ``HF_ENDPOINT`` or huggingface.co. A token is sent to
            every endpoint named here, and nowhere else.
        token: the token; True demands one, False sends none, None takes what login, the
            environment or the token file hold.
        session: a ``requests.Session`` to use as it is (proxies, adapters, certificates). Without
            one, each thread gets its own.
        offline: refuse every request; None takes ``CTOK_OFFLINE`` and its like.
        timeout: seconds to wait for a connection or the next bytes.
        retry: how often to try again.
        breakers: the circuit breakers to obey; the process shares one set.
        clock: where time and chance come from.

    Raises:
        LocalTokenNotFoundError: ``token=True`` and there is none.

    Example:
        >>> Client(endpoint="https://hub.example", token="hf_secret")
        <Client https://hub.example, with token>
    """

    def __init__(
        self,
        *,
        endpoint: str | Sequence[str] | None = None,
        token: str | bool | None = None,
        session: requests.Session | None = None,
        offline: bool | None = None,
        timeout: float | None = None,
        retry: RetryPolicy | None = None,
        breakers: Breakers = BREAKERS,
        clock: Clock | None = None,
    ) -> None:
        self.endpoints = _endpoints(endpoint)
        self.offline = config.offline() if offline is None else offline
        self.timeout = timeout
        self.retry = retry or RetryPolicy()
        self.clock = clock or Clock()
        self._breakers = breakers
        self._origins = {origin(each) for each in self.endpoints}
        # Looked for when it is needed: a hit in the cache needs no token, and no right one.
        self._find_implicit = token is None
        self._given_token = None if token is None else find_token(token)
        self._given = session
        self._local = threading.local()
        self._opened: list[requests.Session] = []

    def __repr__(self) -> str:
        where = ", ".join(shown_url(each) for each in self.endpoints)
        # Looking for an implicit token can fail, and a repr must not.
        kind = "implicit" if self._find_implicit else "with" if self._given_token else "without"
        return f"<Client {where}, {kind} token>"

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections this client opened; a session that was given stays open."""
        while self._opened:
            self._opened.pop().close()
        self._local = threading.local()

    @functools.cached_property
    def _token(self) -> str | None:
        return self._given_token or (find_token() if self._find_implicit else None)

    def request(
        self,
        method: str,
        target: str,
        *,
        subject: Subject | None = None,
        params: Mapping[str, Any] | Sequence[tuple[str, Any]] | None = None,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        stream: bool = False,
        stop: Stop | None = None,
        retry: RetryPolicy | None = None,
        timeout: float | None = None,
    ) -> requests.Response:
        """Sends a request until it is answered, within reason.

        Args:
            method: ``GET``, ``HEAD`` or ``POST``.
            target: a path, sent to the endpoints in order, or a whole URL.
            subject: what it is about, for the message of an error.
            params, headers, json: as requests takes them.
            stream: leave the body to the caller, who closes the response.
            stop: returns True for a redirect that is to be returned, not followed.
            retry: another policy than the client's.
            timeout: seconds to wait for the next bytes.

        Returns:
            An answer below 400 that is no redirect, unless ``stop`` chose it.

        Raises:
            OfflineModeError: offline; no socket was opened.
            HubHTTPError: the server refused; the subclass says why.
            HubConnectionError: no endpoint answered, after all retries.
        """
        if self.offline:
            raise OfflineModeError(f"offline mode is on: {method} {shown_url(target)} is not sent")
        policy = retry or self.retry
        sent = {
            "params": params,
            "headers": dict(headers or {}),
            "json": json,
            "stream": stream,
            "timeout": self._timeouts(timeout),
        }
        for tries in itertools.count(1):
            try:
                return self._ask_endpoints(method, target, sent, subject, stop)
            except (HubConnectionError, HubHTTPError) as error:
                wait = self.wait_before_retry(error, tries, policy)
                if wait is None:
                    raise
                _logger.debug("%s; try %d follows in %.1f s", error, tries + 1, wait)
                self.clock.sleep(wait)
        raise AssertionError("unreachable")

    def get_json(
        self,
        path: str,
        *,
        subject: Subject | None = None,
        params: Mapping[str, Any] | Sequence[tuple[str, Any]] | None = None,
        retry: RetryPolicy | None = None,
    ) -> Any:
        """The JSON that a path answers with.

        Raises:
            HubError: see ``request``; also for an answer that is no JSON.
        """
        return _parsed(self.request("GET", path, subject=subject, params=params, retry=retry))

    def post_json(self, path: str, body: Any, *, subject: Subject | None = None) -> Any:
        """The JSON that a path answers to a JSON body."""
        return _parsed(self.request("POST", path, subject=subject, json=body))

    def pages(
        self,
        path: str,
        *,
        subject: Subject | None = None,
        params: Mapping[str, Any] | Sequence[tuple[str, Any]] | None = None,
    ) -> Iterator[Any]:
        """The rows of a listing, page after page (``Link: <...>; rel="next"``).

        The parameters go with the first page only: the next one's address holds them.
        """
        target: str | None = path
        while target is not None:
            response = self.request("GET", target, subject=subject, params=params)
            rows = _parsed(response)
            if not isinstance(rows, list):
                raise _strange(response, "a list")
            yield from rows
            following = response.links.get("next", {}).get("url")
            target = None if following is None else urljoin(response.url, following)
            params = None
            if target is not None and origin(target) != origin(response.url):
                raise _strange(response, "a next page on the same server")

    def wait_before_retry(
        self, error: HubError, tries: int, policy: RetryPolicy | None = None
    ) -> float | None:
        """Seconds to wait before trying again after so many tries, or None to give up."""
        policy = policy or self.retry
        if tries > policy.retries:
            return None
        if isinstance(error, HubHTTPError):
            if error.status not in RETRIED:
                return None
            asked = error.retry_after
            if asked is not None:
                return asked if asked <= policy.patience else None
        elif isinstance(error, CircuitOpenError) or (
            isinstance(error, HubConnectionError) and error.final
        ):
            return None
        return policy.pause(tries, self.clock)

    def _timeouts(self, read: float | None) -> tuple[float, float]:
        usual = config.etag_timeout()
        return (self.timeout or usual, read or self.timeout or usual)

    def _session(self) -> requests.Session:
        if self._given is not None:
            return self._given
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            import requests

            session = requests.Session()
            self._local.session = session
            self._opened.append(session)
        return session

    def _ask_endpoints(
        self,
        method: str,
        target: str,
        sent: dict[str, Any],
        subject: Subject | None,
        stop: Stop | None,
    ) -> requests.Response:
        """One try: the next endpoint is asked only where one gave no answer at all."""
        urls = [each + target for each in self.endpoints] if target[:1] == "/" else [target]
        for url in urls[:-1]:
            try:
                return self._follow(method, url, sent, subject, stop)
            except HubConnectionError as error:
                _logger.warning("%s; asking the next endpoint", error)
        return self._follow(method, urls[-1], sent, subject, stop)

    def _follow(
        self,
        method: str,
        url: str,
        sent: dict[str, Any],
        subject: Subject | None,
        stop: Stop | None,
    ) -> requests.Response:
        for _ in range(MAX_REDIRECTS + 1):
            response = self._send(method, url, sent)
            location = response.headers.get("Location")
            if response.status_code not in REDIRECTS or location is None:
                break
            if stop is not None and stop(response):
                return response
            response.close()
            following = urljoin(url, location)
            if urlsplit(following).scheme not in ("https", urlsplit(url).scheme):
                raise _strange(response, "a redirect that stays encrypted")
            url, sent = following, {**sent, "params": None}
        else:
            raise _strange(response, f"at most {MAX_REDIRECTS} redirects")
        if response.status_code < 300 or response.status_code == 304:
            return response
        with response:
            wait = asked_wait(response.headers, self.clock)
            body = _first_lines(response)
            raise refusal(response, body, subject, wait, secret=self._token)

    def _send(self, method: str, url: str, sent: dict[str, Any]) -> requests.Response:
        """One request on one connection, without redirects."""
        session = self._session()
        at_home = self._is_home(url)
        headers: dict[str, str | None] = {
            "User-Agent": user_agent(),
            "Accept-Encoding": "identity",
            **sent["headers"],
        }
        if not at_home:
            # None removes what the session would add by itself.
            headers |= {"Authorization": None, "Cookie": None}
        host = urlsplit(url).netloc.rpartition("@")[2]
        self._breakers.check(host, self.clock)
        _logger.debug("%s %s", method, shown_url(url))
        try:
            response = session.request(
                method,
                url,
                auth=self._auth(url, session, at_home),
                allow_redirects=False,
                **{**sent, "headers": headers},
            )
        except OSError as exc:
            # requests' own exceptions, and what a wrong certificate path raises.
            error = no_answer(exc, url)
            if isinstance(error, HubConnectionError) and not error.final:
                self._breakers.failed(host, self.clock)
            else:
                self._breakers.abandoned(host)
            raise error from exc
        except BaseException:
            self._breakers.abandoned(host)
            raise
        if response.status_code >= 500:
            self._breakers.failed(host, self.clock)
        else:
            self._breakers.succeeded(host)
        return response

    def _is_home(self, url: str) -> bool:
        """Whether a token may be sent there: an endpoint, or the same host, now encrypted."""
        scheme, host, port = origin(url)
        upgraded = (scheme, port) == ("https", 443) and ("http", host, 80) in self._origins
        return upgraded or (scheme, host, port) in self._origins

    def _auth(self, url: str, session: requests.Session, at_home: bool) -> Any:
        if not at_home:
            return _Auth(None)
        if self._token is not None:
            return _Auth(self._token)
        if session.auth is not None:
            return session.auth
        parts = urlsplit(url)
        if parts.username is not None:
            from requests.auth import HTTPBasicAuth

            return HTTPBasicAuth(parts.username, parts.password or "")
        return _Auth(None)


def _first_lines(response: requests.Response) -> bytes:
    """The beginning of a refusal; what else it holds is not worth waiting for."""
    import requests

    try:
        return next(response.iter_content(_ERROR_BODY), b"")
    except requests.RequestException:
        return b""


def _parsed(response: requests.Response) -> Any:
    with response:
        try:
            return response.json()
        except ValueError as exc:
            raise _strange(response, "JSON") from exc


def _strange(response: requests.Response, expected: str) -> HubHTTPError:
    where = shown_url(response.url)
    return HubHTTPError(
        f"{where} did not answer as the Hub does: expected {expected}",
        status=response.status_code,
        url=where,
        suggestions=("Check HF_ENDPOINT: a proxy or login page may answer in its place.",),
    )


def _endpoints(given: str | Sequence[str] | None) -> tuple[str, ...]:
    named = (given,) if isinstance(given, str) else tuple(given or ())
    cleaned = tuple(each.strip().rstrip("/") for each in named if each.strip())
    endpoints = cleaned or config.endpoints()
    for each in endpoints:
        parts = urlsplit(each)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise HubValidationError(
                f"the endpoint {shown_url(each)!r} is no http(s) address",
                value=shown_url(each),
                suggestions=("Write it as https://host, in HF_ENDPOINT or endpoint=.",),
            )
    return endpoints


def user_agent() -> str:
    """What ctok calls itself: name, Python, and the program that uses it, where it says so."""
    said = f"ctok/{_version()}; python/{platform.python_version()}"
    origin_name = config.user_agent_origin()
    return f"{said}; origin/{redacted(origin_name)}" if origin_name else said


@functools.cache
def _version() -> str:
    from importlib import metadata

    try:
        return metadata.version("ctok")
    except metadata.PackageNotFoundError:
        return "source"
