"""Hands that change the audit behind the program's back, and how a test looks at what `verify` says of it."""

from collections.abc import Callable, Sequence

from sqlalchemy import Connection, Engine, delete, insert, select, update

from knowledge_base_agent.actors import Actor, Surface
from knowledge_base_agent.audit import Kind, entry_of, write
from knowledge_base_agent.records.audit_chain import NOTHING, seal
from knowledge_base_agent.records.audit_verifying import Seal, Verified, verify
from knowledge_base_agent.records.database import reading, writing
from knowledge_base_agent.records.road_tables import AUDIT, AUDIT_HEAD

OTTO = Actor(id="U0OTTO000", name="otto", surface=Surface.SLACK)
Hand = Callable[[Connection], None]


def happened(engine: Engine, count: int, *, at_once: int = 7) -> None:
    """Write so many entries, a few a transaction, as batches of the spool are."""
    entries = [entry_of(OTTO, Kind.REQUESTED, "stats", words=f"stats {n}") for n in range(count)]
    for start in range(0, count, at_once):
        with writing(engine) as connection:
            write(connection, *entries[start : start + at_once])


def posted(engine: Engine) -> tuple[Seal, ...]:
    """Return the seals as they stand in the channel at this moment."""
    with reading(engine) as connection:
        rows = connection.execute(select(AUDIT.c.id, AUDIT.c.seal)).all()
    return tuple(Seal(number=row.id, sha256=row.seal, source="in the channel") for row in rows)


def damaged(engine: Engine, hand: Hand, seals: Sequence[Seal] = ()) -> tuple[int, str] | None:
    """Let a hand change the audit, and return the number and the damage that `verify` names."""
    with writing(engine) as connection:
        hand(connection)
    return named(verify(engine, seals))


def named(verified: Verified) -> tuple[int, str] | None:
    """Return the number and the damage, or None where all is whole."""
    broken = verified.broken
    return (broken.number, broken.damage.value) if broken is not None else None


def edit(number: int, **values: object) -> Hand:
    """Change what an entry says."""
    return lambda connection: _done(
        connection, update(AUDIT).where(AUDIT.c.id == number).values(**values)
    )


def take_out(*numbers: int) -> Hand:
    """Delete entries."""
    return lambda connection: _done(connection, delete(AUDIT).where(AUDIT.c.id.in_(numbers)))


def exchange(one: int, other: int) -> Hand:
    """Let two entries change places, their seals included."""

    def hand(connection: Connection) -> None:
        for old, new in ((one, 10**6), (other, one), (10**6, other)):
            connection.execute(update(AUDIT).where(AUDIT.c.id == old).values(id=new))

    return hand


def exchange_words(one: int, other: int) -> Hand:
    """Let two entries change places, and leave the seals where they are."""

    def hand(connection: Connection) -> None:
        exchange(one, other)(connection)
        seals = {row.id: row.seal for row in connection.execute(select(AUDIT.c.id, AUDIT.c.seal))}
        for place, came_from in ((one, other), (other, one)):
            edit(place, seal=seals[came_from])(connection)

    return hand


def put_in(number: int, words: str) -> Hand:
    """Make room for an entry and put one in, rightly sealed by itself."""

    def hand(connection: Connection) -> None:
        newest_first = select(AUDIT.c.id).where(AUDIT.c.id >= number).order_by(AUDIT.c.id.desc())
        for old in connection.execute(newest_first).scalars().all():
            connection.execute(update(AUDIT).where(AUDIT.c.id == old).values(id=old + 1))
        like = dict(_row(connection, number + 1))
        before = str(_row(connection, number - 1)["seal"]) if number > 1 else NOTHING
        forged = like | {"id": number, "words": words}
        connection.execute(insert(AUDIT).values(**forged | {"seal": seal(before, forged)}))
        connection.execute(update(AUDIT_HEAD).values(number=AUDIT_HEAD.c.number + 1))

    return hand


def rewrite(connection: Connection) -> None:
    """Seal everything anew, head row included: from within it is whole."""
    previous, number = NOTHING, 0
    for row in connection.execute(select(AUDIT).order_by(AUDIT.c.id)).mappings().all():
        number += 1
        fresh = dict(row) | {"id": number}
        previous = seal(previous, fresh)
        change = update(AUDIT).where(AUDIT.c.id == row["id"])
        connection.execute(change.values(id=number, seal=previous))
    connection.execute(update(AUDIT_HEAD).values(number=number, seal=previous))


def _row(connection: Connection, number: int) -> dict[str, object]:
    return dict(connection.execute(select(AUDIT).where(AUDIT.c.id == number)).mappings().one())


def _done(connection: Connection, statement: object) -> None:
    connection.execute(statement)  # type: ignore[call-overload]
