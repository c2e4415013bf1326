"""Where the files lie that the package ships beside its code: recipes and their sample rows."""

from importlib.resources import files
from pathlib import Path


def bundled(kind: str) -> Path:
    """Return the folder `kind` of the installed wheel, or that of the checkout."""
    package = Path(str(files("cotdata")))
    inside = package / "_bundled" / kind
    return inside if inside.is_dir() else package.parent / kind
