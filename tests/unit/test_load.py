"""Files of ranks: parsing, tiktoken's cache, downloads, and everything that can be wrong."""

from __future__ import annotations

import hashlib
import http.server
import json
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import tiktoken.load as oracle
from hypothesis import given
from hypothesis import strategies as st

from ctok import load, openai
from ctok.errors import (
    CtokError,
    DownloadError,
    EmptyTiktokenModelError,
    FormatError,
    HashMismatchError,
    InvalidTiktokenModelError,
    MissingPackageError,
)
from ctok.hub.errors import OfflineModeError


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


# ---- parsing (C01, C02) ----


@pytest.mark.parametrize(
    "contents",
    [b"YQ== 0", b"YQ== 0\n", b"YQ==\t0\r\n", b"\n  YQ==   0  \n\n", b"\r\nYQ== 0\r\n\r\n"],
)
def test_blanks_and_line_ends_do_not_matter(contents: bytes) -> None:
    assert {b"a": 0} == load.parse_tiktoken_bpe(contents, "x")


@pytest.mark.parametrize("contents", [b"", b"\n", b" \r\n\t\n"])
def test_file_without_tokens_is_an_error(contents: bytes, tmp_path: Path) -> None:
    path = tmp_path / "empty.tiktoken"
    path.write_bytes(contents)
    with pytest.raises(EmptyTiktokenModelError) as caught:
        load.load_tiktoken_bpe(str(path))
    assert str(path) == caught.value.path


@pytest.mark.parametrize(
    "line",
    [
        b"not_base64 0",
        b"YQ== not_an_int",
        b"YQ==",
        b"YQ== 0 1",
        b"YQ 0",
        b"YQ==YQ== 0",
        b"YQ== -1",
        b"YQ== +1",
        b"YQ== 1_0",
        b"YQ== 1.0",
        b"YQ== \xd9\xa1",
        b"YQ== 99999999999",
        b"YQ== " + b"9" * 100_000,
        b"\xff\xfe 0",
        b"\x00",
    ],
)
def test_line_that_is_no_token_is_named(line: bytes) -> None:
    with pytest.raises(InvalidTiktokenModelError, match=r"bad\.tiktoken, line 2") as caught:
        load.parse_tiktoken_bpe(b"Yg== 7\n" + line + b"\n", "bad.tiktoken")
    assert ("bad.tiktoken", 2) == (caught.value.path, caught.value.line)
    assert len(str(caught.value)) < 300


def test_token_given_twice_is_named() -> None:
    with pytest.raises(InvalidTiktokenModelError, match=r"line 2.*earlier"):
        load.parse_tiktoken_bpe(b"YQ== 0\nYQ== 1\n", "x")


def test_empty_token_of_whisper_is_read() -> None:
    assert {b"": 50256} == load.parse_tiktoken_bpe(b"= 50256\n", "x")


@given(st.binary(max_size=200))
def test_random_bytes_are_ranks_or_a_format_error(contents: bytes) -> None:
    try:
        ranks = load.parse_tiktoken_bpe(contents, "x")
    except FormatError:
        return
    assert all(isinstance(token, bytes) and rank >= 0 for token, rank in ranks.items())


def test_shared_vocabularies_parse_like_tiktoken(data_dir: Path) -> None:
    for path in sorted((data_dir / "tiktoken").glob("*.tiktoken")):
        assert oracle.load_tiktoken_bpe(str(path)) == load.load_tiktoken_bpe(str(path)), path


@given(st.dictionaries(st.binary(max_size=8), st.integers(0, 2**32 - 1), min_size=1))
def test_dump_is_the_inverse_of_load(
    tmp_path_factory: pytest.TempPathFactory, ranks: dict[bytes, int]
) -> None:
    path = str(tmp_path_factory.mktemp("dump") / "x.tiktoken")
    load.dump_tiktoken_bpe(ranks, path)
    assert ranks == load.load_tiktoken_bpe(path)


def test_dump_leaves_no_partial_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full_disk(fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full_disk)
    with pytest.raises(OSError, match="No space"):
        load.dump_tiktoken_bpe({b"a": 0}, str(tmp_path / "x.tiktoken"))
    assert [] == list(tmp_path.iterdir())


# ---- reading ----


class Server:
    """Files on loopback, with the requests they got."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.requests: list[str] = []
        self.cut = 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.requests.append(self.path)
                contents = outer.files.get(self.path)
                self.send_response(200 if contents is not None else 404)
                self.send_header("Content-Length", str(len(contents or b"")))
                self.end_headers()
                self.wfile.write((contents or b"")[: len(contents or b"") - outer.cut])

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.http.shutdown()
    server.http.server_close()
    server.thread.join()


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No cache, proxy or offline switch but the test's own."""
    for name in (
        "DATA_GYM_CACHE_DIR",
        "CTOK_OFFLINE",
        "HF_HUB_OFFLINE",
        "http_proxy",
        "HTTP_PROXY",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def cached_name(url: str) -> str:
    return hashlib.sha1(url.encode()).hexdigest()


def test_file_is_fetched_once_and_kept_where_tiktoken_looks(
    server: Server, environment: Path
) -> None:
    server.files["/a"] = b"YQ== 0\n"
    for _ in range(2):
        assert {b"a": 0} == load.load_tiktoken_bpe(f"{server.url}/a", sha256(b"YQ== 0\n"))
    assert ["/a"] == server.requests
    assert [cached_name(f"{server.url}/a")] == [path.name for path in environment.iterdir()]
    assert {b"a": 0} == oracle.load_tiktoken_bpe(f"{server.url}/a")
    assert ["/a"] == server.requests


def test_file_that_tiktoken_cached_is_found(server: Server, environment: Path) -> None:
    server.files["/a"] = b"YQ== 0\n"
    oracle.load_tiktoken_bpe(f"{server.url}/a")
    assert {b"a": 0} == load.load_tiktoken_bpe(f"{server.url}/a")
    assert ["/a"] == server.requests


def test_cached_file_with_another_hash_is_fetched_again(server: Server, environment: Path) -> None:
    server.files["/a"] = b"YQ== 0\n"
    environment.mkdir()
    stale = environment / cached_name(f"{server.url}/a")
    stale.write_bytes(b"Yg== 0\n")
    assert {b"a": 0} == load.load_tiktoken_bpe(f"{server.url}/a", sha256(b"YQ== 0\n"))
    assert b"YQ== 0\n" == stale.read_bytes()


def test_download_with_another_hash_is_an_error_and_not_kept(
    server: Server, environment: Path
) -> None:
    server.files["/a"] = b"YQ== 0\n"
    with pytest.raises(HashMismatchError) as caught:
        load.load_tiktoken_bpe(f"{server.url}/a", "0" * 64)
    assert ("0" * 64, sha256(b"YQ== 0\n")) == (caught.value.expected, caught.value.actual)
    assert not environment.exists()


def test_local_file_is_checked_and_never_cached(tmp_path: Path, environment: Path) -> None:
    path = tmp_path / "x.tiktoken"
    path.write_bytes(b"YQ== 0\n")
    assert {b"a": 0} == load.load_tiktoken_bpe(str(path), sha256(b"YQ== 0\n"))
    with pytest.raises(HashMismatchError):
        load.load_tiktoken_bpe(str(path), "0" * 64)
    path.write_bytes(b"Yg== 0\n")
    assert {b"b": 0} == load.load_tiktoken_bpe(str(path))
    assert not environment.exists()


def test_empty_variable_switches_the_cache_off(
    server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", "")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    server.files["/a"] = b"YQ== 0\n"
    for _ in range(2):
        load.load_tiktoken_bpe(f"{server.url}/a")
    assert ["/a", "/a"] == server.requests
    assert [] == list(tmp_path.iterdir())
    with pytest.raises(HashMismatchError):
        load.load_tiktoken_bpe(f"{server.url}/a", "0" * 64)


def test_second_variable_and_default_folder_are_used(
    server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    server.files["/a"] = b"YQ== 0\n"
    monkeypatch.delenv("TIKTOKEN_CACHE_DIR")
    monkeypatch.setenv("DATA_GYM_CACHE_DIR", str(tmp_path / "gym"))
    load.read_file_cached(f"{server.url}/a")
    monkeypatch.delenv("DATA_GYM_CACHE_DIR")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    load.read_file_cached(f"{server.url}/a")
    name = cached_name(f"{server.url}/a")
    assert (tmp_path / "gym" / name).is_file()
    assert (tmp_path / "data-gym-cache" / name).is_file()


def test_unwritable_folder_is_an_error_only_if_it_was_chosen(
    server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # A file where the folder should be: unwritable for everybody, root included.
    server.files["/a"] = b"YQ== 0\n"
    (tmp_path / "data-gym-cache").write_bytes(b"")
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path / "data-gym-cache"))
    with pytest.raises(OSError, match="data-gym-cache"):
        load.read_file_cached(f"{server.url}/a")
    monkeypatch.delenv("TIKTOKEN_CACHE_DIR")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert b"YQ== 0\n" == load.read_file_cached(f"{server.url}/a")


@pytest.mark.parametrize("variable", ["CTOK_OFFLINE", "HF_HUB_OFFLINE"])
def test_offline_uses_the_cache_and_refuses_the_rest(
    server: Server, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    server.files |= {"/a": b"YQ== 0\n", "/b": b"Yg== 0\n"}
    load.read_file_cached(f"{server.url}/a")
    monkeypatch.setenv(variable, "1")
    assert b"YQ== 0\n" == load.read_file_cached(f"{server.url}/a")
    with pytest.raises(OfflineModeError, match="/b"):
        load.read_file_cached(f"{server.url}/b")
    assert ["/a"] == server.requests


def test_missing_url_is_a_download_error_with_its_status(server: Server) -> None:
    with pytest.raises(DownloadError) as caught:
        load.read_file(f"{server.url}/missing")
    assert (404, f"{server.url}/missing") == (caught.value.status, caught.value.url)
    assert isinstance(caught.value, OSError)


def test_server_that_is_not_there_is_a_download_error(server: Server) -> None:
    server.http.shutdown()
    server.http.server_close()
    with pytest.raises(DownloadError) as caught:
        load.read_file(f"{server.url}/a")
    assert caught.value.status is None


def test_download_cut_short_is_an_error_and_not_kept(server: Server, environment: Path) -> None:
    server.files["/a"] = b"YQ== 0\n"
    server.cut = 2
    with pytest.raises(DownloadError):
        load.read_file_cached(f"{server.url}/a")
    assert not environment.exists()


def test_requests_have_timeouts(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, object] = {}

    def get(url: str, **options: object) -> None:
        seen.update(options)
        import requests

        raise requests.ConnectTimeout("in the test")

    monkeypatch.setattr("requests.get", get)
    with pytest.raises(DownloadError):
        load.read_file("http://127.0.0.1:1/a")
    assert isinstance(seen["timeout"], tuple)


def test_other_scheme_names_the_package_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "blobfile", None)
    with pytest.raises(MissingPackageError, match=r"gs://.*blobfile") as caught:
        load.read_file("gs://bucket/file")
    assert ("blobfile", None) == (caught.value.package, caught.value.extra)
    assert "pip install blobfile" in caught.value.suggestions()[0]


@pytest.mark.parametrize("name", openai.TABLES)
def test_published_files_need_no_network(name: str) -> None:
    # The calls of tiktoken's own plugin and of everybody who extends an encoding.
    url = f"{openai.PUBLISHED}{name}.tiktoken"
    by_hash = load.read_file_cached("https://mirror.example/x", openai.TABLES[name])
    assert openai.TABLES[name] == sha256(by_hash)
    assert by_hash == load.read_file_cached(url)


def test_published_url_with_another_hash_is_not_answered_from_inside(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CTOK_OFFLINE", "1")
    with pytest.raises(OfflineModeError):
        load.read_file_cached(f"{openai.PUBLISHED}r50k_base.tiktoken", "0" * 64)


# ---- GPT-2's files ----


@pytest.fixture
def gym(tmp_path: Path) -> tuple[Path, Path, dict[bytes, int]]:
    """vocab.bpe and encoder.json made from the first ranks of gpt2."""
    order = [*load.PRINTABLE, *(b for b in range(256) if b not in load.PRINTABLE)]
    spelled = {b: chr(b) for b in load.PRINTABLE} | {
        b: chr(0x100 + i) for i, b in enumerate(order[len(load.PRINTABLE) :])
    }

    def spell(token: bytes) -> str:
        return "".join(spelled[byte] for byte in token)

    pairs = [(b" ", b"t"), (b" ", b"a"), (b"h", b"e"), (b" t", b"he"), (b"\n", b"\xc2\xa0")]
    ranks = {bytes([byte]): i for i, byte in enumerate(order)}
    ranks |= {left + right: 256 + i for i, (left, right) in enumerate(pairs)}
    bpe, encoder = tmp_path / "vocab.bpe", tmp_path / "encoder.json"
    lines = [f"{spell(left)} {spell(right)}\n" for left, right in pairs]
    bpe.write_text("#version: 0.2\n" + "".join(lines), encoding="utf-8")
    encoder.write_text(
        json.dumps({spell(token): i for token, i in ranks.items()} | {"<|endoftext|>": 261}),
        encoding="utf-8",
    )
    return bpe, encoder, ranks


def test_gpt2_files_are_read_like_tiktoken(gym: tuple[Path, Path, dict[bytes, int]]) -> None:
    bpe, encoder, ranks = gym
    assert ranks == load.data_gym_to_mergeable_bpe_ranks(str(bpe), str(encoder))
    assert ranks == oracle.data_gym_to_mergeable_bpe_ranks(str(bpe), str(encoder))


def test_clobbered_single_bytes_take_the_encoders_ids(
    gym: tuple[Path, Path, dict[bytes, int]],
) -> None:
    bpe, encoder, _ = gym
    table = json.loads(encoder.read_text(encoding="utf-8"))
    table["!"], table['"'] = table['"'], table["!"]
    encoder.write_text(json.dumps(table), encoding="utf-8")
    ours = load.data_gym_to_mergeable_bpe_ranks(
        str(bpe), str(encoder), clobber_one_byte_tokens=True
    )
    assert ours == oracle.data_gym_to_mergeable_bpe_ranks(
        str(bpe), str(encoder), clobber_one_byte_tokens=True
    )
    with pytest.raises(FormatError, match=r"encoder\.json"):
        load.data_gym_to_mergeable_bpe_ranks(str(bpe), str(encoder))


@pytest.mark.parametrize(
    ("which", "contents", "message"),
    [
        (0, b"#version\nh e\nonly-one\n", "vocab.bpe, line 3"),
        (0, b"#version\n\xff\xff e\n", "vocab.bpe: byte 9"),
        (0, "#version\n漢 e\n".encode(), "vocab.bpe, line 2"),
        (1, b"{", "encoder.json: no JSON"),
        (1, b"[1]", "encoder.json: no JSON"),
        (1, b'{"a": "x"}', "encoder.json: no JSON"),
        (1, '{"漢": 1}'.encode(), "encoder.json: no JSON"),
        (1, b"{}", "encoder.json"),
    ],
)
def test_damaged_gpt2_file_is_named(
    gym: tuple[Path, Path, dict[bytes, int]], which: int, contents: bytes, message: str
) -> None:
    gym[which].write_bytes(contents)
    with pytest.raises(FormatError, match=message):
        load.data_gym_to_mergeable_bpe_ranks(str(gym[0]), str(gym[1]))


def test_every_error_of_this_module_says_what_to_do() -> None:
    for error in (
        EmptyTiktokenModelError("x", path="p"),
        InvalidTiktokenModelError("x", path="p", line=1),
        HashMismatchError("x", path="p", expected="a", actual="b"),
        DownloadError("x", url="u", status=None),
    ):
        assert isinstance(error, CtokError)
        assert error.suggestions()
