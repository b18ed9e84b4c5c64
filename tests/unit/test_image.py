"""Images: found again, never believed when they should not be, never in the way."""

from __future__ import annotations

import errno
import json
import mmap
import multiprocessing
import os
import pickle
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import ctok
from ctok import Encoding, build, config, image, images, openai
from ctok.cli import main
from ctok.errors import InvalidSpecialTokensError, VocabSizeError
from ctok.outline import Outline
from ctok.spec import TokenizerSpec, TokenTable

TEXT = "It's 12345 naïve words — 漢字, 🙂🙂!\r\n\n  def f(x):\t" + "a" * 300 + "<|endoftext|>"
NAME = "gpt2"


@pytest.fixture(autouse=True)
def place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty cache for each test; where its images go."""
    monkeypatch.setenv("CTOK_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("CTOK_IMAGE", raising=False)
    return tmp_path / "cache" / "images"


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of what was built, not found."""
    names: list[str] = []
    really = build.build

    def counted(codec: Any, outline: Outline, engine: str | None) -> None:
        names.append(outline.name)
        really(codec, outline, engine)

    monkeypatch.setattr(build, "build", counted)
    return names


def published(name: str = NAME) -> Encoding:
    """An encoding of its own, not the one that the registry shares."""
    return Encoding._from_outline(openai.outline(name))


def built(name: str = NAME) -> Encoding:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CTOK_IMAGE", "0")
        return published(name)


def the_image(place: Path) -> Path:
    (found,) = place.iterdir()
    return found


def large_ranks() -> dict[bytes, int]:
    """Enough tokens to be worth an image."""
    singles = {bytes([i]): i for i in range(256)}
    pairs = [bytes([a, b]) for a in range(97, 123) for b in range(256)]
    triples = [pair + b"e" for pair in pairs] + [pair + b"o" for pair in pairs]
    tokens = [*pairs, *triples]
    return singles | {token: 256 + i for i, token in enumerate(tokens)}


def large(**changes: Any) -> Encoding:
    arguments: dict[str, Any] = {
        "pat_str": r"\w+|\W+",
        "mergeable_ranks": large_ranks(),
        "special_tokens": {"<|x|>": 99999},
    }
    return Encoding("large one", **(arguments | changes))


def assert_same(expected: Encoding, actual: Encoding) -> None:
    assert expected.encode(TEXT, disallowed_special=()) == actual.encode(
        TEXT, disallowed_special=()
    )
    assert expected.encode(TEXT, allowed_special="all") == actual.encode(
        TEXT, allowed_special="all"
    )
    facts = expected._info | {"n_bytes": actual._info["n_bytes"]}
    assert facts == actual._info
    assert expected.fingerprint == actual.fingerprint
    ids = range(expected.max_token_value + 1)
    assert [expected._token_bytes(i) for i in ids] == [actual._token_bytes(i) for i in ids]


# ---- found again ------------------------------------------------------------------------


def test_second_time_nothing_is_built(place: Path, builds: list[str]) -> None:
    first, second = published(), published()
    assert [NAME] == builds
    assert the_image(place).name.startswith(f"{NAME}-")
    assert_same(built(), first)
    assert_same(built(), second)


@pytest.mark.parametrize("name", list(openai.ENCODINGS))
def test_ids_from_an_image_are_those_of_the_built(name: str, builds: list[str]) -> None:
    expected = built(name)
    published(name)
    actual = published(name)
    assert [name, name] == builds
    assert_same(expected, actual)


@pytest.mark.parametrize("source", ["english.txt", "code.txt", "multilingual.txt", "web_mix.txt"])
@pytest.mark.parametrize("name", ["gpt2", "cl100k_base", "o200k_base"])
def test_ids_of_corpora_from_an_image_are_those_of_the_built(
    name: str, source: str, corpus: Callable[[str], str]
) -> None:
    text = corpus(source)[:300_000]
    published(name)
    assert built(name).encode_ordinary(text) == published(name).encode_ordinary(text)


def test_encoding_made_from_many_ranks_has_an_image(place: Path, builds: list[str]) -> None:
    first, second = large(), large()
    assert ["large one"] == builds
    assert the_image(place).name.startswith("large_one-")
    assert_same(first, second)


def test_encoding_made_from_few_ranks_has_none(place: Path) -> None:
    Encoding(
        "few",
        pat_str=".+",
        mergeable_ranks={bytes([i]): i for i in range(256)},
        special_tokens={},
    )
    assert not place.exists()


def test_pattern_that_pcre2_splits_is_compiled_again(place: Path, builds: list[str]) -> None:
    pattern = r"(\w)\1|\w|\W+"
    first, second = large(pat_str=pattern), large(pat_str=pattern)
    assert ["large one"] == builds
    assert "pcre2" == first.splitter == second.splitter
    assert first.encode("aabbcd!!") == second.encode("aabbcd!!")


def test_one_image_serves_every_processor(
    monkeypatch: pytest.MonkeyPatch, builds: list[str]
) -> None:
    expected = published().encode_ordinary(TEXT)
    for cpu in ("portable", "avx2", "best"):
        monkeypatch.setenv("CTOK_CPU", cpu)
        assert expected == published().encode_ordinary(TEXT)
    assert [NAME] == builds


def test_what_needs_the_tables_reads_them_late() -> None:
    published()
    mapped, expected = published(), built()
    assert "spec" not in mapped._cached
    assert expected._mergeable_ranks == mapped._mergeable_ranks
    assert expected.token_byte_values() == mapped.token_byte_values()
    assert expected.spec == mapped.spec
    assert str(expected.explain("hello")) == str(mapped.explain("hello"))


@pytest.mark.skipif(not hasattr(mmap, "MADV_HUGEPAGE"), reason="nobody is asked")
def test_system_without_huge_pages_maps_images_all_the_same(
    monkeypatch: pytest.MonkeyPatch, builds: list[str]
) -> None:
    class Refusing(mmap.mmap):
        def madvise(self, *_: int) -> None:
            refused.append(True)
            raise OSError(errno.EINVAL, "no such advice")

    refused: list[bool] = []
    first = published()
    monkeypatch.setattr(mmap, "mmap", Refusing)
    assert_same(first, published())
    monkeypatch.delattr(mmap, "MADV_HUGEPAGE")
    assert_same(first, published())
    assert ([NAME], [True]) == (builds, refused)


def test_image_stays_mapped_when_its_file_is_gone(place: Path) -> None:
    published()
    enc = published()
    the_image(place).unlink()
    assert built().encode_ordinary(TEXT) == enc.encode_ordinary(TEXT)


LARGE = {"array", "contextlib", "dataclasses", "enum", "functools", "hashlib", "inspect", "json"}
LARGE |= {"collections.abc", "numpy", "pathlib", "re", "threading", "typing"}
FIRST_IDS = f"""
import importlib.util, sys
importlib.util.find_spec("ctok")  # what an editable installation needs to find it is not ctok's
sys.modules.update(dict.fromkeys({LARGE}))  # importing one of them is an error now
import ctok
imported = set(sys.modules)
print(*(name for name in imported if name.startswith("ctok.")))
print(ctok.get_encoding({NAME!r}).encode("hello world"))
print(*(sys.modules.keys() - imported))
"""


def test_first_ids_need_few_modules_and_none_that_is_large() -> None:
    building, mapping = (
        subprocess.run(
            [sys.executable, "-c", FIRST_IDS], capture_output=True, text=True, check=True
        ).stdout.splitlines()
        for _ in range(2)
    )
    always = {"_core", "alias", "config", "encoding", "image", "late", "openai", "outline"}
    always |= {"registry", "specials"}
    assert always == {name.removeprefix("ctok.") for name in mapping[0].split()}
    assert building[1] == mapping[1] == str(published().encode("hello world"))
    assert "_blake2" == mapping[2]
    building_needs = {name.removeprefix("ctok.") for name in building[2].split()}
    assert {"build", "images", "packed", "_blake2", "_struct", "struct", "zlib"} == building_needs


def test_pickles_of_a_mapped_encoding(builds: list[str]) -> None:
    large()
    enc = large()
    copy = pickle.loads(pickle.dumps(enc))
    assert ["large one"] == builds
    assert_same(enc, copy)


def child_of_fork(enc: Encoding, results: Any) -> None:
    results.put(enc.encode_ordinary(TEXT))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_child_of_a_fork_shares_the_image() -> None:
    published()
    enc = published()
    context = multiprocessing.get_context("fork")
    results: Any = context.Queue()
    child = context.Process(target=child_of_fork, args=(enc, results))
    child.start()
    assert enc.encode_ordinary(TEXT) == results.get(timeout=30)
    child.join(30)
    assert 0 == child.exitcode


# ---- one definition, one image ------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"pat_str": r"\w+|\W"},
        {"special_tokens": {"<|x|>": 99998}},
        {"special_tokens": {"<|y|>": 99999}},
        {"special_tokens": {"<|x|>": 99999, "<|y|>": 99997}},
        {"mergeable_ranks": large_ranks() | {b"zzzz": 88888}},
        {"allow_duplicate_ids": True},
    ],
    ids=lambda change: next(iter(change)),
)
def test_other_definition_has_another_image(
    change: dict[str, Any], place: Path, builds: list[str]
) -> None:
    large()
    large(**change)
    assert ["large one"] * 2 == builds
    assert 2 == len(list(place.iterdir()))


def test_other_definition_of_a_spec_has_another_image(builds: list[str]) -> None:
    spec = large().spec
    tokens = spec.tokens
    swapped = TokenTable(
        tokens.blob, tokens.ends, tokens.ids[4:8] + tokens.ids[:4] + tokens.ids[8:]
    )
    Encoding.from_spec(TokenizerSpec("a", swapped, spec.pattern))
    Encoding.from_spec(TokenizerSpec("a", tokens, spec.pattern))
    Encoding.from_spec(TokenizerSpec("a", tokens, spec.pattern, whole_piece=False))
    assert ["large one", "a", "a", "a"] == builds


def test_mistakes_are_found_with_an_image_as_without() -> None:
    large()
    for _ in range(2):
        with pytest.raises(VocabSizeError):
            large(explicit_n_vocab=5)
        with pytest.raises(InvalidSpecialTokensError):
            large(special_tokens={"<|x|>": "99999"})


# ---- not believed -------------------------------------------------------------------------


def flip(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda data: b"",
    "header only": lambda data: data[:64],
    "half": lambda data: data[: len(data) // 2],
    "longer": lambda data: data + bytes(64),
    "version": lambda data: flip(data, 12),
    "fingerprint": lambda data: flip(data, 40),
    "content": lambda data: flip(data, len(data) // 2),
    "last byte": lambda data: flip(data, len(data) - 1),
    "something else": lambda data: b"#!/bin/sh\n" * 1000,
    "zeros": lambda data: bytes(len(data)),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damaged_image_is_built_anew(
    damage: Callable[[bytes], bytes], place: Path, builds: list[str]
) -> None:
    published()
    path = the_image(place)
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    enc = published()
    assert [NAME, NAME] == builds
    assert built().encode_ordinary(TEXT) == enc.encode_ordinary(TEXT)
    assert whole == the_image(place).read_bytes()


def test_image_of_another_definition_under_this_name_is_built_anew(
    place: Path, builds: list[str]
) -> None:
    published()
    path = the_image(place)
    path.unlink()
    published("p50k_base")
    the_image(place).rename(path)
    assert_same(built(), published())
    assert [NAME, "p50k_base", NAME] == builds[:3]


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
@pytest.mark.parametrize("mode", [0o666, 0o664, 0o646])
def test_image_that_others_may_write_to_is_not_believed(
    mode: int, place: Path, builds: list[str]
) -> None:
    published()
    the_image(place).chmod(mode)
    published()
    assert [NAME, NAME] == builds
    assert 0 == the_image(place).stat().st_mode & 0o022


@pytest.mark.skipif(os.name != "posix", reason="owners are POSIX's")
def test_only_files_of_the_user_and_of_root_are_believed() -> None:
    def facts(kind: int, user: int) -> os.stat_result:
        return os.stat_result((kind | 0o644, 0, 0, 1, user, 0, 1, 0, 0, 0))

    me = os.geteuid()
    assert image._is_trusted(facts(stat.S_IFREG, me))
    assert image._is_trusted(facts(stat.S_IFREG, 0))
    assert not image._is_trusted(facts(stat.S_IFREG, me + 1))
    assert not image._is_trusted(facts(stat.S_IFIFO, me))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_pipe_in_an_images_place_does_not_block(place: Path, builds: list[str]) -> None:
    published()
    path = the_image(place)
    path.unlink()
    os.mkfifo(path)
    published()
    assert [NAME, NAME] == builds


# ---- never in the way -----------------------------------------------------------------------


def test_switched_off_nothing_is_read_or_written(
    monkeypatch: pytest.MonkeyPatch, place: Path, builds: list[str]
) -> None:
    monkeypatch.setenv("CTOK_IMAGE", "0")
    published()
    assert not place.exists()
    monkeypatch.setenv("CTOK_IMAGE", "1")
    published()
    monkeypatch.setenv("CTOK_IMAGE", "off")
    published()
    assert [NAME] * 3 == builds


def test_cache_that_is_no_folder_does_not_matter(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("CTOK_CACHE_DIR", str(tmp_path / "file"))
    assert_same(built(), published())


def test_cache_that_is_nowhere_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere() -> str:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(config, "cache_path", nowhere)
    assert_same(built(), published())


@pytest.mark.parametrize("call", ["open", "replace"])
def test_disk_that_refuses_leaves_nothing_behind(
    call: str, monkeypatch: pytest.MonkeyPatch, place: Path
) -> None:
    kept = getattr(os, call)

    def refuse(*arguments: Any, **options: Any) -> Any:
        if call == "open" and not arguments[1] & os.O_WRONLY:
            return kept(*arguments, **options)
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, call, refuse)
        enc = published()
    assert built().encode_ordinary(TEXT) == enc.encode_ordinary(TEXT)
    assert [] == list(place.iterdir())


def test_old_images_make_room(monkeypatch: pytest.MonkeyPatch, place: Path) -> None:
    published("gpt2")
    first = the_image(place)
    os.utime(first, (1, 1))
    published("r50k_base")
    assert first.exists()
    monkeypatch.setattr(images, "MAX_BYTES", 3 * first.stat().st_size)
    published("p50k_base")
    assert ["p50k_base", "r50k_base"] == sorted(each.name.split("-")[0] for each in place.iterdir())


def test_what_was_never_finished_goes(place: Path) -> None:
    place.mkdir(parents=True)
    image = f"a-{32 * '0'}.image"
    old, new, other = place / f"{image}.1-0.part", place / f"{image}.2-0.part", place / "notes"
    for each in (old, new, other):
        each.write_text("")
    os.utime(old, (1, 1))
    os.utime(other, (1, 1))
    published()
    assert (False, True, True) == (old.exists(), new.exists(), other.exists())


def test_what_is_not_an_image_stays(monkeypatch: pytest.MonkeyPatch, place: Path) -> None:
    monkeypatch.setattr(images, "MAX_BYTES", 1)
    theirs = ["ubuntu.image", "film.mkv.part", f"-{32 * 'g'}.image", f"{32 * '0'}.image"]
    folder = place / f"a-{32 * '0'}.image"
    folder.mkdir(parents=True)
    for name in theirs:
        (place / name).write_text("kept")
        os.utime(place / name, (1, 1))
    published("gpt2")
    the_image_of_gpt2 = {each.name for each in place.iterdir()} - {*theirs, folder.name}
    assert 1 == len(the_image_of_gpt2)
    assert {*theirs, folder.name} <= {each.name for each in place.iterdir()}
    assert the_image_of_gpt2 == {Path(path).name for path, _ in images.found(str(place))}


PROGRAM = """
import sys, ctok
enc = ctok.get_encoding("cl100k_base")
print(enc.encode_ordinary("hello world"), len(enc.encode_ordinary("naïve 漢字" * 1000)))
"""


def test_processes_that_write_at_once_agree(place: Path) -> None:
    processes = [
        subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True)
        for _ in range(6)
    ]
    said = {each.communicate(timeout=120)[0] for each in processes}
    assert [0] * 6 == [each.returncode for each in processes]
    assert 1 == len(said)
    enc = ctok.get_encoding("cl100k_base")
    n_long = len(enc.encode_ordinary("naïve 漢字" * 1000))
    assert {f"{enc.encode_ordinary('hello world')} {n_long}\n"} == said
    assert the_image(place).name.endswith(image.SUFFIX)


# ---- the command ----------------------------------------------------------------------------


def test_command_lists_and_clears_images(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    published()
    name = the_image(place).name
    (place / "notes").write_text("not an image")
    assert 0 == main(["cache", "images"])
    said = capsys.readouterr().out
    assert name in said and "1 images, " in said and str(place) in said
    assert 0 == main(["cache", "images", "--clear"])
    assert ["notes"] == [each.name for each in place.iterdir()]
    capsys.readouterr()
    assert 0 == main(["cache", "images", "--json"])
    assert [] == json.loads(capsys.readouterr().out)["images"]
