"""The night once more, in a real browser: what a person sees, clicks and sees change. All behind it is real."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.page.browser import chromium, window
from tests.stories.system import System

OTTO, VERA, OPS = "U0OTTO000", "U0VERA000", "C0OPS0000"
ANSWER_MS = 15_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for this module."""
    with chromium() as running:
        yield running


@pytest.fixture
def page(browser: Browser, whole: System) -> Iterator[Page]:
    """Otto's window on #ops."""
    with window(browser, f"{whole.slack_url}/?user={OTTO}#{OPS}") as opened:
        yield opened


def types(page: Page, text: str) -> None:
    composer = page.get_by_role("textbox", name="Message to #ops")
    composer.fill(text)
    composer.press("Enter")


def latest(page: Page, words: str) -> Locator:
    found = page.locator(".message", has_text=words).last
    expect(found).to_be_visible(timeout=ANSWER_MS)
    return found


def test_a_stuck_task_is_found_revoked_and_seen_to_stop(page: Page, whole: System) -> None:
    stuck = whole.send("sleep", 600)
    whole.site.row_in(stuck, "STARTED")
    types(page, "/kb stuck —longer‑than 0s")
    report = latest(page, "1 stuck task")
    expect(report).to_contain_text(stuck)
    report.get_by_role("button", name="Revoke").click()

    preview = latest(page, "About to send SIGTERM to 1 running task")
    ts = preview.get_attribute("data-ts")
    preview.get_by_role("button", name="Confirm").click()
    same = page.locator(f'[data-ts="{ts}"]').first
    expect(same).to_contain_text("1 stopped", timeout=ANSWER_MS)
    expect(same.get_by_role("button", name="Confirm")).to_have_count(0)

    after = whole.send("add", 1, 1)
    whole.site.row_in(after, "SUCCESS")
    whole.site.row_in(stuck, "REVOKED")


def test_stats_is_drawn_with_tables_and_the_last_day(page: Page, whole: System) -> None:
    ended = whole.send("add", 1, 1)
    whole.site.row_in(ended, "SUCCESS")
    types(page, "/kb stats")
    stats = latest(page, "Tasks that ended, last 24 h")
    expect(stats.get_by_role("table").first).to_be_visible()
    expect(stats.locator("figure.chart").last).to_be_visible()


def test_a_viewer_is_refused_for_their_eyes_only(browser: Browser, whole: System) -> None:
    with window(browser, f"{whole.slack_url}/?user={VERA}#{OPS}") as page:
        types(page, "/kb clear --older-than 0")
        refusal = page.locator(".message.ephemeral", has_text="you may look but not change")
        expect(refusal.last).to_be_visible(timeout=ANSWER_MS)


def test_a_narrow_window_never_scrolls_sideways(browser: Browser, whole: System) -> None:
    with window(
        browser, f"{whole.slack_url}/?user={OTTO}#{OPS}", width=390, height=800, scheme="dark"
    ) as page:
        types(page, "/kb stats")
        latest(page, "Tasks that ended, last 24 h")
        wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0
