"""Finds the files of a model's tokenizer and template: in a folder, or at a hub."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from cotdata.bundled import bundled
from cotdata.errors import Location, RenderError
from cotdata.render.token_hub import fetch_from_hub
from cotdata.render.token_hub_names import WAY_OUT, HubModel, parse_model
from cotdata.render.token_modelscope import fetch_from_modelscope

#: The vocabulary and all that belongs to it, in the form of `tokenizers`.
TOKENIZER_JSON: Final = "tokenizer.json"
#: Other forms of a vocabulary, which `transformers` converts; and `*.tiktoken`.
OTHER_VOCABULARIES: Final = ("tokenizer.model", "spiece.model", "vocab.json", "tekken.json")
#: What they are converted with: the merges of `vocab.json`, and the model's kind.
CONVERTED_WITH: Final = ("merges.txt", "config.json")
_CONFIG: Final = "tokenizer_config.json"
_SPECIAL: Final = "special_tokens_map.json"
_ADDED: Final = "added_tokens.json"
_GENERATION: Final = "generation_config.json"
_TEMPLATE: Final = "chat_template.jinja"
_PROCESSOR_TEMPLATE: Final = "chat_template.json"
_TEXTS: Final = (_TEMPLATE, _CONFIG, _SPECIAL, _ADDED, _GENERATION, _PROCESSOR_TEMPLATE)
# What a file of git-lfs holds until `git lfs pull` puts the content in its place.
_LFS_POINTER: Final = b"version https://git-lfs"


@dataclass(frozen=True)
class ModelFiles:
    """The files that say how a model's text becomes tokens.

    Attributes:
        name: The hub's id, or the folder's own name: nothing of where it lies on this machine.
        revision: A full commit, or what the hub has in its place; None for a folder.
        folder: Where the files lie.
        template: The chat template, in Jinja; None where the model has none.
        config: `tokenizer_config.json` and, where `transformers` reads it, what
            `special_tokens_map.json` says instead; `added_tokens` is then `added_tokens.json`.
        generation: `generation_config.json`, or nothing.
        digests: SHA-256 of each file that was read, in order of the names.
    """

    name: str
    revision: str | None
    folder: Path
    template: str | None = None
    config: Mapping[str, Any] = field(default_factory=dict)
    generation: Mapping[str, Any] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)


def open_model(model: str, base: Path, revision: str | None = None) -> ModelFiles:
    """Find the files of a model's tokenizer and template, and read all but the vocabulary.

    Args:
        model: A folder, relative to `base`; `owner/name` or `hf://owner/name`, of the Hugging Face
            Hub; or `modelscope://owner/name`. Where a folder has the name of a model, it is the
            folder.
        base: What a folder is relative to.
        revision: Commit, tag or branch at the hub; the newest if left out.

    Raises:
        RenderError: If there is no such model, its hub cannot be reached, or its files cannot be
            read.
    """
    path = base / Path(model).expanduser()
    if "://" not in model and path.exists():
        return _open_folder(path, model, revision)
    asked = parse_model(model, revision)
    fetch = fetch_from_modelscope if asked.is_modelscope else fetch_from_hub
    folder, resolved = fetch(asked)
    return _read(HubModel(asked.model_id, resolved), folder)


def sample_model() -> Path:
    """Return the folder of the package's own small tokenizer, on which `--sample` builds run."""
    return bundled("recipes") / "samples" / "tokenizer"


def read_file(folder: Path, name: str) -> bytes | None:
    """Return the content of a file of the folder, or None where it is not there.

    Raises:
        RenderError: If it is there and cannot be read, or stands for a file not yet fetched.
    """
    path = folder / name
    try:
        content = path.read_bytes() if path.is_file() else None
    except OSError as error:
        raise RenderError(
            f"{name} cannot be read: {error.strerror}", Location(str(path))
        ) from error
    if content is not None and content.startswith(_LFS_POINTER):
        raise RenderError(
            f"{name} is a pointer of git-lfs, not the file itself",
            Location(str(path)),
            fix="fetch the files with `git lfs pull`",
        )
    return content


def _open_folder(path: Path, model: str, revision: str | None) -> ModelFiles:
    if revision is not None:
        raise RenderError(
            f"`render.revision: {revision}` is for a hub's model, and `{model}` is a folder",
            fix="leave `render.revision` out",
        )
    # A path to one of the files means the folder that it lies in.
    folder = path if path.is_dir() else path.parent
    return _read(HubModel(folder.resolve().name, None), folder)


def _read(model: HubModel, folder: Path) -> ModelFiles:
    contents = {name: content for name in _TEXTS if (content := read_file(folder, name))}
    vocabulary = {name: content for name, content in _vocabulary(folder)}
    documents = {
        name: _document(folder / name, content)
        for name, content in contents.items()
        if name.endswith(".json")
    }
    template = _template(folder, contents.get(_TEMPLATE), documents)
    if not vocabulary and template is None:
        raise RenderError(
            f"`{model.model_id}` has neither {TOKENIZER_JSON} nor a chat template",
            Location(str(folder)),
            fix=f"name a folder or a model that has them, or {WAY_OUT}",
        )
    read = sorted({**contents, **vocabulary}.items())
    return ModelFiles(
        name=model.model_id,
        revision=model.revision,
        folder=folder,
        template=template,
        config=_merged(documents),
        generation=documents.get(_GENERATION, {}),
        digests={name: hashlib.sha256(content).hexdigest() for name, content in read},
    )


def _vocabulary(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Return the files that the tokenizer is made of: tokenizer.json, or all that stand for it."""
    content = read_file(folder, TOKENIZER_JSON)
    if content is not None:
        yield TOKENIZER_JSON, content
        return
    others = sorted(path.name for path in folder.glob("*.tiktoken"))
    for name in (*OTHER_VOCABULARIES, *others, *CONVERTED_WITH):
        content = read_file(folder, name)
        if content is not None:
            yield name, content


def _document(path: Path, content: bytes) -> dict[str, Any]:
    try:
        document = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise RenderError(f"{path.name} is not JSON: {error}", Location(str(path))) from error
    if not isinstance(document, dict):
        raise RenderError(f"{path.name} is not a JSON object", Location(str(path)))
    return document


def _template(
    folder: Path, content: bytes | None, documents: Mapping[str, dict[str, Any]]
) -> str | None:
    """Return the template that `transformers` takes; a file of its own is before the config's.

    `chat_template.json` is a processor's, of a model that also reads pictures: it comes last.
    """
    if content is not None:
        try:
            # As a file that is opened as text is read.
            return content.decode().replace("\r\n", "\n").replace("\r", "\n")
        except UnicodeDecodeError as error:
            where = Location(str(folder / _TEMPLATE))
            raise RenderError(f"{_TEMPLATE} is not UTF-8: {error}", where) from error
    for name in (_CONFIG, _PROCESSOR_TEMPLATE):
        found = documents.get(name, {}).get("chat_template")
        if isinstance(found, list):
            found = _default_of(found)
        if isinstance(found, str):
            return found
    return None


def _default_of(templates: Sequence[object]) -> object:
    for template in templates:
        if isinstance(template, dict) and template.get("name") == "default":
            return template.get("template")
    return None


def _merged(documents: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the tokenizer's config as `transformers` has it.

    Where `tokenizer_config.json` does not list the added tokens, what the two older files say
    comes before it (`transformers` 5, `tokenization_utils_base.py`, `_from_pretrained`).
    """
    config = dict(documents.get(_CONFIG, {}))
    if "added_tokens_decoder" not in config:
        config |= documents.get(_SPECIAL, {})
        config["added_tokens"] = documents.get(_ADDED, {})
    return config
