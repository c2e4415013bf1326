"""`cotdata validate`."""

from typing import Annotated

import typer

from cotdata.cli.options import Json, Quiet


def validate(
    file: Annotated[
        str,
        typer.Argument(metavar="FILE", help="A data file, a glob, a folder or hf://owner/name."),
    ],
    adapter: Annotated[
        str, typer.Option(metavar="ADAPTER", help="medical_o1, numina_math_cot, or {Question: q}.")
    ],
    rows: Annotated[
        str | None, typer.Option(metavar="FIRST:STOP", help="Only these records: 0:100.")
    ] = None,
    limit: Annotated[int, typer.Option(min=0, help="Problems that are shown.")] = 50,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Read FILE and say which records are no rows, and why. Exits 2 where there are any."""
    from pathlib import Path

    from cotdata.cli.failures import USER_MUST_CHANGE
    from cotdata.cli.problem_table import print_validation
    from cotdata.cli.progress import bars
    from cotdata.recipe import single_source
    from cotdata.run import validate_source

    source = single_source(file, adapter, rows)
    with bars(quiet=quiet) as progress:
        found = validate_source(source, Path.cwd(), progress)
    print_validation(found, limit=limit, as_json=as_json)
    if found.problems.height:
        raise typer.Exit(USER_MUST_CHANGE)
