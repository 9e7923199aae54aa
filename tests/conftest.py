"""Fixtures and settings that all tests share."""

import os
from pathlib import Path

import hypothesis
import pytest

pytest_plugins = ("tests.ssh_server",)

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared" / "data"

hypothesis.settings.register_profile(
    "quick", max_examples=60, deadline=None, derandomize=True, database=None
)
hypothesis.settings.register_profile("fuzz", max_examples=5000, deadline=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the source tree."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real models and data, which are not part of the project."""
    if not SHARED.is_dir():
        pytest.skip("needs the folder of real models and data beside the repository")
    return SHARED
