"""The Home tab of the app."""

from functools import partial

from bot.blocks.drawn import Json
from bot.blocks.home import home_view
from bot.commands.payloads import event_id_of, part_of
from bot.desk import Desk
from bot.messages import Place
from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.operations import OPERATIONS
from knowledge_base_agent.policy import role_of
from knowledge_base_agent.wording import duration


def opened(desk: Desk, body: Json) -> None:
    """Take `app_home_opened`. Returns at once."""
    event = part_of(body, "event")
    user = str(event.get("user") or "")
    if user and event.get("tab", "home") == "home":
        place = Place(channel=user, user=user)
        desk.begin(place, event_id_of(body), partial(_show, desk, user))


async def _show(desk: Desk, user: str) -> None:
    actor = await desk.people.actor(Place(channel=user, user=user), fresh=False)
    now = utc_now()
    state = f"The bot has been up for {duration(now - desk.started_at)}"
    role = role_of(actor, desk.settings)
    await desk.messages.show_home(
        user, home_view(OPERATIONS, role, name=actor.name, state=state, now=now)
    )
