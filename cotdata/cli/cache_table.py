"""How the cache's entries are shown."""

from collections.abc import Sequence

import orjson

from cotdata.cli.tables import print_table, size
from cotdata.cli.terminal import path_text, write_line, write_text
from cotdata.run import CacheEntry


def print_cache(entries: Sequence[CacheEntry], *, as_json: bool) -> None:
    """Print the entries as a table, or as one JSON object."""
    if as_json:
        listed = [
            {
                "kind": entry.kind,
                "content": entry.content,
                "key": entry.key,
                "path": path_text(entry.path),
                "bytes": entry.bytes,
                "rows": entry.rows,
                "used": entry.used.isoformat(timespec="seconds"),
                "is_done": entry.is_done,
            }
            for entry in entries
        ]
        write_text(orjson.dumps({"entries": listed}))
        return
    rows = [
        [
            entry.kind,
            f"{entry.rows:,}" if entry.is_done else "unfinished",
            size(entry.bytes),
            f"{entry.used.astimezone():%Y-%m-%d %H:%M}",
            entry.content,
        ]
        for entry in entries
    ]
    if rows:
        print_table(["kind", ">rows", ">size", "last used", "what"], rows)
    noun = "entry" if len(entries) == 1 else "entries"
    write_line(f"{len(entries)} {noun}, {size(sum(entry.bytes for entry in entries))}")
