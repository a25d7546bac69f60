"""Some commands as one transaction of a Redis, on a connection that has answered a moment before, sent once at most.

The pipeline of redis-py does the same with a third of a millisecond more of its own for a dozen of commands, may be
told by a URL to send them again, and lets nobody in between the connection and the first command.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

import redis

from knowledge_base_agent.fleet.away import DRIVER_ERRORS
from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.gate import Gate
from knowledge_base_agent.fleet.receivers import SOCKET_SECONDS, can_read, read_by, write_by

Command = tuple[str | int, ...]
_OPENING: Final = (("PING",), ("MULTI",))
"""What is sent before the gate: a server that refuses it would carry out at once what comes behind it."""


def transact(client: redis.Redis, commands: Sequence[Command], gate: Gate) -> list[Any]:
    """Run commands in one step, after the gate, and return their answers; those that failed are errors among them.

    Blocks. Raises what redis-py does: before the gate was passed nothing was sent, and one that the server refuses to
    queue keeps all of them from running.
    """
    pool = client.connection_pool
    connection: Any = pool.get_connection()
    try:
        connection.send_packed_command(connection.pack_commands(_OPENING), check_health=False)
        for _ in _OPENING:
            connection.read_response()
        gate.enter()
        connection.send_packed_command(_packed(connection, commands), check_health=False)
        return _answers(connection.read_response, len(commands))
    except BaseException:
        connection.disconnect()  # answers of it may be on their way
        raise
    finally:
        pool.release(connection)


def transact_here(
    client: redis.Redis, commands: Sequence[Command], gate: Gate, deadline: Deadline
) -> list[Any] | None:
    """Do the same on a connection that lives, or return None where none does: then nothing was sent.

    Waits for nothing beyond the gate's own moment before it, and after it neither beyond the deadline nor longer than
    redis-py itself does.
    """
    pool = client.connection_pool
    connection = _living(pool)
    if connection is None:
        return None
    try:
        if not _still_answers(connection, gate.soon):
            return None
        gate.enter()
        # That it is unknown is worth more than a minute without a word.
        until = deadline.at_most(SOCKET_SECONDS)
        write_by(connection, _packed(connection, commands), until)
        return _answers(lambda: read_by(connection, until), len(commands))
    except BaseException:
        connection.disconnect()
        raise
    finally:
        pool.release(connection)


def _living(pool: Any) -> Any:
    """Take the connection that was used last if it is there and owes nothing, without waiting; else return None.

    What may wait to renew a password, to ask who leads, or for the rest of an encrypted record is left to others.
    """
    ways = (redis.Connection, redis.UnixDomainSocketConnection)
    if type(pool) is not redis.ConnectionPool or pool.connection_class not in ways:
        return None
    if pool.connection_kwargs.get("credential_provider") is not None:
        return None
    pool._checkpid()  # noqa: SLF001 - as redis-py does: a fork must not speak on its parent's connections
    # redis-py's own way to take one connects where none is, for as long as that may take.
    with pool._lock:  # noqa: SLF001
        if not pool._available_connections:  # noqa: SLF001
            return None
        connection: Any = pool._available_connections.pop()  # noqa: SLF001
        pool._in_use_connections.add(connection)  # noqa: SLF001
    try:
        if not can_read(connection, 0):
            return connection
    except DRIVER_ERRORS:
        pass  # it was closed from the other side: whoever takes it next connects it
    pool.release(connection)
    return None


def _still_answers(connection: Any, soon: Deadline) -> bool:
    """Tell whether it does; False where it broke meanwhile. Raises `redis.TimeoutError` where it came too late."""
    try:
        write_by(connection, connection.pack_commands(_OPENING), soon)
        for _ in _OPENING:
            read_by(connection, soon)
    except redis.ConnectionError:
        connection.disconnect()
        return False
    if soon.expired:
        raise redis.TimeoutError("it answered too late")
    return True


def _packed(connection: Any, commands: Sequence[Command]) -> Any:
    return connection.pack_commands((*commands, ("EXEC",)))


def _answers(read: Callable[[], Any], number: int) -> list[Any]:
    refused: list[redis.ResponseError] = []
    for _ in range(number):  # that each is queued
        try:
            read()
        except redis.ResponseError as error:
            refused.append(error)
    try:
        answers: list[Any] = read()
    except redis.exceptions.ExecAbortError as error:
        raise (refused[0] if refused else error) from error
    if len(answers) != number:
        raise redis.ResponseError(f"{len(answers)} answers to {number} commands")
    return answers
