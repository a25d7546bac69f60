"""What the workers are doing, asked of the workers: one question where they know ours, Celery's own five elsewhere."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from celery import Celery
from msgspec.structs import replace

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.fleet.broadcast import Broadcaster
from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.plain_reading import PLAIN_QUESTIONS, Focus, read_plain
from knowledge_base_agent.fleet.question import Answers, Question, Reply
from knowledge_base_agent.fleet.reading import read_look
from knowledge_base_agent.fleet.shared import Shared
from knowledge_base_agent.fleet.views import FleetView, WorkerView
from knowledge_base_agent.fleet.worker_words import COMMANDS, LOOK, VERSION

SHARED_SECONDS = 0.25
"""A look may share the answers to a question that went out at most this long before, unless it asks for its own."""
_REGISTERED = "registered"


@dataclass(kw_only=True)
class _Book:
    """What one look has heard so far."""

    rounds: list[Answers] = field(default_factory=list)
    looks: list[tuple[Reply, datetime]] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    plain: dict[str, dict[str, Reply]] = field(default_factory=dict)
    plain_sent_at: dict[str, datetime] = field(default_factory=dict)

    @property
    def roll_call(self) -> Answers:
        """Return the answers to the one question that went to everyone."""
        return self.rounds[0]

    def enter(self, answers: Answers) -> None:
        """Sort the replies to one question under the workers that gave them."""
        self.rounds.append(answers)
        command = answers.question.command
        for reply in answers.replies:
            if command == LOOK:
                if isinstance(reply.body, dict) and reply.body.get("v") == VERSION:
                    self.looks.append((reply, answers.sent_at))
                else:
                    self.refused.add(reply.worker)
            elif command in (*PLAIN_QUESTIONS, _REGISTERED):
                said = self.plain.setdefault(reply.worker, {})
                said[command] = _merged(said.get(command), reply)
                self.plain_sent_at[reply.worker] = answers.sent_at

    def asked(self, commands: Iterable[str]) -> set[str]:
        """Return who was asked one of these by name."""
        return {
            name
            for answers in self.rounds
            if answers.question.command in commands
            for name in answers.question.destination or ()
        }

    def unheard(self) -> set[str]:
        """Return who is there and has not told what it does, and is not known to need Celery's own questions."""
        there = {reply.worker for reply in self.roll_call.replies}
        return there - {reply.worker for reply, _ in self.looks} - self.refused - set(self.plain)


def _merged(first: Reply | None, second: Reply) -> Reply:
    """Two workers of one name: their tasks count together, for neither may be hidden."""
    if first is None:
        return second
    if isinstance(first.body, list) and isinstance(second.body, list):
        return replace(second, body=first.body + second.body)
    return first


class Workers:
    """The workers of one Celery app, seen through its broker. Made once a process; safe to use from many threads."""

    def __init__(self, app: Celery, broadcaster: Broadcaster) -> None:
        self._app = app
        self._broadcaster = broadcaster
        self._shared: Shared[FleetView] = Shared()
        self._plain: set[str] = set()
        self._ours: dict[str, bool | None] = {}

    def look(
        self,
        deadline: Deadline,
        *,
        arguments: bool = False,
        ids: Iterable[str] | None = None,
        fresh: bool = False,
    ) -> FleetView:
        """Ask every worker what it does, until all answered or the deadline passed.

        `arguments` brings the tasks' arguments too, as they are and capped: privileged. With `ids`, of the waiting
        tasks only those are listed, however many wait. `fresh` insists on a question of our own, sent now: for whoever
        has just changed something. Raises `Away` without a broker.
        """
        focus = Focus(arguments=arguments, ids=None if ids is None else tuple(sorted(set(ids))))
        return self._shared.get(
            deadline,
            focus,
            lambda: self._look(deadline, focus),
            not_older=-1.0 if fresh else SHARED_SECONDS,
        )

    def ours(self, name: str) -> bool | None:
        """Return whether a worker of this name runs our app, by what was last seen; None if that is not known."""
        return self._ours.get(name)

    def _look(self, deadline: Deadline, focus: Focus) -> FleetView:
        started = utc_now()
        present = self._broadcaster.roster.present()
        self._plain &= present  # who left and comes back may have learned our command
        book = _Book()
        questions = self._first_round(present, focus)
        while questions:
            for answers in self._broadcaster.ask_all(deadline, questions):
                book.enter(answers)
            questions = [] if deadline.expired else self._next_round(book, focus)
        self._plain |= set(book.plain)
        return self._view(book, started, focus)

    def _first_round(self, present: frozenset[str], focus: Focus) -> list[Question]:
        """Make the first question one that goes to everyone: only that one tells who is there."""
        if (
            COMMANDS not in sys.modules
        ):  # our app did not load them here, so not in its workers either
            return self._plain_questions(present, None, focus)
        if not self._plain:
            return [_look_question(None, focus)]
        # Workers that don't know our command log an error with a traceback each time they hear it: spare them that.
        questions = [Question(command="ping")]
        if present - self._plain:
            questions.append(_look_question(present - self._plain, focus))
        return questions + self._plain_questions(self._plain, self._plain, focus)

    def _next_round(self, book: _Book, focus: Focus) -> list[Question]:
        """Ask those who are there and have not told yet: with Celery's questions, or ours if never heard."""
        questions: list[Question] = []
        if refused := book.refused - book.asked(PLAIN_QUESTIONS):
            questions += self._plain_questions(refused, refused, focus)
        heard_it_all = book.roll_call.question.command != "ping"
        if not heard_it_all and (newcomers := book.unheard() - book.asked((LOOK,))):
            questions.append(_look_question(newcomers, focus))
        return questions

    def _plain_questions(
        self, who: Iterable[str], destination: Iterable[str] | None, focus: Focus
    ) -> list[Question]:
        to = tuple(sorted(destination)) if destination is not None else None
        questions = [Question(command=command, destination=to) for command in PLAIN_QUESTIONS]
        if not focus.arguments:
            questions[0] = replace(questions[0], arguments={"safe": True})
        known = list(who)
        if not known or any(name not in self._ours for name in known):
            questions.append(Question(command=_REGISTERED, destination=to))
        return questions

    def _view(self, book: _Book, started: datetime, focus: Focus) -> FleetView:
        workers = [read_look(reply, sent, self._app.main) for reply, sent in book.looks]
        self._ours |= {worker.name: worker.ours for worker in workers}
        workers += [self._read_plain(book, name, focus) for name in book.plain]
        roll_call = book.roll_call
        return FleetView(
            taken_at=started,
            took=utc_now() - started,
            receivers=roll_call.receivers,
            why_unknown=roll_call.why_unknown,
            workers=tuple(sorted(workers, key=lambda worker: (worker.name, worker.pid or 0))),
            silent=roll_call.silent,
            unnamed=roll_call.unnamed,
            duplicates=roll_call.duplicates,
            roster=self._broadcaster.roster.all(),
            problems=tuple(_problems(book)),
        )

    def _read_plain(self, book: _Book, name: str, focus: Focus) -> WorkerView:
        said = book.plain[name]
        if _REGISTERED in said:
            self._ours[name] = self._shares_tasks(said[_REGISTERED])
        ours = self._ours.get(name)
        return read_plain(name, said, book.plain_sent_at[name], focus, ours=ours)

    def _shares_tasks(self, registered: Reply) -> bool | None:
        mine = {name for name in self._app.tasks if not name.startswith("celery.")}
        told = registered.body if isinstance(registered.body, list) else []
        theirs = {str(line).split(" ")[0] for line in told}
        return bool(mine & theirs) if mine and theirs else None


def _look_question(to: Iterable[str] | None, focus: Focus) -> Question:
    destination = tuple(sorted(to)) if to is not None else None
    wanted: dict[str, object] = {"arguments": focus.arguments}
    if focus.ids is not None:
        wanted |= {"ids": list(focus.ids), "limit": len(focus.ids)}
    return Question(command=LOOK, arguments=wanted, destination=destination)


def _problems(book: _Book) -> Iterable[str]:
    heard = {reply.worker for reply, _ in book.looks} | set(book.plain)
    for name in sorted({reply.worker for reply in book.roll_call.replies} - heard):
        yield f"{name} is there, but did not tell what it does."
    for name, said in sorted(book.plain.items()):
        missing = [command for command in PLAIN_QUESTIONS if command not in said]
        if missing:
            yield f"{name} did not answer {', '.join(missing)}."
    unreadable = sum(answers.unreadable for answers in book.rounds)
    if unreadable:
        yield f"{unreadable} answers could not be read: broken, or pickled, which is never decoded here."
