"""What a recipe reads, looked at without reading it: are the inputs there, what may a file be."""

import glob
import os
from pathlib import Path

from cotdata.errors import Location, Problem, SourceError, WriteError
from cotdata.recipe.composer import parse
from cotdata.recipe.document import Document, Spot, ValuePath
from cotdata.recipe.loading import LoadedRecipe, check
from cotdata.recipe.overrides import check_is_text
from cotdata.sources.files import find_files
from cotdata.sources.hub.address import parse_hub_address
from cotdata.sources.source import HUB_SCHEMES, Source
from cotdata.sources.urls import without_secrets


def missing_inputs(loaded: LoadedRecipe) -> list[Problem]:
    """Return a problem for each source whose files are not there or of no known format.

    Asks no hub, and reads no file.
    """
    problems = []
    for source in loaded.recipe.sources:
        try:
            _find(source, loaded.base)
        except SourceError as error:
            named = f"{error.where}: {error.what}" if error.where else error.what
            what = f"source '{source.name}': {named}"
            problems.append(Problem(what, loaded.places[source.name], error.fix))
    return problems


def _find(source: Source, base: Path) -> None:
    if source.is_hub:
        parse_hub_address(source.from_, source.revision)
        return
    from cotdata.sources.local import LocalReader  # with pyarrow, which a hub doesn't need here

    for file in find_files(source.from_, base, source.format):
        LocalReader(file, source.format, source.encoding)  # knows whether there is such a format


def single_source(path: str, adapter: str, rows: str | None = None) -> Source:
    """Return a source as the command line describes it, named `file`.

    Args:
        path: A file, a glob, a folder or a hub's data set, relative to the working directory.
        adapter: An adapter's name, or a mapping as YAML.
        rows: Which records, as `0:100`.

    Raises:
        RecipeError: If the adapter or the rows cannot be.
    """
    check_is_text(path, Location("FILE"))
    given = {"from": path, "adapter": adapter, "rows": rows}
    labels = {
        "from": without_secrets(path),
        "adapter": f"--adapter {adapter}",
        "rows": f"--rows {rows}",
    }
    nowhere = Spot(None, Location("the command line"), None)
    spots: dict[ValuePath, Spot] = {(): nowhere}
    source: dict[str, object] = {"name": "file"}
    for key, text in given.items():
        if text is not None:
            is_yaml = key == "adapter"
            source[key] = parse(text, labels[key]).value if is_yaml else text
            spots["sources", 0, key] = Spot(None, Location(labels[key]), text)
    value = {"schema": 1, "name": "validate", "sources": [source]}
    return check(Document("the command line", value, spots)).sources[0]


def proposed_recipe(path: str, name: str | None = None, output: Path | None = None) -> str:
    """Look at the beginning of a file and return the text of a recipe for it.

    Args:
        path: A file, a glob or a folder, relative to the working directory.
        name: The recipe's; by the file's name if left out.
        output: Where the recipe will lie; its paths are relative to that file's folder.

    Raises:
        SourceError: If the file cannot be read, or no column can be the Question.
    """
    from cotdata.sources.local import LocalReader
    from cotdata.sources.proposal import propose

    if path.startswith(HUB_SCHEMES):
        fix = "copy one of the package's: `cotdata check recipes/medical.yaml --explain`"
        raise SourceError("a recipe is proposed for files only", Location(path), fix)
    first = find_files(path, Path.cwd())[0]
    peek = LocalReader(first, None, None).peek()
    is_relative = not path.startswith(("/", "~")) and "://" not in path
    folder = output.parent if output is not None else Path.cwd()
    label = _relative(path, folder) if is_relative else path
    stem = Path(path.rstrip("/")).name.partition(".")[0]
    called = output.name if output is not None and output.name.isprintable() else "RECIPE"
    return f"# cotdata build {called}\n{propose(peek, name or stem, label)}"


def _relative(path: str, folder: Path) -> str:
    """Return a pattern, relative to the working directory, as one relative to another folder."""
    # The names of folders on the way are no part of the pattern, whatever is in them.
    here, start = glob.escape(str(Path.cwd())), glob.escape(str(folder.absolute()))
    return os.path.relpath(f"{here}/{path}", start)


def write_recipe(text: str, path: Path, *, force: bool = False) -> None:
    """Write a recipe's text to a file.

    Raises:
        WriteError: If the file is there already and `force` is not set, or cannot be written.
    """
    try:
        with path.open("w" if force else "x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError as error:
        fix = "choose another name, or --force to overwrite it"
        raise WriteError("is there already", Location(str(path)), fix) from error
    except OSError as error:
        raise WriteError(f"cannot be written: {error.strerror}", Location(str(path))) from error
