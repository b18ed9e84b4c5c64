"""The command line: what it prints, what it exits with, and what it says when it cannot."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

import ctok
from ctok.cli import main
from ctok.errors import CtokError


class Result(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def run(
    capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Result]:
    """Runs a command in this process, with bytes as standard input."""
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)

    def call(*argv: str, stdin: bytes = b"") -> Result:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin), "utf-8"))
        code = main(list(argv))
        out, err = capsysbinary.readouterr()
        return Result(code, out.decode(), err.decode())

    return call


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    one, two = tmp_path / "one.txt", tmp_path / "two.txt"
    one.write_bytes("hello wörld\r\n".encode())
    two.write_bytes(b"hello")
    return str(one), str(two)


# ---- encode ----


def test_encode_prints_ids_of_each_input_on_a_line(
    run: Callable[..., Result], files: tuple[str, str]
) -> None:
    assert Result(0, "24912 2375\n", "") == run("encode", "-t", "hello world")
    assert Result(0, "24912 2375\n", "") == run("encode", stdin=b"hello world")
    result = run("encode", "-t", "hello", *files, "-", stdin=b"hello world")
    assert ["24912", "24912 286 2877 582 370", "24912", "24912 2375"] == result.out.splitlines()


def test_encoding_is_chosen_by_name_or_model(run: Callable[..., Result]) -> None:
    assert "15339 1917\n" == run("encode", "-e", "cl100k_base", "-t", "hello world").out
    assert "15339 1917\n" == run("encode", "--model", "gpt-4", "-t", "hello world").out


def test_encode_prints_one_id_per_line_or_json(run: Callable[..., Result]) -> None:
    assert "24912\n2375\n" == run("encode", "--lines", "-t", "hello world").out
    assert {
        "input": "-",
        "encoding": "o200k_base",
        "tokens": 2,
        "ids": [24912, 2375],
    } == json.loads(run("encode", "--json", stdin=b"hello world").out)


def test_line_ends_and_byte_order_marks_are_text(
    run: Callable[..., Result], tmp_path: Path
) -> None:
    text = "\ufeffa\r\nb\rc\n\n"
    expected = ctok.get_encoding("o200k_base").encode(text)
    path = tmp_path / "x"
    path.write_bytes(text.encode())
    assert expected == [int(i) for i in run("encode", str(path)).out.split()]
    assert expected == [int(i) for i in run("encode", stdin=text.encode()).out.split()]


def test_special_token_in_text_is_an_error_unless_asked_for(run: Callable[..., Result]) -> None:
    text = "a<|endoftext|>"
    refused = run("encode", "-t", text)
    assert (1, "") == refused[:2]
    assert "'<|endoftext|>' at character 1" in refused.err
    assert "--allowed-special '<|endoftext|>'" in refused.err
    assert "--ordinary" in refused.err
    assert "64 199999\n" == run("encode", "-s", "all", "-t", text).out
    assert "64 199999\n" == run("encode", "--allowed-special", "<|endoftext|>", "-t", text).out
    ordinary = " ".join(map(str, ctok.get_encoding("o200k_base").encode_ordinary(text)))
    assert f"{ordinary}\n" == run("encode", "--ordinary", "-t", text).out


# ---- decode ----


@pytest.mark.parametrize(
    "ids", [b"24912 2375", b"24912\n2375\n", b"[24912, 2375]", b'{"ids": [24912, 2375]}\n']
)
def test_decode_reads_every_form_that_encode_writes(run: Callable[..., Result], ids: bytes) -> None:
    assert Result(0, "hello world", "") == run("decode", stdin=ids)


def test_decode_is_the_inverse_of_encode_byte_for_byte(files: tuple[str, str]) -> None:
    # Real processes and pipes.
    encode = [sys.executable, "-m", "ctok", "encode", files[0]]
    ids = subprocess.run(encode, capture_output=True, check=True, timeout=60).stdout
    decode = [sys.executable, "-m", "ctok", "decode"]
    text = subprocess.run(decode, input=ids, capture_output=True, check=True, timeout=60).stdout
    assert Path(files[0]).read_bytes() == text


def test_decode_prints_parts_of_characters_as_they_are_or_as_asked(
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    half = str(ctok.get_encoding("gpt2").encode_single_token(b"\xe4"))
    assert 0 == main(["decode", "-e", "gpt2", "-t", half])
    assert b"\xe4" == capsysbinary.readouterr().out
    assert 0 == main(["decode", "-e", "gpt2", "--errors", "replace", "-t", half])
    assert "\ufffd" == capsysbinary.readouterr().out.decode()
    assert 1 == main(["decode", "-e", "gpt2", "--errors", "strict", "-t", half])
    assert b"byte 0xE4 at offset 0" in capsysbinary.readouterr().err
    assert 0 == main(["decode", "-e", "gpt2", "--json", "-t", half])
    assert "\ufffd" == json.loads(capsysbinary.readouterr().out)["text"]


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        ("1 x", "'x' at offset 2 is no id"),
        ("1.5", "'1.5' at offset 0"),
        ("9" * 5000, "is no id"),
        ("\u0661", "is no id"),
        ("-1", "-1"),
        ("199998", "199998"),
        ('{"id": 1}', 'line 1: no JSON object with "ids"'),
        ('{"ids": "x"}', "line 1"),
        ("{", "line 1"),
    ],
)
def test_what_is_no_id_is_named(run: Callable[..., Result], ids: str, message: str) -> None:
    result = run("decode", stdin=ids.encode())
    assert (1, "") == result[:2]
    assert message in result.err
    assert 400 > len(result.err)


# ---- count ----


def test_count_prints_a_number_or_a_table_with_the_total(
    run: Callable[..., Result], files: tuple[str, str]
) -> None:
    assert "2\n" == run("count", stdin=b"hello world").out
    assert "1\n" == run("count", files[1]).out
    assert [["5", files[0]], ["1", files[1]], ["6", "total"]] == [
        line.split() for line in run("count", *files).out.splitlines()
    ]
    lines = run("count", "--json", *files).out.splitlines()
    assert [5, 1] == [json.loads(line)["tokens"] for line in lines]


def test_count_takes_specials_as_text_unless_asked(run: Callable[..., Result]) -> None:
    assert 1 < int(run("count", "-t", "<|endoftext|>").out)
    assert 1 == int(run("count", "-s", "all", "-t", "<|endoftext|>").out)


# ---- truncate ----


def test_truncate_keeps_what_fits_and_says_that_it_cut(run: Callable[..., Result]) -> None:
    result = run("truncate", "-n", "2", "-t", "one two three")
    assert (0, "one two") == result[:2]
    assert "kept 2 tokens, 7 of 13 characters" in result.err
    assert "" == run("truncate", "-q", "-n", "2", "-t", "one two three").err
    assert Result(0, "one two three", "") == run("truncate", "-n", "3", "-t", "one two three")


def test_truncate_tells_by_exit_code_and_json(run: Callable[..., Result]) -> None:
    assert 3 == run("truncate", "--exit-code", "-n", "2", "-t", "one two three").code
    assert 0 == run("truncate", "--exit-code", "-n", "3", "-t", "one two three").code
    fields = json.loads(run("truncate", "--json", "-n", "2", stdin=b"one two three").out)
    assert (True, 2, "one two") == (fields["truncated"], fields["tokens"], fields["text"])


def test_truncate_never_prints_half_a_character(run: Callable[..., Result]) -> None:
    assert "" == run("truncate", "-e", "gpt2", "-n", "1", "-t", "🥝").out


# ---- show, explain, encodings ----


def test_show_prints_bars_colours_or_a_page(run: Callable[..., Result]) -> None:
    assert "hello│·world\n" == run("show", "-t", "hello world").out.splitlines(True)[0]
    assert "\x1b[38;5;16" in run("show", "--color", "always", "-t", "hello world").out
    assert "hello(24912)" in run("show", "--ids", "-t", "hello world").out
    assert "over the budget" in run("show", "--budget", "1", "-t", "hello world").out
    page = run("show", "--html", "-t", "<b>").out
    assert page.startswith("<!doctype html>")
    assert "&lt;" in page
    assert "<b>" not in page


def test_explain_prints_steps_or_json(run: Callable[..., Result]) -> None:
    assert "h + i" in run("explain", "-e", "gpt2", "hi").out
    fields = json.loads(run("explain", "-e", "gpt2", "--json", "hi").out)
    assert [{"left": "68", "right": "69", "rank": 5303, "id": 5303}] == fields["steps"]


def test_encodings_lists_names_sizes_and_models(run: Callable[..., Result]) -> None:
    rows = {line.split()[0]: line.split() for line in run("encodings").out.splitlines()}
    assert {*ctok.list_encoding_names()} < {*rows}
    assert ["100277", "gpt-4"] == rows["cl100k_base"][1:3]
    for facts in json.loads(run("encodings", "--json").out):
        assert ctok.get_encoding(facts["name"]).n_vocab == facts["n_vocab"]


# ---- the frame ----


def test_commands_have_help_with_examples(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("encode", "decode", "count", "truncate", "show", "explain", "encodings"):
        with pytest.raises(SystemExit) as caught:
            main([command, "--help"])
        assert 0 == caught.value.code
        assert f"  ctok {command}" in capsys.readouterr().out


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["nonsense"],
        ["truncate"],
        ["truncate", "-n", "-1"],
        ["encode", "-e", "gpt2", "-m", "gpt-4"],
    ],
)
def test_wrong_command_lines_exit_with_2(
    argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(argv)
    assert 2 == caught.value.code
    assert "usage: ctok" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["count", "-e", "gpt3", "-t", "x"], "no encoding is called 'gpt3'"),
        (["count", "-m", "gpt-9", "-t", "x"], "the model 'gpt-9'"),
        (["count", "/no/such/file"], "/no/such/file: No such file or directory"),
        (["count", "/"], "/: Is a directory"),
    ],
)
def test_errors_are_said_with_advice_and_exit_with_1(
    run: Callable[..., Result], argv: list[str], message: str
) -> None:
    result = run(*argv)
    assert (1, "") == result[:2]
    assert result.err.startswith("ctok: error: ")
    assert message in result.err
    assert "\x1b" not in result.err


def test_text_that_is_not_utf8_is_named_with_its_place(run: Callable[..., Result]) -> None:
    result = run("count", stdin=b"one\ntwo\xff")
    assert (1, "") == result[:2]
    assert "standard input: not UTF-8: byte 0xFF at offset 7 (line 2)" in result.err
    assert "iconv" in result.err


def test_errors_may_bring_their_exit_code(
    run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    class SpecialError(CtokError):
        exit_code = 14

    def fail(name: str) -> None:
        raise SpecialError("special", suggestions=["do this"])

    monkeypatch.setattr("ctok.cli.source.get_encoding", fail)
    assert Result(14, "", "ctok: error: special\n  - do this\n") == run("count", "-t", "x")


def test_reader_that_leaves_is_no_error(tmp_path: Path) -> None:
    path = tmp_path / "long.txt"
    path.write_bytes(b"word " * 300_000)
    program = [sys.executable, "-m", "ctok", "encode", "--lines", str(path)]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert b"" == process.stderr.read()
        assert 141 == process.wait(timeout=60)


def test_output_that_the_terminal_cannot_show_is_escaped() -> None:
    # Latin-1 has neither the bar nor the character.
    program = [sys.executable, "-m", "ctok", "show", "-t", "é漢"]
    environment = {**os.environ, "PYTHONIOENCODING": "latin1"}
    done = subprocess.run(program, env=environment, capture_output=True, check=True, timeout=60)
    assert b"\xe9\\u2502\\u6f22\n" == done.stdout.splitlines(keepends=True)[0]


def test_interrupt_exits_with_130(
    run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(name: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ctok.cli.source.get_encoding", interrupt)
    assert 130 == run("count", "-t", "x").code


def test_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])
    assert f"ctok {ctok.__version__}\n" == capsys.readouterr().out
