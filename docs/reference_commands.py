"""Writes the pages about the command line and the Python names from what the package offers."""

import inspect
from collections.abc import Callable, Iterator
from typing import Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

import typer
from reference_tables import paragraphs, raised_by, table

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


def python_page() -> str:
    """Return the page with every name that the package exports."""
    parts = [
        "# Python\n",
        "Whatever a command does, two calls do: `build(load_recipe(path))` is "
        "`cotdata build PATH`. These are the names that `cotdata` exports; everything else may "
        "change without notice. The package is typed.\n",
    ]
    named = {name: getattr(cotdata, name) for name in sorted(cotdata.__all__)}
    for name, item in named.items():
        if inspect.isclass(item) and issubclass(item, CotdataError):
            continue
        if inspect.isfunction(item):
            parts += [f"## {name}\n", f"    {name}{_signature(item)}\n", _described(item)]
        elif inspect.isclass(item):
            parts += [f"## {name}\n", f"A class: {_called(item)}.\n", paragraphs(item)]
    errors = [f"[{n}](errors.md#{n.lower()})" for n in named if n.endswith("Error")]
    parts.append(f"## Errors\n\n{', '.join(errors)}.\n")
    return "\n".join(parts)


def _called(item: type) -> str:
    return f"`{item.__module__}.{item.__qualname__}`"


def _signature(function: Any) -> str:  # noqa: ANN401
    return str(inspect.signature(function)).replace("'", "").replace("cotdata.", "")


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
