"""Images: built encodings in files, mapped by every process that wants one.

::

    get_encoding("cl100k_base")
        <cache>/images/cl100k_base-3f0c....image  there?   yes: map it, check it, done
                                                           no:  build, write it

The bytes are the core's (csrc/image.c), the folder is looked after by images.py; here is who is
believed. What cannot be read, is damaged, or is of another version or definition is built anew and
written over. What cannot be written is not: an image saves time and memory and is never needed.

``import ctok`` brings this module and all below it. What these import would take longer than they
do, so at the top they take nothing from outside ctok but mmap and what Python has imported for
itself.

*Who is believed?* The core refuses what was damaged by accident. Somebody who may write to the
file could still make it give wrong ids, so a file counts only if it belongs to this user or to root
and nobody else may write to it; whose folder it lies in does not matter then.
"""

from __future__ import annotations

import mmap
import os
import stat

from . import _core, config
from .late import blake2b
from .specials import special_pairs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .outline import Outline

WORTH = 1 << 14
"""Definitions with fewer tokens and merges are built in the time that finding an image takes."""
KEY_DIGITS = 32
"""Of the key, in a file's name."""
SUFFIX = ".image"


def fill(codec: _core.Codec, outline: Outline, engine: str | None) -> None:
    """Fills an empty codec, from its image if there is one.

    Args:
        codec: what to fill.
        outline: what it is.
        engine: as in :meth:`ctok.Encoding.from_spec`.

    Raises:
        InvalidRanksError, InvalidSpecialTokensError, InvalidPatternError, VocabSizeError
    """
    path = None
    if config.images() and _is_worth_it(outline):
        key = _key(outline, engine)
        path = _path(outline.name, key)
    if path is not None and _map(codec, path, key, outline, engine):
        return
    from . import build, images

    build.build(codec, outline, engine)
    if path is not None:
        images.write(path, codec._image(key))


def _is_worth_it(outline: Outline) -> bool:
    if outline.tables_id is not None:
        return True
    _, _, ids, merges = outline.tables()
    return len(ids) + len(merges[0] if merges else b"") >= 4 * WORTH


def _key(outline: Outline, engine: str | None) -> bytes:
    """A hash of everything that decides what the image holds."""
    digest = blake2b()(digest_size=_core.FINGERPRINT_LEN)

    def add(part: bytes | memoryview) -> None:
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)

    facts = (
        _core.__version__,
        _core.UNICODE_VERSION,
        outline.pattern,
        outline.whole_piece,
        outline.explicit_n_vocab,
        bool(outline.allow_duplicate_ids),
        engine,
        outline.tables_id,
    )
    add(repr(facts).encode("utf-8", "surrogatepass"))
    for text, token_id in special_pairs(outline.specials):
        add(text)
        add(b"%d" % token_id)
    if outline.tables_id is None:
        *tokens, merges = outline.tables()
        for table in (*tokens, *(merges or ())):
            add(table)
    return digest.digest()


def _path(name: str, key: bytes) -> str | None:
    safe = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "_" for c in str(name))
    file = f"{safe[:40].lstrip('.')}-{key.hex()[:KEY_DIGITS]}{SUFFIX}"
    try:
        return os.path.join(config.images_path(), file)  # noqa: PTH118 - see config.cache_path
    except RuntimeError:  # nobody knows where home is
        return None


# ---- reading --------------------------------------------------------------------------


def _map(codec: _core.Codec, path: str, key: bytes, outline: Outline, engine: str | None) -> bool:
    """Fills the codec from a file; False when that has no image for it."""
    mapped = _open(path)
    return mapped is not None and codec._from_image(
        mapped, key, outline.pattern, engine, len(outline.specials)
    )


def _open(path: str) -> mmap.mmap | None:
    """A file's pages, if the file is to be believed."""
    try:
        # Without blocking: somebody may have put a pipe there.
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        file = os.open(path, flags | getattr(os, "O_CLOEXEC", 0))
    except OSError:
        return None
    try:
        if not _is_trusted(os.fstat(file)):
            return None
        if os.name != "posix":
            return mmap.mmap(file, 0, access=mmap.ACCESS_READ)
        mapped = mmap.mmap(file, 0, flags=mmap.MAP_SHARED, prot=mmap.PROT_READ)
    except (OSError, ValueError):  # ValueError: the file is empty
        return None
    finally:
        os.close(file)
    # All of it is read in a moment, to check it: from the disk in parts of 2 MB then, and with one
    # fault for each, where the file system keeps files like that.
    try:  # noqa: SIM105 - contextlib is not imported for this
        mapped.madvise(mmap.MADV_HUGEPAGE)
    except (AttributeError, OSError):  # another platform or kernel
        pass
    return mapped


def _is_trusted(facts: os.stat_result) -> bool:
    if not stat.S_ISREG(facts.st_mode):
        return False
    if os.name != "posix":
        return True  # the cache is in the user's own profile, and modes say nothing
    return facts.st_uid in (os.geteuid(), 0) and not facts.st_mode & 0o022
