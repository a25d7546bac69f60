"""Taking away the keys of the stores: put aside by their servers alone, for good, or by name where rows are asked."""

import contextlib
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from knowledge_base_agent.fleet.going_keys import Page, remove_all, unlink_all
from knowledge_base_agent.operations.flush_counting import Tally
from knowledge_base_agent.operations.flush_keeping import Keeping
from knowledge_base_agent.operations.flush_stores import Store, pages
from knowledge_base_agent.operations.undo_keys import Removal

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

Told = Callable[[int], None]
_OVER: Final = object()


@dataclass(kw_only=True)
class _Store:
    """What came of the keys of one store so far."""

    store: Store
    removal: Removal
    gone: int = 0
    kept: set[bytes] = field(default_factory=set)

    def came(self, page: Page) -> None:
        self.removal.count(self.store.source, page.gone)
        self.gone += page.gone
        self.kept |= page.kept


def remove_keys(
    deployment: "Deployment", stores: Sequence[Store], keep: Keeping, removal: Removal, told: Told
) -> list[Tally]:
    """Remove all keys of these stores but those that are kept; `told` gets how many have gone so far. Raises `Away`.

    A page of each in turn: the servers, or the one that has them all, work on while an answer is read here.
    """
    taken = [_Store(store=one, removal=removal) for one in stores]
    with contextlib.ExitStack() as ending:
        going = [
            ending.enter_context(contextlib.closing(_going(deployment, one, keep))) for one in taken
        ]
        while going:
            going = [one for one in going if next(one, _OVER) is not _OVER]
            told(sum(one.gone for one in taken))
    return [
        Tally(
            store=one.store,
            gone=one.gone,
            kept=len(one.kept),
            touched=keep.touched(one.store, one.kept),
        )
        for one in taken
    ]


def _going(deployment: "Deployment", taken: _Store, keep: Keeping) -> Generator[None, None, None]:
    store, mark = taken.store, taken.removal.mark
    spared = keep.named(store)
    if spared is None:
        yield from _one_by_one(deployment, taken, keep)
    elif mark is None and keep.everything_goes:
        for page in unlink_all(store.client, store.source, pages(store, ours_alone=True)):
            taken.came(page)
            yield
    else:
        yield from remove_all(
            store.client,
            store.source,
            store.prefix,
            mark=mark,
            spared=spared,
            least_idle=keep.least_idle,
            came=taken.came,
        )


def _one_by_one(
    deployment: "Deployment", taken: _Store, keep: Keeping
) -> Generator[None, None, None]:
    store, removal = taken.store, taken.removal
    for page in pages(store, ours_alone=True):
        staying = keep.kept(deployment, store, page)
        going = [key for key in page if key not in staying]
        taken.gone += removal.remove(store.client, store.source, going)
        taken.kept |= staying
        yield
