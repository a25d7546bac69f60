"""Take the pictures of `docs/pictures/` from a running demo: `python -m tests.page.pictures [ADDRESS]`.

Plays the README's table as an operator: stats, a stuck task that is revoked, failures that are cleared; a viewer is
refused.
"""

import sys
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Locator, Page, expect

from tests.page.browser import chromium, picture, window

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
OTTO, VERA, OPS, AUDIT = "U0OTTO000", "U0VERA000", "C0OPS0000", "C0KBAUDIT"
_ANSWER_MS = 25_000


def main(address: str) -> None:
    """Take them all."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        with window(browser, f"{address}/?user={OTTO}#{OPS}", width=1180, height=900) as page:
            _play(page)
        _look(browser, f"{address}/?user={OTTO}#{AUDIT}", "audit.png")
        with window(browser, f"{address}/?user={VERA}#{OPS}", width=900, height=560) as page:
            _types(page, "/kb clear --older-than 0")
            _latest(page, "you may look but not change")
            picture(page, FOLDER / "refused.png")
        _look(browser, f"{address}/?user={OTTO}#{OPS}", "dark.png", scheme="dark")
        _look(browser, f"{address}/?user={OTTO}#{OPS}", "narrow.png", width=390, height=800)


def _play(page: Page) -> None:
    _types(page, "/kb stuck —longer‑than 10s")
    stuck = _latest(page, "stuck task")
    picture(page, FOLDER / "stuck.png")
    stuck.get_by_role("button", name="Revoke").first.click()
    preview = _latest(page, "About to send SIGTERM to 1 running task")
    picture(page, FOLDER / "preview.png")
    ts = preview.get_attribute("data-ts")
    preview.get_by_role("button", name="Confirm").click()
    same = page.locator(f'[data-ts="{ts}"]').first
    expect(same).to_contain_text("1 stopped", timeout=_ANSWER_MS)
    picture(page, FOLDER / "stopped.png")
    _types(page, "/kb clear --older-than 1m --status FAILURE")
    preview = _latest(page, "About to clear")
    picture(page, FOLDER / "clear.png")
    ts = preview.get_attribute("data-ts")
    preview.get_by_role("button", name="Confirm").click()
    expect(page.locator(f'[data-ts="{ts}"]').first).to_contain_text("Cleared", timeout=_ANSWER_MS)
    _types(page, "/kb stats")
    _latest(page, "Tasks that ended, last 24 h")
    page.set_viewport_size({"width": 1180, "height": 1500})
    picture(page, FOLDER / "stats.png")


def _look(
    browser: Browser,
    url: str,
    name: str,
    *,
    scheme: Literal["light", "dark"] = "light",
    width: int = 1180,
    height: int = 900,
) -> None:
    with window(browser, url, scheme=scheme, width=width, height=height) as page:
        picture(page, FOLDER / name)


def _types(page: Page, text: str) -> None:
    composer = page.get_by_role("textbox", name="Message to #ops")
    composer.fill(text)
    composer.press("Enter")


def _latest(page: Page, words: str) -> Locator:
    found = page.locator(".message", has_text=words).last
    expect(found).to_be_visible(timeout=_ANSWER_MS)
    return found


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8040")
