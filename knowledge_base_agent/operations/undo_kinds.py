"""What a kind of keepsake is: how it is looked at, brought back and freed. The kinds are listed in `undo_list.py`."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from knowledge_base_agent.operations.operation import Progress
from knowledge_base_agent.records.keepsakes import Keepsake

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment


@dataclass(frozen=True, kw_only=True)
class Item:
    """One line of what comes back, or came."""

    what: str
    number: int | None
    """How many come back. None: unknown."""
    left: int = 0
    """How many do not."""
    why: str = ""
    """Why not, or what else there is to know of them."""


@dataclass(frozen=True, kw_only=True)
class KeepsakeKind:
    """One kind. Each of the three may raise `Away`, and may be called again after it broke off at any point."""

    name: str
    look: "Callable[[Deployment, Keepsake], tuple[Item, ...]]"
    """Say what would come back at this moment, and what would not. Changes nothing."""
    bring_back: "Callable[[Deployment, Keepsake, Progress], tuple[Item, ...]]"
    """Bring back all that overwrites nothing newer, and say what came."""
    free: "Callable[[Deployment, Keepsake], Iterator[None]]"
    """Remove what is still aside, in portions of some tenths of a second: nothing is when the iterator ends."""


def nothing_held(deployment: "Deployment", keepsake: Keepsake) -> Iterator[None]:
    """Free what holds nothing but the row of its keepsake."""
    return iter(())
