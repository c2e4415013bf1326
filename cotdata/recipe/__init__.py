"""Recipes: the model, and how one is loaded with the place of every problem in it."""

from cotdata.recipe.inputs import missing_inputs, proposed_recipe, single_source, write_recipe
from cotdata.recipe.loading import LoadedRecipe, load_recipe
from cotdata.recipe.model import Output, Recipe, Train
from cotdata.recipe.overrides import pairs
from cotdata.recipe.render_settings import render_settings
from cotdata.recipe.spelled_out import spelled_out
from cotdata.render.settings import Render

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
    "render_settings",
    "single_source",
    "spelled_out",
    "write_recipe",
]
