"""The example plugin, really built and installed, for the tests of the documentation."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import DOCS


def install(package: Path, target: Path) -> Path:
    """Build a package with the build tools that are here, and install it into a folder."""
    options = ["--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--upgrade"]
    command = [sys.executable, "-m", "pip", "install", *options, "--disable-pip-version-check"]
    done = subprocess.run(
        [*command, "--target", str(target), str(package)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return target


@pytest.fixture(scope="session")
def installed_plugin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder into which the example plugin was installed."""
    folder = tmp_path_factory.mktemp("plugin")
    source = shutil.copytree(DOCS / "example_plugin", folder / "source")
    return install(source, folder / "installed")
