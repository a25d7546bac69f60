"""What an operation is. Read this first, then `operations/__init__.py`, which lists them all.

An operation is declared once, as a value; the words in Slack, the form, the shell command, `--help`, the documentation,
the permission and the audit entries are all derived from that value.
"""

from collections.abc import Callable, Iterable
from enum import Enum
from typing import TYPE_CHECKING, Any, Generic, Protocol, Self, TypeVar

from msgspec import Struct
from pydantic import BaseModel, ConfigDict

from knowledge_base_agent.report import Report
from knowledge_base_agent.scope import Scope

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment


class Risk(Enum):
    """What an operation can do, which decides who may ask for it and whether it is confirmed."""

    READ = "read"
    """Changes nothing: viewers, at once."""
    CHANGE = "change"
    """Starts something or can be taken back: operators, at once, recorded before and after."""
    DESTROY = "destroy"
    """Can't be taken back: operators, after a preview and a confirmation."""


class Arguments(BaseModel):
    """What a person asks an operation for. A field's `Word` says how it is written in words, flags and forms."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @property
    def wants_raw(self) -> bool:
        """Whether the answer is to hold what is hidden otherwise: the road then asks for the role and records it."""
        return False


class Target(BaseModel):
    """What a confirmed operation will act on: absolute times and exact ids, frozen when the preview was made."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def continuing(self, run: str) -> Self:
        """Return it as the target of a run that goes on with another one, which was interrupted."""
        return self


A = TypeVar("A", bound=Arguments)
T = TypeVar("T", bound=Target)


class Word(Struct, frozen=True, kw_only=True):
    """How a field of `Arguments` is written: what reads it, how it is explained, and an example that works."""

    read: Callable[[str], object] | None
    """Turns one word into a value; raises ValueError saying what is allowed. None makes it a flag without a value."""
    help: str
    example: str = ""
    positional: bool = False
    short: str = ""
    """A one-letter flag, such as `n` for `-n 50`."""
    choices: tuple[str, ...] = ()
    value: str = ""
    """What stands for a value in a usage line; else the example."""


class Progress(Protocol):
    """What a running operation calls to say how far it is. Cheap to call often; the receiver throttles."""

    def __call__(self, done: int, total: int | None, note: str = "") -> None:
        """Say that `done` of `total` (None: unknown) are done."""


class Touched(Struct, frozen=True, kw_only=True):
    """The names of what would be touched: `KB_PROTECTED` is held against them."""

    queues: frozenset[str] = frozenset()
    tasks: frozenset[str] = frozenset()
    """Names of tasks, never their ids."""
    all_queues: bool = True
    """False where some can't be told, which then count as protected."""
    all_tasks: bool = True

    def __or__(self, other: "Touched") -> "Touched":
        """Return what both touch together."""
        return Touched(
            queues=self.queues | other.queues,
            tasks=self.tasks | other.tasks,
            all_queues=self.all_queues and other.all_queues,
            all_tasks=self.all_tasks and other.all_tasks,
        )


def touched(*, queues: Iterable[str | None] = (), tasks: Iterable[str | None] = ()) -> Touched:
    """Return what is touched from names, each None where one can't be told."""
    queues, tasks = set(queues), set(tasks)
    return Touched(
        queues=frozenset(queues - {None}),  # type: ignore[arg-type]  # mypy does not narrow it
        tasks=frozenset(tasks - {None}),  # type: ignore[arg-type]
        all_queues=None not in queues,
        all_tasks=None not in tasks,
    )


NOBODY_KNOWS = Touched(all_queues=False, all_tasks=False)
"""What is touched where an operation does not say."""


class Preview(Struct, Generic[T], frozen=True, kw_only=True):
    """What would be touched, and the frozen target that `run` gets if a person confirms."""

    target: T
    report: Report
    scope: Scope
    """The set that would be touched, to be held against what is there when somebody confirms."""
    affected: int | None
    """How many things would be touched; None where that can't be known, 0 where there is nothing to confirm."""
    only_shown: bool = False
    """The person asked to see it and no more (`--dry-run`)."""
    grave: str = ""
    """Why this is of the top risk, whatever it touches: "it purges every queue"; empty where it is not."""
    touches: Touched = NOBODY_KNOWS
    leaves: frozenset[str] | None = None
    """The others of its kind that would be left, named as in `scope`; None where it does not matter if any are."""


class Operation(Struct, Generic[A, T], frozen=True, kw_only=True):
    """One thing an operator can do: `answer` (READ, CHANGE), or `preview`, `again`, `run` and `target` (DESTROY)."""

    name: str
    aliases: tuple[str, ...] = ()
    """Other names, the shell's name of the guide first."""
    summary: str
    risk: Risk
    arguments: type[A]
    answer: "Callable[[Deployment, A, Progress], Report] | None" = None
    preview: "Callable[[Deployment, A], Preview[T]] | None" = None
    again: "Callable[[Deployment, T], Preview[T]] | None" = None
    """Looks at what a frozen target would touch now, by its own cutoffs and ids; `NotFound` when nothing is left."""
    run: "Callable[[Deployment, T, Progress], Report] | None" = None
    target: type[T] | None = None

    def __post_init__(self) -> None:
        parts = (self.preview, self.again, self.run, self.target)
        given = [part is not None for part in parts]
        destroys = self.risk is Risk.DESTROY
        if not (all(given) if destroys else not any(given)) or destroys == bool(self.answer):
            raise TypeError(
                f"{self.name}: answer, or preview, again and run with a target for what destroys"
            )

    @property
    def shell_name(self) -> str:
        """The name in `celery_monitor.py`: the guide's where it has one."""
        return self.aliases[0] if self.aliases else self.name


AnyOperation = Operation[Any, Any]
Given = TypeVar("Given")


def given(part: Given | None) -> Given:
    """Return a part of an operation that its risk asks for: `Operation` has made sure that it is there."""
    if part is None:
        raise TypeError("an operation without the part that its risk asks for")
    return part
