"""Somebody was refused; the audit says so, and that it is what was written."""

from tests.people import LocalSlack
from tests.stories.system import System


async def test_a_refusal_is_found_in_the_audit_which_agrees_with_its_channel(
    whole: System, slack: LocalSlack
) -> None:
    vera = slack.person("vera")
    await vera.types("/kb clear --older-than 1", in_="#ops")
    await slack.person("ada").sees("refused", in_="#kb-audit", ever=True, within=15)
    await vera.types("/kb audit --kind refused --person vera --since 1h", in_="#ops")
    found = await vera.sees("by vera, refused", within=15)
    assert "clear --older-than 1" in found.shown
    await vera.clicks("Verify", on=found)
    verified = await vera.sees("The audit is whole", within=15)
    assert "is consistent in itself, and agrees with" in verified.shown
    assert "in the channel" in verified.shown
