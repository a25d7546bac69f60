"""Who wanted a run: the one who had it done, or both where one asked and another agreed."""

from sqlalchemy import Connection

from knowledge_base_agent import confirmations
from knowledge_base_agent.redaction import plain
from knowledge_base_agent.runs import Run


def who_wanted(connection: Connection, run: Run) -> str:
    """Return “by otto”, or “asked by otto, approved by anika”. The run's own row names only who had the last word."""
    found = confirmations.of_run(connection, run.id)
    last = plain(run.actor_name, 80)
    if found is None or found.asked_by == run.actor_id:
        return f"by {last}"
    agreed = "approved" if found.why_two else "confirmed"
    return f"asked by {plain(found.asked_by_name, 80)}, {agreed} by {last}"
