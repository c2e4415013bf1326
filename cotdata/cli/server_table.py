"""How the comparison with a running server is shown."""

from collections.abc import Sequence
from typing import Final

import orjson

from cotdata.cli.tables import print_table
from cotdata.cli.terminal import counted, write_line, write_text
from cotdata.render.server import Answer, Server, shown
from cotdata.report.text import visible

_WEAKER: Final = (
    "This server gives the number of prompt tokens alone: equal numbers are a weaker proof than "
    "equal ids."
)


def print_answers(server: Server, answers: Sequence[Answer], *, as_json: bool) -> None:
    """Print what was compared and what differs, or both as one JSON object."""
    if as_json:
        content = {
            "server": server.kind,
            "url": shown(server.url),
            "model": server.model,
            "rows": [answer._asdict() for answer in answers],
        }
        write_text(orjson.dumps(content))
        return
    different = [answer for answer in answers if answer.difference is not None]
    if different:
        rows = [
            [answer.row_id, answer.compared, visible(answer.difference or "")]
            for answer in different
        ]
        print_table(["row", "compared", "what differs"], rows)
        write_line("")
    compared = ", ".join(dict.fromkeys(answer.compared for answer in answers)) or "nothing"
    same = len(answers) - len(different)
    write_line(
        f"{server.kind} server at {shown(server.url)}: {same} of {counted(len(answers), 'prompt')} "
        f"the same ({compared})"
    )
    if server.kind == "OpenAI":
        write_line(_WEAKER)
