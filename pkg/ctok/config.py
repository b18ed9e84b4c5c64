"""The environment: the one module that reads it, when asked, with one idea of "yes".

Arguments beat ``CTOK_*``, which beat the ecosystem's variables, which beat the defaults. A
variable that is empty or only spaces counts as unset. Nothing is remembered between calls.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

TRUE = frozenset({"1", "true", "yes", "on"})
OFFLINE = ("CTOK_OFFLINE", "BITNET_OFFLINE", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
STRICT = ("CTOK_STRICT", "BITNET_STRICT_TOKENIZERS")
TOKEN = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
DEFAULT_ENDPOINT = "https://huggingface.co"


def text(*names: str) -> str | None:
    """The first of the variables that is set to more than spaces, trimmed."""
    for name in names:
        value = os.environ.get(name, "").strip()
        if value:
            return value
    return None


def flag(*names: str, default: bool = False) -> bool:
    """Whether the first variable that is set says 1, true, yes or on, in any case.

    Example:
        >>> os.environ["CTOK_STRICT"] = "On"
        >>> flag("CTOK_STRICT")
        True
        >>> del os.environ["CTOK_STRICT"]
    """
    value = text(*names)
    return default if value is None else value.lower() in TRUE


def number(*names: str, default: float) -> float:
    """The first variable that is a positive number; what is none is passed over."""
    for name in names:
        try:
            value = float(os.environ.get(name, ""))
        except ValueError:
            continue
        if 0 < value < float("inf"):
            return value
    return default


def folder(*names: str) -> Path | None:
    """The first variable that is set, as a path with ``~`` and ``$NAME`` expanded."""
    value = text(*names)
    return None if value is None else expand(value)


def expand(path: str | os.PathLike[str]) -> Path:
    """A path as users write it: with ``~`` and ``$NAME``."""
    from pathlib import Path

    return Path(_expanded(os.fspath(path)))


def _expanded(path: str) -> str:
    expanded = os.path.expanduser(os.path.expandvars(path))  # noqa: PTH111 - see cache_path
    if expanded.startswith("~"):
        raise RuntimeError(f"{path}: nobody knows where that home is")
    return expanded


def offline() -> bool:
    """Whether no request may be made."""
    return flag(*OFFLINE)


def cpu() -> str:
    """The vector code to use (``CTOK_CPU``): portable, avx2, avx512, neon or best."""
    return (text("CTOK_CPU") or "best").lower()


def cache_bytes(default: int) -> int:
    """The most that the word cache of one running call takes (``CTOK_CACHE_BYTES``); 0: none."""
    value = text("CTOK_CACHE_BYTES") or ""
    return int(value) if value.isdecimal() and len(value) < 16 else default


def images() -> bool:
    """Whether built encodings are kept in ctok's cache and mapped from there (``CTOK_IMAGE``)."""
    return flag("CTOK_IMAGE", default=True)


def strict() -> bool:
    """Whether substitutes (an older copy, a backup tokenizer) are refused."""
    return flag(*STRICT)


def deterministic() -> bool:
    """Whether results may depend on nothing but the arguments."""
    return flag("CTOK_DETERMINISTIC", "BITNET_DETERMINISTIC")


def lock_file() -> Path | None:
    """The lock file of frozen mode (``CTOK_FROZEN``, 1 for ./ctok.lock), or None."""
    value = text("CTOK_FROZEN")
    if value is None or value.lower() in ("0", "false", "no", "off"):
        return None
    return expand("ctok.lock" if value.lower() in TRUE else value)


def tiktoken_cache() -> tuple[Path | None, bool]:
    """Where tiktoken keeps its downloads (None: nowhere, the variable being empty), and whether
    a variable chose it."""
    from pathlib import Path

    for name in ("TIKTOKEN_CACHE_DIR", "DATA_GYM_CACHE_DIR"):
        if name in os.environ:
            return (Path(os.environ[name]) if os.environ[name] else None), True
    import tempfile

    return Path(tempfile.gettempdir(), "data-gym-cache"), False


def cache_dir() -> Path:
    """ctok's own cache: derived data, access stamps, the flat layout. Never the Hub's."""
    from pathlib import Path

    return Path(cache_path())


def cache_path() -> str:
    """The same as a str: importing pathlib takes longer than mapping an encoding's image."""
    chosen = text("CTOK_CACHE_DIR", "BITNET_TOKENIZER_CACHE", "BITNET_CACHE_DIR")
    if chosen is not None:
        return _expanded(chosen)
    xdg = text("XDG_CACHE_HOME")
    if xdg is not None:
        return _expanded(f"{xdg}/ctok")
    if sys.platform == "linux":  # what platformdirs says too, but importing it takes 10 ms
        return _expanded("~/.cache/ctok")
    import platformdirs

    return platformdirs.user_cache_dir("ctok", appauthor=False)


def images_path() -> str:
    """Where images are kept."""
    return os.path.join(cache_path(), "images")  # noqa: PTH118


def hf_home() -> Path:
    """The folder that huggingface_hub keeps its cache and token in."""
    chosen = folder("HF_HOME")
    if chosen is not None:
        return chosen
    return (folder("XDG_CACHE_HOME") or expand("~/.cache")) / "huggingface"


def hub_cache() -> Path:
    """The cache that is shared with huggingface_hub."""
    return folder("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE") or hf_home() / "hub"


def token_path() -> Path:
    """The file with the token of the last login."""
    return folder("HF_TOKEN_PATH") or hf_home() / "token"


def endpoints() -> tuple[str, ...]:
    """The servers to ask, in order: ``CTOK_ENDPOINTS`` (commas or spaces), else ``HF_ENDPOINT``."""
    value = text("CTOK_ENDPOINTS", "HF_ENDPOINT") or DEFAULT_ENDPOINT
    named = (each.strip().rstrip("/") for each in value.replace(",", " ").split())
    return tuple(dict.fromkeys(each for each in named if each)) or (DEFAULT_ENDPOINT,)


def environment_token() -> tuple[str, str] | None:
    """The token that the environment holds, and the name of its variable."""
    for name in TOKEN:
        value = text(name)
        if value is not None:
            return value, name
    return None


def implicit_token() -> bool:
    """Whether a token that was found may be sent without being asked for."""
    return not flag("HF_HUB_DISABLE_IMPLICIT_TOKEN")


def etag_timeout() -> float:
    """Seconds to wait for a connection and for answers that carry no file."""
    return number("CTOK_ETAG_TIMEOUT", "HF_HUB_ETAG_TIMEOUT", default=10.0)


def download_timeout(default: float = 10.0) -> float:
    """Seconds without a byte of a file before the connection counts as dead."""
    return number("CTOK_DOWNLOAD_TIMEOUT", "HF_HUB_DOWNLOAD_TIMEOUT", default=default)


def max_downloads() -> int:
    """How many files this process receives at one time."""
    return max(1, int(number("CTOK_MAX_DOWNLOADS", default=4)))


def rate_limit() -> float | None:
    """Bytes per second that one file may take, or None for no limit."""
    value = number("CTOK_RATE_LIMIT", default=0)
    return value or None


def symlinks_disabled() -> bool:
    """Whether snapshots hold files instead of links."""
    return flag("HF_HUB_DISABLE_SYMLINKS")


def progress_bars_disabled() -> bool:
    """Whether no progress bar is drawn."""
    return flag("CTOK_DISABLE_PROGRESS_BARS", "HF_HUB_DISABLE_PROGRESS_BARS")


def user_agent_origin() -> str | None:
    """What a program built on ctok adds to the user agent, unless telemetry is off."""
    if flag("HF_HUB_DISABLE_TELEMETRY") or flag("DO_NOT_TRACK"):
        return None
    return text("HF_HUB_USER_AGENT_ORIGIN")
