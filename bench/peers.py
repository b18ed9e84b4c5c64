"""One adapter per tokenizer: loaded from the same vocabulary, asked in its own fastest way.

Peers are imported when they are loaded and this module imports next to nothing itself, so that
what an import costs can be measured. A call that a peer does not have is None.
"""

from __future__ import annotations

from . import vocabularies


class Loaded:
    """A tokenizer that is ready. Each call is the peer's own bound method where one fits, so that
    no wrapper costs it time.

    Attributes:
        encode_list: str -> list of int. Specials in the text are ordinary text.
        encode_array: str -> uint32 ids as an array or bytes.
        encode_checked: like encode_list, but specials in the text are an error.
        encode_batch: (list of str, threads) -> the peer's own form; see flat_ids.
        encode_batch_lists: (list of str, threads) -> a list of int for each.
        flat_ids: what encode_batch returned -> all ids, in order.
        list_to_bytes, list_to_str, array_to_bytes: decoding.
        count: str -> number of ids.
    """

    encode_list = None
    encode_array = None
    encode_checked = None
    encode_batch = None
    encode_batch_lists = None
    flat_ids = None
    list_to_bytes = None
    list_to_str = None
    array_to_bytes = None
    count = None
    encoding = None


SHORT = 8_000
"""Characters, where the way to ask gigatoken changes."""

EMBEDDED = ("gpt2", *vocabularies.SERVED)
"""Those of our encodings that ctok brings along."""


def ctok(name: str) -> Loaded:
    import ctok

    if name in EMBEDDED:
        encoding = ctok.get_encoding(name)
    else:
        encoding = ctok.Encoding(
            name,
            pat_str=vocabularies.pattern(name),
            mergeable_ranks=vocabularies.ranks(name),
            special_tokens=vocabularies.specials(name),
        )
    peer = Loaded()
    peer.encoding = encoding
    peer.encode_list = encoding.encode_ordinary
    peer.encode_array = encoding.encode_ordinary_to_numpy
    peer.encode_checked = encoding.encode
    peer.encode_batch = lambda texts, threads: encoding.encode_batch_to_numpy(
        texts, num_threads=threads, disallowed_special=()
    )
    peer.encode_batch_lists = lambda texts, threads: encoding.encode_ordinary_batch(
        texts, num_threads=threads
    )
    peer.flat_ids = lambda found: found[0]
    peer.list_to_bytes = peer.array_to_bytes = encoding.decode_bytes
    peer.list_to_str = encoding.decode
    peer.count = encoding.count
    return peer


def tiktoken(name: str) -> Loaded:
    import tiktoken
    from tiktoken.load import load_tiktoken_bpe

    encoding = tiktoken.Encoding(
        name,
        pat_str=vocabularies.pattern(name),
        mergeable_ranks=load_tiktoken_bpe(vocabularies.ranks_path(name)),
        special_tokens=vocabularies.specials(name),
    )
    peer = Loaded()
    peer.encode_list = encoding.encode_ordinary
    peer.encode_array = lambda text: encoding.encode_to_numpy(text, disallowed_special=())
    peer.encode_checked = encoding.encode
    peer.encode_batch = peer.encode_batch_lists = lambda texts, threads: (
        encoding.encode_ordinary_batch(texts, num_threads=threads)
    )
    peer.flat_ids = _flatten
    peer.list_to_bytes = encoding.decode_bytes
    peer.list_to_str = encoding.decode
    return peer


def gigatoken(name: str) -> Loaded:
    import gigatoken

    scheme = vocabularies.SOURCES[name][1]
    path = vocabularies.ranks_path(name)
    # Without specials: it would always recognise them.
    backend = gigatoken.Tokenizer.from_tiktoken(path, scheme, {}).backend
    peer = Loaded()
    peer.encode_array = backend.encode
    # Of short texts the first is faster, of long ones the second.
    peer.encode_list = lambda text: (
        backend.encode(text).tolist()
        if len(text) < SHORT
        else backend.encode_batch_list([text], parallel=False)[0]
    )
    peer.encode_batch = lambda texts, threads: backend.encode_batch(texts, parallel=threads > 1)
    peer.encode_batch_lists = lambda texts, threads: backend.encode_batch_list(
        texts, parallel=threads > 1
    )
    peer.flat_ids = lambda found: found.layout.content.data
    peer.list_to_bytes = peer.array_to_bytes = backend.decode
    return peer


def fastokens(name: str) -> Loaded:
    import fastokens

    # Several times faster with a pattern whose spelling it knows.
    path, pattern = vocabularies.ranks_path(name), vocabularies.published_pattern(name)
    tokenizer = fastokens.Tokenizer.from_tiktoken(path, pattern=pattern, special_tokens={})
    peer = Loaded()
    peer.encode_list = lambda text: tokenizer.encode_ordinary(text).ids
    peer.encode_array = lambda text: tokenizer.encode_batch_flat([text])[0]
    # Its threads are those of the process; harness.py limits them.
    peer.encode_batch = lambda texts, threads: tokenizer.encode_batch_flat(texts)
    peer.flat_ids = lambda found: memoryview(found[0]).cast("I")
    peer.list_to_str = tokenizer.decode
    return peer


def tokenizers(name: str) -> Loaded:
    import tokenizers

    tokenizer = tokenizers.Tokenizer.from_file(vocabularies.json_path(name))
    peer = Loaded()
    # Without offsets, which nobody else finds either.
    peer.encode_list = lambda text: (
        tokenizer.encode_batch_fast([text], add_special_tokens=False)[0].ids
    )
    # Its threads are those of the process; harness.py limits them.
    peer.encode_batch = lambda texts, threads: tokenizer.encode_batch_fast(
        texts, add_special_tokens=False
    )
    peer.flat_ids = lambda found: [i for encoded in found for i in encoded.ids]
    peer.list_to_str = tokenizer.decode
    return peer


def quicktok(name: str) -> Loaded:
    from array import array

    import quicktok

    encoding = quicktok.get_encoding(_builtin(name))
    peer = Loaded()
    peer.encode_list = encoding.encode_ordinary
    peer.encode_array = lambda text: (
        array("I", encoding.encode_ordinary(text))
        if len(text) < 1_000
        else encoding.encode_batch([text], 1)[0]
    )
    peer.encode_checked = encoding.encode
    peer.encode_batch = encoding.encode_batch
    peer.flat_ids = lambda found: found[0]
    peer.list_to_bytes = encoding.decode_bytes
    peer.list_to_str = encoding.decode
    peer.count = encoding.count
    return peer


def toktok(name: str) -> Loaded:
    import toktok

    encoding = toktok._encoding(_builtin(name))
    peer = Loaded()
    peer.encode_list = encoding.encode_ordinary
    peer.encode_array = lambda text: encoding.encode_to_buffer(text, disallowed_special=())
    peer.encode_checked = encoding.encode
    peer.encode_batch = encoding.encode_batch_to_numpy
    peer.flat_ids = lambda found: found[0]
    peer.list_to_bytes = encoding.decode_bytes
    peer.list_to_str = encoding.decode
    peer.count = encoding.count
    return peer


def _builtin(name: str) -> str:
    builtin = vocabularies.SOURCES[name][2]
    if builtin is None:
        raise KeyError(f"it has no vocabulary for {name}")
    return builtin


def _flatten(lists: list[list[int]]) -> list[int]:
    return [i for ids in lists for i in ids]


LOADERS = {
    "ctok": ctok,
    "tiktoken": tiktoken,
    "gigatoken": gigatoken,
    "fastokens": fastokens,
    "tokenizers": tokenizers,
    "quicktok": quicktok,
    "toktok": toktok,
}
DISTRIBUTIONS = {name: name for name in LOADERS} | {
    "quicktok": "quicktok-v1",
    "toktok": "toktok-rs",
}
TIERS = ("avx2", "portable")
"""Also timed as "ctok:avx2" and so on: ctok held to that vector code."""


def load(peer: str, encoding: str) -> Loaded:
    """Loads a peer by name.

    Raises:
        ImportError: it is not installed.
        KeyError: it cannot do this encoding.
    """
    return LOADERS[peer.partition(":")[0]](encoding)


def installed() -> dict[str, str]:
    """Name and version of each peer that is there."""
    from importlib import metadata

    found = {}
    for name, distribution in DISTRIBUTIONS.items():
        try:
            found[name] = metadata.version(distribution)
        except metadata.PackageNotFoundError:
            continue
    return found
