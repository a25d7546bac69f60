"""What a search finds is read in the shell as paragraphs, and by scripts as a list."""

import io

from rich.console import Console

from knowledge_base_agent.cli.json_form import as_json
from knowledge_base_agent.cli.rendering import show
from tests.bot.samples import found


def test_a_terminal_shows_title_words_and_source_of_each_below_each_other() -> None:
    screen = io.StringIO()
    show(Console(file=screen, width=60), found())
    lines = [line.strip() for line in screen.getvalue().splitlines()]
    first = lines.index("Retrying a *task*")
    assert lines[first + 1].startswith("… a task is tried again after `countdown`")
    source = lines.index("docs/retry.md")
    assert lines[source + 1 : source + 4] == ["", "Limits", "The time limit is two hours."]


def test_a_script_gets_a_list() -> None:
    parts = as_json(found())["parts"]
    assert isinstance(parts, list)
    assert [one["title"] for one in parts[0]["passages"]] == ["Retrying a *task*", "Limits"]
