"""A person who is too fast is told once and not heard for a moment; nobody else notices, and Cancel always works."""

from bot.pace import Pace, Paces
from tests.bot.at_work import bot_at_work, old_failures, recorded, settings_in
from tests.people import LocalSlack
from tests.waiting import await_until

CLEAR = "/kb clear --older-than 24 --status FAILURE"


def test_a_bucket_empties_and_fills_again_within_a_minute() -> None:
    paces = Paces(6)
    assert [paces.of("UOTTO", now=0.0) for _ in range(8)] == [Pace.FINE] * 6 + [
        Pace.TOLD,
        Pace.SILENT,
    ]
    assert paces.of("UVERA", now=0.0) is Pace.FINE
    assert paces.of("UOTTO", now=10.1) is Pace.FINE
    assert paces.of("UOTTO", now=10.2) is Pace.SILENT  # told before, and not slow since
    assert [paces.of("UOTTO", now=45.0) for _ in range(4)] == [Pace.FINE] * 3 + [Pace.TOLD]
    assert [paces.of("UOTTO", now=500.0) for _ in range(7)] == [Pace.FINE] * 6 + [Pace.TOLD]


def test_a_crowd_is_not_remembered_for_ever() -> None:
    paces = Paces(6)
    for number in range(20_000):
        paces.of(f"U{number}", now=0.0)
    assert len(vars(paces)["_buckets"]) <= 5_000


async def test_whoever_is_too_fast_is_told_once_and_recorded_once(
    slack: LocalSlack, sqlite_url: str
) -> None:
    async with bot_at_work(settings_in(slack, sqlite_url, rate_per_minute=6)) as deployment:
        old_failures(deployment)
        otto, vera = slack.person("otto"), slack.person("vera")
        await otto.types(CLEAR, in_="#ops")
        preview = await otto.sees("1 FAILURE")
        for _ in range(12):
            await otto.types("/kb help", in_="#ops")
        told = await otto.sees("more than 6 in a minute", ever=True)
        assert told.is_ephemeral
        await vera.types("/kb stats", in_="#ops")
        await vera.sees("1 FAILURE")
        await otto.clicks("Confirm", on=preview)
        await otto.clicks("Cancel", on=preview)
        cancelled = await otto.sees_change(preview, "ancelled")
        assert cancelled.buttons == []
        kinds = [(kind, user) for kind, _, user, _ in recorded(deployment)]
        assert kinds.count(("refused", "U0OTTO000")) == 1
        assert ("started", "U0OTTO000") not in kinds
        said = [
            message for message in await otto.looks(in_="#ops") if "in a minute" in message.shown
        ]
        assert len(said) == 1


async def test_one_person_takes_nothing_from_others(slack: LocalSlack, sqlite_url: str) -> None:
    async with bot_at_work(settings_in(slack, sqlite_url, rate_per_minute=6)) as deployment:
        otto, vera = slack.person("otto"), slack.person("vera")
        for _ in range(40):
            await otto.types("/kb nonsense", in_="#ops")
        await vera.types("/kb help", in_="#ops")
        await vera.sees("What you can ask")
        await await_until(
            lambda: any(kind == "answered" for kind, *_ in recorded(deployment)),
            what="vera's answer",
        )
