"""The watcher: one check after another, by one process at a time."""

from datetime import timedelta

from knowledge_base_agent.deployment import Deployment
from knowledge_base_agent.operations.alerts_thresholds import thresholds_of
from knowledge_base_agent.records.alerts import Alert, unresolved
from knowledge_base_agent.records.database import reading as database_reading
from knowledge_base_agent.records.database import writing
from knowledge_base_agent.records.row_lease import RowLease
from knowledge_base_agent.watching.keeping import keep
from knowledge_base_agent.watching.reading import Reading, take_reading
from knowledge_base_agent.watching.recollection import Recollection
from knowledge_base_agent.watching.trouble import TASK_KINDS, Open
from knowledge_base_agent.watching.troubles import find_troubles

_LEASE = "watcher"
_SHORTEST_LEASE = timedelta(seconds=15)


class Watcher:
    """Watches one deployment. Not thread safe: one call at a time. Every method raises `Away` without a database."""

    def __init__(self, deployment: Deployment) -> None:
        settings = deployment.settings
        self._deployment = deployment
        self._limits = thresholds_of(settings)
        ttl = max(_SHORTEST_LEASE, 3 * timedelta(seconds=settings.watch_seconds))
        self._lease = RowLease(deployment.engine, _LEASE, ttl=ttl)
        self._recollection = Recollection()
        self._absent: dict[str, int] = {}
        self.latest: Reading | None = None
        """The last reading of this process, however old."""
        self.open_alerts: int | None = None
        """How many alerts were unresolved after it."""

    def leads(self) -> bool:
        """Tell whether this process is the one that watches, and take its place if nobody does."""
        return self._lease.hold()

    def release(self) -> None:
        """Let another process watch at once."""
        self._lease.release()

    def check(self) -> Reading | None:
        """Look once and keep what changed; None if another process watches.

        Two that both believe to watch (one slept past its lease) do no harm: an alert can't be opened twice.
        """
        if not self.leads():
            self._recollection, self._absent = Recollection(), {}
            self.latest, self.open_alerts = None, None
            return None
        with database_reading(self._deployment.engine) as connection:
            alerts = unresolved(connection)
        tasks = [alert.subject for alert in alerts if alert.kind in TASK_KINDS]
        reading = take_reading(self._deployment, tasks)
        found = find_troubles(reading, self._limits, self._recollection, _open(alerts, reading))
        with writing(self._deployment.engine) as connection:
            absent = keep(connection, reading, found, alerts, self._absent)
            still = len(unresolved(connection))
        self._recollection, self._absent = found.left, absent
        self.latest, self.open_alerts = reading, still
        return reading


def _open(alerts: tuple[Alert, ...], reading: Reading) -> tuple[Open, ...]:
    return tuple(
        Open(
            kind=alert.kind,
            subject=alert.subject,
            age_seconds=(reading.taken_at - alert.opened_at).total_seconds(),
        )
        for alert in alerts
    )
