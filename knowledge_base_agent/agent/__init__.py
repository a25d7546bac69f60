"""The system being looked after: a small knowledge-base builder as Celery tasks. Read `tasks.py` first."""
