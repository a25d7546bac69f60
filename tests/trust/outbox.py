"""Audit entries on their way to the channel, through every fault of Slack and the deaths of bots.

Judged by the messages of the local Slack's channel: every entry is there, in order, and what is there twice says so.
"""

import asyncio

from tests.faults.audit_under_faults import audit_under_faults
from tests.trust.place import Place
from tests.trust.trial import Trial

LOST, UNLABELLED, DISORDERED = "entries lost", "repeats without a label", "entries out of order"
_AT_ONCE = 500


def run(trial: Trial, place: Place) -> None:
    """Post on each database, half of the count each."""
    trial.never(LOST, UNLABELLED, DISORDERED)
    if place.postgres_url is None:
        trial.left_out("PostgreSQL: none answers here")
    for index, (name, url) in enumerate(place.databases.items(), start=1):
        share = index / len(place.databases)
        while trial.goes_on(up_to=share):
            left = -(-trial.count * index // len(place.databases)) - trial.reached
            seed = trial.random.randrange(10**9)
            _some(trial, name, url, count=min(_AT_ONCE, left), seed=seed)


def _some(trial: Trial, name: str, url: str, *, count: int, seed: int) -> None:
    outcome = asyncio.run(audit_under_faults(url, count=count, seed=seed))
    for kind, number in (
        (LOST, outcome.lost),
        (UNLABELLED, outcome.unlabelled),
        (DISORDERED, outcome.out_of_order),
    ):
        for _ in range(number):
            trial.saw(kind, f"{name}: {outcome}")
    trial.did(f"entries on {name}", outcome.entries)
    trial.also("repeats, each with its label", outcome.repeats)
    for fault, times in outcome.faults.items():
        trial.also(f"faults: {fault}", times)
