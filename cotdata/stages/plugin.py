"""Stages of other packages: found by entry point, run under the same laws as our own."""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from itertools import chain
from typing import Any, ClassVar, Final, Literal, Protocol, runtime_checkable

import orjson
import polars as pl
from pydantic import BaseModel, Field

from cotdata.errors import CotdataError, StageError
from cotdata.row import ROW_SCHEMA, is_valid, row_problems
from cotdata.stages.base import NUMBER, Scope, StageConfig, StageResult

ENTRY_POINT_GROUP: Final = "cotdata.stages"
# What a stage may not change: by these a row is found again.
_IDENTITY: Final = (NUMBER, "row_id", "origin", "source")
#: Columns that the build or `rejected/` uses; a plugin may add none of them.
RESERVED: Final = frozenset(
    {*ROW_SCHEMA, NUMBER, "split", "copies", "stage", "reason", "evidence", "raw"}
)


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
    if taken := sorted(RESERVED & set(plugin.adds)):
        raise StageError(
            f"plugin '{name}' adds {', '.join(taken)}, which cotdata itself uses",
            fix="let the plugin name its columns otherwise",
        )
    return plugin


def run_plugin(rows: pl.DataFrame, stage: Plugin) -> StageResult:
    """Run a plugin and hold it to the laws that our own stages keep.

    Raises:
        StageError: If it adds a column that is there already, raised an error, lost, made, renamed
            or moved rows, made of a row what is none by the row contract, gave no reason or no
            evidence, gave a reason that it does not declare, or lacks a column that it should have
            or has it in another type.
    """
    plugin = load_plugin(stage.name)
    if taken := sorted(plugin.adds.keys() & set(rows.columns)):
        raise StageError(
            f"plugin '{stage.name}' adds {', '.join(taken)}, which the rows have already",
            fix="run it once, or let the plugin name its columns otherwise",
        )
    result = _run(stage.name, plugin, rows, plugin.config_model.model_validate(stage.config))
    broken = next(chain(_misshapen(plugin, rows, result), _unaccounted(plugin, rows, result)), None)
    if broken:
        raise StageError(
            f"plugin '{stage.name}' broke the accounting: {broken}", fix="mend the plugin"
        )
    return StageResult(
        result.kept.select(*rows.columns, *plugin.adds),
        result.rejected.select(*rows.columns, "reason", "evidence"),
        dict(result.notes),
    )


def _import(point: EntryPoint) -> object:
    try:
        return point.load()
    except Exception as error:
        raise StageError(
            f"plugin '{point.name}' ({point.value}) cannot be imported: {error}",
            fix="repair or remove the package that offers it",
        ) from error


def _run(name: str, plugin: StagePlugin, rows: pl.DataFrame, config: BaseModel) -> StageResult:
    try:
        result: object = plugin.run(rows, config)
    except CotdataError:
        raise
    except Exception as error:
        raise StageError(
            f"plugin '{name}' failed: {type(error).__name__}: {error}", fix="mend the plugin"
        ) from error
    if not isinstance(result, StageResult):
        raise StageError(
            f"plugin '{name}' gave a {type(result).__name__}, not a StageResult",
            fix="mend the plugin",
        )
    return result


def _misshapen(plugin: StagePlugin, rows: pl.DataFrame, result: StageResult) -> Iterator[str]:
    """Yield what is wrong with the columns."""
    text = {"reason": pl.String(), "evidence": pl.String()}
    for side, frame, added in (
        ("kept", result.kept, plugin.adds),
        ("rejected", result.rejected, text),
    ):
        wanted = {**rows.schema, **added}
        if missing := wanted.keys() - set(frame.columns):
            yield f"{side} rows lack the columns {', '.join(sorted(missing))}"
        for name, dtype in wanted.items():
            if frame.schema[name] != dtype:
                yield f"column '{name}' of {side} rows is {frame.schema[name]}, not {dtype}"


def _unaccounted(plugin: StagePlugin, rows: pl.DataFrame, result: StageResult) -> Iterator[str]:
    """Yield what is wrong with the rows."""
    kept, rejected = result.kept, result.rejected
    if kept.height + rejected.height != rows.height:
        yield f"{rows.height} rows in, {kept.height} kept and {rejected.height} rejected"
    identity = [name for name in _IDENTITY if name in rows.columns]
    back = pl.concat([kept.select(identity), rejected.select(identity)])
    if not back.sort(identity).equals(rows.select(identity).sort(identity)):
        yield f"a row came back twice, or changed in {', '.join(identity)}"
    if NUMBER in rows.columns and not kept[NUMBER].is_sorted():
        yield "kept rows are not in the order in which they were given"
    if rejected.select("reason", "evidence").null_count().sum_horizontal().sum():
        yield "a rejected row has no reason or no evidence"
    if set(ROW_SCHEMA) <= set(rows.columns):
        yield from _no_rows_any_more(rows, kept)
    if undeclared := set(rejected["reason"].unique()) - set(plugin.reasons):
        yield f"undeclared reasons: {', '.join(sorted(undeclared))}"
    if not all(_is_json_object(text) for text in rejected["evidence"]):
        yield "evidence that is not a JSON object"


def _no_rows_any_more(rows: pl.DataFrame, kept: pl.DataFrame) -> Iterator[str]:
    """Yield the first kept row that breaks the row contract, and did not when it came."""
    invalid = kept.filter(~is_valid())
    if invalid.is_empty():
        return
    were_rows = rows.filter(is_valid()).select("row_id")
    invalid = invalid.join(were_rows, on="row_id", how="semi", maintain_order="left")
    for row in invalid.select(*ROW_SCHEMA).head(1).iter_rows(named=True):
        found = ", ".join(f"{each.column}: {each.problem}" for each in row_problems(row))
        yield f"row {row['row_id']} is no row any more: {found}"


def _is_json_object(text: str) -> bool:
    try:
        return isinstance(orjson.loads(text), dict)
    except orjson.JSONDecodeError:
        return False
