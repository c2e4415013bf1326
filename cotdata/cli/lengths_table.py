"""How the lengths of a run's rows are shown."""

import orjson

from cotdata.cli.tables import print_table
from cotdata.cli.terminal import counted, write_line, write_text
from cotdata.report.text import share
from cotdata.run import Lengths


def print_lengths(found: Lengths, *, as_json: bool) -> None:
    """Print what each length would keep, or all of it as one JSON object."""
    if as_json:
        lengths = [length._asdict() for length in found.lengths]
        content = {"model": found.model, "rows": found.rows, "lengths": lengths}
        write_text(orjson.dumps(content))
        return
    write_line(f"{counted(found.rows, 'row')} in tokens of {found.model}")
    write_line("")
    has_trained = any(length.trained_tokens is not None for length in found.lengths)
    most = max((length.trained_tokens or 0 for length in found.lengths), default=0)
    columns = [">max_tokens", ">rows kept", ">share"]
    columns += [">trained tokens", ">share"] if has_trained else []
    rows = []
    for length in found.lengths:
        cells = [
            f"{length.max_tokens:,}", f"{length.rows:,}", share(length.rows, found.rows)
        ]  # fmt: skip
        if has_trained:
            trained = length.trained_tokens or 0
            cells += [f"{trained:,}", share(trained, most)]
        rows.append(cells)
    print_table(columns, rows)
