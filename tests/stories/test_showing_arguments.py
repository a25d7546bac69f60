"""What tasks were called with: for those who are named for it, seen by them alone, and recorded."""

from tests.people import LocalSlack, Person
from tests.stories.system import AUDIT_CHANNEL, System
from tests.waiting import await_until

SECRET = "hunter2-hunter2"


async def test_arguments_are_shown_to_a_named_person_alone_and_the_audit_tells_it(
    whole: System, slack: LocalSlack
) -> None:
    whole.stop_bot()
    whole.start_bot(KB_RAW_READERS="U0VERA000")
    await slack.app_connects(within=30)
    task = whole.send("add", 20, 22, kwargs={"token": SECRET})
    whole.site.row_in(task, "SUCCESS")
    vera, ada = slack.person("vera"), slack.person("ada")

    await vera.types(f"/kb task {task}", in_="#ops")
    card = await vera.sees("SUCCESS since")
    assert not card.is_ephemeral
    assert SECRET not in card.shown + card.text

    await await_until(lambda: _sees_it(vera, task), what="the recorder has kept its message")
    await ada.types(f"/kb task {task} --arguments", in_="#ops")
    refusal = await ada.sees("KB_RAW_READERS")
    assert refusal.is_ephemeral
    await ada.does_not_see(SECRET, in_="#ops", because="only Vera may see arguments")
    entry = await ada.sees(f"of {task}", in_=AUDIT_CHANNEL, ever=True)
    assert "vera (U0VERA000" in entry.shown
    for channel in ("#ops", AUDIT_CHANNEL):
        await ada.does_not_see(SECRET, in_=channel, because="it is neither posted nor recorded")
    assert whole.audit("task").count("refused") == 1


async def _sees_it(person: Person, task: str) -> bool:
    await person.types(f"/kb task {task} --arguments", in_="#ops")
    alone = await person.sees("Only you see this")
    assert alone.is_ephemeral
    return SECRET in alone.shown
