"""A recipe with every default written out."""

import yaml

from cotdata.recipe.model import Recipe

_HUB_ONLY = ("config", "split", "revision", "streaming")
_FILE_ONLY = ("format", "encoding")
#: The section that this version refuses.
_LATER = "train"


def spelled_out(recipe: Recipe) -> str:
    """Return the recipe as YAML that loads to the same recipe, with nothing left to a default.

    Settings that mean nothing for a source, a `render` that is not there, and the section that
    this version refuses, are left out; a stage without a seed of its own has the recipe's.
    """
    resolved = recipe.model_copy(update={"stages": recipe.resolved_stages()})
    written = resolved.model_dump(mode="json", by_alias=True, exclude={_LATER})
    rows = [source["rows"] for source in recipe.as_written()["sources"]]
    for source, source_rows, settings in zip(written["sources"], rows, recipe.sources, strict=True):
        source["rows"] = source_rows
        for name in _FILE_ONLY if settings.is_hub else _HUB_ONLY:
            del source[name]
    if recipe.render is None:
        del written["render"]
    written["output"]["dir"] = written["output"]["dir"] or f"build/{recipe.name}"
    return yaml.dump(written, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


class _Dumper(yaml.SafeDumper):
    """Writes YAML as people do: lists are indented, short ones stand on one line."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        super().increase_indent(flow, indentless=False)

    def represent_text(self, text: str) -> yaml.Node:
        return self.represent_scalar("tag:yaml.org,2002:str", text, '"' if "\n" in text else None)

    def represent_entries(self, entries: list[object]) -> yaml.Node:
        is_short = not any(isinstance(entry, dict | list) for entry in entries)
        return self.represent_sequence("tag:yaml.org,2002:seq", entries, flow_style=is_short)


_Dumper.add_representer(str, _Dumper.represent_text)
_Dumper.add_representer(list, _Dumper.represent_entries)
