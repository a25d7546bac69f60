"""The audit's chain as the program writes it: numbers without gaps, seals that anybody can compute, heads."""

import contextlib
import hashlib
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import Engine, delete, select

from knowledge_base_agent.audit import Kind, entry_of, write
from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.fleet.sightings import Sightings
from knowledge_base_agent.outages import told
from knowledge_base_agent.problems import Away
from knowledge_base_agent.records import audit_chain
from knowledge_base_agent.records.audit_chain import NOTHING, SEALED, close_day, read_head, seal
from knowledge_base_agent.records.audit_verifying import verify
from knowledge_base_agent.records.database import open_engine, reading, writing
from knowledge_base_agent.records.road_tables import AUDIT, AUDIT_HEAD
from knowledge_base_agent.settings import Settings
from tests.records.audit_tampering import (
    OTTO,
    happened,
    posted,
)
from tests.waiting import wait_until


def test_what_the_program_writes_is_whole_and_numbered_without_gaps(engine: Engine) -> None:
    happened(engine, 20)
    with contextlib.suppress(ZeroDivisionError), writing(engine) as connection:
        write(connection, entry_of(OTTO, Kind.REQUESTED, "rolled back"))
        raise ZeroDivisionError
    happened(engine, 5)
    with reading(engine) as connection:
        assert list(connection.execute(select(AUDIT.c.id).order_by(AUDIT.c.id)).scalars()) == [
            *range(1, 26)
        ]
    verified = verify(engine, posted(engine))
    assert (verified.looked, verified.compared, verified.broken) == (25, 25, None)
    assert verified.whole


def test_everything_that_an_entry_says_is_sealed() -> None:
    assert {*SEALED, "seal", "tried_at", "posted_at"} == {column.name for column in AUDIT.columns}


def test_a_seal_can_be_computed_by_anybody_from_what_the_entry_says(engine: Engine) -> None:
    happened(engine, 1)
    with reading(engine) as connection:
        row = dict(connection.execute(select(AUDIT)).mappings().one())
    said = {name: row[name] for name in SEALED}
    said["at"] = row["at"].isoformat(timespec="microseconds").replace("+00:00", "Z")
    text = json.dumps(said, sort_keys=True, separators=(",", ":"))
    expected = hashlib.sha256(f"kb-audit-1\n{'0' * 64}\n{text}".encode()).hexdigest()
    assert row["seal"] == expected


def test_two_entries_that_read_alike_when_run_together_have_different_seals() -> None:
    one = dict.fromkeys(SEALED, "") | {"id": 1, "at": utc_now(), "words": 'a","zz":"b'}
    other = one | {"words": "a", "detail": 'b","zz":"'}
    assert seal(NOTHING, one) != seal(NOTHING, other)
    assert seal(NOTHING, one | {"run_id": None}) != seal(NOTHING, one | {"run_id": ""})


def test_eight_threads_write_one_chain(engine: Engine) -> None:
    together = threading.Barrier(8)

    def write_some(number: int) -> None:
        together.wait(10)
        for turn in range(15):
            with writing(engine) as connection:
                write(connection, entry_of(OTTO, Kind.REQUESTED, "stats", words=f"{number} {turn}"))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write_some, range(8)))
    verified = verify(engine)
    assert (verified.looked, verified.broken) == (121, None)  # and the head of the hundredth


def test_each_hundredth_entry_is_followed_by_a_head_that_names_it(sqlite: Engine) -> None:
    happened(sqlite, 250)
    with reading(sqlite) as connection:
        rows = connection.execute(select(AUDIT).order_by(AUDIT.c.id)).mappings().all()
    heads = [row for row in rows if row["kind"] == "head"]
    assert [row["id"] for row in heads] == [101, 201]
    assert heads[0]["detail"] == f"entry 100, sha256 {rows[99]['seal']}"
    said = ("actor_id", "actor_name", "surface", "operation")
    assert [heads[0][name] for name in said] == ["bot", "the bot", "schedule", "audit"]
    assert len(rows) == 252
    assert all(row["posted_at"] is None for row in heads)  # they wait for the channel as all do


def test_a_day_that_is_over_gets_its_head_once_and_a_day_without_entries_none(
    sqlite: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    happened(sqlite, 3)
    today = utc_now()
    assert _closes(sqlite) is False  # the day goes on
    monkeypatch.setattr(audit_chain, "utc_now", lambda: today + timedelta(days=1))
    assert _closes(sqlite) is True
    assert _closes(sqlite) is False
    monkeypatch.setattr(audit_chain, "utc_now", lambda: today + timedelta(days=5))
    assert _closes(sqlite) is False
    happened(sqlite, 1)
    monkeypatch.setattr(audit_chain, "utc_now", lambda: today + timedelta(days=6))
    happened(sqlite, 1)  # no bot was there at midnight: the next entry brings the head along
    with reading(sqlite) as connection:
        kinds = list(connection.execute(select(AUDIT.c.kind).order_by(AUDIT.c.id)).scalars())
    assert kinds == [*["requested"] * 3, "head", "requested", "head", "requested"]
    assert verify(sqlite).broken is None


def _closes(engine: Engine) -> bool:
    with writing(engine) as connection:
        return close_day(connection)


def test_without_its_head_row_nothing_is_written_any_more(engine: Engine) -> None:
    happened(engine, 2)
    with writing(engine) as connection:
        connection.execute(delete(AUDIT_HEAD))
    with pytest.raises(Away, match="has lost its head row"):
        happened(engine, 1)
    with pytest.raises(Away, match="has lost its head row") as caught:
        verify(engine)
    said = told(caught.value, Sightings(), Settings())
    assert "Away since" not in said.what  # a row is gone; the database answers
    assert f"{said.what} {said.cure}".lower().count("changed") == 1


def test_the_head_row_knows_the_newest_entry(sqlite: Engine) -> None:
    happened(sqlite, 7)
    with reading(sqlite) as connection:
        head = read_head(connection)
    assert (head.number, head.seal, head.named) == (7, posted(sqlite)[-1].sha256, 0)


def test_a_process_that_stands_still_in_the_middle_of_writing_is_ended_by_postgresql(
    postgres_url: str,
) -> None:
    stopped, other = (open_engine(postgres_url, deadline=0.3) for _ in range(2))
    with pytest.raises(Away):
        stand_still(stopped, until=lambda: written(other))
    verified = verify(other)
    stopped.dispose()
    other.dispose()
    assert (verified.looked, verified.broken) == (1, None)


def stand_still(engine: Engine, *, until: Callable[[], bool]) -> None:
    with writing(engine) as connection:
        write(connection, entry_of(OTTO, Kind.REQUESTED, "stats"))
        wait_until(until, within=10, what="the head row is free again")
        connection.execute(select(AUDIT.c.id))


def written(engine: Engine) -> bool:
    try:
        happened(engine, 1)
    except Away:
        return False
    return True
