"""Where a person stands: may they be in this channel and do anything at all?"""

from local_slack.errors import NotPossible
from local_slack.messages import Channel
from local_slack.shapes import Json
from local_slack.slack import Slack
from local_slack.workspace import Person


def who_and_where(slack: Slack, asked: Json) -> tuple[Person, Channel]:
    """The person and the channel of a request; `force` leaves out the check of membership and deactivation.

    Real Slack offers deactivated people and outsiders nothing to click; a payload of theirs can still reach an app when
    they lose their rights in between, which is what `force` is for.
    """
    person = slack.person(asked.get("user"))
    wanted = str(asked.get("channel") or "")
    channel = (
        slack.conversations.direct(person.id)
        if wanted in ("", "app")
        else slack.conversations.get(wanted)
    )
    if channel is None:
        raise NotPossible(f"there is no channel {wanted!r}")
    if asked.get("force"):
        return person, channel
    if person.deleted:
        raise NotPossible(
            f"the account of {person.name} is deactivated: they see nothing and can do nothing"
        )
    if person.id not in channel.members:
        raise NotPossible(f"{person.name} is not in #{channel.name}")
    return person, channel


def awake(slack: Slack, asked: Json) -> Person:
    """The person of a request that has no channel."""
    person = slack.person(asked.get("user"))
    if person.deleted and not asked.get("force"):
        raise NotPossible(
            f"the account of {person.name} is deactivated: they see nothing and can do nothing"
        )
    return person
