"""No entry of the audit is lost on its way to the channel: the short form of the count."""

import random

from tests.faults.audit_under_faults import audit_under_faults


async def test_every_entry_reaches_the_channel_in_order_and_repeats_say_so(
    database_url: str,
) -> None:
    seed = random.randrange(10**9)
    outcome = await audit_under_faults(database_url, count=220, seed=seed)
    print(outcome)
    assert outcome.sound, outcome
    assert outcome.entries >= 222  # two heads at least
