"""What is said of a purge: how many messages went, of which queues that is unknown, and which were not begun."""

from collections.abc import Iterator, Sequence

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.fleet.purging import Emptied
from knowledge_base_agent.operations.purge_figures import PurgeFigures, revoke_them
from knowledge_base_agent.redaction import plain
from knowledge_base_agent.report import Action, Column, Note, Report, Row, Table, Tone
from knowledge_base_agent.wording import counted


def purge_report(
    emptied: Sequence[Emptied], after: PurgeFigures | None, notes: tuple[Note, ...]
) -> Report:
    """Return what came of it; `after` are the figures of a look behind it, None where there was none."""
    removed = sum(one.removed or 0 for one in emptied)
    failed = [one for one in emptied if one.problem]
    messages = counted(removed, "message")
    left = "what is left is unknown" if after is None else _left(after)
    said = f"{'; '.join((*_became(emptied), left))}."
    troubles = tuple(
        Note(text=f"{plain(one.queue, 60)}: {one.problem}", tone=Tone.BAD) for one in failed
    )
    clean = not failed and after is not None and not after.held_waiting and after.ready == 0
    return Report(
        title=f"Purged {messages}" if not failed else "Purge: not all as asked",
        text=said,
        parts=(_table(emptied, after), *troubles, *notes),
        tone=Tone.BAD if failed else Tone.GOOD if clean else Tone.WARNING,
        actions=(*(revoke_them(after) if after else ()), Action(label="Stats", words="stats")),
        succeeded=not failed,
        taken_at=utc_now(),
        data={"removed": {one.queue: one.removed for one in emptied}},
    )


def _became(emptied: Sequence[Emptied]) -> Iterator[str]:
    """Say what went, of which queues that is unknown, and which were not begun."""
    doubtful = [one.queue for one in emptied if one.removed is None and one.tried]
    sure = [one for one in emptied if one.removed is not None]
    if sure or not doubtful:
        messages = counted(sum(one.removed or 0 for one in sure), "message")
        queues = len([one for one in sure if one.removed or not one.problem])
        yield f"Removed {messages} from {counted(queues, 'queue')}"
    if doubtful:
        yield (
            f"{'of' if sure else 'Of'} {_names(doubtful)} it is unknown: no answer came, so what waited there may have "
            "gone, or goes as soon as the broker does what it was told"
        )
    if untried := [one.queue for one in emptied if not one.tried]:
        yield f"{_names(untried)}: not begun"


def _names(queues: Sequence[str]) -> str:
    shown = ", ".join(plain(one, 60) for one in queues[:5])
    return shown + (f" and {len(queues) - 5} more queues" if len(queues) > 5 else "")


def _left(after: PurgeFigures) -> str:
    waits = "how many wait now is unknown" if after.ready is None else f"{after.ready:,} wait now"
    return f"{waits}; {after.held_sentence}"


def _table(emptied: Sequence[Emptied], after: PurgeFigures | None) -> Table:
    now = {} if after is None else {one.name: one.ready for one in after.depths}
    rows = tuple(
        Row(
            cells=(plain(one.queue, 80), one.removed, now.get(one.queue)),
            tone=Tone.BAD if one.problem else Tone.NEUTRAL,
        )
        for one in emptied
    )
    columns = (
        Column(key="queue", label="Queue"),
        Column(key="removed", label="Removed"),
        Column(key="ready", label="Ready now"),
    )
    return Table(caption="Purged queues", columns=columns, rows=rows, total=len(rows))
