"""The text of token ids, for whole columns at once: the bytes of each token, one after another."""

from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

if TYPE_CHECKING:
    from cotdata.render.tokenizer import Tokenizer

#: Tokens that are decoded together: their bytes must fit into memory beside the text.
_BATCH_TOKENS: Final = 4_000_000


def byte_of_character() -> dict[str, int]:
    """Return which byte each character of a byte-level vocabulary stands for.

    Source: `bytes_to_unicode` of GPT-2's encoder.py (openai/gpt-2, src/encoder.py): printable
    Latin-1 characters stand for themselves, the other bytes for U+0100 and up, in order.
    """
    themselves = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in themselves]
    shifted = {chr(256 + place): byte for place, byte in enumerate(others)}
    return {**{chr(byte): byte for byte in themselves}, **shifted}


class TokenText:
    """The bytes that each token of a byte-level vocabulary stands for.

    Args:
        vocabulary: Token -> id, as the tokenizer's file writes tokens.
        added: Added token -> id; those are written as they are.
    """

    def __init__(self, vocabulary: dict[str, int], added: dict[str, int]) -> None:
        bytes_of = byte_of_character()
        table: list[bytes] = [b""] * (max([*vocabulary.values(), *added.values()], default=-1) + 1)
        for token, number in vocabulary.items():
            if token not in added:
                table[number] = bytes(bytes_of[character] for character in token)
        for token, number in added.items():
            table[number] = token.encode()
        self._table = pa.array(table, pa.large_binary())

    @classmethod
    def of(cls, tokenizer: "Tokenizer") -> "TokenText | None":
        """Return the bytes of a tokenizer's tokens; None where its vocabulary is not of bytes."""
        from tokenizers import decoders

        library = tokenizer.library
        if not isinstance(library.decoder, decoders.ByteLevel):
            return None
        try:
            return cls(library.get_vocab(with_added_tokens=True), dict(tokenizer.added))
        except KeyError:  # a token with a character that stands for no byte
            return None

    def differing(
        self, ids: NDArray[np.int32], offsets: NDArray[np.int64], texts: pa.LargeStringArray
    ) -> NDArray[np.int64]:
        """Return the places of the texts that their ids do not give back, byte for byte."""
        wrong = []
        for start, stop in _batches(offsets):
            part = texts.slice(start, stop - start)
            written = self._joined(ids, offsets[start : stop + 1])
            if not written.equals(part.cast(pa.large_binary())):
                same = pc.equal(written, part.cast(pa.large_binary()))
                wrong += [
                    start + place for place, is_same in enumerate(same.to_pylist()) if not is_same
                ]
        return np.array(wrong, np.int64)

    def _joined(self, ids: NDArray[np.int32], offsets: NDArray[np.int64]) -> pa.LargeBinaryArray:
        """Return the bytes of each text: the tokens' own, one after another, without gaps."""
        tokens = self._table.take(pa.array(ids[offsets[0] : offsets[-1]]))
        _, ends, data = tokens.buffers()
        places = np.frombuffer(ends, np.int64, len(tokens) + 1, tokens.offset * 8)
        bounds = places[offsets - offsets[0]]
        buffers = [None, pa.py_buffer(np.ascontiguousarray(bounds)), data]
        return pa.Array.from_buffers(pa.large_binary(), len(offsets) - 1, buffers)


def _batches(offsets: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Cut texts into runs of about `_BATCH_TOKENS` tokens."""
    batches, start, count = [], 0, len(offsets) - 1
    while start < count:
        limit = offsets[start] + _BATCH_TOKENS
        stop = int(np.searchsorted(offsets, limit, side="right")) - 1
        stop = min(max(stop, start + 1), count)
        batches.append((start, stop))
        start = stop
    return batches
