"""A recorder as a process of its own, to be killed; it finds its servers in the environment."""

import signal
import sys
import threading

from knowledge_base_agent.records.database import open_engine
from knowledge_base_agent.records.recorder import Recorder
from knowledge_base_agent.settings import load_settings

if __name__ == "__main__":
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    settings = load_settings()
    Recorder(settings, open_engine(settings.database_url), batch=int(sys.argv[1])).run(stop)
