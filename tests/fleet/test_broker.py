"""The lasting connection to the broker, let go of at the worst moment: while it is being opened."""

import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from knowledge_base_agent.fleet.broker import Broker
from knowledge_base_agent.problems import Away
from tests.fleet.tiny_app import tiny_app
from tests.servers import valkey_server
from tests.waiting import wait_until


def test_who_closes_waits_for_no_opening_and_nothing_stays_open() -> None:
    with (
        valkey_server() as server,
        tiny_app(server.url(0), server.url(1)) as app,
        ThreadPoolExecutor() as threads,
    ):
        broker = Broker(app)
        server.process.send_signal(signal.SIGSTOP)
        opening = threads.submit(broker.redis)
        wait_until(broker._lock.locked, what="it is being opened")
        broker.close()
        broker.close()
        assert not opening.done(), "the server stands still, and so does who opens"
        server.process.send_signal(signal.SIGCONT)
        with pytest.raises(Away, match="let go of"):
            opening.result(timeout=10)
        assert broker.known is None
        assert broker.redis().client.ping(), "who wants it again gets it"
        broker.close()
