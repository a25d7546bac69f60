"""All that an operator can do to a Celery deployment, and the agent that is looked after by default."""
