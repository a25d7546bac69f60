"""What happens, as the pages of people hear of it."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable

from local_slack.shapes import Json

# A page that does not read for this many events is cut off; it reconnects and asks for the whole state.
_PATIENCE = 1000


class Feed:
    """Hands events to the open pages of the people concerned."""

    def __init__(self) -> None:
        self._listeners: dict[str, set[asyncio.Queue[Json | None]]] = defaultdict(set)

    def listen(self, user: str) -> asyncio.Queue[Json | None]:
        """A queue of that person's events; None on it means: this page was too slow."""
        queue: asyncio.Queue[Json | None] = asyncio.Queue()
        self._listeners[user].add(queue)
        return queue

    def leave(self, user: str, queue: asyncio.Queue[Json | None]) -> None:
        """Stop listening."""
        self._listeners[user].discard(queue)

    def tell(self, users: Iterable[str], event: Json) -> None:
        """Send an event to these people."""
        for user in users:
            for queue in list(self._listeners[user]):
                if queue.qsize() >= _PATIENCE:
                    queue.put_nowait(None)
                    self.leave(user, queue)
                else:
                    queue.put_nowait(event)

    def tell_everyone(self, event: Json) -> None:
        """Send an event to every open page."""
        self.tell(list(self._listeners), event)

    def hang_up(self) -> None:
        """Tell every page that this was all."""
        for queues in self._listeners.values():
            for queue in queues:
                queue.put_nowait(None)
