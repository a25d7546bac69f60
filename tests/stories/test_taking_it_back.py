"""A purge that was a mistake is taken back by a click, before a worker would have missed anything."""

from tests.people import LocalSlack
from tests.stories.system import System


async def test_an_operator_takes_a_purge_back_by_the_button_on_its_report(
    whole: System, slack: LocalSlack
) -> None:
    for _ in range(3):
        whole.send("add", 1, 1, queue="mistaken")
    otto = slack.person("otto")
    await otto.types("/kb purge --queue mistaken", in_="#ops")
    preview = await otto.sees("For 24 h `undo` can bring them back")
    await otto.clicks("Confirm", on=preview)
    purged = await otto.sees_change(preview, "Removed 3 messages")
    assert "brings it back until" in purged.shown

    await otto.clicks("Undo", on=purged)
    undo = await otto.sees("About to bring back 3 messages of mistaken")
    await otto.clicks("Confirm", on=undo)
    await otto.sees_change(undo, "Brought back 3 messages of mistaken")
    assert whole.audit("undo") == ["previewed", "confirmed", "started", "ended"]

    await otto.types("/kb purge --queue mistaken", in_="#ops")
    await otto.sees("3 in mistaken")
