"""See and mend a Celery deployment from the shell: `python celery_monitor.py --help`."""

from knowledge_base_agent.cli.front import main, sole_work

if __name__ == "__main__":
    sole_work(main)
