"""Text to ids and back for a model's name, in one call.

Here special tokens in the text become their ids, as a model's own tokenizer has it;
:meth:`ctok.Encoding.encode` keeps tiktoken's opposite default. Nothing here reads the
environment or a setting: what decides the result is in the arguments.
"""

from __future__ import annotations

from collections.abc import Callable

from .encoding import Encoding
from .errors import InvalidTokenIdError, TextTypeError, ValidationError
from .model import encoding_for_model, find_encoding_name
from .registry import get_encoding, list_encoding_names

Loader = Callable[[str], Encoding]


def encode(
    text: str,
    model_name: str,
    *,
    allow_special_tokens: bool = True,
    loader: Loader | None = None,
) -> list[int]:
    """The ids of a text as a model reads it.

    Args:
        text: what to encode.
        model_name: a model that :func:`ctok.encoding_for_model` knows, or the name of an
            encoding.
        allow_special_tokens: special tokens in the text become their ids; otherwise they are
            ordinary text.
        loader: gives the encoding of a name, in place of ctok's own tables.

    Returns:
        The ids.

    Raises:
        TextTypeError: the text is not str.
        ValidationError: the name is not str.
        UnknownModelError: (a KeyError) nothing is known by this name.

    >>> import ctok
    >>> ctok.encode("hi<|endoftext|>", "gpt2")
    [5303, 50256]
    """
    if not isinstance(text, str):
        raise TextTypeError(f"text is {type(text).__name__}, str expected", value=text)
    encoding = _encoding(model_name, loader)
    if allow_special_tokens:
        return encoding.encode(text, allowed_special="all")
    return encoding.encode_ordinary(text)


encode_text = encode
"""Another name of :func:`encode`."""


def decode(ids: list[int], model_name: str, *, loader: Loader | None = None) -> str:
    """The text of a model's ids.

    Args:
        ids: a list of integers.
        model_name, loader: as in :func:`encode`.

    Returns:
        The text; bytes that are not UTF-8 become U+FFFD.

    Raises:
        InvalidTokenIdError: ids is no list, or has something else than integers in it.
        UnknownTokenIdError: (a KeyError) no token has one of the ids.
        ValidationError: the name is not str.
        UnknownModelError: (a KeyError) nothing is known by this name.

    >>> import ctok
    >>> ctok.decode([5303, 50256], "gpt2")
    'hi<|endoftext|>'
    """
    if not isinstance(ids, list):
        raise InvalidTokenIdError(
            f"ids is {type(ids).__name__}, a list of integers expected", value=ids
        )
    return _encoding(model_name, loader).decode(ids)


def _encoding(model_name: str, loader: Loader | None) -> Encoding:
    if not isinstance(model_name, str):
        raise ValidationError(f"model_name is {type(model_name).__name__}, str expected")
    if loader is not None:
        return loader(model_name)
    name = find_encoding_name(model_name)
    if name is None and model_name in list_encoding_names():
        name = model_name
    return encoding_for_model(model_name) if name is None else get_encoding(name)
