"""What tiktoken keeps private and programs reach for all the same. The functions are methods of
:class:`ctok.Encoding`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .unstable import n_last_piece, widen_last_piece

if TYPE_CHECKING:
    from .encoding import Encoding
    from .specials import AllowedSpecial


class CoreBPE:
    """What tiktoken's users reach for as ``encoding._core_bpe``."""

    def __init__(self, encoding: Encoding) -> None:
        self._encoding = encoding

    def encode(self, text: str, allowed_special: AllowedSpecial) -> list[int]:
        return self._encoding.encode(text, allowed_special=allowed_special, disallowed_special=())

    def encode_ordinary(self, text: str) -> list[int]:
        return self._encoding.encode_ordinary(text)

    def encode_single_token(self, piece: bytes) -> int:
        return self._encoding.encode_single_token(piece)

    def encode_single_piece(self, piece: bytes) -> list[int]:
        return self._encoding._merge_bytes(piece)

    def encode_with_unstable(
        self, text: str, allowed_special: AllowedSpecial
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


def _encode_single_piece(self: Encoding, text_or_bytes: str | bytes) -> list[int]:
    piece = text_or_bytes.encode() if isinstance(text_or_bytes, str) else text_or_bytes
    return self._merge_bytes(piece)


def _encode_only_native_bpe(self: Encoding, text: str) -> list[int]:
    return [i for piece in self.pieces(text) for i in self._merge_bytes(piece.encode())]


def _encode_bytes(self: Encoding, text: bytes) -> list[int]:
    """Ids of bytes that need not be UTF-8: the last piece before what is not UTF-8 is merged
    with all that follows."""
    if not isinstance(text, bytes):
        raise TypeError(f"text is {type(text).__name__}, bytes expected")
    try:
        return self.encode_ordinary(text.decode())
    except UnicodeDecodeError as exc:
        valid = text[: exc.start].decode()
        rest = text[exc.start :]
    ids = self.encode_ordinary(valid)
    n_last = widen_last_piece(self, ids, n_last_piece(self, valid, ()))
    if n_last:
        rest = self.decode_bytes(ids[-n_last:]) + rest
        ids = ids[:-n_last]
    return ids + self._merge_bytes(rest)
