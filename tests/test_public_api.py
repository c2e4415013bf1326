"""What `import cotdata` offers is a promise."""

import pytest

import cotdata
from cotdata.errors import CotdataError


def test_the_public_names_are_these() -> None:
    assert cotdata.__all__ == [
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


@pytest.mark.parametrize("name", cotdata.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(cotdata, name) is not None
    assert name in dir(cotdata)


def test_every_error_is_a_cotdata_error() -> None:
    errors = [getattr(cotdata, name) for name in cotdata.__all__ if name.endswith("Error")]
    assert all(issubclass(error, CotdataError) for error in errors)


def test_other_names_are_not_there() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nope'"):
        _ = cotdata.nope
