"""Slack fails while it is answered: what was done is told, and nobody is led to do it twice."""

import pytest

from tests.people import LocalSlack
from tests.stories.system import System


@pytest.mark.parametrize("how", ["500", "drop_after"])
async def test_a_change_whose_answer_slack_refuses_is_not_asked_for_again(
    whole: System, slack: LocalSlack, tmp_path_factory: pytest.TempPathFactory, how: str
) -> None:
    folder = tmp_path_factory.mktemp("docs")
    (folder / "page.md").write_text("# A page")
    otto = slack.person("otto")
    before = whole.audit("run").count("started")
    await slack.fails("chat.postMessage", how, times=6)
    await otto.types(f"/kb run {folder}", in_="#ops")
    told = await otto.sees("It was done, so don't ask for it again", within=15)
    assert "may not have taken the answer" in told.shown
    assert "Sent: 1 document" in told.shown
    assert whole.audit("run").count("started") == before + 1


async def test_what_was_only_shown_is_not_said_to_have_been_done(
    whole: System, slack: LocalSlack
) -> None:
    otto = slack.person("otto")
    await slack.fails("chat.postMessage", "500", times=6)
    await otto.types("/kb clear --older-than 0 --status SUCCESS --dry-run", in_="#ops")
    told = await otto.sees("In short: ", within=15)
    assert "done" not in told.shown


async def test_a_question_whose_answer_slack_refuses_is_answered_in_short(
    whole: System, slack: LocalSlack
) -> None:
    vera = slack.person("vera")
    await slack.fails("chat.postMessage", "500", times=6)
    await vera.types("/kb active", in_="#ops")
    await vera.sees("In short: No active tasks seen", within=15)
