"""A real Chromium for tests, and windows in it: light or dark, wide or narrow."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, sync_playwright

from tests.servers import absent

# In a container Chromium has no sandbox and no GPU; and it must not call home.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--force-color-profile=srgb",
)
_NAMES = ("chromium", "chromium-browser", "google-chrome")


@contextmanager
def chromium() -> Iterator[Browser]:
    """A running Chromium of this machine; skips where there is none, fails in CI.

    While it runs, no asyncio loop can be started on this thread.
    """
    executable = next((path for name in _NAMES if (path := shutil.which(name))), None)
    if executable is None:
        absent("Chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def window(
    browser: Browser,
    url: str,
    *,
    scheme: Literal["light", "dark"] = "light",
    width: int = 1280,
    height: int = 860,
) -> Iterator[Page]:
    """A window of its own that shows `url`, in pixels; fails if a script of the page failed meanwhile."""
    failures: list[str] = []
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce"
    )
    try:
        page = context.new_page()
        page.set_default_timeout(5_000)
        page.on("pageerror", lambda error: failures.append(str(error)))
        page.goto(url)
        page.wait_for_selector("#app:not([aria-busy])")
        yield page
    finally:
        context.close()
    assert failures == []


def picture(page: Page, file: Path) -> None:
    """Save what the window shows as a PNG file."""
    page.evaluate("document.fonts.ready")
    page.screenshot(path=file, animations="disabled")
