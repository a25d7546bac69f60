"""Whatever is done to the audit behind the program's back shows, and which entry is the first."""

import contextlib
import time
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, delete, insert, select, update

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.records import audit_verifying
from knowledge_base_agent.records.audit_chain import NOTHING, Head, read_head, seal
from knowledge_base_agent.records.audit_verifying import Seal, Verified, verify
from knowledge_base_agent.records.database import reading, writing
from knowledge_base_agent.records.road_tables import AUDIT, AUDIT_HEAD
from tests.records.audit_tampering import (
    Hand,
    damaged,
    edit,
    exchange,
    exchange_words,
    happened,
    named,
    posted,
    put_in,
    rewrite,
    take_out,
)


@pytest.mark.parametrize(
    ("hand", "shows"),
    [
        (edit(12, words="stats, nothing else"), (12, "edited")),
        (edit(12, at=utc_now() - timedelta(days=3)), (12, "edited")),
        (edit(12, actor_id="U0SOMEONE"), (12, "edited")),
        (edit(12, run_id="op-1"), (12, "edited")),
        (edit(30, detail="the newest"), (30, "edited")),
        (edit(1, seal=NOTHING), (1, "edited")),
        (take_out(12), (12, "missing")),
        (take_out(12, 13, 14), (12, "missing")),
        (take_out(1), (1, "missing")),
        (take_out(30), (30, "truncated")),
        (take_out(*range(21, 31)), (21, "truncated")),
        (take_out(*range(1, 31)), (1, "truncated")),
        (exchange(12, 13), (12, "reordered")),
        (exchange(5, 25), (5, "reordered")),
        (exchange_words(12, 13), (12, "reordered")),
        (exchange_words(1, 30), (1, "reordered")),
        (put_in(12, "never said"), (13, "reordered")),
    ],
)
def test_each_kind_of_damage_shows_with_its_first_entry(
    engine: Engine, hand: Hand, shows: tuple[int, str]
) -> None:
    happened(engine, 30)
    assert damaged(engine, hand) == shows


def test_damage_shows_across_pages_and_the_first_of_two_is_named(
    sqlite: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_verifying, "_PAGE", 10)
    happened(sqlite, 45)
    for first in (10, 11, 20, 21, 40, 45):
        assert damaged(sqlite, edit(first, detail="changed")) == (10, "edited")
    assert damaged(sqlite, take_out(5)) == (5, "missing")


@pytest.mark.parametrize("count", [9, 10, 11, 20])
def test_what_fills_its_pages_just_so_is_looked_at_to_its_beginning(
    sqlite: Engine, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    monkeypatch.setattr(audit_verifying, "_PAGE", 10)
    happened(sqlite, count)
    verified = verify(sqlite)
    assert (verified.looked, verified.broken, verified.whole) == (count, None, True)


def how(verified: Verified) -> str:
    return verified.broken.how if verified.broken else ""


def test_how_many_are_missing_is_told_and_what_stands_below_the_first(sqlite: Engine) -> None:
    happened(sqlite, 5)
    assert damaged(sqlite, take_out(2, 3)) == (2, "missing")
    assert how(verify(sqlite)) == "2 missing before 4"
    with writing(sqlite) as connection:
        row = dict(connection.execute(select(AUDIT).where(AUDIT.c.id == 5)).mappings().one())
        connection.execute(insert(AUDIT).values(row | {"id": 0}))
    assert how(verify(sqlite)) == "below the first before 0"


def test_a_newest_entry_that_was_sealed_anew_is_not_the_one_of_the_head_row(
    sqlite: Engine,
) -> None:
    happened(sqlite, 5)

    def hand(connection: Connection) -> None:
        rows = connection.execute(select(AUDIT).order_by(AUDIT.c.id)).mappings().all()
        forged = dict(rows[4]) | {"words": "never said"}
        edit(5, words="never said", seal=seal(rows[3]["seal"], forged))(connection)

    assert damaged(sqlite, hand) == (5, "rewritten")
    assert "not the one that the head row keeps" in how(verify(sqlite))


def test_entries_that_come_while_it_looks_are_no_damage(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    happened(engine, 5)

    def and_then_some_come(connection: Connection) -> Head:
        head = read_head(connection)
        happened(engine, 3)
        return head

    monkeypatch.setattr(audit_verifying, "read_head", and_then_some_come)
    verified = verify(engine)
    assert (verified.looked, verified.head.number, verified.broken) == (5, 5, None)


def test_a_time_that_somebody_has_made_unreadable_is_damage_and_no_crash(sqlite: Engine) -> None:
    happened(sqlite, 3)
    with writing(sqlite) as connection:
        connection.exec_driver_sql("UPDATE audit_entries SET at = 'yesterday' WHERE id = 2")
    assert named(verify(sqlite)) == (2, "edited")


def test_an_entry_that_another_program_appends_shows(sqlite: Engine) -> None:
    happened(sqlite, 3)
    with writing(sqlite) as connection:
        row = dict(connection.execute(select(AUDIT).where(AUDIT.c.id == 3)).mappings().one())
        forged = row | {"id": 4, "words": "forged"}
        connection.execute(insert(AUDIT).values(forged | {"seal": seal(row["seal"], forged)}))
    assert named(verify(sqlite)) == (4, "added")


def test_a_chain_written_anew_is_whole_from_within_and_shows_by_what_was_posted(
    engine: Engine,
) -> None:
    happened(engine, 30)
    before = posted(engine)

    def hand(connection: object) -> None:
        edit(12, words="never said")(connection)  # type: ignore[arg-type]
        rewrite(connection)  # type: ignore[arg-type]

    assert damaged(engine, hand) is None
    assert named(verify(engine, before)) == (12, "rewritten")
    # One head that somebody has copied is enough.
    copied = Seal(number=30, sha256=before[-1].sha256[:16], source="on paper")
    assert named(verify(engine, [copied])) == (30, "rewritten")


def test_a_tail_cut_off_together_with_the_head_row_shows_by_what_was_posted(engine: Engine) -> None:
    happened(engine, 30)
    before = posted(engine)

    def hand(connection: object) -> None:
        take_out(*range(21, 31))(connection)  # type: ignore[arg-type]
        rewrite(connection)  # type: ignore[arg-type]

    assert damaged(engine, hand) is None
    assert named(verify(engine, before)) == (21, "truncated")


HANDS = st.one_of(
    st.builds(edit, st.integers(1, 24), words=st.text("abc", min_size=1, max_size=3)),
    st.builds(edit, st.integers(1, 24), detail=st.just("it was fine")),
    st.builds(edit, st.integers(1, 24), seal=st.text("0123456789abcdef", min_size=64, max_size=64)),
    st.builds(take_out, st.integers(1, 24)),
    st.sampled_from([(a, b) for a in range(1, 24) for b in range(a + 1, 25)]).map(
        lambda two: exchange(*two)
    ),
    st.sampled_from([(a, b) for a in range(1, 24) for b in range(a + 1, 25)]).map(
        lambda two: exchange_words(*two)
    ),
    st.builds(put_in, st.integers(1, 24), st.just("forged")),
)


@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(hands=st.lists(HANDS, min_size=1, max_size=3), sealed_anew=st.booleans())
def test_no_edits_of_any_kind_stay_unseen(
    sqlite: Engine, hands: list[Hand], sealed_anew: bool
) -> None:
    with writing(sqlite) as connection:
        connection.execute(delete(AUDIT))
        connection.execute(update(AUDIT_HEAD).values(number=0, seal=NOTHING, named=0, day=None))
    happened(sqlite, 24)
    before, seals = _all(sqlite), posted(sqlite)
    with writing(sqlite) as connection:
        for hand in hands:
            # What an earlier hand took away can't be changed any more.
            with contextlib.suppress(Exception), connection.begin_nested():
                hand(connection)
        if sealed_anew:
            rewrite(connection)
    changed = _all(sqlite) != before
    assert (verify(sqlite, seals).broken is not None) == changed
    if not sealed_anew:
        assert (verify(sqlite).broken is not None) == changed


def _all(engine: Engine) -> list[tuple[object, ...]]:
    with reading(engine) as connection:
        return [tuple(row) for row in connection.execute(select(AUDIT).order_by(AUDIT.c.id))]


def test_a_look_with_little_time_sees_the_newest_entries_and_compares_every_seal(
    sqlite: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_verifying, "_PAGE", 10)
    happened(sqlite, 35)
    before = posted(sqlite)
    quick = verify(sqlite, before, until=time.monotonic())
    assert (quick.looked, quick.compared, quick.whole, quick.broken) == (10, 35, False, None)
    assert damaged(sqlite, edit(33, detail="changed")) == (33, "edited")
    assert named(verify(sqlite, until=time.monotonic())) == (33, "edited")


def test_an_entry_that_is_gone_beyond_a_short_look_shows_by_its_seal(
    sqlite: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_verifying, "_PAGE", 10)
    happened(sqlite, 35)
    before = posted(sqlite)
    assert damaged(sqlite, take_out(5)) == (5, "missing")
    quick = verify(sqlite, before, until=time.monotonic())
    assert (quick.looked, named(quick)) == (10, (5, "missing"))
    assert how(quick) == "it is gone, and its seal stands in the channel"


def test_the_newest_entry_that_is_gone_shows_by_its_seal_as_well(sqlite: Engine) -> None:
    happened(sqlite, 5)
    before = posted(sqlite)
    assert damaged(sqlite, take_out(5), before) == (5, "missing")
    assert named(verify(sqlite)) == (5, "truncated")
