"""Every exception the Hub client raises.

::

    HubError                           (CtokError)
    ├── HubValidationError             (ValidationError) a repo id, revision, file name or option
    ├── HubHTTPError                   (OSError)     the server answered, and not with the file
    │   ├── BadRequestError            (ValueError)        400
    │   ├── RepositoryNotFoundError                        no such repository, or no access
    │   │   └── GatedRepoError                             terms must be accepted first
    │   ├── DisabledRepoError                              taken down by the Hub
    │   ├── RevisionNotFoundError                          no such branch, tag or commit
    │   ├── RemoteEntryNotFoundError   (EntryNotFoundError) no such file at that revision
    │   ├── AuthenticationError        (PermissionError)   the token was refused
    │   └── RateLimitError                                 429, with ``retry_after``
    ├── EntryNotFoundError             a file that is not there
    │   ├── RemoteEntryNotFoundError                       ... on the Hub
    │   └── LocalEntryNotFoundError    (FileNotFoundError) ... in the cache
    │       ├── OfflineEntryNotFoundError  (OfflineModeError)    and offline
    │       └── UnreachableEntryError      (HubConnectionError)  and the Hub gave no answer
    ├── HubConnectionError             (ConnectionError)   no answer
    │   ├── HubTimeoutError            (TimeoutError)      none in time
    │   └── CircuitOpenError                               a host that failed lately is left alone
    ├── OfflineModeError               (ConnectionError)   offline mode forbids the request
    │   └── OfflineEntryNotFoundError                      ... for a file that is not cached
    ├── VerificationError              bytes that are not what they should be
    │   ├── ChecksumError                                  another SHA-256 or git SHA-1
    │   └── TruncatedError                                 another length
    ├── IncompleteSnapshotError        (FileNotFoundError) a cached snapshot that lacks files
    ├── SnapshotError                  (OSError)           some files of a snapshot failed
    ├── LocalTokenNotFoundError        (OSError)           a token is required, none was found
    ├── CacheNotFoundError             (FileNotFoundError) no cache folder there
    ├── CorruptedCacheError                                a cache entry that cannot be right
    ├── CacheInUseError                (OSError)           somebody is downloading into it
    ├── CacheWriteError                (OSError)           the disk said no
    │   ├── DiskFullError
    │   └── ReadOnlyCacheError         (PermissionError)
    └── LockTimeoutError               (TimeoutError)      another process holds the file

The builtin in brackets is what users of huggingface_hub or Python catch already. Every one
says what to do next with ``suggestions()``, carries its facts as attributes, and never shows
a token or the signature of a URL.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from ctok.errors import CtokError, ValidationError

Category = Literal["validation", "api_connection", "api_status", "request_failed"]

NOT_AUTHORIZED = 11
NETWORK = 14
VERIFICATION = 15


class HubError(CtokError):
    """The root of what the Hub client raises.

    Attributes:
        category: ``validation`` (an argument), ``api_connection`` (no answer),
            ``api_status`` (an answer that refuses) or ``request_failed`` (all the rest).
        exit_code: what the command line returns: 11 access, 14 network, 15 verification, else 1.
        status: the HTTP status where the server answered, else None.
        data: what the server said in JSON, where it did.
    """

    category: ClassVar[Category] = "request_failed"
    exit_code: ClassVar[int] = 1
    status: int | None = None
    data: Any = None

    default_suggestions: tuple[str, ...] = (
        "Log each request: logging.getLogger('ctok.hub').setLevel('DEBUG').",
    )

    @property
    def user_error(self) -> bool:
        """True where the caller can mend it, False where the server or the network must."""
        if self.status is not None:
            return 400 <= self.status < 500 and self.status not in (408, 429)
        return self.category != "api_connection"


class HubValidationError(HubError, ValidationError):
    """An argument that names nothing on the Hub. ``value`` is what was given."""

    value: object
    category = "validation"
    default_suggestions: tuple[str, ...] = (
        "A repository is 'org/name', a revision a branch, tag or commit, a file a relative path "
        "with forward slashes.",
    )


class HubHTTPError(HubError, OSError):
    """The server answered, and not with what was asked for.

    ``status``, ``url`` (without its query), ``request_id`` (quote it when you report a problem),
    ``server_message`` (shortened) and ``retry_after``, the seconds that the server asks to wait.
    """

    url: str
    retry_after: float | None = None
    request_id: str | None = None
    server_message: str | None = None
    category = "api_status"

    def suggestions(self) -> list[str]:
        if self._suggestions or type(self).default_suggestions != HubHTTPError.default_suggestions:
            return super().suggestions()
        if self.status is not None and self.status >= 500:
            return [
                "Try again later: the server failed. See https://status.huggingface.co.",
                "Work from the cache meanwhile: CTOK_OFFLINE=1.",
            ]
        return [
            "Check the repository, revision and file name, and the endpoint (HF_ENDPOINT).",
            f"Report it with the request id {self.request_id}."
            if self.request_id
            else "Look at the server's message above.",
        ]


class BadRequestError(HubHTTPError, ValueError):
    """The server did not understand the request (400)."""

    default_suggestions = ("Check the arguments: the server's message says which it refused.",)


class RepositoryNotFoundError(HubHTTPError):
    """No such repository, or it is private and the token does not reach it. ``repo_id``."""

    repo_id: str
    exit_code = NOT_AUTHORIZED
    default_suggestions = (
        "Check the spelling, and repo_type: model (default), dataset or space.",
        "If it is private, log in with a token that can read it: ctok login.",
    )


class GatedRepoError(RepositoryNotFoundError):
    """The repository asks for its terms to be accepted. ``repo_id`` and ``access_url``."""

    access_url: str

    def suggestions(self) -> list[str]:
        return [
            "1. Create a token with read access: https://huggingface.co/settings/tokens",
            f"2. Accept the terms while logged in: {self.access_url}",
            "3. Set HF_TOKEN to the token, or run: ctok login",
        ]


class DisabledRepoError(HubHTTPError):
    """The Hub took the repository down. ``repo_id``."""

    repo_id: str
    exit_code = NOT_AUTHORIZED
    default_suggestions = (
        "Ask the repository's owner or the Hub why it was disabled; no token helps.",
        "Files in the cache still work: CTOK_OFFLINE=1.",
    )


class RevisionNotFoundError(HubHTTPError):
    """No such branch, tag or commit. ``repo_id`` and ``revision``."""

    repo_id: str
    revision: str

    def suggestions(self) -> list[str]:
        return [
            f"List the branches and tags: ctok.hub.list_repo_refs({self.repo_id!r}).",
            "Leave revision out to take the main branch.",
        ]


class AuthenticationError(HubHTTPError, PermissionError):
    """The server refused the token, or wants one (401 and 403)."""

    exit_code = NOT_AUTHORIZED
    default_suggestions = (
        "Check the token: ctok whoami. Make a new one at https://huggingface.co/settings/tokens "
        "and run: ctok login.",
        "For a public repository send no token: token=False.",
    )


class RateLimitError(HubHTTPError):
    """Too many requests (429). ``retry_after`` seconds, where the server said."""

    exit_code = NETWORK

    def suggestions(self) -> list[str]:
        wait = "later" if self.retry_after is None else f"in {self.retry_after:.0f} s"
        return [
            f"Try again {wait}.",
            "Log in for a higher limit: ctok login.",
            "Pin the commit (revision=<40 hex digits>): what is cached then costs no request.",
        ]


class EntryNotFoundError(HubError):
    """A file that is not there. ``repo_id``, ``revision`` and ``filename``."""

    repo_id: str
    revision: str
    filename: str
    default_suggestions: tuple[str, ...] = ("Names are case-sensitive and include the subfolder.",)


class RemoteEntryNotFoundError(EntryNotFoundError, HubHTTPError):
    """The repository has no such file at that revision.

    ``commit`` is the full hash that the revision means, where the Hub said so.
    """

    commit: str | None = None

    def suggestions(self) -> list[str]:
        return [
            f"List the files: ctok.hub.list_files({self.repo_id!r}, revision={self.revision!r}).",
            "Names are case-sensitive and include the subfolder.",
        ]


class LocalEntryNotFoundError(EntryNotFoundError, FileNotFoundError):
    """The file is not in the cache, and it could not or must not be fetched."""

    def suggestions(self) -> list[str]:
        return list(self._suggestions) or [
            f"Fetch it while online: ctok fetch {self.repo_id} {self.filename}",
            "Check that the cache folder is the one you filled: ctok cache path.",
            "Check the connection, the proxy (HTTPS_PROXY) or use a mirror (HF_ENDPOINT).",
        ]


class HubConnectionError(HubError, ConnectionError):
    """The server gave no answer. ``url`` (without its query).

    ``final`` says that trying again is of no use, as with a wrong certificate.
    """

    url: str
    final: bool = False
    category = "api_connection"
    exit_code = NETWORK
    default_suggestions: tuple[str, ...] = (
        "Check the connection and the proxy settings (HTTPS_PROXY, REQUESTS_CA_BUNDLE).",
        "Use a mirror: HF_ENDPOINT=https://..., or several: CTOK_ENDPOINTS=https://a,https://b.",
        "Work from the cache: CTOK_OFFLINE=1.",
    )


class HubTimeoutError(HubConnectionError, TimeoutError):
    """The server gave no answer in time."""

    default_suggestions = (
        "Allow more time: CTOK_DOWNLOAD_TIMEOUT=60 (seconds without a byte).",
        *HubConnectionError.default_suggestions,
    )


class CircuitOpenError(HubConnectionError):
    """The host failed several times just now and is left alone. ``host``, ``retry_after``."""

    host: str
    retry_after: float

    def suggestions(self) -> list[str]:
        return [
            f"Try again in {self.retry_after:.0f} s: the next request is sent as a probe.",
            *HubConnectionError.default_suggestions,
        ]


class OfflineModeError(HubError, ConnectionError):
    """Offline mode forbids the request. ``url`` or what was asked for is in the message."""

    category = "api_connection"
    exit_code = NETWORK
    default_suggestions: tuple[str, ...] = (
        "Unset CTOK_OFFLINE, HF_HUB_OFFLINE and TRANSFORMERS_OFFLINE, or pass offline=False.",
        "Fetch what you need while online: ctok fetch REPO [FILE...]",
    )


class OfflineEntryNotFoundError(OfflineModeError, LocalEntryNotFoundError):
    """The file is not in the cache, and offline mode forbids to fetch it."""

    def suggestions(self) -> list[str]:
        return [
            f"Fetch it while online: ctok fetch {self.repo_id} {self.filename}",
            "Unset CTOK_OFFLINE, HF_HUB_OFFLINE and TRANSFORMERS_OFFLINE, or pass offline=False.",
            "Check that the cache folder is the one you filled: ctok cache path.",
        ]


class UnreachableEntryError(HubConnectionError, LocalEntryNotFoundError):
    """The file is not in the cache, and the Hub gave no answer. The cause is ``__cause__``."""

    def suggestions(self) -> list[str]:
        cause = self.__cause__
        if isinstance(cause, HubConnectionError):
            return cause.suggestions()
        return list(HubConnectionError.default_suggestions)


class StaleFileWarning(UserWarning):
    """The Hub could not be asked, and an older copy was served from the cache."""


class VerificationError(HubError):
    """Bytes that are not what they should be. ``expected`` and ``actual``."""

    expected: object
    actual: object
    exit_code = VERIFICATION
    default_suggestions = (
        "Download again: ctok fetch REPO FILE --force.",
        "If it happens again, a proxy or mirror changes the files: try without it.",
    )


class ChecksumError(VerificationError):
    """Another checksum than announced or asked for. ``algorithm``, ``path``."""

    expected: str
    actual: str
    algorithm: str
    path: str


class TruncatedError(VerificationError):
    """Fewer or more bytes than announced."""

    expected: int
    actual: int


class IncompleteSnapshotError(HubError, FileNotFoundError):
    """A cached snapshot lacks files that were asked for. ``path`` and ``missing``."""

    path: str
    missing: tuple[str, ...]
    default_suggestions = (
        "Fetch the rest while online: ctok fetch REPO.",
        "Ask for less: allow_patterns=[...].",
    )


class SnapshotError(HubError, OSError):
    """Some files of a snapshot failed. ``failures`` maps each file to its error."""

    failures: Mapping[str, BaseException]

    def suggestions(self) -> list[str]:
        seen: dict[str, None] = {}
        for failure in self.failures.values():
            if isinstance(failure, CtokError):
                seen.update(dict.fromkeys(failure.suggestions()))
        return ["Run it again: the files that arrived are kept.", *seen]


class LocalTokenNotFoundError(HubError, OSError):
    """A token is required and none was found. ``searched`` lists where."""

    searched: tuple[str, ...]
    exit_code = NOT_AUTHORIZED
    default_suggestions = (
        "Create a token at https://huggingface.co/settings/tokens and run: ctok login.",
        "Or set HF_TOKEN, or pass token='hf_...'.",
    )


class CacheNotFoundError(HubError, FileNotFoundError):
    """There is no cache folder. ``path`` is where it was looked for."""

    path: str
    default_suggestions = (
        "Check the folder: ctok cache path, HF_HUB_CACHE, HF_HOME or cache_dir=.",
    )


class CorruptedCacheError(HubError):
    """A cache entry that cannot be right. ``path``."""

    path: str
    exit_code = VERIFICATION
    default_suggestions = ("Mend it: ctok cache verify --repair.",)


class CacheInUseError(HubError, OSError):
    """Somebody is downloading into what was to be deleted. ``path``."""

    path: str
    default_suggestions = ("Wait until the download has ended, then try again.",)


class CacheWriteError(HubError, OSError):
    """The cache could not be written. ``path`` and ``errno``."""

    path: str
    default_suggestions: tuple[str, ...] = ("Use another folder: HF_HUB_CACHE=... or cache_dir=.",)


class DiskFullError(CacheWriteError):
    """No room left, or the quota is used up. ``path``."""

    default_suggestions = (
        "Make room: ctok cache evict --size 10GB (or ctok cache ls, then ctok cache clear REPO).",
        *CacheWriteError.default_suggestions,
    )


class ReadOnlyCacheError(CacheWriteError, PermissionError):
    """The cache may be read but not written. ``path``."""

    default_suggestions = (
        "Fill the cache on a machine that may write it; hits need no write.",
        *CacheWriteError.default_suggestions,
    )


class LockTimeoutError(HubError, TimeoutError):
    """Another process holds the lock of a file. ``path``, ``timeout``, ``owner`` (its pid)."""

    path: str
    timeout: float
    owner: int | None

    def suggestions(self) -> list[str]:
        who = "the process that holds it" if self.owner is None else f"process {self.owner}"
        return [
            f"Wait for {who}, or end it: the lock goes with it.",
            "Allow more time: lock_timeout=.",
        ]
