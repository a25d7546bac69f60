"""Simulated workers: kombu's own mailbox node in a thread each, answering what and when a test wants."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

from celery import Celery
from kombu.exceptions import OperationalError

from tests.waiting import wait_until


class Responder:
    """One simulated worker."""

    def __init__(self, app: Celery, name: str, answer: Callable[[str], Any]) -> None:
        self._app = app
        self._name = name
        self._answer = answer
        self._end = threading.Event()
        self.listening = threading.Event()
        self.heard: list[str] = []
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def stop(self) -> None:
        """End it."""
        self._end.set()
        self.thread.join(timeout=5)

    def _serve(self) -> None:
        with self._app.connection_for_read() as connection:
            mailbox: Any = self._app.control.mailbox(connection)  # type: ignore[attr-defined]
            channel = connection.channel()
            node = mailbox.Node(self._name, state=None, channel=channel, handlers=self)
            node.listen()
            while not self._end.is_set():
                try:
                    connection.drain_events(timeout=0.05)
                    self.listening.set()
                except TimeoutError:
                    self.listening.set()
                except OperationalError:
                    return

    def __getitem__(self, command: str) -> Callable[..., Any]:
        """Return the handler of a command, as kombu's node looks it up."""

        def handle(_state: object, **_arguments: object) -> Any:
            self.heard.append(command)
            return self._answer(command)

        return handle

    def __bool__(self) -> bool:
        """Be true, as a mapping with handlers is."""
        return True


@contextlib.contextmanager
def responders(
    app: Celery, names: list[str], answer: Callable[[str, int], Any]
) -> Iterator[list[Responder]]:
    """Run simulated workers; `answer(command, index)` says what each replies, and may wait before it does."""

    def answering(index: int) -> Callable[[str], Any]:
        return lambda command: answer(command, index)

    crew = [Responder(app, name, answering(index)) for index, name in enumerate(names)]
    try:
        wait_until(lambda: all(one.listening.is_set() for one in crew), what="responders listen")
        yield crew
    finally:
        for one in crew:
            one.stop()
