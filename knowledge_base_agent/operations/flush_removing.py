"""Taking away the keys of one store: put aside by the server alone, for good, or by name where rows are asked."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from knowledge_base_agent.fleet.going_keys import Page, remove_all, unlink_all
from knowledge_base_agent.operations.flush_counting import Tally
from knowledge_base_agent.operations.flush_keeping import Keeping
from knowledge_base_agent.operations.flush_stores import Store, pages
from knowledge_base_agent.operations.undo_keys import Removal

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

Told = Callable[[int], None]


def remove_keys(
    deployment: "Deployment", store: Store, keep: Keeping, removal: Removal, told: Told
) -> Tally:
    """Remove all keys of a store but those that are kept; `told` gets how many have gone so far. Raises `Away`."""
    spared = keep.named(store)
    if spared is None:
        return _one_by_one(deployment, store, keep, removal, told)
    gone, kept = 0, set[bytes]()
    for page in _removing(store, removal.mark, spared, keep):
        removal.count(store.source, page.gone)
        gone += page.gone
        kept |= page.kept
        told(gone)
    return Tally(store=store, gone=gone, kept=len(kept), touched=keep.touched(store, kept))


def _removing(
    store: Store, mark: str | None, spared: tuple[bytes, ...], keep: Keeping
) -> Iterator[Page]:
    client, source = store.client, store.source
    if mark is None and keep.everything_goes:
        return unlink_all(client, source, pages(store, ours_alone=True))
    return remove_all(
        client, source, store.prefix, mark=mark, spared=spared, least_idle=keep.least_idle
    )


def _one_by_one(
    deployment: "Deployment", store: Store, keep: Keeping, removal: Removal, told: Told
) -> Tally:
    gone, kept = 0, set[bytes]()
    for page in pages(store, ours_alone=True):
        staying = keep.kept(deployment, store, page)
        kept |= staying
        going = [key for key in page if key not in staying]
        gone += removal.remove(store.client, store.source, going)
        told(gone)
    return Tally(store=store, gone=gone, kept=len(kept), touched=keep.touched(store, kept))
