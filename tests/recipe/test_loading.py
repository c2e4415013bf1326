"""A recipe is loaded whole, or refused with every problem in it."""

import pickle
from pathlib import Path

import pytest

from cotdata.errors import RecipeError
from cotdata.recipe import Recipe, load_recipe, missing_inputs
from cotdata.stages.length import Length
from cotdata.stages.mix import Mix
from cotdata.stages.split import Split
from tests.recipe.recipes import SHIPPED, SHORTEST, load, places, problems

BROKEN = """\
schema: 2
name: my run
seeed: 4
sources:
  - name: a
    from: data.jsonl
    adapter: medical_o1
    weigth: 0.5
  - name: a
    from: hf://x/y
    adapter: medical_o1
    rows: 5
    streaming: yes
  - from: x
    adapter: {kind: medical_o1, foo: 1}
stages:
  - kind: lenght
  - kind: length
    max_chars: "60_000"
  - min_chars: 4
  - kind: split
    validation: 1.5
  - kind: split
    test: x
  - kind: exact_dedup
    on: [Question, Answer]
  - kind: exact_dedup
    keep: best
    by: score
  - kind: length
    min_chars: 5
    max_chars: 3
  - 5
render:
  model: x
  packing: true
output: build
"""


def test_reports_every_problem_with_its_place_in_order(tmp_path: Path) -> None:
    assert places(problems(tmp_path, BROKEN)) == [
        (1, 9, "schema"),
        (2, 7, "name"),
        (3, 1, "seeed"),
        (8, 5, "sources[0].weigth"),
        (9, 11, "sources[1].name"),
        (12, 11, "sources[1].rows"),
        (13, 16, "sources[1].streaming"),
        (14, 5, "sources[2]"),
        (15, 33, "sources[2].adapter.foo"),
        (17, 11, "stages[0].kind"),
        (19, 16, "stages[1].max_chars"),
        (20, 5, "stages[2]"),
        (22, 17, "stages[3].validation"),
        (23, 11, "stages[4].kind"),
        (24, 11, "stages[4].test"),
        (26, 20, "stages[5].on[1]"),
        (29, 9, "stages[6].by"),
        (30, 5, "stages[7]"),
        (33, 5, "stages[8]"),
        (36, 12, "render.packing"),
        (37, 9, "output"),
    ]


@pytest.mark.parametrize(
    ("line", "what", "fix"),
    [
        ("seeed: 4", "unknown key 'seeed'", "did you mean 'seed'? valid here: schema, name, seed"),
        ("seed: abc", "must be a whole number, not 'abc'", "`seed`: Decides every draw"),
        ("seed: '7'", "must be a whole number, not '7'", "write 7, without quotes"),
        ("seed: 1.0", "must be a whole number, not 1.0", None),
        ("seed: true", "must be a whole number, not true", None),
        ("seed: -1", "must be 0 or more, not -1", None),
        ("seed:", "must be a whole number, not empty", "give a value, or remove the line"),
        ("stages: {}", "must be a list, not a mapping", None),
        ("output: {dir: 5}", "must be text, not 5", 'write it in quotes: "5"'),
        ("output: {dir: ''}", "must be text that is not empty, not ''", None),
        ("stages: [{kind: spilt}]", "'spilt' is no stage", "did you mean 'split'?"),
        (
            "stages: [{kind: near_dedup}]",
            "the stage 'near_dedup' is not in this version of cotdata",
            "remove the stage; this version has normalize_text",
        ),
        (
            "stages: [{kind: langauge}]",
            "'langauge' is no stage",
            "'language' is not in this version of cotdata; it has normalize_text",
        ),
        (
            "stages: [{kind: mix}]",
            "'mix' is not written as a stage",
            "remove it: mixing follows from the sources' `weight`",
        ),
        ("stages: [{kind: split, test: '2%'}]", "must be a number, not '2%'", "write 0.02"),
        (
            "stages: [{kind: split, validation: 1.5}]",
            "must be a whole number or a number less than 1, not 1.5",
            "`validation`: Share of the rows (0.02), or number of rows (500)",
        ),
        ("stages: [{rows: 1}]", "lacks the key 'kind'", "valid here: normalize_text"),
        ("stages: [{kind: plugin}]", "lacks the key 'name'", "add `name: …`"),
        ("stages: [{kind: length, column: Reply}]", "'Reply' cannot stand here", "valid here"),
        (
            "stages: [{kind: exact_dedup, ignore_case: yes}]",
            "must be true or false, not 'yes'",
            "write true or false",
        ),
        (
            "stages: [{kind: plugin, name: absent}]",
            "no plugin named 'absent' is installed",
            "install the package",
        ),
        (
            "stages: [{kind: exact_dedup, keep: best, by: meta}]",
            "no earlier stage adds a numeric column 'meta'",
            "add a stage that does",
        ),
        ("render: {}", "lacks the key 'model'", "add `model: …` (Tokenizer and template"),
        ("render: {model: x, maxtokens: 5}", "unknown key 'maxtokens'", "did you mean"),
        (
            "render: {model: x, too_long: cut}",
            "'cut' cannot stand here",
            "valid here: reject",
        ),
        ("render: {model: x, date: today}", "'today' cannot stand here", "What templates"),
        (
            "render: {model: x, packing: true}",
            "rows are packed to `max_tokens`, which is not set",
            "add `max_tokens: …`, such as 4096",
        ),
        (
            "render: {model: x, max_tokens: 512, tokens: false}",
            "`max_tokens` needs token ids",
            "remove `tokens: false`, or `max_tokens`",
        ),
        (
            "train: {trainer: x, lr: 2}",
            "training is not part of this version of cotdata",
            "remove the section",
        ),
    ],
)
def test_says_what_is_wrong_and_how_to_mend_it(
    tmp_path: Path, line: str, what: str, fix: str | None
) -> None:
    (problem,) = problems(tmp_path, f"{SHORTEST}{line}\n")
    assert problem.what.startswith(what)
    assert (problem.fix or "").startswith(fix or "")
    assert problem.where is not None
    assert problem.where.line == 7


def test_a_missing_key_is_reported_where_its_parent_stands(tmp_path: Path) -> None:
    found = problems(tmp_path, "schema: 1\nsources:\n  - name: a\n    from: b\n")
    assert [problem.what for problem in found] == [
        "lacks the key 'name'",
        "lacks the key 'adapter'",
    ]
    assert places(found) == [(1, 1, None), (3, 5, "sources[0]")]


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "null\n"])
def test_says_that_a_recipe_is_empty(tmp_path: Path, text: str) -> None:
    (problem,) = problems(tmp_path, text)
    assert problem.what == "the recipe is empty"


@pytest.mark.parametrize("text", ["just text", "[1, 2]", "5"])
def test_a_recipe_is_a_mapping(tmp_path: Path, text: str) -> None:
    (problem,) = problems(tmp_path, text)
    assert problem.what.startswith("must be a mapping of keys to values")


def test_python_names_of_keys_are_no_keys(tmp_path: Path) -> None:
    text = SHORTEST.replace("schema:", "schema_:").replace("from:", "from_:")
    unknown = [p.what for p in problems(tmp_path, text) if p.what.startswith("unknown")]
    assert unknown == ["unknown key 'schema_'", "unknown key 'from_'"]


def test_a_recipe_made_in_python_keeps_the_same_rules() -> None:
    sources = [{"name": "a", "from": "b", "adapter": "medical_o1"}] * 2
    with pytest.raises(ValueError, match="has the name 'a' too"):
        Recipe.model_validate({"schema": 1, "name": "x", "sources": sources})


def test_fills_in_defaults(tmp_path: Path) -> None:
    loaded = load(tmp_path, SHORTEST)
    assert loaded.recipe.seed == 3407
    assert loaded.recipe.stages == ()
    assert loaded.recipe.mix() is None
    assert loaded.output == Path("build/tiny")
    assert loaded.base == tmp_path
    assert (loaded.sample, dict(loaded.overrides)) == (False, {})


def test_stages_without_a_seed_get_the_recipes(tmp_path: Path) -> None:
    text = f"{SHORTEST}seed: 9\nstages: [{{kind: sample, rows: 1, seed: 3}}, {{kind: split}}]\n"
    recipe = load(tmp_path, text).recipe
    assert [stage.seed for stage in recipe.resolved_stages()] == [3, 9]  # type: ignore[union-attr]
    assert isinstance(recipe.stages[1], Split)
    assert recipe.stages[1].seed is None


def test_mixes_the_sources_that_have_a_portion(tmp_path: Path) -> None:
    other = "  - {name: b, from: c, adapter: medical_o1, weight: 0.5, repeat: 2}\n"
    recipe = load(tmp_path, SHORTEST + other).recipe
    mix = recipe.mix()
    assert isinstance(mix, Mix)
    assert [(p.source, p.weight, p.max_rows, p.repeat) for p in mix.portions] == [
        ("b", 0.5, None, 2)
    ]
    assert mix.seed == recipe.seed
    assert recipe.all_stages()[-1] == mix


def test_a_written_recipe_names_no_folder_of_this_machine(tmp_path: Path) -> None:
    text = SHORTEST.replace("notes.jsonl", "/data/secret/x.jsonl") + "output: {dir: /data/out}\n"
    written = load(tmp_path, text).recipe.as_written()
    assert written["sources"][0]["from"] == "x.jsonl"
    assert written["output"]["dir"] == "out"
    assert written["schema"] == 1


@pytest.mark.parametrize(
    ("given", "recorded"),
    [
        ("file:///data/secret/x.jsonl", "x.jsonl"),
        ("local:///data/secret/x.jsonl", "x.jsonl"),
        ("simplecache::file:///data/secret/x.jsonl", "x.jsonl"),
        ("http://user:SECRET@host/x.jsonl?sig=SECRET", "http://host/x.jsonl"),
        ("s3://bucket/x-?.jsonl", "s3://bucket/x-?.jsonl"),
    ],
)
def test_a_written_recipe_records_no_secret_of_a_url(
    tmp_path: Path, given: str, recorded: str
) -> None:
    loaded = load(tmp_path, SHORTEST.replace("notes.jsonl", f'"{given}"'))
    assert loaded.recipe.as_written()["sources"][0]["from"] == recorded
    overridden = load(tmp_path, SHORTEST, sources={"notes": given})
    assert overridden.overrides == {"source": {"notes": recorded}}
    assert "SECRET" not in str(overridden.places)


@pytest.mark.parametrize(
    ("name", "fix"), [("klingon", "for example utf-8"), ("latn-1", "did you mean `latin-1`")]
)
def test_an_unknown_encoding_is_a_problem_of_the_recipe(
    tmp_path: Path, name: str, fix: str
) -> None:
    (problem,) = problems(tmp_path, SHORTEST + f"    encoding: {name}\n")
    assert f"`{name}` is no known text encoding" in problem.what
    assert fix in str(problem)
    assert places([problem]) == [(7, 15, "sources[0].encoding")]


@pytest.mark.parametrize(
    "rows", ["0:99999999999999999999", "99999999999999999999:", f"0:{2**53 + 1}"]
)
def test_a_range_beyond_any_file_is_a_problem_of_the_recipe(tmp_path: Path, rows: str) -> None:
    (problem,) = problems(tmp_path, f'{SHORTEST}    rows: "{rows}"\n')
    assert "is too large for a record's number (at most 9007199254740992)" in problem.what
    assert places([problem]) == [(7, 11, "sources[0].rows")]


def test_the_largest_range_and_a_number_of_thousands_of_digits_are_told_apart(
    tmp_path: Path,
) -> None:
    rows = load(tmp_path, f'{SHORTEST}    rows: "00:{2**53}"\n').recipe.sources[0].rows
    assert rows is not None
    assert (rows.first, rows.stop) == (0, 2**53)
    (problem,) = problems(tmp_path, f'{SHORTEST}    rows: "0:{"9" * 5000}"\n')
    assert "is too large" in problem.what
    assert len(problem.what) < 200


def test_a_recipe_error_survives_pickling(tmp_path: Path) -> None:
    with pytest.raises(RecipeError) as caught:
        load(tmp_path, BROKEN)
    again = pickle.loads(pickle.dumps(caught.value))
    assert again.problems == caught.value.problems


@pytest.mark.parametrize("name", SHIPPED)
@pytest.mark.parametrize("sample", [False, True])
def test_shipped_recipes_load(name: str, sample: bool) -> None:
    loaded = load_recipe(f"recipes/{name}.yaml", sample=sample)
    assert missing_inputs(loaded) == []
    assert any(isinstance(stage, Length) for stage in loaded.recipe.stages)
    assert loaded.output == Path("build") / f"{name}{'-sample' if sample else ''}"


def test_missing_inputs_are_named_where_the_recipe_names_them(tmp_path: Path) -> None:
    (tmp_path / "notes.jsonl.bak").touch()
    other = "  - {name: b, from: hf://nameless, adapter: medical_o1}\n"
    found = missing_inputs(load(tmp_path, SHORTEST + other))
    assert places(found) == [(5, 11, "sources[0].from"), (7, 21, "sources[1].from")]
    assert "source 'notes': notes.jsonl: there is no" in found[0].what
