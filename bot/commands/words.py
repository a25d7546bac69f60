"""`/kb …` as it is typed, and buttons and menus that carry words."""

from functools import partial

from bot.blocks.buttons import words_in
from bot.blocks.drawn import Json
from bot.commands import forms
from bot.commands.conversation import converse, offer
from bot.commands.payloads import click_of, event_id_of, place_of_command
from bot.desk import Desk
from bot.messages import Place

COMMAND = "/kb"


def typed(desk: Desk, body: Json) -> None:
    """Take a slash command; returns at once."""
    place = place_of_command(body)
    name = str(body.get("user_name") or "")
    words = str(body.get("text") or "")
    work = partial(_answer, desk, place, words, user_name=name, trigger=_trigger(body))
    desk.begin(place, event_id_of(body), work)


def clicked(desk: Desk, body: Json) -> None:
    """Take a click on words: as if the person who clicks had typed them. Returns at once."""
    click = click_of(body)
    words = words_in(click.value)
    if words is not None:
        work = partial(
            _answer, desk, click.place, words, user_name=click.user_name, trigger=_trigger(body)
        )
        desk.begin(click.place, click.event_id, work)


async def _answer(desk: Desk, place: Place, words: str, *, user_name: str, trigger: str) -> None:
    if not words.strip():
        return await offer(desk, place, user_name=user_name)
    operation = forms.form_for(words)
    if operation is not None and trigger:
        shown = await forms.opened(desk, place, operation, trigger=trigger, user_name=user_name)
        if shown:
            return None
    return await converse(desk, place, words, user_name=user_name)


def _trigger(body: Json) -> str:
    return str(body.get("trigger_id") or "")
