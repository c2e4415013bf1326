"""Fixtures for all tests: the real rows, and a cache of their own."""

from pathlib import Path

import pytest
from hypothesis import settings

# How long an example takes says more of the machine than of the code.
settings.register_profile("cotdata", deadline=None)
settings.load_profile("cotdata")

REAL_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture
def real_data() -> Path:
    """Return the folder of real rows; skip where it is absent."""
    if not REAL_DATA.is_dir():
        pytest.skip("the real rows (../shared/data) are not here")
    return REAL_DATA


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give every test an empty cache of its own."""
    cache = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("COTDATA_CACHE_DIR", str(cache))
    return cache
