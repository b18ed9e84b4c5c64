"""What the tests of single downloads share: one repository, and looks into the cache."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from ctok.hub.paths import Places, RepoId
from hubserver import HubServer, lfs

BIG = bytes(range(256)) * 4000  # about 1 MB
SMALL = b'{"a": 1}'


def add_repo(hub: HubServer) -> Any:
    """org/name with a small file, one in LFS and one in a folder."""
    return hub.add_repo("org/name", {"a.json": SMALL, "model.bin": lfs(BIG), "d/e.txt": b"deep"})


def places(cache: Path) -> Places:
    """Where org/name lies in a cache."""
    return Places(cache, RepoId("org/name"))


def leftovers(cache: Path) -> list[str]:
    """Unfinished files anywhere in a cache."""
    return [path.name for path in cache.rglob("*.incomplete")]


def no_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on, opening a socket fails the test."""

    def refuse(*_: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
