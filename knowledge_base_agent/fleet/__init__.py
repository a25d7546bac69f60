"""Celery, its broker and Redis, behind deadlines. Threads and timeouts live only here."""
