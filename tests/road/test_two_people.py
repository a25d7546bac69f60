"""What needs two people, and whose click agrees to it: every rule as a table."""

from datetime import UTC, datetime, timedelta

import pytest

from knowledge_base_agent.actors import Actor, Standing, Surface, shell_actor
from knowledge_base_agent.operations.operation import (
    NOBODY_KNOWS,
    Preview,
    Target,
    Touched,
    touched,
)
from knowledge_base_agent.operations.stated import Stated
from knowledge_base_agent.problems import Refused
from knowledge_base_agent.report import Report
from knowledge_base_agent.scope import Scope
from knowledge_base_agent.settings import Settings
from knowledge_base_agent.two_people import Consent, alone_from, consent, why_two
from knowledge_base_agent.watching.schedules import SCHEDULE

NOW = datetime(2026, 11, 28, 3, 12, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)
NAMED = Settings(operators=("UOTTO", "UOLGA"), admins=("UADA", "UANIKA", "SADMINS"))
MEMBER = Standing(known=True, full_member=True, why_not="")
REPORT = Report(title="what", text="what would go")


def preview(
    affected: int | None = 1,
    *,
    grave: str = "",
    touches: Touched = NOBODY_KNOWS,
    only_shown: bool = False,
) -> Preview[Target]:
    return Preview(
        target=Target(), report=REPORT, scope=Scope(), affected=affected, grave=grave, touches=touches,
        only_shown=only_shown,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (preview(1), ""),
        (preview(999), ""),
        (preview(1000), ""),
        (preview(1001), "it touches 1,001, more than the 1,000 of KB_TWO_PERSON_ABOVE"),
        (preview(None), "how much it touches is unknown"),
        (preview(1, grave="it purges every queue"), "it purges every queue"),
        (preview(0, grave="it purges every queue"), ""),
        (preview(5000, only_shown=True), ""),
        (preview(None, grave="it is grave"), "it is grave; how much it touches is unknown"),
    ],
)
def test_the_top_risk_is_what_is_grave_or_much_or_unknown(found: Preview[Target], why: str) -> None:
    assert why_two(found, Settings()) == why


def test_a_schedule_that_may_change_things_is_held_up_by_no_number_and_by_all_else() -> None:
    allowed = Settings(two_person_above=10, maintenance_may_change=True)
    assert why_two(preview(11), allowed, Surface.SCHEDULE) == ""
    assert "KB_TWO_PERSON_ABOVE" in why_two(preview(11), allowed, Surface.SLACK)
    reporting = Settings(two_person_above=10)
    assert "KB_TWO_PERSON_ABOVE" in why_two(preview(11), reporting, Surface.SCHEDULE)
    assert why_two(preview(11, grave="it is grave"), allowed, Surface.SCHEDULE) == "it is grave"
    assert "unknown" in why_two(preview(None), allowed, Surface.SCHEDULE)


def test_the_threshold_is_a_setting_and_above_none_means_everything() -> None:
    assert (
        why_two(preview(11), Settings(two_person_above=10))
        == "it touches 11, more than the 10 of KB_TWO_PERSON_ABOVE"
    )
    assert why_two(preview(10), Settings(two_person_above=10)) == ""
    assert (
        why_two(preview(1), Settings(two_person_above=0))
        == "it touches 1, more than the 0 of KB_TWO_PERSON_ABOVE"
    )


ORDERS = touched(queues=["orders", "mail"], tasks=["shop.pay", "shop.ship"])


@pytest.mark.parametrize(
    ("protected", "touches", "why"),
    [
        ("", NOBODY_KNOWS, ""),
        ("orders", ORDERS, "protected queue: orders"),
        ("shop.*", ORDERS, "protected task: shop.pay, shop.ship"),
        ("order?", ORDERS, "protected queue: orders"),
        ("Orders", ORDERS, ""),
        ("order", ORDERS, ""),
        ("queue:orders", ORDERS, "protected queue: orders"),
        ("task:orders", ORDERS, ""),
        ("queue:shop.*", ORDERS, ""),
        ("task:shop.pay", ORDERS, "protected task: shop.pay"),
        ("*", ORDERS, "protected queue: mail, orders; protected task: shop.pay, shop.ship"),
        ("nothing, mail", ORDERS, "protected queue: mail"),
        (
            "queue:x",
            touched(queues=["mail", None]),
            "some of its queues can't be told, and some queues are protected",
        ),
        ("queue:x", touched(queues=["mail"], tasks=[None]), ""),
        (
            "task:x",
            touched(queues=["mail"], tasks=[None]),
            "some of its tasks can't be told, and some tasks are protected",
        ),
        ("task:x", touched(queues=[None], tasks=["y"]), ""),
        (
            "x",
            NOBODY_KNOWS,
            (
                "some of its queues can't be told, and some queues are protected; some of its tasks can't be told, and "
                "some tasks are protected"
            ),
        ),
        ("mail", touched(queues=["mail", None], tasks=["y"]), "protected queue: mail"),
        (
            "q*",
            touched(queues=[f"q{number}" for number in range(7)]),
            "protected queue: q0, q1, q2, q3, q4 and 2 more",
        ),
    ],
)
def test_what_is_protected_needs_two_and_so_does_what_may_be(
    protected: str, touches: Touched, why: str
) -> None:
    assert (
        why_two(preview(touches=touches), Settings.model_validate({"protected": protected})) == why
    )


def test_what_two_parts_touch_is_told_as_far_as_both_can_be() -> None:
    both = touched(queues=["a"], tasks=[None]) | touched(queues=["b"], tasks=["t"])
    assert both == Touched(
        queues=frozenset("ab"), tasks=frozenset("t"), all_queues=True, all_tasks=False
    )
    assert not (touched(queues=[None]) | touched()).all_queues


def person(user_id: str, standing: Standing = MEMBER) -> Actor:
    return Actor(id=user_id, name=user_id, surface=Surface.SLACK, standing=standing)


OTTO, OLGA, ADA, ANIKA = (person(one) for one in ("UOTTO", "UOLGA", "UADA", "UANIKA"))
BY_GROUP = person(
    "UEVE", Standing(known=True, full_member=True, groups=frozenset({"SADMINS"}), why_not="")
)
GUEST = person("UADA", Standing(known=True, full_member=False, why_not="a guest"))
UNKNOWN = person("UADA", Standing())
WHY = "it purges every queue"


def agrees(
    actor: Actor, asked_by: Actor, *, why: str = WHY, alone: datetime | None = None
) -> Consent:
    return consent(actor, asked_by=asked_by.id, why=why, alone_from=alone, settings=NAMED, now=NOW)


@pytest.mark.parametrize("asker", [OTTO, ADA])
@pytest.mark.parametrize("actor", [OTTO, OLGA, ADA, ANIKA, shell_actor("root")])
def test_where_one_is_enough_anyone_who_may_confirms(actor: Actor, asker: Actor) -> None:
    assert agrees(actor, asker, why="") is Consent.CONFIRMED


@pytest.mark.parametrize(
    ("actor", "asker"), [(ADA, OTTO), (ANIKA, ADA), (ADA, ANIKA), (BY_GROUP, OTTO)]
)
@pytest.mark.parametrize("alone", [None, LATER, NOW])
def test_a_different_admin_approves_whether_or_not_the_glass_is_being_broken(
    actor: Actor, asker: Actor, alone: datetime | None
) -> None:
    assert agrees(actor, asker, alone=alone) is Consent.APPROVED


@pytest.mark.parametrize("asker", [OTTO, ADA])
def test_nobody_is_their_own_second_person_not_even_an_admin(asker: Actor) -> None:
    with pytest.raises(Refused, match=r"You asked for this yourself.*different admin.*break-glass"):
        agrees(asker, asker)


@pytest.mark.parametrize("actor", [OLGA, person("UVERA"), GUEST, UNKNOWN])
@pytest.mark.parametrize("alone", [None, NOW])
def test_somebody_else_who_is_no_admin_can_not_approve(
    actor: Actor, alone: datetime | None
) -> None:
    with pytest.raises(Refused, match="Only an admin in Slack can approve"):
        agrees(actor, OTTO, alone=alone)


@pytest.mark.parametrize("actor", [shell_actor("UOTTO"), shell_actor("otto"), SCHEDULE])
@pytest.mark.parametrize("alone", [None, NOW])
def test_neither_a_shell_nor_the_schedule_is_a_second_person(
    actor: Actor, alone: datetime | None
) -> None:
    with pytest.raises(Refused, match="Only an admin in Slack can approve"):
        agrees(actor, OTTO, alone=alone)


def test_in_the_shell_whoever_has_the_machine_has_the_keys() -> None:
    assert agrees(shell_actor("root"), shell_actor("root")) is Consent.CONFIRMED
    with pytest.raises(Refused):
        agrees(shell_actor("daemon"), shell_actor("root"))


def test_the_schedule_confirms_nothing_that_needs_two() -> None:
    with pytest.raises(Refused):
        agrees(SCHEDULE, SCHEDULE)
    assert agrees(SCHEDULE, SCHEDULE, why="") is Consent.CONFIRMED


@pytest.mark.parametrize("asker", [OTTO, ADA])
def test_the_glass_breaks_at_its_time_and_not_a_moment_before(asker: Actor) -> None:
    with pytest.raises(Refused, match="Not before 03:17:00 UTC"):
        agrees(asker, asker, alone=LATER)
    with pytest.raises(Refused, match="Not before"):
        agrees(asker, asker, alone=NOW + timedelta(microseconds=1))
    assert agrees(asker, asker, alone=NOW) is Consent.BROKE_GLASS
    assert agrees(asker, asker, alone=NOW - timedelta(minutes=1)) is Consent.BROKE_GLASS


GLASS = Stated(break_glass="nobody answers")
TOLD = Settings(audit_channel="C1", break_glass_minutes=5)


@pytest.mark.parametrize(
    ("actor", "stated", "why", "from_"),
    [
        (OTTO, GLASS, WHY, LATER),
        (ADA, GLASS, WHY, LATER),
        (OTTO, GLASS, "", None),
        (OTTO, Stated(reason="poisoned"), WHY, None),
        (shell_actor("root"), GLASS, WHY, None),
        (SCHEDULE, GLASS, WHY, None),
    ],
)
def test_the_delay_counts_only_where_a_second_person_is_missing(
    actor: Actor, stated: Stated, why: str, from_: datetime | None
) -> None:
    assert alone_from(actor, stated, why, TOLD, NOW) == from_


def test_the_glass_can_not_be_broken_where_nobody_would_hear_of_it() -> None:
    with pytest.raises(Refused, match="no channel that would be told"):
        alone_from(OTTO, GLASS, WHY, Settings(), NOW)
    assert alone_from(OTTO, GLASS, WHY, Settings(alert_channel="C2"), NOW) == LATER
