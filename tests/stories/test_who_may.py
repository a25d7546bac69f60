"""Nobody gets in who does not belong, and everyone refused is told why and recorded."""

from datetime import timedelta

import pytest

from tests.people import LocalSlack
from tests.stories.system import System
from tests.waiting import await_until


@pytest.mark.parametrize(
    ("name", "why"), [("gus", "guest"), ("sina", "guest"), ("dora", "deactivated")]
)
async def test_guests_and_deactivated_people_are_refused_even_a_look(
    whole: System, slack: LocalSlack, name: str, why: str
) -> None:
    before = whole.audit("stats").count("refused")
    person = slack.person(name)
    await person.types("/kb stats", in_="#ops", force=True)
    await await_until(
        lambda: whole.audit("stats").count("refused") == before + 1, what="the refusal is recorded"
    )
    if name != "dora":
        refusal = await person.sees(why)
        assert refusal.is_ephemeral


async def test_a_stranger_of_another_organisation_is_refused_in_a_shared_channel(
    whole: System, slack: LocalSlack
) -> None:
    before = whole.audit("stats").count("refused")
    stefan = slack.person("stefan")
    await stefan.types("/kb stats", in_="#shared-acme", force=True)
    await await_until(
        lambda: whole.audit("stats").count("refused") == before + 1, what="the refusal is recorded"
    )


async def test_a_failed_lookup_refuses_a_confirmation(whole: System, slack: LocalSlack) -> None:
    failed = whole.send("fail", "x")
    whole.site.row_in(failed, "FAILURE")
    whole.site.age(failed, timedelta(hours=2))
    otto = slack.person("otto")
    await otto.types("/kb clear --older-than 1 --status FAILURE", in_="#ops")
    preview = await otto.sees("About to clear")
    await slack.fails("users.info", "error", times=1, error="internal_error")
    await otto.clicks("Confirm", on=preview)
    await otto.sees("could not tell who you are")
    assert whole.site.row(failed) is not None
    await otto.clicks("Confirm", on=preview)
    await otto.sees_change(preview, "Cleared")
