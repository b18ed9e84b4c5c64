"""Which token is sent, and where it is kept (E27, E28)."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctok.hub import login, logout, whoami
from ctok.hub.auth import find_token
from ctok.hub.errors import (
    AuthenticationError,
    HubConnectionError,
    HubValidationError,
    LocalTokenNotFoundError,
    OfflineModeError,
)
from hubserver import HubServer


def token_file(home: Path, text: str) -> None:
    (home / "hf").mkdir(exist_ok=True)
    (home / "hf/token").write_text(text)


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        ({"argument", "memory", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "file"}, "argument"),
        ({"memory", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "file"}, "memory"),
        ({"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "file"}, "HF_TOKEN"),
        ({"HUGGING_FACE_HUB_TOKEN", "file"}, "HUGGING_FACE_HUB_TOKEN"),
        ({"file"}, "file"),
        (set(), None),
    ],
)
def test_e27_the_first_source_wins(
    monkeypatch: pytest.MonkeyPatch,
    clean_environment: Path,
    sources: set[str],
    expected: str | None,
) -> None:
    if "memory" in sources:
        login("memory", persist=False, validate=False)
    for name in sources & {"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"}:
        monkeypatch.setenv(name, name)
    if "file" in sources:
        token_file(clean_environment, "file")
    assert expected == find_token("argument" if "argument" in sources else None)


def test_e27_spaces_are_trimmed_and_empty_is_unset(
    monkeypatch: pytest.MonkeyPatch, clean_environment: Path
) -> None:
    monkeypatch.setenv("HF_TOKEN", "  ")
    token_file(clean_environment, " from-file \n")
    assert "from-file" == find_token()
    monkeypatch.setenv("HF_TOKEN", " from-variable\n")
    assert "from-variable" == find_token()
    assert find_token("   ") is None


def test_e27_the_file_may_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("named")
    monkeypatch.setenv("HF_TOKEN_PATH", str(tmp_path / "mine"))
    assert "named" == find_token()


def test_e27_false_sends_none_and_implicit_tokens_can_be_forbidden(
    hub: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_valid")
    assert find_token(False) is None
    monkeypatch.setenv("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1")
    assert find_token() is None
    assert "hf_valid" == find_token(True)


def test_e28_a_missing_token_lists_where_it_was_looked_for(clean_environment: Path) -> None:
    with pytest.raises(LocalTokenNotFoundError) as caught:
        find_token(True)
    for place in (
        "token=",
        "login()",
        "HF_TOKEN",
        "HUGGING_FACE_HUB_TOKEN",
        str(clean_environment / "hf/token"),
    ):
        assert place in str(caught.value)
    assert isinstance(caught.value, OSError)
    assert (11, True) == (caught.value.exit_code, "ctok login" in caught.value.suggestions()[0])


@pytest.mark.parametrize("token", ["two words", "line\nbreak", "naïve", "tab\there", "nul\0"])
def test_e28_what_no_header_can_carry_is_refused_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    with pytest.raises(HubValidationError) as caught:
        find_token(token)
    assert token not in str(caught.value)
    if "\0" not in token:
        monkeypatch.setenv("HF_TOKEN", token)
        with pytest.raises(HubValidationError, match="HF_TOKEN"):
            find_token()


def test_e27_login_asks_whose_token_it_is_and_stores_it_for_its_owner_alone(
    hub: HubServer, clean_environment: Path
) -> None:
    account = login(" hf_valid ")
    path = clean_environment / "hf/token"
    assert account is not None
    assert ("alice", "user") == (account.name, account.kind)
    assert ("hf_valid", 0o600) == (path.read_text(), path.stat().st_mode & 0o777)
    assert "alice" == whoami().name
    assert logout()
    assert (False, None) == (path.exists(), find_token())
    assert not logout()


def test_e27_a_refused_token_is_not_stored(hub: HubServer, clean_environment: Path) -> None:
    with pytest.raises(AuthenticationError) as caught:
        login("hf_wrongButSecret")
    assert "hf_wrongButSecret" not in str(caught.value)
    assert (False, None) == ((clean_environment / "hf/token").exists(), find_token())


def test_e27_without_an_answer_nothing_is_stored(
    hub: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CTOK_OFFLINE", "1")
    with pytest.raises(OfflineModeError):
        login("hf_valid")
    assert find_token() is None


def test_e27_an_empty_token_is_no_login() -> None:
    with pytest.raises(HubValidationError):
        login("  ")


def test_e27_whoami_needs_a_token(hub: HubServer) -> None:
    with pytest.raises(LocalTokenNotFoundError):
        whoami()
    assert [] == hub.log


def test_e27_whoami_without_an_answer(hub: HubServer) -> None:
    hub.inject(reset_after=-1)
    from ctok.hub.retry import RetryPolicy
    from hubclock import quick_client

    client = quick_client(token="hf_valid", retry=RetryPolicy(retries=0))
    with client, pytest.raises(HubConnectionError):
        client.get_json("/api/whoami-v2")
