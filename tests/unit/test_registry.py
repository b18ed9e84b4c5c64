"""Encodings by name: built in, from plugins, shared, and under tiktoken's name."""

from __future__ import annotations

import pickle
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tiktoken_ext import openai_public

import ctok
from ctok import Encoding, openai, registry
from ctok.errors import CtokError, UnknownEncodingError

SMALL = "dict(name='small', pat_str='.+', special_tokens={}, mergeable_ranks={b'a': 0, b'b': 1})"


@pytest.fixture
def plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Writes modules into the namespace tiktoken_ext, and files of entry points."""

    def write(**modules: str) -> None:
        for name, source in modules.items():
            path = tmp_path / "tiktoken_ext" / f"{name}.py"
            path.parent.mkdir(exist_ok=True)
            path.write_text(source, encoding="utf-8")

    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(registry, "ENCODING_CONSTRUCTORS", None)
    monkeypatch.setattr(registry, "ENCODINGS", {})
    monkeypatch.setattr(registry, "_constructed", {})
    forget_plugins()
    yield write
    forget_plugins()


def forget_plugins() -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "tiktoken_ext"]:
        del sys.modules[name]


# ---- built in ----


def test_names_are_those_of_tiktoken() -> None:
    assert list(openai_public.ENCODING_CONSTRUCTORS) == ctok.list_encoding_names()


@pytest.mark.parametrize("name", openai.ENCODINGS)
def test_definition_is_that_of_tiktoken(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # The ranks are compared by hash in test_ranks.
    monkeypatch.setattr(openai_public, "load_tiktoken_bpe", lambda *a, **k: {})
    monkeypatch.setattr(openai_public, "data_gym_to_mergeable_bpe_ranks", lambda *a, **k: {})
    theirs = openai_public.ENCODING_CONSTRUCTORS[name]()
    spec = openai.spec(name)
    assert theirs["name"] == spec.name
    assert theirs["pat_str"] == spec.pattern
    assert theirs["special_tokens"] == spec.specials
    assert theirs.get("explicit_n_vocab") == spec.explicit_n_vocab


def test_name_gives_the_same_object_every_time() -> None:
    assert ctok.get_encoding("gpt2") is ctok.get_encoding("gpt2")


def test_shared_id_of_harmony_encodes_from_both_names_and_decodes_to_its_own() -> None:
    enc = ctok.get_encoding("o200k_harmony")
    text = "<|endofprompt|><|reserved_200018|>"
    assert [200018, 200018] == enc.encode(text, allowed_special="all")
    assert "<|endofprompt|>" == enc.decode([200018])


def test_threads_that_ask_at_once_get_one_object(plugins: Callable[..., None]) -> None:
    plugins(
        slow="import time\nmade = []\n"
        f"def small():\n    made.append(1)\n    time.sleep(0.05)\n    return {SMALL}\n"
        "ENCODING_CONSTRUCTORS = {'small': small}\n"
    )
    found: list[Encoding] = []
    threads = [
        threading.Thread(target=lambda: found.append(ctok.get_encoding("small"))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 8 == len(found)
    assert 1 == len(set(map(id, found)))
    assert [1] == sys.modules["tiktoken_ext.slow"].made


@pytest.mark.parametrize("name", [None, 1, b"gpt2", ["gpt2"]])
def test_name_that_is_no_str_is_a_value_error(name: object) -> None:
    with pytest.raises(ValueError, match="str expected") as caught:
        ctok.get_encoding(name)  # type: ignore[arg-type]
    assert isinstance(caught.value, CtokError)


def test_unknown_name_lists_the_names_and_plugins_and_guesses() -> None:
    with pytest.raises(UnknownEncodingError) as caught:
        ctok.get_encoding("cl100k_bas")
    assert isinstance(caught.value, ValueError)
    for name in [*ctok.list_encoding_names(), "tiktoken_ext.openai_public"]:
        assert name in str(caught.value)
    assert "Did you mean 'cl100k_base'?" == caught.value.suggestions()[0]


def test_model_in_place_of_a_name_is_recognised() -> None:
    with pytest.raises(UnknownEncodingError) as caught:
        ctok.get_encoding("gpt-4o")
    assert "encoding_for_model('gpt-4o')" in caught.value.suggestions()[0]


# ---- plugins ----


def test_plugin_of_the_namespace_is_found(plugins: Callable[..., None]) -> None:
    plugins(mine=f"ENCODING_CONSTRUCTORS = {{'small': lambda: {SMALL}}}")
    assert "small" == ctok.list_encoding_names()[-1]
    assert [0, 1] == ctok.get_encoding("small").encode("ab")


def test_entry_point_is_found(plugins: Callable[..., None], tmp_path: Path) -> None:
    info = tmp_path / "mine-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[ctok.encodings]\nsmall = entry_of_mine:small\n")
    (tmp_path / "entry_of_mine.py").write_text(f"def small():\n    return {SMALL}\n")
    assert "small" in ctok.list_encoding_names()
    assert [1, 0] == ctok.get_encoding("small").encode("ba")


def test_plugin_may_return_a_spec(plugins: Callable[..., None]) -> None:
    plugins(
        mine="from ctok import TokenizerSpec, TokenTable\n"
        "def small():\n    tokens = TokenTable.from_ranks({b'a': 5})\n"
        "    return TokenizerSpec(name='small', tokens=tokens, pattern='.')\n"
        "ENCODING_CONSTRUCTORS = {'small': small}\n"
    )
    assert [5, 5] == ctok.get_encoding("small").encode("aa")


def test_builtin_names_need_no_plugin(plugins: Callable[..., None]) -> None:
    plugins(broken="raise RuntimeError('a broken plugin')")
    assert [31373] == ctok.get_encoding("gpt2").encode("hello")
    with pytest.raises(RuntimeError, match="a broken plugin"):
        ctok.list_encoding_names()


def test_builtin_names_win_over_tiktokens_own_plugin(plugins: Callable[..., None]) -> None:
    plugins(
        openai_public="def fail():\n    raise RuntimeError('not this one')\n"
        f"ENCODING_CONSTRUCTORS = {{'gpt2': fail, 'newer': lambda: {SMALL}}}"
    )
    assert [31373] == ctok.get_encoding("gpt2").encode("hello")
    # What a newer tiktoken adds is there all the same.
    assert [*openai.ENCODINGS, "newer"] == ctok.list_encoding_names()


@pytest.mark.parametrize("name", ["small", "gpt2"])
def test_name_defined_twice_is_a_value_error_every_time(
    plugins: Callable[..., None], name: str
) -> None:
    source = f"ENCODING_CONSTRUCTORS = {{'{name}': lambda: {SMALL}}}"
    plugins(one=source, two=source)
    for _ in range(2):
        with pytest.raises(ValueError, match=f"'{name}' is defined twice, by .*tiktoken_ext"):
            ctok.list_encoding_names()


def test_plugin_without_constructors_is_a_value_error(plugins: Callable[..., None]) -> None:
    plugins(mine="")
    with pytest.raises(ValueError, match=r"tiktoken_ext\.mine has no ENCODING_CONSTRUCTORS"):
        ctok.list_encoding_names()


# ---- pickling ----


def test_registered_encoding_is_pickled_by_name() -> None:
    data = pickle.dumps(ctok.get_encoding("gpt2"))
    assert 200 > len(data)
    assert pickle.loads(data) is ctok.get_encoding("gpt2")


def test_encoding_that_a_user_put_under_a_known_name_is_pickled_by_content(
    plugins: Callable[..., None],
) -> None:
    enc = Encoding("gpt2", pat_str=".", mergeable_ranks={b"a": 0}, special_tokens={})
    registry.ENCODINGS["gpt2"] = enc
    assert ctok.get_encoding("gpt2") is enc
    copy = pickle.loads(pickle.dumps(enc))
    assert copy is not enc
    assert [0] == copy.encode("a")


# ---- in tiktoken's place ----


def run(program: str) -> None:
    subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(program)], check=True, timeout=60
    )


IMPORTS = """
    import tiktoken
    import tiktoken.core, tiktoken.load, tiktoken.model, tiktoken.registry
    from tiktoken import _educational
    from tiktoken.load import load_tiktoken_bpe

    assert tiktoken is ctok
    assert tiktoken.registry is ctok.registry and tiktoken.load is ctok.load
    assert tiktoken.core.Encoding is ctok.Encoding
    assert load_tiktoken_bpe is ctok.load.load_tiktoken_bpe
    assert sys.modules["tiktoken.registry"] is sys.modules["ctok.registry"]
    assert ctok.registry.__name__ == "ctok.registry" == ctok.registry.__spec__.name
    assert tiktoken.registry.get_encoding("gpt2") is ctok.get_encoding("gpt2")
    assert tiktoken.encoding_for_model("gpt-4o").encode("hello world") == [24912, 2375]
    try:
        import tiktoken.missing
    except ModuleNotFoundError as exc:
        assert exc.name == "tiktoken.missing"
    else:
        raise AssertionError
"""


def test_plain_alias_carries_submodules() -> None:
    run("import sys, ctok\nsys.modules['tiktoken'] = ctok" + textwrap.dedent(IMPORTS))


def test_installed_alias_takes_the_place_of_an_imported_tiktoken() -> None:
    run(
        "import sys, tiktoken.load, tiktoken.registry, ctok\nctok.install_as_tiktoken()"
        + textwrap.dedent(IMPORTS)
    )


def test_tiktoken_stays_itself_unless_replaced() -> None:
    run(
        """
        import ctok
        import tiktoken.load, tiktoken.registry
        assert tiktoken is not ctok
        assert tiktoken.registry is not ctok.registry
        """
    )


def test_tiktokens_plugin_works_on_ctok_without_network() -> None:
    run(
        """
        import sys, ctok
        ctok.install_as_tiktoken()
        from tiktoken_ext import openai_public
        import tiktoken
        enc = tiktoken.Encoding(**openai_public.cl100k_base())
        assert enc.encode("hello world") == [15339, 1917]
        assert enc == ctok.get_encoding("cl100k_base")
        """
    )


def test_extending_an_encoding_as_tiktokens_readme_does() -> None:
    base = ctok.get_encoding("cl100k_base")
    enc = ctok.Encoding(
        name="cl100k_im",
        pat_str=base._pat_str,
        mergeable_ranks=base._mergeable_ranks,
        special_tokens={**base._special_tokens, "<|im_start|>": 100264, "<|im_end|>": 100265},
    )
    text = "<|im_start|>hello world<|im_end|>"
    assert [100264, 15339, 1917, 100265] == enc.encode(text, allowed_special="all")
