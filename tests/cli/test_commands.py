"""What each command does with the library's results."""

import json
import os
from pathlib import Path

import pytest

from cotdata.bundled import bundled
from cotdata.manifest import Manifest
from cotdata.recipe import load_recipe
from tests.cli.conftest import CommandLine

SAMPLES = bundled("recipes") / "samples"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_build_prints_the_runs_folder_and_nothing_else(cotdata: CommandLine, here: Path) -> None:
    assert cotdata("build", "recipes/custom.yaml") == (0, "build/custom\n", "")
    assert (here / "build/custom/manifest.json").is_file()
    assert cotdata("build", "recipes/custom.yaml", "--workers", "1").out == "build/custom\n"


def test_build_passes_on_what_the_command_line_changes(cotdata: CommandLine, here: Path) -> None:
    notes = here / "mine.jsonl"
    notes.write_bytes(b"".join((SAMPLES / "custom_notes.jsonl").read_bytes().splitlines(True)[:9]))
    printed = cotdata(
        *("build", "recipes/custom.yaml", "--source", "notes=mine.jsonl", "--set", "seed=5"),
        *("--set", "stages.length.min_chars=1", "--output", "out", "--json", "--fresh"),
    )
    assert printed.code == 0
    run = json.loads(printed.out)
    assert (run["path"], run["report"], run["is_new"]) == ("out", "out/report.html", True)
    manifest = Manifest.model_validate(run["manifest"])
    assert manifest.seed == 5
    assert manifest.sources[0].read == 9
    assert manifest.overrides == {
        "source": {"notes": "mine.jsonl"},
        "set": {"seed": "5", "stages.length.min_chars": "1"},
    }
    assert str(here) not in printed.out


def test_build_tells_a_person_what_happened(on_terminal: CommandLine) -> None:
    printed = on_terminal("build", "recipes/medical.yaml", "--sample")
    assert printed.code == 0
    assert "Sample rows of the package, not real data." in printed.out
    twins = "exact_dedup: 4 of 107 rows were exact duplicates (medical_en 2, medical_zh 2);\n"
    assert f"{twins}rejected/ names the kept twins\n" in printed.out
    assert "medical_en      Question: blanks at the ends 1" in printed.out
    assert "103 rows kept (train 100, validation 3), 10 rejected" in printed.out
    lines = [line.split() for line in printed.out.splitlines()]
    assert ["length", "108", "107", "1", "too_short", "1"] in lines
    assert printed.out.endswith("build/medical-sample\nbuild/medical-sample/report.html\n")
    assert all(len(line) <= 80 for line in printed.out.splitlines())
    assert "exists already" in on_terminal("build", "recipes/medical.yaml", "--sample").out


def test_build_says_what_it_did_not_read_and_what_it_made(on_terminal: CommandLine) -> None:
    settings = ("--set", "sources.notes.rows=0:20", "--set", "sources.notes.repeat=2")
    printed = on_terminal("build", "recipes/custom.yaml", *settings)
    assert "notes: 20 of 28 records were read" in printed.out
    header = next(line for line in printed.out.splitlines() if "made" in line)
    assert header.split() == ["in", "made", "kept", "rejected", "why"]


def test_a_quiet_build_prints_the_folder_alone(on_terminal: CommandLine) -> None:
    assert on_terminal("build", "recipes/custom.yaml", "--quiet") == (0, "build/custom\n", "")


def test_errors_on_a_terminal_wrap_between_words(on_terminal: CommandLine) -> None:
    printed = on_terminal("build", "recipes/nowhere/to/be/found.yaml")
    assert printed.code == 2
    lines = printed.err.splitlines()
    assert lines[0] == "error: recipes/nowhere/to/be/found.yaml: there is no such file"
    assert len(lines) > 2
    assert all(len(line) <= 80 for line in lines)
    assert all(f"recipes/{name}.yaml" in printed.err for name in ("medical_math_mix", "custom"))


def test_another_run_is_not_overwritten_unasked(cotdata: CommandLine) -> None:
    build = ("build", "recipes/custom.yaml", "--output", "out")
    assert cotdata(*build).code == 0
    printed = cotdata(*build, "--set", "seed=1")
    assert (printed.code, printed.out) == (2, "")
    assert "--force" in printed.err
    assert cotdata(*build, "--set", "seed=1", "--force").code == 0


def test_a_broken_recipe_exits_2_with_every_problem(cotdata: CommandLine, here: Path) -> None:
    (here / "r.yaml").write_text("schema: 1\nseeed: 1\nsources: []\n")
    printed = cotdata("build", "r.yaml")
    assert (printed.code, printed.out) == (2, "")
    assert [line for line in printed.err.splitlines() if line.startswith("error: ")] == [
        "error: r.yaml:1:1: lacks the key 'name'",
        "error: r.yaml:2:1 (seeed): unknown key 'seeed'",
        "error: r.yaml:3:10 (sources): must be a list with at least one entry, not a list",
    ]


def test_an_interrupted_build_exits_130(
    cotdata: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("cotdata.run.build", interrupted)
    printed = cotdata("build", "recipes/custom.yaml")
    assert printed.code == 130
    assert "the same command goes on" in printed.err


def test_check_reads_no_data(cotdata: CommandLine) -> None:
    printed = cotdata("check", "recipes/medical.yaml")
    assert printed == (
        0,
        "recipes/medical.yaml: ok, 2 sources, 5 stages, builds build/medical\n",
        "",
    )


def test_check_names_the_inputs_that_are_missing(cotdata: CommandLine, here: Path) -> None:
    text = (bundled("recipes") / "custom.yaml").read_text(encoding="utf-8")
    (here / "r.yaml").write_text(text, encoding="utf-8")
    printed = cotdata("check", "r.yaml")
    assert (printed.code, printed.out) == (2, "")
    assert (
        "(sources[0].from): source 'notes': samples/custom_notes.jsonl: there is no" in printed.err
    )


@pytest.mark.parametrize("name", ["medical", "numina_math", "medical_math_mix", "custom"])
def test_an_explained_recipe_is_the_same_recipe(
    cotdata: CommandLine, here: Path, name: str
) -> None:
    printed = cotdata("check", f"recipes/{name}.yaml", "--explain")
    assert printed.code == 0
    (here / "explained.yaml").write_text(printed.out, encoding="utf-8")
    original, explained = load_recipe(f"recipes/{name}.yaml"), load_recipe("explained.yaml")
    assert explained.recipe.all_stages() == original.recipe.all_stages()
    assert explained.recipe.sources == original.recipe.sources
    assert explained.output == original.output
    assert "'unicode_nfc': true" in printed.out or "unicode_nfc: true" in printed.out


def test_init_proposes_a_recipe_that_builds(cotdata: CommandLine, here: Path) -> None:
    (here / "data").mkdir()
    (here / "recipes").mkdir()
    (here / "data/notes.jsonl").write_bytes((SAMPLES / "custom_notes.jsonl").read_bytes())
    assert cotdata("init", "data/notes.jsonl", "--output", "recipes/mine.yaml") == (
        *(0, "recipes/mine.yaml\n", ""),
    )
    assert load_recipe("recipes/mine.yaml").recipe.sources[0].from_ == "../data/notes.jsonl"
    assert cotdata("build", "recipes/mine.yaml").out == "build/notes\n"


def test_init_prints_what_it_would_write(cotdata: CommandLine, here: Path) -> None:
    (here / "notes.jsonl").write_bytes((SAMPLES / "custom_notes.jsonl").read_bytes())
    printed = cotdata("init", "notes.jsonl", "--name", "other")
    assert printed.out.startswith("# cotdata build RECIPE\nschema: 1\nname: other\n")


def test_init_overwrites_nothing_unasked(cotdata: CommandLine, here: Path) -> None:
    (here / "notes.jsonl").write_bytes((SAMPLES / "custom_notes.jsonl").read_bytes())
    (here / "mine.yaml").write_text("precious")
    printed = cotdata("init", "notes.jsonl", "--output", "mine.yaml")
    assert printed.code == 2
    assert "mine.yaml: is there already\n  fix: choose another name, or --force" in printed.err
    assert (here / "mine.yaml").read_text() == "precious"
    assert cotdata("init", "notes.jsonl", "--output", "mine.yaml", "--force").code == 0


def test_validate_lists_the_records_that_are_no_rows(cotdata: CommandLine) -> None:
    file = str(SAMPLES / "numina_math_cot.jsonl")
    printed = cotdata("validate", file, "--adapter", "numina_math_cot")
    assert printed.code == 2
    assert "numina_math_cot.jsonl:31  bad_json" in printed.out
    assert "57 records: 55 are rows, 2 are not (bad_json 1, invalid_row 1)" in printed.out


def test_validate_exits_0_where_every_record_is_a_row(cotdata: CommandLine) -> None:
    file = str(SAMPLES / "numina_math_cot.jsonl")
    printed = cotdata("validate", file, "--adapter", "numina_math_cot", "--rows", "0:30")
    assert printed.code == 0
    assert printed.out.endswith("30 records: 30 are rows, 0 are not\n")


@pytest.mark.parametrize(
    ("rows", "said"),
    [("29:30", "1 record: 1 is a row, 0 are not"), ("30:31", "1 record: 0 are rows, 1 is not (")],
)
def test_validate_counts_one_as_one(cotdata: CommandLine, rows: str, said: str) -> None:
    file = str(SAMPLES / "numina_math_cot.jsonl")
    assert said in cotdata("validate", file, "--adapter", "numina_math_cot", "--rows", rows).out


def test_validate_says_how_many_more_there_are(cotdata: CommandLine) -> None:
    file = str(SAMPLES / "numina_math_cot.jsonl")
    printed = cotdata("validate", file, "--adapter", "numina_math_cot", "--limit", "1")
    assert "… and 1 more; --limit 2 shows all" in printed.out
    assert "numina_math_cot.jsonl:43" not in printed.out


def test_validate_as_json_holds_every_problem(cotdata: CommandLine) -> None:
    file = str(SAMPLES / "numina_math_cot.jsonl")
    printed = cotdata("validate", file, "--adapter", "numina_math_cot", "--json", "--limit", "0")
    result = json.loads(printed.out)
    assert (printed.code, result["records"], result["kept"], result["rejected"]) == (2, 57, 55, 2)
    assert [problem["reason"] for problem in result["problems"]] == ["bad_json", "invalid_row"]
    assert isinstance(result["problems"][0]["evidence"], dict)


@pytest.mark.parametrize(
    ("adapter", "rows", "said"),
    [
        ("medical_01", "0:1", "--adapter medical_01 (sources[0].adapter): "),
        ("{Question: q", "0:1", "a bracket is never closed"),
        ("medical_o1", "5", "--rows 5 (sources[0].rows): must be like 0:500, not '5'"),
        ("medical_o1", "5:1", "ends (1) before it begins (5)"),
    ],
)
def test_validate_names_the_option_that_is_wrong(
    cotdata: CommandLine, adapter: str, rows: str, said: str
) -> None:
    printed = cotdata("validate", "x.jsonl", "--adapter", adapter, "--rows", rows)
    assert printed.code == 2
    assert said in printed.err


def test_a_wrong_option_without_a_fix_of_its_own_points_to_its_commands_help(
    cotdata: CommandLine,
) -> None:
    printed = cotdata("build", "recipes/custom.yaml", "--set", "seed=abc")
    assert printed.code == 2
    assert "--set seed=abc (seed): must be a whole number, not 'abc'\n  fix: " in printed.err
    printed = cotdata("validate", "x.jsonl", "--adapter", "nope")
    assert printed.err.startswith(
        "error: --adapter nope (sources[0].adapter): `nope` is no adapter"
    )
    assert "\n  fix: " in printed.err


def test_a_path_that_is_not_utf_8_is_escaped_in_json(
    cotdata: CommandLine, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = here / os.fsdecode(b"a\xffb")
    (cache / "v1/sources/0").mkdir(parents=True)
    monkeypatch.setenv("COTDATA_CACHE_DIR", str(cache))
    (entry,) = json.loads(cotdata("cache", "list", "--json").out)["entries"]
    assert entry["path"] == str(here / "a\\xffb/v1/sources/0")
    assert cotdata("cache", "list").out.endswith("\n1 entry, 0 bytes\n")


def test_validate_takes_a_mapping(cotdata: CommandLine) -> None:
    mapping = "{Question: question, Complex_CoT: rationale, Response: answer}"
    file = str(SAMPLES / "custom_notes.jsonl")
    assert cotdata("validate", file, "--adapter", mapping).code == 0


def test_verify_finds_what_was_changed(cotdata: CommandLine, here: Path) -> None:
    cotdata("build", "recipes/custom.yaml")
    printed = cotdata("verify", "build/custom")
    assert printed.code == 0
    assert printed.out.startswith("build/custom: ok, ")
    assert json.loads(cotdata("verify", "build/custom", "--json").out)["name"] == "custom"
    (here / "build/custom/README.md").write_text("other")
    printed = cotdata("verify", "build/custom")
    assert (printed.code, printed.out) == (2, "")
    assert "README.md" in printed.err


def test_schema_prints_writes_and_checks(cotdata: CommandLine, here: Path) -> None:
    assert json.loads(cotdata("schema", "row").out)["title"] == "A row of cotdata"
    assert cotdata("schema").out == cotdata("schema", "recipe").out
    assert cotdata("schema", "--write", "v1").out.splitlines() == [
        *("v1/row.json", "v1/recipe.json", "v1/manifest.json"),
    ]
    assert cotdata("schema", "--check", "v1") == (0, "", "")
    (here / "v1/row.json").write_text("{}")
    printed = cotdata("schema", "--check", "v1")
    assert printed.code == 2
    assert printed.err == (
        "error: v1: row.json: not what the models say\n  fix: cotdata schema --write v1\n"
    )


def test_the_cache_is_listed_and_cleared(cotdata: CommandLine) -> None:
    assert cotdata("cache", "list").out == "0 entries, 0 bytes\n"
    cotdata("build", "recipes/custom.yaml")
    listed = cotdata("cache", "list").out
    assert "sources" in listed
    assert "decisions" in listed
    entries = json.loads(cotdata("cache", "list", "--json").out)["entries"]
    assert {entry["kind"] for entry in entries} == {"sources", "decisions"}
    contents = {entry["content"] for entry in entries}
    assert "notes (samples/custom_notes.jsonl)" in contents
    assert any("exact_dedup" in content for content in contents)
    assert "custom_notes" in listed
    assert cotdata("cache", "clear", "--kind", "decisions").out.endswith(" freed\n")
    assert cotdata("cache", "clear").code == 0
    assert cotdata("cache", "list").out == "0 entries, 0 bytes\n"
    assert "list" in cotdata("cache").out


def test_hostile_records_do_not_steer_the_terminal(cotdata: CommandLine, here: Path) -> None:
    (here / "h.jsonl").write_text(
        '{"Question": 5, "\\u001b[2J[bold]": 1, "Complex_CoT": "\\u001b[31m"}\n'
    )
    for columns in ("medical_o1", "{Question: '\x1b[2J[bold]', Response: '\\x1b[2J[red]'}"):
        printed = cotdata("validate", "h.jsonl", "--adapter", columns)
        assert printed.code == 2
        assert "\x1b" not in printed.out + printed.err
