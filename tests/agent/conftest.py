"""Settings of a deployment for one test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from knowledge_base_agent.agent.library import Library, open_library
from knowledge_base_agent.settings import Settings


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """A deployment on either database, with a folder of its own."""
    return Settings(database_url=database_url, data_dir=tmp_path / "data")


@pytest.fixture
def library(settings: Settings) -> Iterator[Library]:
    """That deployment's library, open."""
    with open_library(settings) as opened:
        yield opened
