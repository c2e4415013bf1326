"""On what and with what a benchmark ran, as far as it decides the figures."""

import os
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Final

from benchmarks.settings import ROOT

_LIBRARIES: Final = ("polars", "pyarrow", "datasets", "pydantic", "polars-hash", "numpy")


def describe_machine() -> dict[str, str]:
    """Return processor, cores, memory and kernel."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "processor": _first_field(Path("/proc/cpuinfo"), "model name"),
        "cores": str(os.cpu_count()),
        "memory": f"{pages / 2**30:.0f} GiB",
        "kernel": f"{platform.system()} {platform.release()}",
    }


def library_versions() -> dict[str, str]:
    """Return the versions of Python, of cotdata in this checkout and of the libraries measured."""
    script = "import cotdata; print(cotdata.__version__)"
    ours = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return {
        "python": platform.python_version(),
        "cotdata": ours.stdout.strip() or "not importable",
        **{name: version(name) for name in _LIBRARIES},
    }


def _first_field(path: Path, name: str) -> str:
    for line in path.read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return "unknown"
