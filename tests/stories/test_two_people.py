"""What could end the night badly needs two people: asked by one, approved by another, or broken glass that all hear."""

import re
from collections.abc import Iterator

import pytest

from tests.people import LocalSlack, Message, Person, slack_server
from tests.servers import RedisSpaces
from tests.stories.system import System, system, tokens_of

ALERTS = "#kb-alerts"
AUDIT = "#kb-audit"
YES = "Yes, do it"
NIGHT = {
    "KB_ALERT_CHANNEL": "C0KBALERT",
    "KB_BREAK_GLASS_MINUTES": "0.25",
    "KB_PROTECTED": "queue:orders",
}


@pytest.fixture(scope="module")
def whole(redis_spaces: RedisSpaces, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system with an alert channel, a protected queue, and a delay of a quarter of a minute."""
    with (
        redis_spaces.one() as space,
        slack_server() as url,
        system(space, tmp_path_factory.mktemp("two"), url, tokens_of(url) | NIGHT) as place,
    ):
        for queue in ("mail", "orders", "quiet"):  # the bot looks for new queues now and then only
            place.send("add", 1, 1, queue=queue)
        yield place


async def asks_to_purge(whole: System, person: Person, words: str) -> Message:
    whole.send("add", 1, 1, queue="mail")
    await person.types(f"/kb {words}", in_="#ops")
    return await person.sees("This needs two people")


def runs(whole: System) -> int:
    return whole.audit("purge").count("started")


async def test_one_asks_and_another_approves_and_the_audit_channel_has_both_and_the_reason(
    whole: System, slack: LocalSlack
) -> None:
    otto, ada = slack.person("otto"), slack.person("ada")
    preview = await asks_to_purge(whole, otto, "purge —reason “poisoned by deploy 42”")
    assert "it purges every queue" in preview.shown
    assert "Reason: poisoned by deploy 42" in preview.shown
    assert preview.buttons[-2:] == ["Approve", "Cancel"]

    await otto.clicks("Approve", on=preview, answering=YES)
    refused = await otto.sees("You asked for this yourself")
    assert refused.is_ephemeral
    assert runs(whole) == 0

    await ada.clicks("Approve", on=preview, answering=YES)
    done = await ada.sees_change(preview, "Purged", within=20)
    assert "approved by ada, asked by otto" in done.shown
    assert "poisoned by deploy 42" in done.shown
    assert runs(whole) == 1
    told = await ada.sees("🤝 approved", in_=AUDIT, ever=True, within=15)
    assert "Asked by otto. Of the top risk: it purges every queue" in told.shown
    assert "Reason: poisoned by deploy 42" in told.shown

    run = re.search(r"op-\d+", done.shown)
    assert run is not None
    await otto.types(f"/kb undo {run[0]}", in_="#ops")
    back = await otto.sees(f"{run[0]} was purge")
    assert "asked by otto, approved by ada at" in back.shown


async def test_an_admin_can_not_approve_their_own_and_an_operator_not_anybodys(
    whole: System, slack: LocalSlack
) -> None:
    otto, ada, anika = (slack.person(name) for name in ("otto", "ada", "anika"))
    before = runs(whole)
    preview = await asks_to_purge(whole, ada, 'purge --reason "load test"')
    await ada.clicks("Approve", on=preview, answering=YES)
    await ada.sees("You asked for this yourself")
    await otto.clicks("Approve", on=preview, answering=YES)
    await otto.sees("Only an admin in Slack can approve it")
    assert runs(whole) == before
    await anika.clicks("Approve", on=preview, answering=YES)
    await anika.sees_change(preview, "approved by anika, asked by ada", within=20)


async def test_without_a_reason_nothing_can_be_approved_until_one_is_stated_in_a_form(
    whole: System, slack: LocalSlack
) -> None:
    otto, ada, vera = (slack.person(name) for name in ("otto", "ada", "vera"))
    whole.send("add", 1, 1, queue="orders")
    waits = await asks_to_purge(whole, otto, "purge --queue orders")
    assert waits.buttons[-1] == "State a reason…"
    assert "Approve" not in waits.buttons
    await vera.clicks("State a reason…", on=waits)
    await vera.sees("you may look but not change")
    await vera.has_no_modal()
    await otto.clicks("State a reason…", on=waits)
    form = await otto.sees_modal("State a reason")
    await otto.submits(form, {"Why?": "the consumer is gone for good"})
    preview = await otto.sees("Reason: the consumer is gone for good")
    await ada.clicks("Approve", on=preview, answering=YES)
    await ada.sees_change(preview, "approved by ada, asked by otto", within=20)


async def test_alone_at_night_the_glass_breaks_after_the_delay_and_everyone_hears_of_it_first(
    whole: System, slack: LocalSlack
) -> None:
    otto, vera, ada = (slack.person(name) for name in ("otto", "vera", "ada"))
    before = runs(whole)
    preview = await asks_to_purge(whole, otto, 'purge --break-glass "nobody answers"')
    assert preview.buttons[-3:] == ["Approve", "Confirm alone", "Cancel"]
    await otto.clicks("Confirm alone", on=preview, answering=YES)
    await otto.sees("Not before")
    await ada.clicks("Confirm alone", on=preview, answering="Back")
    await ada.clicks("Confirm alone", on=preview, answering=YES)
    await ada.sees("Only whoever asked for it can confirm it alone")
    alarm = await vera.sees("otto breaks the glass", in_=ALERTS, ever=True, within=15)
    assert "Reason: nobody answers" in alarm.shown
    await vera.sees("🚨 breaking glass", in_=AUDIT, ever=True, within=15)
    assert runs(whole) == before

    ready = await otto.sees("The delay is over", within=40)
    assert "can confirm it alone" in ready.shown
    await otto.clicks("Confirm alone", on=preview, answering=YES)
    await otto.sees_change(preview, "confirmed alone, with the glass broken, by otto", within=20)
    assert runs(whole) == before + 1
    assert "broke glass" in whole.audit("purge")
    over = await vera.sees_change(alarm, "broke the glass and confirmed it alone", within=15)
    assert over.buttons == []


async def test_somebody_else_on_call_stops_a_broken_glass_from_where_it_is_told(
    whole: System, slack: LocalSlack
) -> None:
    otto, anika, vera = (slack.person(name) for name in ("otto", "anika", "vera"))
    before = runs(whole)
    preview = await asks_to_purge(whole, otto, 'purge --break-glass "second try"')
    alarm = await anika.sees("Reason: second try", in_=ALERTS, ever=True, within=15)
    await vera.clicks("Stop this", on=alarm)
    await vera.sees("you may look but not change", in_=ALERTS)
    entry = await anika.sees("Reason: second try", in_=AUDIT, ever=True, within=15)
    await anika.clicks("Stop this", on=entry)
    await anika.sees("You stopped it", in_=AUDIT)
    await otto.sees_change(preview, "cancelled by anika", within=15)
    over = await anika.sees_change(alarm, "anika stopped it; nothing was done", within=15)
    assert over.buttons == []
    assert runs(whole) == before


async def test_a_protected_queue_needs_two_whatever_is_in_it_and_others_need_one(
    whole: System, slack: LocalSlack
) -> None:
    otto, ada = slack.person("otto"), slack.person("ada")
    whole.send("add", 1, 1, queue="orders")
    whole.send("add", 1, 1, queue="quiet")
    await otto.types("/kb purge --queue quiet", in_="#ops")
    one = await otto.sees("in quiet")
    assert one.buttons[-2:] == ["Confirm", "Cancel"]
    await otto.clicks("Confirm", on=one)
    await otto.sees_change(one, "Purged", within=20)

    await otto.types('/kb purge --queue orders --reason "paid twice"', in_="#ops")
    two = await otto.sees("protected queue: orders")
    await otto.clicks("Approve", on=two, answering=YES)
    await otto.sees("You asked for this yourself")
    await ada.clicks("Approve", on=two, answering=YES)
    await ada.sees_change(two, "Purged", within=20)


async def test_a_dry_run_needs_nobody(whole: System, slack: LocalSlack) -> None:
    failed = whole.send("fail", "x")
    whole.site.row_in(failed, "FAILURE")
    otto = slack.person("otto")
    await otto.types("/kb clear --older-than 0 --status FAILURE --dry-run", in_="#ops")
    shown = await otto.sees("Would clear 1 row")
    assert "two people" not in shown.shown
    assert shown.buttons == []


async def test_where_nobody_else_sees_the_preview_its_asker_hears_so(
    whole: System, slack: LocalSlack
) -> None:
    whole.send("add", 1, 1, queue="mail")
    otto = slack.person("otto")
    await otto.types('/kb purge --reason "quietly"', in_="#random")
    await otto.sees("Nobody else can see this preview", in_="#random")
    preview = await otto.sees("This needs two people", in_="app")
    await otto.clicks("Cancel", on=preview)
