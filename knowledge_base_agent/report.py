"""What an operation answers: values, not text for one place. Slack draws it as blocks, the shell as tables or JSON.

A cell or fact holds a raw value: `str`, `int`, `float`, an aware UTC `datetime`, a `timedelta`, `Size` in bytes, or
`None`, which means *unknown* and is always shown as such, never as zero. `""` means that there is nothing to say.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import Enum

from msgspec import Struct


class Size(int):
    """A number of bytes, shown as kB, MB or GB."""


Value = str | int | float | datetime | timedelta | Size | None


class Tone(Enum):
    """How a report or a line of it should be taken at a glance."""

    NEUTRAL = "neutral"
    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"


class Action(Struct, frozen=True, kw_only=True):
    """A button: words that go the same road as if the person had typed them after `/kb`."""

    label: str
    words: str
    danger: bool = False


class Fact(Struct, frozen=True, kw_only=True):
    """A labelled value; `why` explains an unknown or a surprising one."""

    label: str
    value: Value
    why: str = ""
    tone: Tone = Tone.NEUTRAL


class Facts(Struct, frozen=True, kw_only=True):
    """A handful of labelled values."""

    items: tuple[Fact, ...]
    title: str = ""


class Column(Struct, frozen=True, kw_only=True):
    """A column of a table; `key` is its name in JSON."""

    key: str
    label: str


class Row(Struct, frozen=True, kw_only=True):
    """One line of a table, as many cells as the table has columns, and what can be done about it."""

    cells: tuple[Value, ...]
    actions: tuple[Action, ...] = ()
    tone: Tone = Tone.NEUTRAL
    progress: float | None = None
    """Share that is done, 0 to 1, where it is known."""


class Table(Struct, frozen=True, kw_only=True):
    """Rows of one kind; `total` is how many there are where not all are here, None where that is unknown."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    total: int | None


class Chart(Struct, frozen=True, kw_only=True):
    """Numbers over categories, one series a name; every series has as many numbers as there are categories."""

    title: str
    categories: tuple[str, ...]
    series: Mapping[str, tuple[float, ...]]
    unit: str = ""


class Note(Struct, frozen=True, kw_only=True):
    """A sentence beside the figures: a warning, an unknown, what to do next."""

    text: str
    tone: Tone = Tone.NEUTRAL


class Preformatted(Struct, frozen=True, kw_only=True):
    """Text that must keep its lines: log lines, a traceback."""

    text: str
    title: str = ""


class Passage(Struct, frozen=True, kw_only=True):
    """A piece of a text that was found: what it is from, what it says, and where that can be read."""

    title: str
    text: str
    source: str = ""


class Passages(Struct, frozen=True, kw_only=True):
    """Things to read, one below the other, the best first; too long for the cells of a table."""

    items: tuple[Passage, ...]


Part = Facts | Table | Chart | Note | Preformatted | Passages


class Report(Struct, frozen=True, kw_only=True):
    """The answer to a request. `text` answers alone, where nothing else can be shown."""

    title: str
    text: str
    parts: tuple[Part, ...] = ()
    tone: Tone = Tone.NEUTRAL
    actions: tuple[Action, ...] = ()
    taken_at: datetime | None = None
    """When the figures were read; the front says how old they are when it matters."""
    succeeded: bool = True
    """False where the operation did not reach its purpose; the shell then exits with 1."""
    data: Mapping[str, object] = {}
    """More for scripts: values of JSON's types only."""
    raw_of: tuple[str, ...] = ()
    """The ids of the tasks of which it holds something as it is (`Raw`), for the audit."""
    private: bool = False
    """For the one who asked and nobody else: set by the road, whatever the operation says."""
