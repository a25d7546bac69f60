"""What listeners reach: the runner, Slack, people, and where to run things. Wired once, in `app.py`."""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, partial

import structlog

from bot.answers import Answers
from bot.blocks.drawn import Drawn
from bot.blocks.problem import problem_message, unexpected_message
from bot.blocks.text import escaped
from bot.drawings import Drawings
from bot.errands import BEHIND_SECONDS, Errands, Urgency
from bot.files import Files
from bot.messages import Messages, Place
from bot.pace import Pace, Paces
from bot.people import People
from bot.seen import Seen
from bot.slack_api import Refusal, TooFast, Unreached
from bot.threads import Threads
from knowledge_base_agent.actors import Actor, Surface
from knowledge_base_agent.operations.help import HELP
from knowledge_base_agent.problems import Away, Problem, Refused
from knowledge_base_agent.report import Report
from knowledge_base_agent.requests import Request
from knowledge_base_agent.runner import Runner
from knowledge_base_agent.settings import Settings

log = structlog.get_logger()
Work = Callable[[], Awaitable[object]]
_CUT_SHORT = Away(
    "The bot was stopped before it could answer this. Whatever it had begun to change is recorded, and what became of "
    "that is told when it is back.",
    "Look at `/kb ops` in a minute, and ask again if it is not there.",
    source="the bot",
)
_STOPPED = Away(
    "The bot was stopped before this began, and nothing of it was done.",
    "Ask or click again in a minute, when it is back.",
    source="the bot",
)


@dataclass(frozen=True, kw_only=True)
class Desk:
    """One bot at work."""

    settings: Settings
    runner: Runner
    messages: Messages
    files: Files
    people: People
    seen: Seen
    started_at: datetime
    nudge_audit: Callable[[], None]
    questions: Threads = field(default_factory=lambda: Threads(32, "kb-question", at_once=2))
    runs: Threads = field(default_factory=lambda: Threads(1000, "kb-run"))
    """Apart from questions, so that what was claimed always gets a thread."""
    drawings: Drawings = field(default_factory=Drawings)
    errands: Errands = field(default_factory=Errands)
    paces: Paces = field(default_factory=lambda: Paces(60))

    @cached_property
    def answers(self) -> Answers:
        """What only looks is answered here, by the threads for questions."""
        return Answers(self.runner, self.questions)

    def begin(
        self, place: Place, event_id: str, work: Work, *, first: bool = False, always: bool = False
    ) -> None:
        """Start the work of one event, in its own task, unless the same event has been seen before.

        Where much waits, `first` goes before all that is not, and what waits for too long is not begun; its person
        hears so. Whoever is too fast hears so once, and then nothing; `always` is first, and works even so.
        """
        pace = Pace.FINE if always else self.paces.of(place.user)
        if pace is Pace.TOLD:
            work = partial(self._slow_down, place)
        if pace is Pace.SILENT:
            return
        if first or always:
            self.errands.start(self._once(place, event_id, work), Urgency.AT_ONCE)
        else:
            self.errands.start(self._in_turn(place, event_id, work, time.monotonic()))

    async def _slow_down(self, place: Place) -> None:
        too_fast = Refused(
            f"That was more than {self.settings.rate_per_minute} in a minute, so I do not listen to you for a moment.",
            "Wait a few seconds. Cancel always works.",
        )
        self._not_begun(place, too_fast)
        raise too_fast

    async def _in_turn(self, place: Place, event_id: str, work: Work, since: float) -> None:
        if time.monotonic() - since > BEHIND_SECONDS:
            work = partial(self._behind, place, since)
        await self._once(place, event_id, work)

    async def _behind(self, place: Place, since: float) -> None:
        waited = time.monotonic() - since
        behind = Away(
            f"So much is asked at once that this had no turn within {waited:.1f} s, and nothing of it was done; "
            f"{self.errands.waiting} more wait.",
            "Ask again in a few seconds. What is confirmed or cancelled goes first.",
            source="the bot",
        )
        self._not_begun(place, behind)
        await self._say(place, behind)

    async def _stopped(self, place: Place) -> None:
        self._not_begun(place, _STOPPED)
        await self._say(place, _STOPPED)

    async def _say(self, place: Place, why: Problem) -> None:
        # Text alone: to draw it would cost more than to send it, and many wait.
        await self.messages.whisper(place, Drawn(text=escaped(f"⚠️ {why.what} {why.cure}")))

    def _not_begun(self, place: Place, why: Problem) -> None:
        # Not looked up: that is a call to Slack, and too many of those is what this keeps off.
        actor = Actor(id=place.user, name=place.user, surface=Surface.SLACK)
        arguments = HELP.arguments()
        request = Request(
            actor=actor, operation=HELP, arguments=arguments, words="", place=place.channel
        )
        self.runner.refuse(request, why)

    async def _once(self, place: Place, event_id: str, work: Work) -> None:
        if not await self.seen.first_time(event_id):
            log.info("an event came twice", event_id=event_id)
            return
        if self.errands.closing:
            work = partial(self._stopped, place)
        await self.guarded(place, work)

    async def drawn(self, draw: Callable[[], Drawn]) -> Drawn:
        """Draw in a thread, and return when the loop has a turn for sending it."""
        found = await self.drawings.draw(draw)
        await self.errands.turn()
        return found

    async def drawn_report(self, report: Report) -> Drawn:
        """Draw a report as it is now, once for all who are given the same, and return as `drawn` does."""
        found = await self.drawings.report(report)
        await self.errands.turn()
        return found

    async def guarded(self, place: Place, work: Work) -> None:
        """Do work for a person; whatever goes wrong, they hear of it. The one handler of unexpected errors."""
        try:
            await work()
        except Problem as problem:
            await self.errands.turn()
            await self.messages.whisper(place, problem_message(problem))
        except (Refusal, TooFast, Unreached) as error:
            log.warning("Slack did not take an answer", reason=str(error), channel=place.channel)
            await self.messages.whisper(place, problem_message(_untaken(error)))
        except Exception:
            # A defect of ours: the traceback is for us, the reference for the person.
            reference = uuid.uuid4().hex[:8]
            log.exception("an unexpected error", reference=reference, user=place.user)
            await self.messages.whisper(place, unexpected_message(reference))
        except asyncio.CancelledError:
            # The bot stops, and leaves a moment for this; when that is over, this is cancelled, too.
            await self._say(place, _CUT_SHORT)
            raise
        finally:
            self.nudge_audit()


def _untaken(error: Exception) -> Away:
    sure = not isinstance(error, Unreached) or error.surely_not_done
    return Away(
        f"Slack {'did not take' if sure else 'may not have taken'} the answer ({error}).",
        "Nothing was changed by this. Look whether it is there, and ask again if it is not.",
        source="Slack",
    )
