"""The states of a task, and which of two entries about one run knows better."""

from typing import Final

PENDING: Final = "PENDING"  # published; no worker has said that it took it
RECEIVED: Final = "RECEIVED"  # a worker holds it and has not started it
STARTED: Final = "STARTED"
PROGRESS: Final = "PROGRESS"  # started, and it has told how far it is
RETRY: Final = "RETRY"  # failed, and published again: waits for its next run
SUCCESS: Final = "SUCCESS"
FAILURE: Final = "FAILURE"
REVOKED: Final = "REVOKED"
REJECTED: Final = "REJECTED"  # the worker refused the message, or the task raised Reject or Ignore

RANK: Final = {
    PENDING: 0,
    RECEIVED: 1,
    RETRY: 2,  # belongs to the run that it announces: above its publishing and receipt, below its start
    STARTED: 3,
    PROGRESS: 4,
    REJECTED: 5,  # below the other ends: Celery may still tell how a rejected task ended
    SUCCESS: 6,
    FAILURE: 6,
    REVOKED: 6,
}
"""The order of stages within one run. Clocks of hosts differ, so the stage decides before the time does."""

STATES: Final = tuple(RANK)
FINISHED: Final = frozenset({SUCCESS, FAILURE, REVOKED, REJECTED})
RUNNING: Final = frozenset({STARTED, PROGRESS})
WITH_WORKERS: Final = frozenset({RECEIVED, STARTED, PROGRESS, RETRY})
"""States of tasks that a worker holds or that will come back: never cleared by age alone."""
