"""What the bot does without being asked: expired previews lose their buttons, interrupted runs are announced."""

import asyncio
from dataclasses import dataclass

import structlog

from bot.blocks.confirmation import interrupted_message, settled_message
from bot.blocks.drawn import Drawn
from bot.desk import Desk
from bot.glass import GlassAlarms
from bot.messages import Place, Posted
from bot.seldom import Seldom
from bot.slack_api import Refusal, TooFast, Unreached
from bot.waiting import patiently
from knowledge_base_agent.problems import Problem
from knowledge_base_agent.runs import Run

log = structlog.get_logger()

EVERY_SECONDS = 2.0
_WITHIN = 5.0
_TRIES = 20
_INTERRUPTED_EVERY = 5
_FORGOTTEN_EVERY = 300


@dataclass(kw_only=True)
class _Notice:
    """A message that has to change, and how often that was tried."""

    place: str
    message: str
    drawn: Drawn
    tries: int = 0


class Upkeep:
    """Looks every two seconds, for as long as `run` runs."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._notices: list[_Notice] = []
        self._glass = GlassAlarms(desk)
        self._turns = 0
        self._seldom = Seldom()

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self.once()
            await asyncio.sleep(EVERY_SECONDS)

    async def once(self) -> None:
        """Settle what is due, and tell. While the database is away there is nothing to settle."""
        try:
            await self._collect()
            await self._glass.once()
        except Problem as problem:
            self._seldom(log.warning, "nothing could be settled", reason=problem.what)
        waiting, self._notices = self._notices, []
        for notice in waiting:
            await self._tell(notice)

    async def _collect(self) -> None:
        desk = self._desk
        expired = await desk.questions.call(desk.runner.expire_due, within=_WITHIN)
        for settled in expired:
            if settled.place and settled.message:
                self._add(settled.place, settled.message, settled_message(settled))
        # A run counts as interrupted after half a minute of silence, so there is no need to look at every turn.
        interrupted: tuple[Run, ...] = ()
        if self._turns % _INTERRUPTED_EVERY == 0:
            interrupted = await desk.questions.call(desk.runner.declare_interrupted, within=_WITHIN)
        for run in interrupted:
            if run.place:
                self._add(run.place, run.message, interrupted_message(run))
        if expired or interrupted:
            desk.nudge_audit()
        self._turns += 1
        if self._turns % _FORGOTTEN_EVERY == 1:
            await desk.questions.call(desk.runner.forget_seen, within=_WITHIN)

    def _add(self, place: str, message: str, drawn: Drawn) -> None:
        self._notices.append(_Notice(place=place, message=message, drawn=drawn))

    async def _tell(self, notice: _Notice) -> None:
        try:
            if notice.message:
                posted = Posted(channel=notice.place, message=notice.message)
                await patiently(lambda: self._desk.messages.update(posted, notice.drawn))
            else:
                place = Place(channel=notice.place, user="")
                await self._desk.messages.post(place, notice.drawn)
        except Refusal as error:
            self._refused(notice, error)
        except (TooFast, Unreached) as error:
            notice.tries += 1
            if notice.tries < _TRIES:
                self._notices.append(notice)
            else:
                log.error("a notice was given up", place=notice.place, reason=str(error))

    def _refused(self, notice: _Notice, error: Refusal) -> None:
        log.warning("a message could not be replaced", place=notice.place, code=error.code)
        if notice.message and error.code == "message_not_found":
            notice.message = ""  # it was deleted: say it anew
            self._notices.append(notice)
