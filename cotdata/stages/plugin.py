"""Stages of other packages: found by entry point, run under the same laws as our own."""

from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, ClassVar, Final, Literal, Protocol, runtime_checkable

import polars as pl
from pydantic import BaseModel, Field

from cotdata.errors import StageError
from cotdata.stages.base import Scope, StageConfig, StageResult

ENTRY_POINT_GROUP: Final = "cotdata.stages"


@runtime_checkable
class StagePlugin(Protocol):
    """What a package offers under the entry point group `cotdata.stages`.

    The entry point names an object with these members (a module will do). `run` works on any part
    of the rows: it sees a shard, never the corpus, and must give the same result on any cut.
    """

    #: Changes with the behaviour; part of the cache key, and stands in the manifest.
    version: str
    #: A pydantic model of the settings, best with `extra="forbid"`.
    config_model: type[BaseModel]
    #: Reason → what it means and what its evidence holds.
    reasons: Mapping[str, str]
    #: Columns that the stage adds, with their types.
    adds: Mapping[str, pl.DataType]

    def run(self, rows: pl.DataFrame, config: Any) -> StageResult:  # noqa: ANN401
        """Split the rows into kept and rejected; `config` is a `config_model`."""
        ...


class Plugin(StageConfig):
    """Runs the stage `name` of another package with the settings `config`."""

    scope: ClassVar[Scope] = "row"
    version: ClassVar[int] = 1
    changes: ClassVar[bool] = True
    reasons: ClassVar[Mapping[str, str]] = {}

    kind: Literal["plugin"] = "plugin"
    name: str = Field(description="The plugin's name in the entry point group `cotdata.stages`.")
    config: dict[str, Any] = Field(default={}, description="The plugin's own settings.")


@cache
def load_plugin(name: str) -> StagePlugin:
    """Return the installed plugin of that name.

    Raises:
        StageError: If no installed package offers it, or what it offers lacks a member.
    """
    found = {point.name: point for point in entry_points(group=ENTRY_POINT_GROUP)}
    if name not in found:
        installed = ", ".join(sorted(found)) or "none"
        raise StageError(
            f"no plugin named '{name}' is installed; installed plugins: {installed}",
            fix="install the package that offers it into this environment, or correct `name`",
        )
    plugin = _import(found[name])
    if not isinstance(plugin, StagePlugin):
        members = ("version", "config_model", "reasons", "adds", "run")
        missing = ", ".join(member for member in members if not hasattr(plugin, member))
        raise StageError(
            f"plugin '{name}' lacks {missing}",
            fix="see cotdata.StagePlugin for what a plugin offers",
        )
    return plugin


def run_plugin(rows: pl.DataFrame, stage: Plugin) -> StageResult:
    """Run a plugin and hold it to the laws that our own stages keep.

    Raises:
        StageError: If it lost or made rows, gave no reason or evidence, gave a reason that it does
            not declare, or added or dropped a column that it should not have.
    """
    plugin = load_plugin(stage.name)
    result = plugin.run(rows, plugin.config_model.model_validate(stage.config))
    _check(stage.name, plugin, rows, result)
    return StageResult(
        result.kept.select(*rows.columns, *plugin.adds), result.rejected, dict(result.notes)
    )


def _import(point: EntryPoint) -> object:
    try:
        return point.load()
    except Exception as error:
        raise StageError(
            f"plugin '{point.name}' ({point.value}) cannot be imported: {error}",
            fix="repair or remove the package that offers it",
        ) from error


def _check(name: str, plugin: StagePlugin, rows: pl.DataFrame, result: StageResult) -> None:
    broken = None
    if result.kept.height + result.rejected.height != rows.height:
        kept, rejected = result.kept.height, result.rejected.height
        broken = f"{rows.height} rows in, {kept} kept and {rejected} rejected"
    elif missing := {*rows.columns, *plugin.adds} - set(result.kept.columns):
        broken = f"kept rows lack the columns {', '.join(sorted(missing))}"
    elif missing := {*rows.columns, "reason", "evidence"} - set(result.rejected.columns):
        broken = f"rejected rows lack the columns {', '.join(sorted(missing))}"
    elif result.rejected.select("reason", "evidence").null_count().sum_horizontal().sum():
        broken = "a rejected row has no reason or no evidence"
    elif undeclared := set(result.rejected["reason"].unique()) - set(plugin.reasons):
        broken = f"undeclared reasons: {', '.join(sorted(undeclared))}"
    if broken:
        raise StageError(f"plugin '{name}' broke the accounting: {broken}", fix="mend the plugin")
