"""Recipes: the model, and how one is loaded with the place of every problem in it."""

from cotdata.recipe.loading import LoadedRecipe, load_recipe, missing_inputs
from cotdata.recipe.model import Output, Recipe, Render, Train
from cotdata.recipe.overrides import pairs

__all__ = [
    "LoadedRecipe",
    "Output",
    "Recipe",
    "Render",
    "Train",
    "load_recipe",
    "missing_inputs",
    "pairs",
]
