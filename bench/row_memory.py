"""Row 14: what the bot holds in memory after very many commands, with very many tasks in what it watches."""

from bench.grounds import space, sqlite
from bench.row_counts import fill
from bench.rows import Figure, Outcome, Row, Scale, at_most
from bench.slack_side import Line, Listening, bot, posted, reached
from knowledge_base_agent.records.database import open_engine

_WORDS = ("help", "stats", "failures", "find --state FAILURE", "alerts", "active")
_AT_ONCE = 24


def _commands(to: Listening, line: Line, count: int) -> None:
    """Have so many commands answered, a few at once, each by a message."""
    before = posted(to)
    for first in range(0, count, _AT_ONCE):
        last = min(first + _AT_ONCE, count)
        for number in range(first, last):
            line.types(_WORDS[number % len(_WORDS)])
        reached(to, before + last)


def _memory(scale: Scale) -> Outcome:
    count, tasks = scale.choose(100_000, 120), scale.choose(1_000_000, 5_000)
    # After so many all code is loaded, all threads are there, and the allocator has what it keeps.
    warming = scale.choose(2_400, 120)
    with space() as ground, sqlite() as url, bot(url, ground.result_url) as ours:
        line = Line(ours)
        _commands(ours, line, warming)
        warm = ours.megabytes
        engine = open_engine(url, deadline=600)
        fill(engine, tasks)
        engine.dispose()
        _commands(ours, line, count)
        after = ours.megabytes
    return Outcome(
        figures=(
            Figure(label=f"after {warming:,} commands", value=f"{warm:.0f} MB"),
            Figure(label=f"after {count:,} more, {tasks:,} tasks", value=f"{after:.0f} MB"),
        ),
        goals=(at_most("more memory", after - warm, 20, smoke=40, unit="MB"),),
    )


MEMORY = Row(number=14, title="Memory of the bot after very many commands", run=_memory)
