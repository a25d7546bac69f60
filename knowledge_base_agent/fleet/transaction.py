"""Some commands as one transaction of a Redis, on a connection that has answered a moment before, sent once at most.

The pipeline of redis-py does the same with a third of a millisecond more of its own for a dozen of commands, may be
told by a URL to send them again, and lets nobody in between the connection and the first command.
"""

from collections.abc import Sequence
from typing import Any

import redis

from knowledge_base_agent.fleet.gate import Gate

Command = tuple[str | int, ...]


def transact(client: redis.Redis, commands: Sequence[Command], gate: Gate) -> list[Any]:
    """Run commands in one step, after the gate, and return their answers; those that failed are errors among them.

    Blocks. Raises what redis-py does: before the gate was passed nothing was sent, and one that the server refuses to
    queue keeps all of them from running.
    """
    pool = client.connection_pool
    connection: Any = pool.get_connection()
    try:
        connection.send_command("PING", check_health=False)
        connection.read_response()
        gate.enter()
        packed = connection.pack_commands((("MULTI",), *commands, ("EXEC",)))
        connection.send_packed_command(packed, check_health=False)
        return _answers(connection, len(commands))
    except BaseException:
        connection.disconnect()  # answers of it may be on their way
        raise
    finally:
        pool.release(connection)


def _answers(connection: Any, number: int) -> list[Any]:
    refused: list[redis.ResponseError] = []
    for _ in range(1 + number):  # MULTI, and that each is queued
        try:
            connection.read_response()
        except redis.ResponseError as error:
            refused.append(error)
    try:
        answers: list[Any] = connection.read_response()
    except redis.exceptions.ExecAbortError as error:
        raise (refused[0] if refused else error) from error
    if len(answers) != number:
        raise redis.ResponseError(f"{len(answers)} answers to {number} commands")
    return answers
