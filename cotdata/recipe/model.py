"""The recipe as it is written: what a build reads, does, and where it puts the result."""

from pathlib import PurePosixPath
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from cotdata.recipe.conflicts import Conflict, conflicts
from cotdata.render.settings import Render
from cotdata.sources.source import Source
from cotdata.sources.source_file import is_url
from cotdata.sources.urls import without_local_folders, without_secrets
from cotdata.stages import AnyStage, Stage
from cotdata.stages.mix import Mix, Portion
from cotdata.stages.sample import Sample
from cotdata.stages.split import Split

#: The type of a pydantic error that stands for a `Conflict`.
CONFLICT: Final = "recipe_conflict"
#: A run's folder and its files are named after the recipe.
NAME_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$"
DEFAULT_SEED: Final = 3407

NotEmpty = Annotated[str, StringConstraints(min_length=1)]


def _whole_number(value: object) -> object:
    if isinstance(value, bool | float):  # equal to 1, and so a `Literal[1]` to pydantic
        raise PydanticCustomError("literal_error", "Input should be 1", {"expected": "1"})
    return value


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Output(_Section):
    """Where the run goes."""

    dir: NotEmpty | None = Field(
        default=None,
        description="The run's folder, relative to the working directory; `build/<name>`.",
    )


class Train(BaseModel):
    """Settings of a trainer. Not part of this version: a recipe that has it is refused."""

    model_config = ConfigDict(frozen=True, extra="allow")

    trainer: NotEmpty = Field(description="The trainer's name; all other keys are its own.")


class Recipe(_Section):
    """A cotdata recipe: sources, stages and where the run goes."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    schema_: Annotated[Literal[1], BeforeValidator(_whole_number)] = Field(
        alias="schema", description="The version of the recipe's form: 1."
    )
    name: Annotated[str, StringConstraints(pattern=NAME_PATTERN)] = Field(
        description="The run's name: letters, digits, `_`, `.`, `-`."
    )
    seed: Annotated[int, Field(ge=0, le=2**53)] = Field(
        default=DEFAULT_SEED, description="Decides every draw: splits, samples, mixing."
    )
    sources: Annotated[tuple[Source, ...], Field(min_length=1)] = Field(
        description="Where the records come from, in the order of the result's rows."
    )
    stages: tuple[Stage, ...] = Field(
        default=(), description="What is done to the rows, in this order."
    )
    render: Render | None = Field(
        default=None,
        description="How rows become tokens, after all stages; a run of text if left out.",
    )
    output: Output = Field(default=Output(), description="Where the run goes.")
    train: Train | None = Field(
        default=None, description="Not part of this version: a recipe that has it is refused."
    )

    @model_validator(mode="after")
    def _has_no_conflicts(self) -> Self:
        found = conflicts(
            [source.name for source in self.sources],
            [stage.kind for stage in self.stages],
            dict(enumerate(self.stages)),
            self.render,
            ["train"] if self.train is not None else [],
        )
        if found:
            raise ValidationError.from_exception_data("Recipe", [_line(item) for item in found])
        return self

    def resolved_stages(self) -> tuple[Stage, ...]:
        """Return the stages as they run: those without a seed of their own get the recipe's."""
        return tuple(
            stage.model_copy(update={"seed": self.seed})
            if isinstance(stage, Split | Sample) and stage.seed is None
            else stage
            for stage in self.stages
        )

    def all_stages(self) -> tuple[AnyStage, ...]:
        """Return everything that is done to the rows: the resolved stages, then the mixing."""
        mix = self.mix()
        return (*self.resolved_stages(), *([mix] if mix else []))

    def mix(self) -> Mix | None:
        """Return the mixing that follows from the sources' `weight`, `max_rows` and `repeat`.

        None where every source is used whole and once.
        """
        portions = tuple(
            Portion(
                source=source.name,
                weight=source.weight,
                max_rows=source.max_rows,
                repeat=source.repeat,
            )
            for source in self.sources
            if (source.weight, source.max_rows, source.repeat) != (1.0, None, 1)
        )
        return Mix(portions=portions, seed=self.seed) if portions else None

    def as_written(self) -> dict[str, Any]:
        """Return the recipe as its file has it, defaults filled in, for the manifest.

        Of a path on this machine (an absolute one, as `--source` and `--sample` give) only the
        name is left.
        """
        written = self.model_dump(mode="json", by_alias=True)
        places = [(source, "from") for source in written["sources"]]
        for section, key in [*places, (written["output"], "dir")]:
            section[key] = section[key] and without_folders(section[key])
        for source in written["sources"]:
            source["rows"] = source["rows"] and _range(**source["rows"])
        if self.render is not None:
            written["render"] = render_as_written(self.render)
        return written


def render_as_written(render: Render) -> dict[str, Any]:
    """Return a `render:` section with its defaults, for the manifest; of a folder only the name."""
    return render.model_dump(mode="json") | {"model": without_folders(render.model)}


def _range(first: int, stop: int | None) -> str:
    return f"{first}:{'' if stop is None else stop}"


def without_folders(path: str) -> str:
    """Return a path as it may stand in a manifest: of an absolute one only the name.

    That goes for URLs of local files too; other URLs lose their password and signature.
    """
    if is_url(path):
        return without_secrets(without_local_folders(path))
    return PurePosixPath(path).name if path.startswith(("/", "~")) else without_secrets(path)


def _line(conflict: Conflict) -> InitErrorDetails:
    kind = PydanticCustomError(
        CONFLICT, "{what}; {fix}", {"what": conflict.what, "fix": conflict.fix}
    )
    return InitErrorDetails(type=kind, loc=conflict.path, input=None)
