"""What the app sends is drawn as Slack would, and nothing that a message says becomes markup."""

from playwright.sync_api import Page, expect

from tests.page.blocks import Json, last_hours, running_tasks
from tests.page.small_app import SmallApp

EVIL = '<img src=x onerror="window.broken = true"><script>window.broken = true</script>'


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def test_a_table_is_sorted_by_its_numbers_and_turns_its_pages(page: Page, app: SmallApp) -> None:
    ts = app.posts("7 tasks", running_tasks())["ts"]
    message = page.locator(f'[data-ts="{ts}"]')
    durations = message.locator("tbody td")
    expect(durations).to_have_text(["10 min", "9 s", "120 min", "45 s", "3 s"])
    message.get_by_role("button", name="Running for").click()
    expect(durations).to_have_text(["3 s", "9 s", "45 s", "1 min", "2 min"])
    expect(message.locator("th[aria-sort=ascending]")).to_have_text("Running for")
    message.get_by_role("button", name="Next page").click()
    expect(durations).to_have_text(["10 min", "120 min"])
    expect(message.get_by_text("6–7 of 7")).to_be_visible()


def test_an_edit_of_a_message_keeps_how_its_table_was_sorted(page: Page, app: SmallApp) -> None:
    message = app.posts("7 tasks", running_tasks())
    shown = page.locator(f'[data-ts="{message["ts"]}"]')
    heading = shown.get_by_role("button", name="Running for")
    heading.click()
    heading.click()
    app.client.chat_update(**message, text="9 tasks", blocks=running_tasks(caption="Later", more=2))
    expect(shown.get_by_text("(edited)")).to_be_visible()
    expect(shown.get_by_text("1–5 of 9")).to_be_visible()
    expect(shown.locator("tbody td").first).to_have_text("120 min")
    expect(heading).to_be_focused()


def test_a_chart_names_its_title_axes_and_series_and_tells_its_values(
    page: Page, app: SmallApp
) -> None:
    ts = app.posts("161 tasks", last_hours())["ts"]
    chart = page.locator(f'[data-ts="{ts}"] figure.chart')
    expect(chart.locator("figcaption")).to_have_text("Tasks of the last hours")
    for label in ("08:00", "10:00", "12:00", "Hour (UTC)", "Tasks"):
        expect(chart.locator("svg text", has_text=label).first).to_be_visible()
    expect(chart.locator(".legend-key")).to_have_text(["Succeeded", "Failed"])
    chart.locator(".chart-stage").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(chart.locator(".tooltip")).to_have_text("10:00Succeeded120Failed12")


def test_text_from_outside_stays_text_wherever_it_stands(page: Page, app: SmallApp) -> None:
    blocks: list[Json] = [
        {"type": "header", "text": {"type": "plain_text", "text": EVIL}},
        {"type": "section", "text": {"type": "mrkdwn", "text": f"*{escaped(EVIL)}*"}},
        {"type": "markdown", "text": f"**bold** {EVIL}"},
        {"type": "table", "rows": [[{"type": "raw_text", "text": EVIL}]]},
        {
            "type": "context",
            "elements": [{"type": "mrkdwn", "text": "<javascript:alert(1)|press>"}],
        },
    ]
    app.posts(escaped(EVIL))
    ts = app.posts("in blocks", blocks)["ts"]
    drawn = page.locator(f'[data-ts="{ts}"]')
    for block in ("header", "section", "markdown", "table"):
        expect(drawn.locator(f'[data-block="{block}"]')).to_contain_text(EVIL)
    expect(drawn.get_by_text("press", exact=True)).to_be_visible()
    assert page.locator(".messages :is(img, script, a[href^=javascript])").count() == 0
    assert page.evaluate("window.broken") is None


def test_a_block_that_cannot_be_drawn_is_named_and_not_dropped(page: Page) -> None:
    draw = """async () => {
        const { drawBlock } = await import("/page/blocks/registry.js");
        const place = { store: {}, memory: {}, surface: { fallbackText: () => "3 tasks are stuck" } };
        document.body.append(drawBlock({ type: "hologram" }, place));
    }"""
    page.evaluate(draw)
    unknown = page.locator('[data-block="unknown"]')
    expect(unknown).to_contain_text("3 tasks are stuck")
    expect(unknown).to_contain_text("cannot draw a “hologram” block")


def test_on_a_phone_wide_tables_scroll_inside_themselves(phone: Page, app: SmallApp) -> None:
    cells = [{"type": "raw_text", "text": f"a-long-heading-{number}"} for number in range(12)]
    ts = app.posts("wide", [{"type": "table", "rows": [cells, cells]}])["ts"]
    box = phone.locator(f'[data-ts="{ts}"] .table-scroll')
    box.scroll_into_view_if_needed()
    assert box.evaluate("box => box.scrollWidth > box.clientWidth")
    more = phone.locator(f'[data-ts="{ts}"] .more-columns')
    expect(more).to_contain_text("more columns →")
    more.click()
    phone.wait_for_function(
        'ts => document.querySelector(`[data-ts="${ts}"] .table-scroll`).scrollLeft > 0', arg=ts
    )
    box.evaluate("box => box.scrollTo({ left: box.scrollWidth, behavior: 'instant' })")
    expect(more).to_be_hidden()
    assert phone.evaluate("document.documentElement.scrollWidth") == 390
    assert phone.locator(".pane .messages").evaluate("list => list.scrollWidth <= list.clientWidth")
    expect(phone.get_by_role("link", name="kb-audit")).not_to_be_visible()
    phone.get_by_role("button", name="Open the sidebar").click()
    phone.get_by_role("link", name="kb-audit").click()
    expect(phone.get_by_role("heading", name="kb-audit")).to_be_visible()
