"""Old failures are cleared: previewed, confirmed, recorded, and only by those who may."""

from datetime import timedelta

from tests.people import LocalSlack
from tests.stories.system import System
from tests.waiting import await_until


async def fail_once(whole: System) -> str:
    failed = whole.send("fail", "hunter2")
    whole.site.row_in(failed, "FAILURE")
    whole.site.age(failed, timedelta(hours=2))
    return failed


async def test_an_operator_clears_failures_and_the_audit_channel_says_so(
    whole: System, slack: LocalSlack
) -> None:
    failed = await fail_once(whole)
    otto = slack.person("otto")
    await otto.types("/kb clear --older-than 1 --status FAILURE", in_="#ops")
    preview = await otto.sees("About to clear 1 row")
    assert "hunter2" not in preview.shown
    await otto.clicks("Confirm", on=preview)
    done = await otto.sees_change(preview, "Cleared 1 row")
    assert "Confirm" not in done.buttons
    assert whole.site.row(failed) is None
    await slack.person("ada").sees("Cleared 1 row", in_="#kb-audit", ever=True, within=15)
    assert whole.audit("clear") == ["previewed", "confirmed", "started", "ended"]


async def test_a_second_click_is_told_who_and_nothing_is_cleared_twice(
    whole: System, slack: LocalSlack
) -> None:
    await fail_once(whole)
    otto, anika = slack.person("otto"), slack.person("anika")
    await otto.types("/kb clear --older-than 1 --status FAILURE", in_="#ops")
    preview = await otto.sees("About to clear 1 row")
    await otto.clicks("Confirm", on=preview)
    await otto.sees_change(preview, "Cleared 1 row")
    runs = whole.audit("clear").count("started")
    await slack.do("redeliver_last")
    await anika.types("/kb help", in_="#ops")
    await anika.sees("What you can ask")
    assert whole.audit("clear").count("started") == runs


async def test_a_cancelled_clear_changes_nothing(whole: System, slack: LocalSlack) -> None:
    failed = await fail_once(whole)
    otto = slack.person("otto")
    await otto.types("/kb clear --older-than 1 --status FAILURE", in_="#ops")
    preview = await otto.sees("About to clear")
    await otto.clicks("Cancel", on=preview)
    cancelled = await otto.sees_change(preview, "ancelled")
    assert cancelled.buttons == []
    assert whole.site.row(failed) is not None


async def test_a_viewer_is_refused_and_cannot_confirm_for_others(
    whole: System, slack: LocalSlack
) -> None:
    vera, otto = slack.person("vera"), slack.person("otto")
    await vera.types("/kb clear --older-than 1", in_="#ops")
    refusal = await vera.sees("you may look but not change")
    assert refusal.is_ephemeral

    await otto.types("/kb clear --older-than 1 --status FAILURE", in_="#ops")
    preview = await otto.sees("About to clear")
    await vera.clicks("Confirm", on=preview)
    await vera.sees("you may look but not change")
    started = whole.audit("clear").count("started")
    await otto.clicks("Confirm", on=preview)
    await otto.sees_change(preview, "Cleared")
    assert whole.audit("clear").count("started") == started + 1


async def test_a_restart_of_the_bot_between_preview_and_click_changes_nothing(
    whole: System, slack: LocalSlack
) -> None:
    failed = await fail_once(whole)
    otto = slack.person("otto")
    await otto.types("/kb clear --older-than 1 --status FAILURE", in_="#ops")
    preview = await otto.sees("About to clear")
    whole.stop_bot()
    whole.start_bot()

    async def back() -> bool:
        return int((await slack.get("state"))["connections"]) == 1

    await await_until(back, within=20, what="the new bot connects")
    await otto.clicks("Confirm", on=preview)
    await otto.sees_change(preview, "Cleared")
    assert whole.site.row(failed) is None


async def test_a_dry_run_shows_no_confirm_button(whole: System, slack: LocalSlack) -> None:
    await fail_once(whole)
    otto = slack.person("otto")
    await otto.types("/kb clear —older-than 1 —status failure —dry-run", in_="#ops")
    shown = await otto.sees("Would clear")
    assert "Confirm" not in shown.buttons
