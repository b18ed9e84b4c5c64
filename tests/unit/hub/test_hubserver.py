"""The loopback Hub itself: what the other tests rely on."""

from __future__ import annotations

import contextlib
import socket
import threading
from pathlib import Path

import pytest
import requests

from hubserver import HubServer, lfs, rate_limited

BIG = bytes(range(256)) * 400


def get(url: str, **headers: str) -> requests.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with requests.Session() as session:
        session.trust_env = False
        return session.get(url, headers=named, allow_redirects=False, timeout=10)


def test_no_socket_leaves_the_machine(loopback_only: list[str]) -> None:
    with pytest.raises(RuntimeError, match="wants to reach"):
        socket.create_connection(("192.0.2.1", 80), timeout=1)
    loopback_only.clear()


def test_a_small_file_carries_commit_and_git_etag(hub: HubServer) -> None:
    repo = hub.add_repo("org/name", {"a b#.json": b"{}"})
    reply = get(f"{hub.endpoint}/org/name/resolve/main/a%20b%23.json")
    assert b"{}" == reply.content
    assert repo.branches["main"] == reply.headers["X-Repo-Commit"]
    assert '"9e26dfeeb6e641a33dae4961196235bdb965b21b"' == reply.headers["ETag"]


def test_an_lfs_file_redirects_to_the_second_origin(hub: HubServer) -> None:
    hub.add_repo("org/name", {"model.bin": lfs(BIG)})
    reply = get(f"{hub.endpoint}/org/name/resolve/main/model.bin")
    assert 302 == reply.status_code
    assert reply.content != b""
    assert str(len(BIG)) == reply.headers["X-Linked-Size"]
    assert reply.headers["Location"].startswith(hub.cdn)
    assert BIG == get(reply.headers["Location"]).content


def test_the_second_origin_refuses_and_records_a_token(hub: HubServer) -> None:
    hub.add_repo("org/name", {"model.bin": lfs(BIG)})
    where = get(f"{hub.endpoint}/org/name/resolve/main/model.bin").headers["Location"]
    assert 400 == get(where, Authorization="Bearer hf_valid").status_code
    assert 1 == len(hub.leaks)
    hub.forget()


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [("bytes=0-9", 0, 9), ("bytes=102390-", 102390, 102399), ("bytes=-5", 102395, 102399)],
)
def test_ranges_are_cut(hub: HubServer, asked: str, first: int, last: int) -> None:
    hub.add_repo("org/name", {"f": BIG})
    reply = get(f"{hub.endpoint}/org/name/resolve/main/f", Range=asked)
    assert 206 == reply.status_code
    assert f"bytes {first}-{last}/102400" == reply.headers["Content-Range"]
    assert BIG[first : last + 1] == reply.content


def test_a_range_past_the_end_is_416(hub: HubServer) -> None:
    hub.add_repo("org/name", {"f": BIG})
    reply = get(f"{hub.endpoint}/org/name/resolve/main/f", Range="bytes=102400-")
    assert (416, "bytes */102400") == (reply.status_code, reply.headers["Content-Range"])


def test_if_range_with_another_etag_sends_everything(hub: HubServer) -> None:
    hub.add_repo("org/name", {"f": BIG})
    url = f"{hub.endpoint}/org/name/resolve/main/f"
    assert 200 == get(url, Range="bytes=5-", If_Range='"other"').status_code
    assert 206 == get(url, Range="bytes=5-", If_Range=get(url).headers["ETag"]).status_code


@pytest.mark.parametrize(
    ("path", "token", "status", "code"),
    [
        ("org/none/resolve/main/f", None, 401, "RepoNotFound"),
        ("org/none/resolve/main/f", "hf_valid", 404, "RepoNotFound"),
        ("org/name/resolve/main/f", "hf_wrong", 401, None),
        ("org/name/resolve/nope/f", None, 404, "RevisionNotFound"),
        ("org/name/resolve/main/nope", None, 404, "EntryNotFound"),
        ("org/private/resolve/main/f", None, 401, "RepoNotFound"),
        ("org/private/resolve/main/f", "hf_valid", 200, None),
        ("org/gated/resolve/main/f", None, 401, "GatedRepo"),
        ("org/gated/resolve/main/f", "hf_valid", 403, "GatedRepo"),
        ("org/disabled/resolve/main/f", None, 403, None),
    ],
)
def test_refusals_carry_the_hub_error_code(
    hub: HubServer, path: str, token: str | None, status: int, code: str | None
) -> None:
    hub.add_repo("org/name", {"f": b"x"})
    hub.add_repo("org/private", {"f": b"x"}, private=True, readers={"alice"})
    hub.add_repo("org/gated", {"f": b"x"}, gated="manual")
    hub.add_repo("org/disabled", {"f": b"x"}, disabled=True)
    reply = get(f"{hub.endpoint}/{path}", **({"Authorization": f"Bearer {token}"} if token else {}))
    assert (status, code) == (reply.status_code, reply.headers.get("X-Error-Code"))


@pytest.mark.parametrize("revision", ["main", "v1", "refs%2Fpr%2F1", "refs/pr/1"])
def test_branches_tags_and_pull_requests_resolve(hub: HubServer, revision: str) -> None:
    repo = hub.add_repo("org/name", {"f": b"1"})
    repo.tag("v1")
    repo.pull_request(1, {"f": b"pr"})
    repo.commit({"f": b"2"})
    expected = {"main": b"2", "v1": b"1"}.get(revision, b"pr")
    assert expected == get(f"{hub.endpoint}/org/name/resolve/{revision}/f").content


def test_a_renamed_repository_redirects_relatively(hub: HubServer) -> None:
    hub.add_repo("gpt2", {"f": b"x"})
    hub.rename("gpt2", "openai/gpt2")
    reply = get(f"{hub.endpoint}/gpt2/resolve/main/f")
    assert (307, "/openai/gpt2/resolve/main/f") == (reply.status_code, reply.headers["Location"])
    reply = get(f"{hub.endpoint}/api/models/gpt2/tree/main?recursive=true")
    assert "/api/models/openai/gpt2/tree/main?recursive=true" == reply.headers["Location"]


def test_trees_are_paginated_through_link_headers(hub: HubServer) -> None:
    hub.page_size = 2
    hub.add_repo("org/name", {"a": b"", "d/b": b"", "d/e/c": b""}, kind="dataset")
    url: str | None = f"{hub.endpoint}/api/datasets/org/name/tree/main?recursive=1&expand=1"
    seen = []
    while url:
        reply = get(url)
        seen += [(row["type"][0], row["path"]) for row in reply.json()]
        assert "lastCommit" in reply.json()[0]
        url = reply.links.get("next", {}).get("url")
    assert [("f", "a"), ("d", "d"), ("f", "d/b"), ("d", "d/e"), ("f", "d/e/c")] == seen


def test_a_reset_arrives_after_the_promised_bytes(hub: HubServer) -> None:
    hub.add_repo("org/name", {"f": BIG})
    hub.inject("*/f", reset_after=1000, times=1)
    got = b""
    with requests.get(f"{hub.endpoint}/org/name/resolve/main/f", stream=True, timeout=5) as reply:
        raised: list[BaseException] = []
        try:
            for piece in reply.raw.stream(100):
                got += piece
        except Exception as error:
            raised.append(error)
    assert BIG[:1000] == got
    assert "reset" in str(raised[0]).lower()
    assert BIG == get(f"{hub.endpoint}/org/name/resolve/main/f").content


def test_a_truncated_body_ends_in_order(hub: HubServer) -> None:
    hub.add_repo("org/name", {"f": BIG})
    hub.inject("*/f", truncate_to=1000)
    with requests.get(f"{hub.endpoint}/org/name/resolve/main/f", stream=True, timeout=5) as reply:
        assert "102400" == reply.headers["Content-Length"]
        body = b""
        with contextlib.suppress(Exception):
            while piece := reply.raw.read(100):
                body += piece
    assert BIG[:1000] == body


def test_faults_count_requests_and_stop(hub: HubServer) -> None:
    hub.add_repo("org/name", {"f": b"x"})
    hub.inject("*/f", after=1, times=1, **rate_limited(3))
    url = f"{hub.endpoint}/org/name/resolve/main/f"
    replies = [get(url) for _ in range(3)]
    assert [200, 429, 200] == [reply.status_code for reply in replies]
    assert "3" == replies[1].headers["Retry-After"]
    assert (3, 0) == (hub.hits("*/f", method="GET"), hub.hits(origin="cdn"))


def test_a_file_can_change_while_it_is_sent(hub: HubServer) -> None:
    repo = hub.add_repo("org/name", {"f": BIG})
    changed = threading.Event()

    def change() -> None:
        repo.commit({"f": b"new"})
        changed.set()

    hub.inject("*/f", times=1, then=change)
    url = f"{hub.endpoint}/org/name/resolve/main/f"
    assert BIG == get(url).content
    assert changed.wait(10)  # the client may have all of it before the server has gone on
    assert b"new" == get(url).content


def test_huggingface_hub_downloads_from_it(hub: HubServer, tmp_path: Path) -> None:
    oracle = pytest.importorskip("huggingface_hub")
    files = {"a.json": b"{}", "d/model.bin": lfs(BIG)}
    repo = hub.add_repo("org/name", files, card={"license": "mit"})
    hub.resolve_cache = True
    folder = oracle.snapshot_download(
        "org/name", endpoint=hub.endpoint, cache_dir=tmp_path, token="hf_valid"
    )
    assert BIG == Path(folder, "d/model.bin").read_bytes()
    api = oracle.HfApi(endpoint=hub.endpoint, token="hf_valid")
    assert repo.branches["main"] == api.model_info("org/name", files_metadata=True).sha
    assert "alice" == api.whoami()["name"]
    assert ["main"] == [branch.name for branch in api.list_repo_refs("org/name").branches]
    assert ["a.json"] == [entry.path for entry in api.get_paths_info("org/name", "a.json")]
    assert ["org/name"] == [model.id for model in api.list_models(author="org")]
