"""Fixtures of the Hub client's tests: a loopback Hub, a clean environment, no outside world."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hubserver import HubServer

LOOPBACK = ("127.", "localhost", "::1")


class OutsideWorldError(RuntimeError):
    """A test tried to leave the machine. Not an OSError: no retry loop may swallow it."""


@pytest.fixture(autouse=True)
def loopback_only(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Refuses every socket that is not loopback, and fails the test even if that was caught."""
    attempts: list[str] = []

    def checked(host: Any) -> None:
        if isinstance(host, bytes):
            host = host.decode()
        if isinstance(host, str) and host and not host.startswith(LOOPBACK):
            attempts.append(host)
            raise OutsideWorldError(f"a test wants to reach {host}")

    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex
    resolve = socket.getaddrinfo

    def connect_checked(self: socket.socket, address: Any) -> None:
        if isinstance(address, tuple):
            checked(address[0])
        connect(self, address)

    def connect_ex_checked(self: socket.socket, address: Any) -> int:
        if isinstance(address, tuple):
            checked(address[0])
        return connect_ex(self, address)

    def resolve_checked(host: Any, *args: Any, **kwargs: Any) -> Any:
        checked(host)
        return resolve(host, *args, **kwargs)

    monkeypatch.setattr(socket.socket, "connect", connect_checked)
    monkeypatch.setattr(socket.socket, "connect_ex", connect_ex_checked)
    monkeypatch.setattr(socket, "getaddrinfo", resolve_checked)
    yield attempts
    assert attempts == []


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No variable of the developer's machine decides a test; returns the private home."""
    for name in list(os.environ):
        if name.upper().startswith(
            ("HF_", "HUGGING", "CTOK_", "BITNET_", "TRANSFORMERS_", "XDG_", "DO_NOT_")
        ) or (name.lower().endswith("_proxy")):
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("HF_HOME", str(home / "hf"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "cache"))
    monkeypatch.delenv("NETRC", raising=False)
    return home


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    """A loopback Hub that ``HF_ENDPOINT`` points at; it must neither crash nor see a leak."""
    with HubServer() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.endpoint)
        yield server
    assert server.crashes == []
    assert server.leaks == []


@pytest.fixture
def cache(clean_environment: Path) -> Path:
    """The Hub cache folder that the environment names (not created yet)."""
    return clean_environment / "hf" / "hub"
