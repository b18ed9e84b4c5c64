"""The environment, read in one place (E06, E38, F21, F24)."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctok import Encoding, _core, config, patterns


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import os

    for name in list(os.environ):
        if name.startswith(("HF_", "HUGGING", "CTOK_", "TRANSFORMERS_", "XDG_", "BITNET_")):
            monkeypatch.delenv(name)
    monkeypatch.delenv("DO_NOT_TRACK", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        *(("1", True), ("true", True), ("TRUE", True), ("yes", True), ("On", True), (" 1 ", True)),
        *(("0", False), ("false", False), ("no", False), ("off", False), ("", False)),
        *(("2", False), ("y", False), ("enabled", False)),
    ],
)
def test_f21_one_truth_for_every_switch(
    monkeypatch: pytest.MonkeyPatch, value: str, expected: bool
) -> None:
    for name, read in (
        ("CTOK_STRICT", config.strict),
        ("BITNET_STRICT_TOKENIZERS", config.strict),
        ("CTOK_OFFLINE", config.offline),
        ("HF_HUB_OFFLINE", config.offline),
        ("TRANSFORMERS_OFFLINE", config.offline),
        ("CTOK_DETERMINISTIC", config.deterministic),
        ("HF_HUB_DISABLE_SYMLINKS", config.symlinks_disabled),
        ("HF_HUB_DISABLE_PROGRESS_BARS", config.progress_bars_disabled),
    ):
        monkeypatch.setenv(name, value)
        assert expected == read(), name
        monkeypatch.delenv(name)
        assert not read(), name


def test_ctoks_own_variable_beats_the_ecosystems(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("CTOK_OFFLINE", "0")
    assert not config.offline()


def test_the_environment_is_read_at_each_call(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not config.offline()
    monkeypatch.setenv("CTOK_OFFLINE", "1")
    assert config.offline()


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, "~/.cache/huggingface/hub"),
        ({"XDG_CACHE_HOME": "/x"}, "/x/huggingface/hub"),
        ({"XDG_CACHE_HOME": "/x", "HF_HOME": "/h"}, "/h/hub"),
        ({"HF_HOME": "/h", "HF_HUB_CACHE": "/c"}, "/c"),
        ({"HF_HOME": "/h", "HUGGINGFACE_HUB_CACHE": "/old"}, "/old"),
        ({"HF_HUB_CACHE": "/c", "HUGGINGFACE_HUB_CACHE": "/old"}, "/c"),
        ({"HF_HOME": "~/h"}, "~/h/hub"),
        ({"HF_HOME": "$HOME/h"}, "~/h/hub"),
        ({"HF_HOME": "  "}, "~/.cache/huggingface/hub"),
    ],
)
def test_e38_where_the_hub_cache_is(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert Path(expected).expanduser() == config.hub_cache()


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, "~/.cache/ctok"),
        ({"XDG_CACHE_HOME": "/x"}, "/x/ctok"),
        ({"XDG_CACHE_HOME": "/x", "BITNET_CACHE_DIR": "/b"}, "/b"),
        ({"BITNET_CACHE_DIR": "/b", "BITNET_TOKENIZER_CACHE": "/t"}, "/t"),
        ({"BITNET_TOKENIZER_CACHE": "/t", "CTOK_CACHE_DIR": "~/c"}, "~/c"),
    ],
)
def test_e06_where_ctoks_own_cache_is(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert Path(expected).expanduser() == config.cache_dir()


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, ("https://huggingface.co",)),
        ({"HF_ENDPOINT": "https://m.example/"}, ("https://m.example",)),
        ({"HF_ENDPOINT": "   "}, ("https://huggingface.co",)),
        ({"HF_ENDPOINT": "/"}, ("https://huggingface.co",)),
        ({"HF_ENDPOINT": "a", "CTOK_ENDPOINTS": "b/, c  b"}, ("b", "c")),
    ],
)
def test_e38_which_servers_are_asked(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: tuple[str, ...]
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert expected == config.endpoints()


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, 10.0),
        ({"HF_HUB_DOWNLOAD_TIMEOUT": "33"}, 33.0),
        ({"HF_HUB_DOWNLOAD_TIMEOUT": "33", "CTOK_DOWNLOAD_TIMEOUT": "0.5"}, 0.5),
        ({"HF_HUB_DOWNLOAD_TIMEOUT": "soon"}, 10.0),
        ({"HF_HUB_DOWNLOAD_TIMEOUT": "-1"}, 10.0),
        ({"HF_HUB_DOWNLOAD_TIMEOUT": "inf"}, 10.0),
    ],
)
def test_e38_how_long_a_download_may_be_silent(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: float
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert expected == config.download_timeout()


def test_e38_etag_timeout_and_token_path(monkeypatch: pytest.MonkeyPatch) -> None:
    assert 10.0 == config.etag_timeout()
    monkeypatch.setenv("HF_HUB_ETAG_TIMEOUT", "3")
    assert 3.0 == config.etag_timeout()
    monkeypatch.setenv("HF_HOME", "/h")
    assert Path("/h/token") == config.token_path()
    monkeypatch.setenv("HF_TOKEN_PATH", "/t")
    assert Path("/t") == config.token_path()


def test_telemetry_that_is_off_names_no_origin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_USER_AGENT_ORIGIN", "space")
    assert "space" == config.user_agent_origin()
    monkeypatch.setenv("DO_NOT_TRACK", "1")
    assert config.user_agent_origin() is None


def test_e45_how_many_and_how_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    assert 4 == config.max_downloads()
    assert config.rate_limit() is None
    monkeypatch.setenv("CTOK_MAX_DOWNLOADS", "2")
    monkeypatch.setenv("CTOK_RATE_LIMIT", "1e6")
    assert (2, 1e6) == (config.max_downloads(), config.rate_limit())


@pytest.mark.parametrize(
    ("value", "expected"),
    [("4096", 4096), ("0", 0), ("", 7), ("-1", 7), ("many", 7), ("9" * 30, 7)],
)
def test_size_of_the_word_cache_is_a_number_of_bytes(
    monkeypatch: pytest.MonkeyPatch, value: str, expected: int
) -> None:
    monkeypatch.setenv("CTOK_CACHE_BYTES", value)
    assert expected == config.cache_bytes(7)


def test_vector_code_that_the_machine_lacks_is_the_best_that_it_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    best = _core.cpu()
    monkeypatch.setenv("CTOK_CPU", "avx512" if best == "neon" else "neon")
    assert best == _core.cpu()
    pattern = patterns.get("qwen2").pattern
    enc = Encoding("a", pat_str=pattern, mergeable_ranks={b"a": 0}, special_tokens={})
    assert ("automaton" if best == "portable" else "vector") == enc.splitter
    monkeypatch.setenv("CTOK_CPU", "portable")
    assert "portable" == _core.cpu()
