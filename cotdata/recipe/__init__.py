"""Recipes: the model, and how one is loaded with the place of every problem in it."""

from cotdata.recipe.inputs import missing_inputs, proposed_recipe, single_source, write_recipe
from cotdata.recipe.loading import LoadedRecipe, load_recipe
from cotdata.recipe.model import Output, Recipe, Render, Train
from cotdata.recipe.overrides import pairs
from cotdata.recipe.spelled_out import spelled_out

__all__ = [
    "LoadedRecipe",
    "Output",
    "Recipe",
    "Render",
    "Train",
    "load_recipe",
    "missing_inputs",
    "pairs",
    "proposed_recipe",
    "single_source",
    "spelled_out",
    "write_recipe",
]
