"""A whole deployment on real servers, and somebody at its shell."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis import Redis

from knowledge_base_agent.actors import shell_actor
from knowledge_base_agent.deployment import Deployment, open_deployment
from knowledge_base_agent.records.migrate import migrate
from knowledge_base_agent.report import Facts, Note, Report, Row, Table
from knowledge_base_agent.requests import Changed, Claimed, Pending, Request
from knowledge_base_agent.runner import Runner
from knowledge_base_agent.settings import Settings
from knowledge_base_agent.understand import understand
from tests.closing import closed_app
from tests.records.deployment import Running, running
from tests.servers import RedisSpace


@dataclass(frozen=True, kw_only=True)
class Shell:
    """Types words and reads reports, on one deployment."""

    deployment: Deployment

    def asks(self, words: str) -> Report:
        """Type words that need no confirmation, and return the answer."""
        outcome = self._ask(words)
        assert isinstance(outcome, Report), f"{words} asked for a confirmation"
        return outcome

    def previews(self, words: str) -> Pending:
        """Type words that destroy, and return the preview."""
        outcome = self._ask(words)
        assert isinstance(outcome, Pending), f"{words} showed no preview: {outcome}"
        return outcome

    def confirms(self, pending: Pending) -> Report:
        """Confirm a preview, and return what came of it."""
        return self.executes(self.claims(pending))

    def insists(self, pending: Pending) -> Report:
        """Confirm a preview of what changes all the time, and each new one that takes its place."""
        while True:
            try:
                return self.confirms(pending)
            except Changed as changed:
                assert isinstance(changed.now, Pending), changed
                pending = changed.now

    def claims(self, pending: Pending) -> Claimed:
        """Confirm a preview, and go no further: for what happens between the look at the click and the run."""
        return Runner(self.deployment).confirm(pending.confirmation_id, shell_actor("tester"))

    def executes(self, claimed: Claimed) -> Report:
        """Run what was confirmed, and return what came of it."""
        return Runner(self.deployment).execute(claimed).report

    def finds_changed(self, pending: Pending) -> Changed:
        """Confirm a preview of something that is no longer what was shown, and return what is said."""
        with pytest.raises(Changed) as caught:
            self.claims(pending)
        return caught.value

    def _ask(self, words: str) -> Report | Pending:
        understood = understand(words)
        request = Request(
            actor=shell_actor("tester"),
            operation=understood.operation,
            arguments=understood.arguments,
            words=understood.words,
            repeat=understood.repeat,
            stated=understood.stated,
        )
        return Runner(self.deployment).ask(request)


@dataclass(frozen=True, kw_only=True)
class Place(Shell):
    """A shell beside a running worker and recorder."""

    site: Running

    def send(self, name: str, *args: object, **options: object) -> str:
        """Publish a task of `history_app`."""
        return self.site.send(name, *args, **options)

    def leave_the_mailbox_of(self, worker: str) -> None:
        """Leave behind what a worker leaves that was killed; one that was shut down takes it along."""
        with Redis.from_url(self.site.settings.broker_url) as client:
            mailbox = f"{worker}.celery.pidbox"
            client.sadd("_kombu.binding.celery.pidbox", f"\x06\x16\x06\x16{mailbox}")


@contextlib.contextmanager
def place(space: RedisSpace, folder: Path, url: str = "") -> Iterator[Place]:
    """Start a deployment with one prefork worker of two slots, and sit down at its shell.

    `url` is a migrated database; without one, an SQLite file is made in the folder.
    """
    if not url:
        url = f"sqlite:///{folder / 'kb.sqlite3'}"
        migrate(url)
    with running(space, url) as site:
        deployment = open_deployment(site.settings, site.app)
        try:
            yield Place(deployment=deployment, site=site)
        finally:
            deployment.close()


@contextlib.contextmanager
def shell_on(settings: Settings) -> Iterator[Shell]:
    """Sit down at the shell of a deployment of which little may be running."""
    from knowledge_base_agent.celery_app import make_app

    with closed_app(make_app(settings)) as app:
        deployment = open_deployment(settings, app)
        try:
            yield Shell(deployment=deployment)
        finally:
            deployment.close()


def table(report: Report, caption: str) -> dict[str, Row]:
    """Return a table's rows by their first cell."""
    found = [part for part in report.parts if isinstance(part, Table) and part.caption == caption]
    assert found, f"no table {caption!r} in {report}"
    return {str(row.cells[0]): row for row in found[0].rows}


def row_of(report: Report, task_id: str) -> Row:
    """Return the row whose last cell is this id."""
    rows = [row for part in report.parts if isinstance(part, Table) for row in part.rows]
    found = [row for row in rows if row.cells[-1] == task_id]
    assert len(found) == 1, f"{task_id} is not in {report}"
    return found[0]


def facts(report: Report, title: str) -> dict[str, object]:
    """Return the facts under a title."""
    found = [part for part in report.parts if isinstance(part, Facts) and part.title == title]
    return {fact.label: fact.value for part in found for fact in part.items}


def notes(report: Report) -> str:
    """Return every note of a report."""
    return "\n".join(part.text for part in report.parts if isinstance(part, Note))
