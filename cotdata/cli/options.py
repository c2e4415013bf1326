"""Options that several commands have."""

from pathlib import Path
from typing import Annotated

import typer

Recipe = Annotated[
    Path, typer.Argument(metavar="RECIPE", help="The recipe, a YAML file.", show_default=False)
]
Sources = Annotated[
    list[str] | None,
    typer.Option(
        "--source",
        metavar="NAME=PATH",
        help="Read PATH (relative to here) in place of what source NAME reads.",
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Change a setting: stages.length.min_chars=100."
    ),
]
Sample = Annotated[
    bool, typer.Option("--sample", help="Read the package's own rows in place of all sources.")
]
Output = Annotated[
    Path | None, typer.Option(metavar="DIR", help="The run's folder, relative to here.")
]
Force = Annotated[
    bool, typer.Option("--force", help="Replace a run in the output folder, whichever it is.")
]
Workers = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Threads; one for each processor.")
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print no progress and no summary.")]
