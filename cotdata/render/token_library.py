"""Loads a tokenizer with the package `tokenizers`: tokenizer.json itself wherever there is one.

The classes of `transformers` are not asked which tokenizer it is: several releases read the folder
of R1-Distill so that every blank is lost (5.6, 5.16 to 5.19). What they add to tokenizer.json is
added here in the same way: `PreTrainedTokenizerFast.__init__` (5.24) adds the tokens of
`added_tokens_decoder`, whose flags win, then the special tokens that are named.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from cotdata.errors import Location, RenderError
from cotdata.render.model_files import OTHER_VOCABULARIES, TOKENIZER_JSON, ModelFiles, read_file
from cotdata.render.token_hub_names import WAY_OUT

if TYPE_CHECKING:
    import tokenizers

#: The special tokens that have a name, as `transformers` lists them.
NAMED: Final = (
    "bos_token",
    "eos_token",
    "unk_token",
    "sep_token",
    "pad_token",
    "cls_token",
    "mask_token",
)
#: What `AddedToken` takes; files of old releases have other keys as well.
_FLAGS: Final = ("single_word", "lstrip", "rstrip", "normalized", "special")
_PUBLISHED: Final = "use the files that the model was published with"


def load_library(files: ModelFiles) -> "tokenizers.Tokenizer":
    """Return a tokenizer of the package `tokenizers` that adds, cuts and pads nothing.

    Raises:
        RenderError: If there is no vocabulary, or it cannot be read; if the files were changed
            since they were found; or if they disagree on the id of a token.
    """
    content = read_file(files.folder, TOKENIZER_JSON)
    if content is None:
        library = _converted(files)
    else:
        _check_unchanged(files, content)
        library = _parsed(files, content)
    library.no_truncation()
    library.no_padding()
    if getattr(library.model, "dropout", None):
        # It is for training tokenizers; with it, the same text has other tokens each time.
        library.model.dropout = None
    _add_configured(library, files)
    return library


def continuing(library: "tokenizers.Tokenizer") -> "tokenizers.Tokenizer | None":
    """Return the tokenizer for text that goes on from another, where that is another one.

    Tokenizers of sentencepiece's kind put a blank before every text. In the middle of one, as a
    completion is, it would be a blank that nobody wrote. None where nothing is put before a text.
    """
    from tokenizers import Tokenizer

    parts = {
        name: json.loads(part.__getstate__())
        for name in ("normalizer", "pre_tokenizer")
        if (part := getattr(library, name)) is not None
    }
    if not any([_without_blank(parts, name) for name in parts]):
        return None
    return Tokenizer.from_str(json.dumps(json.loads(library.to_str()) | parts))


def _without_blank(holder: Any, key: str | int) -> bool:  # noqa: ANN401
    """Take out of a part of tokenizer.json what puts a blank before a text; say if there was."""
    part = holder[key]
    match part:
        case {"normalizers": list(parts)} | {"pretokenizers": list(parts)}:
            return any([_without_blank(parts, place) for place in range(len(parts))])
        case {"type": "Prepend"}:
            holder[key] = {"type": "Sequence", "normalizers": []}
        case {"type": "Metaspace"} if part.get("prepend_scheme", "always") != "never":
            part |= {"prepend_scheme": "never"}
            part.pop("add_prefix_space", None)
        case {"type": "ByteLevel", "add_prefix_space": True}:
            part["add_prefix_space"] = False
        case _:
            return False
    return True


def special_tokens(config: Mapping[str, Any]) -> dict[str, str]:
    """Return the named special tokens as text, as a chat template sees them.

    Besides those that every tokenizer may have, a model can name its own: `image_token`.
    """
    own = sorted(key for key in config if key.endswith("_token") and key not in NAMED)
    extra = config.get("extra_special_tokens")
    named = {key: config.get(key) for key in (*NAMED, *own)}
    named |= extra if isinstance(extra, Mapping) else {}
    found = {name: content_of(token) for name, token in named.items()}
    return {name: text for name, text in found.items() if text is not None}


def content_of(token: object) -> str | None:
    """Return the text of a token as a config has it: text, or an object with its flags."""
    if isinstance(token, Mapping):
        token = token.get("content")
    return token if isinstance(token, str) else None


def _parsed(files: ModelFiles, content: bytes) -> "tokenizers.Tokenizer":
    from tokenizers import Tokenizer

    try:
        return Tokenizer.from_buffer(content)
    except Exception as error:
        raise _unreadable(files, error) from error


def _converted(files: ModelFiles) -> "tokenizers.Tokenizer":
    """Have `transformers` make of another form what tokenizer.json would be."""
    where = Location(str(files.folder))
    if not any(name in files.digests for name in OTHER_VOCABULARIES) and not any(
        name.endswith(".tiktoken") for name in files.digests
    ):
        raise RenderError(
            f"`{files.name}` has no tokenizer.json, nor another form of a vocabulary",
            where,
            fix=f"name a folder or a model that has it, or {WAY_OUT}",
        )
    try:
        from transformers import AutoTokenizer
    except ImportError as error:
        raise RenderError(
            f"`{files.name}` has no tokenizer.json, and converting its vocabulary needs the "
            f"package `transformers` ({error})",
            where,
            fix="pip install transformers, or use a folder with tokenizer.json",
        ) from error
    try:
        made = AutoTokenizer.from_pretrained(
            files.folder, local_files_only=True, trust_remote_code=False
        )
        return _parsed(files, made.backend_tokenizer.to_str().encode())
    except RenderError:
        raise
    except Exception as error:
        raise _unreadable(files, error) from error


def _unreadable(files: ModelFiles, error: Exception) -> RenderError:
    said = " ".join(str(error).split())[:300]
    return RenderError(
        f"the tokenizer of `{files.name}` cannot be read: {said}",
        Location(str(files.folder)),
        fix=f"{_PUBLISHED}, and a release of `tokenizers` that knows them",
    )


def _check_unchanged(files: ModelFiles, content: bytes) -> None:
    if hashlib.sha256(content).hexdigest() != files.digests.get(TOKENIZER_JSON):
        raise RenderError(
            f"{TOKENIZER_JSON} was changed since it was found", Location(str(files.folder))
        )


def _add_configured(library: "tokenizers.Tokenizer", files: ModelFiles) -> None:
    """Add the tokens that the config has and tokenizer.json lacks, and set the flags it says."""
    try:
        wanted = {text: number for number, text in _add_listed(library, files.config)}
        wanted |= _add_older(library, files.config)
        _add_special(library, files.config)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise _unreadable(files, error) from error
    for text, number in wanted.items():
        found = library.token_to_id(text)
        if found != number:
            raise RenderError(
                f"token `{text}` has id {number} in the config of `{files.name}`, and "
                f"{found} in its vocabulary",
                Location(str(files.folder)),
                fix=_PUBLISHED,
            )


def _add_listed(
    library: "tokenizers.Tokenizer", config: Mapping[str, Any]
) -> list[tuple[int, str]]:
    decoder = config.get("added_tokens_decoder") or {}
    listed = sorted((int(number), token) for number, token in decoder.items())
    library.add_tokens([_added(token) for _, token in listed])
    return [(number, token["content"]) for number, token in listed]


def _add_older(library: "tokenizers.Tokenizer", config: Mapping[str, Any]) -> dict[str, int]:
    """Add what `added_tokens.json` has and tokenizer.json lacks; here the latter's flags win."""
    known = _known(library)
    older = config.get("added_tokens") or {}
    lacking = sorted((number, text) for text, number in older.items() if text not in known)
    special = {*special_tokens(config).values(), *extra_tokens(config)}
    library.add_tokens([_added({"content": t, "special": t in special}) for _, t in lacking])
    return {text: number for number, text in lacking}


def _add_special(library: "tokenizers.Tokenizer", config: Mapping[str, Any]) -> None:
    known = _known(library)
    for text in (*special_tokens(config).values(), *extra_tokens(config)):
        # One that is not in the vocabulary would get an id that the model has no embedding for.
        if text not in known and library.token_to_id(text) is not None:
            library.add_tokens([_added({"content": text, "special": True})])


def _known(library: "tokenizers.Tokenizer") -> set[str]:
    return {token.content for token in library.get_added_tokens_decoder().values()}


def extra_tokens(config: Mapping[str, Any]) -> list[str]:
    """Return the special tokens that the config lists without a name of their own."""
    found: list[str] = []
    for key in ("additional_special_tokens", "extra_special_tokens"):
        tokens = config.get(key) or []
        values = tokens.values() if isinstance(tokens, Mapping) else tokens
        found += [text for text in map(content_of, values) if text is not None]
    return found


def _added(token: Mapping[str, Any]) -> "tokenizers.AddedToken":
    from tokenizers import AddedToken

    flags = {name: token[name] for name in _FLAGS if name in token}
    flags.setdefault("normalized", not flags.get("special", False))
    return AddedToken(token["content"], **flags)
