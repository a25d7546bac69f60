"""From what Celery's signals carry to history entries. Reads attributes only; nothing here does I/O."""

import threading
import time
import weakref
from collections.abc import Mapping, MutableMapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from celery import Celery
from celery.exceptions import NotRegistered

from knowledge_base_agent.message_headers import PUBLISHED
from knowledge_base_agent.records import states
from knowledge_base_agent.records.run_entries import Here, now, of_context, of_run
from knowledge_base_agent.records.stream import Entry
from knowledge_base_agent.records.task_messages import encoded
from knowledge_base_agent.redaction import redact, shorten

ARGS_CHARACTERS = 800
MESSAGE_CHARACTERS = 1_000
TRACEBACK_CHARACTERS = 12_000
_FEW_REQUESTS = 1_000
_NO_ARGS = frozenset({"()", "[]", "{}", "", None})


class TaskEntries:
    """Makes the entries of one process, and remembers what a later signal will not say again."""

    def __init__(self) -> None:
        self._publishing = threading.local()
        # The parent is told of a hard time limit with the task's id alone, and of a lost child without its process id.
        # A request lives as long as its run. Children inherit this at the fork, hence the process that filled it.
        self._receiver = 0
        self._requests: dict[str, weakref.ref[Any]] = {}
        self._room = _FEW_REQUESTS

    def about_to_publish(
        self, app: Celery, headers: MutableMapping[str, Any], declare: Any
    ) -> None:
        """Note the time, and whether it is this app that publishes: only its own queues are declared with it.

        The time goes into the message too, so that a queue can tell how long its oldest message waits.
        """
        ours = True
        for queue in (declare or ())[:1]:
            ours = app.amqp.queues.get(getattr(queue, "name", "")) is queue
        self._publishing.now = (headers.get("id"), now()) if ours else None
        if ours:
            headers[PUBLISHED] = time.time()

    def published(self, headers: Any, routing_key: str | None, body: object = None) -> Entry | None:
        """Return the entry of a message that the broker has taken; None for another app's.

        With its body the entry brings the message along, to be kept.
        """
        task_id, at = getattr(self._publishing, "now", None) or (None, 0)
        if not headers or task_id is None or headers.get("id") != task_id:
            return None
        args, shortened = _arguments(headers.get("argsrepr"), headers.get("kwargsrepr"))
        return Entry(
            states.PENDING,
            task_id,
            at,
            headers.get("task") or "",
            retries=headers.get("retries") or 0,
            nesting=headers.get("replaced_task_nesting") or 0,
            queue=routing_key,
            parent_id=headers.get("parent_id"),
            root_id=headers.get("root_id"),
            args_repr=args,
            args_shortened=shortened,
            eta=_microseconds(headers.get("eta")),
            time_limit=(headers.get("timelimit") or (None,))[0],
            message=encoded(headers, body) if body is not None else None,
        )

    def received(self, request: Any, task: Any, consumer: Any) -> Entry:
        """Return the entry of a message that a worker took. It repeats what publishers say: not all are tracked."""
        self._remember(request)
        # By place, and from the headers themselves: each of a request's properties is a call, for every task.
        headers = request.request_dict
        delivery = headers["delivery_info"]
        args, shortened = _arguments(headers.get("argsrepr", ""), headers.get("kwargsrepr", ""))
        eta = request.eta
        limit = request.time_limits[0] or task.time_limit
        return Entry(
            states.RECEIVED,
            request.id,
            time.time_ns() // 1000,
            request.name,
            headers.get("retries") or 0,
            headers.get("replaced_task_nesting", 0),
            bool(delivery.get("redelivered")),
            delivery.get("routing_key"),
            headers["hostname"],
            None,
            headers.get("parent_id"),
            headers.get("root_id"),
            args,
            shortened,
            eta=None if eta is None else _microseconds(eta),
            time_limit=limit or getattr(getattr(consumer, "controller", None), "time_limit", None),
        )

    def _remember(self, request: Any) -> None:
        # Not in a WeakValueDictionary: it calls twice for each task, where looking through all now and then does.
        if len(self._requests) >= self._room:
            self._requests = {k: r for k, r in self._requests.items() if r() is not None}
            self._room = 2 * len(self._requests) + _FEW_REQUESTS
        self._receiver = Here.process_id
        self._requests[request.id] = weakref.ref(request)

    def started(self, task: Any, request: Any, task_id: str) -> Entry:
        """Return the entry of a run that begins now, in this process."""
        return of_context(states.STARTED, task.name, request, task_id)

    def progressed(self, task: Any) -> Entry:
        """Return the entry of a run that has told how far it is."""
        return of_run(states.PROGRESS, task.name, task.request, task.request.id)

    def succeeded(self, task: Any, request: Any) -> Entry:
        """Return the entry of a run that succeeded."""
        return of_context(states.SUCCESS, task.name, request, request.id)

    def succeeded_after(self, began: Entry) -> Entry:
        """Return the entry of a run that succeeded, by what was told when it began in this process."""
        return msgspec.structs.replace(began, state=states.SUCCESS, at=now())

    def gave_up(self, task: Any, reason: object) -> Entry:
        """Return the entry of a run that ended by Reject or Ignore."""
        error = _error(reason, None)
        return of_run(states.REJECTED, task.name, task.request, task.request.id, **error)

    def retried(self, task: Any, request: Any, reason: Any, einfo: Any) -> Entry:
        """Return the entry that announces the next run; its number is one more than the run's that failed."""
        error = _error(getattr(reason, "exc", None) or reason, einfo)
        retries = (request.retries or 0) + 1
        return of_run(
            states.RETRY,
            task.name,
            request,
            request.id,
            retries=retries,
            redelivered=False,
            **error,
        )

    def failed(self, task: Any, task_id: str, exception: object, einfo: Any) -> Entry:
        """Return the entry of a failure, also of one that only the pool's parent saw."""
        request = self._as_received(task_id) or task.request
        return of_run(states.FAILURE, task.name, request, task_id, **_error(exception, einfo))

    def revoked(self, task: Any, request: Any, how: Mapping[str, Any]) -> Entry:
        """Return the entry of a task that a worker discarded, or whose run was terminated."""
        what = "expired" if how.get("expired") else "revoked"
        if how.get("terminated"):
            what = f"terminated ({how.get('signum')})"
        error = {"error_class": None, "error_message": what, "traceback": None}
        known = self._as_received(request.id) or request
        return of_run(states.REVOKED, task.name, known, request.id, **error)

    def _as_received(self, task_id: str) -> Any:
        known = self._requests.get(task_id) if Here.process_id == self._receiver else None
        return None if known is None else known()

    def message_refused(self, message: Any, worker: str, why: Mapping[str, Any]) -> Entry | None:
        """Return the entry of a message that the worker could not use; None when it does not say which task it is.

        Of a task that it does not know, Celery itself stores a failure; of an invalid message, nothing.
        """
        headers = getattr(message, "headers", None) or {}
        task_id, retries = headers.get("id"), headers.get("retries")
        if not isinstance(task_id, str):
            return None
        unknown = isinstance(why.get("name"), str)
        reason = NotRegistered(why["name"]) if unknown else why.get("exc") or "not a task's message"
        error = _error(reason, None)
        return Entry(
            states.FAILURE if unknown else states.REJECTED,
            task_id,
            now(),
            str(headers.get("task") or ""),
            retries=retries if isinstance(retries, int) else 0,
            worker=worker,
            error_class=error["error_class"],
            error_message=error["error_message"],
        )


def _microseconds(moment: Any) -> int | None:
    if isinstance(moment, str):
        try:
            moment = datetime.fromisoformat(moment)
        except ValueError:  # a foreign publisher's own format; the worker will refuse or tell it
            return None
    if not isinstance(moment, datetime):
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return int(aware.timestamp() * 1_000_000)


def _arguments(args: Any, kwargs: Any) -> tuple[str | None, bool]:
    """Return both reprs as one text, redacted and shortened, and whether anything was left out.

    Celery itself shortens with "..." above 1,024 characters or a depth of 3; an argument that really holds three dots
    is thus also called shortened.
    """
    if args in _NO_ARGS and kwargs in _NO_ARGS:
        return "", False
    shown = [str(part) for part in (args, kwargs) if part not in _NO_ARGS]
    text, cut = shorten(redact(" ".join(shown)), ARGS_CHARACTERS)
    return text, cut or any("..." in part for part in shown)


def _error(exception: object, einfo: Any) -> dict[str, str | None]:
    text = getattr(einfo, "traceback", None)
    message = shorten(redact(str(exception)), MESSAGE_CHARACTERS)[0]
    traceback = None
    if isinstance(text, str):
        redacted = redact(text)
        # The end of a traceback says most.
        traceback = (
            redacted
            if len(redacted) <= TRACEBACK_CHARACTERS
            else "…" + redacted[-TRACEBACK_CHARACTERS:]
        )
    return {
        "error_class": type(exception).__name__,
        "error_message": message,
        "traceback": traceback,
    }
