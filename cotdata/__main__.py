"""The command line's process: `python -m cotdata`, ready for Ctrl-C before anything is imported."""

import os
import signal
from typing import Final

_INTERRUPTED: Final = 130


def main() -> None:
    """Import the command line and run it; until then, Ctrl-C ends the process without a word."""
    # A shell's job in the background has Ctrl-C ignored, and keeps it so.
    is_heard = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if is_heard:
        signal.signal(signal.SIGINT, lambda *_: os._exit(_INTERRUPTED))
    from cotdata.cli import main as run_command_line

    if is_heard:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    run_command_line()


if __name__ == "__main__":
    main()
