"""The sign that celery beat gives of itself: a key in Redis that its process keeps fresh. Beat answers no questions."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from celery import Celery
from celery.signals import beat_init
from redis import Redis, RedisError

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.problems import Away
from knowledge_base_agent.process_log import lines

log = lines()
KEY: Final = "kb:beat"
EVERY_SECONDS: Final = 10.0
SILENT_AFTER: Final = timedelta(seconds=60)
_KEPT_SECONDS: Final = 7 * 24 * 3600


def sign_of_beat(app: Celery, url: str) -> None:
    """Have the beat of this app keep its sign fresh in the Redis at `url`, for as long as its process lives."""

    def begin(sender: Any = None, **_: object) -> None:
        if sender is None or sender.app is not app:
            return
        threading.Thread(target=_keep_signing, args=(url,), name="beat-sign", daemon=True).start()

    beat_init.connect(begin, weak=False)


def _keep_signing(url: str) -> None:
    client = Redis.from_url(url, socket_timeout=5, socket_connect_timeout=3)
    pause = threading.Event()
    while True:
        try:
            client.set(KEY, utc_now().isoformat(), ex=_KEPT_SECONDS)
        except RedisError as error:
            log.warning("beat could not say that it lives", reason=str(error))
        pause.wait(EVERY_SECONDS)


def last_sign_of_beat(client: Redis) -> datetime | None:
    """Return when beat last gave its sign (aware UTC, by its own clock); None if it never did. Raises `Away`."""
    try:
        said: Any = client.get(KEY)
    except RedisError as error:
        raise Away(
            f"The sign of celery beat can't be read ({error}).",
            "Look at the Redis that REDIS_PROGRESS_URL names.",
            source="the progress store",
        ) from error
    try:
        return datetime.fromisoformat(said.decode()).astimezone(UTC) if said else None
    except ValueError:
        return None
