"""Writes the pages about the command line and the Python names from what the package offers."""

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Any, Final, Literal, NamedTuple, get_args, get_origin, get_type_hints

import typer
from reference_tables import member_comments, paragraphs, raised_by, table

import cotdata
from cotdata.cli import app
from cotdata.errors import CotdataError


class Parameter(NamedTuple):
    """One argument or option of a command, from its function's signature."""

    label: str
    is_argument: bool
    is_required: bool
    default: object
    help: str


def commands() -> Iterator[tuple[str, Callable[..., object]]]:
    """Yield every command that does something, with its full name."""
    yield from _commands("cotdata", app)


def _commands(name: str, group: typer.Typer) -> Iterator[tuple[str, Callable[..., object]]]:
    for command in group.registered_commands:
        if command.callback is not None:
            yield f"{name} {command.name or command.callback.__name__}", command.callback
    for inner in group.registered_groups:
        if inner.typer_instance is not None:
            yield from _commands(f"{name} {inner.name}", inner.typer_instance)


def parameters(command: Callable[..., object]) -> Iterator[Parameter]:
    """Yield the parameters of a command, as its signature annotates them."""
    hints = get_type_hints(command, include_extras=True)
    for name, parameter in inspect.signature(command).parameters.items():
        kind, info = get_args(hints[name])
        is_required = parameter.default is inspect.Parameter.empty
        is_argument = isinstance(info, typer.models.ArgumentInfo)
        choices = [word for part in (kind, *get_args(kind)) for word in _words(part)]
        said = [info.help or ""]
        if choices:
            said.append(f"One of {', '.join(f'`{word}`' for word in choices)}.")
        if list[str] in (kind, *get_args(kind)):
            said.append("May be given several times.")
        if is_argument:
            word = info.metavar or name.upper()
            label = f"`{word}`" if is_required else f"`[{word}]`"
        else:
            options = _declared(info) or [f"--{name.replace('_', '-')}"]
            value = "" if kind is bool else f" {info.metavar or name.upper()}"
            label = ", ".join(f"`{option}{value}`" for option in options)
        yield Parameter(label, is_argument, is_required, parameter.default, " ".join(said))


def _declared(info: typer.models.ParameterInfo) -> list[str]:
    """Return the option's names; inside `Annotated`, typer keeps the first as the default."""
    names = (info.default, *(info.param_decls or ()))
    return [name for name in names if isinstance(name, str) and name.startswith("-")]


def _words(kind: object) -> tuple[object, ...]:
    return get_args(kind) if get_origin(kind) is Literal else ()


def cli_page() -> str:
    """Return the page with every command, its arguments and options."""
    parts = [
        "# Command line\n",
        "Results go to stdout, progress and errors to stderr. When stdout is not a terminal, "
        "`cotdata build` prints the run's folder alone, so that `run=$(cotdata build RECIPE)` "
        "works. `python -m cotdata` is the same program.\n",
        table(
            ["exit code", "meaning"],
            [
                ["0", "done"],
                ["1", "unexpected: please report it; `COTDATA_DEBUG=1` shows where it happened"],
                ["2", "you must change something; the message says what"],
                ["130", "interrupted; what was finished is kept, and the same command goes on"],
            ],
        ),
        table(
            ["variable", "meaning"],
            [
                ["`COTDATA_CACHE_DIR`", "where the cache is; else the user's cache folder"],
                ["`COTDATA_DEBUG`", "1: print where an unexpected error came from"],
                ["`HF_TOKEN`, `HF_ENDPOINT`, `HF_HUB_OFFLINE`", "as in `huggingface_hub`"],
            ],
        ),
        "`cotdata --version` prints the version, `-h` or `--help` the help of any command.\n",
    ]
    for name, command in commands():
        parts += [f"## {name}\n", paragraphs(command), f"    {_usage(name, command)}\n"]
        rows = [[p.label, _default(p), p.help] for p in parameters(command)]
        if rows:
            parts.append(table(["argument or option", "default", "meaning"], rows))
    return "\n".join(parts)


def _usage(name: str, command: Callable[..., object]) -> str:
    arguments = [p.label.strip("`") for p in parameters(command) if p.is_argument]
    return " ".join([name, "[OPTIONS]", *arguments])


def _default(parameter: Parameter) -> str:
    if parameter.is_required:
        return "**required**"
    return "" if parameter.default in {None, False} else f"`{parameter.default}`"


#: The modules in front of a type's name.
_MODULES: Final = re.compile(r"\b(?:\w+\.)+(?=[A-Z])")
#: Names that have a page of their own.
_ELSEWHERE: Final = {
    "Location": "errors.md#location",
    "Manifest": "manifest.md",
    "Problem": "errors.md#problem",
    "Recipe": "recipe.md",
    "Row": "row.md",
    "StagePlugin": "stages/plugin.md#what-a-plugin-offers",
}


#: What attributes mean whose names say nearly all.
_ATTRIBUTES: Final = {
    "recipe": "What the file says, with the command line's changes.",
    "path": "The run's folder.",
    "manifest": "What the run did.",
    "kept": "Rows that go on, with the columns that the stage adds.",
    "rejected": "Rows that don't, with their reason and evidence.",
    "notes": "Kind of change → how often.",
}


def exported() -> dict[str, Any]:
    """Return what the package exports, by name."""
    return {name: getattr(cotdata, name) for name in sorted(cotdata.__all__)}


def errors_raised() -> dict[str, list[str]]:
    """Return when each error is raised by what the package exports."""
    found: dict[str, list[str]] = {}
    for name, item in exported().items():
        if inspect.isfunction(item):
            for error, when in raised_by(item).items():
                found.setdefault(error, []).append(f"`{name}`: {when}")
    return found


def python_page() -> str:
    """Return the page with every name that the package exports."""
    parts = [
        "# Python\n",
        "Whatever a command does, two calls do: `build(load_recipe(path))` is "
        "`cotdata build PATH`. These are the names that `cotdata` exports; everything else may "
        "change without notice. The package is typed, and each name is imported when it is first "
        "asked for.\n",
    ]
    errors = []
    for name, item in exported().items():
        if name in _ELSEWHERE:
            parts += [f"## {name}\n", f"{paragraphs(item)}\n[Its page]({_ELSEWHERE[name]}).\n"]
        elif inspect.isfunction(item):
            parts += [f"## {name}\n", f"    {name}{_signature(item)}\n", _described(item)]
        elif inspect.isclass(item) and issubclass(item, CotdataError):
            errors.append(f"[{name}](errors.md#{name.lower()})")
        elif inspect.isclass(item):
            parts += [f"## {name}\n", paragraphs(item), _attributes(item)]
        else:
            parts += [f"## {name}\n", "The package's version, as text.\n"]
    parts.append(f"## Errors\n\n{', '.join(errors)}.\n")
    return "\n".join(parts)


def _attributes(item: type) -> str:
    said = member_comments(item)
    rows = [
        [f"`{x.name}`", f"`{_plain(x.type)}`", said.get(x.name) or _ATTRIBUTES[x.name]]
        for x in fields(item)
    ]
    return table(["attribute", "type", "meaning"], rows)


def _plain(annotation: object) -> str:
    said = annotation.__name__ if inspect.isclass(annotation) else str(annotation)
    return _MODULES.sub("", said)


def _signature(function: Any) -> str:  # noqa: ANN401
    return _MODULES.sub("", str(inspect.signature(function)).replace("'", ""))


def _described(function: Any) -> str:  # noqa: ANN401
    text = paragraphs(function)
    arguments = _arguments(function)
    if arguments:
        text += "\n" + table(["argument", "meaning"], arguments)
    errors = raised_by(function)
    if errors:
        rows = [[f"[`{name}`](errors.md#{name.lower()})", when] for name, when in errors.items()]
        text += "\n" + table(["raises", "when"], rows)
    return text


def _arguments(function: Any) -> list[list[str]]:  # noqa: ANN401
    doc = inspect.getdoc(function) or ""
    _, _, section = doc.partition("\nArgs:\n")
    found: list[list[str]] = []
    for line in section.partition("\n\n")[0].splitlines():
        name, colon, meaning = line.strip().partition(": ")
        if line.startswith("    ") and not line.startswith("     ") and colon:
            found.append([f"`{name}`", meaning])
        elif found:
            found[-1][1] += " " + line.strip()
    return found
