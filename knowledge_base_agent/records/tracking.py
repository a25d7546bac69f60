"""`track(app)`: Celery's signals, in clients and workers, become entries of the history stream.

One line in any Celery project. No task ever fails or waits because of it: see `outbox.py`. What the pool's
parent process sees (received, revoked, time limits, lost children) comes from there, the rest from the child that runs
the task.
"""

import weakref
from collections.abc import Callable
from typing import Any

from celery import Celery, signals

from knowledge_base_agent.records.child_notes import ChildrensNotes
from knowledge_base_agent.records.outbox import Outbox
from knowledge_base_agent.records.stream import HISTORY_KEY, Entry
from knowledge_base_agent.records.task_entries import TaskEntries
from knowledge_base_agent.settings import load_settings

DEFAULT_CAP = 1_000_000
_FLUSH_SECONDS = 0.5
_TRACKED: "weakref.WeakKeyDictionary[Celery, Tracking]" = weakref.WeakKeyDictionary()


class Tracking:
    """The tracking of one app in this process. Celery's signals are process-wide, so it picks out its own app's."""

    def __init__(self, app: Celery, outbox: Outbox, *, keep_messages: bool = False) -> None:
        self._app = weakref.ref(app)
        self._keep_messages = keep_messages
        self.outbox = outbox
        self._entries = TaskEntries()
        self._running: tuple[int, Entry | None] = (0, None)
        self._ours: dict[int, weakref.ref[Any]] = {}
        self._children = ChildrensNotes(outbox.put_encoded)
        self._receivers = self._heard()
        for signal, receiver in self._receivers:
            signal.connect(
                receiver, weak=False, dispatch_uid=f"kb-history-{id(self)}-{receiver.__name__}"
            )
        # When the app goes, or at the end of the process.
        self._end = weakref.finalize(app, self._stop)

    def _heard(self) -> list[tuple[Any, Callable[..., None]]]:
        return [
            (signals.before_task_publish, self._before_publish),
            (signals.after_task_publish, self._published),
            (signals.task_received, self._received),
            (signals.task_prerun, self._started),
            (signals.task_success, self._succeeded),
            (signals.task_retry, self._retried),
            (signals.task_failure, self._failed),
            (signals.task_internal_error, self._failed),
            (signals.task_revoked, self._revoked),
            (signals.task_rejected, self._message_refused),
            (signals.task_unknown, self._message_refused),
            (signals.task_postrun, self._ended),
            (signals.worker_before_create_process, self._before_fork),
            (signals.worker_process_init, self._child_began),
            (signals.worker_process_shutdown, self._flush),
            (signals.worker_shutdown, self._flush),
        ]

    def stop(self) -> None:
        """Send what waits, for half a second at most, and listen no more."""
        self._end()

    def _stop(self) -> None:
        for signal, receiver in self._receivers:
            signal.disconnect(receiver, dispatch_uid=f"kb-history-{id(self)}-{receiver.__name__}")
        self._flush()

    def _is_ours(self, sender: Any) -> bool:
        # A task's `app` is searched for by four calls, and each run asks for it three times.
        known = self._ours.get(id(sender))
        if known is not None and known() is sender:
            return True
        app = self._app()
        ours = app is not None and getattr(sender, "app", None) is app
        if ours and type(sender).__weakrefoffset__:  # Celery's own proxies have none
            self._ours[id(sender)] = weakref.ref(sender)
        return ours

    def _before_publish(self, declare: Any = None, headers: Any = None, **_: Any) -> None:
        app = self._app()
        if app is not None and headers:
            self._entries.about_to_publish(app, headers, declare)

    def _published(
        self, headers: Any = None, routing_key: Any = None, body: Any = None, **_: Any
    ) -> None:
        app = self._app()
        kept = self._keep_messages and app is not None and app.conf.task_serializer == "json"
        entry = self._entries.published(headers, routing_key, body if kept else None)
        if entry is not None:
            self.outbox.put(entry)

    def _received(self, request: Any = None, sender: Any = None, **_: Any) -> None:
        task = request.task
        if self._is_ours(task):
            self.outbox.put(self._entries.received(request, task, sender))

    def _started(self, task: Any = None, task_id: str = "", **_: Any) -> None:
        if not self._is_ours(task):
            return
        request = task.request
        # Urgent: a body that never lets go of the interpreter would keep the background thread from saying it.
        entry = None if request.is_eager else self._entries.started(task, request, task_id)
        if entry is not None:
            self.outbox.put(entry, urgent=True)
        self._running = (id(task), entry)

    def _succeeded(self, sender: Any = None, **_: Any) -> None:
        # `task.request` is searched for each time, and every task pays for it. A pool's child has one run at a time,
        # and what its body runs eagerly, be it the same task, has taken the place of it by its own start.
        task, began = self._running
        if task == id(sender) and began is not None and self.outbox.noting:
            self.outbox.put(self._entries.succeeded_after(began))
        elif self._is_ours(sender) and not (request := sender.request).is_eager:
            self.outbox.put(self._entries.succeeded(sender, request))

    def _retried(
        self, sender: Any = None, request: Any = None, reason: Any = None, **more: Any
    ) -> None:
        if self._is_ours(sender) and not request.is_eager:
            self.outbox.put(self._entries.retried(sender, request, reason, more.get("einfo")))

    def _failed(self, sender: Any = None, task_id: str = "", **more: Any) -> None:
        if self._is_ours(sender) and not sender.request.is_eager:
            entry = self._entries.failed(sender, task_id, more.get("exception"), more.get("einfo"))
            self.outbox.put(entry)

    def _revoked(self, sender: Any = None, request: Any = None, **how: Any) -> None:
        if self._is_ours(sender):
            self.outbox.put(self._entries.revoked(sender, request, how))

    def _message_refused(self, sender: Any = None, message: Any = None, **why: Any) -> None:
        if self._is_ours(sender):
            entry = self._entries.message_refused(message, sender.hostname, why)
            if entry is not None:
                self.outbox.put(entry)

    def _ended(
        self, task: Any = None, state: str | None = None, retval: Any = None, **_: Any
    ) -> None:
        # Reject and Ignore end a run without any other signal.
        if state in {"REJECTED", "IGNORED"} and self._is_ours(task) and not task.request.is_eager:
            self.outbox.put(self._entries.gave_up(task, retval))

    def progressed(self, task: Any) -> None:
        """Say that the current task has told how far it is."""
        self.outbox.put(self._entries.progressed(task))

    def _before_fork(self, **_: Any) -> None:
        self._children.expect()

    def _child_began(self, **_: Any) -> None:
        # Before its first task: without notes, a start can only be told at once over a line that stands.
        self.outbox.open()
        self.outbox.note_in(self._children.of_this_process())

    def _flush(self, **_: Any) -> None:
        self._children.tell_all()
        self.outbox.flush(_FLUSH_SECONDS)


def track(
    app: Celery,
    redis_url: str | None = None,
    *,
    cap: int = DEFAULT_CAP,
    keep_messages: bool = False,
) -> Tracking:
    """Record the history of this app's tasks in a stream of the Redis at `redis_url`, of about `cap` entries.

    With `keep_messages` each published message of up to 64 kB of JSON is recorded too, arguments and all, so that
    `retry` can send it again. Without a URL, `KB_HISTORY_URL` or else `REDIS_PROGRESS_URL` names it. Tracking an app
    again replaces the former.
    """
    settings = (
        load_settings()
    )  # in any case: they name what is hidden before it leaves this process
    url = redis_url or settings.history_url
    former = _TRACKED.pop(app, None)
    if former is not None:
        former.stop()
    _TRACKED[app] = Tracking(
        app, Outbox(url, key=HISTORY_KEY, cap=cap), keep_messages=keep_messages
    )
    return _TRACKED[app]


def emit_progress(app: Celery) -> None:
    """Let the history say that the app's current task is in progress. Without tracking it does nothing."""
    tracking = _TRACKED.get(app)
    if tracking is not None and app.current_task is not None:
        tracking.progressed(app.current_task)
