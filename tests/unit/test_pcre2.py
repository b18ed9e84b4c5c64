"""The PCRE2 engine and the dialect its patterns are rewritten to."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
from random import Random

import pytest

from ctok import dialect, pcre2
from ctok.errors import InvalidPatternError, LimitError, SplitError


def split(pattern: str, text: str) -> list[str]:
    """With machine code and with the interpreter, which must agree."""
    pieces = pcre2.compile(pattern).split(text)
    assert pcre2.compile(pattern, jit=False).split(text) == pieces
    return pieces


# ---- matching ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "text", "pieces"),
    [
        (r".+", "a\nb", ["a", "b"]),
        (r"\w*", "a b", ["a", "b"]),
        (r"x*", "漢xx漢", ["xx"]),
        (r"(?=a)|b", "ab", ["b"]),
        (r"a", "", []),
        (r"", "abc", []),
        (r"$|b", "ab", ["b"]),
    ],
)
def test_uncovered_text_and_empty_matches_are_dropped(
    pattern: str, text: str, pieces: list[str]
) -> None:
    assert pieces == split(pattern, text)


@pytest.mark.parametrize(
    ("pattern", "text", "pieces"),
    [
        # What PCRE2 itself would read differently.
        (r"[^\r\n\p{L}]?\p{L}+", "A\u180eB", ["A", "\u180eB"]),  # \s has no U+180E
        (r"[^\s]+|\s+", "A\u180e B", ["A\u180e", " ", "B"]),
        (r"\p{Han}+|.", "你好。世界", ["你好", "。", "世界"]),  # script, not extensions
        (r"'(?i:s)", "'s'S'\u017f", ["'s", "'S", "'\u017f"]),
        (r"(?i)k+", "kK\u212a", ["kK\u212a"]),
        (r"(?i)\u0130", "i\u0130\u0131I", ["\u0130"]),
        (r"\h+", "0fG \t", ["0f"]),
        (r"a$|b", "a\nb", ["b"]),  # $ is the end, not before a last newline
        (r"a\Z", "a\n\n", ["a"]),
        (r".", "\r\u2028\n", ["\r", "\u2028"]),
        (r"(?s).", "\r\n", ["\r", "\n"]),
        (r"(?m)^a$", "a\na\r\na", ["a", "a"]),
        (r"(?mR)^a$", "a\na\r\na", ["a", "a", "a"]),
        (r"(a(?i)b)C", "abCABCaBc", ["abC", "aBc"]),  # a bare flag outlives its group
        (r"(?i:a)B", "ABab", ["AB"]),
        (r"a{,2}", "aaa", ["aa", "a"]),
        (r"a{2}{3}", "aa{3}", ["aa{3}"]),
        (r"a{x", "a{x", ["a{x"]),
        (r"]}", "]}", ["]}"]),
        (r"(?x) a b # a comment" + "\n c", "abc", ["abc"]),
        (r"a(?#comment)+", "aa", ["aa"]),
        (r"\R", "\r\n\n\u2028", ["\r\n", "\n", "\u2028"]),
        (r"\<\w|\w\>", "ab cd", ["a", "b", "c", "d"]),
        (r"\b{start}\w+", "ab cd", ["ab", "cd"]),
        (r"\bé\b", "é ée", ["é"]),
        (r"(?U)a+b??", "aab", ["a", "ab"]),
        (r"a*?+b", "aab", ["b"]),
        (r"\\s", r"\s", [r"\s"]),
        (r"\\\\p{L}", r"\\p{L}", [r"\\p{L}"]),
        (r"[a-z&&[^b]]+", "abc", ["a", "c"]),
        (r"[\w--[0-9]]+", "a1b", ["a", "b"]),
        (r"[a-c~~b-d]+", "abcd", ["a", "d"]),
        (r"[a&&b]|c", "abc", ["c"]),
        (r"(a)(?P<x>b)(?'y'c)\k<x>\3\k<-1>(?P=x)", "abcbccb", ["abcbccb"]),
        (r"(?<=a)b|(?<!a)c", "abcac", ["b", "c"]),
        (r"(?<=ab|c)d", "abdcdd", ["d", "d"]),
        (r"a(*FAIL)|b", "ab", ["b"]),
        # The automatic possessives of PCRE2 10.47 find nothing here.
        (r"[a-z]+(?>(?:9)?)[a-z]", "ksak", ["ksak"]),
    ],
)
def test_patterns_mean_what_they_mean_in_the_reference(
    pattern: str, text: str, pieces: list[str]
) -> None:
    assert pieces == split(pattern, text)


def test_lookbehind_sees_the_text_before_the_piece() -> None:
    assert ["a", "b", "c"] == split(r"a|(?<=a)b|(?<=ab)c", "abc")


def test_more_pieces_than_one_block_holds() -> None:
    assert ["ab"] * 1000 == split("ab", "ab" * 1000)
    assert ["ab"] * 1000 == split("ab", "ab-" * 1000)


def test_classes_larger_than_pcre2_compiles_are_shared() -> None:
    pattern = r"(a)\1|" + "|".join(rf"\b\p{{L}}{i}\b" for i in range(10))
    plain, _ = dialect.rewrite(pattern).render()
    assert len(plain) > 300_000
    assert ["é3", "aa", "ß9"] == split(pattern, "é3 3é aa ß9 ß99")


def test_long_classes_around_the_first_two_hundred_and_fifty_six() -> None:
    """PCRE2's own lists of ranges go wrong here: each edge is tried, with no first character for
    it to look for."""
    random = Random(0x100)
    firsts = (0, 0x7B, 0xFE, 0xFF, 0x100, 0x101)
    lasts = (0x100, 0x101, 0x7FF, 0x7FFE, 0x7FFF, 0x8000, 0xFFFF, 0x10000)
    for _ in range(300):
        edges = random.sample(range(0x7000, 0xD7FF), 2 * random.randrange(3, 12))
        edges += random.sample(range(0x10001, 0x110000), 2 * random.randrange(4))
        edges += [random.choice(firsts), random.choice(lasts)]
        edges.sort()
        ranges = list(zip(edges[::2], edges[1::2], strict=True))
        body = "".join(rf"\x{{{first:x}}}-\x{{{last:x}}}" for first, last in ranges)
        near = {0xFF, 0x100, *(edge + step for edge in edges for step in (-1, 0, 1))}
        text = "".join(map(chr, sorted(near - {-1, 0x110000, *range(0xD800, 0xE000)})))
        inside = [c for c in text if any(first <= ord(c) <= last for first, last in ranges)]
        assert inside == split(rf"(?=[^\x07])[{body}]", text), body


# ---- errors -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "offset", "reason"),
    [
        ("(", 0, "not closed"),
        ("é(a", 1, "not closed"),
        ("a)", 1, "closes no group"),
        ("漢漢*a|*", 5, "nothing to repeat"),
        ("(?i)*", 4, "nothing to repeat"),
        ("(?=a)*", 5, "nothing to repeat"),
        ("a\\", 1, "escapes nothing"),
        (r"a\Qb\E", 1, r"no escape \Q"),
        (r"a\K", 1, r"\K"),
        (r"\G", 0, r"\G"),
        (r"\X", 0, r"no escape \X"),
        (r"\C", 0, r"no escape \C"),
        (r"\g<1>", 0, "subroutine"),
        ("(?P>x)", 0, "subroutine"),
        ("(?R1)", 3, "no such flag"),
        ("(?-u)", 3, "Unicode mode"),
        ("(?C1)", 2, "no such flag"),
        ("(a)(?(1)b)", 3, "conditional"),
        ("(?~a)", 0, "absent"),
        ("(*UTF)a", 0, "(*UTF)"),
        ("(*NO_JIT)a", 0, "(*NO_JIT)"),
        ("a(*ACCEPT)", 1, "(*ACCEPT)"),
        ("a{3,2}", 1, "reversed"),
        ("a{70000}", 1, "65535"),
        ("a{" + "9" * 10_000 + "}", 1, "65535"),
        (r"\1", 0, "group 1"),
        (r"(a)\2", 3, "group 2"),
        (r"(a\1)", 2, "group 1"),
        (r"(?i)(a)\1", 7, "under (?i)"),
        (r"(?<n>a)(?<n>b)", 7, "second group"),
        (r"\k<n>", 0, "'n'"),
        (r"(?:a*)*", 6, "match nothing"),
        (r"\x{110000}", 0, "U+110000"),
        (r"\x{d800}", 0, "U+D800"),
        (r"\xg", 0, "hexadecimal"),
        (r"\b{mid}", 0, "boundary"),
        (r"\b{b}", 0, "boundary"),
        (r"\B{start}", 0, "boundary"),
        ("é(?<=a+)b", 1, "lookbehind"),
        ("a\ud800", 1, "surrogate"),
        ("(?#", 0, "comment"),
        ("(" * 400 + ")" * 400, 80, "nested"),
    ],
)
def test_errors_name_the_construct_and_its_place_in_the_users_pattern(
    pattern: str, offset: int, reason: str
) -> None:
    with pytest.raises(InvalidPatternError) as caught:
        pcre2.compile(pattern)
    assert (pattern, offset) == (caught.value.pattern, caught.value.offset)
    assert reason in str(caught.value)


def test_the_caret_stands_below_the_place() -> None:
    pattern = "b" * 50 + "(?<=a+)" + "c" * 50
    with pytest.raises(InvalidPatternError) as caught:
        pcre2.compile(pattern)
    _, shown, caret = str(caught.value).split("\n")
    assert "(?<=a+)" == shown[caret.index("^") :][:7]


def test_a_pattern_too_large_in_any_form_is_a_limit_error() -> None:
    with pytest.raises(LimitError):
        pcre2.compile("a" * 200_000)


# ---- what PCRE2 has wrong ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        # Its JIT looks for the first letters of a match, and misses some: PCRE2Project/pcre2#874.
        (r"\$?US[0-9]{0,3}\b", "US"),
        (r"\$?US[0-9]{0,3}?\b", "US"),
        (r"(?:https?|ftp)[sx]{0,2}\b", "ftp"),
        (r"(?<!q)(?:dead|beef)[0-9]{0,3}", "beef"),
        (r"(?<!q)(?:dead|beef)[0-9]{0,3}+", "beef"),
        (r"(?:abc.{2}|xyz)\b", "xyz"),
        (r"(?:abc\N{2}|xyz)\b", "xyz"),
        (r"(?s)(?:abc.{2,}|xyz)\b", "xyz"),
    ],
)
def test_the_start_of_a_match_is_not_missed(pattern: str, text: str) -> None:
    assert [text] == split(pattern, text)
    assert [text] == split(pattern, f"-{text}")


@pytest.mark.parametrize(
    "pattern",
    [
        r"(?<!(?:a|bb)\b)\S",  # its JIT takes the place for the end of the text
        r"(?<=(?:a|bb)(?=x))x",
        r"(?<=a?\b)x",
        r"(?<=a?$)x",
        r"(?<=a?\z)x",
        r"(?<=(?:a?(?m:$)))x",
        r"(?<=a(?!b)a?)x",  # it goes back, and the reference does not
        r"(?<=(?=a)\w{1,3})x",
        r"(?<=(\w)\w?)\1",
        r"(?<=(?<name>a|b)(b|a?))\k<name>",
    ],
)
def test_lookbehinds_that_engines_disagree_on_are_refused(pattern: str) -> None:
    with pytest.raises(InvalidPatternError, match="one length each"):
        pcre2.compile(pattern)


@pytest.mark.parametrize(
    ("pattern", "text", "pieces"),
    [
        (r"(?<=a|bc)d", "adbcdd", ["d", "d"]),
        (r"(?<=a(?!b))x", "axbx", ["x"]),
        (r"(?<!(?:ab|cd)(?!x))x", "abxx", ["x", "x"]),
        (r"(?<=\Aa|b)x", "axbxax", ["x", "x"]),
        (r"(?<=a{1,2}b?)x", "abxx", ["x"]),
        (r"(?<=(\w))\1", "aab", ["a"]),
    ],
)
def test_lookbehinds_that_they_agree_on_are_taken(
    pattern: str, text: str, pieces: list[str]
) -> None:
    assert pieces == split(pattern, text)


# ---- limits -----------------------------------------------------------------------------


@pytest.mark.parametrize("jit", [True, False])
@pytest.mark.parametrize("pattern", [r"(a+)+[bc]", r"(?:a|aa)+[bc]", r"(?:(?:a+)+)+$"])
def test_catastrophic_patterns_raise_and_say_where(pattern: str, jit: bool) -> None:
    with pytest.raises(SplitError, match="character 1") as caught:
        pcre2.compile(pattern, jit=jit).split("漢" + "a" * 5000 + "d")
    assert 1 == caught.value.offset


def test_work_is_bounded_over_all_matches_of_a_text() -> None:
    # Every start costs a little less than one match may cost.
    with pytest.raises(SplitError):
        pcre2.compile(r"(?:a|aa){20,30}[bc]|.").split("a" * 50_000)


@pytest.mark.parametrize("jit", [True, False])
def test_deep_matches_climb_to_a_larger_stack_or_the_heap(jit: bool) -> None:
    text = "ab" * 200_000
    assert [text] == pcre2.compile(r"(?:(?:a|x)(?:b|y))+", jit=jit).split(text)


def test_a_match_too_deep_for_every_step_of_the_ladder_raises() -> None:
    with pytest.raises(SplitError, match=r"512 MiB|steps"):
        pcre2.compile(r"(?:(?:a|x)(?:b|y))+").split("ab" * 3_000_000)


@pytest.mark.parametrize("letter", ["a", " ", "漢", "\n", "1", "!"])
def test_a_megabyte_of_one_letter_is_unremarkable(letter: str) -> None:
    splitter = pcre2.compile(
        r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*"
        r"|\s*[\r\n]+|\s+(?!\S)|\s+"
    )
    text = letter * (1 << 20)
    assert text == "".join(splitter.split(text))


# ---- ownership and threads ----------------------------------------------------------------


def test_a_splitter_is_taken_once() -> None:
    splitter = pcre2.compile("a+")
    address = splitter.take()
    assert address != 0
    with pytest.raises(ValueError, match="taken"):
        splitter.take()
    with pytest.raises(ValueError, match="taken"):
        splitter.split("a")
    pcre2.lib.ctok_pcre2_free(pcre2.ffi.cast("ctok_splitter *", address))


def test_splitters_are_freed_with_their_object() -> None:
    script = (
        "import resource, gc\n"
        "from ctok import pcre2\n"
        "def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "for i in range(20): pcre2.compile(r'\\p{L}+|\\b').split('a b')\n"
        "before = peak()\n"
        "for i in range(200): pcre2.compile(r'\\p{L}+|\\b').split('a b')\n"
        "print(peak() - before)\n"
    )
    grown = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120
    )
    assert int(grown.stdout) < 4_000  # KiB; a leak of the compiled code is 10,000


def test_threads_share_one_splitter() -> None:
    splitter = pcre2.compile(r"\p{L}+|\d+|\s+")
    texts = [f"thread {i} " * (50 + i) for i in range(16)]
    expected = [splitter.split(text) for text in texts]
    found: list[list[str]] = [[] for _ in texts]

    def work(i: int) -> None:
        for _ in range(30):
            found[i] = splitter.split(texts[i])

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(texts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert expected == found


def test_an_object_that_failed_to_compile_is_collected_quietly() -> None:
    with pytest.raises(InvalidPatternError):
        pcre2.compile("(")
    gc.collect()


# ---- what is linked -----------------------------------------------------------------------


def test_the_pinned_version_is_linked() -> None:
    version, unicode = pcre2.versions()
    assert "10.47" == version.split()[0]
    assert "16.0.0" == unicode


def test_machine_code_is_optional() -> None:
    assert pcre2.compile("a", jit=False).has_jit is False


def test_importing_ctok_does_not_load_the_engine() -> None:
    script = (
        "import sys, ctok\n"
        "ctok.get_encoding('r50k_base').encode('hello')\n"
        "assert not [m for m in sys.modules if 'pcre2' in m or m == 'ctok.dialect']\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


# ---- the dialect --------------------------------------------------------------------------


def test_what_is_emitted_names_no_class_of_pcre2() -> None:
    text, _ = dialect.rewrite(r"(?i)\s\S\d\w\p{Han}[^\s\p{L}]\b^$.k(?m)^$\R\h").render()
    for escape in (r"\s", r"\S", r"\d", r"\w", r"\p", r"\P", r"\b", r"\R", r"\h", "(?i", "[:", "^"):
        assert escape not in text.replace(r"[^\x{", r"[\x{")


def test_offsets_of_the_rewritten_pattern_lead_back() -> None:
    pattern = r"é\s(?<=b)c"
    text, origin = dialect.rewrite(pattern).render()
    source = pattern.encode()
    encoded = text.encode()
    assert source.index(b"c") == origin(encoded.rindex(b"c"))
    assert source.index(b"(?<=") == origin(encoded.index(b"(?<="))
    assert source.index(rb"\s") == origin(encoded.index(b"[") + 5)
