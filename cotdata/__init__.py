"""cotdata turns chain-of-thought sources into training data that carries its own proof."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cotdata.errors import (
        CotdataError,
        Location,
        Problem,
        RecipeError,
        RenderError,
        SourceError,
        StageError,
        VerifyError,
        WriteError,
    )
    from cotdata.manifest import Manifest
    from cotdata.recipe import LoadedRecipe, Recipe, load_recipe
    from cotdata.row import Row
    from cotdata.run import Run, build, verify
    from cotdata.stages.base import StageResult
    from cotdata.stages.plugin import StagePlugin

__version__ = "0.1.0"

__all__ = [
    "CotdataError",
    "LoadedRecipe",
    "Location",
    "Manifest",
    "Problem",
    "Recipe",
    "RecipeError",
    "RenderError",
    "Row",
    "Run",
    "SourceError",
    "StageError",
    "StagePlugin",
    "StageResult",
    "VerifyError",
    "WriteError",
    "__version__",
    "build",
    "load_recipe",
    "verify",
]

# Where each name comes from. Imported when it is first asked for (PEP 562), so that the command
# line's help needs none of the libraries behind them.
_HOMES = {
    **dict.fromkeys(
        (
            "CotdataError",
            "Location",
            "Problem",
            "RecipeError",
            "RenderError",
            "SourceError",
            "StageError",
            "VerifyError",
            "WriteError",
        ),
        "cotdata.errors",
    ),
    **dict.fromkeys(("LoadedRecipe", "Recipe", "load_recipe"), "cotdata.recipe"),
    **dict.fromkeys(("Run", "build", "verify"), "cotdata.run"),
    "Manifest": "cotdata.manifest",
    "Row": "cotdata.row",
    "StagePlugin": "cotdata.stages.plugin",
    "StageResult": "cotdata.stages.base",
}


def __getattr__(name: str) -> object:
    """Import a public name when it is first asked for."""
    if name not in _HOMES:
        message = f"module 'cotdata' has no attribute '{name}'"
        raise AttributeError(message)
    from importlib import import_module

    value: object = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, imported or not."""
    return sorted({*globals(), *__all__})
