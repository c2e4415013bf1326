"""The environments of the peers: what is installed for each, step by step, in its own venv."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.settings import BenchmarkError

#: Comes first everywhere: what depends on torch would otherwise choose a build by itself.
_TORCH: Final = "torch==2.13.0"
#: Reads in the new environment what a package needs there, its extras left out.
_REQUIREMENTS: Final = """
import importlib.metadata, json, sys
from packaging.requirements import Requirement
needed = [Requirement(text) for text in importlib.metadata.requires(sys.argv[1]) or ()]
needed = [r for r in needed if r.marker is None or r.marker.evaluate({"extra": ""})]
print(json.dumps([str(r).partition(";")[0] for r in needed if r.name not in sys.argv[2:]]))
"""


@dataclass(frozen=True)
class Environment:
    """One venv.

    Attributes:
        name: of the folder, and on the command line.
        tool: the requirement that is measured, pinned.
        beside: requirements that are resolved together with it.
        without: what it asks for and does not get; it and its other needs are installed apart.
        reports: packages whose versions the table names.
    """

    name: str
    tool: str
    beside: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    reports: tuple[str, ...] = ("transformers",)

    def python(self, peers: Path) -> Path:
        """Return where its interpreter lies."""
        return peers / self.name / "bin" / "python"


ENVIRONMENTS: Final = (
    Environment(
        "trl-1.14.2",
        "trl==1.14.2",
        ("transformers==5.17.0", "datasets==4.8.5", "accelerate==1.15.0"),
        reports=("trl", "transformers"),
    ),
    Environment(
        "trl-1.16.0",
        "trl==1.16.0",
        ("transformers==5.23.0", "datasets==5.2.0", "accelerate==1.15.0"),
        reports=("trl", "transformers"),
    ),
    # No CPU build of torchvision or torchaudio fits this torch; text needs neither.
    Environment(
        "llamafactory-0.9.5",
        "llamafactory==0.9.5",
        without=("torchvision", "torchaudio"),
        reports=("llamafactory", "transformers"),
    ),
    Environment(
        "llamafactory-0.9.5-transformers-4.57",
        "llamafactory==0.9.5",
        ("transformers==4.57.6",),
        without=("torchvision", "torchaudio"),
        reports=("llamafactory", "transformers"),
    ),
    Environment("ms-swift-4.6.0", "ms-swift==4.6.0", reports=("ms-swift", "transformers")),
    Environment("axolotl-0.19.0", "axolotl==0.19.0", reports=("axolotl", "transformers")),
    # Asks for a certifi that not every index has yet; the masks open no connection.
    Environment(
        "unsloth_zoo-2026.10.9",
        "unsloth_zoo==2026.10.9",
        ("transformers==5.17.0", "trl==1.14.2", "datasets==4.8.5"),
        without=("certifi",),
        reports=("unsloth_zoo", "transformers"),
    ),
)


def set_up(names: Sequence[str], peers: Path, note: Callable[[str], None]) -> dict[str, str]:
    """Make the named environments, or all; return why, for each that could not be made.

    One that was finished before is left as it is; one that was not is made anew.
    """
    known = {environment.name: environment for environment in ENVIRONMENTS}
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise BenchmarkError(f"no such environment: {unknown}; there are {', '.join(known)}")
    failed = {}
    for name in names or known:
        if _mark(known[name], peers).exists():
            note(f"{name}: there already")
            continue
        note(f"{name}: installing")
        try:
            _install(known[name], peers)
        except BenchmarkError as error:
            failed[name] = str(error)
            _mark(known[name], peers, ".failed").write_text(str(error))
            note(f"{name}: failed\n{error}")
        else:
            _mark(known[name], peers, ".failed").unlink(missing_ok=True)
    return failed


def why_absent(environment: Environment, peers: Path) -> str | None:
    """Return why `environment` can't be used, or None where it can."""
    if _mark(environment, peers).exists():
        return None
    failed = _mark(environment, peers, ".failed")
    if failed.exists():
        return failed.read_text().strip().splitlines()[-1]
    return f"not installed: run `setup {environment.name}`"


def versions(environment: Environment, peers: Path) -> dict[str, str]:
    """Return the installed versions of what `environment` reports."""
    code = "import importlib.metadata as m, json, sys; "
    code += "print(json.dumps({name: m.version(name) for name in sys.argv[1:]}))"
    found = _run([str(environment.python(peers)), "-c", code, *environment.reports])
    return dict(json.loads(found))


def _install(environment: Environment, peers: Path) -> None:
    folder = peers / environment.name
    shutil.rmtree(folder, ignore_errors=True)
    peers.mkdir(parents=True, exist_ok=True)
    _run([sys.executable, "-m", "venv", str(folder)])
    _pip(environment, peers, _TORCH, "setuptools<81", "wheel", "packaging")
    if environment.without:
        _pip(environment, peers, "--no-deps", environment.tool)
        _pip(environment, peers, _TORCH, *_needs(environment, peers), *environment.beside)
    else:
        _pip(environment, peers, _TORCH, environment.tool, *environment.beside)
    _mark(environment, peers).touch()


def _needs(environment: Environment, peers: Path) -> list[str]:
    tool = environment.tool.partition("==")[0]
    command = [str(environment.python(peers)), "-c", _REQUIREMENTS, tool, *environment.without]
    return list(json.loads(_run(command)))


def _pip(environment: Environment, peers: Path, *what: str) -> None:
    _run([str(environment.python(peers)), "-m", "pip", "install", "--quiet", *what])


def _run(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        raise BenchmarkError("\n".join(lines[-12:]) or f"exit {done.returncode}")
    return done.stdout


def _mark(environment: Environment, peers: Path, ending: str = ".installed") -> Path:
    return peers / f"{environment.name}{ending}"
