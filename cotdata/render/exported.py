"""The files of a model that a run keeps, so that what was rendered can be proven and served."""

from typing import Final

import orjson

from cotdata.render.model_files import ModelFiles, read_file
from cotdata.render.tokenizer import Tokenizer

_TOKENIZER: Final = "tokenizer.json"
_TEMPLATE: Final = "chat_template.jinja"
_GENERATION: Final = "generation_config.json"
_COPIED: Final = ("tokenizer_config.json", "special_tokens_map.json", "added_tokens.json")


def exported_files(
    model: ModelFiles, tokenizer: Tokenizer | None, template: str, stop_id: int
) -> dict[str, bytes]:
    """Return file name → content.

    `tokenizer.json` is the model's own, or what another form of vocabulary was converted to.
    `generation_config.json` names the stop token besides those at which the model stops anyway, so
    that a server of the trained model stops there too.
    """
    files = {_TEMPLATE: template.encode()}
    for name in _COPIED:
        if (content := read_file(model.folder, name)) is not None:
            files[name] = content
    if tokenizer is None:
        return files
    own = read_file(model.folder, _TOKENIZER)
    files[_TOKENIZER] = own if own is not None else tokenizer.library.to_str().encode()
    if stop_id not in tokenizer.eos_ids or model.generation:
        ids = list(dict.fromkeys([stop_id, *tokenizer.eos_ids]))
        generation = {**model.generation, "eos_token_id": ids[0] if len(ids) == 1 else ids}
        options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
        files[_GENERATION] = orjson.dumps(generation, option=options)
    return files
