"""The dataset card of rendered runs."""

import yaml

from cotdata.manifest import (
    Manifest,
    PackingRecord,
    ParentRecord,
    Profile,
    RenderRecord,
    SourceRecord,
    SplitRecord,
    StageRecord,
)
from cotdata.writers.card import dataset_card

RENDER = RenderRecord(
    model="owner/na|me", files={}, frame="auto", encoding="inline", template_kwargs={},
    date="2026-01-01", prompt="p", completion="c", stop="<|im_end|>", stop_id=3, history="dropped",
    settings={}, checks={"reasoning": 12, "bos": 11}, compared=2, tokens=3_400, trained=1_200,
)  # fmt: skip
PACKING = PackingRecord(
    max_tokens=4_096, rows={"train": 10, "validation": 0}, utilisation=0.9127,
    sequences={"train": 7, "validation": 0}, tokens={"train": 3_400, "validation": 0},
)  # fmt: skip


def card(render: RenderRecord | None, **changes: object) -> str:
    profile = Profile(rows=10, lengths={}, nulls={}, sources={}, languages={})
    manifest = Manifest(
        name="a", fingerprint="f", seed=1, sample=False, overrides={}, recipe={}, sources=[],
        stages=[], splits={"train": SplitRecord(rows=10, sources={})}, rejected=0, columns=[],
        before=profile, after=profile, versions={}, outputs=[], render=render,
    )  # fmt: skip
    return dataset_card(manifest.model_copy(update=changes))


def configs(text: str) -> list[str]:
    header = yaml.safe_load(text.split("---\n")[1])
    return [config["config_name"] for config in header["configs"]]


def test_a_run_of_text_says_nothing_of_rendering() -> None:
    text = card(None)
    assert "Rendering" not in text
    assert configs(text) == ["default"]


def test_says_for_which_model_and_how_much_was_proven() -> None:
    text = card(RENDER)
    assert "| model | owner/na\\|me |" in text
    assert "| stop token | \\<\\|im_end\\|> |" in text
    assert "| trained tokens | 1,200 |" in text
    assert "| reasoning | 12 |" in text
    assert "| compared with the chat template's own render | 2 |" in text
    assert "no model's" not in text


def test_packed_rows_are_a_configuration_of_their_own_without_empty_splits() -> None:
    text = card(RENDER.model_copy(update={"packing": PACKING}))
    assert configs(text) == ["default", "packed"]
    assert "packed/validation" not in text
    assert "| packed sequences | 7, filled to 91.3% of 4,096 tokens |" in text


def test_an_estimate_and_the_packages_own_tokenizer_are_called_so() -> None:
    own = {"tokens": None, "trained": None, "tokens_estimate": 900, "sample": True}
    text = card(RENDER.model_copy(update=own))
    assert "| tokens, estimated | 900 |" in text
    assert "the small tokenizer that ships with cotdata, no model's" in text


def test_names_the_parent_run() -> None:
    assert "rows of the run `abc`" in card(
        RENDER, parent=ParentRecord(fingerprint="abc", sha256="")
    )


def test_repeats_that_could_not_be_rendered_are_no_kept_rows() -> None:
    source = SourceRecord(
        name="s", origin="s.jsonl", adapter="medical_o1", files=[], available=6, read=6, kept=6,
        rejected=0, reasons={}, notes={},
    )  # fmt: skip
    mix = stage("mix", rows_in=6, made=6, kept=12)
    rendered = stage("render", rows_in=12, kept=10, rejected=2)
    text = card(RENDER, sources=[source], stages=[mix, rendered])
    assert "10 of 12 rows were kept, 6 of the latter were made by repeating others;" in text


def stage(kind: str, rows_in: int, kept: int, made: int = 0, rejected: int = 0) -> StageRecord:
    return StageRecord(
        position=0, kind=kind, version=1, config={}, rows_in=rows_in, made=made, kept=kept,
        rejected=rejected, reasons={}, notes={},
    )  # fmt: skip
