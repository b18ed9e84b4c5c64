"""Which encoding a model of OpenAI's uses."""

from __future__ import annotations

from .encoding import Encoding
from .errors import UnknownModelError, ValidationError
from .registry import get_encoding

# Models that come in versions, e.g. gpt-4o-2024-05-13. The first that fits decides, so a prefix
# stands before those that it starts with.
MODEL_PREFIX_TO_ENCODING: dict[str, str] = {
    "o1-": "o200k_base",
    "o3-": "o200k_base",
    "o4-mini-": "o200k_base",
    "gpt-5": "o200k_base",
    "gpt-4.5-": "o200k_base",
    "gpt-4.1-": "o200k_base",
    "chatgpt-4o-": "o200k_base",
    "gpt-4o-": "o200k_base",
    "gpt-4-": "cl100k_base",
    "gpt-3.5-turbo-": "cl100k_base",
    "gpt-35-turbo-": "cl100k_base",  # the spelling of Azure
    "gpt-oss-": "o200k_harmony",
    "ft:gpt-4o": "o200k_base",
    "ft:gpt-4": "cl100k_base",
    "ft:gpt-3.5-turbo": "cl100k_base",
    "ft:davinci-002": "cl100k_base",
    "ft:babbage-002": "cl100k_base",
}

_MODELS_OF = {
    "o200k_base": "o1 o3 o4-mini gpt-5 gpt-4.1 gpt-4o",
    "cl100k_base": """
        gpt-4 gpt-3.5-turbo gpt-3.5 gpt-35-turbo
        davinci-002 babbage-002
        text-embedding-ada-002 text-embedding-3-small text-embedding-3-large
    """,
    "p50k_base": """
        text-davinci-003 text-davinci-002
        code-davinci-002 code-davinci-001 code-cushman-002 code-cushman-001
        davinci-codex cushman-codex
    """,
    "p50k_edit": "text-davinci-edit-001 code-davinci-edit-001",
    "r50k_base": """
        text-davinci-001 text-curie-001 text-babbage-001 text-ada-001
        davinci curie babbage ada
        text-similarity-davinci-001 text-similarity-curie-001
        text-similarity-babbage-001 text-similarity-ada-001
        text-search-davinci-doc-001 text-search-curie-doc-001
        text-search-babbage-doc-001 text-search-ada-doc-001
        code-search-babbage-code-001 code-search-ada-code-001
    """,
    "gpt2": "gpt2 gpt-2",
}
MODEL_TO_ENCODING: dict[str, str] = {
    model: encoding for encoding, models in _MODELS_OF.items() for model in models.split()
}


def encoding_name_for_model(model_name: str) -> str:
    """The name of the encoding that a model uses.

    Args:
        model_name: such as "gpt-4o" or "gpt-4o-2024-05-13". A name that begins like a known model
            is taken for a version of it.

    Returns:
        One of :func:`ctok.list_encoding_names`.

    Raises:
        UnknownModelError: (a KeyError) no encoding is known for it.

    >>> import ctok
    >>> ctok.encoding_name_for_model("gpt-4o-2024-05-13")
    'o200k_base'
    """
    if not isinstance(model_name, str):
        raise ValidationError(
            f"model_name is {type(model_name).__name__}, str expected", value=model_name
        )
    name = find_encoding_name(model_name)
    if name is None:
        import difflib

        close = difflib.get_close_matches(model_name, MODEL_TO_ENCODING, n=3)
        hint = [f"Did you mean {', '.join(map(repr, close))}?"] if close else []
        raise UnknownModelError(
            f"no encoding is known for the model {model_name!r}; "
            f"known are {', '.join(MODEL_TO_ENCODING)}, "
            f"and names that begin with {', '.join(MODEL_PREFIX_TO_ENCODING)}",
            model=model_name,
            suggestions=[*hint, *UnknownModelError.default_suggestions],
        )
    return name


def find_encoding_name(model_name: str) -> str | None:
    """The name of the encoding that a model uses.

    Args:
        model_name: as OpenAI writes it, with or without a date.

    Returns:
        The name, or None for a model that is not known.

    >>> from ctok.model import find_encoding_name
    >>> find_encoding_name("gpt-4o-2024-05-13"), find_encoding_name("llama")
    ('o200k_base', None)
    """
    exact = MODEL_TO_ENCODING.get(model_name)
    if exact is not None:
        return exact
    for prefix, encoding in MODEL_PREFIX_TO_ENCODING.items():
        if model_name.startswith(prefix):
            return encoding
    return None


def encoding_for_model(model_name: str) -> Encoding:
    """The encoding that a model uses.

    Args:
        model_name: as for :func:`encoding_name_for_model`.

    Returns:
        The same object as :func:`ctok.get_encoding` gives for the encoding's name.

    Raises:
        UnknownModelError: (a KeyError) no encoding is known for it.

    >>> import ctok
    >>> ctok.encoding_for_model("gpt-4o")
    <Encoding 'o200k_base'>
    """
    return get_encoding(encoding_name_for_model(model_name))
