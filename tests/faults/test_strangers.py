"""Who does not belong and clicks, and what comes from outside and shouts: a bot as its own process, and its Slack."""

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from knowledge_base_agent.records.database import open_engine, reading
from knowledge_base_agent.records.road_tables import AUDIT
from knowledge_base_agent.records.task_history import rows_by_ids
from tests.faults.answering import Ground, ground
from tests.operations.test_filters import remember
from tests.people import LocalSlack, local_slack
from tests.waiting import await_until

SHOUT = "<!channel> <@U0ADA0000> `code` *bold* \u202egnp"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Iterator[Ground]:
    """A bot on SQLite."""
    folder = tmp_path_factory.mktemp("strangers")
    shutil.copyfile(migrated_file, folder / "kb.sqlite3")
    with ground(folder, f"sqlite:///{folder / 'kb.sqlite3'}") as found:
        yield found


@pytest.fixture(scope="module")
def engine(place: Ground) -> Iterator[Engine]:
    """Its database."""
    opened = open_engine(place.database_url)
    yield opened
    opened.dispose()


@pytest.fixture
async def slack(place: Ground) -> AsyncIterator[LocalSlack]:
    """Its Slack."""
    async with local_slack(place.slack_url) as found:
        yield found


def refusals(engine: Engine, name: str) -> int:
    """Return how many refusals of this person the audit has."""
    with reading(engine) as connection:
        query = select(AUDIT.c.actor_name, AUDIT.c.actor_id).where(AUDIT.c.kind == "refused")
        return sum(
            name in (row.actor_name.lower(), row.actor_id) for row in connection.execute(query)
        )


@pytest.mark.parametrize(
    "who", ["U0GUS0000", "U0SINA000", "U0DORA000", "U0STEFAN0", "U0FLOW000", "U0VERA000"]
)
async def test_a_click_on_confirm_counts_for_nothing_unless_the_clicker_may_do_it(
    slack: LocalSlack, engine: Engine, who: str
) -> None:
    """A guest, a single-channel guest, one who left, a stranger, a workflow, and one who may only look."""
    row = f"kept-from-{who.lower()}"
    remember(engine, row, hours=30, state="FAILURE")
    otto, other = slack.person("otto"), slack.person(who)
    await otto.types(f"/kb clear --id {row} --older-than 24", in_="#ops")
    preview = await otto.sees("About to clear 1")
    other._channel = "#ops"
    before = refusals(engine, who)
    await other.clicks("Confirm", on=preview, force=True)
    await await_until(lambda: refusals(engine, who) == before + 1, what="the refusal is recorded")
    with reading(engine) as connection:
        assert row in rows_by_ids(connection, [row])
    await otto.clicks("Confirm", on=preview)
    await otto.sees_change(preview, "Cleared 1 row")


async def test_what_a_task_is_called_pings_nobody_and_stays_within_its_cell(
    slack: LocalSlack, engine: Engine
) -> None:
    remember(engine, "loud", name=SHOUT, state="FAILURE", error_class="E", error_message=SHOUT)
    vera = slack.person("vera")
    for words in ("find --id loud", "failures", "task loud"):
        await vera.types(f"/kb {words}", in_="#ops")
        shown = await vera.sees("channel")
        assert "<!channel>" not in shown.text, "what stands alone is read as mrkdwn"
        assert "<@U0ADA0000>" not in shown.text
        assert "\u202e" not in shown.text + shown.shown
        for block in marked(shown.blocks):
            assert "<!channel>" not in block
            assert "<@U0ADA0000>" not in block


def marked(part: object) -> Iterator[str]:
    """Yield every text within blocks that Slack reads as mrkdwn."""
    if isinstance(part, dict):
        if part.get("type") == "mrkdwn":
            yield str(part["text"])
        for inner in part.values():
            yield from marked(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from marked(inner)
