"""`logs ID --follow`: one message that goes on with the task, edited at most once a second, for two minutes."""

import time
from functools import partial

import structlog
from msgspec.structs import replace

from bot.blocks.drawn import Drawn
from bot.blocks.long_text import shortened
from bot.blocks.report import report_message
from bot.desk import Desk
from bot.live_message import EVERY_SECONDS, LiveMessage
from bot.messages import Place
from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.operations.logs import LogsArguments
from knowledge_base_agent.problems import Away
from knowledge_base_agent.report import Action, Note, Report
from knowledge_base_agent.requests import Request

log = structlog.get_logger()

FOLLOW_FOR = 120.0
"""Seconds: about what Slack bears of edits, and as long as a person looks."""
_WITHIN = 2.5


def follows(request: Request) -> bool:
    """Tell whether somebody wants to follow a task's lines."""
    return isinstance(request.arguments, LogsArguments) and request.arguments.follow


async def follow(desk: Desk, place: Place, request: Request, report: Report) -> None:
    """Post the lines, and keep them up to date until the task ends. Raises `Refusal` when nothing can be posted."""
    until = time.monotonic() + FOLLOW_FOR
    posted = await desk.messages.post(place, _drawn(report, "New lines come here."))
    async with LiveMessage(partial(desk.messages.update, posted)) as live:
        while not report.data["ended"] and time.monotonic() < until:
            if await desk.errands.ending_within(EVERY_SECONDS):
                break
            try:
                latest = await desk.questions.call(
                    partial(desk.runner.again, request), within=_WITHIN
                )
            except Away as problem:
                log.info("followed lines could not be read", reason=problem.what)
                continue
            if latest.data != report.data:
                live.show(partial(_drawn, latest, "New lines come here."))
            report = latest
        await live.finish(_at_the_end(report, request))


def _at_the_end(report: Report, request: Request) -> Drawn:
    if report.data["ended"]:
        return _drawn(report, f"The task has ended: {report.data['state']}.")
    on = Action(label="Follow on", words=request.words)
    return _drawn(replace(report, actions=(*report.actions, on)), "No longer followed.")


def _drawn(report: Report, note: str) -> Drawn:
    short, _ = shortened(report)
    kept = tuple(part for part in short.parts if not isinstance(part, Note))
    return report_message(replace(short, parts=(*kept, Note(text=note))), utc_now())
