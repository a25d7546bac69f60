"""See and mend a Celery deployment from the shell: `python celery_monitor.py --help`."""

import sys

from knowledge_base_agent.cli.front import main

if __name__ == "__main__":
    sys.exit(main())
