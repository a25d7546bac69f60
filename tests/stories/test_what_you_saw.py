"""What you saw is what you get, once: sets that change before the click, two people, repetitions, a bot that dies."""

import asyncio
import signal
from datetime import timedelta

from sqlalchemy import update

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.records.database import reading, writing
from knowledge_base_agent.records.road_tables import RUNS
from knowledge_base_agent.records.task_messages import kept_messages
from tests.people import LocalSlack
from tests.stories.system import System
from tests.waiting import await_until


def put_on_the_shelf(whole: System, number: int) -> None:
    for _ in range(number):
        whole.send("add", 1, 1, queue="shelf")


async def test_more_than_was_seen_is_shown_anew_and_purged_only_when_that_is_confirmed(
    whole: System, slack: LocalSlack
) -> None:
    put_on_the_shelf(whole, 3)
    otto, anika = slack.person("otto"), slack.person("anika")
    await otto.types("/kb purge --queue shelf", in_="#ops")
    preview = await otto.sees("About to remove 3 messages")
    put_on_the_shelf(whole, 11)
    await anika.clicks("Confirm", on=preview)
    new = await otto.sees_change(preview, "14 messages in shelf, 3 were shown")
    assert "Nothing was done" in new.shown
    assert "About to remove 14 messages" in new.shown
    assert new.buttons[-2:] == ["Confirm", "Cancel"]
    assert whole.audit("purge") == ["previewed", "superseded", "previewed"]

    await otto.clicks("Confirm", on=new)
    done = await otto.sees_change(new, "Removed 14 messages", within=20)
    assert "Confirm" not in done.buttons


async def test_of_two_people_who_confirm_at_the_same_moment_one_runs_it_and_the_other_is_told(
    whole: System, slack: LocalSlack
) -> None:
    failed = whole.send("fail", "twice")
    whole.site.row_in(failed, "FAILURE")
    otto, ada, anika = (slack.person(name) for name in ("otto", "ada", "anika"))
    await otto.types('/kb clear --older-than 0 --status FAILURE --reason "a try"', in_="#ops")
    preview = await otto.sees("About to clear 1 row")
    await asyncio.gather(
        *(one.clicks("Approve", on=preview, answering="Yes, do it") for one in (ada, anika))
    )
    done = await otto.sees_change(preview, "Cleared 1 row", within=20)
    await await_until(
        lambda: "too late" in whole.audit("clear") or "repeated" in whole.audit("clear"),
        what="the slower one is recorded",
    )
    assert whole.audit("clear").count("started") == 1
    first, second = (anika, ada) if "anika" in done.shown.lower() else (ada, anika)
    told = await second.sees("confirmed this at", ever=True)
    assert told.is_ephemeral
    await first.does_not_see("confirmed this at", because="it was their click that counted")


async def test_a_command_repeated_by_hand_is_told_what_came_of_the_first(
    whole: System, slack: LocalSlack
) -> None:
    otto = slack.person("otto")
    await otto.types("/kb workers grow 1", in_="#ops")
    await otto.sees("seen to have grown by 1 slot", within=20)
    await otto.types("/kb workers grow 1", in_="#ops")
    told = await otto.sees("did this")
    assert "seen to have grown by 1 slot" in told.shown
    assert "--repeat" in told.shown
    assert whole.audit("workers grow").count("started") == 1
    await otto.types("/kb workers grow 1 —repeat", in_="#ops")
    await otto.sees("seen to have grown by 1 slot", within=20)
    assert whole.audit("workers grow").count("started") == 2


async def killed_in_the_middle(whole: System, slack: LocalSlack) -> str:
    """Have otto send two tasks again, slowly, and kill the bot between them; return the run's name."""
    failed = [whole.send("fail", f"half-{number}") for number in range(2)]
    for one in failed:
        whole.site.row_in(one, "FAILURE")

    def kept() -> int:
        with reading(whole.engine) as connection:
            return len(kept_messages(connection, failed))

    # Who publishes tells of it on its own way, now and then after the worker has told of the failure.
    await await_until(lambda: kept() == 2, what="both messages are kept")
    otto = slack.person("otto")
    await otto.types(f"/kb retry {' '.join(failed)} --rate 0.05/s", in_="#ops")
    preview = await otto.sees("About to send 2 tasks again")
    await otto.clicks("Confirm", on=preview)
    running = await otto.sees_change(preview, "1 of 2")
    whole.stop_bot(signal.SIGKILL)
    with writing(whole.engine) as connection:  # half a minute passes
        silent = utc_now() - timedelta(minutes=1)
        connection.execute(update(RUNS).where(RUNS.c.state == "started").values(beat_at=silent))
    whole.start_bot()
    await slack.app_connects(within=30)
    gone = await otto.sees_change(preview, "was interrupted", within=30)
    assert "not started again by itself" in gone.shown
    return f"op-{running.shown.split('op-')[1].split(':')[0]}"


async def test_what_a_killed_bot_left_is_announced_and_gone_on_with_only_by_a_person(
    whole: System, slack: LocalSlack
) -> None:
    run = await killed_in_the_middle(whole, slack)
    otto, vera = slack.person("otto"), slack.person("vera")
    await vera.types("/kb ops", in_="#ops")
    runs = await vera.sees("1 interrupted")
    assert "interrupted: what it did is unknown" in runs.shown
    await vera.clicks("Resume", on=runs)
    await vera.sees("you may look but not change")

    await otto.clicks("Resume", on=runs)
    left = await otto.sees(f"What is left of {run}")
    assert "About to send 1 task again" in left.shown, "the other one was sent before the bot died"
    assert whole.audit("retry")[-1] == "interrupted", "nothing of it ran again by itself"
    await otto.clicks("Confirm", on=left)
    await otto.sees_change(left, "confirmed by otto", within=20)
    await await_until(
        lambda: whole.audit("ops resume")[-1] == "ended", what="the rest has been sent"
    )
    await otto.types("/kb ops", in_="#ops")
    after = await otto.sees("0 interrupted")
    assert "continued as op-" in after.shown
    assert "Resume" not in after.buttons
