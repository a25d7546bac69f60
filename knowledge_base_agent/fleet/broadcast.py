"""Questions to workers, and commands: raw replies, own wall deadline, and the word about who did not answer.

Celery's own `inspect` always waits its whole timeout, restarts it at each reply, forgets who is missing, shows one of
two workers of the same name, and hangs for ever when ten ask at once. This asks on a few connections of our own.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from celery import Celery

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.fleet.absent import Missing, settled, who_is_missing
from knowledge_base_agent.fleet.away import CONNECTION_ERRORS, DRIVER_ERRORS, away
from knowledge_base_agent.fleet.deadline import Deadline, within
from knowledge_base_agent.fleet.line import Line
from knowledge_base_agent.fleet.question import Asked, Question, Reply
from knowledge_base_agent.fleet.roster import Roster
from knowledge_base_agent.problems import Away

CONVERSATIONS = 4
"""Questions that may be out at once. Ten at once in one process hang Celery's own client for ever."""
_GRACE = 0.2
"""Seconds that workers known to be silent get to come back, after everyone else has answered."""
_HAND_OVER = 0.1
SOURCE = "the broker"


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What came back for one question. `receivers` and what hangs on it is None where the broker can't tell."""

    question: Question
    sent_at: datetime
    """Aware UTC, by our clock."""
    took: timedelta
    receivers: int | None
    """How many workers received the question, foreign ones included; exact on Redis."""
    why_unknown: str | None
    """Why `receivers` is None."""
    replies: tuple[Reply, ...]
    silent: tuple[str, ...]
    """Who received it and did not answer, by name."""
    unnamed: int | None
    """How many more did so whose names are not known."""
    duplicates: tuple[str, ...]
    """Names that more than one worker answered by: give each its own."""
    unreadable: int = 0
    """Replies that are broken, or in a form that is never decoded (pickle)."""
    interrupted: str | None = None
    """Why a command is unconfirmed: it was sent, or may have been, and may still take effect."""

    @property
    def answered(self) -> int:
        """Return how many replies came."""
        return len(self.replies)

    @property
    def complete(self) -> bool | None:
        """Return whether everyone who was asked answered; None where that can't be told."""
        if self.interrupted or self.silent or self.unnamed:
            return False
        return None if self.receivers is None and self.question.destination is None else True


class Broadcaster:
    """Asks the workers of one Celery app. Made once a process; safe to use from many threads."""

    def __init__(self, app: Celery, *, roster: Roster | None = None) -> None:
        self.roster = roster or Roster()
        self._app = app
        self._turns = threading.BoundedSemaphore(CONVERSATIONS)
        self._lines: list[Line] = []
        self._lock = threading.Lock()

    def ask(self, deadline: Deadline, question: Question) -> Answers:
        """Send one question and collect what comes back until everyone answered or the deadline passed.

        Raises `Away` when the broker can't be reached in time. A command (`reads=False`) that may have been sent
        never raises that: its answers say `interrupted`.
        """
        return self.ask_all(deadline, [question])[0]

    def ask_all(self, deadline: Deadline, questions: Sequence[Question]) -> tuple[Answers, ...]:
        """Send several questions at once on one connection and collect all their answers on one deadline."""
        started = utc_now()
        asked = [Asked(question=question) for question in questions]
        # Listening ends a little earlier, so that what was heard is handed over before nobody waits for it any more.
        listening = Deadline(at=deadline.at - min(_HAND_OVER, deadline.remaining() / 10))
        limit = Deadline(at=deadline.at + _HAND_OVER)
        try:
            within(limit, lambda: self._in_turn(listening, asked), source=SOURCE)
        except Away as problem:
            if not any(one.sent and not one.question.reads for one in asked):
                raise
            return tuple(self._answers(one, started, problem.what) for one in asked)
        return tuple(self._answers(one, started, None) for one in asked)

    def close(self) -> None:
        """Close the idle connections."""
        with self._lock:
            lines, self._lines = self._lines, []
        for line in lines:
            try:
                line.close()
            except DRIVER_ERRORS:
                line.drop()  # the broker went first: nothing is left to say to it

    def _in_turn(self, deadline: Deadline, asked: list[Asked]) -> None:
        if not self._turns.acquire(timeout=deadline.remaining()):
            raise Away(
                f"{CONVERSATIONS} questions to the workers are still waiting for answers.",
                "Ask again in a few seconds.",
                source=SOURCE,
            )
        try:
            self._converse_or_again(deadline, asked)
        finally:
            self._turns.release()

    def _converse_or_again(self, deadline: Deadline, asked: list[Asked]) -> None:
        try:
            self._converse(deadline, asked)
        except CONNECTION_ERRORS as error:
            # What changes something may have reached the workers already: it is not repeated.
            if deadline.expired or any(one.sent and not one.question.reads for one in asked):
                raise away(SOURCE, error) from error
        except DRIVER_ERRORS as error:
            raise away(SOURCE, error) from error
        else:
            return
        for one in asked:
            one.again()
        self.close()  # what broke one idle connection has broken the others
        try:
            self._converse(deadline, asked)
        except DRIVER_ERRORS as error:
            raise away(SOURCE, error) from error

    def _converse(self, deadline: Deadline, asked: list[Asked]) -> None:
        line = self._take()
        try:
            for one in asked:
                line.send(one, deadline)
            while not deadline.expired and not all(self._settled(one, asked) for one in asked):
                line.listen(deadline.remaining())
            line.forget(asked)
            asked[0].unreadable, line.unreadable = line.unreadable, 0
            for one in asked:
                self._note(line, one)
        except BaseException:
            line.drop()
            raise
        with self._lock:
            self._lines.append(line)

    def _take(self) -> Line:
        with self._lock:
            if self._lines:
                return self._lines.pop()
        return Line(self._app, self.roster.heard)

    def _settled(self, one: Asked, asked: Sequence[Asked]) -> bool:
        if one.outstanding and not one.quiet_for(_GRACE):
            return False  # asked after each of many replies, so before anything is counted
        if one.all_enrolled_answered(self.roster.present()):
            return True
        destination = None
        if one.question.destination is not None:
            namesakes = self.roster.namesakes()
            for other in asked:
                if other.question.destination is None:
                    namesakes = {**namesakes, **other.counts()}
            destination = {name: namesakes.get(name, 1) for name in one.question.destination}
        return settled(
            receivers=one.receivers,
            answers=one.counts(),
            destination=destination,
            present=self.roster.present(),
            known_silent=self.roster.known_silent(),
            quiet=one.quiet_for(_GRACE),
        )

    def _note(self, line: Line, one: Asked) -> None:
        """Name who is missing, and remember who was heard, who is silent and who left."""
        answered = one.names()
        self.roster.heard(answered)
        if one.question.destination is not None:
            wanted = frozenset(one.question.destination)
            one.missing = Missing(silent=wanted - answered, unnamed=0)
            return
        self.roster.shared(one.counts())
        present = self.roster.present()
        everyone = one.receivers is not None and len(one.replies) >= one.receivers
        one.missing = who_is_missing(
            receivers=one.receivers,
            replies=len(one.replies),
            answered=answered,
            present=present,
            bound=None if everyone else line.bound(present - answered),
        )
        self.roster.silent(one.missing.silent)
        if not one.missing.unnamed:
            self.roster.left(present - answered - one.missing.silent)

    def _answers(self, one: Asked, started: datetime, interrupted: str | None) -> Answers:
        missing = one.missing or Missing(silent=frozenset(), unnamed=None)
        why = None
        if one.receivers is None:
            why = "this broker does not tell how many workers a question reaches"
        return Answers(
            question=one.question,
            sent_at=one.sent_at or started,
            took=utc_now() - started,
            receivers=one.receivers,
            why_unknown=why,
            replies=tuple(one.replies),
            silent=tuple(sorted(missing.silent)),
            unnamed=missing.unnamed,
            duplicates=tuple(sorted(name for name, times in one.counts().items() if times > 1)),
            unreadable=one.unreadable,
            interrupted=interrupted,
        )
