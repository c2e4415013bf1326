"""`cotdata schema`."""

from pathlib import Path
from typing import Annotated, Literal

import typer


def schema(
    kind: Annotated[
        Literal["row", "recipe", "manifest"] | None,
        typer.Argument(help="Which one to print; recipe if left out."),
    ] = None,
    write: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write all of them into DIR.")
    ] = None,
    check: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Exit 2 if those in DIR differ.")
    ] = None,
) -> None:
    """Print the JSON Schema of a row, a recipe or a manifest."""
    from cotdata.cli.terminal import write_path, write_text
    from cotdata.schema import check_schemas, schemas, write_schemas

    if write is not None:
        for path in write_schemas(write):
            write_path(path)
    if check is not None:
        check_schemas(check)
    if write is None and check is None:
        write_text(schemas()[kind or "recipe"])
