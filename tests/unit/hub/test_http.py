"""Requests: tokens, redirects, refusals, retries (E07, E18, E19, E24, E40, E41, E46, G05)."""

from __future__ import annotations

import logging
import pickle
import socket
from pathlib import Path
from typing import Any

import pytest
import requests

from ctok.hub.errors import (
    AuthenticationError,
    BadRequestError,
    CircuitOpenError,
    DisabledRepoError,
    GatedRepoError,
    HubConnectionError,
    HubHTTPError,
    HubTimeoutError,
    HubValidationError,
    OfflineModeError,
    RateLimitError,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from ctok.hub.files import download
from ctok.hub.http import Client
from ctok.hub.metadata import fetch_metadata, normalized_etag
from ctok.hub.paths import RepoId
from ctok.hub.retry import Breakers, RetryPolicy
from hubclock import FakeClock, quick_client
from hubserver import HubServer, lfs, rate_limited

REPO = RepoId("org/name")
SECRET = "hf_valid"


def closed_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def test_e19_the_token_goes_to_the_hub_and_not_to_the_second_origin(hub: HubServer) -> None:
    hub.add_repo("org/name", {"model.bin": lfs(b"x" * 100)}, private=True, readers={"alice"})
    download("org/name", "model.bin", token=SECRET)
    assert {f"Bearer {SECRET}"} == {
        each.headers.get("authorization") for each in hub.matching(origin="hub")
    }
    assert 1 == hub.hits(origin="cdn")
    assert [] == hub.leaks


def test_e19_the_token_is_dropped_when_a_listing_is_redirected_elsewhere(hub: HubServer) -> None:
    hub.inject("/api/models", status=302, headers={"Location": f"{hub.cdn}/elsewhere"})
    with Client(token=SECRET) as client, pytest.raises(HubHTTPError):
        client.get_json("/api/models")
    assert 1 == hub.hits(origin="cdn")
    assert [] == hub.leaks


def test_e19_a_session_that_was_given_does_not_leak_its_own_header_either(hub: HubServer) -> None:
    hub.add_repo("org/name", {"model.bin": lfs(b"x" * 100)})
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {SECRET}"
        download("org/name", "model.bin", session=session)
    assert f"Bearer {SECRET}" == hub.matching(origin="hub")[0].headers["authorization"]
    assert 1 == hub.hits(origin="cdn")
    assert [] == hub.leaks


def test_e19_netrc_does_not_replace_the_token(
    hub: HubServer, clean_environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = clean_environment / ".netrc"
    netrc.write_text("machine 127.0.0.1 login thief password stolen\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    hub.add_repo("org/name", {"a.json": b"{}"})
    download("org/name", "a.json", token=SECRET)
    download("org/name", "a.json", token=False, force=True)
    sent = [each.headers.get("authorization") for each in hub.log]
    assert [f"Bearer {SECRET}"] * 2 + [None] * 2 == sent


def test_e07_requests_name_ctok_and_ask_for_plain_bytes(hub: HubServer) -> None:
    hub.compress = True
    hub.add_repo("org/name", {"a.json": b"{}" * 500})
    assert b"{}" * 500 == download("org/name", "a.json").read_bytes()
    assert all(each.headers["user-agent"].startswith("ctok/") for each in hub.log)
    assert {"identity"} == {each.headers["accept-encoding"] for each in hub.log}


def test_e07_a_server_that_compresses_anyway_is_understood(hub: HubServer) -> None:
    import gzip

    body = b"[1, 2]" * 100
    hub.add_repo("org/name", {"a.json": body})
    hub.inject(
        "*/a.json", method="GET", headers={"Content-Encoding": "gzip"}, body=gzip.compress(body)
    )
    assert body == download("org/name", "a.json").read_bytes()


def test_e07_404_names_repository_revision_and_file(hub: HubServer) -> None:
    hub.add_repo("org/name", {"a.json": b"{}"})
    with pytest.raises(RemoteEntryNotFoundError) as caught:
        download("org/name", "b.json", revision="main")
    for part in ("org/name", "main", "b.json", "404"):
        assert part in str(caught.value)


def test_e07_other_refusals_show_status_and_a_shortened_body(hub: HubServer) -> None:
    hub.add_repo("org/name", {"a.json": b"{}"})
    hub.inject("*/a.json", status=418, body=b"short and stout " * 1000)
    with pytest.raises(HubHTTPError) as caught:
        download("org/name", "a.json", force=True, client=quick_client())
    assert 418 == caught.value.status
    assert len(str(caught.value)) < 800


MATRIX: list[tuple[int, str | None, str, type[Exception]]] = [
    (404, "RepoNotFound", "Repository not found", RepositoryNotFoundError),
    (401, "RepoNotFound", "Invalid username or password.", RepositoryNotFoundError),
    (401, None, "Invalid username or password.", RepositoryNotFoundError),
    (401, None, "Invalid credentials in Authorization header", AuthenticationError),
    (403, None, "Forbidden: token lacks scope", AuthenticationError),
    (403, "GatedRepo", "Access to model org/name is restricted", GatedRepoError),
    (401, "GatedRepo", "Access to model org/name is restricted", GatedRepoError),
    (403, None, "Access to this resource is disabled.", DisabledRepoError),
    (404, "RevisionNotFound", "Invalid rev id: x", RevisionNotFoundError),
    (404, "EntryNotFound", "Entry not found", RemoteEntryNotFoundError),
    (404, None, "", RemoteEntryNotFoundError),
    (400, None, "bad", BadRequestError),
    (429, None, "slow down", RateLimitError),
    (500, None, "oops", HubHTTPError),
    (503, None, "later", HubHTTPError),
]


@pytest.mark.parametrize(("status", "code", "message", "expected"), MATRIX)
def test_e24_each_refusal_has_its_exception(
    hub: HubServer, status: int, code: str | None, message: str, expected: type[Exception]
) -> None:
    headers = {"X-Error-Message": message, "X-Request-Id": "req-1"}
    if code is not None:
        headers["X-Error-Code"] = code
    hub.inject("*", status=status, headers=headers)
    client = quick_client(retry=RetryPolicy(retries=0))
    with client, pytest.raises(expected) as caught:
        download("org/name", "a.json", client=client)
    error: Any = caught.value
    assert expected is type(error)
    assert (status, "req-1", message or None) == (
        error.status,
        error.request_id,
        error.server_message,
    )
    assert error.suggestions()
    assert status in (429, 500, 503) or error.user_error
    assert str(error) == str(pickle.loads(pickle.dumps(error)))


def test_g05_a_gated_repository_says_the_three_steps(hub: HubServer) -> None:
    hub.add_repo("org/name", {"a.json": b"{}"}, gated="manual", kind="dataset")
    with pytest.raises(GatedRepoError) as caught:
        download("org/name", "a.json", repo_type="dataset")
    page = f"{hub.endpoint}/datasets/org/name"
    assert page == caught.value.access_url
    assert [
        "1. Create a token with read access: https://huggingface.co/settings/tokens",
        f"2. Accept the terms while logged in: {page}",
        "3. Set HF_TOKEN to the token, or run: ctok login",
    ] == caught.value.suggestions()
    assert 11 == caught.value.exit_code


def test_a_disabled_and_a_private_repository_are_told_apart(hub: HubServer) -> None:
    hub.add_repo("org/off", {"a": b"1"}, disabled=True)
    hub.add_repo("org/private", {"a": b"1"}, private=True, readers={"alice"})
    with pytest.raises(DisabledRepoError):
        download("org/off", "a")
    with pytest.raises(RepositoryNotFoundError):
        download("org/private", "a")
    assert b"1" == download("org/private", "a", token=SECRET).read_bytes()


def test_e40_a_flaky_server_is_asked_again_after_one_two_four_seconds(hub: HubServer) -> None:
    hub.inject("/api/*", status=503, times=3)
    fake = FakeClock()
    with quick_client(fake, token=SECRET) as client:
        assert "alice" == client.get_json("/api/whoami-v2")["name"]
    assert [1.0, 2.0, 4.0] == fake.sleeps


def test_e40_a_server_that_stays_ill_is_given_up(hub: HubServer) -> None:
    hub.inject("/api/*", status=500)
    fake = FakeClock()
    with quick_client(fake) as client, pytest.raises(HubHTTPError):
        client.get_json("/api/whoami-v2")
    assert (4, 3) == (hub.hits("/api/*"), len(fake.sleeps))


@pytest.mark.parametrize("status", [400, 403, 404, 405, 410, 418])
def test_e40_a_refusal_is_not_asked_again(hub: HubServer, status: int) -> None:
    hub.inject("/api/*", status=status)
    with quick_client() as client, pytest.raises(HubHTTPError):
        client.get_json("/api/whoami-v2")
    assert 1 == hub.hits("/api/*")


@pytest.mark.parametrize("retry_after", [True, False])
def test_e40_a_rate_limit_says_how_long_to_wait(hub: HubServer, retry_after: bool) -> None:
    hub.inject("/api/*", times=1, **rate_limited(42, retry_after=retry_after))
    fake = FakeClock()
    with quick_client(fake, token=SECRET) as client:
        client.get_json("/api/whoami-v2")
    assert [42.0] == fake.sleeps


def test_e40_a_wait_beyond_patience_is_left_to_the_caller(hub: HubServer) -> None:
    hub.inject("/api/*", **rate_limited(3600))
    fake = FakeClock()
    with quick_client(fake) as client, pytest.raises(RateLimitError) as caught:
        client.get_json("/api/whoami-v2")
    assert ([], 3600.0) == (fake.sleeps, caught.value.retry_after)
    assert "3600 s" in caught.value.suggestions()[0]


def test_e40_a_reset_connection_is_asked_again(hub: HubServer) -> None:
    hub.inject("/api/*", reset_after=-1, times=2)
    fake = FakeClock()
    with quick_client(fake, token=SECRET) as client:
        client.get_json("/api/whoami-v2")
    assert [1.0, 2.0] == fake.sleeps


def test_e40_silence_is_a_timeout(hub: HubServer) -> None:
    hub.inject("/api/*", delay=5)
    fake = FakeClock()
    with quick_client(fake, timeout=0.1) as client, pytest.raises(HubTimeoutError) as caught:
        client.get_json("/api/whoami-v2")
    assert isinstance(caught.value, TimeoutError | ConnectionError)
    assert 3 == len(fake.sleeps)


def test_e41_a_dead_host_is_left_alone_and_asked_again_later(hub: HubServer) -> None:
    hub.inject("/api/*", status=500, times=5)
    fake = FakeClock()
    client = quick_client(
        fake,
        token=SECRET,
        breakers=Breakers(threshold=5, rest=30),
        retry=RetryPolicy(retries=0),
    )
    with client:
        for _ in range(5):
            with pytest.raises(HubHTTPError):
                client.get_json("/api/whoami-v2")
        with pytest.raises(CircuitOpenError) as caught:
            client.get_json("/api/whoami-v2")
        assert 5 == hub.hits("/api/*")
        assert "probe" in caught.value.suggestions()[0]
        fake.at += 30
        assert "alice" == client.get_json("/api/whoami-v2")["name"]


def test_e46_the_next_endpoint_is_asked_when_one_gives_no_answer(hub: HubServer) -> None:
    hub.add_repo("org/name", {"a.json": b"{}"})
    dead = closed_port()
    fake = FakeClock()
    with quick_client(fake, endpoint=[dead, hub.endpoint]) as client:
        assert b"{}" == download("org/name", "a.json", client=client).read_bytes()
    assert [] == fake.sleeps


def test_e46_the_next_endpoint_is_not_asked_when_one_refuses(hub: HubServer) -> None:
    with HubServer() as mirror:
        hub.add_repo("org/name", {"a.json": b"{}"})
        with pytest.raises(RepositoryNotFoundError):
            download("org/name", "a.json", endpoint=[mirror.endpoint, hub.endpoint])
    assert [] == hub.log


def test_e46_endpoints_come_from_the_environment(
    hub: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CTOK_ENDPOINTS", f"{closed_port()}, {hub.endpoint}")
    hub.add_repo("org/name", {"a.json": b"{}"})
    assert b"{}" == download("org/name", "a.json").read_bytes()


def test_e46_when_no_endpoint_answers_the_error_is_a_connection_error() -> None:
    fake = FakeClock()
    endpoints = [closed_port(), closed_port()]
    with quick_client(fake, endpoint=endpoints) as client, pytest.raises(ConnectionError):
        client.get_json("/api/models")
    assert [1.0, 2.0, 4.0] == fake.sleeps


def test_e37_offline_opens_no_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setenv("HF_HUB_OFFLINE", "on")
    with Client() as client, pytest.raises(OfflineModeError) as caught:
        client.get_json("/api/models")
    assert isinstance(caught.value, ConnectionError)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_e18_a_redirect_on_the_hub_is_followed_and_its_body_dropped(
    hub: HubServer, status: int
) -> None:
    hub.add_repo("org/new", {"a.json": b"{}"})
    hub.inject(
        "/org/old/*",
        status=status,
        headers={"Location": "/org/new/resolve/main/a.json"},
        body=b"Redirecting: this is not the file",
    )
    assert b"{}" == download("org/old", "a.json").read_bytes()


def test_a_renamed_repository_is_found_with_its_token(hub: HubServer) -> None:
    hub.add_repo("org/old", {"a.json": b"{}"}, private=True, readers={"alice"})
    hub.rename("org/old", "org/new")
    assert b"{}" == download("org/old", "a.json", token=SECRET).read_bytes()


def test_redirects_in_a_circle_end(hub: HubServer) -> None:
    hub.inject("/api/*", status=302, headers={"Location": "/api/models"})
    with quick_client() as client, pytest.raises(HubHTTPError, match="10 redirects"):
        client.get_json("/api/models")


@pytest.mark.parametrize("where", ["file:///etc/passwd", "ftp://127.0.0.1/x"])
def test_a_redirect_to_another_scheme_is_refused(hub: HubServer, where: str) -> None:
    hub.inject("/api/*", status=302, headers={"Location": where})
    with quick_client() as client, pytest.raises(HubHTTPError, match="stays encrypted"):
        client.get_json("/api/models")


def test_an_answer_that_is_no_json_names_the_endpoint(hub: HubServer) -> None:
    hub.inject("/api/*", status=200, body=b"<html>Log in to the hotel</html>")
    with quick_client() as client, pytest.raises(HubHTTPError) as caught:
        client.get_json("/api/models")
    assert "HF_ENDPOINT" in caught.value.suggestions()[0]


def test_a_next_page_on_another_server_is_refused(hub: HubServer) -> None:
    link = f'<{hub.cdn}/api/models?cursor=1>; rel="next"'
    hub.inject("/api/models", status=200, headers={"Link": link}, body=b"[]")
    with quick_client(token=SECRET) as client, pytest.raises(HubHTTPError, match="same server"):
        list(client.pages("/api/models"))


@pytest.mark.parametrize("value", ["huggingface.co", "ftp://x", "https://", "file:///x"])
def test_an_endpoint_that_is_no_address_is_refused(value: str) -> None:
    with pytest.raises(HubValidationError):
        Client(endpoint=value)


def test_a_mirror_may_ask_for_user_and_password(hub: HubServer) -> None:
    hub.add_repo("org/name", {"a.json": b"{}"})
    host = hub.endpoint.removeprefix("http://")
    with pytest.raises(AuthenticationError) as caught:
        # The loopback Hub takes Basic for a wrong token: what counts is that it was sent.
        download("org/name", "a.json", endpoint=f"http://me:pw@{host}")
    assert hub.log[0].headers["authorization"].startswith("Basic ")
    assert "pw" not in str(caught.value)


def test_e28_no_token_and_no_signature_shows_up_anywhere(
    hub: HubServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    token = "hf_thisIsVerySecret123"
    hub.add_repo("org/name", {"model.bin": lfs(b"x")})
    hub.inject("*", status=400, body=f"unknown token {token}".encode(), origin="hub")
    client = quick_client(token=token)
    with client, pytest.raises(BadRequestError) as caught:
        download("org/name", "model.bin", client=client)
    hub.heal()
    hub.users[token] = "alice"
    hub.inject(origin="cdn", reset_after=-1)
    with client, pytest.raises(HubConnectionError) as broken:
        download("org/name", "model.bin", client=client)
    for error in (caught.value, broken.value):
        chain: BaseException | None = error
        while chain is not None:
            assert token not in f"{chain} {chain!r} {vars(chain)}"
            request = getattr(chain, "request", None)
            assert token not in str(getattr(request, "headers", ""))
            chain = chain.__cause__ or chain.__context__
    ours = "\n".join(each.getMessage() for each in caplog.records if each.name == "ctok.hub")
    assert "GET" in ours
    assert token not in caplog.text
    assert "Signature" not in ours
    assert "Signature" not in f"{broken.value}"
    assert token not in f"{client!r} {client._auth(hub.endpoint, requests.Session(), True)!r}"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ('"abc"', "abc"),
        ('W/"abc"', "abc"),
        ("abc", "abc"),
        (' "abc" ', "abc"),
        ('""', None),
        (None, None),
    ],
)
def test_e23_etags_lose_quotes_and_weakness(header: str | None, expected: str | None) -> None:
    assert expected == normalized_etag(header)


@pytest.mark.parametrize("resolve_cache", [False, True])
def test_e23_metadata_of_a_small_file(hub: HubServer, resolve_cache: bool) -> None:
    hub.resolve_cache = resolve_cache
    repo = hub.add_repo("org/name", {"a.json": b"{}"})
    with quick_client() as client:
        found = fetch_metadata(client, REPO, "main", "a.json")
    assert (repo.branches["main"], "9e26dfeeb6e641a33dae4961196235bdb965b21b", 2, None) == (
        found.commit,
        found.etag,
        found.size,
        found.location,
    )


def test_e23_metadata_of_a_large_file_comes_with_one_request(hub: HubServer) -> None:
    file = lfs(b"x" * 1000)
    hub.add_repo("org/name", {"model.bin": file})
    with quick_client() as client:
        found = fetch_metadata(client, REPO, "main", "model.bin")
    assert (file.sha256, 1000) == (found.etag, found.size)
    assert found.location is not None
    assert found.location.startswith(hub.cdn)
    assert (1, 0) == (hub.hits(), hub.hits(origin="cdn"))
    assert "Signature" not in repr(found)


def test_e23_a_server_that_names_no_commit_is_no_hub(hub: HubServer) -> None:
    hub.inject("*", status=200, headers={"ETag": '"x"'}, body=b"plain")
    with quick_client() as client, pytest.raises(HubHTTPError, match="no commit or no ETag"):
        fetch_metadata(client, REPO, "main", "a.json")
    with quick_client() as client:
        assert "1" * 40 == fetch_metadata(client, REPO, "1" * 40, "a.json").commit


def test_e38_a_proxy_of_the_environment_is_used_and_no_proxy_obeyed(
    hub: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with HubServer() as proxy:
        for server in (hub, proxy):
            server.add_repo("org/name", {"a.json": b"{}"})
        monkeypatch.setenv("http_proxy", proxy.endpoint)
        download("org/name", "a.json")
        assert (0, 2) == (hub.hits(), proxy.hits())
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        download("org/name", "a.json", force=True)
        assert (2, 2) == (hub.hits(), proxy.hits())


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_e38_certificates_of_the_environment_are_used(
    hub: HubServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    for other in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(other, raising=False)
    seen: list[Any] = []
    real = requests.adapters.HTTPAdapter.send

    def spy(self: Any, *args: Any, **kwargs: Any) -> Any:
        seen.append(kwargs["verify"])
        return real(self, *args, **kwargs)

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", spy)
    hub.add_repo("org/name", {"a.json": b"{}"})
    download("org/name", "a.json")
    monkeypatch.setenv(name, str(tmp_path / "ca.pem"))
    (tmp_path / "ca.pem").touch()
    download("org/name", "a.json", force=True)
    assert [True, True, str(tmp_path / "ca.pem"), str(tmp_path / "ca.pem")] == seen


def test_e19_the_token_follows_the_same_host_to_https_and_nowhere_else() -> None:
    client = Client(endpoint="http://hub.example", token=SECRET)
    assert client._is_home("http://hub.example/x")
    assert client._is_home("https://hub.example/x")
    for other in (
        "https://hub.example:8443/x",
        "http://hub.example:8080/x",
        "https://evil.example/x",
        "https://hub.example.evil/x",
        "http://hub.example@evil.example/x",
    ):
        assert not client._is_home(other), other
    assert not Client(endpoint="https://hub.example")._is_home("http://hub.example/x")


def test_a_refusal_whose_body_breaks_is_still_the_refusal(hub: HubServer) -> None:
    hub.inject("/api/*", status=403, body=b"x" * 10_000, reset_after=10)
    with quick_client() as client, pytest.raises(AuthenticationError):
        client.request("GET", "/api/models", stream=True)


def test_offline_as_argument_holds_for_a_client_that_is_online(hub: HubServer) -> None:
    with quick_client() as client, pytest.raises(FileNotFoundError):
        download("org/name", "a.json", client=client, offline=True)
    assert [] == hub.log


def test_a_connection_that_cannot_be_encrypted_is_not_tried_again(hub: HubServer) -> None:
    fake = FakeClock()
    endpoint = hub.endpoint.replace("http:", "https:")
    with (
        quick_client(fake, endpoint=endpoint) as client,
        pytest.raises(HubConnectionError) as caught,
    ):
        client.get_json("/api/models")
    assert ([], True) == (fake.sleeps, caught.value.final)
    assert "REQUESTS_CA_BUNDLE" in caught.value.suggestions()[0]


def test_e38_certificates_that_are_not_there_are_a_connection_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/ca.pem")
    endpoint = closed_port().replace("http:", "https:")
    with quick_client(endpoint=endpoint) as client, pytest.raises(HubConnectionError) as caught:
        client.get_json("/api/models")
    assert "/nowhere/ca.pem" in str(caught.value)


def test_e28_a_server_that_repeats_the_token_does_not_make_us_repeat_it(hub: HubServer) -> None:
    token = "of-some-other-shape"
    said = f'{{"error": "what is {token}?"}}'.encode()
    for headers in ({}, {"X-Error-Message": f"what is {token}?"}):
        hub.heal()
        hub.inject(status=418, headers=headers, body=said)
        with quick_client(token=token) as client, pytest.raises(HubHTTPError) as caught:
            client.get_json("/api/models")
        assert "what is <token>?" in str(caught.value)
        assert token not in f"{vars(caught.value)}"
