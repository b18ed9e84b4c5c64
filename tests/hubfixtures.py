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


@pytest.fixture(autouse=True)
def no_name_lookups(monkeypatch: pytest.MonkeyPatch, loopback_only: list[str]) -> None:
    """Refuses to look up a name of the outside world: tests/conftest.py refuses to connect."""
    resolve = socket.getaddrinfo

    def checked(host: Any, *args: Any, **kwargs: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name and not name.startswith(LOOPBACK):
            loopback_only.append(name)
            # Not an OSError: no retry loop may swallow it.
            raise RuntimeError(f"a test wants to reach {name}")
        return resolve(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", checked)


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


@pytest.fixture(autouse=True)
def no_memory_of_hosts() -> Iterator[None]:
    """Ports are used again: no test inherits another's circuit breakers or login."""
    from ctok.hub import auth
    from ctok.hub.retry import BREAKERS

    BREAKERS.reset()
    yield
    BREAKERS.reset()
    auth.logout(forget_file=False)
