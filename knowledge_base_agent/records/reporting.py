"""What a running task tells about itself: progress and log lines. Never fails the task, and never makes it wait."""

import logging
import time
import weakref
from datetime import timedelta
from typing import Any

from celery import Celery, current_app
from celery.signals import after_setup_task_logger, task_postrun, worker_process_shutdown

from knowledge_base_agent.records import tracking
from knowledge_base_agent.records.task_reports import TaskReports
from knowledge_base_agent.settings import load_settings

_PROGRESS_EVENT_SECONDS = 5.0
_FLUSH_SECONDS = 0.5
_REPORTS: "weakref.WeakKeyDictionary[Celery, TaskReports]" = weakref.WeakKeyDictionary()
_LAST_EVENT: dict[str, float] = {}


def report_to(app: Celery, *, progress_url: str, logs_url: str, keep: timedelta) -> None:
    """Say where the tasks of this app report to, and for how long it is kept. Without it, the environment says so."""
    _REPORTS[app] = TaskReports(progress_url=progress_url, logs_url=logs_url, keep=keep)


def report_progress(
    *,
    done: float | None = None,
    total: float | None = None,
    phase: str | None = None,
    note: str | None = None,
) -> None:
    """Say how far the current task is; what is left out stays as it was said last.

    Written at most four times a second, and what was said last is always written. Outside of a task it does nothing.
    """
    running = _running()
    if running is None:
        return
    app, task_id = running
    said = {"done": done, "total": total, "phase": phase, "note": note}
    _reports(app).progress(task_id, {k: v for k, v in said.items() if v is not None})
    now = time.monotonic()
    if now - _LAST_EVENT.get(task_id, -_PROGRESS_EVENT_SECONDS) >= _PROGRESS_EVENT_SECONDS:
        _LAST_EVENT[task_id] = now
        tracking.emit_progress(app)


def log_line(text: str, level: str = "INFO") -> None:
    """Add a line to the current task's log. Outside of a task it does nothing."""
    running = _running()
    if running is not None:
        app, task_id = running
        _reports(app).log(task_id, level=level, text=text)


def flush_reports(within: float = _FLUSH_SECONDS) -> None:
    """Write what waits, for `within` seconds at most."""
    for reports in list(_REPORTS.values()):
        reports.flush(within)


def _running() -> tuple[Celery, str] | None:
    task = current_app.current_task
    if task is None or not task.request.id:
        return None
    return task.app, task.request.id


def _reports(app: Celery) -> TaskReports:
    reports = _REPORTS.get(app)
    if reports is None:
        settings = load_settings()
        keep = timedelta(days=settings.log_keep_days)
        reports = TaskReports(
            progress_url=settings.progress_url, logs_url=settings.logs_url, keep=keep
        )
        _REPORTS[app] = reports
    return reports


class TaskLogHandler(logging.Handler):
    """Puts what a task logs through its Celery task logger into the task's own list of lines."""

    def emit(self, record: logging.LogRecord) -> None:
        """Take a record; as every logging handler, it reports its own errors by `handleError`."""
        try:
            log_line(self.format(record), record.levelname)
        except Exception:  # noqa: BLE001 (logging's contract: a handler never raises into the code that logs)
            self.handleError(record)


_HANDLER = TaskLogHandler()


@after_setup_task_logger.connect(weak=False)
def _listen_to_task_loggers(logger: logging.Logger | None = None, **_: Any) -> None:
    if logger is not None and _HANDLER not in logger.handlers:
        logger.addHandler(_HANDLER)


@task_postrun.connect(weak=False)
def _forget_task(task_id: str | None = None, **_: Any) -> None:
    _LAST_EVENT.pop(task_id or "", None)


@worker_process_shutdown.connect(weak=False)
def _flush_at_end(**_: Any) -> None:
    flush_reports()
