"""Opens the model that a run is rendered for."""

from pathlib import Path
from typing import TYPE_CHECKING

from cotdata.engine.progress import Progress
from cotdata.render.settings import Render
from cotdata.run.checkpoints import shaping_versions
from cotdata.run.rendering import rendering_versions

if TYPE_CHECKING:
    from cotdata.render.renderer import Renderer


def open_model(settings: Render, base: Path, progress: Progress) -> "Renderer":
    """Return a renderer for the model that the settings name.

    Args:
        settings: The section `render` of a recipe.
        base: What a model's folder is relative to.
        progress: Who is told what happens.

    Raises:
        RenderError: If the model cannot be had, or its template cannot be used.
    """
    from cotdata.render.opening import open_renderer  # with the tokenizer's library

    progress.start(f"look at {Path(settings.model).name}", None, "files")
    return open_renderer(settings, base)


def run_versions(renderer: "Renderer | None") -> dict[str, str]:
    """Return the versions of the packages that shape the bytes of a run."""
    return shaping_versions() | (rendering_versions() if renderer is not None else {})
