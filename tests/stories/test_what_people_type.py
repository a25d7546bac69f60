"""Typos, wrong values and unknown words are answered with what was meant, and cost nothing."""

from tests.people import LocalSlack
from tests.stories.system import System


async def test_a_typo_is_answered_with_a_button_that_does_what_was_meant(
    whole: System, slack: LocalSlack
) -> None:
    vera = slack.person("vera")
    await vera.types("/kb stast", in_="#ops")
    answer = await vera.sees("Did you mean")
    assert answer.is_ephemeral
    await vera.clicks("/kb stats", on=answer)
    stats = await vera.sees("1 of 1 worker answered")
    assert not stats.is_ephemeral


async def test_a_wrong_value_is_answered_with_what_is_allowed_and_an_example(
    whole: System, slack: LocalSlack
) -> None:
    vera = slack.person("vera")
    await vera.types("/kb stuck --longer-than soon", in_="#ops")
    answer = await vera.sees("“soon” is not allowed for --longer-than")
    assert "--longer-than 3h" in answer.shown


async def test_an_id_with_a_pattern_is_refused(whole: System, slack: LocalSlack) -> None:
    otto = slack.person("otto")
    await otto.types("/kb revoke *", in_="#ops")
    await otto.sees("no patterns")


async def test_what_destroys_is_shown_alone_as_in_the_shell(
    whole: System, slack: LocalSlack
) -> None:
    """Somebody who knows the shell's line types it here: the preview comes, and nothing to click."""
    whole.send("add", 1, 1, queue="nobody")
    otto = slack.person("otto")
    await otto.types("/kb purge --queue nobody —dry-run", in_="#ops")
    shown = await otto.sees("Nothing was done: this shows what would be")
    assert "1 message" in shown.shown
    assert "Confirm" not in shown.buttons
    await otto.types("/kb help purge", in_="#ops")
    assert "--repeat" in (await otto.sees("help purge")).shown


async def test_nothing_typed_shows_what_this_person_may_ask(
    whole: System, slack: LocalSlack
) -> None:
    vera = slack.person("vera")
    await vera.types("/kb", in_="#ops")
    await vera.sees("What you can ask")


async def test_a_channel_without_the_bot_is_answered_with_how_to_invite_it(
    whole: System, slack: LocalSlack
) -> None:
    vera = slack.person("vera")
    await vera.types("/kb stats", in_="#random")
    await vera.sees("/invite")


async def test_home_shows_buttons_that_answer(whole: System, slack: LocalSlack) -> None:
    otto = slack.person("otto")
    await otto.opens_home()
    home = await otto.sees_home("")
    assert any("stuck" in label.lower() for label in home.buttons)


async def test_doctor_in_slack_knows_what_slack_lets_it_do(
    whole: System, slack: LocalSlack
) -> None:
    vera = slack.person("vera")
    await vera.types("/kb doctor", in_="#ops")
    report = await vera.sees("Slack's scopes")
    row = next(row for row in report.rows if "Slack's scopes" in " ".join(row))
    assert "unknown" not in " ".join(row)
