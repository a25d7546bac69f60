"""The door of what leads to no operation: junk, old buttons, the Home tab. The runner has the door of all others."""

from functools import partial

from bot.blocks.drawn import Drawn
from bot.desk import Desk
from bot.messages import Place
from knowledge_base_agent.actors import Actor
from knowledge_base_agent.operations.help import HELP
from knowledge_base_agent.requests import Request


async def admitted(
    desk: Desk, place: Place, words: str, *, user_name: str = "", fresh: bool = False
) -> Actor:
    """Return who acts, if they may at least look; else record that as a request for help. Raises `Refused`."""
    actor = await desk.people.actor(place, fresh=fresh, name=user_name)
    admit(desk, actor, place, words)
    return actor


def admit(desk: Desk, actor: Actor, place: Place, words: str) -> None:
    """Return if this person may at least look; record it and raise `Refused` as `admitted` does."""
    arguments = HELP.arguments()
    desk.runner.admit(
        Request(actor=actor, operation=HELP, arguments=arguments, words=words, place=place.channel)
    )


def told(desk: Desk, place: Place, event_id: str, words: str, said: Drawn) -> None:
    """Begin to tell somebody something, if they may at least look."""
    desk.begin(place, event_id, partial(_tell, desk, place, words, said))


async def _tell(desk: Desk, place: Place, words: str, said: Drawn) -> None:
    await admitted(desk, place, words)
    await desk.messages.whisper(place, said)
