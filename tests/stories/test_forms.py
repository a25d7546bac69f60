"""A word alone opens a form; what it asks for goes the same road as if it had been typed."""

from datetime import timedelta

from tests.people import LocalSlack
from tests.stories.system import System
from tests.waiting import await_until


async def test_a_form_comes_filled_in_and_leads_to_the_preview_where_it_was_asked_for(
    whole: System, slack: LocalSlack
) -> None:
    failed = whole.send("fail", "x")
    whole.site.row_in(failed, "FAILURE")
    whole.site.age(failed, timedelta(hours=2))
    otto = slack.person("otto")
    await otto.types("/kb clear", in_="#ops")
    form = await otto.sees_modal("/kb clear")
    assert "24h" in str(form.source["blocks"])
    await otto.submits(form, {"Older than": "1h", "State": ["FAILURE"]})
    await otto.has_no_modal()
    preview = await otto.sees("About to clear 1 row")
    assert not preview.is_ephemeral
    await otto.clicks("Confirm", on=preview)
    await otto.sees_change(preview, "Cleared 1 row")
    assert whole.site.row(failed) is None


async def test_a_wrong_value_is_told_at_its_field_and_can_be_mended(
    whole: System, slack: LocalSlack
) -> None:
    otto = slack.person("otto")
    await otto.types("/kb clear", in_="#ops")
    form = await otto.sees_modal("/kb clear")
    answer = await otto.submits(form, {"Older than": "soon"})
    assert "“soon” is not allowed" in answer["errors"]["older_than"]
    await otto.submits(form, {"Older than": "9d"})
    await otto.sees("There are no rows")
    await otto.has_no_modal()


async def test_ids_that_are_missing_are_asked_for_in_the_form(
    whole: System, slack: LocalSlack
) -> None:
    otto = slack.person("otto")
    await otto.types("/kb revoke", in_="#ops")
    form = await otto.sees_modal("/kb revoke")
    answer = await otto.submits(form)
    assert "ids of tasks" in answer["errors"]["task_ids"]
    await otto.submits(form, {"Task ids": "never-was-1", "Options": ["terminate"]})
    await otto.sees("never-was-1")


async def test_a_viewer_is_refused_without_a_form(whole: System, slack: LocalSlack) -> None:
    before = whole.audit("clear").count("refused")
    vera = slack.person("vera")
    await vera.types("/kb clear", in_="#ops")
    refusal = await vera.sees("you may look but not change")
    assert refusal.is_ephemeral
    await vera.has_no_modal()
    await await_until(
        lambda: whole.audit("clear").count("refused") == before + 1, what="the refusal is recorded"
    )


async def test_where_no_form_can_be_opened_the_word_does_what_it_does_alone(
    whole: System, slack: LocalSlack
) -> None:
    otto = slack.person("otto")
    await slack.fails("views.open", "error", times=1, error="expired_trigger_id")
    await otto.types("/kb clear", in_="#ops")
    await otto.sees("There are no rows in any state that no worker has, older than 1 d")
    await otto.types("/kb clear --dry-run", in_="#ops")  # nothing is left to ask for
    await otto.sees("There are no rows in any state that no worker has, older than 1 d")
    await otto.has_no_modal()


async def test_the_command_alone_shows_what_this_person_may_do_as_buttons(
    whole: System, slack: LocalSlack
) -> None:
    otto, vera = slack.person("otto"), slack.person("vera")
    await vera.types("/kb", in_="#ops")
    hers = await vera.sees("What you can ask")
    assert hers.is_ephemeral
    assert "Stats" in [one.label for one in hers.controls]
    forms = {one.label for one in hers.controls if one.label.endswith("…")}
    assert forms == {"Task…", "Logs…", "Search…"}, "what looks, and no form of what changes"
    await otto.types("/kb", in_="#ops")
    his = await otto.sees("What you can ask")
    assert {"Clear…", "Revoke…"} <= {one.label for one in his.controls}
    await otto.clicks("Clear…", on=his)
    await otto.submits(await otto.sees_modal("/kb clear"), {"Older than": "9d"})
    await otto.sees("There are no rows")


async def test_what_means_nothing_without_words_is_a_button_of_kb_that_asks_for_them(
    whole: System, slack: LocalSlack
) -> None:
    ended = whole.send("add", 1, 1)
    whole.site.row_in(ended, "SUCCESS")
    vera = slack.person("vera")
    await vera.types("/kb", in_="#ops")
    overview = await vera.sees("What you can ask")
    assert {"Task…", "Logs…", "Search…"} <= set(overview.buttons)
    await vera.clicks("Task…", on=overview)
    form = await vera.sees_modal("/kb task")
    await vera.submits(form, {"Task": ended})
    await vera.has_no_modal()
    await vera.sees("SUCCESS since")
