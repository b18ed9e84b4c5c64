"""Encoding: text to ids and back, with tiktoken's surface and tiktoken's defaults."""

from __future__ import annotations

import os
import threading
from array import array
from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from . import _core
from .errors import (
    DisallowedSpecialError,
    InvalidRanksError,
    InvalidSpecialTokensError,
    UnknownTokenError,
    ValidationError,
    VocabSizeError,
)
from .spec import MAX_ID, TokenizerSpec, TokenTable, unpack_u32

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from .explain import Explanation
    from .view import View

AllowedSpecial = Literal["all"] | AbstractSet[str]
DisallowedSpecial = Literal["all"] | Collection[str]

BYTES_PER_THREAD = 1 << 18
"""Batches below this many characters for each thread are not worth starting one (a thread costs
about 50 us, which encodes some 20 kB)."""


class Offsets(NamedTuple):
    """Ids and the stretches of text they stand for.

    Attributes:
        ids: the ids.
        byte_offsets: (start, end) of each in the text's UTF-8.
        char_offsets: (start, end) of each in characters; an id that holds only part of a
            character has the whole character.
    """

    ids: list[int]
    byte_offsets: list[tuple[int, int]]
    char_offsets: list[tuple[int, int]]


class Truncated(NamedTuple):
    """A text cut to a number of ids.

    Attributes:
        text: the text, or its longest beginning that was found to fit.
        n_tokens: how many ids it has.
        truncated: whether anything was cut off.
    """

    text: str
    n_tokens: int
    truncated: bool


class Encoding(_core.Codec):
    """Text to ids and back; exact, immutable, safe to share between threads.

    Args:
        name: what it is called. Known encodings come from :func:`ctok.get_encoding`.
        pat_str: the pattern that splits text into pieces, in tiktoken's syntax.
        mergeable_ranks: token bytes to rank; a rank is merge priority and id at once.
        special_tokens: special tokens to ids.
        explicit_n_vocab: if given, the number of tokens, checked.
        special_token_matching: "parity" leaves open which of several special tokens
            that start at one place is matched, as tiktoken does; "longest" promises the
            longest. Both match the longest.
        allow_duplicate_ids: accept an id given to several tokens: all of them encode to
            it, and it decodes to the last of them.

    Raises:
        InvalidRanksError, InvalidSpecialTokensError, InvalidPatternError, VocabSizeError

    >>> from ctok import Encoding
    >>> ranks = {bytes([i]): i for i in range(256)} | {b"he": 256, b"ll": 257, b"llo": 258}
    >>> enc = Encoding("tiny", pat_str=r"\\w+|\\W+", mergeable_ranks=ranks, special_tokens={})
    >>> enc.encode("hello")
    [256, 258]
    >>> enc.decode([256, 258])
    'hello'
    """

    __slots__ = ("_cached", "_engine", "_numbers", "_spec")

    _spec: TokenizerSpec
    _numbers: dict[str, int]
    _engine: str | None
    _cached: dict[str, Any]

    def __init__(
        self,
        name: str,
        *,
        pat_str: str,
        mergeable_ranks: Mapping[bytes, int],
        special_tokens: Mapping[str, int],
        explicit_n_vocab: int | None = None,
        special_token_matching: Literal["parity", "longest"] = "parity",
        allow_duplicate_ids: bool = False,
    ) -> None:
        if special_token_matching not in ("parity", "longest"):
            raise ValidationError(
                f"special_token_matching is {special_token_matching!r}, "
                "'parity' or 'longest' expected"
            )
        if not isinstance(pat_str, str):
            raise ValidationError(f"pat_str is {type(pat_str).__name__}, str expected")
        if not isinstance(mergeable_ranks, Mapping) or not mergeable_ranks:
            raise InvalidRanksError(
                f"mergeable_ranks is {type(mergeable_ranks).__name__}, "
                "a dict with at least one token expected"
            )
        if not isinstance(special_tokens, Mapping):
            raise InvalidSpecialTokensError(
                f"special_tokens is {type(special_tokens).__name__}, a dict expected"
            )
        spec = TokenizerSpec(
            name=name,
            tokens=TokenTable.from_ranks(mergeable_ranks),
            pattern=pat_str,
            specials=special_tokens,
            explicit_n_vocab=explicit_n_vocab,
            allow_duplicate_ids=allow_duplicate_ids,
        )
        self._build_from(spec)

    @classmethod
    def from_spec(cls, spec: TokenizerSpec, *, engine: str | None = None) -> Encoding:
        """An encoding from what a format reader found.

        Args:
            spec: everything that decides ids.
            engine: "automaton" or "pcre2" to insist on a splitting engine; by default the
                automaton where it can do the pattern, with vector code where that is known to
                be the same.

        Raises:
            InvalidRanksError, InvalidSpecialTokensError, InvalidPatternError, VocabSizeError
        """
        self = cls.__new__(cls)
        self._build_from(spec, engine=engine)
        return self

    def _build_from(self, spec: TokenizerSpec, *, engine: str | None = None) -> None:
        specials = []
        for text, token_id in spec.specials.items():
            if not isinstance(text, str) or not text:
                raise InvalidSpecialTokensError(f"special token {text!r}: non-empty str expected")
            if not isinstance(token_id, int) or not 0 <= token_id <= MAX_ID:
                raise InvalidSpecialTokensError(
                    f"special token {text!r}: id {token_id!r}, "
                    f"an integer from 0 to {MAX_ID} expected"
                )
            specials.append((text.encode("utf-8", "surrogatepass"), token_id))
        merges = None
        if spec.merges is not None:
            tables = (spec.merges.left, spec.merges.right, spec.merges.merged)
            merges = tuple(memoryview(table).cast("I") for table in tables)
        object.__setattr__(self, "_spec", spec)
        object.__setattr__(self, "_engine", engine)
        object.__setattr__(self, "_numbers", {text: i for i, text in enumerate(spec.specials)})
        object.__setattr__(self, "_cached", {})
        self._build(
            spec.tokens.blob,
            memoryview(spec.tokens.ends).cast("I"),
            memoryview(spec.tokens.ids).cast("I"),
            merges,
            specials,
            spec.pattern,
            engine,
            spec.whole_piece,
            spec.allow_duplicate_ids,
        )
        if spec.explicit_n_vocab:
            n_tokens = self._info["n_tokens"] + len(specials)
            if n_tokens != spec.explicit_n_vocab or self.n_vocab != spec.explicit_n_vocab:
                raise VocabSizeError(
                    f"explicit_n_vocab is {spec.explicit_n_vocab}, but there are {n_tokens} "
                    f"tokens and the largest id is {self.max_token_value}"
                )

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{name}: an Encoding does not change; make another one")

    # ---- facts ----

    @property
    def name(self) -> str:
        """What it is called."""
        return self._spec.name

    @property
    def spec(self) -> TokenizerSpec:
        """Everything that decides its ids."""
        return self._spec

    @property
    def splitter(self) -> str:
        """The engine that splits text: "vector" (vector code beside the automaton),
        "automaton" or "pcre2"."""
        engine: str = self._info["splitter"]
        return engine

    @property
    def max_token_value(self) -> int:
        """The largest id."""
        value: int = self._info["max_id"]
        return value

    @property
    def n_vocab(self) -> int:
        """One more than the largest id."""
        return self.max_token_value + 1

    @property
    def eot_token(self) -> int:
        """The id of <|endoftext|>. KeyError when there is none."""
        return self._special_tokens["<|endoftext|>"]

    @property
    def special_tokens_set(self) -> set[str]:
        """The special tokens' texts."""
        return set(self._spec.specials)

    @property
    def fingerprint(self) -> str:
        """SHA-256, in hexadecimal, of everything that decides ids; the same in every process.

        Sources: the token table by id, merges, pattern, specials, and the Unicode version of the
        tables that split text.
        """
        cached: str | None = self._cached.get("fingerprint")
        if cached is None:
            cached = self._cached["fingerprint"] = self._hash()
        return cached

    def _hash(self) -> str:
        spec = self._spec
        import hashlib

        digest = hashlib.sha256(b"ctok encoding 1\0")
        tokens = sorted((token_id, token) for token, token_id in self._mergeable_ranks.items())
        for token_id, token in tokens:
            digest.update(b"%d %d " % (token_id, len(token)) + token)
        if spec.merges is not None and not self._merges_follow_from_ranks:
            for table in (spec.merges.left, spec.merges.right, spec.merges.merged):
                digest.update(table)
        for text, token_id in sorted(spec.specials.items()):
            digest.update(repr((text, token_id)).encode())
        digest.update(repr((spec.pattern, spec.whole_piece, _core.UNICODE_VERSION)).encode())
        return digest.hexdigest()

    @property
    def _merges_follow_from_ranks(self) -> bool:
        """Whether the merges add nothing: each makes the id that is its rank, in order."""
        merges = self._spec.merges
        if merges is None:
            return True
        merged = unpack_u32(merges.merged)
        return self._spec.whole_piece and all(a < b for a, b in pairwise(merged))

    @property
    def _pat_str(self) -> str:
        return self._spec.pattern

    @property
    def _special_tokens(self) -> dict[str, int]:
        return dict(self._spec.specials)

    @property
    def _mergeable_ranks(self) -> dict[bytes, int]:
        cached: dict[bytes, int] | None = self._cached.get("ranks")
        if cached is None:
            cached = dict(self._spec.tokens)
            if self._spec.merges is not None:
                for token_id in unpack_u32(self._spec.merges.merged):
                    token = self._token_bytes(token_id)
                    assert token is not None
                    cached.setdefault(token, token_id)
            self._cached["ranks"] = cached
        return cached

    @property
    def _core_bpe(self) -> CoreBPE:
        return CoreBPE(self)

    def __repr__(self) -> str:
        return f"<Encoding {self.name!r}>"

    # ---- specials ----

    def _special_sets(
        self, allowed_special: AllowedSpecial, disallowed_special: DisallowedSpecial
    ) -> _core.SpecialSets:
        """The core's form of tiktoken's two arguments."""
        names = self._numbers
        if isinstance(allowed_special, str):
            if allowed_special != "all":
                raise TypeError(f"allowed_special is {allowed_special!r}, 'all' or a set expected")
            allowed: AbstractSet[str] = names.keys()
        elif isinstance(allowed_special, AbstractSet):
            allowed = allowed_special
        else:
            raise TypeError(
                f"allowed_special is {type(allowed_special).__name__}, 'all' or a set expected"
            )
        if isinstance(disallowed_special, str) and disallowed_special == "all":
            disallowed: AbstractSet[str] = names.keys() - allowed
        else:
            disallowed = frozenset(disallowed_special or ())
        key = (frozenset(allowed), frozenset(disallowed))
        sets: _core.SpecialSets | None = self._cached.get(key)  # type: ignore[call-overload]
        if sets is None:
            foreign = tuple(sorted(disallowed - names.keys()))
            sets = _core.SpecialSets(self._bits(allowed), self._bits(disallowed), foreign)
            if len(self._cached) < 64:
                self._cached[key] = sets  # type: ignore[index]
        return sets

    def _bits(self, members: AbstractSet[str]) -> bytes | None:
        bits = 0
        for text in members:
            number = self._numbers.get(text)
            if number is not None:
                bits |= 1 << number
        if bits == 0:
            return None
        words = (len(self._numbers) + 63) // 64
        return bits.to_bytes(8 * words, "little")

    def _disallowed(
        self, number: int | None, offset: int, text: str = ""
    ) -> DisallowedSpecialError:
        token = text if number is None else list(self._numbers)[number]
        return DisallowedSpecialError(
            f"the text has the special token {token!r} at character {offset}.\n"
            "Text from users should not turn into control tokens, so this is an error unless "
            "asked for:\n"
            f"to get its id, pass allowed_special={{{token!r}}} or allowed_special='all';\n"
            "to encode it like any other text, pass disallowed_special=().",
            token=token,
            offset=offset,
            suggestions=[
                f"To get its id, pass allowed_special={{{token!r}}} or allowed_special='all'.",
                "To encode it as plain text, pass disallowed_special=() or use encode_ordinary().",
            ],
        )

    # ---- encode ----

    if TYPE_CHECKING:  # implemented in _core.Codec, without a Python frame in between

        def encode(
            self,
            text: str,
            *,
            allowed_special: AllowedSpecial = frozenset(),
            disallowed_special: DisallowedSpecial = "all",
        ) -> list[int]: ...

        def encode_ordinary(self, text: str) -> list[int]: ...

    def encode_to_numpy(
        self,
        text: str,
        *,
        allowed_special: AllowedSpecial = frozenset(),
        disallowed_special: DisallowedSpecial = "all",
    ) -> npt.NDArray[np.uint32]:
        """Ids as an array, without a copy.

        Args:
            text: what to encode; surrogates are mended as in :meth:`encode`.
            allowed_special, disallowed_special: as in :meth:`encode`.

        Returns:
            uint32[n], read-only.

        Raises:
            DisallowedSpecialError, TextTypeError, MissingRankError, SplitError: as in
                :meth:`encode`.

        >>> import ctok
        >>> ctok.get_encoding("gpt2").encode_to_numpy("hello world")
        array([31373,   995], dtype=uint32)
        """
        import numpy as np

        sets = self._special_sets(allowed_special, disallowed_special)
        return np.frombuffer(memoryview(self._encode_buffer(text, sets)), dtype=np.uint32)

    def encode_ordinary_to_numpy(self, text: str) -> npt.NDArray[np.uint32]:
        """Ids as an array, special tokens in the text being ordinary text.

        Args:
            text: what to encode.

        Returns:
            uint32[n], read-only.

        Raises:
            TextTypeError, MissingRankError, SplitError: as in :meth:`encode`.
        """
        import numpy as np

        return np.frombuffer(memoryview(self.encode_ordinary_to_buffer(text)), dtype=np.uint32)

    def encode_with_offsets(
        self,
        text: str,
        *,
        allowed_special: AllowedSpecial = frozenset(),
        disallowed_special: DisallowedSpecial = "all",
    ) -> Offsets:
        """Ids and where in the text they come from.

        Text that the pattern does not cover has no ids, so there may be gaps.

        Args:
            text: what to encode.
            allowed_special, disallowed_special: as in :meth:`encode`.

        Returns:
            The ids, with a (start, end) in bytes and one in characters for each.

        Raises:
            DisallowedSpecialError, TextTypeError, MissingRankError, SplitError: as in
                :meth:`encode`.

        >>> import ctok
        >>> ctok.get_encoding("gpt2").encode_with_offsets("hi é").char_offsets
        [(0, 2), (2, 4)]
        """
        sets = self._special_sets(allowed_special, disallowed_special)
        ids, byte_offsets, char_offsets, n_surrogates = self._encode_ranges(text, sets)
        if n_surrogates:
            starts = _character_starts(text)
            char_offsets = [(starts[start], starts[end]) for start, end in char_offsets]
        return Offsets(ids, byte_offsets, char_offsets)

    def encode_batch(
        self,
        text: Sequence[str],
        *,
        num_threads: int = 8,
        allowed_special: AllowedSpecial = frozenset(),
        disallowed_special: DisallowedSpecial = "all",
    ) -> list[list[int]]:
        """The ids of many texts, in their order.

        Args:
            text: the texts.
            num_threads: at most so many threads, for this call only; never more than there
                are processors, nor than the texts are worth.
            allowed_special, disallowed_special: as in :meth:`encode`.

        Returns:
            A list of ids for each text.

        Raises:
            ValidationError: a str was given instead of a sequence.
            DisallowedSpecialError, TextTypeError, MissingRankError, SplitError: as in
                :meth:`encode`, with a note that says which text it was.

        >>> import ctok
        >>> ctok.get_encoding("gpt2").encode_batch(["hello world", "goodbye"])
        [[31373, 995], [11274, 16390]]
        """
        sets = self._special_sets(allowed_special, disallowed_special)
        lists: list[list[int]] = []
        for batch in self._run_batches(text, num_threads, sets):
            lists += batch.lists()
        return lists

    def encode_ordinary_batch(
        self, text: Sequence[str], *, num_threads: int = 8
    ) -> list[list[int]]:
        """The ids of many texts, special tokens in them being ordinary text.

        Args:
            text: the texts.
            num_threads: as in :meth:`encode_batch`.

        Returns:
            A list of ids for each text.

        Raises:
            ValidationError, TextTypeError, MissingRankError, SplitError: as in
                :meth:`encode_batch`.
        """
        return self.encode_batch(text, num_threads=num_threads, disallowed_special=())

    def encode_batch_to_numpy(
        self,
        texts: Sequence[str],
        *,
        num_threads: int = 8,
        allowed_special: AllowedSpecial = frozenset(),
        disallowed_special: DisallowedSpecial = "all",
    ) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]:
        """The ids of many texts in one array.

        Args:
            texts: the texts.
            num_threads: as in :meth:`encode_batch`.
            allowed_special, disallowed_special: as in :meth:`encode`.

        Returns:
            ids uint32[n] and offsets int64[len(texts) + 1]: text i has
            ``ids[offsets[i]:offsets[i + 1]]``.

        Raises:
            What :meth:`encode_batch` raises.

        >>> import ctok
        >>> ids, offsets = ctok.get_encoding("gpt2").encode_batch_to_numpy(["hello world", "hi"])
        >>> ids[offsets[0] : offsets[1]].tolist(), offsets.tolist()
        ([31373, 995], [0, 2, 3])
        """
        import numpy as np

        sets = self._special_sets(allowed_special, disallowed_special)
        batches = self._run_batches(texts, num_threads, sets)
        lengths = [n for batch in batches for n in batch.lengths()]
        parts = [np.frombuffer(memoryview(batch.take()), dtype=np.uint32) for batch in batches]
        offsets = np.zeros(len(lengths) + 1, dtype=np.int64)
        np.cumsum(lengths, out=offsets[1:])
        return (parts[0] if len(parts) == 1 else np.concatenate(parts)), offsets

    def _run_batches(
        self, texts: Sequence[str], num_threads: int, sets: _core.SpecialSets
    ) -> list[_core.Batch]:
        if isinstance(texts, str):
            raise ValidationError("texts is one str, a sequence of them expected")
        texts = list(texts)
        n_chars = sum(len(text) for text in texts if isinstance(text, str))
        n_parts = min(num_threads, os.cpu_count() or 1, n_chars // BYTES_PER_THREAD + 1)
        batches = _core.plan_batches(self, sets, texts, max(n_parts, 1))
        threads = [threading.Thread(target=batch.run) for batch in batches[1:]]
        for thread in threads:
            thread.start()
        batches[0].run()
        for thread in threads:
            thread.join()
        for batch in batches:
            batch.check()
        return batches

    def encode_with_unstable(
        self,
        text: str,
        *,
        allowed_special: AllowedSpecial = frozenset(),
        disallowed_special: DisallowedSpecial = "all",
    ) -> tuple[list[int], list[list[int]]]:
        """The ids that more text cannot change, and how the following ones may begin.

        Args:
            text: what to encode.
            allowed_special, disallowed_special: as in :meth:`encode`.

        Returns:
            The stable ids, and the possible sequences that cover the rest of the text, in no
            particular order.

        Raises:
            What :meth:`encode` raises.

        >>> import ctok
        >>> enc = ctok.get_encoding("gpt2")
        >>> stable, following = enc.encode_with_unstable("hello fanta")
        >>> enc.decode(stable), sorted({enc.decode(ids) for ids in following})[:3]
        ('hello', [' fanta', ' fantab', ' fantaba'])
        """
        from .unstable import encode_with_unstable

        ids = self.encode(
            text, allowed_special=allowed_special, disallowed_special=disallowed_special
        )
        allowed = self._numbers if allowed_special == "all" else allowed_special
        return encode_with_unstable(self, ids, self._n_last_piece(text, allowed))

    def _n_last_piece(self, text: str, allowed: Iterable[str]) -> int:
        """How many ids the last piece has; 0 when an allowed special ends the text."""
        end = max((text.rfind(token) + len(token) for token in allowed if token in text), default=0)
        pieces = self.pieces(text[end:])
        return len(self._merge_bytes(pieces[-1].encode())) if pieces else 0

    def encode_single_token(self, text_or_bytes: str | bytes) -> int:
        """The id of one token, special or not.

        Args:
            text_or_bytes: the token.

        Raises:
            UnknownTokenError: (a KeyError) it is no token.

        >>> import ctok
        >>> enc = ctok.get_encoding("gpt2")
        >>> enc.encode_single_token("hello"), enc.encode_single_token(b"\\xe4")
        (31373, 160)
        """
        token = text_or_bytes.encode() if isinstance(text_or_bytes, str) else text_or_bytes
        found: int | None = self._find(token)
        if found is None:
            try:
                found = self._spec.specials.get(token.decode())
            except UnicodeDecodeError:
                found = None
        if found is None:
            raise UnknownTokenError(f"{text_or_bytes!r} is no token", token=token)
        return found

    def pieces(self, text: str) -> list[str]:
        """The pieces that the pattern splits a text into, specials being ordinary text.

        Args:
            text: what to split.

        Returns:
            The pieces, in order; what the pattern does not cover is left out.

        Raises:
            TextTypeError, SplitError: as in :meth:`encode`.

        >>> import ctok
        >>> ctok.get_encoding("cl100k_base").pieces("don't stop")
        ['don', "'t", ' stop']
        """
        splitter: _core.Splitter | None = self._cached.get("splitter")
        if splitter is None:
            splitter = self._cached["splitter"] = _core.Splitter(self._pat_str, self._engine)
        pieces: list[str] = splitter.split(text)
        return pieces

    def _encode_single_piece(self, text_or_bytes: str | bytes) -> list[int]:
        piece = text_or_bytes.encode() if isinstance(text_or_bytes, str) else text_or_bytes
        return self._merge_bytes(piece)

    def _encode_only_native_bpe(self, text: str) -> list[int]:
        return [i for piece in self.pieces(text) for i in self._merge_bytes(piece.encode())]

    def _merge_bytes(self, piece: bytes) -> list[int]:
        """The ids of bytes taken as one piece."""
        ids: list[int] = self._encode_piece(piece)
        return ids

    def _encode_bytes(self, text: bytes) -> list[int]:
        """Ids of bytes that need not be UTF-8: the last piece before what is not UTF-8 is merged
        with all that follows."""
        from .unstable import widen_last_piece

        try:
            return self.encode_ordinary(text.decode())
        except UnicodeDecodeError as exc:
            valid = text[: exc.start].decode()
            rest = text[exc.start :]
        ids = self.encode_ordinary(valid)
        n_last = widen_last_piece(self, ids, self._n_last_piece(valid, ()))
        if n_last:
            rest = self.decode_bytes(ids[-n_last:]) + rest
            ids = ids[:-n_last]
        return ids + self._merge_bytes(rest)

    # ---- count and cut ----

    def count(
        self,
        text: str,
        *,
        allowed_special: AllowedSpecial = frozenset(),
        disallowed_special: DisallowedSpecial = (),
    ) -> int:
        """How many ids a text has, without making them into Python objects.

        Args:
            text: what to count.
            allowed_special, disallowed_special: as in :meth:`encode`, but by default special
                tokens are ordinary text.

        Raises:
            TextTypeError, MissingRankError, SplitError: as in :meth:`encode`.

        >>> import ctok
        >>> ctok.get_encoding("o200k_base").count("How many tokens is this?")
        6
        """
        n: int = self._count(text, self._special_sets(allowed_special, disallowed_special), 0)[0]
        return n

    def fits(self, text: str, max_tokens: int) -> bool:
        """Whether a text has at most so many ids. Stops as soon as it has more.

        Args:
            text: what to count; special tokens in it are ordinary text.
            max_tokens: how many ids it may have.

        >>> import ctok
        >>> ctok.get_encoding("gpt2").fits("one two three", 2)
        False
        """
        if max_tokens < 0:
            return False
        n: int = self._count(text, None, max_tokens + 1)[0]
        return n <= max_tokens

    def truncate(self, text: str, max_tokens: int) -> Truncated:
        """The beginning of a text that has at most so many ids. No character is cut in two.

        Args:
            text: what to cut; special tokens in it are ordinary text.
            max_tokens: how many ids the result may have when encoded.

        Returns:
            The text, how many ids it has, and whether anything was cut off.

        Raises:
            ValidationError: max_tokens is negative.

        >>> import ctok
        >>> ctok.get_encoding("gpt2").truncate("one two three", 2)
        Truncated(text='one two', n_tokens=2, truncated=True)
        """
        if max_tokens < 0:
            raise ValidationError(f"max_tokens is {max_tokens}, 0 or more expected")
        for limit in range(max_tokens, 0, -1):
            n, n_bytes = self._count(text, None, limit)
            n_chars = _chars_in(text, n_bytes)
            if n_chars == len(text):
                return Truncated(text, n, False)
            # Cut off where it is, the text may split into other pieces, even into more.
            cut = text[:n_chars]
            n = self.count(cut)
            if n <= max_tokens:
                return Truncated(cut, n, True)
        return Truncated("", 0, bool(text) and self.count(text) > 0)

    def split_by_tokens(self, text: str, max_tokens: int, *, overlap: int = 0) -> list[str]:
        """A text in parts of at most so many ids each.

        Args:
            text: what to split; special tokens in it are ordinary text.
            max_tokens: how many ids each part may have when encoded.
            overlap: about how many ids a part shares with the one before it.

        Returns:
            The parts; each has something that the one before it has not. Without overlap
            they are the text again when joined.

        Raises:
            ValidationError: overlap is not less than max_tokens, or a single character has
                more than max_tokens ids.

        >>> import ctok
        >>> ctok.get_encoding("gpt2").split_by_tokens("one two three four", 2)
        ['one two', ' three four']
        """
        if not 0 <= overlap < max_tokens:
            raise ValidationError(
                f"overlap is {overlap} and max_tokens {max_tokens}: "
                "0 <= overlap < max_tokens expected"
            )
        parts: list[str] = []
        start = end = 0
        while end < len(text):
            part = self._next_part(text, start, max_tokens)
            if parts and start + len(part) <= end:
                start += 1  # the overlap took all the room
                continue
            end = start + len(part)
            parts.append(part)
            back = 0
            if overlap:
                offsets = self.encode_with_offsets(part, disallowed_special=()).char_offsets
                back = len(part) - offsets[-min(overlap, len(offsets))][0]
            start = max(end - back, start + 1)
        return parts

    def _next_part(self, text: str, start: int, max_tokens: int) -> str:
        # Look at a window only, so that long texts are not copied once per part.
        window = 8 * max_tokens + 64
        while True:
            part = self.truncate(text[start : start + window], max_tokens)
            if part.truncated or start + window >= len(text):
                break
            window *= 2
        if not part.text:
            raise ValidationError(
                f"character {start} alone has more than {max_tokens} ids: {text[start]!r}"
            )
        return part.text

    # ---- decode ----

    if TYPE_CHECKING:  # implemented in _core.Codec

        def decode(self, tokens: Sequence[int], errors: str = "replace") -> str: ...

        def decode_bytes(self, tokens: Sequence[int]) -> bytes: ...

    def decode_single_token_bytes(self, token: int) -> bytes:
        """The bytes of one id, special or not.

        Args:
            token: the id.

        Raises:
            UnknownTokenIdError: (a KeyError) no token has this id.

        >>> import ctok
        >>> ctok.get_encoding("gpt2").decode_single_token_bytes(995)
        b' world'
        """
        return self.decode_bytes([token])

    def decode_tokens_bytes(self, tokens: Sequence[int]) -> list[bytes]:
        """The bytes of each id.

        Args:
            tokens: the ids.

        Raises:
            UnknownTokenIdError: (a KeyError) no token has one of them.

        >>> import ctok
        >>> ctok.get_encoding("gpt2").decode_tokens_bytes([31373, 995])
        [b'hello', b' world']
        """
        return [self.decode_bytes([token]) for token in tokens]

    def decode_with_offsets(self, tokens: Sequence[int]) -> tuple[str, list[int]]:
        """The text, and for each id the character at which it starts.

        An id that starts inside a character has the index of that character.

        Args:
            tokens: the ids.

        Raises:
            UnicodeDecodeError: the ids are not valid UTF-8 together.
            UnknownTokenIdError: (a KeyError) no token has one of them.

        >>> import ctok
        >>> ctok.get_encoding("gpt2").decode_with_offsets([31373, 995])
        ('hello world', [0, 5])
        """
        starts = []
        n_chars = 0
        parts = self.decode_tokens_bytes(tokens)
        for part in parts:
            inside = bool(part) and part[0] & 0xC0 == 0x80
            starts.append(max(0, n_chars - inside))
            n_chars += sum(byte & 0xC0 != 0x80 for byte in part)
        return b"".join(parts).decode("utf-8", "strict"), starts

    def decode_batch(
        self, batch: Sequence[Sequence[int]], *, errors: str = "replace", num_threads: int = 8
    ) -> list[str]:
        """The texts of many id sequences.

        Args:
            batch: the sequences of ids.
            errors: as in :meth:`decode`.
            num_threads: taken for compatibility and not used: making Python strings is most
                of the work and needs the interpreter.

        Raises:
            What :meth:`decode` raises.

        >>> import ctok
        >>> ctok.get_encoding("gpt2").decode_batch([[31373, 995], [5303]])
        ['hello world', 'hi']
        """
        return [self.decode(tokens, errors) for tokens in batch]

    def decode_bytes_batch(
        self, batch: Sequence[Sequence[int]], *, num_threads: int = 8
    ) -> list[bytes]:
        """The bytes of many id sequences.

        Args:
            batch: the sequences of ids.
            num_threads: as in :meth:`decode_batch`.

        Raises:
            What :meth:`decode_bytes` raises.
        """
        return [self.decode_bytes(tokens) for tokens in batch]

    def token_byte_values(self) -> list[bytes]:
        """All tokens that are not special, sorted by their bytes."""
        return sorted(self._mergeable_ranks)

    def is_special_token(self, token: int) -> bool:
        """Whether an id is that of a special token.

        Raises:
            TypeError: token is no int.

        >>> import ctok
        >>> ctok.get_encoding("gpt2").is_special_token(50256)
        True
        """
        if not isinstance(token, int):
            raise TypeError(f"token is {type(token).__name__}, int expected")
        return token in self._spec.specials.values()

    # ---- see ----

    def view(self, text: str, **options: Any) -> View:
        """The tokens of a text to look at: in a terminal, a notebook, or as HTML.

        Args:
            text: what to encode; special tokens in it are ordinary text by default.
            **options: ``budget=n`` greys the tokens beyond n, ``show_ids=True`` shows ids, and
                allowed_special, disallowed_special are as in :meth:`encode`.

        Returns:
            An object to print, or to look at in a notebook; ``.html()`` is a page's element.

        >>> import ctok
        >>> print(ctok.get_encoding("gpt2").view("hello wörld").plain())
        hello│·w│ör│ld
        4 tokens · 11 characters · 12 bytes · 3.00 bytes per token · gpt2
        """
        from .view import View

        return View.of(self, text, **options)

    def explain(self, piece: str | bytes) -> Explanation:
        """How a piece became its ids: the merges, step by step.

        Args:
            piece: text or bytes, taken as one piece.

        Raises:
            LimitError: it is longer than 1024 bytes.
            MissingRankError: (a KeyError) the vocabulary cannot express a byte of it.

        >>> import ctok
        >>> print(ctok.get_encoding("gpt2").explain("low"))
        'low' in gpt2
                                l o w
          1  o + w   rank 322   l ow
          2  l + ow  rank 9319  low
        the piece is a token, taken at once; merges would make the same
        ids: 9319
        """
        from .explain import Explanation

        return Explanation.of(self, piece)

    # ---- copies ----

    def __reduce__(self) -> tuple[Any, ...]:
        from . import registry

        if registry.is_registered(self):
            return registry.get_encoding, (self.name,)
        return Encoding.from_spec, (self._spec,)

    def __copy__(self) -> Encoding:
        return self

    def __deepcopy__(self, memo: object) -> Encoding:
        return self

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Encoding):
            return NotImplemented
        return self is other or self.fingerprint == other.fingerprint

    def __hash__(self) -> int:
        return hash(self.name)


class CoreBPE:
    """What tiktoken's users reach for as ``encoding._core_bpe``."""

    def __init__(self, encoding: Encoding) -> None:
        self._encoding = encoding

    def encode(self, text: str, allowed_special: AbstractSet[str]) -> list[int]:
        return self._encoding.encode(text, allowed_special=allowed_special, disallowed_special=())

    def encode_ordinary(self, text: str) -> list[int]:
        return self._encoding.encode_ordinary(text)

    def encode_single_token(self, piece: bytes) -> int:
        return self._encoding.encode_single_token(piece)

    def encode_single_piece(self, piece: bytes) -> list[int]:
        return self._encoding._merge_bytes(piece)

    def encode_with_unstable(
        self, text: str, allowed_special: AbstractSet[str]
    ) -> tuple[list[int], list[list[int]]]:
        return self._encoding.encode_with_unstable(
            text, allowed_special=allowed_special, disallowed_special=()
        )

    def _encode_bytes(self, data: bytes) -> list[int]:
        return self._encoding._encode_bytes(data)

    def decode_bytes(self, tokens: Sequence[int]) -> bytes:
        return self._encoding.decode_bytes(tokens)

    def decode_single_token_bytes(self, token: int) -> bytes:
        return self._encoding.decode_single_token_bytes(token)

    def token_byte_values(self) -> list[bytes]:
        return self._encoding.token_byte_values()


def _chars_in(text: str, n_bytes: int) -> int:
    """How many whole characters the first n_bytes of a text's UTF-8 hold."""
    if text.isascii():
        return n_bytes
    head = text[:n_bytes]
    try:
        return len(head.encode()[:n_bytes].decode("utf-8", "ignore"))
    except UnicodeEncodeError:
        mended = head.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        n = len(mended.encode()[:n_bytes].decode("utf-8", "ignore"))
        return _character_starts(text)[n]


def _character_starts(text: str) -> array[int]:
    """Where each character of the mended text starts in the text itself: a surrogate pair is
    two of its characters and one of the mended one's."""
    starts = array("q")
    i = 0
    while i < len(text):
        starts.append(i)
        is_pair = "\ud800" <= text[i] <= "\udbff" and "\udc00" <= text[i + 1 : i + 2] <= "\udfff"
        i += 2 if is_pair else 1
    starts.append(len(text))
    return starts
