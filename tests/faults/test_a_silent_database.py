"""PostgreSQL takes connections and says nothing: previews, changes and clicks are answered within 5 s all the same.

Nothing that was asked meanwhile is kept for later, and what was shown before can be confirmed afterwards.
"""

import contextlib
import shutil
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.records.database import open_engine, reading
from knowledge_base_agent.records.road_tables import CONFIRMATIONS, RUNS
from tests.faults.answering import ANSWERED_SECONDS, Ground, People, ground
from tests.faults.proxy import Proxy, proxy_to
from tests.faults.test_answers_always import DEFECTS, tells
from tests.operations.test_clear import add_rows
from tests.people import local_slack
from tests.seen import Message
from tests.waiting import await_until

OLD = "clear --older-than 1 --status FAILURE"
CHANGING = (
    OLD,
    "pause celery",
    "purge --queue celery",
    "revoke some-task",
    "flush --all",
    "clear --older-than 2",
)
PEOPLE = ("otto", "ada", "anika")


@pytest.fixture
def silent_soon(postgres_url: str, tmp_path: Path) -> Iterator[tuple[Ground, Proxy]]:
    """A bot on PostgreSQL with a row to clear, and the proxy between the two."""
    with (
        proxy_to(postgres_url) as proxy,
        ground(tmp_path, postgres_url, reached_by=proxy.url(postgres_url)) as place,
        engine_on(postgres_url) as engine,
    ):
        add_rows(engine, "FAILURE", utc_now() - timedelta(hours=30))
        yield place, proxy


@pytest.fixture
async def people(silent_soon: tuple[Ground, Proxy]) -> AsyncIterator[People]:
    """The people of its Slack."""
    async with local_slack(silent_soon[0].slack_url) as slack:
        yield People(slack=slack)


@contextlib.contextmanager
def engine_on(url: str) -> Iterator[Engine]:
    opened = open_engine(url)
    try:
        yield opened
    finally:
        opened.dispose()


async def previewed(people: People) -> Message:
    """Ask for a preview, and return the message with its buttons once it is known where it stands."""
    (shown,) = (await people.asks((OLD,))).answers
    assert any(control.label == "Confirm" for control in shown.controls), shown.shown
    return shown


async def confirmed(people: People, preview: Message, *expected: str) -> float:
    """Click Confirm; return the seconds until an answer with the first of these words was there, with all the rest."""
    otto = people.slack.person("otto")
    began = time.monotonic()
    label = next(control for control in preview.controls if control.label == "Confirm")
    more = {"answering": label.confirm["confirm"]["text"]} if label.confirm else {}
    await otto.clicks("Confirm", on=preview, **more)
    answer = await otto.sees(expected[0], in_="#ops", within=20)
    took = time.monotonic() - began
    tells(answer.shown, *expected)
    return took


def kept(url: str) -> tuple[list[str], list[str]]:
    """Return the states of all confirmations and of all runs."""
    with engine_on(url) as engine, reading(engine) as connection:
        confirmations = connection.execute(select(CONFIRMATIONS.c.state)).scalars().all()
        return list(confirmations), list(connection.execute(select(RUNS.c.state)).scalars())


async def test_with_postgresql_silent_previews_and_changes_are_answered_in_time_and_none_is_kept(
    silent_soon: tuple[Ground, Proxy], people: People
) -> None:
    place, proxy = silent_soon
    await previewed(people)
    proxy.black_hole()
    for _ in range(2):
        asked = await people.asks(CHANGING, people=PEOPLE)
        assert asked.shown.count("The database (PostgreSQL) does not answer") >= 3, asked.shown
        assert (
            "found nowhere: not with a worker, or in a queue, and the rows are unknown"
            in asked.shown
        )
        assert not any(word in asked.shown for word in (*DEFECTS, "had no turn")), asked.shown
        assert not any(c.label == "Confirm" for one in asked.answers for c in one.controls)
    proxy.heal()

    async def settled() -> bool:
        return "The rows know no tasks" in (await people.asks(("find --state RETRY",))).shown

    await await_until(settled, within=20, what="the database answers again")
    assert kept(place.database_url) == (["pending"], []), "the one that was shown, and nothing else"


async def test_a_click_on_confirm_while_postgresql_is_silent_is_answered_and_runs_nothing(
    silent_soon: tuple[Ground, Proxy], people: People
) -> None:
    place, proxy = silent_soon
    preview = await previewed(people)
    proxy.black_hole()
    took = await confirmed(people, preview, "The database (PostgreSQL) does not answer")
    assert took < ANSWERED_SECONDS
    proxy.heal()
    assert kept(place.database_url) == (["pending"], [])
    assert await confirmed(people, preview, "Cleared 1") < 20
    assert kept(place.database_url) == (["claimed"], ["succeeded"])


async def test_a_click_on_confirm_while_sqlite_is_locked_is_answered_and_runs_nothing(
    migrated_file: Path, tmp_path: Path
) -> None:
    path = tmp_path / "kb.sqlite3"
    shutil.copyfile(migrated_file, path)
    url = f"sqlite:///{path}"
    with engine_on(url) as engine:
        add_rows(engine, "FAILURE", utc_now() - timedelta(hours=30))
    with ground(tmp_path, url) as place:
        async with local_slack(place.slack_url) as slack:
            people = People(slack=slack)
            preview = await previewed(people)
            with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
                other.execute("BEGIN EXCLUSIVE")
                took = await confirmed(people, preview, "Another process holds the database")
                other.execute("ROLLBACK")
            assert took < ANSWERED_SECONDS
            assert kept(url) == (["pending"], [])
            await confirmed(people, preview, "Cleared 1")
