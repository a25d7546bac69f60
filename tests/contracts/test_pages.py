"""What pages list is generated; a page that lags behind the code fails here."""

from pathlib import Path

import pytest

from knowledge_base_agent.cli.pages import PAGES
from knowledge_base_agent.settings import Settings

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_says_what_the_code_says(name: str) -> None:
    written = (ROOT / name).read_text(encoding="utf-8")
    assert written == PAGES[name](), "run: python -m knowledge_base_agent.cli.pages"


def test_every_setting_has_a_meaning_and_a_name_in_the_environment() -> None:
    for field in Settings.model_fields.values():
        assert field.description
        assert field.validation_alias is not None
