"""The watcher tells of a trouble once; somebody takes it on, ends it with a click, and the message says so."""

import signal
from collections.abc import Iterator
from datetime import timedelta

import pytest

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.records.batches import write_entries
from knowledge_base_agent.records.database import writing
from tests.people import LocalSlack, Message, Person, slack_server
from tests.records.entries import NOON, entry
from tests.servers import RedisSpaces
from tests.stories.system import System, system, tokens_of
from tests.waiting import await_until

CHANNEL = "C0KBALERT"
ALERTS = "#kb-alerts"
QUICK = {
    "KB_ALERT_CHANNEL": CHANNEL,
    "KB_WATCH_SECONDS": "0.4",
    "KB_ALERT_RUNNING_SECONDS": "1",
}


@pytest.fixture(scope="module")
def whole(redis_spaces: RedisSpaces, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system whose watcher looks often and is impatient."""
    folder = tmp_path_factory.mktemp("alerts")
    with (
        redis_spaces.one() as space,
        slack_server() as url,
        system(space, folder, url, tokens_of(url) | QUICK) as place,
    ):
        yield place


async def alerts_about(person: Person, words: str) -> list[Message]:
    return [
        one for one in await person.looks(in_=ALERTS) if words in one.shown and not one.thread_ts
    ]


async def restart(whole: System, slack: LocalSlack, how: signal.Signals, **more: str) -> None:
    whole.stop_bot(how)
    whole.start_bot(**more)

    async def back() -> bool:
        return int((await slack.get("state"))["connections"]) == 1

    await await_until(back, within=20, what="the new bot connects")


async def test_a_task_in_a_loop_is_told_once_taken_on_and_ended_from_its_message(
    whole: System, slack: LocalSlack
) -> None:
    endless = whole.send("sleep", 600)
    otto = slack.person("otto")
    told = await otto.sees(endless, in_=ALERTS, ever=True, within=20)
    assert "has been running for" in told.shown
    assert {"Revoke", "Logs", "Acknowledge", "Snooze 1 h"} <= set(told.buttons)

    await otto.clicks("Acknowledge", on=told)
    taken = await otto.sees_change(told, "acknowledged by otto")
    assert "Acknowledge" not in taken.buttons

    await restart(whole, slack, signal.SIGTERM)
    await otto.clicks("Revoke", on=taken)
    preview = await otto.sees("About to send SIGTERM to 1 running task", in_=ALERTS)
    assert preview.thread_ts == told.ts, "what follows from an alert stays in its thread"
    await otto.clicks("Confirm", on=preview)
    await otto.sees_change(preview, "1 stopped", within=20)

    over = await otto.sees_change(told, "Resolved", within=20)
    assert "acknowledged by otto" in over.shown
    assert over.buttons == []
    assert len(await alerts_about(otto, endless)) == 1, "a restart tells nothing twice"
    assert whole.audit("alerts")[:1] == ["alerted"]
    assert whole.audit("alerts")[-1] == "resolved"
    assert whole.audit("revoke")[-4:] == ["previewed", "confirmed", "started", "ended"]


async def test_a_viewer_sees_the_alerts_and_takes_none_on(whole: System, slack: LocalSlack) -> None:
    endless = whole.send("sleep", 600)
    vera, anika = slack.person("vera"), slack.person("anika")
    told = await vera.sees(endless, in_=ALERTS, ever=True, within=20)
    await vera.clicks("Acknowledge", on=told)
    refused = await vera.sees("you may look but not change", in_=ALERTS)
    assert refused.is_ephemeral
    await vera.types("/kb alerts", in_="#ops")
    listed = await vera.sees("1 open alert")
    assert "KB_ALERT_QUEUE_PENDING" in listed.shown

    await anika.clicks("Snooze 1 h", on=told)
    await anika.sees_change(told, "snoozed by anika")


async def test_queue_build_up_is_told_and_resolved_after_a_purge(
    whole: System, slack: LocalSlack
) -> None:
    for _ in range(2):  # whatever the story before has left: both slots are taken
        whole.send("sleep", 600)
    for _ in range(15):
        whole.send("add", 1, 1)
    otto = slack.person("otto")
    told = await otto.sees("in the queue celery, more than 10", in_=ALERTS, ever=True, within=20)
    assert "it has 1 worker" in told.shown
    await otto.types("/kb purge --queue celery", in_="#ops")
    preview = await otto.sees("celery")
    await otto.clicks("Confirm", on=preview)
    await otto.sees_change(told, "Resolved", within=20)
    assert len(await alerts_about(otto, "queue celery")) == 1


async def test_a_row_that_runs_without_a_worker_is_told_until_it_is_cleared(
    whole: System, slack: LocalSlack
) -> None:
    lost = "lost-in-a-power-cut"
    hours_ago = (utc_now() - timedelta(hours=5)).timestamp()
    with writing(whole.engine) as connection:
        write_entries(connection, [entry("STARTED", lost, at=hours_ago - NOON / 1_000_000)])
    otto = slack.person("otto")
    told = await otto.sees(lost, in_=ALERTS, ever=True, within=20)
    assert "no worker has it" in told.shown
    await otto.types("/kb clear --older-than 4h --status STARTED", in_="#ops")
    preview = await otto.sees("About to clear 1 row")
    await otto.clicks("Confirm", on=preview)
    await otto.sees_change(told, "Resolved", within=20)


async def test_a_worker_that_eats_memory_is_told_with_its_figures(
    whole: System, slack: LocalSlack
) -> None:
    otto = slack.person("otto")
    await restart(whole, slack, signal.SIGTERM, KB_ALERT_WORKER_MEMORY="0.0001")
    told = await otto.sees("A worker eats memory", in_=ALERTS, ever=True, within=20)
    assert {"Active", "Shut down"} <= set(told.buttons)
    await otto.clicks("Active", on=told)
    answer = await otto.sees("1 of 1 worker answered", in_=ALERTS)
    assert answer.thread_ts == told.ts
    await restart(whole, slack, signal.SIGTERM)  # with the threshold of everyone
    over = await otto.sees_change(told, "Resolved", within=20)
    assert "less than the threshold" in over.shown
