"""What each worker said and did when told to take, or no longer to take, from a queue."""

from collections.abc import Iterator

from knowledge_base_agent.fleet.consuming import ConsumingOutcome
from knowledge_base_agent.redaction import plain
from knowledge_base_agent.report import Column, Note, Row, Table, Tone

_COLUMNS = (
    Column(key="worker", label="Worker"),
    Column(key="consumes", label="Takes from it now"),
    Column(key="said", label="What it said"),
)


def consuming_table(outcome: ConsumingOutcome) -> Table:
    """Return a row for each worker that was told."""
    rows = tuple(
        Row(
            cells=(
                plain(one.worker, 80),
                None if one.consumes is None else "yes" if one.consumes else "no",
                plain(one.said, 200),
            ),
            tone=Tone.NEUTRAL if one.consumes is outcome.wanted else Tone.WARNING,
        )
        for one in outcome.nodes
    )
    return Table(caption="Workers", columns=_COLUMNS, rows=rows, total=len(rows))


def troubles(outcome: ConsumingOutcome) -> Iterator[Note]:
    """Yield who did not do as told, or could not be seen to."""
    if outcome.otherwise:
        names = ", ".join(plain(one, 80) for one in outcome.otherwise)
        still = "do not take from it yet" if outcome.wanted else "still take from it"
        yield Note(text=f"These {still}: {names}. They are told again.", tone=Tone.WARNING)
    if outcome.unknown:
        names = ", ".join(plain(one, 80) for one in outcome.unknown)
        yield Note(
            text=f"No answer from {names}: it was told, may still do it, and is told again when it answers.",
            tone=Tone.WARNING,
        )
