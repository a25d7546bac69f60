"""Who may do what, for every kind of person."""

import pytest
from msgspec.structs import replace

from knowledge_base_agent.actors import Actor, Audience, Standing, Surface, shell_actor
from knowledge_base_agent.operations.operation import Risk
from knowledge_base_agent.policy import authorise, authorise_raw
from knowledge_base_agent.problems import Refused
from knowledge_base_agent.settings import Settings

NAMED = Settings(operators=("UOP", "SONCALL"), admins=("UADMIN",), viewers=())
MEMBER = Standing(known=True, full_member=True, why_not="", audience=Audience.OURS)


def person(user_id: str, standing: Standing = MEMBER) -> Actor:
    return Actor(id=user_id, name=user_id, surface=Surface.SLACK, standing=standing)


def may(actor: Actor, risk: Risk, settings: Settings = NAMED) -> bool:
    try:
        authorise(actor, risk, settings)
    except Refused:
        return False
    return True


@pytest.mark.parametrize("risk", list(Risk))
def test_admins_and_operators_may_do_everything_that_there_is(risk: Risk) -> None:
    assert may(person("UADMIN"), risk)
    assert may(person("UOP"), risk)
    assert may(shell_actor("root"), risk)


def test_a_member_of_a_named_group_is_an_operator() -> None:
    in_group = replace(MEMBER, groups=frozenset({"SONCALL"}))
    assert may(person("UANY", in_group), Risk.DESTROY)


def test_every_other_full_member_may_look_and_change_nothing() -> None:
    assert may(person("UANY"), Risk.READ)
    assert not may(person("UANY"), Risk.CHANGE)
    assert not may(person("UANY"), Risk.DESTROY)


def test_with_viewers_named_nobody_else_may_look() -> None:
    closed = Settings(viewers=("UVIEW",), operators=("UOP",))
    assert may(person("UVIEW"), Risk.READ, closed)
    assert may(person("UOP"), Risk.READ, closed)
    assert not may(person("UANY"), Risk.READ, closed)


def test_nobody_may_change_anything_until_someone_is_named() -> None:
    fresh = Settings(operators=(), admins=(), viewers=())
    with pytest.raises(Refused, match="Nobody has been named yet"):
        authorise(person("UOP"), Risk.DESTROY, fresh)


@pytest.mark.parametrize("user_id", ["UOP", "UADMIN", "UANY"])
@pytest.mark.parametrize("risk", list(Risk))
@pytest.mark.parametrize(
    "why", ["a guest", "deactivated", "a bot", "of another organisation", "could not be looked up"]
)
def test_guests_strangers_bots_and_failed_lookups_are_refused_even_when_named(
    user_id: str, risk: Risk, why: str
) -> None:
    known = why != "could not be looked up"
    groups = frozenset({"SONCALL"})
    standing = Standing(known=known, full_member=False, why_not=why, groups=groups)
    assert not may(person(user_id, standing), risk)


def test_the_refusal_tells_a_guest_why_and_whom_to_ask() -> None:
    guest = Standing(known=True, full_member=False, why_not="a guest")
    with pytest.raises(Refused, match=r"you are a guest.*Ask a member"):
        authorise(person("UOP", guest), Risk.READ, NAMED)


@pytest.mark.parametrize("audience", [Audience.SHARED, Audience.UNKNOWN])
@pytest.mark.parametrize("user_id", ["UOP", "UADMIN"])
def test_nobody_destroys_from_a_channel_that_others_read_or_might_read(
    audience: Audience, user_id: str
) -> None:
    there = person(user_id, replace(MEMBER, audience=audience))
    assert may(there, Risk.READ)
    assert may(there, Risk.CHANGE)
    assert not may(there, Risk.DESTROY)


def test_a_standing_that_says_nothing_of_the_channel_destroys_nothing() -> None:
    assert not may(person("UOP", Standing(known=True, full_member=True)), Risk.DESTROY)


REFUSALS = [
    (Standing(known=False), "UOP", Risk.READ, NAMED, "Slack could not tell who you are"),
    (replace(MEMBER, full_member=False, why_not="a bot"), "UOP", Risk.READ, NAMED, "you are a bot"),
    (MEMBER, "UANY", Risk.READ, Settings(viewers=("UVIEW",)), "not among the people who may look"),
    (MEMBER, "UANY", Risk.CHANGE, NAMED, r"you may look but not change\. Ask an operator"),
    (MEMBER, "UANY", Risk.CHANGE, Settings(operators=("UOP",)), r"not change\. Ask an operator"),
    (MEMBER, "UANY", Risk.CHANGE, Settings(admins=("UADMIN",)), r"not change\. Ask an operator"),
    (MEMBER, "UANY", Risk.CHANGE, Settings(), "Nobody has been named yet"),
    (
        replace(MEMBER, audience=Audience.SHARED),
        "UOP",
        Risk.DESTROY,
        NAMED,
        "is shared with another",
    ),
    (
        replace(MEMBER, audience=Audience.UNKNOWN),
        "UOP",
        Risk.DESTROY,
        NAMED,
        "could not tell whether",
    ),
]


@pytest.mark.parametrize(("standing", "user_id", "risk", "settings", "said"), REFUSALS)
def test_each_refusal_says_its_own_reason(
    standing: Standing, user_id: str, risk: Risk, settings: Settings, said: str
) -> None:
    with pytest.raises(Refused, match=said):
        authorise(person(user_id, standing), risk, settings)


def test_whether_anybody_may_see_arguments_at_all_is_told_to_who_may_not() -> None:
    with pytest.raises(Refused, match="Nobody has been named yet") as nobody:
        authorise_raw(person("UADMIN"), NAMED)
    assert "KB_RAW_READERS" in nobody.value.cure
    named = NAMED.model_copy(update={"raw_readers": ("URAW",)})
    with pytest.raises(Refused, match=r"not among those who may see them\. Ask without"):
        authorise_raw(person("UADMIN"), named)
    authorise_raw(person("URAW"), named)
