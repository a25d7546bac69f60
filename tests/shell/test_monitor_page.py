"""`… cli monitor` shows Flower's page, to this machine alone or to those who know the password."""

import base64
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from argparse import Namespace
from collections.abc import Iterator

import pytest

from knowledge_base_agent.cli import web_monitor
from knowledge_base_agent.problems import Misconfigured
from tests.records.deployment import ROOT, environment, settings_for
from tests.servers import RedisSpace, free_port
from tests.waiting import wait_until

MONITOR = [sys.executable, "-m", "knowledge_base_agent.cli", "monitor"]


@pytest.fixture
def variables(redis_space: RedisSpace, sqlite_url: str) -> dict[str, str]:
    """What a process of a deployment without workers finds in its environment."""
    found = environment(settings_for(redis_space, sqlite_url))
    return {name: value for name, value in found.items() if "AUTH" not in name}


@pytest.fixture
def page(variables: dict[str, str]) -> Iterator[str]:
    """The address of a page that asks for a password."""
    port = free_port()
    with subprocess.Popen(
        [*MONITOR, "--port", str(port)],
        cwd=ROOT,
        env=variables | {"KB_MONITOR_AUTH": "oncall:long-password"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            yield f"http://127.0.0.1:{port}/"
        finally:
            process.send_signal(signal.SIGTERM)


def fetched(address: str, who: str = "") -> tuple[int, str]:
    request = urllib.request.Request(address)
    if who:
        word = base64.b64encode(who.encode()).decode()
        request.add_header("Authorization", f"Basic {word}")
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
            request, timeout=5
        ) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, ""
    except OSError:
        return 0, ""


def test_the_page_shows_to_who_knows_the_password_and_to_no_one_else(page: str) -> None:
    wait_until(lambda: fetched(page)[0], within=30, what="the page answers")
    assert fetched(page)[0] == 401
    assert fetched(page, "oncall:wrong")[0] == 401
    status, text = fetched(page, "oncall:long-password")
    assert status == 200
    assert "Flower" in text


def asked(address: str, basic_auth: str | None = None) -> Namespace:
    return Namespace(address=address, port=free_port(), basic_auth=basic_auth)


def test_a_page_for_everyone_is_refused_without_a_password(variables: dict[str, str]) -> None:
    done = subprocess.run(
        [*MONITOR, "--address", "0.0.0.0"],
        cwd=ROOT,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "would let everyone look" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("flags", "said"),
    [(asked(""), "would let everyone look"), (asked("0.0.0.0", "nobody"), "as user:password")],
)
def test_what_is_no_password_does_not_count_as_one(
    monkeypatch: pytest.MonkeyPatch, flags: Namespace, said: str
) -> None:
    for name in ("KB_MONITOR_AUTH", "FLOWER_BASIC_AUTH"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(Misconfigured, match=said):
        web_monitor.take_over(flags, [])


def test_without_flower_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_monitor, "find_spec", lambda name: None)
    with pytest.raises(Misconfigured, match=r"requirements-monitor\.lock"):
        web_monitor.take_over(asked("127.0.0.1"), [])


@pytest.mark.parametrize(
    ("address", "alone"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("ops", False)],
)
def test_which_addresses_only_this_machine_can_reach(address: str, alone: bool) -> None:
    assert web_monitor.is_loopback(address) is alone
