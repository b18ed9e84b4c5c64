"""What the Hub knows about repositories: information, listings, trees, branches.

Every function takes ``token``, ``endpoint``, ``session`` and ``offline`` as ``download`` does,
or a ``client`` with all of them. Nothing here is cached.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack

from ctok.hub.errors import HubHTTPError, HubValidationError
from ctok.hub.http import Client
from ctok.hub.paths import (
    PLURALS,
    RepoId,
    RepoType,
    check_filename,
    check_repo_type,
    check_revision,
)
from ctok.hub.refusal import Subject

if TYPE_CHECKING:
    import requests


class Access(TypedDict, total=False):
    """How to reach the Hub: the keyword arguments that every function here takes."""

    token: str | bool | None
    endpoint: str | Sequence[str] | None
    session: requests.Session | None
    offline: bool | None
    timeout: float | None
    client: Client | None


@dataclass(frozen=True)
class RepoFile:
    """A file of a commit. ``sha256`` is known for files in LFS, ``last_commit`` if expanded."""

    path: str
    size: int | None = None
    oid: str | None = None
    sha256: str | None = None
    last_commit: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class RepoFolder:
    """A folder of a commit."""

    path: str
    oid: str | None = None
    last_commit: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class RepoInfo:
    """A repository as the Hub describes it.

    Attributes:
        id, kind: which repository.
        sha: the commit that the revision means.
        author, tags, downloads, likes, private, disabled: as on its page.
        gated: False, or how access is granted: ``auto`` or ``manual``.
        last_modified, created_at: with time zone.
        siblings: its files; empty in listings.
        card_data: the YAML block of its README.
        raw: everything the Hub said.
    """

    id: str
    kind: RepoType
    sha: str | None = None
    author: str | None = None
    tags: tuple[str, ...] = ()
    downloads: int | None = None
    likes: int | None = None
    private: bool = False
    gated: bool | str = False
    disabled: bool = False
    last_modified: datetime | None = None
    created_at: datetime | None = None
    siblings: tuple[RepoFile, ...] = ()
    card_data: Mapping[str, Any] = field(default_factory=dict)
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True)
class GitRef:
    """A branch, tag or pull request: its short name, its full name, and its commit."""

    name: str
    ref: str
    commit: str


@dataclass(frozen=True)
class RepoRefs:
    """Everything that names a commit of a repository."""

    branches: tuple[GitRef, ...]
    tags: tuple[GitRef, ...]
    converts: tuple[GitRef, ...]
    pull_requests: tuple[GitRef, ...]


def repo_info(
    repo_id: str,
    *,
    repo_type: str | None = None,
    revision: str | None = None,
    files_metadata: bool = False,
    **access: Unpack[Access],
) -> RepoInfo:
    """Asks about one repository at a revision.

    Args:
        repo_id, repo_type, revision: which.
        files_metadata: also ask for the files' sizes and checksums.
        **access: see ``Access``.

    Raises:
        RepositoryNotFoundError, RevisionNotFoundError, GatedRepoError: as they say.

    Example:
        >>> repo_info("openai-community/gpt2").sha  # doctest: +SKIP
        '607a30d783dfa663caf39e06633721c8d4cfcd7e'
    """
    repo = RepoId.of(repo_id, repo_type)
    at = check_revision(revision)
    parts = ("revision", at) if revision is not None else ()
    with reached(access) as client:
        raw = client.get_json(
            repo.api_path(*parts),
            subject=Subject(repo, at),
            params={"blobs": "1"} if files_metadata else None,
        )
    return _info(raw, repo.kind)


def model_info(repo_id: str, *, revision: str | None = None, **more: Any) -> RepoInfo:
    """``repo_info`` of a model."""
    return repo_info(repo_id, repo_type="model", revision=revision, **more)


def dataset_info(repo_id: str, *, revision: str | None = None, **more: Any) -> RepoInfo:
    """``repo_info`` of a dataset."""
    return repo_info(repo_id, repo_type="dataset", revision=revision, **more)


def space_info(repo_id: str, *, revision: str | None = None, **more: Any) -> RepoInfo:
    """``repo_info`` of a space."""
    return repo_info(repo_id, repo_type="space", revision=revision, **more)


def repo_exists(repo_id: str, *, repo_type: str | None = None, **access: Unpack[Access]) -> bool:
    """Whether the repository exists and the token reaches it; a gated one counts.

    Args:
        repo_id, repo_type: which.
        **access: see ``Access``.

    Returns:
        True or False; only a missing answer is an error.

    Raises:
        HubConnectionError: no answer.

    Example:
        >>> repo_exists("openai-community/gpt2")  # doctest: +SKIP
        True
    """
    from ctok.hub.errors import GatedRepoError, RepositoryNotFoundError

    try:
        repo_info(repo_id, repo_type=repo_type, **access)
    except GatedRepoError:
        return True
    except RepositoryNotFoundError:
        return False
    return True


def list_models(**options: Any) -> Iterator[RepoInfo]:
    """``list_repos`` of models."""
    return list_repos("model", **options)


def list_datasets(**options: Any) -> Iterator[RepoInfo]:
    """``list_repos`` of datasets."""
    return list_repos("dataset", **options)


def list_spaces(**options: Any) -> Iterator[RepoInfo]:
    """``list_repos`` of spaces."""
    return list_repos("space", **options)


def list_repos(
    repo_type: str = "model",
    *,
    filter: str | Sequence[str] | None = None,  # noqa: A002 - the Hub's own name
    author: str | None = None,
    search: str | None = None,
    sort: str | None = None,
    direction: Literal["asc", "desc", 1, -1] | None = None,
    limit: int | None = None,
    full: bool = False,
    **access: Unpack[Access],
) -> Iterator[RepoInfo]:
    """Yields the repositories of a kind that match, page after page as they are asked for.

    Args:
        repo_type: ``model``, ``dataset`` or ``space``.
        filter: tags that all must be there.
        author: the user or organisation.
        search: a part of the name.
        sort: ``downloads``, ``likes``, ``lastModified``, ``createdAt``, ``trendingScore``.
        direction: ``desc`` (or -1), the Hub's default, or ``asc``.
        limit: the most repositories to yield.
        full: ask for all that the Hub shows in a listing.
        **access: see ``Access``.

    Example:
        >>> next(list_models(author="openai-community", sort="downloads")).id  # doctest: +SKIP
        'openai-community/gpt2'
    """
    kind = check_repo_type(repo_type)
    if limit is not None and limit < 0:
        raise HubValidationError(f"limit is {limit}, below 0", value=limit)
    if direction not in (None, "asc", "desc", 1, -1):
        raise HubValidationError(
            f"direction is {direction!r}, not 'asc' or 'desc'", value=direction
        )
    tags = [filter] if isinstance(filter, str) else list(filter or ())
    params: list[tuple[str, Any]] = [("filter", tag) for tag in tags]
    params += [
        (name, value)
        for name, value in (("author", author), ("search", search), ("sort", sort))
        if value is not None
    ]
    if direction is not None:
        params.append(("direction", "-1" if direction in ("desc", -1) else "1"))
    if limit is not None:
        params.append(("limit", str(limit)))
    if full:
        params.append(("full", "1"))

    def rows() -> Iterator[RepoInfo]:
        if limit == 0:
            return
        with reached(access) as client:
            found = client.pages(f"/api/{PLURALS[kind]}", params=params)
            for raw in islice(found, limit):
                yield _info(raw, kind)

    return rows()


def list_repo_tree(
    repo_id: str,
    path_in_repo: str = "",
    *,
    repo_type: str | None = None,
    revision: str | None = None,
    recursive: bool = False,
    expand: bool = False,
    **access: Unpack[Access],
) -> Iterator[RepoFile | RepoFolder]:
    """Yields the files and folders below a folder.

    Args:
        repo_id, repo_type, revision: which commit.
        path_in_repo: the folder; the top by default.
        recursive: also what lies deeper.
        expand: also each entry's last commit (slower).
        **access: see ``Access``.

    Raises:
        RemoteEntryNotFoundError: there is no such folder.

    Example:
        >>> next(list_repo_tree("openai-community/gpt2", "onnx")).path  # doctest: +SKIP
        'onnx/config.json'
    """
    repo, at = RepoId.of(repo_id, repo_type), check_revision(revision)
    folder = check_filename(path_in_repo.strip("/")) if path_in_repo.strip("/") else ""
    path = repo.api_path("tree", at, *folder.split("/")) if folder else repo.api_path("tree", at)
    params = {
        name: "1" for name, wanted in (("recursive", recursive), ("expand", expand)) if wanted
    }

    def rows() -> Iterator[RepoFile | RepoFolder]:
        with reached(access) as client:
            for raw in client.pages(path, subject=Subject(repo, at, folder), params=params):
                yield _entry(raw)

    return rows()


def list_files(
    repo_id: str,
    *,
    repo_type: str | None = None,
    revision: str | None = None,
    **access: Unpack[Access],
) -> list[str]:
    """Lists all files of a commit.

    Args:
        repo_id, repo_type, revision: which commit.
        **access: see ``Access``.

    Returns:
        Their paths, sorted.

    Raises:
        RepositoryNotFoundError, RevisionNotFoundError: as they say.

    Example:
        >>> list_files("openai-community/gpt2")[0]  # doctest: +SKIP
        '.gitattributes'
    """
    tree = list_repo_tree(repo_id, repo_type=repo_type, revision=revision, recursive=True, **access)
    return sorted(entry.path for entry in tree if isinstance(entry, RepoFile))


def list_repo_refs(
    repo_id: str, *, repo_type: str | None = None, **access: Unpack[Access]
) -> RepoRefs:
    """Lists what names a commit of a repository.

    Args:
        repo_id, repo_type: which.
        **access: see ``Access``.

    Returns:
        Branches, tags, conversions and pull requests, each with its commit.

    Raises:
        RepositoryNotFoundError: the Hub has no such repository.

    Example:
        >>> list_repo_refs("openai-community/gpt2").branches[0].name  # doctest: +SKIP
        'main'
    """
    repo = RepoId.of(repo_id, repo_type)
    with reached(access) as client:
        raw = client.get_json(
            repo.api_path("refs"), subject=Subject(repo, ""), params={"include_prs": "1"}
        )

    def refs(name: str) -> tuple[GitRef, ...]:
        return tuple(
            GitRef(str(each["name"]), str(each["ref"]), str(each["targetCommit"]))
            for each in raw.get(name) or ()
        )

    return RepoRefs(refs("branches"), refs("tags"), refs("converts"), refs("pullRequests"))


def get_paths_info(
    repo_id: str,
    paths: str | Sequence[str],
    *,
    repo_type: str | None = None,
    revision: str | None = None,
    expand: bool = False,
    **access: Unpack[Access],
) -> list[RepoFile | RepoFolder]:
    """Asks for sizes and checksums of some files in one request.

    Args:
        repo_id, repo_type, revision: which commit.
        paths: files or folders.
        expand: also each entry's last commit.
        **access: see ``Access``.

    Returns:
        What is there, in the order asked for; paths that are not there are left out.

    Raises:
        RepositoryNotFoundError, RevisionNotFoundError: as they say.

    Example:
        >>> get_paths_info("openai-community/gpt2", "vocab.json")[0].size  # doctest: +SKIP
        1042301
    """
    repo, at = RepoId.of(repo_id, repo_type), check_revision(revision)
    named = [check_filename(each) for each in ([paths] if isinstance(paths, str) else paths)]
    with reached(access) as client:
        rows = client.post_json(
            repo.api_path("paths-info", at),
            {"paths": named, "expand": expand},
            subject=Subject(repo, at),
        )
    return [_entry(raw) for raw in rows]


@contextmanager
def reached(access: Access) -> Iterator[Client]:
    """The client that was given, or one of its own for the time of a call."""
    given = access.get("client")
    if given is not None:
        yield given
        return
    with Client(
        token=access.get("token"),
        endpoint=access.get("endpoint"),
        session=access.get("session"),
        offline=access.get("offline"),
        timeout=access.get("timeout"),
    ) as client:
        yield client


def _info(raw: Any, kind: RepoType) -> RepoInfo:
    if not isinstance(raw, Mapping):
        raise HubHTTPError(
            f"the Hub described a {kind} by {type(raw).__name__}", status=200, url=""
        )
    name = str(raw.get("id") or raw.get("modelId") or "")
    return RepoInfo(
        id=name,
        kind=kind,
        sha=raw.get("sha"),
        author=raw.get("author") or (name.split("/")[0] if "/" in name else None),
        tags=tuple(raw.get("tags") or ()),
        downloads=raw.get("downloads"),
        likes=raw.get("likes"),
        private=bool(raw.get("private")),
        gated=raw.get("gated") or False,
        disabled=bool(raw.get("disabled")),
        last_modified=_date(raw.get("lastModified")),
        created_at=_date(raw.get("createdAt")),
        siblings=tuple(map(_sibling, raw.get("siblings") or ())),
        card_data=raw.get("cardData") or {},
        raw=raw,
    )


def _sibling(raw: Mapping[str, Any]) -> RepoFile:
    lfs = raw.get("lfs") or {}
    return RepoFile(str(raw["rfilename"]), raw.get("size"), raw.get("blobId"), lfs.get("sha256"))


def _entry(raw: Mapping[str, Any]) -> RepoFile | RepoFolder:
    if raw.get("type") == "directory":
        return RepoFolder(str(raw["path"]), raw.get("oid"), raw.get("lastCommit"))
    lfs = raw.get("lfs") or {}
    return RepoFile(
        str(raw["path"]), raw.get("size"), raw.get("oid"), lfs.get("oid"), raw.get("lastCommit")
    )


def _date(text: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
