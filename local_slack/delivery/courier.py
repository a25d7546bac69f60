"""Chooses the road to the app, remembers what was sent last, and repeats events that were not acknowledged."""

import asyncio
from dataclasses import replace

from local_slack.delivery.http_mode import HttpMode
from local_slack.delivery.parcel import Outcome, Parcel
from local_slack.delivery.socket_mode import SocketMode
from local_slack.errors import NotPossible
from local_slack.feed import Feed
from local_slack.options import Options
from local_slack.shapes import Json

_REASONS = {"operation_timeout": "timeout", "dispatch_failed": "connection_failed"}


class Courier:
    """HTTP when the app's URL is known, else Socket Mode if the manifest has it on."""

    def __init__(
        self, options: Options, signing_secret: str, socket_mode: bool, feed: Feed
    ) -> None:
        self._options = options
        self._socket_mode = socket_mode
        self.sockets = SocketMode(options, feed)
        self.http = HttpMode(options, signing_secret)
        self._last: dict[str, Parcel] = {}
        self._repeats: set[asyncio.Task[None]] = set()

    @property
    def connected(self) -> bool:
        """Whether there is a way to the app."""
        return bool(self.http.url or self.sockets.connections)

    async def send(self, kind: str, payload: Json, *, accepts_answer: bool = True) -> Outcome:
        """Send a payload, once."""
        return await self._carry(Parcel(kind=kind, payload=payload, accepts_answer=accepts_answer))

    async def event(self, payload: Json) -> Outcome:
        """Send an event; without an acknowledgement it is sent again later, up to three times."""
        parcel = Parcel(kind="events_api", payload=payload, accepts_answer=False)
        outcome = await self._carry(parcel)
        if not outcome.acknowledged:
            task = asyncio.create_task(self._repeat(parcel, outcome))
            self._repeats.add(task)
            task.add_done_callback(self._repeats.discard)
        return outcome

    async def again(self, kind: str | None) -> Outcome:
        """Send the last parcel (of that kind) once more, in the same envelope."""
        parcel = self._last.get(kind or "any")
        if parcel is None:
            raise NotPossible(f"nothing was sent yet of the kind {kind or 'any'}")
        if parcel.kind == "events_api":
            parcel = replace(parcel, attempt=parcel.attempt + 1, retry_reason="timeout")
        return await self._carry(parcel)

    async def close(self) -> None:
        """Stop repeating and let go of connections."""
        for task in self._repeats:
            task.cancel()
        await self.http.close()
        await self.sockets.cut()

    async def _carry(self, parcel: Parcel) -> Outcome:
        self._last["any"] = self._last[parcel.kind] = parcel
        if self.http.url:
            return await self.http.send(parcel)
        if not self._socket_mode:
            return Outcome(failure="dispatch_failed")
        return await self.sockets.send(parcel)

    async def _repeat(self, parcel: Parcel, outcome: Outcome) -> None:
        for number, wait in enumerate(self._options.event_retries, start=1):
            await asyncio.sleep(wait)
            reason = _REASONS.get(outcome.failure or "", "http_error")
            outcome = await self._carry(replace(parcel, attempt=number, retry_reason=reason))
            if outcome.acknowledged:
                return
