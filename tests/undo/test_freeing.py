"""What can't be undone any more is freed in portions: nothing else that is to be kept waits for millions of rows."""

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.keeping import Keeper
from knowledge_base_agent.records import states
from knowledge_base_agent.records.batches import write_entries
from knowledge_base_agent.records.database import reading, writing
from knowledge_base_agent.records.keepsakes import held
from knowledge_base_agent.records.pauses import begin_pause
from tests.operations.crew import Crew
from tests.records.entries import entry
from tests.undo.test_cleared_rows import aside, clear
from tests.waiting import wait_until


def test_a_pause_is_kept_while_a_great_many_rows_are_freed(alone: Crew) -> None:
    engine, now = alone.deployment.engine, utc_now()
    with writing(engine) as connection:
        write_entries(connection, [entry(states.SUCCESS, f"t-{n}", at=n) for n in range(900)])
    clear(alone)
    with writing(engine) as connection:
        connection.exec_driver_sql("UPDATE keepsakes SET expires_at = '2026-01-01 00:00:00+00:00'")
        begin_pause(connection, "celery", at=now, by="ann", until=now, workers=[])
    keeper = Keeper(deployment=alone.deployment, free_seconds=0.0)

    assert keeper.keep() == ("the pause of celery by ann is over",)
    assert 0 < aside(alone) < 900, "one portion has gone"

    (said,) = wait_until(keeper.keep, what="the last portion has gone")
    assert said.endswith("can't be undone any more: its rows put aside are freed")
    assert aside(alone) == 0
    with reading(engine) as connection:
        assert held(connection).overdue_since is None
