"""Finds a recipe's file, and says what else there is where it isn't."""

import stat
from difflib import get_close_matches
from pathlib import Path

from cotdata.bundled import bundled
from cotdata.errors import Location, RecipeError
from cotdata.recipe.document import MAX_BYTES

_ENDS = (".yaml", ".yml")
_MAX_NAMES = 8


def find_recipe(path: Path) -> Path:
    """Return where a recipe lies: the path itself, or the package's copy of `recipes/…`.

    Raises:
        RecipeError: If there is no such file, or it is a folder.
    """
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return _bundled_recipe(path)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise RecipeError(f"cannot be opened: {error}", Location(str(path))) from error
    if stat.S_ISDIR(mode):
        raise RecipeError("is a folder, not a recipe", Location(str(path)), _instead_of(path))
    if not stat.S_ISREG(mode):
        fix = "write the recipe to a file first"
        raise RecipeError("is not a regular file", Location(str(path)), fix)
    return path


def _instead_of(folder: Path) -> str:
    names = _recipes_in(folder)
    if not names:
        return f"no recipe is in it; `cotdata init FILE` proposes one, and {_shipped()}"
    shown = " or ".join(str(folder / name) for name in names[:_MAX_NAMES])
    return f"name a recipe in it: {shown}" + (" or others" if len(names) > _MAX_NAMES else "")


def _shipped() -> str:
    names = (f"recipes/{name}" for name in _recipes_in(bundled("recipes")))
    return f"the package ships {', '.join(names)}"


def read_recipe(path: Path) -> bytes:
    """Return a recipe's bytes, and of a file that is too long to be one, one too many.

    Raises:
        RecipeError: If it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        what = f"cannot be read: {error.strerror}"
        raise RecipeError(what, Location(str(path)), "make the file readable") from error


def _bundled_recipe(path: Path) -> Path:
    recipes = bundled("recipes")
    names = _recipes_in(recipes)
    if path.parts == ("recipes", path.name) and path.name in names:
        return recipes / path.name
    near = get_close_matches(path.name, _recipes_in(path.parent), n=3)
    shipped = [name for name in names if path.name in {name, Path(name).stem}]
    similar = get_close_matches(path.name, names, n=1)
    if shipped:
        fix = f"the package ships a recipe of this name: recipes/{shipped[0]}"
    elif near:
        fix = "did you mean " + " or ".join(str(path.parent / name) for name in near) + "?"
    elif similar:
        fix = f"did you mean recipes/{similar[0]}, which the package ships?"
    else:
        fix = _shipped()
    raise RecipeError("there is no such file", Location(str(path)), fix)


def _recipes_in(folder: Path) -> list[str]:
    try:
        return sorted(path.name for path in folder.iterdir() if path.suffix in _ENDS)
    except OSError:
        return []
