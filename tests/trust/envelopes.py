"""Envelopes over Socket Mode that come again, as Slack delivers them now and then."""

from sqlalchemy import select

from knowledge_base_agent.deployment import Deployment
from knowledge_base_agent.records.database import reading
from knowledge_base_agent.records.road_tables import RUNS
from tests.bot.at_work import bot_at_work, settings_in
from tests.people import LocalSlack, Person
from tests.trust.place import Place
from tests.trust.trial import Trial
from tests.trust.ways import CLEAR, rows_to_clear

EXECUTED = "executed"
_AGAIN = 5


async def redelivered(trial: Trial, slack: LocalSlack, place: Place, *, up_to: float) -> None:
    """Let a person confirm, and the same envelopes come again and again."""
    settings = settings_in(slack, place.sqlite_url)
    async with bot_at_work(settings) as opened:
        await slack.app_connects()
        otto = slack.person("otto")
        number = 0
        while trial.goes_on(up_to=up_to):
            number += 1
            await _round(trial, slack, otto, opened, f"envelope.{number}")


async def _round(
    trial: Trial, slack: LocalSlack, otto: Person, opened: Deployment, key: str
) -> None:
    rows_to_clear(opened, key)
    await otto.types(f"/kb {CLEAR.words(key)}", in_="#ops")
    preview = await otto.sees("Confirm")
    await otto.clicks("Confirm", on=preview)
    for _ in range(_AGAIN):
        await slack.do("redeliver_last", kind="interactive")
        trial.did("envelopes delivered again")
    await otto.sees_change(preview, "Cleared 3 rows")
    await slack.do("redeliver_last", kind="slash_commands")
    trial.did("commands delivered again")
    with reading(opened.engine) as connection:
        query = select(RUNS.c.number).where(RUNS.c.words == CLEAR.words(key))
        runs = len(connection.execute(query).all())
    if runs != 1:
        trial.saw(EXECUTED, f"{key}: {runs} runs after envelopes that came again")
