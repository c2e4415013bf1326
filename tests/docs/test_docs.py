"""The documentation says what the code does: pages are complete, links resolve, blocks run."""

import importlib
import inspect
import json
import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import get_args

import pytest
import yaml
from typer.models import CommandInfo

import cotdata
import cotdata.errors
from cotdata.cli import app
from cotdata.errors import CotdataError
from cotdata.recipe import load_recipe
from cotdata.run import build
from cotdata.sources.adapters import ADAPTER_NAMES
from cotdata.stages import DatasetStage, RowStage
from cotdata.stages.mix import Mix
from tests.docs.pages import DOCS, NOT_RUN_BECAUSE, ROOT, blocks, prose_pages

REFERENCE = DOCS / "reference"
GENERATOR = [sys.executable, "docs/generate_reference.py"]
RUN_PAGE = Path(__file__).parent / "run_page.py"
RECIPES = ("medical", "numina_math", "medical_math_mix", "custom")
STAGES = [
    item.model_fields["kind"].default
    for item in (*get_args(RowStage), *get_args(DatasetStage), Mix)
]
ERRORS = [
    name
    for name, item in vars(cotdata.errors).items()
    if inspect.isclass(item) and issubclass(item, CotdataError)
]


def prose(page: Path) -> str:
    """Return a page's text without its code blocks."""
    return re.sub(r"^ *```.*?^ *```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)


def headings(page: Path) -> set[str]:
    text = prose(page)
    return set(re.findall(r"^#+ (.+)$", text, re.M))


def anchor(heading: str) -> str:
    """Return the id that Python-Markdown gives to a heading."""
    plain = re.sub(r"[^\w\s-]", "", heading.replace("`", "")).strip().lower()
    return re.sub(r"[-\s]+", "-", plain)


@pytest.fixture(scope="session")
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return one cache for all pages, so that each sample is read once."""
    return tmp_path_factory.mktemp("docs-cache")


@pytest.fixture(scope="session")
def sample_run(shared_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the medical sample once; pages that build it find it there and verify it."""
    folder = tmp_path_factory.mktemp("docs-run") / "build" / "medical-sample"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COTDATA_CACHE_DIR", str(shared_cache))
        return build(
            load_recipe(ROOT / "recipes" / "medical.yaml", sample=True, output=folder)
        ).path


def generate(folder: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    """Run the generator of the reference."""
    return subprocess.run(
        [*GENERATOR, *options], cwd=folder, capture_output=True, text=True, check=False
    )


def test_the_reference_is_what_the_code_says() -> None:
    done = generate(ROOT, "--check")
    assert done.returncode == 0, f"run `python docs/generate_reference.py`:\n{done.stderr}"


def test_the_generator_sees_changed_and_superfluous_pages_and_mends_them(tmp_path: Path) -> None:
    reference = shutil.copytree(DOCS, tmp_path / "docs") / "reference"
    assert generate(tmp_path).returncode == 0
    (reference / "row.md").write_text("# The row\n", encoding="utf-8")
    (reference / "old.md").write_text("# Old\n", encoding="utf-8")
    done = generate(tmp_path, "--check")
    assert done.returncode == 2
    assert done.stderr == "not current: row.md, old.md\nfix: python docs/generate_reference.py\n"
    assert generate(tmp_path).returncode == 0
    assert generate(tmp_path, "--check").returncode == 0
    assert not (reference / "old.md").exists()


@pytest.mark.parametrize("kind", STAGES)
def test_every_stage_has_a_page(kind: str) -> None:
    assert kind in headings(REFERENCE / "stages" / f"{kind}.md")


@pytest.mark.parametrize("name", [*ADAPTER_NAMES, "mapping"])
def test_every_adapter_has_a_heading(name: str) -> None:
    assert name in headings(REFERENCE / "adapters.md")


@pytest.mark.parametrize("name", ERRORS)
def test_every_error_has_a_heading(name: str) -> None:
    assert name in headings(REFERENCE / "errors.md")


@pytest.mark.parametrize("name", cotdata.__all__)
def test_every_exported_name_stands_on_the_python_page(name: str) -> None:
    page = REFERENCE / "python.md"
    assert name in headings(page) or f"[{name}](errors.md" in page.read_text(encoding="utf-8")


def commands() -> list[str]:
    """Return every command."""
    groups = [("cotdata", app)]
    found = []
    for name, group in groups:
        found += [f"{name} {command_name(command)}" for command in group.registered_commands]
        groups += [
            (f"{name} {inner.name}", inner.typer_instance)
            for inner in group.registered_groups
            if inner.typer_instance is not None
        ]
    return found


def command_name(command: CommandInfo) -> str:
    assert command.callback is not None
    return command.name or command.callback.__name__


def told_commands() -> list[str]:
    """Return every command, as the help of the real program lists them."""
    groups = ["cotdata"]
    found = []
    for group in groups:
        told = help_of(group).partition("\nCommands:\n")[2]
        names = [f"{group} {name}" for name in re.findall(r"^  (\w+)", told, re.M)]
        inner = [name for name in names if "\nCommands:\n" in help_of(name)]
        groups += inner
        found += [name for name in names if name not in inner]
    return found


@cache
def help_of(command: str) -> str:
    arguments = [sys.executable, "-m", *command.split(), "--help"]
    return subprocess.run(arguments, capture_output=True, text=True, check=True).stdout


def test_the_program_tells_of_the_same_commands() -> None:
    assert sorted(told_commands()) == sorted(commands())


@pytest.mark.parametrize("command", commands())
def test_every_command_has_a_heading_with_all_its_options(command: str) -> None:
    page = (REFERENCE / "cli.md").read_text(encoding="utf-8")
    section = re.search(rf"^## {command}\n(.*?)(?=^## |\Z)", page, re.M | re.S)
    assert section
    options = set(re.findall(r"(?<![\w-])--[a-z-]+", help_of(command))) - {"--help"}
    assert options <= set(re.findall(r"(?<![\w-])--[a-z-]+", section[1]))


def test_no_table_of_the_reference_has_an_empty_cell_where_something_is_explained() -> None:
    for page in REFERENCE.rglob("*.md"):
        for line in page.read_text(encoding="utf-8").splitlines():
            assert not re.search(r"\|\s*\|$", line), f"{page.name}: {line}"


def pages() -> list[Path]:
    return [*sorted(DOCS.rglob("*.md")), ROOT / "README.md"]


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_internal_link_leads_somewhere(page: Path) -> None:
    text = re.sub(
        r"^ *```.*?^ *```|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=re.M | re.S
    )
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, place = target.partition("#")
        found = (page.parent / path).resolve() if path else page
        assert found.exists(), target
        if place:
            assert place in {anchor(heading) for heading in headings(found)}, target


def test_the_navigation_lists_every_page_once() -> None:
    listed = re.findall(r"[\w/-]+\.md", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    there = [page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md")]
    assert sorted(listed) == sorted(there)


def test_the_site_asks_nothing_of_the_network() -> None:
    site = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    assert site["theme"]["font"] is False
    assert site["strict"] is True
    assert not {"extra_javascript", "extra_css"} & site.keys()


def test_blocks_that_are_not_run_are_few_and_say_why() -> None:
    left_out = [
        (page.relative_to(ROOT).as_posix(), block.not_run_because)
        for page in prose_pages()
        for block in blocks(page)
        if block.not_run_because is not None
    ]
    assert {reason for _, reason in left_out} <= set(NOT_RUN_BECAUSE), left_out
    assert len(left_out) <= 16, left_out


def test_every_make_target_that_a_page_names_is_there() -> None:
    there = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    named = {t for page in prose_pages() for block in blocks(page) for t in block.make_targets}
    assert named <= there


def pages_with_blocks() -> list[Path]:
    return [page for page in prose_pages() if blocks(page)]


@pytest.mark.slow
@pytest.mark.parametrize(
    "page", pages_with_blocks(), ids=lambda page: page.relative_to(ROOT).as_posix()
)
def test_every_code_block_runs(
    page: Path, tmp_path: Path, shared_cache: Path, sample_run: Path, installed_plugin: Path
) -> None:
    work = tmp_path / "work"
    shutil.copytree(sample_run, work / "build" / "medical-sample")
    listing = tmp_path / "blocks.json"
    to_run = [block for block in blocks(page) if not (block.not_run_because or block.make_targets)]
    listing.write_text(
        json.dumps(
            [
                {
                    **{key: getattr(block, key) for key in ("line", "language", "title", "code")},
                    "exit_code": block.exit_code,
                }
                for block in to_run
            ]
        ),
        encoding="utf-8",
    )
    done = subprocess.run(
        [sys.executable, str(RUN_PAGE), str(listing)],
        cwd=work,
        env=environment(tmp_path, shared_cache, installed_plugin),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{page.name}: {done.stderr}"


def environment(home: Path, cache: Path, plugin: Path) -> dict[str, str]:
    """Return an environment without a network, a home of its own, and the plugin installed."""
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    kept = {name: os.environ[name] for name in ("LANG", "LC_ALL") if name in os.environ}
    return {
        **kept,
        "PATH": programs,
        "HOME": str(home),
        "HF_HOME": str(home / "hf"),
        "HF_HUB_OFFLINE": "1",
        "COTDATA_CACHE_DIR": str(cache),
        "NO_COLOR": "1",
        "TERM": "dumb",
        "PYTHONPATH": str(plugin),
        "PYTHONUTF8": "1",
    }


def test_every_note_of_the_sample_builds_is_explained(tmp_path: Path) -> None:
    for name in RECIPES:
        loaded = load_recipe(ROOT / "recipes" / f"{name}.yaml", sample=True, output=tmp_path / name)
        manifest = build(loaded).manifest
        sources = (REFERENCE / "sources.md").read_text(encoding="utf-8")
        for source in manifest.sources:
            assert all(f"`{note}`" in sources for note in source.notes)
        for stage in manifest.stages:
            page = (REFERENCE / "stages" / f"{stage.kind}.md").read_text(encoding="utf-8")
            for note in stage.notes:
                general = re.sub(r"^\w+(?=: )", "<column>", note)
                assert f"`{note}`" in page or f"`{general}`" in page
            assert all(f"`{reason}`" in page for reason in stage.reasons)


def test_everything_in_timings_is_explained(sample_run: Path) -> None:
    page = (REFERENCE / "manifest.md").read_text(encoding="utf-8")
    timings = json.loads((sample_run / "timings.json").read_bytes())
    assert all(f"`{key}`" in page for key in timings)


def test_the_page_of_numbers_has_the_numbers_of_the_code() -> None:
    page = (DOCS / "explanation" / "numbers.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([\w.]+)` \| ([\d.]+)(?: ([KMG]iB))? \|", page, re.M)
    assert len(rows) >= 15
    units = {"": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
    for name, number, unit in rows:
        module, _, constant = name.rpartition(".")
        assert getattr(importlib.import_module(module), constant) == float(number) * units[unit]
