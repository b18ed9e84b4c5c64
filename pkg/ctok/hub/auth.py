"""Which token to send: found in one order, kept out of sight, stored where huggingface_hub looks.

::

    argument  ->  login() of this process  ->  HF_TOKEN  ->  HUGGING_FACE_HUB_TOKEN  ->  token file
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ctok import config
from ctok.hub.errors import HubValidationError, LocalTokenNotFoundError

if TYPE_CHECKING:
    import requests

# At most one token: that of the last login().
_memory: list[str] = []


@dataclass(frozen=True)
class Account:
    """Who a token belongs to.

    Attributes:
        name: the user or organisation.
        kind: ``user`` or ``org``.
        organizations: names of the organisations the user is a member of.
        raw: everything the server said.
    """

    name: str
    kind: str
    organizations: tuple[str, ...]
    raw: dict[str, Any]


def find_token(token: str | bool | None = None) -> str | None:
    """The token to send, or None to send none.

    Args:
        token: a token; True demands one to be found, False sends none, None takes what is found
            unless ``HF_HUB_DISABLE_IMPLICIT_TOKEN`` is set.

    Raises:
        LocalTokenNotFoundError: ``token=True`` and none was found; it lists where.
        HubValidationError: a token that holds spaces or other characters no header can carry.

    Example:
        >>> find_token("  hf_example \\n")
        'hf_example'
        >>> find_token(False) is None
        True
    """
    if token is False:
        return None
    if isinstance(token, str):
        return _checked(token.strip(), "the argument token=") or None
    if token is None and not config.implicit_token():
        return None
    found = _stored_token()
    if found is None and token is True:
        searched = (
            "the argument token=",
            "login() in this process",
            *(f"the variable {name}" for name in config.TOKEN),
            f"the file {config.token_path()}",
        )
        raise LocalTokenNotFoundError(
            "a token is required and none was found; looked at: " + "; ".join(searched),
            searched=searched,
        )
    return found


def login(
    token: str,
    *,
    persist: bool = True,
    validate: bool = True,
    endpoint: str | Sequence[str] | None = None,
    session: requests.Session | None = None,
) -> Account | None:
    """Remembers a token: for this process, and in the token file that huggingface_hub reads.

    Args:
        token: the token, ``hf_...``.
        persist: write the token file, readable by its owner alone.
        validate: ask the Hub whose it is before it is stored.
        endpoint, session: as for ``Client``.

    Returns:
        Whose token it is, or None without validation.

    Raises:
        AuthenticationError: the Hub refused the token; nothing was stored.
        HubConnectionError: no answer; nothing was stored.
        HubValidationError: an empty token, or one no header can carry.

    Example:
        >>> login("hf_example", persist=False, validate=False)
        >>> logout(forget_file=False)
        True
    """
    checked = _checked(token.strip(), "the token")
    if not checked:
        raise HubValidationError("the token is empty", value="")
    account = whoami(token=checked, endpoint=endpoint, session=session) if validate else None
    if persist:
        _write_token(config.token_path(), checked)
    _memory[:] = [checked]
    return account


def logout(*, forget_file: bool = True) -> bool:
    """Forgets the token of this process, and the token file.

    Variables of the environment are the caller's to unset.

    Args:
        forget_file: also delete the token file, which huggingface_hub reads, too.

    Returns:
        Whether there was anything to forget.
    """
    had = bool(_memory)
    _memory.clear()
    path = config.token_path()
    if forget_file and path.is_file():
        path.unlink()
        had = True
    return had


def whoami(
    *,
    token: str | bool | None = None,
    endpoint: str | Sequence[str] | None = None,
    session: requests.Session | None = None,
) -> Account:
    """Asks the Hub whose token it is.

    Args:
        token: None or True takes the token that ``login``, environment or file hold.
        endpoint, session: as for ``Client``.

    Raises:
        LocalTokenNotFoundError: there is no token to ask about.
        AuthenticationError: the Hub refused it.
        HubConnectionError: no answer, or ``OfflineModeError``.
    """
    from ctok.hub.http import Client

    asked = True if token is None else token
    with Client(token=asked, endpoint=endpoint, session=session) as client:
        raw = client.get_json("/api/whoami-v2")
    return Account(
        name=str(raw.get("name", "")),
        kind=str(raw.get("type", "user")),
        organizations=tuple(str(each.get("name")) for each in raw.get("orgs") or ()),
        raw=raw,
    )


def _stored_token() -> str | None:
    for token in tuple(_memory):
        return token
    found = config.environment_token()
    if found is not None:
        value, name = found
        return _checked(value, f"the variable {name}")
    path = config.token_path()
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    return _checked(text.strip(), f"the file {path}") or None


def _checked(token: str, source: str) -> str:
    # The value itself must not show up in the message.
    if token and not (token.isascii() and token.isprintable() and " " not in token):
        raise HubValidationError(
            f"{source} holds no token: there are characters in it that no token has",
            value=None,
            suggestions=("Copy the token again from https://huggingface.co/settings/tokens.",),
        )
    return token


def _write_token(path: Path, token: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(token)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
