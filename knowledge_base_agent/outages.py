"""Saying what is away, since when, and what still works without it.

Several stores are often one Redis server: when it is gone, all of them are, and since the same moment.
"""

from collections.abc import Iterator
from urllib.parse import urlsplit

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.fleet.sightings import Sightings
from knowledge_base_agent.problems import Away, Lost
from knowledge_base_agent.settings import Settings

_BROKER, _RESULTS = "the broker", "the result backend"
_PROGRESS, _LOGS, _DATABASE = "the progress store", "the log store", "the database"
_NEEDS = {
    "active": _BROKER,
    "stats and stuck, from the workers": _BROKER,
    "stats and stuck, from the rows": _DATABASE,
    "logs": _LOGS,
    "clear": _DATABASE,
    "search": _DATABASE,
}
"""What a question cannot do without. Search's index is in the database, or in a file on the same disk."""
_USES = {
    "active": _BROKER, "scheduled": _BROKER, "reserved": _BROKER, "workers": _BROKER,
    "queued": _BROKER, "revoke": _BROKER, "purge": _BROKER, "logs": _LOGS, "clear": _DATABASE, "find": _DATABASE,
    "failures": _DATABASE,
}  # fmt: skip


def told(problem: Away, sightings: Sightings, settings: Settings) -> Away:
    """Return the problem with since when and what still works, and remember that its source failed."""
    if isinstance(problem, Lost):
        return problem
    together = _together(problem.source, settings)
    for source in together:
        sightings.failed(source)
    known = [sightings.of(source).away_since for source in together]
    since = min((moment for moment in known if moment), default=None)
    when = f" Away since {since:%H:%M:%S} UTC, as far as this process has seen." if since else ""
    works = ", ".join(_still_works(set(together), sightings))
    blocked = " Nothing can be changed meanwhile." if problem.source == _DATABASE else ""
    return Away(
        f"{problem.what}{when}",
        f"{problem.cure} Still works: {works}.{blocked}",
        source=problem.source,
    )


def worked(operation: str, sightings: Sightings, settings: Settings) -> None:
    """Remember that what this operation needs has just answered, and with it the server that others live on, too."""
    source = _USES.get(operation)
    if source is not None:
        for one in _together(source, settings):
            sightings.seen(one)


def _still_works(away: set[str], sightings: Sightings) -> Iterator[str]:
    now = utc_now()
    for words, source in _NEEDS.items():
        if source not in away and not sightings.of(source).is_away(now):
            yield words
    yield "help"


def _together(source: str, settings: Settings) -> tuple[str, ...]:
    """Return the sources that live on the same server as this one, itself included."""
    urls = {
        _BROKER: settings.broker_url,
        _RESULTS: settings.result_backend,
        _PROGRESS: settings.progress_url,
        _LOGS: settings.logs_url,
    }
    if source not in urls:
        return (source,)
    server = _server(urls[source])
    return tuple(name for name, url in urls.items() if _server(url) == server)


def _server(url: str) -> str:
    parts = urlsplit(url)
    return parts.netloc.rpartition("@")[2] or parts.path
