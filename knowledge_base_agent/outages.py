"""Saying what is away, since when, and what still works without it."""

from knowledge_base_agent.fleet.sightings import Sightings
from knowledge_base_agent.problems import Away

_STILL_WORKS = {
    "the broker": "Still works: stats and stuck from the rows, logs, search.",
    "the database": "Still works: active, stats and stuck from the workers, logs. Nothing can be changed meanwhile.",
    "the workers": "Still works: stats, logs, search, clear.",
    "the result backend": "Still works: everything that only looks.",
    "the log store": "Still works: everything but logs.",
    "the progress store": "Still works: everything, without progress.",
}


def told(problem: Away, sightings: Sightings) -> Away:
    """Return the problem with since when and what still works, and remember that its source failed."""
    sighting = sightings.failed(problem.source)
    since = sighting.away_since
    when = f" Away since {since:%H:%M:%S} UTC, as far as this process has seen." if since else ""
    works = _STILL_WORKS.get(problem.source, "")
    return Away(f"{problem.what}{when}", f"{problem.cure} {works}".strip(), source=problem.source)
