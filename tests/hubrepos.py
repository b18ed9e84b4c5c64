"""Repositories of the loopback Hub: commits, branches, tags and pull requests, in memory.

::

    repo = Repo("org/name")
    first = repo.commit({"config.json": b"{}", "model.safetensors": lfs(b"...")})
    repo.tag("v1", first)
    repo.commit({"config.json": b'{"a": 1}'})          # main moves on, v1 stays
    repo.pull_request(1, {"config.json": b"[]"})       # refs/pr/1

What a file's ETag is, which header carries it and how a tree is listed follow the Hub's
published behaviour: a small file is known by its git blob SHA-1, an LFS file by the SHA-256
of its content. Nothing here speaks HTTP: see hubserver.py.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

KINDS = {"models": "model", "datasets": "dataset", "spaces": "space"}
DATE = "2024-05-01T12:00:00.000Z"


@dataclass(frozen=True)
class StoredFile:
    """One file of a commit. ``data`` may be any buffer: a large one can be an mmap."""

    data: Any
    lfs: bool = False

    @property
    def size(self) -> int:
        return len(self.data)

    @cached_property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()

    @cached_property
    def oid(self) -> str:
        """The git blob id: of the pointer file where the content lives in LFS."""
        return git_blob_id(self.pointer if self.lfs else self.data)

    @cached_property
    def pointer(self) -> bytes:
        return (
            f"version https://git-lfs.github.com/spec/v1\noid sha256:{self.sha256}\n"
            f"size {self.size}\n"
        ).encode()

    @property
    def etag(self) -> str:
        return self.sha256 if self.lfs else self.oid

    def entry(self, path: str) -> dict[str, Any]:
        """How the tree and paths-info endpoints show the file."""
        shown: dict[str, Any] = {"type": "file", "oid": self.oid, "size": self.size, "path": path}
        if self.lfs:
            shown["lfs"] = {
                "oid": self.sha256,
                "size": self.size,
                "pointerSize": len(self.pointer),
            }
        return shown


def lfs(data: Any) -> StoredFile:
    """A file stored in LFS, hence served by the second origin."""
    return StoredFile(data, lfs=True)


def git_blob_id(data: Any) -> str:
    digest = hashlib.sha1(b"blob %d\0" % len(data), usedforsecurity=False)
    digest.update(data)
    return digest.hexdigest()


@dataclass(frozen=True)
class Commit:
    sha: str
    title: str
    files: Mapping[str, StoredFile]

    def tree(self, folder: str, *, recursive: bool) -> list[dict[str, Any]] | None:
        """Entries below ``folder`` in path order, or None where there is no such folder."""
        prefix = f"{folder}/" if folder else ""
        shown: dict[str, dict[str, Any]] = {}
        for path, file in self.files.items():
            if not path.startswith(prefix):
                continue
            parts = path[len(prefix) :].split("/")
            for depth in range(1, len(parts) if recursive else min(len(parts), 2)):
                inner = prefix + "/".join(parts[:depth])
                oid = hashlib.sha1(inner.encode(), usedforsecurity=False).hexdigest()
                shown[inner] = {"type": "directory", "oid": oid, "size": 0, "path": inner}
            if recursive or len(parts) == 1:
                shown[path] = file.entry(path)
        if folder and not shown:
            return None
        return [shown[path] for path in sorted(shown)]


@dataclass
class Repo:
    """One repository. Access rules are plain attributes: change them between requests.

    Attributes:
        private: only ``readers`` see that it exists.
        gated: everyone sees it, only ``readers`` download from it.
        readers: user names with access.
        disabled: taken down by the Hub: every request is refused.
        card: the YAML block of README.md, as data.
    """

    id: str
    kind: str = "model"
    private: bool = False
    gated: bool | str = False
    disabled: bool = False
    readers: set[str] = field(default_factory=set)
    card: dict[str, Any] = field(default_factory=dict)
    tags_shown: list[str] = field(default_factory=list)
    downloads: int = 0
    likes: int = 0
    commits: dict[str, Commit] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    pulls: dict[str, str] = field(default_factory=dict)

    def commit(
        self,
        files: Mapping[str, bytes | StoredFile],
        *,
        branch: str = "main",
        delete: Iterable[str] = (),
        title: str = "Update",
    ) -> str:
        """Adds or replaces files on a branch and returns the new commit's hash."""
        sha = self._record(self.branches.get(branch), files, delete, title)
        self.branches[branch] = sha
        return sha

    def pull_request(self, number: int, files: Mapping[str, bytes | StoredFile]) -> str:
        """Opens ``refs/pr/<number>`` on top of main."""
        sha = self._record(self.branches.get("main"), files, (), f"Pull request {number}")
        self.pulls[f"refs/pr/{number}"] = sha
        return sha

    def branch(self, name: str, sha: str | None = None) -> None:
        self.branches[name] = sha or self.branches["main"]

    def tag(self, name: str, sha: str | None = None) -> None:
        self.tags[name] = sha or self.branches["main"]

    def resolve(self, revision: str) -> Commit | None:
        """The commit that a branch, tag, pull request or full hash names."""
        for known in (self.branches, self.tags, self.pulls):
            if revision in known:
                return self.commits[known[revision]]
        return self.commits.get(revision)

    @property
    def revisions(self) -> list[str]:
        return [*self.branches, *self.tags, *self.pulls, *self.commits]

    def readme(self) -> bytes:
        """README.md with the card as YAML front matter (JSON is YAML)."""
        lines = [f"{key}: {json.dumps(value)}" for key, value in self.card.items()]
        return ("---\n" + "\n".join(lines) + "\n---\n# " + self.id + "\n").encode()

    def _record(
        self,
        parent: str | None,
        files: Mapping[str, bytes | StoredFile],
        delete: Iterable[str],
        title: str,
    ) -> str:
        merged = dict(self.commits[parent].files) if parent else {}
        for path in delete:
            del merged[path]
        for path, file in files.items():
            merged[path] = file if isinstance(file, StoredFile) else StoredFile(file)
        listing = [(path, merged[path].oid) for path in sorted(merged)]
        text = json.dumps([self.kind, self.id, parent, title, listing])
        sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
        self.commits[sha] = Commit(sha, title, merged)
        return sha

    def info(self, commit: Commit, *, blobs: bool) -> dict[str, Any]:
        """What ``/api/models/{id}`` and its like answer."""
        siblings: list[dict[str, Any]] = []
        for path, file in sorted(commit.files.items()):
            sibling: dict[str, Any] = {"rfilename": path}
            if blobs:
                sibling |= {"size": file.size, "blobId": file.oid}
                if file.lfs:
                    sibling["lfs"] = {
                        "sha256": file.sha256,
                        "size": file.size,
                        "pointerSize": len(file.pointer),
                    }
            siblings.append(sibling)
        return self.summary() | {
            "sha": commit.sha,
            "siblings": siblings,
            "cardData": self.card,
            "usedStorage": sum(file.size for file in commit.files.values()),
        }

    def summary(self) -> dict[str, Any]:
        """One row of a listing."""
        shown: dict[str, Any] = {
            "_id": hashlib.md5(self.id.encode(), usedforsecurity=False).hexdigest()[:24],
            "id": self.id,
            "author": self.id.split("/")[0] if "/" in self.id else None,
            "sha": self.branches.get("main"),
            "lastModified": DATE,
            "createdAt": DATE,
            "private": self.private,
            "gated": self.gated,
            "disabled": self.disabled,
            "downloads": self.downloads,
            "likes": self.likes,
            "tags": self.tags_shown,
        }
        if self.kind == "model":
            shown |= {"modelId": self.id, "pipeline_tag": "text-generation"}
        if self.kind == "space":
            shown["sdk"] = "docker"
        return shown

    def refs(self) -> dict[str, Any]:
        """What ``/api/models/{id}/refs`` answers."""

        def shown(prefix: str, known: Mapping[str, str]) -> list[dict[str, str]]:
            return [
                {"name": name, "ref": prefix + name, "targetCommit": sha}
                for name, sha in known.items()
            ]

        return {
            "branches": shown("refs/heads/", self.branches),
            "tags": shown("refs/tags/", self.tags),
            "converts": [],
            "pullRequests": [
                {"name": name.removeprefix("refs/"), "ref": name, "targetCommit": sha}
                for name, sha in self.pulls.items()
            ],
        }
