"""People who use the local Slack in tests: they type, see and click, and a test reads as their conversation.

async with local_slack() as slack:
    otto = slack.person("otto")
    await otto.types("/kb stuck", in_="#ops")
    preview = await otto.sees("orphaned")
    await otto.clicks("Revoke", on=preview, answering="Yes, revoke")
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from tests.seen import Control, Json, Message, View
from tests.stand_in import StandIn, slack_server, until

__all__ = ["LocalSlack", "Message", "Person", "View", "local_slack", "slack_server"]


@asynccontextmanager
async def local_slack(base_url: str | None = None, **options: Any) -> AsyncIterator["LocalSlack"]:
    """A local Slack to act in: the one at `base_url`, or a new one with these `Options`."""
    async with aiohttp.ClientSession() as session:
        if base_url is not None:
            yield await LocalSlack(base_url, session).look_around()
            return
        with slack_server(**options) as url:
            yield await LocalSlack(url, session).look_around()


class LocalSlack(StandIn):
    """A running local Slack, and the people in it."""

    def person(self, name: str) -> "Person":
        """Somebody of the workspace, by name or id."""
        return Person(self, name)


class Person:
    """Somebody who acts. `sees` looks at what changed since their own last act, unless `ever=True`."""

    def __init__(self, slack: LocalSlack, name: str) -> None:
        self.slack = slack
        self.name = name
        self.last_answer: Json = {}
        self._since = 0
        self._channel = "#ops"

    async def types(
        self, text: str, *, in_: str | None = None, thread: Message | None = None, **more: Any
    ) -> Json:
        """Type a line and press Enter: a slash command, or something said. Returns Slack's answer."""
        self._channel = in_ or self._channel
        deed = "command" if text.startswith("/") else "say"
        if thread is not None:
            more["thread_ts"] = thread.thread_ts or thread.ts
        return await self._act(deed, channel=self._channel, text=text, **more)

    async def looks(self, *, in_: str | None = None) -> list[Message]:
        """All messages that this person sees in a channel, oldest first; `in_="app"` is the app's direct message."""
        found = await self.slack.get("messages", user=self.name, channel=in_ or self._channel)
        return [Message(source=message) for message in found["messages"]]

    async def sees(
        self, fragment: str, *, in_: str | None = None, within: float = 10.0, ever: bool = False
    ) -> Message:
        """Wait for a message with these words; of several, the one changed last."""
        seen: list[Message] = []

        async def there() -> Message | None:
            seen[:] = [
                message
                for message in await self.looks(in_=in_)
                if ever or message.change > self._since
            ]
            fitting = [
                message for message in seen if fragment in message.shown or fragment in message.text
            ]
            return max(fitting, key=lambda message: message.change, default=None)

        try:
            return await until(there, within=within)
        except AssertionError:
            shown = "\n---\n".join(message.shown for message in seen) or "(nothing new)"
            raise AssertionError(
                f"{self.name} did not see {fragment!r} in {in_ or self._channel} within {within} s, but:\n{shown}"
            ) from None

    async def does_not_see(self, fragment: str, *, in_: str | None = None, because: str) -> None:
        """Fail if any message that this person can see now has these words.

        Call it once something later was seen (a refusal, an end): `because` says why it must not be there.
        """
        for message in await self.looks(in_=in_):
            visible = message.shown + message.text
            assert fragment not in visible, (
                f"{self.name} sees {fragment!r}, but {because}:\n{visible}"
            )

    async def sees_change(
        self, message: Message, fragment: str, *, within: float = 10.0
    ) -> Message:
        """Wait until that very message has these words."""
        latest = message

        async def there() -> Message | None:
            nonlocal latest
            same = [item for item in await self.looks(in_=message.channel) if item.ts == message.ts]
            latest = same[0] if same else latest
            return latest if same and fragment in latest.shown + latest.text else None

        try:
            await until(there, within=within)
        except AssertionError:
            raise AssertionError(
                f"{fragment!r} did not appear; the message shows:\n{latest.shown}"
            ) from None
        return latest

    async def clicks(
        self,
        label: str,
        *,
        on: Message | View,
        near: str = "",
        answering: str | None = None,
        **more: Any,
    ) -> Json:
        """Click the button with that label; `near` picks among several by words of their block.

        Where the button has a confirm dialog, `answering` is the label pressed in it.
        """
        control = _the_control(label, on, near)
        if control.confirm is not None:
            buttons = [
                control.confirm[key]["text"]
                for key in ("confirm", "deny")
                if key in control.confirm
            ]
            assert answering in buttons, (
                f"a dialog asks {control.confirm['text']['text']!r}, to press: {buttons}"
            )
            if answering != buttons[0]:
                return {"delivered": False, "shown": None}
            more["confirmed"] = True
        return await self._act("click", **_place(on), **_names(control), **more)

    async def picks(
        self, option: str | list[str], *, in_: str, on: Message | View, near: str = ""
    ) -> Json:
        """Choose from the menu with that placeholder or label."""
        control = _the_control(in_, on, near)
        return await self._act("click", **_place(on), **_names(control), selected=option)

    async def sees_modal(self, title: str, *, within: float = 10.0) -> View:
        """Wait for a modal with that title on top."""

        async def there() -> View | None:
            stack = (await self.slack.get("views", user=self.name))["views"]
            top = View(source=stack[-1]) if stack else None
            return top if top is not None and title in top.title else None

        return await until(there, within=within, what=f"{self.name} sees the modal {title!r}")

    async def has_no_modal(self, *, within: float = 10.0) -> None:
        """Wait until no modal is open."""

        async def gone() -> bool:
            return not (await self.slack.get("views", user=self.name))["views"]

        await until(gone, within=within, what=f"{self.name}'s modals close")

    async def submits(self, view: View, values: dict[str, Any] | None = None) -> Json:
        """Fill in a modal by the labels of its fields, and submit it."""
        filled: dict[str, dict[str, Any]] = {}
        for label, value in (values or {}).items():
            control = _the_control(label, view, "")
            filled.setdefault(control.block_id, {})[control.action_id] = value
        return await self._act("submit", view_id=view.id, values=filled)

    async def closes(self, view: View) -> Json:
        """Press a modal's Cancel."""
        return await self._act("close_view", view_id=view.id)

    async def opens_home(self) -> Json:
        """Open the app's Home tab."""
        return await self._act("home")

    async def sees_home(self, fragment: str, *, within: float = 10.0) -> View:
        """Wait for a Home tab with these words."""

        async def there() -> View | None:
            home = (await self.slack.get("views", user=self.name))["home"]
            view = View(source=home) if home else None
            return view if view is not None and fragment in view.shown else None

        view = await until(there, within=within, what=f"{self.name}'s Home shows {fragment!r}")
        assert view is not None
        return view

    async def _act(self, deed: str, **asked: Any) -> Json:
        self._since = int((await self.slack.get("state"))["latest_change"])
        self.last_answer = await self.slack.do(deed, user=self.name, **asked)
        return self.last_answer


def _the_control(label: str, on: Message | View, near: str) -> Control:
    fitting = [
        control for control in on.controls if control.label == label and near in control.near
    ]
    labels = [control.label for control in on.controls]
    assert fitting, (
        f"there is no {label!r} to click; there is {labels or 'nothing'} in:\n{on.shown}"
    )
    places = [control.near for control in fitting]
    assert len(fitting) == 1, f"{label!r} is there {len(fitting)} times; say near=… one of {places}"
    return fitting[0]


def _place(on: Message | View) -> Json:
    return (
        {"view_id": on.id} if isinstance(on, View) else {"channel": on.channel, "message_ts": on.ts}
    )


def _names(control: Control) -> Json:
    return {"action_id": control.action_id, "block_id": control.block_id, "value": control.value}
