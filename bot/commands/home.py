"""The Home tab of the app."""

import contextlib
from functools import partial

from bot.blocks.drawn import Json
from bot.blocks.home import home_view
from bot.commands.admission import admit
from bot.commands.payloads import event_id_of, origin_of, part_of
from bot.desk import Desk
from bot.messages import Place
from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.operations import OPERATIONS
from knowledge_base_agent.policy import role_of
from knowledge_base_agent.problems import Refused
from knowledge_base_agent.wording import duration


def opened(desk: Desk, body: Json) -> None:
    """Take `app_home_opened`. Returns at once."""
    event = part_of(body, "event")
    user = str(event.get("user") or "")
    if user and event.get("tab", "home") == "home":
        place = Place(channel=user, user=user, **origin_of(body))
        desk.begin(place, event_id_of(body), partial(_show, desk, place))


async def _show(desk: Desk, place: Place) -> None:
    user = place.user
    actor = await desk.people.actor(place, fresh=False)
    with contextlib.suppress(Refused):  # it is recorded, and the tab itself says it
        admit(desk, actor, place, "the Home tab")
    now = utc_now()
    state = f"The bot has been up for {duration(now - desk.started_at)}"
    role = role_of(actor, desk.settings)
    await desk.messages.show_home(
        user, home_view(OPERATIONS, role, name=actor.name, state=state, now=now)
    )
