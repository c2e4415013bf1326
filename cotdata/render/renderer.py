"""Renders rows for one model: texts, token ids, labels, and the proof of each."""

import hashlib
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cotdata.manifest import Evidence, RenderRecord
from cotdata.render.boundaries import merges
from cotdata.render.columns import CANDIDATES, IGNORED, TOKEN_COLUMNS, Rendered, render_schema
from cotdata.render.compose import Composer
from cotdata.render.encodings import Shape
from cotdata.render.exported import exported_files
from cotdata.render.messages import messages
from cotdata.render.model_files import ModelFiles
from cotdata.render.proof import Ids, Mask
from cotdata.render.prover import Claim, Judgement, Prover
from cotdata.render.settings import Render
from cotdata.render.token_ids import TokenIds
from cotdata.render.tokenizer import Tokenizer
from cotdata.render.verdict import Verdict

#: Raised when the same rows are rendered otherwise.
VERSION: Final = 2
_PLACE: Final = "__place__"


class Renderer:
    """Renders rows for one model; threads may share it.

    Args:
        settings: The recipe's section.
        model: The model's files.
        source: The chat template: the model's own, or a think frame's.
        composer: Writes prompts and completions.
        prover: Encodes and proves them.
    """

    def __init__(
        self, settings: Render, model: ModelFiles, source: str, composer: Composer, prover: Prover
    ) -> None:
        self.settings, self.model, self.source = settings, model, source
        self._composer, self._prover = composer, prover

    @property
    def verdict(self) -> Verdict:
        """What was decided about the template."""
        return self._composer.verdict

    @property
    def tokenizer(self) -> Tokenizer | None:
        """The model's tokenizer; None where the recipe says `tokens: false`."""
        return self._prover.tokenizer

    def identity(self) -> dict[str, Any]:
        """Return what decides the bytes: settings, template and tokenizer, as JSON can hold it."""
        settings = self.settings.model_dump(mode="json", exclude={"model", "revision"})
        return {
            "version": VERSION,
            "settings": settings,
            "template": hashlib.sha256(self.source.encode()).hexdigest(),
            "files": dict(self.model.digests),
        }

    def record(self) -> RenderRecord:
        """Return what the manifest says of model, template and verdict; counts come from a run."""
        verdict, frame = self.verdict, self.settings.frame
        settings = self.settings.model_dump(mode="json", exclude={"model", "revision"})
        tokenizer = self._prover.tokenizer
        return RenderRecord(
            model=self.model.name,
            revision=self.model.revision,
            files=dict(self.model.digests),
            frame=frame if isinstance(frame, str) else "custom",
            encoding=verdict.encoding.value,
            template_kwargs=dict(verdict.settings),
            date=self.settings.date,
            prompt=self.prompt_form(),
            completion=verdict.completion("{Complex_CoT}", "{Response}"),
            stop=verdict.stop,
            stop_id=tokenizer.token_id(verdict.stop) if tokenizer is not None else None,
            default_system=verdict.default_system,
            history=verdict.history,
            settings=settings,
            verdict=[
                Evidence(question=found.question, answer=found.answer, evidence=found.evidence)
                for found in verdict.findings
            ],
        )

    def prompt_form(self) -> str:
        """Return the prompt of a conversation of one question, with `{Question}` in its place."""
        shape = Shape(has_system=self.settings.system is not None)
        texts = {"Question": "{Question}", "system": self.settings.system or ""}
        (text, _), *_ = self._composer.prompts.render(shape, self.verdict.settings, [texts])
        return text or ""

    def files(self) -> dict[str, bytes]:
        """Return the files that a run's `tokenizer/` holds: all that tokenizer and template are."""
        tokenizer = self._prover.tokenizer
        return exported_files(self.model, tokenizer, self.source, self._prover.stop_id)

    def schema(self) -> pl.Schema:
        """Return the columns that rendering adds."""
        return render_schema(tokens=self.settings.tokens)

    def render(self, rows: pl.DataFrame) -> Rendered:
        """Render rows (`ROW_SCHEMA`; other columns are passed over) and prove each."""
        rows, changed = self._composer.neutralized(rows)
        composed, notes = self._composer.compose(rows)
        if changed:
            notes["control tokens broken up"] = changed
        good = composed.with_row_index(_PLACE).filter(pl.col("reason").is_null())
        source = rows if good.height == rows.height else rows[good[_PLACE].to_numpy()]
        texts = good.select("prompt", "completion")
        ids = self._prover.encode(texts) if self.settings.tokens else None
        judgement = self._judged(good, source, Claim(texts, ids), ids)
        lengths: dict[int, tuple[int, int]] = {}
        if ids is not None:
            lengths = _lengths(ids, judgement.reason)
            if ids.fell_back:
                notes["encoded without the fast library, which differed on a sample"] += good.height
            if crossed := merges(self._prover, texts):
                notes["boundary_merge"] += crossed
        made = texts.with_columns(
            text=pl.concat_str("prompt", "completion"),
            messages=messages(source, self.settings.system),
            reason=judgement.reason,
            evidence=judgement.evidence,
        ).with_columns(_estimate(texts) if ids is None else token_columns(ids))
        made = made.select(*self.schema(), "reason", "evidence")
        return Rendered(self._all(made, composed, good[_PLACE]), judgement.checks, notes, lengths)

    def compose(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Return prompt and completion (String) of the rows that can be written, without tokens."""
        neutral, _ = self._composer.neutralized(rows)
        composed, _ = self._composer.compose(neutral)
        return composed.filter(pl.col("reason").is_null()).select("prompt", "completion")

    def prove(self, rows: pl.DataFrame) -> Rendered:
        """Prove rows of a finished run again: what they hold against what rendering gives.

        Reads the columns of `ROW_SCHEMA` and of `schema()`. The result's `rows` has `reason` and
        `evidence` alone.
        """
        rows, _ = self._composer.neutralized(rows)
        composed, notes = self._composer.compose(rows)
        good = composed.with_row_index(_PLACE).filter(pl.col("reason").is_null())
        source = rows if good.height == rows.height else rows[good[_PLACE].to_numpy()]
        texts = source.select("prompt", "completion")
        wrong = _other_claims(source, self.settings.system, tokens=self.settings.tokens)
        if self.settings.tokens:
            again = self._prover.encode(texts)
            judgement = self._judged(
                good, source, Claim(texts, *claimed_tokens(source), wrong), again
            )
        else:
            judgement = self._judged(good, source, Claim(texts, wrong=wrong), None)
        made = pl.DataFrame([judgement.reason, judgement.evidence])
        found = self._all(made, composed, good[_PLACE]).select("reason", "evidence")
        return Rendered(found, judgement.checks, notes)

    def _judged(
        self, good: pl.DataFrame, source: pl.DataFrame, claim: Claim, again: Ids | None
    ) -> Judgement:
        found = self._prover.judge(good, claim, again)
        compared, different = self._prover.compare(source, good, claim.texts, found.reason)
        evidence = pl.Series("evidence", different, pl.String)
        found.checks["compared"] = int((compared & evidence.is_null().to_numpy()).sum())
        reason = pl.select(
            pl.when(evidence.is_not_null())
            .then(pl.lit("template_render"))
            .otherwise(found.reason)
            .alias("reason")
        ).to_series()
        return Judgement(reason, evidence.fill_null(found.evidence), found.checks)

    def _all(self, made: pl.DataFrame, composed: pl.DataFrame, places: pl.Series) -> pl.DataFrame:
        """Return a line for each row, those that could not be composed with their reason."""
        if made.height == composed.height:
            return made
        left = composed.with_row_index(_PLACE).filter(pl.col("reason").is_not_null())
        rejected = left.select(_PLACE, "reason", "evidence")
        placed = made.with_columns(places)
        return pl.concat([placed, rejected], how="diagonal").sort(_PLACE).drop(_PLACE)


def claimed_tokens(rows: pl.DataFrame) -> tuple[Ids, NDArray[np.int32]]:
    """Return the ids and labels that rows of a run have.

    A row's completion begins at its first label. Labels that are not as many as the row's ids
    count as none.
    """
    fits = pl.col("labels").list.len() == pl.col("input_ids").list.len()
    nothing = pl.lit(IGNORED, pl.Int32).repeat_by(pl.col("input_ids").list.len())
    labels = rows.select(pl.when(fits).then("labels").otherwise(nothing).alias("labels"))
    input_ids = _flat(rows["input_ids"])
    flat = _flat(labels["labels"]).ids
    return _bounded(input_ids, flat), flat


def _other_claims(rows: pl.DataFrame, system: str | None, *, tokens: bool) -> dict[str, Mask]:
    """Hold the columns that follow from others against them."""
    text = pl.col("text").ne_missing(pl.concat_str("prompt", "completion"))
    said = rows["messages"].ne_missing(messages(rows, system))
    wrong = {"round_trip": (rows.select(text).to_series() | said).to_numpy()}
    if tokens:
        n_tokens = pl.col("n_tokens").ne_missing(pl.col("input_ids").list.len().cast(pl.Int32))
        trained = pl.col("labels").list.eval(pl.element() != IGNORED).list.sum().cast(pl.Int32)
        counts = n_tokens | pl.col("n_trained").ne_missing(trained)
        wrong["trained_span"] = rows.select(counts).to_series().to_numpy()
    return wrong


def _bounded(input_ids: TokenIds, labels: NDArray[np.int32]) -> Ids:
    """Find where each row's completion begins: at its first label."""
    starts, size = input_ids.offsets, len(labels)
    trained = np.flatnonzero(labels >= 0)
    following = np.append(trained, size)[np.searchsorted(trained, starts[:-1])]
    return Ids(input_ids.ids, starts, np.minimum(following, starts[1:]))


def _flat(lists: pl.Series) -> TokenIds:
    offsets = np.zeros(len(lists) + 1, np.int64)
    np.cumsum(lists.list.len().fill_null(0).to_numpy(), out=offsets[1:])
    ids = lists.explode(empty_as_null=False, keep_nulls=False)
    return TokenIds(ids.cast(pl.Int32).to_numpy(), offsets)


def token_columns(ids: Ids) -> list[pl.Series]:
    """Return the columns of `TOKEN_COLUMNS`."""
    made = {
        "input_ids": TokenIds(ids.flat, ids.starts).lists(),
        "labels": TokenIds(ids.labels(), ids.starts).lists(),
        "n_tokens": pl.Series(ids.lengths()),
        "n_trained": pl.Series(ids.trained()),
    }
    return [made[name].cast(dtype).alias(name) for name, dtype in TOKEN_COLUMNS.items()]


def _estimate(texts: pl.DataFrame) -> list[pl.Series]:
    """Estimate tokens by bytes: some four to one, in English and in Chinese.

    Source: OpenAI's rule of thumb for English; measured on medical-o1 rows with Qwen's vocabulary
    by `benchmarks.tokens`.
    """
    size = texts.select(pl.concat_str("prompt", "completion").str.len_bytes()).to_series()
    return [(size.cast(pl.Float64) / 4).ceil().cast(pl.Int32).alias("n_tokens_estimate")]


def _lengths(ids: Ids, reason: pl.Series) -> dict[int, tuple[int, int]]:
    """Count the rows, and their trained tokens, that fit each candidate length."""
    counted = (reason.is_null() | (reason == "too_long")).to_numpy()
    lengths, trained = ids.lengths(), ids.trained()
    fitting = {limit: counted & (lengths <= limit) for limit in CANDIDATES}
    return {limit: (int(mask.sum()), int(trained[mask].sum())) for limit, mask in fitting.items()}
