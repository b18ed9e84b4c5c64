"""Files of ranks: fetched, cached where tiktoken caches them, parsed and written.

The names and the cache are tiktoken's. A ``.tiktoken`` file has one token per line, base64 and
rank::

    IQ== 0
    Ig== 1
"""

from __future__ import annotations

import binascii
import hashlib
import importlib
import json
import os
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from . import config, openai
from .errors import (
    DownloadError,
    EmptyTiktokenModelError,
    FormatError,
    HashMismatchError,
    InvalidTiktokenModelError,
    MissingPackageError,
)
from .ranks import tiktoken_text

# GPT-2's files spell each byte as a printable character: these bytes as themselves, the others as
# the characters from U+0100 on, in order.
PRINTABLE = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]


def read_file(blobpath: str) -> bytes:
    """The contents of a file.

    Args:
        blobpath: a local path, an http(s) URL, or whatever else the package blobfile reads.

    Returns:
        The bytes.

    Raises:
        DownloadError: (an OSError) the URL gave no file.
        OfflineModeError: (a ConnectionError) offline mode forbids the request.
        MissingPackageError: (an ImportError) the scheme needs blobfile.
        OSError: the local file cannot be read.

    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile() as file:
    ...     read_file(file.name)
    b''
    """
    if "://" not in blobpath:
        return Path(blobpath).read_bytes()
    if config.offline():
        from .hub.errors import OfflineModeError

        raise OfflineModeError(
            f"{blobpath}: offline mode forbids to fetch it, and it is not cached",
            suggestions=[
                "Unset CTOK_OFFLINE and HF_HUB_OFFLINE, or fetch it once while online.",
                "Point TIKTOKEN_CACHE_DIR to a folder that has it.",
            ],
        )
    if blobpath.startswith(("http://", "https://")):
        return _download(blobpath)
    contents: bytes = _blobfile(blobpath).read_bytes(blobpath)
    return contents


def _download(url: str) -> bytes:
    import requests

    timeout = (config.etag_timeout(), config.download_timeout())
    try:
        response = requests.get(url, timeout=timeout)
        response.raise_for_status()
        contents: bytes = response.content
    except requests.RequestException as exc:
        status = None if exc.response is None else exc.response.status_code
        raise DownloadError(f"{url}: {exc}", url=url, status=status) from exc
    return contents


def _blobfile(blobpath: str) -> Any:
    try:
        return importlib.import_module("blobfile")
    except ImportError as exc:
        scheme = blobpath.partition("://")[0]
        raise MissingPackageError(
            f"{blobpath}: {scheme}:// needs the package blobfile",
            package="blobfile",
            suggestions=["Run: pip install blobfile", "Or copy the file here and pass its path."],
        ) from exc


def check_hash(data: bytes, expected_hash: str) -> bool:
    """Whether data is what it should be.

    Args:
        data: any bytes.
        expected_hash: a SHA-256, in hexadecimal.

    Returns:
        Whether that is theirs.

    >>> check_hash(b"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    True
    """
    return hashlib.sha256(data).hexdigest() == expected_hash


def read_file_cached(blobpath: str, expected_hash: str | None = None) -> bytes:
    """The contents of a file, fetched at most once.

    The vocabularies inside ctok are answered without a request. Other URLs are kept in
    ``TIKTOKEN_CACHE_DIR``, else ``DATA_GYM_CACHE_DIR``, else the folder data-gym-cache of the
    temporary directory, under the SHA-1 of the URL: files that tiktoken fetched are found, and
    the other way round. An empty variable switches the cache off. Local files are read
    where they are.

    Args:
        blobpath: as for :func:`read_file`.
        expected_hash: the SHA-256 that the contents must have, in hexadecimal. A cached file that
            has another is fetched again.

    Returns:
        The bytes.

    Raises:
        HashMismatchError: (a ValueError) the contents are others than expected.
        OSError: the chosen cache folder cannot be written; failures in the default one
            are passed over. Also what :func:`read_file` raises.

    >>> from ctok.load import read_file_cached
    >>> url = "https://openaipublic.blob.core.windows.net/encodings/cl100k_base.tiktoken"
    >>> read_file_cached(url)[:7]  # inside ctok: no request
    b'IQ== 0\\n'
    """
    embedded = openai.published_file(blobpath, expected_hash)
    if embedded is not None:
        return embedded
    cache_dir, is_chosen = config.tiktoken_cache()
    if cache_dir is None or "://" not in blobpath:
        return _checked(read_file(blobpath), blobpath, expected_hash)
    path = cache_dir / hashlib.sha1(blobpath.encode(), usedforsecurity=False).hexdigest()
    try:
        cached = path.read_bytes()
    except FileNotFoundError:
        pass
    except OSError:
        if is_chosen:
            raise
    else:
        if expected_hash is None or check_hash(cached, expected_hash):
            return cached
    contents = _checked(read_file(blobpath), blobpath, expected_hash)
    try:
        cache_dir.mkdir(parents=True, exist_ok=True)
        _write_whole(path, contents)
    except OSError:
        if is_chosen:
            raise
    return contents


def _checked(contents: bytes, blobpath: str, expected_hash: str | None) -> bytes:
    if expected_hash is not None and not check_hash(contents, expected_hash):
        actual = hashlib.sha256(contents).hexdigest()
        raise HashMismatchError(
            f"{blobpath}: SHA-256 is {actual}, {expected_hash} expected",
            path=blobpath,
            expected=expected_hash,
            actual=actual,
        )
    return contents


def _write_whole(path: Path, contents: bytes) -> None:
    """Writes a file that readers see whole or not at all."""
    temporary = path.with_name(f"{path.name}.{uuid.uuid4()}.tmp")
    try:
        with temporary.open("xb") as file:
            file.write(contents)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def load_tiktoken_bpe(tiktoken_bpe_file: str, expected_hash: str | None = None) -> dict[bytes, int]:
    """The ranks of a ``.tiktoken`` file.

    Args:
        tiktoken_bpe_file: its path or URL; see :func:`read_file_cached`.
        expected_hash: the SHA-256 that it must have, in hexadecimal.

    Returns:
        Token bytes to rank, in the order of the file.

    Raises:
        EmptyTiktokenModelError, InvalidTiktokenModelError: (a FormatError, a ValueError) it has
            no tokens, or a line that is none. Also what :func:`read_file_cached` raises.

    >>> from ctok.load import load_tiktoken_bpe
    >>> url = "https://openaipublic.blob.core.windows.net/encodings/cl100k_base.tiktoken"
    >>> load_tiktoken_bpe(url)[b"hello"]
    15339
    """
    name = os.fspath(tiktoken_bpe_file)
    return parse_tiktoken_bpe(read_file_cached(name, expected_hash), name)


def parse_tiktoken_bpe(contents: bytes, name: str) -> dict[bytes, int]:
    """The ranks in the contents of a ``.tiktoken`` file.

    Args:
        contents: the bytes of the file.
        name: what errors call it.

    Returns:
        Token bytes to rank, in the order of the file.

    Raises:
        EmptyTiktokenModelError, InvalidTiktokenModelError: as in :func:`load_tiktoken_bpe`.

    >>> from ctok.load import parse_tiktoken_bpe
    >>> parse_tiktoken_bpe(b"YQ== 0\\nYg== 1\\n", "example")
    {b'a': 0, b'b': 1}
    """
    ranks: dict[bytes, int] = {}
    for number, line in enumerate(contents.splitlines(), 1):
        fields = line.split()
        if not fields:
            continue
        token = _token(fields)
        if token is None or token in ranks:
            shown = line if len(line) <= 60 else line[:60] + b"..."
            problem = "no base64 and rank" if token is None else "a token that an earlier line has"
            raise InvalidTiktokenModelError(
                f"{name}, line {number}: {problem}: {shown!r}", path=name, line=number
            )
        ranks[token] = int(fields[1])
    if not ranks:
        raise EmptyTiktokenModelError(f"{name}: no tokens in {len(contents)} bytes", path=name)
    return ranks


def _token(fields: list[bytes]) -> bytes | None:
    """The token of a line's fields, or None if they are not base64 and rank."""
    # A rank is a uint32; int() alone would take "-1", "+1" and "1_0", and hours for a
    # million digits.
    if len(fields) != 2 or not fields[1].isdigit() or len(fields[1]) > 10:
        return None
    if fields[0] == b"=":  # the empty token, as Whisper's file has it
        return b""
    try:
        return binascii.a2b_base64(fields[0], strict_mode=True)
    except binascii.Error:
        return None


def dump_tiktoken_bpe(bpe_ranks: Mapping[bytes, int], tiktoken_bpe_file: str) -> None:
    """Writes a ``.tiktoken`` file, whole or not at all.

    Args:
        bpe_ranks: token bytes to rank.
        tiktoken_bpe_file: a local path, or a URL that the package blobfile writes.

    Raises:
        MissingPackageError: (an ImportError) the URL needs blobfile.
        OSError: the file cannot be written; what was there before stays.

    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile(suffix=".tiktoken") as file:
    ...     dump_tiktoken_bpe({b"a": 0, b"b": 1}, file.name)
    ...     load_tiktoken_bpe(file.name)
    {b'a': 0, b'b': 1}
    """
    name = os.fspath(tiktoken_bpe_file)
    contents = tiktoken_text(bpe_ranks)
    if "://" in name:
        _blobfile(name).write_bytes(name, contents)
    else:
        _write_whole(Path(name), contents)


def data_gym_to_mergeable_bpe_ranks(
    vocab_bpe_file: str,
    encoder_json_file: str,
    vocab_bpe_hash: str | None = None,
    encoder_json_hash: str | None = None,
    clobber_one_byte_tokens: bool = False,
) -> dict[bytes, int]:
    """The ranks in GPT-2's two files.

    Args:
        vocab_bpe_file: the merges, one pair per line below a line that names the version.
        encoder_json_file: a JSON object of tokens and ids, which must agree with the merges.
        vocab_bpe_hash, encoder_json_hash: the SHA-256 that they must have.
        clobber_one_byte_tokens: take the ids of single bytes from encoder_json_file.

    Returns:
        Token bytes to rank.

    Raises:
        FormatError: (a ValueError) one of them is not what it should be, or they disagree.
            Also what :func:`read_file_cached` raises.
    """
    order = [*PRINTABLE, *(byte for byte in range(256) if byte not in PRINTABLE)]
    byte_of = {
        chr(byte if number < len(PRINTABLE) else 0x100 + number - len(PRINTABLE)): byte
        for number, byte in enumerate(order)
    }

    def token_of(characters: str) -> bytes:
        return bytes([byte_of[character] for character in characters])

    ranks = {bytes([byte]): rank for rank, byte in enumerate(order)}
    merges = read_file_cached(vocab_bpe_file, vocab_bpe_hash)
    try:
        lines = merges.decode().split("\n")
    except UnicodeDecodeError as exc:
        raise FormatError(
            f"{vocab_bpe_file}: byte {exc.start} is not UTF-8",
            path=vocab_bpe_file,
            offset=exc.start,
        ) from exc
    for number, line in enumerate(lines[1:], 2):
        if not line and number == len(lines):
            break
        try:
            left, right = line.split()
            ranks[token_of(left) + token_of(right)] = len(ranks)
        except (ValueError, KeyError) as exc:
            raise FormatError(
                f"{vocab_bpe_file}, line {number}: no pair of tokens: {line[:60]!r}",
                path=vocab_bpe_file,
                line=number,
            ) from exc
    encoder = _read_encoder(encoder_json_file, encoder_json_hash, token_of)
    if clobber_one_byte_tokens:
        ranks.update({token: i for token, i in encoder.items() if len(token) == 1})
    if ranks != encoder:
        odd = next(iter(ranks.items() ^ encoder.items()))[0]
        raise FormatError(
            f"{encoder_json_file}: {odd!r} is {encoder.get(odd)}, "
            f"but {ranks.get(odd)} in {vocab_bpe_file}",
            path=encoder_json_file,
        )
    return ranks


def _read_encoder(
    path: str, expected_hash: str | None, token_of: Callable[[str], bytes]
) -> dict[bytes, int]:
    """The tokens and ids of encoder.json, without its special tokens."""
    try:
        entries = json.loads(read_file_cached(path, expected_hash))
        encoder = {token_of(token): int(token_id) for token, token_id in entries.items()}
    except HashMismatchError:
        raise
    except (ValueError, TypeError, KeyError, AttributeError) as exc:
        raise FormatError(f"{path}: no JSON object of tokens and ids", path=path) from exc
    for special in (b"<|endoftext|>", b"<|startoftext|>"):
        encoder.pop(special, None)
    return encoder
