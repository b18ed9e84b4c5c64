"""The patterns that known tokenizers split with, by name.

Most tokenizers have one pattern: what it matches are the pieces. Some apply several, one
after the other: each cuts the pieces that the one before left, and keeps what it does not
match as pieces too ("isolated", in Hugging Face's words). Where tokenizers write the same
pattern differently, this is their own spelling.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from .errors import UnknownEncodingError
from .openai import CL100K, GPT2, O200K


@dataclass(frozen=True)
class NamedPattern:
    """How a known tokenizer splits.

    Args:
        name: as in :func:`names`.
        steps: the patterns, in the order in which they apply.
        source: where they are written down.
    """

    name: str
    steps: tuple[str, ...]
    source: str

    @property
    def pattern(self) -> str:
        """The pattern of a tokenizer that has only one.

        Raises:
            ValueError: it has several.
        """
        if len(self.steps) > 1:
            raise ValueError(f"{self.name} splits in {len(self.steps)} steps: see .steps")
        return self.steps[0]


def apply_steps(splits: Iterable[Callable[[str], list[str]]], text: str) -> list[str]:
    """Splits a text with the steps of a :class:`NamedPattern`.

    Args:
        splits: for each step, what splits a text into its matches.
        text: any text.

    Returns:
        The pieces: the matches of a single step, or of several all of the text.
    """
    splits = list(splits)
    if len(splits) == 1:
        return splits[0](text)
    pieces = [text] if text else []
    for split in splits:
        pieces = [part for piece in pieces for part in _isolated(split(piece), piece)]
    return pieces


def _isolated(matches: list[str], text: str) -> Iterator[str]:
    at = 0
    for match in matches:
        start = text.index(match, at)
        if start > at:
            yield text[at:start]
        yield match
        at = start + len(match)
    if at < len(text):
        yield text[at:]


# ---- shared parts -----------------------------------------------------------------------

_SPACES = r"\s*[\r\n]+|\s+(?!\S)|\s+"
_SUFFIXES = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
_UPPER = r"\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}"
_LOWER = r"\p{Ll}\p{Lm}\p{Lo}\p{M}"

_GPT2_FIRST = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"


def _words(upper: str, lower: str, suffixes: str) -> str:
    """Words in camel case: capitals, then small letters; then those of capitals only."""
    before = r"[^\r\n\p{L}\p{N}]?"
    return f"{before}{upper}*{lower}+{suffixes}|{before}{upper}+{lower}*{suffixes}"


_TEKKEN = _words(f"[{_UPPER}]", f"[{_LOWER}]", "") + r"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|" + _SPACES


def _llama3(digits: str) -> str:
    return (
        rf"{_SUFFIXES}|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|{digits}| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|"
        + _SPACES
    )


def _kimi(upper: str, lower: str) -> str:
    return (
        r"[\p{Han}]+|"
        + _words(upper, lower, f"{_SUFFIXES}?")
        + r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|"
        + _SPACES
    )


_KIMI_UPSTREAM = _kimi(rf"[{_UPPER}&&[^\p{{Han}}]]", rf"[{_LOWER}&&[^\p{{Han}}]]")
# The same without class intersection, for engines that have none: each of its classes is
# one character, looked at twice.
_KIMI = _kimi(rf"(?:(?!\p{{Han}})[{_UPPER}])", rf"(?:(?!\p{{Han}})[{_LOWER}])")

# The letters with case that DeepSeek's first tokenizers list, by code point.
_CASED = (
    r"A-Za-z\u00b5\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u01ba\u01bc-\u01bf\u01c4-\u0293"
    r"\u0295-\u02af\u0370-\u0373\u0376\u0377\u037b-\u037d\u037f\u0386\u0388-\u038a\u038c"
    r"\u038e-\u03a1\u03a3-\u03f5\u03f7-\u0481\u048a-\u052f\u0531-\u0556\u10a0-\u10c5"
    r"\u13a0-\u13f5\u13f8-\u13fd\u1c90-\u1cba\u1cbd-\u1cbf\u1d00-\u1d2b\u1d6b-\u1d77"
    r"\u1d79-\u1d9a\u1e00-\u1f15\u1f18-\u1f1d\u1f20-\u1f45\u1f48-\u1f4d\u1f50-\u1f57\u1f59"
    r"\u1f5b\u1f5d\u1f5f-\u1f7d\u1f80-\u1fb4\u1fb6-\u1fbc\u1fbe\u1fc2-\u1fc4\u1fc6-\u1fcc"
    r"\u1fd0-\u1fd3\u1fd6-\u1fdb\u1fe0-\u1fec\u1ff2-\u1ff4\u1ff6-\u1ffc\u2102\u2107"
    r"\u210a-\u2113\u2115\u2119-\u211d\u2124\u2126\u2128\u212a-\u212d\u212f-\u2134\u2139"
    r"\u213c-\u213f\u2145-\u2149\u214e\u2183\u2184\u2c00-\u2c7b\u2c7e-\u2ce4\u2ceb-\u2cee"
    r"\u2cf2\u2cf3\ua640-\ua66d\ua680-\ua69b\ua722-\ua76f\ua771-\ua787\ua78b-\ua78e"
    r"\uab70-\uabbf\ufb00-\ufb06\ufb13-\ufb17\uff21-\uff3a\uff41-\uff5a"
    r"\U00010400-\U0001044f\U000104b0-\U000104d3\U000104d8-\U000104fb\U00010c80-\U00010cb2"
    r"\U00010cc0-\U00010cf2\U000118a0-\U000118df\U0001e900-\U0001e943"
)
_DEEPSEEK_CJK = r"[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+"
_DEEPSEEK_LLM = (
    r"[\r\n]",
    rf"\s?[{_CASED}]+",
    r"\s?[!-/:-~\uff01-\uff0f\uff1a-\uff5e\u2018-\u201f\u3000-\u3002]+",
    r"\s+$",
    _DEEPSEEK_CJK,
    r"\p{N}+",
)
_DEEPSEEK_CODER = (r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", _DEEPSEEK_CJK, r"\p{N}")
_DEEPSEEK_V3 = (
    r"\p{N}{1,3}",
    r"[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+",
    r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+"
    r"|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|" + _SPACES,
)

# ASCII punctuation that Unicode calls symbols counts as punctuation there.
_FALCON = (r"[\p{P}$+<=>^`|~]+", _GPT2_FIRST, r"\p{N}+", r"[0-9][0-9][0-9]")


_TIKTOKEN = "tiktoken 0.14, tiktoken_ext/openai_public.py"

_PATTERNS = {
    entry.name: entry
    for entry in (
        NamedPattern("gpt2", (_GPT2_FIRST,), "GPT-2's encoder.py; ByteLevel in tokenizer.json"),
        NamedPattern("r50k_base", (GPT2,), _TIKTOKEN),
        NamedPattern("p50k_base", (GPT2,), _TIKTOKEN),
        NamedPattern("p50k_edit", (GPT2,), _TIKTOKEN),
        NamedPattern("cl100k_base", (CL100K,), _TIKTOKEN),
        NamedPattern("o200k_base", (O200K,), _TIKTOKEN),
        NamedPattern("o200k_harmony", (O200K,), _TIKTOKEN),
        NamedPattern("llama3", (_llama3(r"\p{N}{1,3}"),), "Llama 3's tokenizer.py"),
        NamedPattern("llama4", (O200K,), "Llama 4's tokenizer.py"),
        NamedPattern("qwen2", (_llama3(r"\p{N}"),), "tokenizer.json of Qwen2 to Qwen3"),
        NamedPattern("deepseek-llm", _DEEPSEEK_LLM, "tokenizer.json of deepseek-llm"),
        NamedPattern("deepseek-coder", _DEEPSEEK_CODER, "tokenizer.json of deepseek-coder"),
        NamedPattern("deepseek-v3", _DEEPSEEK_V3, "tokenizer.json of DeepSeek-V3"),
        NamedPattern("kimi-upstream", (_KIMI_UPSTREAM,), "Kimi K2's tokenization_kimi.py"),
        NamedPattern("kimi", (_KIMI,), "kimi-upstream, without class intersection"),
        NamedPattern("tekken", (_TEKKEN,), "tekken.json of Mistral NeMo (config.pattern)"),
        NamedPattern(
            "starcoder", (r"\p{N}", _GPT2_FIRST), "tokenizer.json of StarCoder: Digits, ByteLevel"
        ),
        NamedPattern("falcon", _FALCON, "tokenizer.json of Falcon"),
        NamedPattern(
            "clip",
            (
                r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d"
                r"|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+",
            ),
            "tokenizer.json of CLIP",
        ),
    )
}


def names() -> list[str]:
    """The names that :func:`get` knows, sorted.

    Example:
        >>> "llama3" in names()
        True
    """
    return sorted(_PATTERNS)


def get(name: str) -> NamedPattern:
    """The pattern of a known tokenizer.

    Args:
        name: one of :func:`names`.

    Returns:
        The pattern, with where it is from.

    Raises:
        UnknownEncodingError: no pattern has this name.

    Example:
        >>> get("qwen2").pattern[-21:]
        '[\\\\r\\\\n]+|\\\\s+(?!\\\\S)|\\\\s+'
    """
    try:
        return _PATTERNS[name]
    except KeyError:
        raise UnknownEncodingError(
            f"no pattern is named {name!r}; known are {', '.join(names())}",
            suggestions=("List the names with ctok.patterns.names().",),
            name=name,
        ) from None
