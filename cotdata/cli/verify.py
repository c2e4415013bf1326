"""`cotdata verify`."""

from pathlib import Path
from typing import Annotated

import typer

from cotdata.cli.options import Json, Quiet


def verify(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder that a build printed.")],
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Check every hash and count of RUN against its manifest."""
    from cotdata.cli.progress import bars
    from cotdata.cli.terminal import counted, write_line, write_text
    from cotdata.run import verify as verify_run

    with bars(quiet=quiet) as progress:
        manifest = verify_run(run, progress)
    if as_json:
        write_text(manifest.to_json())
    else:
        rows = counted(sum(split.rows for split in manifest.splits.values()), "row")
        files = counted(len(manifest.outputs), "file")
        write_line(f"{run}: ok, {files}, {rows} kept, {manifest.rejected:,} rejected")
