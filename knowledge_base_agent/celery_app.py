"""The Celery app that is looked after by default: `celery -A knowledge_base_agent.celery_app …`."""

from datetime import timedelta

from celery import Celery
from kombu import Queue

from knowledge_base_agent.fleet import setting_aside

# Imported for what it registers: the workers of this app answer all our questions at once, and stop what ignores them.
from knowledge_base_agent.fleet import worker_commands as worker_commands
from knowledge_base_agent.records.beat_sign import sign_of_beat
from knowledge_base_agent.records.heeding import heed
from knowledge_base_agent.records.reporting import report_to
from knowledge_base_agent.records.tracking import track
from knowledge_base_agent.settings import Settings, load_settings

QUEUES = ("celery", "agent")
_RESULT_SECONDS = 3600
_TASKS_A_CHILD = 1000
_SOCKET_SECONDS = 10.0
# A message that is not acknowledged within this is delivered again, so it must exceed what a task may take.
_VISIBILITY_MARGIN_SECONDS = 1800


def make_app(settings: Settings) -> Celery:
    """Return a Celery app with the guide's defaults, tracked, and reporting to the Redis databases of the settings."""
    app = Celery("knowledge_base_agent", include=["knowledge_base_agent.agent.tasks"])
    app.conf.update(
        **_connections(settings),
        accept_content=["json"],
        task_serializer="json",
        result_serializer="json",
        timezone="UTC",
        enable_utc=True,
        result_expires=_RESULT_SECONDS,
        task_time_limit=settings.task_time_limit,
        task_track_started=True,
        task_queues=[Queue(name, routing_key=name) for name in QUEUES],
        task_default_queue="celery",
        task_routes={"knowledge_base_agent.agent.*run_agent": {"queue": "agent"}},
        worker_prefetch_multiplier=settings.prefetch_multiplier,
        worker_max_tasks_per_child=_TASKS_A_CHILD,
        worker_send_task_events=True,
    )
    stream, cap = settings.history_url, settings.history_cap
    track(app, stream, cap=cap, keep_messages=settings.keep_messages)
    keep = timedelta(days=settings.log_keep_days)
    report_to(app, progress_url=settings.progress_url, logs_url=settings.logs_url, keep=keep)
    sign_of_beat(app, settings.progress_url)
    heed(app, settings.database_url, setting_aside.pause)
    return app


def _connections(settings: Settings) -> dict[str, object]:
    options: dict[str, object] = {}
    if settings.broker_url.startswith(("redis", "valkey", "unix", "sentinel")):
        options = {
            "visibility_timeout": settings.task_time_limit + _VISIBILITY_MARGIN_SECONDS,
            "socket_timeout": _SOCKET_SECONDS,
            "socket_connect_timeout": _SOCKET_SECONDS,
            "socket_keepalive": True,
        }
    return {
        "broker_url": settings.broker_url,
        "broker_transport_options": options,
        "broker_connection_timeout": _SOCKET_SECONDS,
        "broker_connection_retry_on_startup": True,
        "result_backend": settings.result_backend,
        "redis_socket_timeout": _SOCKET_SECONDS,
        "redis_socket_connect_timeout": _SOCKET_SECONDS,
        "redis_socket_keepalive": True,
    }


app = make_app(load_settings())
