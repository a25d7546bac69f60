"""Headers of our own in task messages: written by `track(app)`, read when a queue is looked into."""

from typing import Final

PUBLISHED: Final = "kb_published"
"""When a tracked app published the message, in seconds since 1970 (UTC): Celery's own messages do not tell."""
