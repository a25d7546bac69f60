"""Questions to workers, and commands: raw replies, own wall deadline, and the word about who did not answer.

Celery's own `inspect` always waits its whole timeout, restarts it at each reply, forgets who is missing, shows one of
two workers of the same name, and hangs for ever when ten ask at once. This asks on a few connections of our own.
"""

import threading
from collections.abc import Sequence
from datetime import datetime

from celery import Celery

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.fleet.absent import Missing, settled, who_is_missing
from knowledge_base_agent.fleet.away import CONNECTION_ERRORS, DRIVER_ERRORS, away
from knowledge_base_agent.fleet.deadline import Deadline, within
from knowledge_base_agent.fleet.line import Line
from knowledge_base_agent.fleet.question import Answers, Asked, Question
from knowledge_base_agent.fleet.roster import Roster
from knowledge_base_agent.problems import Away

CONVERSATIONS = 4
"""Questions that may be out at once. Ten at once in one process hang Celery's own client for ever."""
_GRACE = 0.2
"""Seconds that workers known to be silent get to come back, after everyone else has answered."""
_HAND_OVER = 0.1
SOURCE = "the broker"


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
            if not self._asked_here(listening, limit, asked):
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

    def _asked_here(self, deadline: Deadline, limit: Deadline, asked: list[Asked]) -> bool:
        """Ask in this very thread, if nothing can keep it beyond the deadline; tell whether that was done.

        To hand a question to another thread and its answers back takes two switches, on a busy machine as long as a
        worker takes to answer. What may take its time, to connect above all, is for the other thread.
        """
        if len(asked) > 1 or not asked[0].question.reads or not self._turns.acquire(blocking=False):
            return False
        try:
            line = self._ready_line()
            if line is None:
                return False
            self._hear(line, deadline, asked, here=True)
            if _everyone(asked[0]) or asked[0].all_enrolled_answered(self.roster.present()):
                self._finish(line, asked)  # nobody is missing, so nothing is asked of the broker
            else:
                within(limit, lambda: self._finish(line, asked), source=SOURCE)
        except DRIVER_ERRORS:
            asked[0].again()
            return False
        finally:
            self._turns.release()
        return True

    def _ready_line(self) -> Line | None:
        with self._lock:
            if self._lines and self._lines[-1].ready():
                return self._lines.pop()
        return None

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
        self._hear(line, deadline, asked, here=False)
        self._finish(line, asked)

    def _hear(self, line: Line, deadline: Deadline, asked: list[Asked], *, here: bool) -> None:
        try:
            for one in asked:
                line.send(one, deadline, here=here)
            while not deadline.expired and not all(self._settled(one, asked) for one in asked):
                line.listen(deadline.remaining())
        except BaseException:
            line.drop()
            raise

    def _finish(self, line: Line, asked: list[Asked]) -> None:
        try:
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
        one.missing = who_is_missing(
            receivers=one.receivers,
            replies=len(one.replies),
            answered=answered,
            present=present,
            bound=None if _everyone(one) else line.bound(present - answered),
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


def _everyone(one: Asked) -> bool:
    """Tell whether as many replies came as there are workers; never where the broker can't tell that."""
    return one.receivers is not None and len(one.replies) >= one.receivers
