"""The road from words to an answer: the same for what is typed, for buttons and for the Home tab."""

import asyncio
import time
from collections.abc import Coroutine
from functools import partial
from typing import Any, TypeVar

import structlog
from msgspec.structs import replace

from bot.blocks.confirmation import confirmation_message
from bot.blocks.drawn import Drawn
from bot.blocks.help import for_person
from bot.blocks.long_text import shortened, without_file
from bot.blocks.overview import overview_message
from bot.blocks.problem import note_message
from bot.blocks.two_people import reason_message
from bot.commands import follow
from bot.commands.admission import admitted
from bot.desk import Desk
from bot.messages import NOT_HERE, Place, Posted
from bot.slack_api import Refusal, TooFast, Unreached
from knowledge_base_agent.actors import Actor, Audience
from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.operations import OPERATIONS
from knowledge_base_agent.operations.operation import Risk
from knowledge_base_agent.policy import role_of
from knowledge_base_agent.problems import Misunderstood, Problem, ReasonNeeded
from knowledge_base_agent.report import Note, Report
from knowledge_base_agent.requests import Pending, Request
from knowledge_base_agent.understand import Understood, understand

T = TypeVar("T")
log = structlog.get_logger()

ANSWER_WITHIN = 2.5
"""Seconds from the question to the answer of what only looks, lookups included."""
SAY_SO_AFTER = 2.5
"""Seconds after which a person who asked for a change or a preview hears that it takes longer."""
PREVIEW_WITHIN = 60.0
_AT_LEAST = 0.5
_INVITE = "I am not in this channel, so only you see this. `/invite` me, and others here see my answers too."
_OTHERS = {
    Audience.SHARED: "Only you see this: this channel is shared with another organisation.",
    Audience.UNKNOWN: "Only you see this: Slack could not tell whether another organisation reads along here.",
}
"""Why an answer is whispered instead of posted."""
_FOR_YOU = "Only you see this, and that you saw it is recorded."
_NOBODY_ELSE = "Nobody else can see this preview, so nobody can approve it: ask in a channel where an admin is."
_LONGER = "This takes longer than usual. The answer comes here."
_SENT_TO_YOU = "I am not in this channel, so the preview is in our direct messages. `/invite` me to have it here."


async def converse(desk: Desk, place: Place, words: str, *, user_name: str = "") -> None:
    """Answer words. Raises every `Problem` of the road; the caller tells the person."""
    try:
        understood = understand(words)
    except Misunderstood:
        await admitted(desk, place, words, user_name=user_name)
        raise
    await carry_on(desk, place, understood, user_name=user_name)


async def carry_on(
    desk: Desk, place: Place, understood: Understood, *, user_name: str = ""
) -> None:
    """Answer what was understood, from words or from a form. Raises as `converse` does."""
    asked_at = time.monotonic()
    actor = await desk.people.actor(place, fresh=_asked_afresh(understood), name=user_name)
    request = _request(understood, actor, place)
    try:
        outcome = await _ask(desk, place, request, time.monotonic() - asked_at)
    except ReasonNeeded as needed:
        drawn = await desk.drawn(partial(reason_message, needed, understood.words, utc_now()))
        await _somewhere(desk, place, drawn)
        return
    if isinstance(outcome, Pending):
        await _post_preview(desk, place, outcome)
    else:
        await _post_answer(desk, place, request, _suited(desk, understood, outcome, actor))


def _request(understood: Understood, actor: Actor, place: Place) -> Request:
    return Request(
        actor=actor,
        operation=understood.operation,
        arguments=understood.arguments,
        words=understood.words,
        repeat=understood.repeat,
        only_shown=understood.only_shown,
        place=place.channel,
        stated=understood.stated,
    )


async def offer(desk: Desk, place: Place, *, user_name: str = "") -> None:
    """Show a person alone what they may do, with buttons: the answer to the command without words."""
    understood = understand("help")
    actor = await desk.people.actor(place, fresh=False, name=user_name)
    report = await _ask(desk, place, _request(understood, actor, place), 0.0)
    if isinstance(report, Report):
        role = role_of(actor, desk.settings)
        drawn = await desk.drawn(partial(overview_message, report, OPERATIONS, role, utc_now()))
        await desk.messages.whisper(place, drawn)


def _asked_afresh(understood: Understood) -> bool:
    """Tell whether who this is must be looked up now: for a change, and for what is shown to few."""
    return understood.operation.risk is not Risk.READ or understood.arguments.wants_raw


async def _ask(desk: Desk, place: Place, request: Request, spent: float) -> Report | Pending:
    risk = request.operation.risk
    if risk is Risk.READ:
        return await desk.answers.of(request, max(ANSWER_WITHIN - spent, _AT_LEAST))
    ask = partial(desk.runner.ask, request)
    # What may change something is never given up half-way: its answer comes when it comes.
    within = PREVIEW_WITHIN if risk is Risk.DESTROY else None
    leave = partial(_leave, desk)
    try:
        return await saying_so(desk, place, desk.runs.call(ask, within=within, late=leave))
    finally:
        desk.answers.forget()


def _leave(desk: Desk, outcome: Report | Pending) -> None:
    """Take a preview that came after its asker was told that none would: it must not wait for anybody's click."""
    if isinstance(outcome, Pending):
        desk.runner.leave(outcome)


async def saying_so(desk: Desk, place: Place, work: Coroutine[Any, Any, T]) -> T:
    """Return what comes of work that nobody gives up half-way, and tell the person when it takes longer."""
    asking = asyncio.create_task(work)
    try:
        done, _ = await asyncio.wait({asking}, timeout=SAY_SO_AFTER)
        if not done:
            await desk.messages.whisper(place, note_message(_LONGER))
        return await asking
    finally:
        asking.cancel()


def _suited(desk: Desk, understood: Understood, report: Report, actor: Actor) -> Report:
    if understood.operation.name != "help":
        return report
    return for_person(report, role_of(actor, desk.settings))


async def _post_answer(desk: Desk, place: Place, request: Request, report: Report) -> None:
    if report.private:
        alone = replace(report, parts=(*report.parts, Note(text=_FOR_YOU)))
        await desk.messages.whisper(place, await _drawn(desk, alone))
        return
    try:
        others = _OTHERS.get(request.actor.standing.audience)
        if others is not None:
            alone = replace(report, parts=(*report.parts, Note(text=others)))
            await desk.messages.whisper(place, await _drawn(desk, alone))
        elif follow.follows(request):
            await follow.follow(desk, place, request, report)
        else:
            await _post(desk, place, report)
    except (Refusal, TooFast, Unreached) as error:
        if isinstance(error, Refusal) and error.code in NOT_HERE:
            alone = replace(report, parts=(*report.parts, Note(text=_INVITE)))
            await desk.messages.whisper(place, await _drawn(desk, alone))
            return
        # Asking again for a change would do it again: so the outcome is told here, whatever became of the answer.
        log.warning("Slack did not take an answer", reason=str(error), channel=place.channel)
        await desk.messages.whisper(place, note_message(_untaken(request, report, error)))


def _untaken(request: Request, report: Report, error: Exception) -> str:
    sure = not isinstance(error, Unreached) or error.surely_not_done
    slack = f"Slack {'did not take' if sure else 'may not have taken'} the answer ({error})."
    if request.operation.risk is not Risk.CHANGE:  # what destroys has only been shown
        return f"{slack} In short: {report.text}"
    return f"{slack} It was done, so don't ask for it again: {report.text}"


async def _post(desk: Desk, place: Place, report: Report) -> None:
    """Post an answer; what is too long for a message comes as a file in its thread."""
    short, whole = shortened(report)
    posted = await desk.messages.post(place, await _drawn(desk, short))
    if whole is None:
        return
    try:
        await desk.files.share(posted, place.thread, whole.name, whole.content)
    except (Refusal, TooFast, Unreached) as error:
        log.warning("a file could not be sent", name=whole.name, reason=str(error))
        await desk.messages.update(posted, await _drawn(desk, without_file(report, str(error))))


async def _drawn(desk: Desk, report: Report) -> Drawn:
    return await desk.drawn_report(report)


async def _post_preview(desk: Desk, place: Place, pending: Pending) -> None:
    drawn = await desk.drawn(partial(confirmation_message, pending, utc_now()))
    posted = await _somewhere(desk, place, drawn)
    if pending.terms.why_two and posted.channel.startswith("D"):
        await desk.messages.whisper(place, note_message(_NOBODY_ELSE))
    placed = partial(
        desk.runner.placed, pending.confirmation_id, place=posted.channel, message=posted.message
    )
    try:
        await desk.questions.call(placed, within=ANSWER_WITHIN)
    except Problem as problem:
        # Its buttons work all the same; only nobody can replace it once it has expired.
        log.warning("where a preview stands could not be kept", reason=problem.what)


async def _somewhere(desk: Desk, place: Place, drawn: Drawn) -> Posted:
    """Post a preview where it was asked for, or to the person alone: it must be a message that can be edited."""
    try:
        return await desk.messages.post(place, drawn)
    except Refusal as error:
        if error.code not in NOT_HERE or place.channel == place.user:
            raise
    direct = Place(channel=place.user, user=place.user)
    posted = await desk.messages.post(direct, drawn)
    await desk.messages.whisper(place, note_message(_SENT_TO_YOU))
    return posted
