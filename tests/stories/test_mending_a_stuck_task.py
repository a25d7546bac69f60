"""3 a.m.: a task blocks a worker. Somebody on call finds it, stops it, and sees that it stopped."""

from tests.people import LocalSlack
from tests.stories.system import System
from tests.waiting import await_until


async def test_an_operator_finds_a_stuck_task_on_a_phone_and_frees_the_slot(
    whole: System, slack: LocalSlack
) -> None:
    stuck = [whole.send("sleep", 600) for _ in range(2)]
    for one in stuck:
        whole.site.row_in(one, "STARTED")
    waiting = whole.send("add", 1, 1)
    otto = slack.person("otto")

    await otto.types("/kb stuck —longer‑than 0s", in_="#ops")
    report = await otto.sees("2 stuck tasks")
    assert "1 of 1 worker answered" in report.shown
    assert stuck[0] in report.shown

    await otto.clicks("Revoke", on=report, near=stuck[0])
    preview = await otto.sees("About to send SIGTERM to 1 running task")
    assert preview.buttons[-2:] == ["Confirm", "Cancel"]
    assert whole.site.row(waiting).state != "SUCCESS"  # type: ignore[union-attr]

    await otto.clicks("Confirm", on=preview)
    done = await otto.sees_change(preview, "1 stopped", within=20)
    assert "otto" in done.shown.lower(), "who confirmed it is shown"
    assert "Confirm" not in done.buttons

    whole.site.row_in(waiting, "SUCCESS", within=20)
    whole.site.row_in(stuck[0], "REVOKED")
    audit = await slack.person("ada").sees("revoke", in_="#kb-audit", ever=True, within=15)
    assert audit.text
    assert whole.audit("revoke")[-4:] == ["previewed", "confirmed", "started", "ended"]


async def test_the_other_one_is_stopped_with_all_that_is_active(
    whole: System, slack: LocalSlack
) -> None:
    anika = slack.person("anika")
    await anika.types("/kb revoke --all-active --terminate", in_="#ops")
    preview = await anika.sees("About to send SIGTERM to 1 running task")
    await anika.clicks("Confirm", on=preview)
    await anika.sees_change(preview, "1 stopped", within=20)
    await anika.types("/kb active", in_="#ops")
    await anika.sees("No active tasks seen; 1 of 1 worker answered")


async def test_a_task_that_ignores_the_signal_is_said_to_live_and_killed_by_choice(
    whole: System, slack: LocalSlack
) -> None:
    stubborn = whole.send("stubborn", 600)
    whole.site.row_in(stubborn, "STARTED")
    otto = slack.person("otto")
    await otto.types(f"/kb revoke {stubborn} --terminate", in_="#ops")
    preview = await otto.sees("About to send SIGTERM to 1 running task")
    await otto.clicks("Confirm", on=preview)
    result = await otto.sees_change(preview, "ignored SIGTERM", within=30)
    assert "1 running" in result.shown

    await otto.clicks("Kill with SIGKILL", on=result)
    again = await otto.sees("About to send SIGKILL")
    await otto.clicks("Confirm", on=again)
    await otto.sees_change(again, "1 stopped", within=30)

    after = whole.send("add", 2, 2)
    whole.site.row_in(after, "SUCCESS", within=30)


async def test_the_logs_are_one_click_away(whole: System, slack: LocalSlack) -> None:
    told = whole.send("tell", 3, 0.0)
    whole.site.row_in(told, "SUCCESS")
    vera = slack.person("vera")

    async def shown() -> bool:
        await vera.types(f"/kb logs {told}", in_="#ops")
        message = await vera.sees("Logs of")
        return "step 3" in message.shown

    await await_until(shown, within=10, what="the log lines")
    message = await vera.sees("step 3", ever=True)
    assert "abc123secret" not in message.shown
