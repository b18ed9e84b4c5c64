"""The tokens of a text, to look at: in a terminal, a notebook, or as HTML.

::

    >>> import ctok
    >>> print(ctok.get_encoding("gpt2").view("hello wörld"))
    hello│·w│ör│ld
    4 tokens · 11 characters · 12 bytes · 3.00 bytes per token · gpt2

Blanks and control characters get a glyph, bytes that are only part of a character a chip such
as ``<E4>``. Neighbours always differ in something that is not colour: a bar between them,
or in colour every second one underlined.
"""

from __future__ import annotations

import html
import sys
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, TextIO

from . import config
from .errors import ValidationError

if TYPE_CHECKING:
    from rich.text import Text

    from .encoding import Encoding
    from .specials import AllowedSpecial, DisallowedSpecial

# Seven backgrounds that black can be read on (contrast of 5 or more): red, orange, yellow,
# green, cyan, blue, violet. As numbers of the 256-colour palette and as RGB.
PALETTE = (167, 179, 185, 77, 80, 68, 134)
PALETTE_RGB = (
    (215, 95, 95),
    (215, 175, 95),
    (215, 215, 95),
    (95, 215, 95),
    (95, 215, 215),
    (95, 135, 215),
    (175, 95, 215),
)

GLYPHS = {" ": "·", "\t": "→", "\n": "↵", "\r": "␍", "\x7f": "␡"}
SEPARATOR = "│"
BUDGET_MARK = "┃"

Kind = Literal["text", "glyph", "byte"]


class Segment(NamedTuple):
    """Part of a token as it is shown: its text, a glyph for a character that has no shape of its
    own, or a chip for a byte that is no character."""

    kind: Kind
    text: str


class Token(NamedTuple):
    """One token.

    Attributes:
        id: its id.
        data: its bytes.
        is_special: whether it is a special token.
    """

    id: int
    data: bytes
    is_special: bool = False

    def segments(self) -> list[Segment]:
        """What to show for it.

        >>> from ctok.view import Token
        >>> Token(0, b" a\\xe4").segments()
        [Segment(kind='glyph', text='·'), Segment(kind='text', text='a'), \
Segment(kind='byte', text='<E4>')]
        """
        found: list[Segment] = []
        # surrogateescape turns each byte that is no character into U+DC80 + byte - 0x80.
        for character in self.data.decode("utf-8", "surrogateescape"):
            segment = _segment(character)
            if found and segment.kind == "text" and found[-1].kind == "text":
                segment = Segment("text", found.pop().text + segment.text)
            found.append(segment)
        return found


def _segment(character: str) -> Segment:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        return Segment("byte", f"<{code - 0xDC00:02X}>")
    if character in GLYPHS:
        return Segment("glyph", GLYPHS[character])
    if code < 0x20:
        return Segment("glyph", chr(0x2400 + code))
    # Other blanks, format controls (that could turn the line around), unassigned ones.
    if unicodedata.category(character)[0] in "ZC":
        return Segment("glyph", f"<U+{code:04X}>")
    return Segment("text", character)


@dataclass(frozen=True, repr=False)
class View:
    """The tokens of a text, to look at. Made by :meth:`ctok.Encoding.view`.

    ``str()`` has colours if standard output is a terminal, unless ``NO_COLOR`` is set, or if
    ``FORCE_COLOR`` is. Notebooks show HTML, rich prints its own colours.

    Attributes:
        name: of the encoding.
        text: the text.
        tokens: its tokens.
        budget: tokens beyond this number are greyed; None for no budget.
        show_ids: whether each token is followed by its id.
    """

    name: str
    text: str
    tokens: tuple[Token, ...]
    budget: int | None = None
    show_ids: bool = False

    @classmethod
    def of(
        cls,
        encoding: Encoding,
        text: str,
        *,
        budget: int | None = None,
        show_ids: bool = False,
        allowed_special: AllowedSpecial = frozenset(),
        disallowed_special: DisallowedSpecial = (),
    ) -> View:
        """Encodes a text and keeps what there is to see.

        Args:
            encoding: whose tokens.
            text: what to encode; special tokens in it are ordinary text by default.
            budget: grey the tokens beyond this number.
            show_ids: show the id behind each token.
            allowed_special, disallowed_special: as in :meth:`ctok.Encoding.encode`.

        Raises:
            ValidationError: the budget is negative.
        """
        if budget is not None and budget < 0:
            raise ValidationError(f"budget is {budget}, 0 or more expected")
        ids = encoding.encode(
            text, allowed_special=allowed_special, disallowed_special=disallowed_special
        )
        parts = encoding.decode_tokens_bytes(ids)
        specials = [encoding.is_special_token(i) for i in ids]
        return cls.from_tokens(encoding.name, text, ids, parts, specials, budget, show_ids)

    @classmethod
    def from_tokens(
        cls,
        name: str,
        text: str,
        ids: Sequence[int],
        parts: Sequence[bytes],
        specials: Sequence[bool],
        budget: int | None = None,
        show_ids: bool = False,
    ) -> View:
        """A view of ids, their bytes and whether each is a special token."""
        tokens = tuple(map(Token, ids, parts, specials))
        return cls(name, text, tokens, budget, show_ids)

    # ---- facts ----

    def __len__(self) -> int:
        """How many tokens there are."""
        return len(self.tokens)

    @property
    def ids(self) -> list[int]:
        """The ids."""
        return [token.id for token in self.tokens]

    @property
    def n_over(self) -> int:
        """How many tokens are beyond the budget."""
        return 0 if self.budget is None else max(0, len(self) - self.budget)

    def counts(self) -> str:
        """The line below the tokens."""
        n_bytes = sum(len(token.data) for token in self.tokens)
        facts = [_count(len(self), "token"), _count(len(self.text), "character")]
        facts.append(_count(n_bytes, "byte"))
        if self.tokens:
            facts.append(f"{n_bytes / len(self):.2f} bytes per token")
        if self.budget is not None:
            rest = f"{self.n_over} over" if self.n_over else f"{self.budget - len(self)} left of"
            facts.append(f"{rest} the budget of {self.budget}")
        return " · ".join([*facts, self.name])

    def __repr__(self) -> str:
        return f"<View of {_count(len(self), 'token')} of {self.name}>"

    # ---- terminals ----

    def __str__(self) -> str:
        return self.ansi() if wants_colour(sys.stdout) else self.plain()

    def plain(self) -> str:
        """The tokens with bars between them, and the counts."""
        shown: list[str] = []
        for i, token in enumerate(self.tokens):
            if i:
                shown.append(BUDGET_MARK if i == self.budget else SEPARATOR)
            shown.append("".join(segment.text for segment in token.segments()))
            shown.append(self._id(token))
            shown.append(_line_end(token))
        return _with_counts("".join(shown), self.counts())

    def ansi(self) -> str:
        """The tokens in colours for a terminal, and the counts."""
        shown: list[str] = []
        for i, token in enumerate(self.tokens):
            style = _ansi_style(i, token.is_special, self._is_over(i))
            text = "".join(segment.text for segment in token.segments())
            shown.append(f"\x1b[{style}m{text}{self._id(token)}\x1b[0m{_line_end(token)}")
        return _with_counts("".join(shown), f"\x1b[2m{self.counts()}\x1b[0m")

    def __rich__(self) -> Text:
        from rich.text import Text

        shown = Text()
        for i, token in enumerate(self.tokens):
            text = "".join(segment.text for segment in token.segments()) + self._id(token)
            shown.append(text, style=_rich_style(i, token.is_special, self._is_over(i)))
            shown.append(_line_end(token))
        if shown and not shown.plain.endswith("\n"):
            shown.append("\n")
        shown.append(self.counts(), style="dim")
        return shown

    # ---- HTML ----

    def html(self) -> str:
        """One element that needs nothing else: escaped text, styles inside, no scripts. It takes
        the page's own text colour, so it reads well on dark and on light."""
        shown = "".join(self._html_token(i, token) for i, token in enumerate(self.tokens))
        return (
            '<div class="ctok-view" style="font-family:ui-monospace,monospace;line-height:1.7">'
            f'<div style="white-space:pre-wrap;overflow-wrap:anywhere">{shown}</div>'
            f'<div style="opacity:.7;font-size:85%">{html.escape(self.counts())}</div></div>'
        )

    def _repr_html_(self) -> str:
        return self.html()

    def _html_token(self, i: int, token: Token) -> str:
        text = "".join(_html_segment(segment) for segment in token.segments())
        if self.show_ids:
            text += f'<sub style="opacity:.7">{token.id}</sub>'
        title = html.escape(f"id {token.id} · bytes {token.data.hex(' ')}", quote=True)
        style = _html_style(i, token.is_special, self._is_over(i))
        return f'<span title="{title}" style="{style}">{text}</span>{_line_end(token)}'

    # ---- parts of both ----

    def _is_over(self, i: int) -> bool:
        return self.budget is not None and i >= self.budget

    def _id(self, token: Token) -> str:
        return f"({token.id})" if self.show_ids else ""


def wants_colour(stream: TextIO) -> bool:
    """Whether to write colours: a terminal or FORCE_COLOR, but never against NO_COLOR."""
    if config.text("NO_COLOR") is not None:
        return False
    if config.text("FORCE_COLOR") is not None:
        return config.text("FORCE_COLOR") != "0"
    return stream.isatty() and config.text("TERM") != "dumb"


def _count(n: int, noun: str) -> str:
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def _line_end(token: Token) -> str:
    """A line that ends in the text ends on the screen."""
    return "\n" if token.data.endswith(b"\n") else ""


def _with_counts(shown: str, counts: str) -> str:
    return shown + ("" if not shown or shown.endswith("\n") else "\n") + counts


def _ansi_style(i: int, is_special: bool, is_over: bool) -> str:
    underline = ";4" if i % 2 else ""
    if is_over:
        return f"38;5;245{underline}"
    if is_special:
        return f"1;7{underline}"
    return f"38;5;16;48;5;{PALETTE[i % len(PALETTE)]}{underline}"


def _rich_style(i: int, is_special: bool, is_over: bool) -> str:
    underline = " underline" if i % 2 else ""
    if is_over:
        return f"color(245){underline}"
    if is_special:
        return f"bold reverse{underline}"
    return f"color(16) on color({PALETTE[i % len(PALETTE)]}){underline}"


def _html_style(i: int, is_special: bool, is_over: bool) -> str:
    border = "border:1px solid rgba(128,128,128,.6);border-radius:3px;padding:0 1px"
    if is_over:
        return f"{border};opacity:.45"
    red, green, blue = PALETTE_RGB[i % len(PALETTE_RGB)]
    weight = ";font-weight:bold" if is_special else ""
    return f"{border};background:rgba({red},{green},{blue},.35){weight}"


def _html_segment(segment: Segment) -> str:
    text = html.escape(segment.text, quote=False)
    if segment.kind == "byte":
        return f'<code style="font-size:85%">{text}</code>'
    if segment.kind == "glyph":
        return f'<span style="opacity:.6">{text}</span>'
    return text
