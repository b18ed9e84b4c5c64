"""Splitting with PCRE2: for the patterns that the automaton cannot compile.

Nothing imports this module before such a pattern appears, and it alone imports the
extension module ``ctok._pcre2``.
"""

from __future__ import annotations

from typing import Any

from ctok import dialect, pcre2_syntax
from ctok._pcre2 import ffi, lib
from ctok.errors import LimitError, SplitError


def versions() -> tuple[str, str]:
    """What was linked: the version of PCRE2 and that of its Unicode tables.

    The second decides nothing: see :mod:`ctok.dialect`.

    Returns:
        Two strings, such as ``("10.47 2025-10-21", "16.0.0")``.
    """
    version, unicode = ffi.new("char[64]"), ffi.new("char[64]")
    lib.ctok_pcre2_versions(version, unicode)
    return ffi.string(version).decode(), ffi.string(unicode).decode()


class PcreSplitter:
    """A compiled pattern, in the shape the core wants: a ``ctok_splitter`` of ctok.h.

    It is freed with this object, unless :meth:`take` has passed it on: one owner at any
    time, so it is freed exactly once. Any number of threads may split with it.

    Args:
        pattern: as tiktoken or a tokenizer.json has it.
        jit: compile to machine code where the system allows that.

    Raises:
        InvalidPatternError: the pattern is malformed, or says what cannot be said exactly.
        LimitError: it is larger than PCRE2 can compile.
    """

    def __init__(self, pattern: str, *, jit: bool = True) -> None:
        self.pattern = pattern
        self._splitter: Any = ffi.new("ctok_splitter *")
        # Holds one item while this object owns the splitter; list.pop is atomic.
        self._owned: list[bool] = []
        rewritten = dialect.rewrite(pattern)
        error = ffi.new("ctok_error *")
        flags = 0 if jit else lib.CTOK_PCRE2_NO_JIT
        if rewritten.fixed_lookbehinds:
            flags |= lib.CTOK_PCRE2_FIXED_LOOKBEHIND
        for shared in (False, True):
            text, origin = rewritten.render(shared=shared)
            encoded = text.encode()
            status = lib.ctok_pcre2_compile(self._splitter, encoded, len(encoded), flags, error)
            if status != lib.CTOK_E_LIMIT:
                break
        if status == lib.CTOK_OK:
            self._owned.append(True)
            return
        reason = ffi.string(error.message).decode()
        if status == lib.CTOK_E_PATTERN:
            if rewritten.fixed_lookbehinds and "lookbehind" in reason:
                reason += ". Give its branches one length each: it asks for a place or has a group"
            raise pcre2_syntax.invalid_pattern(
                rewritten.source, origin(error.position), f"PCRE2 says: {reason}"
            )
        if status == lib.CTOK_E_LIMIT:
            raise LimitError(f"the pattern is larger than PCRE2 can compile: {reason}")
        raise MemoryError(reason)

    def __del__(self) -> None:
        if self._owned and self._release():
            lib.ctok_pcre2_free(self._splitter)

    def _release(self) -> bool:
        try:
            return self._owned.pop()
        except IndexError:
            return False

    @property
    def has_jit(self) -> bool:
        """Whether the pattern runs as machine code."""
        self._check_owned()
        return bool(lib.ctok_pcre2_has_jit(self._splitter))

    def take(self) -> int:
        """Passes the compiled pattern on to a new owner.

        Returns:
            The address of the ``ctok_splitter``: its contents are the caller's, who calls
            its ``free``; the struct itself lives as long as this object.

        Raises:
            ValueError: it was taken before.
        """
        if not self._release():
            raise ValueError("this splitter was taken before: compile the pattern again")
        return int(ffi.cast("uintptr_t", self._splitter))

    def split(self, text: str) -> list[str]:
        """The pieces of a text; what the pattern does not cover is left out.

        Args:
            text: any text without lone surrogates.

        Returns:
            The pieces in order; none is empty.

        Raises:
            SplitError: the pattern would backtrack without bound; ``offset`` is the
                character of the text where.

        Example:
            >>> PcreSplitter(r"\\w+").split("one, two")
            ['one', 'two']
        """
        self._check_owned()
        data = text.encode()
        state = lib.ctok_pcre2_state_new(self._splitter)
        cursor, error = ffi.new("ctok_split_cursor *"), ffi.new("ctok_error *")
        block = ffi.new("ctok_split_block *")
        pieces: list[str] = []
        try:
            while True:
                status = lib.ctok_pcre2_next(
                    self._splitter, state, data, len(data), cursor, block, error
                )
                if status != lib.CTOK_OK:
                    break
                if block.n_pieces == 0:
                    return pieces
                start = block.start
                for end in block.ends[0 : block.n_pieces]:
                    pieces.append(data[start : block.start + end].decode())
                    start = block.start + end
        finally:
            lib.ctok_pcre2_state_free(self._splitter, state)
        reason = ffi.string(error.message).decode()
        if status == lib.CTOK_E_MEMORY:
            raise MemoryError(reason)
        offset = len(data[: error.position].decode(errors="ignore"))
        raise SplitError(f"{reason} (character {offset})", offset=offset)

    def _check_owned(self) -> None:
        if not self._owned:
            raise ValueError("this splitter was taken: compile the pattern again")

    def __repr__(self) -> str:
        return f"<PcreSplitter {self.pattern!r}>"


def compile(pattern: str, *, jit: bool = True) -> PcreSplitter:  # noqa: A001 - as re.compile
    """Compiles a pattern; see :class:`PcreSplitter`."""
    return PcreSplitter(pattern, jit=jit)
