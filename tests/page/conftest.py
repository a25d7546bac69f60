"""One browser, one local Slack process and one small app for all tests of the page; a fresh window for each."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, Page

from tests.page.browser import chromium, window
from tests.page.small_app import SmallApp, small_app

_ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """The browser."""
    with chromium() as running:
        yield running


@pytest.fixture(scope="package")
def slack_url() -> Iterator[str]:
    """The address of a local Slack that runs as its own process."""
    command = [sys.executable, "-m", "local_slack", "--port", "0"]
    with subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().split()[-1]
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


@pytest.fixture(scope="package")
def app(slack_url: str, browser: Browser) -> Iterator[SmallApp]:
    """The small app, connected."""
    with urlopen(f"{slack_url}/control/state", timeout=10) as answer:
        state = json.load(answer)
    with small_app(slack_url, state) as running:
        yield running


@pytest.fixture
def page(browser: Browser, slack_url: str, app: SmallApp) -> Iterator[Page]:
    """A new window in which Otto, an operator, looks at #ops; fails if the page had an error."""
    with window(browser, f"{slack_url}/?user=U0OTTO000#C0OPS0000") as opened:
        yield opened


@pytest.fixture
def phone(browser: Browser, slack_url: str, app: SmallApp) -> Iterator[Page]:
    """The same in a window as narrow as a phone."""
    with window(browser, f"{slack_url}/?user=U0OTTO000#C0OPS0000", width=390) as opened:
        yield opened
