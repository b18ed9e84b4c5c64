"""What every test may use: the shared data, the oracles, and no way out of the machine."""

from __future__ import annotations

import functools
import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from testdata import DATA, read_data

# One profile decides every property test: the same examples on every machine, no clock.
# CTOK_HYPOTHESIS=explore looks for new ones (see strategies.examples).
settings.register_profile(
    "ci",
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.register_profile(
    "explore",
    settings.get_profile("ci"),
    derandomize=False,
    print_blob=True,
)
settings.load_profile(os.environ.get("CTOK_HYPOTHESIS", "ci"))


def pytest_configure(config: pytest.Config) -> None:
    """Gives the suite an empty cache of its own: encodings keep images of themselves there."""
    place = tempfile.mkdtemp(prefix="ctok-tests-")
    os.environ["CTOK_CACHE_DIR"] = place
    config.add_cleanup(lambda: shutil.rmtree(place, ignore_errors=True))


LOOPBACK = ("127.", "localhost", "::1")


@pytest.fixture(autouse=True)
def loopback_only(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Refuses every socket that is not loopback, and fails the test even if that was caught."""
    attempts: list[str] = []

    def refusing(call: Callable[..., Any]) -> Callable[..., Any]:
        def checked(sock: socket.socket, address: Any) -> Any:
            host = address[0] if isinstance(address, tuple) else None
            if isinstance(host, str) and not host.startswith(LOOPBACK):
                attempts.append(host)
                raise RuntimeError(f"a test wants to reach {host}")
            return call(sock, address)

        return checked

    monkeypatch.setattr(socket.socket, "connect", refusing(socket.socket.connect))
    monkeypatch.setattr(socket.socket, "connect_ex", refusing(socket.socket.connect_ex))
    yield attempts
    assert attempts == []


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real vocabularies and corpora; tests that need it are skipped without it."""
    if not (DATA / "MANIFEST.tsv").is_file():
        pytest.skip(f"no test data at {DATA}: set CTOK_TEST_DATA")
    return DATA


@pytest.fixture(scope="session")
def corpus(data_dir: Path) -> Callable[[str], str]:
    """Loads data/corpora/<name>, unpacked, once per session."""

    @functools.cache
    def load(name: str) -> str:
        return read_data(data_dir / "corpora" / name).decode()

    return load
