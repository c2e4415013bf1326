"""Builds runs and checks them: what knows sources, stages, engines, writers and report together."""

from cotdata.run.build import build
from cotdata.run.checkpoints import CacheEntry, cache_entries, cache_folder, clear_cache
from cotdata.run.child import render_run
from cotdata.run.finish import Run
from cotdata.run.rendered_rows import Lengths, ask_server, run_lengths, view_rendered_row
from cotdata.run.validation import Validation, validate_source
from cotdata.run.verify import verify

__all__ = [
    "CacheEntry",
    "Lengths",
    "Run",
    "Validation",
    "ask_server",
    "build",
    "cache_entries",
    "cache_folder",
    "clear_cache",
    "render_run",
    "run_lengths",
    "validate_source",
    "verify",
    "view_rendered_row",
]
