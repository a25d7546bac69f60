"""Typing, clicking and filling in on the page reach the app as from Slack, and its answers come back."""

from playwright.sync_api import Locator, Page, expect

from tests.page.blocks import revoke_button
from tests.page.small_app import SmallApp
from tests.waiting import wait_until


def composer(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Message to #ops")


def types(page: Page, text: str) -> None:
    composer(page).fill(text)
    composer(page).press("Enter")


def test_a_danger_button_asks_first_and_no_means_no(page: Page, app: SmallApp) -> None:
    ts = app.posts("t-77 is stuck", revoke_button("t-77"))["ts"]
    revoke = page.locator(f'[data-ts="{ts}"]').get_by_role("button", name="Revoke")
    dialog = page.get_by_role("dialog", name="Revoke this task?")
    revoke.click()
    expect(dialog.get_by_role("button", name="Keep it")).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog).not_to_be_visible()
    revoke.click()
    dialog.get_by_role("button", name="Revoke it").click()
    wait_until(lambda: app.clicks, what="the app hears of the click")
    assert [click["value"] for click in app.clicks] == [
        "t-77"
    ]  # and not of the one that was denied


def test_a_form_shows_what_is_wrong_at_its_input_and_keeps_what_was_typed(
    page: Page, app: SmallApp
) -> None:
    types(page, "/kb form")
    form = page.get_by_role("dialog", name="Clear tasks")
    hours = form.get_by_role("spinbutton", name="Older than (hours)")
    expect(hours).to_have_value("24")
    form.get_by_role("button", name="Preview").click()
    expect(form.get_by_role("alert").filter(has_text="required")).to_be_visible()
    form.get_by_role("textbox", name="Reason").fill("spring cleaning")
    hours.fill("900")
    form.get_by_role("button", name="Preview").click()
    expect(form.get_by_text("At most 100 hours are kept.")).to_be_visible()
    expect(hours).to_be_focused()
    expect(form.get_by_role("textbox", name="Reason")).to_have_value("spring cleaning")
    hours.fill("48")
    form.get_by_role("button", name="Preview").click()
    expect(form).not_to_be_visible()
    assert [sent["age"]["hours"]["value"] for sent in app.submitted] == ["48"]


def test_typing_like_a_phone_sends_dashes_curly_quotes_and_no_break_spaces(
    page: Page, app: SmallApp
) -> None:
    page.get_by_role("button", name="Type like a phone").click()
    types(page, '/kb stuck --longer-than "3h" now')
    sent = "Stuck —longer-than “3h”\u00a0now"
    expect(page.locator(".ephemeral", has_text=f"I heard {sent}")).to_be_visible()
    assert app.commands[-1] == sent


def test_commands_are_completed_by_keyboard_and_come_back_with_the_up_arrow(page: Page) -> None:
    composer(page).type("/kb stu")
    page.keyboard.press("Tab")
    expect(composer(page)).to_have_value("/kb stuck")
    page.keyboard.press("Enter")
    answer = page.locator(".message.ephemeral", has_text="I heard stuck").last
    expect(answer.get_by_text("Only visible to you")).to_be_visible()
    expect(composer(page)).to_have_value("")
    page.keyboard.press("ArrowUp")
    expect(composer(page)).to_have_value("/kb stuck")


def test_a_reply_goes_into_the_thread_and_is_counted(page: Page, app: SmallApp) -> None:
    ts = app.posts("Who looks at this?")["ts"]
    message = page.locator(f'.pane [data-ts="{ts}"]')
    message.hover()
    message.get_by_role("button", name="Reply in thread").click()
    thread = page.get_by_role("complementary", name="Thread")
    thread.get_by_role("textbox").fill("I do")
    page.keyboard.press("Enter")
    expect(thread.get_by_text("I do")).to_be_visible()
    expect(message.get_by_role("button", name="1 reply")).to_be_visible()
    expect(page.locator(".pane").get_by_text("I do", exact=True)).to_have_count(0)


def test_one_can_act_as_another_person_who_sees_what_they_see(page: Page, app: SmallApp) -> None:
    types(page, "/kb secret plan")
    expect(page.locator(".ephemeral", has_text="I heard secret plan")).to_be_visible()
    page.get_by_role("button", name="You are Otto Operator").click()
    page.get_by_role("option", name="Vera Viewer").click()
    expect(page.get_by_role("button", name="You are Vera Viewer")).to_be_visible()
    expect(page.locator(".message", has_text="I heard secret plan")).to_have_count(0)
    app.client.chat_postEphemeral(channel="C0OPS0000", user="U0VERA000", text="For Vera alone")
    expect(page.locator(".ephemeral", has_text="For Vera alone")).to_be_visible()
