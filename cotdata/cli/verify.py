"""`cotdata verify`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cotdata.cli.options import Json, Quiet

if TYPE_CHECKING:
    from cotdata.manifest import RenderRecord


def verify(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder that a build printed.")],
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Check every hash and count of RUN against its manifest, and prove its tokens again."""
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
        tokens = proven(manifest.render)
        write_line(f"{run}: ok, {files}, {rows} kept, {manifest.rejected:,} rejected{tokens}")


def proven(render: "RenderRecord | None") -> str:
    """Return what was proven of a rendered run, to be said after its counts."""
    if render is None or render.tokens is None:
        return ""
    return f", all proven: {render.tokens:,} tokens, {render.trained or 0:,} of them trained"
