"""Writes rows as their model is prompted and answers: texts, before any token."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import orjson
import polars as pl

from cotdata.render.encodings import Shape, turn_slot
from cotdata.render.forms import PYTHON_BLANKS, Form, Slot, can_join, expression, literal
from cotdata.render.prompts import PromptForm, Prompts
from cotdata.render.settings import Render
from cotdata.render.template_text import TemplateText
from cotdata.render.verdict import Plain, Verdict

#: What composing gives for each row, in its order; texts are null where `reason` is not.
COMPOSED_SCHEMA: Final = pl.Schema(
    {
        "prompt": pl.String(),
        "completion": pl.String(),
        #: As the template writes them; `reasoning` is null where there is none.
        "reasoning": pl.String(),
        #: What stands between reasoning and answer, and what ends the answer.
        "between": pl.String(),
        "end": pl.String(),
        #: An empty think block at the prompt's end that the template itself does not write.
        "block": pl.String(),
        #: What the template is called with, JSON.
        "settings": pl.String(),
        #: How often the prompt's form writes the bos token; -1 where no form wrote it.
        "bos_count": pl.Int64(),
        "reason": pl.String(),
        "evidence": pl.String(),
    }
)
_ROW: Final = "__row__"
_ROLES: Final = "__roles__"


class Group(NamedTuple):
    """Rows of one shape, with or without reasoning."""

    shape: Shape
    is_thinking: bool
    #: Their texts by slot, `Complex_CoT` and `Response`, and `__row__`.
    rows: pl.DataFrame


@dataclass(frozen=True)
class Composer:
    """Writes rows for one model."""

    settings: Render
    verdict: Verdict
    prompts: Prompts
    text: TemplateText
    #: Texts that a tokenizer or a reader of the answer takes for more than text.
    control: tuple[str, ...]
    bos: str | None

    def compose(self, rows: pl.DataFrame) -> tuple[pl.DataFrame, Counter[str]]:
        """Return what is written for each row (`COMPOSED_SCHEMA`), and what was noted.

        `rows` has Question, Complex_CoT, Response, system and history.
        """
        notes: Counter[str] = Counter()
        parts = [COMPOSED_SCHEMA.to_frame().with_columns(pl.lit(None, pl.Int64).alias(_ROW))]
        for group in self.groups(rows):
            parts.append(self._group(group, notes))
        composed = pl.concat([part.select(_ROW, *COMPOSED_SCHEMA) for part in parts])
        return composed.sort(_ROW).drop(_ROW), notes

    def neutralized(self, rows: pl.DataFrame) -> tuple[pl.DataFrame, int]:
        """Return rows with control tokens broken up, if the recipe says so, and how many had any.

        A space follows the token's first character: `< |im_end|>`.
        """
        if self.settings.control_tokens != "neutralize" or not self.control:
            return rows, 0
        tokens = list(self.control)
        broken = [token[:1] + " " + token[1:] for token in tokens]
        turns = pl.element().struct.with_fields(
            pl.field("content").str.replace_many(tokens, broken)
        )
        changed = rows.with_columns(
            pl.col("Question", "Complex_CoT", "Response", "system").str.replace_many(
                tokens, broken
            ),
            pl.col("history").list.eval(turns),
        )
        texts = ["Question", "Complex_CoT", "Response", "system", "history"]
        differs = [changed[name].ne_missing(rows[name]) for name in texts]
        return changed, int(pl.select(pl.any_horizontal(differs)).to_series().sum())

    def groups(self, rows: pl.DataFrame) -> Iterator[Group]:
        """Yield the rows by shape; `render.system` stands for a system prompt that a row lacks."""
        system = pl.col("system")
        if self.settings.system is not None:
            system = system.fill_null(self.settings.system)
        roles = pl.col("history").list.eval(pl.element().struct.field("role")).list.join(",")
        texts = rows.select(
            pl.int_range(pl.len(), dtype=pl.Int64).alias(_ROW),
            "Question",
            _blank_to_null("Complex_CoT"),
            _blank_to_null("Response"),
            system.alias("system"),
            "history",
            (pl.lit("") if rows["history"].null_count() == rows.height else roles.fill_null(""))
            .alias(_ROLES),
        )  # fmt: skip
        keys = [
            pl.col("system").is_not_null().alias("has_system"),
            pl.col(_ROLES),
            pl.col("Complex_CoT").is_not_null().alias("is_thinking"),
        ]
        for (has_system, roles_of, is_thinking), part in texts.group_by(keys, maintain_order=True):
            history = tuple(str(roles_of).split(",")) if roles_of else ()
            turns = [
                pl.col("history").list.get(place).struct.field("content").alias(turn_slot(place))
                for place in range(len(history))
            ]
            shape = Shape(bool(has_system), history)
            columns = part.select(_ROW, "Question", "Complex_CoT", "Response", "system", *turns)
            yield Group(shape, bool(is_thinking), columns)

    def _group(self, group: Group, notes: Counter[str]) -> pl.DataFrame:
        judged = self._checked(group)
        bad, good = (
            judged.filter(pl.col("reason").is_not_null()),
            judged.filter(pl.col("reason").is_null()),
        )
        parts = [_rejected(bad)]
        if good.height:
            parts.append(self._written(group._replace(rows=good), notes))
        return pl.concat(parts)

    def _checked(self, group: Group) -> pl.DataFrame:
        """Find the rows that cannot be written."""
        slots = [*group.shape.slots(), "Response", *(["Complex_CoT"] if group.is_thinking else [])]
        rows = group.rows
        if self.control:
            rows = self._without_control(rows, slots)
        else:
            rows = rows.with_columns(_no_reason())
        no_answer = pl.col("Response").is_null()
        has_form = group.is_thinking or self._plain() is not None
        missing = None if has_form else "no_reasoning"
        reason = pl.when(no_answer).then(pl.lit("no_answer")).otherwise(pl.lit(missing, pl.String))
        return rows.with_columns(
            reason=pl.coalesce(reason, "reason"),
            evidence=pl.coalesce(pl.when(reason.is_not_null()).then(pl.lit("{}")), "evidence"),
        )

    def _without_control(self, rows: pl.DataFrame, slots: Sequence[str]) -> pl.DataFrame:
        found = rows.select(
            pl.col(slot).str.contains_any(list(self.control)).fill_null(value=False)
            for slot in slots
        )
        hits = found.select(pl.any_horizontal(pl.all())).to_series()
        if not hits.any():
            return rows.with_columns(_no_reason())
        evidence = [
            self._control_evidence(record, slots) if is_hit else None
            for record, is_hit in zip(rows.iter_rows(named=True), hits, strict=True)
        ]
        return rows.with_columns(
            reason=pl.when(hits).then(pl.lit("control_tokens")),
            evidence=pl.Series(evidence, dtype=pl.String),
        )

    def _control_evidence(self, record: Mapping[str, Any], slots: Sequence[str]) -> str:
        for slot in slots:
            text = record[slot] or ""
            for token in self.control:
                if token in text:
                    return orjson.dumps({"column": slot, "token": token}).decode()
        return "{}"

    def _plain(self) -> Plain | None:
        match self.settings.without_reasoning:
            case "empty_block":
                return self.verdict.empty_block
            case "no_block":
                return self.verdict.no_block
            case _:
                return None

    def _written(self, group: Group, notes: Counter[str]) -> pl.DataFrame:
        """Write the prompts and completions of rows of one shape that are in order."""
        plain = None if group.is_thinking else self._plain()
        settings = self.verdict.settings if plain is None else plain.settings
        form = self.prompts.form(group.shape, settings)
        refusal = form.refusal
        if refusal is None and plain is None and not self.prompts.answers_as(
            self.verdict, group.shape
        ):  # fmt: skip
            refusal = "the template writes the answer otherwise in this kind of conversation"
        if refusal is not None:
            evidence = orjson.dumps({"message": refusal, "shape": str(group.shape)}).decode()
            return _rejected(
                group.rows.with_columns(
                    reason=pl.lit("template_refuses"), evidence=pl.lit(evidence)
                )
            )
        for slot in form.left_out:
            notes[f"template leaves out: {slot}"] += group.rows.height
        written = self._prompts(group, form, plain, notes)
        if plain is None:
            written = self._same_end(written)
        block = plain.block if plain is not None else ""
        completion = self._completion(plain)
        texts = {name: pl.col(name) for name in ("Complex_CoT", "Response")}
        reasoning = self.verdict.reasoning.expression(pl.col("Complex_CoT"))
        if plain is not None:
            notes["written without reasoning"] += written.height
        else:
            self._note_trims(written, notes)
        return written.with_columns(
            (pl.col("prompt") + block).alias("prompt"),
            completion=expression(completion, texts),
            reasoning=reasoning if plain is None else pl.lit(None, pl.String),
            between=pl.lit(self.verdict.between),
            end=pl.lit(self.verdict.end),
            block=pl.lit(block),
            settings=pl.lit(orjson.dumps(dict(settings), option=orjson.OPT_SORT_KEYS).decode()),
        ).select(_ROW, *COMPOSED_SCHEMA)  # fmt: skip

    def _same_end(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Reject prompts that do not end as the one by which the completion was decided."""
        end = self.verdict.prompt_end
        differs = ~pl.col("prompt").str.ends_with(end)
        message = orjson.dumps({"message": f"the generation prompt does not end in {end!r}"})
        return rows.with_columns(
            reason=pl.when(differs).then(pl.lit("template_refuses")).otherwise("reason"),
            evidence=pl.when(differs).then(pl.lit(message.decode())).otherwise("evidence"),
        )

    def _completion(self, plain: Plain | None) -> Form:
        answer = Slot("Response", self.verdict.answer)
        if plain is not None:
            return (plain.before, answer, self.verdict.end)
        reasoning = Slot("Complex_CoT", self.verdict.reasoning)
        verdict = self.verdict
        return (verdict.before, reasoning, verdict.between, answer, verdict.end)

    def _note_trims(self, rows: pl.DataFrame, notes: Counter[str]) -> None:
        for name, trim in (
            ("Complex_CoT", self.verdict.reasoning), ("Response", self.verdict.answer)
        ):  # fmt: skip
            changed = rows.select((trim.expression(pl.col(name)) != pl.col(name)).sum()).item()
            if changed:
                notes[f"blanks trimmed: {name}"] += int(changed)

    def _without_joined(self, rows: pl.DataFrame, form: Form) -> pl.DataFrame:
        """Reject prompts in which two texts make a control token together."""
        written = literal(form)
        for token in self.control:
            if not can_join(form, token):
                continue
            count = pl.col("prompt").str.count_matches(token, literal=True)
            joined = count != written.count(token)
            evidence = orjson.dumps({"column": "prompt", "token": token}).decode()
            rows = rows.with_columns(
                reason=pl.when(joined).then(pl.lit("control_tokens")).otherwise("reason"),
                evidence=pl.when(joined).then(pl.lit(evidence)).otherwise("evidence"),
            )
        return rows

    def _prompts(
        self, group: Group, form: PromptForm, plain: Plain | None, notes: Counter[str]
    ) -> pl.DataFrame:
        slots = group.shape.slots()
        if form.form is None or self.text.measures:
            notes["rendered by the template"] += group.rows.height
            return self._rendered(group, form.settings)
        texts = {slot: pl.col(slot) for slot in slots}
        made = (
            literal(form.form) + literal(self._completion(plain)) + (plain.block if plain else "")
        )
        bos_count = made.count(self.bos) if self.bos else 0
        written = group.rows.with_columns(
            prompt=expression(form.form, texts), bos_count=pl.lit(bos_count, pl.Int64)
        )
        written = self._without_joined(written, form.form)
        special = self._special(group.rows, slots)
        if special is None or not special.any():
            return written
        notes["rendered by the template"] += int(special.sum())
        rendered = self._rendered(group._replace(rows=group.rows.filter(special)), form.settings)
        return pl.concat([written.filter(~special), rendered.select(written.columns)])

    def _special(self, rows: pl.DataFrame, slots: Sequence[str]) -> pl.Series | None:
        """Say which rows hold a text that the template looks for; None if it looks for none."""
        folds = self.text.folds_case
        tests = [
            pl.col(slot).str.contains_any(list(self.text.searched), ascii_case_insensitive=folds)
            for slot in slots
            if self.text.searched
        ]
        compared = [text.lower() if folds else text for text in self.text.compared]
        for slot in slots if compared else ():
            text = pl.col(slot).str.to_lowercase() if folds else pl.col(slot)
            tests += [text.is_in(compared), text.str.strip_chars(PYTHON_BLANKS).is_in(compared)]
        return rows.select(pl.any_horizontal(tests)).to_series() if tests else None

    def _rendered(self, group: Group, settings: Mapping[str, Any]) -> pl.DataFrame:
        """Let the template itself write prompts."""
        slots = list(group.shape.slots())
        found = self.prompts.render(group.shape, settings, group.rows.select(slots).to_dicts())
        evidence = [
            None if text is not None else orjson.dumps({"message": error}).decode()
            for text, error in found
        ]
        return group.rows.with_columns(
            pl.Series("prompt", [text for text, _ in found], pl.String),
            bos_count=pl.lit(-1, pl.Int64),
            evidence=pl.Series(evidence, dtype=pl.String),
        ).with_columns(
            reason=pl.when(pl.col("evidence").is_not_null()).then(pl.lit("template_refuses"))
        )


def _blank_to_null(name: str) -> pl.Expr:
    text = pl.col(name)
    return pl.when(text.str.strip_chars(PYTHON_BLANKS) != "").then(text).alias(name)


def _no_reason() -> list[pl.Expr]:
    return [pl.lit(None, pl.String).alias(name) for name in ("reason", "evidence")]


def _rejected(rows: pl.DataFrame) -> pl.DataFrame:
    nothing = [
        pl.lit(None, dtype).alias(name)
        for name, dtype in COMPOSED_SCHEMA.items()
        if name not in {"reason", "evidence"}
    ]
    return rows.with_columns(nothing).select(_ROW, *COMPOSED_SCHEMA)
