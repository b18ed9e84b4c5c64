"""Encodings by name: those inside ctok, and those that plugins bring.

A plugin is a mapping of names to constructors, found in one of two places:

- a submodule of the namespace package ``tiktoken_ext`` with ``ENCODING_CONSTRUCTORS``, as
  tiktoken has it;
- an entry point of the group ``ctok.encodings``, whose name is the encoding's and whose object the
  constructor.

A constructor takes nothing and returns a :class:`ctok.spec.TokenizerSpec`, or a dict of
arguments for :class:`ctok.Encoding`. It runs when its encoding is first asked for.
"""

from __future__ import annotations

from _thread import RLock  # threading's own, without what else threading imports

from . import openai
from .encoding import Encoding
from .late import Module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from importlib.metadata import EntryPoint
    from typing import Any

    from . import errors
    from .spec import TokenizerSpec

    Constructor = Callable[[], TokenizerSpec | Mapping[str, Any]]
else:
    errors = Module("errors")

NAMESPACE = "tiktoken_ext"
THEIRS = f"{NAMESPACE}.openai_public"
"""tiktoken's own plugin. It defines the encodings that ctok has inside, which win."""
ENTRY_POINTS = "ctok.encodings"

ENCODINGS: dict[str, Encoding] = {}
"""The encodings made so far."""
ENCODING_CONSTRUCTORS: dict[str, Constructor] | None = None
"""All constructors by name; None until plugins were looked for."""

_lock = RLock()
_constructed: dict[str, Encoding] = {}


def get_encoding(encoding_name: str) -> Encoding:
    """The encoding of a name; the same object every time.

    Args:
        encoding_name: one of :func:`list_encoding_names`.

    Returns:
        The encoding, made when it is first asked for.

    Raises:
        UnknownEncodingError: (a ValueError) no encoding has this name.

    >>> import ctok
    >>> ctok.get_encoding("cl100k_base").encode("hello world")
    [15339, 1917]
    """
    if not isinstance(encoding_name, str):
        raise errors.ValidationError(
            f"encoding_name is {type(encoding_name).__name__}, str expected", value=encoding_name
        )
    encoding = ENCODINGS.get(encoding_name)
    if encoding is None:
        with _lock:
            encoding = ENCODINGS.get(encoding_name)
            if encoding is None:
                encoding = _construct(encoding_name)
                ENCODINGS[encoding_name] = _constructed[encoding_name] = encoding
    return encoding


def list_encoding_names() -> list[str]:
    """All encodings that there are.

    Returns:
        Their names, those of ctok first, then those of plugins.

    >>> import ctok
    >>> ctok.list_encoding_names()[:4]
    ['gpt2', 'r50k_base', 'p50k_base', 'p50k_edit']
    """
    with _lock:
        return list(_constructors())


def is_registered(encoding: Encoding) -> bool:
    """Whether :func:`get_encoding` made this very object, so that its name is enough to make
    it again elsewhere."""
    return _constructed.get(encoding.name) is encoding


def _construct(name: str) -> Encoding:
    # Those of ctok come first and win, so no plugin is imported for their sake.
    if name in openai.ENCODINGS:
        return Encoding._from_outline(openai.outline(name))
    constructor = _constructors().get(name)
    if constructor is None:
        raise _unknown(name)
    from .spec import TokenizerSpec

    made = constructor()
    if isinstance(made, TokenizerSpec):
        return Encoding.from_spec(made)
    return Encoding(**made)


def _unknown(name: str) -> errors.UnknownEncodingError:
    import difflib

    names = list(_constructors())
    plugins = [source for source, _ in _plugins() if source.startswith(NAMESPACE)]
    close = difflib.get_close_matches(name, names, n=1)
    hint = [f"Did you mean {close[0]!r}?"] if close else []
    if _is_model(name):
        hint = [f"{name!r} is a model: use ctok.encoding_for_model({name!r})."]
    return errors.UnknownEncodingError(
        f"no encoding is called {name!r}; known are {', '.join(names)} "
        f"(plugins: {', '.join(plugins) or 'none'})",
        name=name,
        suggestions=[*hint, *errors.UnknownEncodingError.default_suggestions],
    )


def _is_model(name: str) -> bool:
    from . import model

    return model.find_encoding_name(name) is not None


def _constructors() -> dict[str, Constructor]:
    """All constructors; finds the plugins' on the first call. The lock is held."""
    global ENCODING_CONSTRUCTORS
    if ENCODING_CONSTRUCTORS is None:
        found: dict[str, Constructor] = {**openai.ENCODING_CONSTRUCTORS}
        sources = dict.fromkeys(found, "ctok")
        for source, constructors in _plugins():
            for name, constructor in constructors.items():
                if source == THEIRS and name in openai.ENCODING_CONSTRUCTORS:
                    continue
                if name in found:
                    raise errors.ValidationError(
                        f"the encoding {name!r} is defined twice, by {sources[name]} and {source}",
                        suggestions=["Uninstall the plugin, or give its encoding another name."],
                    )
                found[name] = constructor
                sources[name] = source
        ENCODING_CONSTRUCTORS = found
    return ENCODING_CONSTRUCTORS


def _plugins() -> Iterator[tuple[str, Mapping[str, Constructor]]]:
    """(where it is from, constructors) of each plugin."""
    import importlib
    import pkgutil
    from importlib import metadata

    try:
        namespace = importlib.import_module(NAMESPACE)
    except ModuleNotFoundError as exc:
        if exc.name != NAMESPACE:
            raise
    else:
        for _, name, _ in pkgutil.iter_modules(namespace.__path__, f"{NAMESPACE}."):
            yield name, _constructors_of(name)
    for entry in metadata.entry_points(group=ENTRY_POINTS):
        yield f"the entry point {entry.value}", {entry.name: _of_entry_point(entry)}


def _constructors_of(module_name: str) -> Mapping[str, Constructor]:
    import importlib

    module = importlib.import_module(module_name)
    try:
        constructors: Mapping[str, Constructor] = module.ENCODING_CONSTRUCTORS
    except AttributeError as exc:
        raise errors.ValidationError(
            f"the plugin {module_name} has no ENCODING_CONSTRUCTORS",
            suggestions=["Define ENCODING_CONSTRUCTORS in it, or uninstall it."],
        ) from exc
    return constructors


def _of_entry_point(entry: EntryPoint) -> Constructor:
    def construct() -> TokenizerSpec | Mapping[str, Any]:
        constructor: Constructor = entry.load()
        return constructor()

    return construct
