"""A run that is killed (SIGKILL) at the n-th thing it says to Redis or commits to SQL, before or after it is said.

On RabbitMQ what counts is what decides where a message is: queues made and deleted, acknowledgements, and commits.

It runs in a process of its own; there the drivers' ways out are counted, and nothing of the project is touched.
"""

import os
import signal
from collections.abc import Callable
from multiprocessing import get_context
from typing import Any

import redis
from amqp import spec
from amqp.abstract_channel import AbstractChannel
from sqlalchemy import Engine, event

from knowledge_base_agent.actors import shell_actor
from knowledge_base_agent.deployment import open_deployment
from knowledge_base_agent.runner import Runner
from knowledge_base_agent.settings import Settings
from tests.fleet.tiny_app import tiny_app

_CONTEXT = get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.undo.dying"])
_WITHIN = 60
_DECIDES = (spec.Queue.Declare, spec.Queue.Delete, spec.Basic.Ack, spec.Tx.Commit)


def dies_at(settings: Settings, confirmation_id: str, moment: int) -> bool:
    """Confirm and run in another process that is killed at this moment; tell whether it came that far."""
    process = _CONTEXT.Process(target=_run, args=(settings, confirmation_id, moment))
    process.start()
    process.join(_WITHIN)
    assert process.exitcode in (0, -signal.SIGKILL), f"moment {moment}: {process.exitcode}"
    return process.exitcode != 0


def _run(settings: Settings, confirmation_id: str, moment: int) -> None:
    app = tiny_app(settings.broker_url, settings.result_backend)
    deployment = open_deployment(settings, app)
    runner = Runner(deployment)
    claimed = runner.confirm(confirmation_id, shell_actor("tester"))
    _count_down(deployment.engine, moment)
    runner.execute(claimed)
    os._exit(0)


def _count_down(engine: Engine, moment: int) -> None:
    left = [moment]

    def passed(*_: object) -> None:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(engine, "commit", passed)
    _passing(redis.Connection, "send_packed_command", passed)
    _passing(AbstractChannel, "send_method", passed, only=lambda _, method, *__: method in _DECIDES)


def _passing(
    owner: Any,
    name: str,
    passed: Callable[[], None],
    only: Callable[..., bool] = lambda *_: True,
) -> None:
    original = getattr(owner, name)

    def both(*args: Any, **more: Any) -> Any:
        if not only(*args):
            return original(*args, **more)
        passed()
        answer = original(*args, **more)
        passed()
        return answer

    setattr(owner, name, both)
