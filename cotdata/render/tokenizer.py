"""The tokenizer of a model: text to the ids that a server makes of it, and back."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import polars as pl

from cotdata.render.encoder import Encoder
from cotdata.render.model_files import ModelFiles
from cotdata.render.token_ids import TokenIds
from cotdata.render.token_library import continuing, extra_tokens, load_library, special_tokens
from cotdata.render.token_probes import check_joint, normal_form

if TYPE_CHECKING:
    import tokenizers


class Tokenizer:
    """A model's tokenizer, checked when it is loaded. It can be used by several threads.

    Attributes:
        files: What it was made of.
        special: `bos_token`, `eos_token`, `pad_token`, `unk_token` and the like, as text: what a
            chat template sees. One that the model lacks is not in it.
        added: Each added token and its id: `<think>`, `<|im_end|>`. Encoding makes one id of it,
            wherever it stands in a text.
        control: The added tokens that are flagged as special, in order of their ids.
        normalizes: `NFC` or `NFD` where text is put in that form; None where it is left as it is.
    """

    def __init__(self, files: ModelFiles) -> None:
        """Load the tokenizer and check that it gives back what it was given.

        Raises:
            RenderError: If it cannot be loaded, or loses text.
        """
        self.files = files
        self._library = load_library(files)
        decoder: dict[int, Any] = dict(sorted(self._library.get_added_tokens_decoder().items()))
        self.special: Mapping[str, str] = MappingProxyType(special_tokens(files.config))
        self.added: Mapping[str, int] = MappingProxyType(
            {token.content: number for number, token in decoder.items()}
        )
        marked = {*self.special.values(), *extra_tokens(files.config)}
        self.control = tuple(
            token.content for token in decoder.values() if token.special or token.content in marked
        )
        self._encoder = Encoder(self._library)
        inside = continuing(self._library)
        self._continuing = self._encoder if inside is None else Encoder(inside)
        prefixes = inside is not None
        self.normalizes = normal_form(self._library, decoder.values(), prefixes=prefixes)
        check_joint(self._library, inside or self._library)

    def __reduce__(self) -> tuple[type["Tokenizer"], tuple[ModelFiles]]:
        """Travel between processes as the files it was made of, and be loaded there."""
        return type(self), (self.files,)

    @property
    def library(self) -> "tokenizers.Tokenizer":
        """The tokenizer as the package `tokenizers` has it."""
        return self._library

    @cached_property
    def vocab_size(self) -> int:
        """One more than the highest id; some ids below it may have no token."""
        return max(self._library.get_vocab(with_added_tokens=True).values(), default=-1) + 1

    @property
    def bos_id(self) -> int | None:
        """The id of `bos_token`, if the model has one."""
        return self._id_of("bos_token")

    @cached_property
    def eos_ids(self) -> tuple[int, ...]:
        """The ids at which a server stops: `eos_token` first, then generation_config's others."""
        said = self.files.generation.get("eos_token_id")
        others = said if isinstance(said, list) else [said]
        found = [self._id_of("eos_token"), *others]
        ids = [number for number in found if isinstance(number, int)]
        # A file may say anything: an id that no token has ends nothing.
        return tuple(number for number in dict.fromkeys(ids) if 0 <= number < self.vocab_size)

    def token_id(self, text: str) -> int | None:
        """Return the id of a text that is exactly one token, as `</think>` in a text would be."""
        ids = self._library.encode(text, add_special_tokens=False).ids
        return ids[0] if len(ids) == 1 and self.decode(ids) == text else None

    def encode(self, texts: pl.Series, *, continues: bool = False) -> TokenIds:
        """Return the ids of each text, as a server makes them of a rendered prompt.

        Added tokens in a text become their ids; nothing is added before or after it.

        Args:
            texts: A null is taken for an empty text.
            continues: Whether the texts go on from others, as completions do: then no blank is
                put before them. Tokenizers that never do that make no difference.
        """
        return (self._continuing if continues else self._encoder).encode(texts)

    @property
    def prefixes(self) -> bool:
        """Whether a blank is put before a text that does not go on from another."""
        return self._continuing is not self._encoder

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text of ids, special tokens included and nothing tidied up."""
        return str(self._library.decode(list(map(int, ids)), skip_special_tokens=False))

    def decode_batch(self, rows: Sequence[Sequence[int]]) -> list[str]:
        """Return the texts of several rows of ids; see `decode`."""
        return list(self._library.decode_batch(list(rows), skip_special_tokens=False))

    def _id_of(self, name: str) -> int | None:
        text = self.special.get(name)
        return None if text is None else self._library.token_to_id(text)
