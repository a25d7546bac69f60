"""The bot as a process of its own, and Slack's side of it: commands over HTTP, as Slack signs them."""

import http.client
import itertools
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlencode

from bench.counterparts import OPS, OTTO, PATH, SECRET, TEAM
from local_slack.delivery.http_mode import signature
from tests.fleet.running import ROOT
from tests.servers import free_port
from tests.waiting import wait_until

_PLENTY = "10000000"
_NUMBERS = itertools.count()


@dataclass(frozen=True, kw_only=True)
class Listening:
    """A program that takes Slack's requests."""

    port: int
    pid: int
    slack_port: int = 0
    """Where the Slack listens that the bot answers to."""

    @property
    def megabytes(self) -> float:
        """How much memory it holds now, in MB."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@contextmanager
def bot(database_url: str, redis_url: str, broker_url: str = "") -> Iterator[Listening]:
    """Run `python -m bot` beside a Slack that says yes to everything."""
    port = free_port()
    with counterpart("slack") as slack:
        variables = {
            "SLACK_API_URL": f"http://127.0.0.1:{slack.port}/api/",
            "SLACK_BOT_TOKEN": "xoxb-bench",
            "SLACK_SIGNING_SECRET": SECRET,
            "PORT": str(port),
            "DATABASE_URL": database_url,
            "CELERY_BROKER_URL": broker_url or redis_url,
            "CELERY_RESULT_BACKEND": redis_url,
            "REDIS_PROGRESS_URL": redis_url,
            "REDIS_LOGS_URL": redis_url,
            "KB_OPERATORS": OTTO,
            "KB_RATE_PER_MINUTE": _PLENTY,
            "KB_LOG_LEVEL": "CRITICAL",
        }
        with _running(["-m", "bot"], port, variables) as found:
            wait_until(lambda: status(port, "GET", "/readyz") == 200, within=60, what="it listens")
            ours = replace(found, slack_port=slack.port)
            Line(ours).types("help")
            reached(ours, 1)
            assert "nothing was done" not in newest(ours), newest(ours)
            yield ours


@contextmanager
def counterpart(name: str) -> Iterator[Listening]:
    """Run one of the programs of `counterparts`."""
    port = free_port()
    with _running(["-m", "bench.counterparts", name, str(port)], port, {}) as found:
        yield found


@contextmanager
def _running(command: list[str], port: int, variables: Mapping[str, str]) -> Iterator[Listening]:
    here = {key: value for key, value in os.environ.items() if not key.startswith("SLACK_")}
    with ExitStack() as closing:
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            env={**here, **variables},
            stdout=subprocess.DEVNULL,
        )
        closing.callback(process.wait)
        closing.callback(process.kill)
        wait_until(lambda: status(port, "GET", "/") is not None, within=60, what=str(command))
        yield Listening(port=port, pid=process.pid)


def posted(to: Listening) -> int:
    """Return how many messages the bot has posted, whispers too."""
    return int(_read(to, "/posted"))


def reached(to: Listening, many: int) -> None:
    """Return as soon as the bot has posted so many messages; raises `TimeoutError` after 30 s."""
    _read(to, f"/posted/{many}")


def newest(to: Listening) -> str:
    """Return what the bot has posted last, as Slack got it."""
    return _read(to, "/newest")


def _read(to: Listening, path: str) -> str:
    line = http.client.HTTPConnection("127.0.0.1", to.slack_port, timeout=30)
    line.request("GET", path)
    said = line.getresponse().read().decode()
    line.close()
    return said


def status(port: int, method: str, path: str) -> int | None:
    """Return what a program answers, or None where it does not."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        line.request(method, path)
        return line.getresponse().status
    except OSError:
        return None
    finally:
        line.close()


def command(text: str) -> tuple[bytes, dict[str, str]]:
    """Return the request that Slack makes when otto types this after `/kb`, no two alike, and its headers."""
    fields = {"command": "/kb", "text": text, "channel_id": OPS, "team_id": TEAM}
    fields |= {"user_id": OTTO, "user_name": "otto", "trigger_id": f"1.{next(_NUMBERS)}"}
    body = urlencode(fields).encode()
    stamp = str(int(time.time()))
    return body, {
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": signature(SECRET, stamp, body),
        "Content-Type": "application/x-www-form-urlencoded",
    }


class Line:
    """A connection that Slack keeps open to a program."""

    def __init__(self, to: Listening) -> None:
        self._line = http.client.HTTPConnection("127.0.0.1", to.port, timeout=30)

    def types(self, text: str) -> float:
        """Send a command, and return the seconds until it was acknowledged."""
        body, headers = command(text)
        began = time.perf_counter()
        self._line.request("POST", PATH, body, headers)
        answer = self._line.getresponse()
        answer.read()
        took = time.perf_counter() - began
        assert answer.status == 200, answer.status
        return took
