"""Who counts as a full member, in which groups people are, and what happens when Slack does not tell."""

import pytest

from bot.commands.payloads import origin_of
from bot.messages import Place
from bot.people import People, is_elsewhere, standing_of
from bot.slack_api import SlackApi
from knowledge_base_agent.settings import Settings
from tests.people import LocalSlack

OURS = {"team_id": "T1", "enterprise_id": "E1"}


def asks(user: str) -> Place:
    """Return where somebody asks: in #ops."""
    return Place(channel="C0OPS0000", user=user)


@pytest.fixture
async def people(api: SlackApi) -> People:
    """People, with the groups of the local Slack named in the settings."""
    named = Settings(viewers=("U0VERA000",), operators=("S0ONCALL0",), admins=("S0KBADMIN",))
    return People(api, named, await api.auth_test())


@pytest.mark.parametrize(
    ("name", "why_not"),
    [
        ("U0ADA0000", ""),
        ("U0OTTO000", ""),
        ("U0GUS0000", "a guest"),
        ("U0SINA000", "a single-channel guest"),
        ("U0DORA000", "deactivated"),
        ("U0STEFAN0", "of another organisation"),
        ("U0FLOW000", "a workflow"),
    ],
)
async def test_each_kind_of_person_is_told_apart(people: People, name: str, why_not: str) -> None:
    standing = (await people.actor(asks(name), fresh=True)).standing
    assert standing.known
    assert standing.full_member == (why_not == "")
    assert standing.why_not == why_not


@pytest.mark.parametrize(
    ("user", "full_member"),
    [
        ({"id": "U1", "team_id": "T1"}, True),
        ({"id": "U1", "team_id": "T2"}, False),
        ({"id": "W1", "team_id": "T2", "enterprise_user": {"enterprise_id": "E1"}}, True),
        ({"id": "W1", "team_id": "T2", "enterprise_user": {"enterprise_id": "E2"}}, False),
        ({"id": "USLACKBOT", "team_id": "T1"}, False),
        ({"id": "U1", "team_id": "T1", "is_bot": True}, False),
        ({"id": "U1"}, False),
    ],
)
def test_the_workspace_and_its_enterprise_decide(user: dict[str, str], full_member: bool) -> None:
    assert standing_of(user, OURS).full_member == full_member


def test_without_a_team_of_our_own_nobody_is_a_member() -> None:
    assert not standing_of({"id": "U1"}, {}).full_member


async def test_groups_of_the_settings_are_known(people: People) -> None:
    assert (await people.actor(asks("U0OTTO000"), fresh=False)).standing.groups == {"S0ONCALL0"}
    assert (await people.actor(asks("U0ADA0000"), fresh=False)).standing.groups == {"S0KBADMIN"}
    assert (await people.actor(asks("U0VERA000"), fresh=False)).standing.groups == frozenset()


async def test_who_was_looked_up_a_moment_ago_is_known_without_a_turn_of_the_loop(
    people: People,
) -> None:
    known = await people.actor(asks("U0OTTO000"), fresh=False)
    with pytest.raises(StopIteration) as told:
        people.actor(asks("U0OTTO000"), fresh=False).send(None)
    assert told.value.value == known


async def test_a_look_is_remembered_and_a_fresh_one_sees_the_change(
    slack: LocalSlack, people: People
) -> None:
    await people.actor(asks("U0OTTO000"), fresh=False)
    await slack.do("person", user="otto", deleted=True)
    await slack.do("group", group="oncall", users=[])
    calls = len(await slack.calls("users.info"))
    remembered = (await people.actor(asks("U0OTTO000"), fresh=False)).standing
    assert remembered.full_member
    assert len(await slack.calls("users.info")) == calls
    fresh = (await people.actor(asks("U0OTTO000"), fresh=True)).standing
    assert fresh.why_not == "deactivated"
    assert fresh.groups == frozenset()


@pytest.mark.parametrize("method", ["users.info", "usergroups.users.list"])
@pytest.mark.parametrize("how", ["500", "429", "drop", "error"])
async def test_a_failed_lookup_leaves_a_person_unknown(
    slack: LocalSlack, people: People, method: str, how: str
) -> None:
    await slack.fails(method, how, times=3)
    actor = await people.actor(asks("U0OTTO000"), fresh=True, name="otto")
    assert not actor.standing.known
    assert not actor.standing.full_member
    assert actor.name == "otto"


async def test_a_lookup_that_hangs_is_given_up_in_time(slack: LocalSlack, people: People) -> None:
    await slack.fails("users.info", "hang", seconds=20)
    assert not (await people.actor(asks("U0OTTO000"), fresh=True)).standing.known


async def test_a_group_that_was_deleted_locks_nobody_else_out(api: SlackApi) -> None:
    named = Settings(operators=("S0GONE000", "S0ONCALL0"))
    people = People(api, named, await api.auth_test())
    standing = (await people.actor(asks("U0OTTO000"), fresh=True)).standing
    assert standing.full_member
    assert standing.groups == {"S0ONCALL0"}


@pytest.mark.parametrize(
    ("team", "enterprise", "home", "ours"),
    [
        ("T1", "", OURS, True),
        ("", "", OURS, True),  # the lookup by our own token decides
        ("T2", "", OURS, False),
        ("T2", "E1", OURS, True),
        ("T2", "E2", OURS, False),
        ("T2", "E1", {"team_id": "T1"}, False),
        ("E1", "E1", {"team_id": "E1", "enterprise_id": "E1"}, True),
    ],
)
def test_a_payload_of_another_workspace_is_told_apart(
    team: str, enterprise: str, home: dict[str, str], ours: bool
) -> None:
    place = Place(channel="C1", user="U1", team=team, enterprise=enterprise)
    assert is_elsewhere(place, home) is not ours


@pytest.mark.parametrize(
    ("body", "origin"),
    [
        ({"team_id": "T1", "enterprise_id": "E1"}, ("T1", "E1")),
        ({"team": {"id": "T1"}, "enterprise": {"id": "E1"}}, ("T1", "E1")),
        ({"team": None, "user": {"team_id": "T2"}, "enterprise": None}, ("T2", "")),
        (
            {"team_id": "T2", "authorizations": [{"team_id": "T1", "enterprise_id": None}]},
            ("T1", ""),
        ),
        ({"authorizations": "junk", "team": 7}, ("", "")),
        ({}, ("", "")),
    ],
)
def test_where_a_payload_comes_from_is_read_from_each_kind_of_it(
    body: dict[str, object], origin: tuple[str, str]
) -> None:
    found = origin_of(body)
    assert (found["team"], found["enterprise"]) == origin
