"""Hypothesis strategies: texts with the nasty parts, and vocabularies real and absurd."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from hypothesis import settings
from hypothesis import strategies as st


def examples(n: int) -> settings:
    """So many examples of a test; when exploring (see conftest.py), a hundred times as many."""
    exploring = settings.default is settings.get_profile("explore")
    return settings(max_examples=n * 100 if exploring else n)


# ---- texts ------------------------------------------------------------------------

# Each of these once broke, or could break, a splitter, a merger or an offset.
NASTY = (
    "\0",
    "\ud83d",  # a high surrogate alone
    "\ude42",  # a low surrogate alone
    "\ud83d\ude42",  # a pair that Python keeps as two characters
    "\ud83d\ud83d\ude42\ude42",
    "e\u0301",
    "\u0301\u0302\u0303",
    "A\u0301b",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466",
    "\U0001f1e9\U0001f1ea\U0001f1eb",
    "\U0001f3fd",
    "\u2764\ufe0f",
    "\u0085",
    "\u180e",
    "\u3000",
    "\u00a0",
    "\u2028\u2029",
    "\u200b",
    "\x1c\x1d\x1e\x1f",
    "\r\n",
    "\r",
    "\n\n",
    "\n\r\n ",
    " \t \n",
    "\x0b\x0c",
    "\ufeff",
    "\ufffd",
    "\uffff",
    "\U0010ffff",
    "'s",
    "'S",
    "'\u017f",
    " it'\u017f",
    "'RE",
    "'ll've",
    "n't",
    "\u2019s",
    "\u212a",
    "\u0130\u0131",
    "\u01c5",
    "\u02b0",
    "\u00aa",
    "\u0627\u0644\u0639\u0631\u0628\u064a\u0629",
    "\u05e2\u05d1\u05e8\u05d9\u05ea",
    "\u0939\u093f\u0928\u094d\u0926\u0940",
    "\u0e20\u0e32\u0e29\u0e32\u0e44\u0e17\u0e22",
    "\ud55c\uad6d\uc5b4",
    "\u1112\u1161\u11ab",
    "\U00010330\U00010331",
    "\u4f60\u597d\u3002\u4e16\u754c",
    "\u3005\u3007\u3021\u3006\u30fc",
    "\u6f22ABC\u6f22",
    "\u0661\u0662\u0663\u0664",
    "\u00b2\u2164\u3285",
    "\U0001d7ce\U0001d7cf",
    "1234567890123",
    "-->/\r\n",
    "//\n/",
    "=====",
    "_\u203f",
)

SPECIALS = (
    "<|endoftext|>",
    "<|fim_prefix|>",
    "<|endofprompt|>",
    "<|start|>",
    "<|reserved_200013|>",
)
# One character more, one less, doubled beginnings: none of them may match, or only inside.
NEAR_MISSES = (
    "<|endoftext|",
    "|endoftext|>",
    "<|endoftext |>",
    "<|endoftext|>>",
    "<<|endoftext|>",
    "<|endoftex<|endoftext|>",
    "<|endoftext|><|endoftext|>",
    "<|",
    "|>",
    "<|endo\u0301ftext|>",
)

_UNITS = "aZ \n\t=.\u00e9\u6f22\u3042\U0001f600\u05d0\u0301\u0660'/"


def code_points() -> st.SearchStrategy[str]:
    """Any code point of any plane, unassigned ones and surrogates included, evenly."""
    return st.integers(0, 0x10FFFF).map(chr)


def runs() -> st.SearchStrategy[str]:
    """A short unit repeated, often to the lengths where algorithms switch."""
    unit = st.text(_UNITS, min_size=1, max_size=3) | st.sampled_from(NASTY)
    length = st.integers(1, 40) | st.sampled_from([63, 64, 65, 127, 128, 129, 255, 256, 257, 600])
    return st.builds(lambda text, n: (text * n)[:n], unit, length)


def whitespace() -> st.SearchStrategy[str]:
    """Blanks of every kind, and what only looks like one."""
    return st.text(
        " \t\n\r\x0b\x0c\x1c\u0085\u00a0\u1680\u180e\u2003\u2028\u200b\u3000", max_size=8
    )


_WORDS = """
    the of Hello HELLO hello camelCase HTTPServer don't DON'T it's 'tis we'Ve x1 3rd 2024 3.14159
    foo_bar Stra\u00dfe na\u00efve caf\u00e9 \u041f\u0440\u0438\u0432\u0435\u0442 \u03b1\u03b2\u03b3
    \u6771\u4eac\u90fd \u3072\u3089\u304c\u306a antidisestablishmentarianism
"""


def words() -> st.SearchStrategy[str]:
    """Words and numbers, with a blank before, behind or not at all."""
    shape = st.sampled_from((" {}", "{}", "{} "))
    return st.builds(str.format, shape, st.sampled_from(_WORDS.split()))


def texts(max_parts: int = 12) -> st.SearchStrategy[str]:
    """What tokenizers meet, and what they hope never to meet, mixed."""
    part = st.one_of(
        words(),
        st.sampled_from(NASTY),
        st.text(code_points(), max_size=6),
        st.text(max_size=10),
        whitespace(),
        runs(),
        st.sampled_from(SPECIALS + NEAR_MISSES),
    )
    return st.lists(part, max_size=max_parts).map("".join)


def clean_texts(max_parts: int = 12) -> st.SearchStrategy[str]:
    """The same without surrogates: texts that have a UTF-8 form."""
    return texts(max_parts).map(lambda text: text.encode("utf-8", "ignore").decode())


# ---- vocabularies -----------------------------------------------------------------


class Vocabulary(NamedTuple):
    """Ranks over a few letters, so that merges really happen, and text in these letters."""

    ranks: dict[bytes, int]
    text: str


_LETTERS = "abc\u00e9"
_LETTER_BYTES = sorted(set(_LETTERS.encode()))


@st.composite
def vocabularies(
    draw: st.DrawFn, *, min_len: int = 1, max_len: int = 600, complete: bool = True
) -> Vocabulary:
    """A small vocabulary with arbitrary distinct ranks, also improper ones: a token may outrank
    its halves, have none, or be reachable in several ways. Ids may have holes.

    With `complete` every byte has a rank; else some of the letters' bytes have none.
    """
    random = Random(draw(st.integers(0, 2**32)))
    singles = [bytes([byte]) for byte in (range(256) if complete else _LETTER_BYTES)]
    if not complete:
        singles = random.sample(singles, random.randrange(len(singles)))
    longer = {
        bytes(random.choices(_LETTER_BYTES, k=random.choice((2, 2, 2, 3, 3, 4, 6))))
        for _ in range(draw(st.integers(1, 60)))
    }
    longer |= {
        bytes([random.choice(_LETTER_BYTES)]) * random.choice((2, 3, 4, 5, 8, 16, 40))
        for _ in range(draw(st.integers(0, 8)))
    }
    tokens = singles + sorted(longer)
    random.shuffle(tokens)
    spread = draw(st.sampled_from((1, 7)))
    ranks = {token: i * spread for i, token in enumerate(tokens)}
    return Vocabulary(ranks, draw(letters(min_len, max_len)))


@st.composite
def grown_vocabularies(draw: st.DrawFn, *, min_len: int = 1, max_len: int = 600) -> Vocabulary:
    """A proper vocabulary, as training makes one: each token joins two that came before it."""
    random = Random(draw(st.integers(0, 2**32)))
    tokens = [bytes([byte]) for byte in range(256)]
    live = [bytes([byte]) for byte in _LETTER_BYTES]
    for _ in range(draw(st.integers(1, 80))):
        joined = random.choice(live) + random.choice(live)
        if joined not in live and len(joined) <= 64:
            tokens.append(joined)
            live.append(joined)
    ranks = {token: i for i, token in enumerate(tokens)}
    return Vocabulary(ranks, draw(letters(min_len, max_len)))


@st.composite
def letters(draw: st.DrawFn, min_len: int, max_len: int) -> str:
    """Text in few letters: random, periodic, or one letter; all lengths are equally likely."""
    random = Random(draw(st.integers(0, 2**32)))
    length = draw(st.integers(min_len, max_len))
    period = "".join(random.choices(_LETTERS, k=draw(st.sampled_from((1, 2, 7, max_len)))))
    return (period * (length // len(period) + 1))[:length]
