"""What comes on a connection to RabbitMQ: replies to our questions, and how many workers there are to be counted.

py-amqp reads a reply in nine pieces, and may wait for each as long as for all. Here what the socket has is taken at
once, and nothing is waited for beyond its time; the frames are still py-amqp's to read.
"""

import contextlib
import select
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import amqp
from amqp import spec
from amqp.exceptions import ChannelError
from amqp.transport import TCPTransport

from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.question import Asked

_PIECE = 4096
"""Bytes that are taken at once: py-amqp copies what waits behind each part of a frame."""
_HEADER = 7
"""Bytes of a frame before its content, the last four of which are its length; one more ends it."""
_NOT_FOUND = 404
_DECLARE = "BsbbbbbF"


class AmqpReplies:
    """The incoming side of one connection; used by one thread at a time."""

    def __init__(self, connection: Any, register: str) -> None:
        """Take an `amqp.Connection`, and the queue whose consumers are counted."""
        self._connection = connection
        self._queue = register
        self._register: _Register | None = None
        self._counting: deque[Asked] = deque()
        self._looking: Any = None

    def ready(self) -> bool:
        """Tell, without waiting, whether a question can go out at once: its connection lives and owes nothing."""
        transport = self._connection.transport
        if self._register is None or self._counting or not _plain(transport):
            return False
        if _waiting_bytes(transport):
            return False
        poll = select.poll()
        poll.register(transport.sock, select.POLLIN | select.POLLOUT)
        # Neither a late reply, nor an end, nor a broker that has stopped to take words in.
        return [happened for _, happened in poll.poll(0)] == [select.POLLOUT]

    @contextlib.contextmanager
    def addressed(self, until: Deadline | None) -> Iterator[None]:
        """Let no word that is sent within wait for longer than `until`."""
        if until is None:
            yield
            return
        with self._connection.transport.having_timeout(max(until.remaining(), 0.001)):
            yield

    def count(self, asked: Asked) -> None:
        """Ask how many workers are counted; `listen` notes the answer, and nothing where there is no such queue.

        Waits for the broker on a connection that was not `ready`.
        """
        if self._register is None:
            self._register = _Register(self._connection, self._counted)
            self._register.open()
        self._counting.append(asked)
        passive = (0, self._queue, True, False, False, False, False, None)
        self._register.send_method(spec.Queue.Declare, _DECLARE, passive)

    def listen(self, seconds: float) -> None:
        """Take in what is there; waits so long for the first of it."""
        until, transport = Deadline.after(seconds), self._connection.transport
        if not _plain(transport):
            with contextlib.suppress(TimeoutError):
                self._connection.drain_events(timeout=seconds)
            return
        while not _whole(transport):
            if not _more(transport, until):
                return
        while _whole(transport):
            self._connection.blocking_read()

    def has_queue(self, name: str) -> bool:
        """Ask whether there is a queue of this name, and wait for the answer."""
        if self._looking is None:
            # Its own, for good: a refusal closes it, and amqp at once opens it anew, whoever forgets it.
            self._looking = self._connection.channel()
        try:
            self._looking.queue_declare(name, passive=True)
        except ChannelError as error:
            return bool(error.code != _NOT_FOUND)  # 405: there, and exclusive to its worker
        return True

    def _counted(self, consumers: int | None) -> None:
        if consumers is None:
            # Nobody is counted here, or nobody may know: the next question finds out anew.
            self._register = None
            self._counting.clear()
        elif self._counting:
            self._counting.popleft().enrolled = consumers


class _Register(amqp.Channel):  # type: ignore[misc, unused-ignore]
    """A channel that hands on how many consume from a queue when the broker tells it; None when that refuses to."""

    def __init__(self, connection: Any, told: Callable[[int | None], None]) -> None:
        self._told = told
        super().__init__(connection)

    def _setup_listeners(self) -> None:
        super()._setup_listeners()  # type: ignore[misc, unused-ignore]
        self._callbacks[spec.Queue.DeclareOk] = self._on_declared  # type: ignore[attr-defined, unused-ignore]

    def _on_declared(self, _queue: str, _messages: int, consumers: int) -> None:
        self._told(consumers)

    def _on_close(self, *_why: object) -> None:
        """Stay closed: amqp would open another one at once, wait for it, and raise where another answer is awaited."""
        self.send_method(spec.Channel.CloseOk)
        self.collect()
        self._told(None)


def _plain(transport: Any) -> bool:
    """Tell whether it reads from the socket itself: what TLS has of a frame can't be seen there."""
    return type(transport) is TCPTransport


def _waiting_bytes(transport: Any) -> bytes:
    found: bytes = transport._read_buffer  # noqa: SLF001 - where amqp keeps what came of a frame in part
    return found


def _whole(transport: Any) -> bool:
    """Tell whether a whole frame is there, which amqp then reads without waiting."""
    found = _waiting_bytes(transport)
    if len(found) < _HEADER:
        return False
    return len(found) > _HEADER + int.from_bytes(found[3:_HEADER], "big")


def _more(transport: Any, until: Deadline) -> bool:
    """Take in what the socket has, and wait for it if need be; False when it has nothing in time."""
    poll = select.poll()
    poll.register(transport.sock, select.POLLIN)
    if not poll.poll(until.remaining() * 1000):
        return False
    came = transport.sock.recv(_PIECE)
    if not came:
        raise ConnectionResetError("RabbitMQ has closed the connection")
    transport._read_buffer += came  # noqa: SLF001 - amqp goes on reading from there
    return True
