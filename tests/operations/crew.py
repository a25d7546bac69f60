"""A deployment whose workers come and go: somebody at its shell, and a ledger that the tasks write themselves."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from knowledge_base_agent.deployment import open_deployment
from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.views import WorkerView
from knowledge_base_agent.records.migrate import migrate
from tests.closing import close_app
from tests.fleet.running import Site
from tests.operations.place import Shell
from tests.records.deployment import settings_for
from tests.servers import RedisSpace


@dataclass(frozen=True, kw_only=True)
class Crew(Shell):
    """A shell beside workers of `tiny_app`."""

    site: Site

    def send(self, name: str, *args: object, **options: Any) -> str:
        """Publish a task of `tiny_app`."""
        return str(self.deployment.app.send_task(f"tiny.{name}", args, **options).id)

    def hire(self, name: str, *more: str, **environment: str) -> None:
        """Start a worker and wait until it answers."""
        before = self.deployment.fleet.workers.look(Deadline.after(2), fresh=True).answered
        self.site.start(f"{name}@here", *more, **environment)
        self.site.await_workers(self.deployment.fleet, before + 1)

    def seen(self, name: str) -> WorkerView:
        """Return what a worker says of itself."""
        view = self.deployment.fleet.workers.look(Deadline.after(2), fresh=True)
        (found,) = [worker for worker in view.workers if worker.name == f"{name}@here"]
        return found

    def began(self) -> list[str]:
        """Return the ids of the tasks that began, by their own ledger."""
        return self.site.ledger("began")


@contextlib.contextmanager
def crew(space: RedisSpace, folder: Path, url: str = "") -> Iterator[Crew]:
    """Sit down where no worker runs yet; `url` is a migrated database, else an SQLite file is made."""
    if not url:
        url = f"sqlite:///{folder / 'kb.sqlite3'}"
        migrate(url)
    site = Site.on(space, folder)
    deployment = open_deployment(settings_for(space, url), site.app())
    try:
        yield Crew(deployment=deployment, site=site)
    finally:
        site.stop()
        deployment.close()
        close_app(deployment.app)
