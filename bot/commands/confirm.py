"""Confirm and Cancel: who clicks is looked up afresh; one click wins; the message tells what came of it."""

from functools import partial

import structlog
from msgspec.structs import replace

from bot.blocks.buttons import ALONE
from bot.blocks.confirmation import (
    confirmation_message,
    ended_message,
    running_message,
    settled_message,
)
from bot.blocks.drawn import Drawn, Json
from bot.blocks.problem import note_message
from bot.blocks.report import report_message
from bot.commands.admission import admit
from bot.commands.conversation import saying_so
from bot.commands.payloads import Click, click_of
from bot.desk import Desk
from bot.live_message import LiveMessage, Relay
from bot.messages import Posted
from bot.slack_api import Refusal, TooFast, Unreached
from bot.waiting import patiently
from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.problems import NotFound
from knowledge_base_agent.requests import Changed, Claimed, Pending

log = structlog.get_logger()
_SETTLE_WITHIN = 5.0


def confirmed(desk: Desk, body: Json) -> None:
    """Take a click on Confirm. Returns at once."""
    click = click_of(body)
    desk.begin(click.place, click.event_id, partial(_confirm, desk, click), first=True)


def cancelled(desk: Desk, body: Json) -> None:
    """Take a click on Cancel. Returns at once."""
    click = click_of(body)
    desk.begin(click.place, click.event_id, partial(_cancel, desk, click), always=True)


def stopped(desk: Desk, body: Json) -> None:
    """Take a click on “Stop this”, which stands on another message than the preview. Returns at once."""
    click = click_of(body)
    desk.begin(click.place, click.event_id, partial(_stop, desk, click), first=True)


async def _stop(desk: Desk, click: Click) -> None:
    actor = await desk.people.actor(click.place, fresh=True, name=click.user_name)
    stop = partial(desk.runner.cancel, click.value, actor)
    try:
        settled = await desk.questions.call(stop, within=_SETTLE_WITHIN)
    except NotFound:
        admit(desk, actor, click.place, "stop")
        raise
    await desk.messages.whisper(click.place, note_message("You stopped it; nothing was done."))
    if settled.place and settled.message:
        preview = Posted(channel=settled.place, message=settled.message)
        await patiently(lambda: desk.messages.update(preview, settled_message(settled)))


async def _cancel(desk: Desk, click: Click) -> None:
    actor = await desk.people.actor(click.place, fresh=True, name=click.user_name)
    cancel = partial(desk.runner.cancel, click.value, actor)
    try:
        settled = await desk.questions.call(cancel, within=_SETTLE_WITHIN)
    except NotFound:
        admit(desk, actor, click.place, "cancel")
        raise
    await replace_or_post(desk, click, settled_message(settled))


async def _confirm(desk: Desk, click: Click) -> None:
    actor = await desk.people.actor(click.place, fresh=True, name=click.user_name)
    # Without a deadline of ours: a claim that we stopped waiting for would be a run that nobody executes.
    try:
        alone = click.action_id == ALONE
        claim = partial(desk.runner.confirm, click.value, actor, alone=alone)
        claimed = await saying_so(desk, click.place, desk.runs.call(claim))
    except Changed as changed:
        await replace_or_post(desk, click, await desk.drawn(partial(_instead, changed)))
        return
    except NotFound:
        admit(desk, actor, click.place, "confirm")  # to strangers even that is not said
        raise
    desk.nudge_audit()
    await _run(desk, click, claimed)


def _instead(changed: Changed) -> Drawn:
    """Draw what stands where the preview stood, since its buttons lead nowhere any more."""
    now = utc_now()
    if isinstance(changed.now, Pending):
        return confirmation_message(changed.now, now)
    return report_message(replace(changed.now, text=changed.what), now)


async def _run(desk: Desk, click: Click, claimed: Claimed) -> None:
    async with LiveMessage(partial(desk.messages.update, _posted(click))) as live:

        def show(done: int, total: int | None, note: str) -> None:
            live.show(partial(running_message, claimed, done, total, note))

        show(0, None, "")
        ended = await desk.runs.call(partial(desk.runner.execute, claimed, Relay(show)))
        desk.answers.forget()
        drawn = await desk.drawn(partial(ended_message, claimed, ended))
        if not await live.finish(drawn):
            await desk.messages.post(click.place, drawn)


async def replace_or_post(desk: Desk, click: Click, drawn: Drawn) -> None:
    """Put the outcome in the preview's place, or below where that message is gone."""
    try:
        await patiently(lambda: desk.messages.update(_posted(click), drawn))
    except (Refusal, TooFast, Unreached) as error:
        log.warning("a preview could not be replaced", reason=str(error))
        await desk.messages.post(click.place, drawn)


def _posted(click: Click) -> Posted:
    return Posted(channel=click.place.channel, message=click.message)
