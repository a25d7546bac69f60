"""`/kb …` as it is typed, and buttons and menus that carry words."""

from functools import partial

from bot.blocks.buttons import words_in
from bot.blocks.drawn import Json
from bot.commands.conversation import converse
from bot.commands.payloads import click_of, event_id_of, place_of_command
from bot.desk import Desk

COMMAND = "/kb"


def typed(desk: Desk, body: Json) -> None:
    """Take a slash command; returns at once."""
    place = place_of_command(body)
    name = str(body.get("user_name") or "")
    work = partial(converse, desk, place, str(body.get("text") or ""), user_name=name)
    desk.begin(place, event_id_of(body), work)


def clicked(desk: Desk, body: Json) -> None:
    """Take a click on words: as if the person who clicks had typed them. Returns at once."""
    click = click_of(body)
    words = words_in(click.value)
    if words is not None:
        work = partial(converse, desk, click.place, words, user_name=click.user_name)
        desk.begin(click.place, click.event_id, work)
