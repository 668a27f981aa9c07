"""The step of the network: folded rows, references, panels, advice and a list taken over.

The page is the real one, the kernel behind it is made up, so that a test says what it answers.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, FilePayload, Locator, Page, expect

from tests.browser.kinds import made_up
from tests.browser.kinds.made_up import opened, state, values
from tests.support.accessible import axe, cut_off, faint, on_paper, small, tree
from tests.support.servers import until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
OF_THEM = [
    {"id": f"p{n}", "person": f"Role {n}", "role": "peer", "closeness": 1 + n % 5}
    for n in range(1, 18)
]
TOOL_LIST = """<ul>
<li class="pcn-tool" data-phone="yes" data-bandwidth="none" data-public="no" data-free="yes"
  data-known="yes" data-used="no">Phone call <button type="button" class="pcn-button"
  data-pcn-choose="tools" data-pcn-value="tool-1" aria-pressed="false">Choose Phone</button></li>
<li class="pcn-tool" data-phone="no" data-bandwidth="low" data-public="yes" data-free="yes"
  data-known="no" data-used="yes">A public site</li>
<li class="pcn-tool" data-phone="no" data-bandwidth="high" data-public="no" data-free="no"
  data-known="no" data-used="no">A meeting room</li>
</ul>"""
NOTE = "No checker can certify a text."


@pytest.fixture
def page(context: BrowserContext) -> Page:
    made_up.serve(context)
    return context.new_page()


def field(page: Page, key: str) -> Locator:
    return page.locator(f'.pcn-field[data-key="{key}"]')


def rows(page: Page) -> Locator:
    return field(page, "people").locator("details.pcn-row")


def panel(page: Page, kind: str) -> Locator:
    return page.locator(f".pcn-panel-{kind}")


def saved(page: Page, key: str, found: Callable[[Any], Any]) -> Any:
    """The answer to ``key`` when it is saved as ``found`` wants it."""
    until(lambda: found(values(page).get(key)))
    return values(page)[key]


def heard(page: Page, kind: str) -> list[dict[str, Any]]:
    return [one for one in page.evaluate("kernel.heard") if one["type"] == kind]


def tell(page: Page, **message: Any) -> None:
    page.evaluate("(message) => kernel.tell(message)", message)


def fine(page: Page) -> bool:
    """Nothing is wrong with how the page stands there, wide and small, light and dark."""
    faults = []
    for width, scheme in ((1280, "light"), (360, "dark"), (320, "light")):
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        found = [*axe(page), *faint(page), *cut_off(page), *small(page), *tree(page)]
        faults += [f"{width} px, {scheme}: {fault}" for fault in found]
    page.set_viewport_size({"width": 1280, "height": 900})
    page.emulate_media(color_scheme="light")
    assert not faults, "\n".join(faults)
    return True


# ---- Times and entries of other tables -----------------------------------------------------------


def test_a_time_is_written_and_kept(page: Page) -> None:
    opened(page, state(quiet_from="19:30"))
    box = page.get_by_label("From what time?")
    expect(box).to_have_value("19:30")
    box.focus()
    page.keyboard.type("0715AM")
    assert saved(page, "quiet-from", lambda value: value == "07:15")


def test_a_row_points_to_an_entry_and_keeps_its_label(page: Page) -> None:
    opened(page, state(people=[{"id": "p1", "person": "KG"}, {"id": "p2"}]))
    page.get_by_role("button", name="Add a tie").press("Enter")
    tie = field(page, "ties").locator(".pcn-row")
    who, whom = tie.get_by_label("Who?"), tie.get_by_label("With whom?")
    expect(who).to_be_focused()
    expect(who.locator("option")).to_have_text(["Choose…", "KG", "Person 2"])
    who.select_option("KG")
    whom.select_option("Person 2")
    tie_now = saved(page, "ties", lambda value: value and "other" in value[0])[0]
    tie_now.pop("id")
    assert tie_now == {"one": "p1", "one-shown": "KG", "other": "p2", "other-shown": "Person 2"}

    rows(page).first.locator("summary").first.click()
    rows(page).first.get_by_label("Initials or role").fill("Carers' group leader")
    expect(who.locator("option:checked")).to_have_text("Carers' group leader")
    # The new label goes along with the tie's next change.
    tie.get_by_label("In what way?").select_option("They know each other")
    now = saved(page, "ties", lambda value: "kind" in value[0])[0]
    assert now["one-shown"] == "Carers' group leader"


def test_an_entry_that_is_gone_stays_chosen_and_says_so(page: Page) -> None:
    tie = {"id": "t1", "one": "p1", "other": "gone", "other-shown": "Clinic nurse"}
    opened(page, state(people=[{"id": "p1", "person": "KG"}], ties=[tie]))
    row = field(page, "ties").locator(".pcn-row")
    chosen = row.get_by_label("With whom?").locator("option:checked")
    expect(chosen).to_have_text("Clinic nurse (no longer in the list)")
    rows(page).first.locator("summary").first.click()
    page.get_by_role("button", name="Remove person 1").click()
    chosen = row.get_by_label("Who?", exact=True).locator("option:checked")
    expect(chosen).to_have_text("KG (no longer in the list)")
    row.get_by_label("In what way?").select_option("They know each other")
    now = saved(page, "ties", lambda value: "kind" in value[0])[0]
    assert (now["one"], now["one-shown"]) == ("p1", "KG")
    assert (now["other"], now["other-shown"]) == ("gone", "Clinic nurse")


def test_several_entries_of_another_step_are_chosen(page: Page) -> None:
    person = {"id": "p1", "person": "KG", "meets": ["gone", "n2"], "meets-shown": "Old need; Old"}
    opened(page, state(people=[person]))
    rows(page).first.locator("summary").first.click()
    need = rows(page).first.get_by_role("group", name="Which need?")
    expect(need.get_by_label("Old need (no longer in the list)")).to_be_checked()
    expect(need.get_by_label("Lived experience")).to_be_checked()
    need.get_by_label("The payment rules").check()
    now = saved(page, "people", lambda value: len(value[0]["meets"]) == 3)[0]
    assert now["meets"] == ["n1", "n2", "gone"]
    assert now["meets-shown"] == "The payment rules; Lived experience; Old need"


def test_ties_are_asked_among_the_first_fifteen(page: Page) -> None:
    opened(page, state(people=OF_THEM[:15], ties=[{"id": "t1"}]))
    said = page.get_by_text("Here you can choose among the first 15 of your list.")
    expect(said).to_be_hidden()
    page.get_by_role("button", name="Add a person").click()
    expect(said).to_be_visible()
    options = field(page, "ties").get_by_label("Who?", exact=True).locator("option")
    expect(options).to_have_count(16)


# ---- Folded rows ---------------------------------------------------------------------------------


def test_a_folded_row_is_light_until_it_is_opened(page: Page) -> None:
    opened(page, state(people=OF_THEM))
    expect(rows(page)).to_have_count(17)
    expect(rows(page).locator("input, select")).to_have_count(0)
    first = rows(page).first
    expect(first.locator("summary")).to_have_text("person 1 Role 1 Peer")
    first.locator("summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(first.get_by_label("Initials or role")).to_be_focused()
    page.keyboard.press("End")
    page.keyboard.type(", by phone")
    expect(first.locator("summary").first).to_contain_text("Role 1, by phone")
    now = saved(page, "people", lambda value: value[0]["person"] == "Role 1, by phone")
    assert now[1:] == OF_THEM[1:], "rows that nobody opened stay as they were"


def test_a_row_is_added_moved_removed_and_brought_back_by_keyboard(page: Page) -> None:
    opened(page, state(people=OF_THEM[:2]))
    page.get_by_role("button", name="Add a person").focus()
    page.keyboard.press("Enter")
    last = rows(page).last
    expect(last.get_by_label("Initials or role")).to_be_focused()
    expect(last.locator("summary").first).to_contain_text("New person")
    page.keyboard.type("KG")
    last.get_by_role("button", name="Move up person 3").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Move up person 2")).to_be_focused()
    expect(rows(page).nth(1).locator("summary").first).to_contain_text("KG")
    page.get_by_role("button", name="Remove person 2").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Undo")).to_be_focused()
    page.keyboard.press("Enter")
    expect(rows(page).nth(1).get_by_label("Initials or role")).to_be_focused()
    now = saved(page, "people", lambda value: len(value) == 3 and value[1].get("person") == "KG")
    assert [row["id"] for row in now][::2] == ["p1", "p2"]


def test_many_options_in_a_row_are_folded_and_say_what_is_chosen(page: Page) -> None:
    opened(page, state(people=[{"id": "p1", "channels": ["tool-2"]}]))
    rows(page).first.locator("summary").first.click()
    fold = rows(page).first.locator(".pcn-many")
    expect(fold.locator("summary")).to_have_text("How? Tool 2")
    fold.locator("summary").focus()
    page.keyboard.press("Enter")
    fold.get_by_label("Tool 9").check()
    expect(fold.locator("summary")).to_have_text("How? Tool 2; Tool 9")
    assert saved(page, "people", lambda value: value[0]["channels"] == ["tool-2", "tool-9"])


def test_a_long_list_is_folded_and_says_what_is_chosen(page: Page) -> None:
    opened(page, state(wanted=["way-2"]))
    fold = field(page, "wanted").locator("details.pcn-many")
    expect(fold.locator("summary")).to_have_text("Choose from 13 Way 2")
    expect(fold.get_by_label("Way 13")).to_be_hidden()
    fold.locator("summary").focus()
    page.keyboard.press("Enter")
    fold.get_by_label("Way 13").check()
    expect(fold.locator("summary")).to_have_text("Choose from 13 Way 2; Way 13")
    assert saved(page, "wanted", lambda value: value == ["way-2", "way-13"])
    fold.get_by_label("Way 2").uncheck()
    fold.get_by_label("Way 13").uncheck()
    expect(fold.locator("summary")).to_have_text("Choose from 13 Nothing chosen yet")
    fold.locator("summary").click()
    # On paper the list is there, and afterwards it is folded again.
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    expect(fold.get_by_label("Way 13")).to_be_visible()
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(fold.get_by_label("Way 13")).to_be_hidden()


def test_what_few_need_at_first_is_folded_and_says_how_much_is_answered(page: Page) -> None:
    opened(page, state(people=[{"id": "p1", "person": "KG"}]))
    rows(page).first.locator("summary").first.click()
    more = rows(page).first.locator("details.pcn-more")
    expect(more.locator("> summary")).to_have_text(
        "More about this person 2 more questions, if they help you"
    )
    give = more.get_by_label("What do you give?")
    expect(give).to_be_hidden()
    more.locator("> summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(give).to_be_focused()
    page.keyboard.type("A say")
    expect(more.locator("> summary")).to_contain_text("2 more questions, 1 answered")
    assert saved(page, "people", lambda value: value[0].get("give") == "A say")
    assert fine(page)
    # A printing folds it away, and brings it back as it was.
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(give).to_be_focused()
    expect(give).to_have_value("A say")


def test_another_window_changes_rows_open_and_closed(page: Page) -> None:
    opened(page, state(people=OF_THEM[:3]))
    rows(page).nth(1).locator("summary").first.click()
    expect(rows(page).nth(1).get_by_label("Initials or role")).to_have_value("Role 2")
    theirs = [
        {"id": "p3", "person": "Third"},
        {"id": "p2", "person": "Second", "role": "mentor"},
        {"id": "p9", "person": "Ninth"},
    ]
    later = state(people=theirs)
    later["fields"]["people"]["version"] = 5
    tell(page, type="state", **later)
    expect(rows(page).locator("> summary")).to_have_text(
        ["person 1 Third ", "person 2 Second Mentor", "person 3 Ninth "]
    )
    second = rows(page).nth(1)
    expect(second.get_by_label("Initials or role")).to_have_value("Second")
    expect(second.get_by_label("What are they?")).to_have_value("mentor")


def test_on_paper_every_row_is_there_and_opened_ones_open_again(page: Page) -> None:
    opened(page, state(people=OF_THEM, draft="A draft"))
    rows(page).first.locator("summary").first.click()
    box = rows(page).first.get_by_label("Initials or role")
    box.focus()
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert not on_paper(page)
    page.emulate_media(media="print")
    for number in (1, 17):
        text = page.get_by_text(f"Initials or role Role {number}", exact=True)
        expect(text).to_be_visible()
    page.emulate_media(media="null")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(box).to_be_focused()


# ---- Saving, where something goes wrong ----------------------------------------------------------


def in_kernel(page: Page, fields: dict[str, Any]) -> None:
    """Other answers stand in the kernel from now on, without the page's knowing."""
    page.evaluate("(fields) => { kernel.state.fields = fields; }", fields)


def test_a_file_that_vanished_takes_nothing_from_the_page(page: Page) -> None:
    opened(page, state(draft="one two", people=OF_THEM[:2]))
    box = page.get_by_label("A draft to share")
    box.fill("one two three")
    saved(page, "draft", lambda value: value == "one two three")
    in_kernel(page, {})
    tell(page, type="state", **{**state(), "fields": {}})
    assert saved(page, "draft", lambda value: value == "one two three")
    assert len(saved(page, "people", lambda value: value)) == 2
    expect(box).to_have_value("one two three")
    expect(rows(page)).to_have_count(2)


def test_an_earlier_copy_of_the_file_is_noticed_and_all_fields_are_saved_again(page: Page) -> None:
    opened(page, state(draft="one", quiet_from="19:30"))
    box = page.get_by_label("A draft to share")
    for words in ("one two", "one two three", "one two three four"):
        box.fill(words)
        saved(page, "draft", words.__eq__)
    in_kernel(page, {"draft": {"value": "one", "version": 1}})
    box.fill("one two three four five")
    assert saved(page, "quiet-from", lambda value: value == "19:30")
    assert saved(page, "draft", lambda value: value == "one two three four five")
    expect(page.locator(".pcn-status")).to_have_text(re.compile("^Saved"))
    expect(page.locator(".pcn-field .pcn-note")).to_have_count(0)


def test_what_was_refused_and_taken_back_is_no_trouble_any_more(page: Page) -> None:
    opened(page, state(tools=["tool-1"]))
    status = page.locator(".pcn-status")
    page.evaluate("kernel.refuse = 'There is no room left.'")
    page.get_by_label("Tool 2").check()
    expect(status).to_contain_text("Not saved, still trying")
    page.get_by_label("Tool 2").uncheck()
    expect(status).not_to_contain_text("Not saved")
    page.evaluate("kernel.refuse = ''")
    page.get_by_label("Tool 3").check()
    assert saved(page, "tools", lambda value: value == ["tool-1", "tool-3"])
    expect(status).to_have_text(re.compile("^Saved"))


def test_who_types_is_not_stopped_by_a_kernel_that_cannot_say_what_it_has(page: Page) -> None:
    opened(page, state(draft="one"))
    box = page.get_by_label("A draft to share")
    box.focus()
    tell(page, type="problem", about="open", message="The folder can't be read.")
    expect(page.locator(".pcn-alert")).to_have_text("The folder can't be read.")
    expect(page.locator("dialog")).to_have_count(0)
    expect(box).to_be_focused()
    tell(page, type="state", **state(draft="one"))
    expect(page.locator(".pcn-alert")).to_be_hidden()


def test_an_entry_that_is_back_already_is_not_brought_in_twice(page: Page) -> None:
    opened(page, state(people=OF_THEM[:2]))
    rows(page).first.locator("summary").first.click()
    page.get_by_role("button", name="Remove person 1").click()
    undo = page.get_by_role("button", name="Undo")
    expect(undo).to_be_visible()
    saved(page, "people", lambda value: len(value) == 1)
    later = state(people=OF_THEM[:2])
    later["fields"]["people"]["version"] = 9
    tell(page, type="state", **later)
    expect(rows(page)).to_have_count(2)
    undo.click()
    expect(rows(page)).to_have_count(2)
    expect(rows(page).first.get_by_label("Initials or role")).to_be_focused()


def test_a_version_that_is_put_back_is_in_all_that_is_made_of_it(page: Page) -> None:
    tie = {"id": "t1", "one": "p1", "one-shown": "Role 1"}
    before = [{**OF_THEM[0], "person": "Before"}]
    entry = {"value": before, "version": 1, "saved_at": "2026-11-22T10:00:00Z"}
    given = state(people=OF_THEM[:1], ties=[tie])
    opened(page, given, history={"key": "people", "entries": [entry]})
    field(page, "people").get_by_role("button", name="Earlier versions").click()
    page.get_by_role("button", name="Put this version back").click()
    who = field(page, "ties").get_by_label("Who?", exact=True)
    expect(who.locator("option:checked")).to_have_text("Before")
    expect(panel(page, "network").get_by_text("Before", exact=True).first).to_be_attached()


# ---- Panels --------------------------------------------------------------------------------------


def test_the_map_follows_each_edit_in_the_same_frame(page: Page) -> None:
    opened(page, state(people=OF_THEM[:2]))
    expect(panel(page, "network").get_by_text("Role 2", exact=True).first).to_be_attached()
    rows(page).first.locator("summary").first.click()
    rows(page).first.get_by_label("Initials or role").fill("KG")
    drawn = page.evaluate("""() => new Promise((done) => {
      const box = document.querySelector(".pcn-row input");
      box.value = "Nurse";
      box.dispatchEvent(new Event("input", { bubbles: true }));
      requestAnimationFrame(() =>
        done(document.querySelector(".pcn-panel-network").textContent.includes("Nurse")));
    })""")
    assert drawn


def test_what_the_kernel_says_comes_in_and_keeps_folds_and_focus(page: Page) -> None:
    html = '<h3>Measures</h3><details id="d"><summary>More</summary><p>{n} of 10</p></details>'
    opened(page, state(), look={"panels": {"network": html.format(n=1)}})
    body = panel(page, "network").locator(".pcn-made")
    body.get_by_text("More").focus()
    page.keyboard.press("Enter")
    expect(body.get_by_text("1 of 10")).to_be_visible()
    page.evaluate(
        "(html) => { kernel.answers.look = { panels: { network: html } }; }", html.format(n=2)
    )
    page.get_by_label("Tool 1").evaluate("(box) => box.click()")
    expect(body.get_by_text("2 of 10")).to_be_visible()
    expect(body.get_by_text("More")).to_be_focused()
    tell(page, type="panels", panels={"network": "<p>Nothing yet</p>"})
    expect(page.get_by_role("heading", name="Your network")).to_be_focused()


def test_a_button_chooses_a_tool_and_takes_it_back(page: Page) -> None:
    opened(page, state(), look={"panels": {"tools": TOOL_LIST}})
    choose = page.get_by_role("button", name="Choose Phone")
    choose.focus()
    page.keyboard.press("Space")
    expect(choose).to_have_attribute("aria-pressed", "true")
    expect(field(page, "tools").get_by_label("Tool 1")).to_be_checked()
    assert saved(page, "tools", lambda value: value == ["tool-1"])
    page.keyboard.press("Space")
    expect(field(page, "tools").get_by_label("Tool 1")).not_to_be_checked()


SHORT = (
    TOOL_LIST + '<details id="pcn-panel-tools-others"><summary>The other 2 tools</summary>'
    '<p data-pcn-rest="2">Loading the other tools…</p></details>'
)
WHOLE = SHORT.replace(
    '<p data-pcn-rest="2">Loading the other tools…</p>',
    '<ol><li class="pcn-tool" data-bandwidth="low" data-free="no">A list server</li>'
    '<li class="pcn-tool" data-bandwidth="high" data-free="no">A wall</li></ol>',
)


@pytest.mark.parametrize("by", ["opening the list", "a filter"])
def test_the_rest_of_a_long_list_comes_when_it_is_wanted(page: Page, by: str) -> None:
    opened(page, state(), look={"panels": {"tools": SHORT}})
    tools = panel(page, "tools")
    expect(tools.get_by_text("5 of 5 tools")).to_be_visible()
    page.evaluate("(html) => { kernel.answers.look = { panels: { tools: html } }; }", WHOLE)
    if by == "a filter":
        page.evaluate("kernel.answers.look = null")
        tools.get_by_label("Low bandwidth").check()
        # How many fit is not known before the rest is there.
        expect(tools.locator(".pcn-filters + p")).to_have_text("Loading the other tools…")
        tell(page, type="panels", panels={"tools": WHOLE})
        expect(tools.get_by_text("3 of 5 tools")).to_be_visible()
        expect(tools.get_by_text("A wall")).to_be_hidden()
    else:
        tools.get_by_text("The other 2 tools").click()
        expect(tools.get_by_text("A wall")).to_be_visible()
    expect(tools.get_by_text("A list server")).to_be_visible()
    until(lambda: heard(page, "look")[-1]["whole"])


def test_filters_are_joined_and_outlast_a_refresh(page: Page) -> None:
    opened(page, state(), look={"panels": {"tools": TOOL_LIST}})
    tools = panel(page, "tools")
    expect(tools.get_by_text("3 of 3 tools")).to_be_visible()
    tools.get_by_label("Low bandwidth").check()
    expect(tools.get_by_text("2 of 3 tools")).to_be_visible()
    tools.get_by_label("Not public").check()
    expect(tools.get_by_text("1 of 3 tools")).to_be_visible()
    expect(tools.get_by_text("A meeting room")).to_be_hidden()
    tell(page, type="panels", panels={"tools": TOOL_LIST.replace("A meeting room", "A hall")})
    expect(tools.get_by_text("A hall")).to_be_hidden()
    expect(tools.get_by_text("1 of 3 tools")).to_be_visible()
    for name, number in (
        ("Works by phone alone", 1),
        ("Free", 2),
        ("I know it", 1),
        ("My people use it", 1),
    ):
        for box in tools.get_by_role("checkbox").all():
            box.uncheck()
        tools.get_by_label(name).check()
        expect(tools.get_by_text(f"{number} of 3 tools")).to_be_visible()


@pytest.mark.parametrize("host", ["form.test", "form.localhost"], ids=["http", "as https"])
def test_a_draft_is_copied_and_a_file_comes_down(page: Page, host: str) -> None:
    html = """<p id="draft-1">Dear you</p>
      <button type="button" class="pcn-button" data-pcn-copy="draft-1">Copy the message</button>
      <button type="button" class="pcn-button" data-pcn-file="calendar">Calendar</button>"""
    data = base64.b64encode(b"BEGIN:VCALENDAR").decode()
    made = {"filename": "week.ics", "mime": "text/calendar", "data": data}
    opened(page, state(), host=host, look={"panels": {"network": html}}, file=made)
    assert page.evaluate("isSecureContext") == (host == "form.localhost")
    page.get_by_role("button", name="Copy the message").press("Enter")
    expect(panel(page, "network").get_by_text("Copied.")).to_be_visible()
    expect(page.get_by_role("button", name="Copy the message")).to_be_focused()
    page.get_by_label("A draft to share").press("Control+v")
    expect(page.get_by_label("A draft to share")).to_have_value("Dear you")
    with page.expect_download() as download:
        page.get_by_role("button", name="Calendar").press("Enter")
    assert download.value.suggested_filename == "week.ics"
    assert download.value.path().read_bytes() == b"BEGIN:VCALENDAR"
    assert heard(page, "file") == [{"type": "file", "what": "calendar"}]
    expect(panel(page, "network").get_by_text("“week.ics” is in your downloads")).to_be_visible()


def test_a_panel_that_fails_never_stops_a_save(page: Page) -> None:
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text))
    opened(page, state(people=OF_THEM[:1]), look={"panels": {"network": "<p>Fine</p>"}})
    expect(panel(page, "network").get_by_text("Fine")).to_be_visible()
    page.evaluate("() => { SVGElement.prototype.append = () => { throw new Error('no map'); }; }")
    made = panel(page, "network").locator(".pcn-made")
    made.evaluate("(body) => { body.replaceChildren = null; }")
    rows(page).first.locator("summary").first.click()
    rows(page).first.get_by_label("Initials or role").fill("KG")
    tell(page, type="panels", panels={"network": "<p>Other</p>"})
    assert saved(page, "people", lambda value: value[0]["person"] == "KG")
    until(lambda: any("no map" in text for text in errors))
    until(lambda: any("not a function" in text for text in errors))


# ---- Advice --------------------------------------------------------------------------------------


def test_a_draft_is_looked_at_while_it_is_written(page: Page) -> None:
    warning = {
        "words": "Maria, 34",
        "why": "A name and an age point to one person.",
        "instead": "Write “a carer in her thirties”.",
        "kind": "name",
    }
    opened(page, state(), advise={"warnings": [warning], "note": NOTE})
    box = page.get_by_label("A draft to share")
    box.focus()
    page.keyboard.type("Maria, 34, asks", delay=10)
    status = field(page, "draft").locator(".pcn-advice-says")
    expect(status).to_have_text("One thing to look at before you share this:")
    expect(status).to_have_attribute("role", "status")
    item = field(page, "draft").locator(".pcn-advice li")
    expect(item).to_contain_text("Maria, 34 A name and an age")
    expect(item).to_contain_text("a carer in her thirties")
    expect(field(page, "draft").get_by_text(NOTE)).to_be_visible()
    expect(box).to_be_focused()
    assert len(heard(page, "advise")) == 1, "asked once, when the keys are quiet"
    assert fine(page)

    page.evaluate("kernel.answers.advise.warnings = []")
    box.fill("A carer asks")
    expect(status).to_have_text("Nothing found that points to somebody.")
    expect(field(page, "draft").get_by_text(NOTE)).to_be_visible()
    # What comes late, on older words, is not shown.
    tell(page, type="advice", key="draft", number=1, warnings=[warning], note=NOTE)
    expect(status).to_have_text("Nothing found that points to somebody.")
    box.fill("")
    expect(status).to_be_hidden()
    expect(field(page, "draft").get_by_text(NOTE)).to_be_hidden()


def test_a_draft_as_a_whole_is_remarked_on_softly(page: Page) -> None:
    soft = "This reads as if it were about one person. Could a reader guess who?"
    opened(page, state(), advise={"warnings": [], "note": NOTE, "soft": soft})
    page.get_by_label("A draft to share").fill("He asked me twice")
    status = field(page, "draft").locator(".pcn-advice-says")
    expect(status).to_have_text(soft)
    expect(field(page, "draft").locator(".pcn-found")).to_have_count(0)
    expect(field(page, "draft").locator(".pcn-advice li")).to_have_count(0)
    expect(field(page, "draft").get_by_text(NOTE)).to_be_visible()
    assert fine(page)


def test_advice_is_about_the_draft_that_is_shown(page: Page) -> None:
    """Also where it was written on an earlier visit, or put back from an earlier version."""
    soft = "This reads as if it were about one person. Could a reader guess who?"
    earlier = {"value": "Another draft", "version": 1, "saved_at": "2026-12-01T10:00:00Z"}
    opened(
        page,
        state(draft="He asked me twice"),
        advise={"warnings": [], "note": NOTE, "soft": soft},
        history={"key": "draft", "entries": [earlier]},
    )
    status = field(page, "draft").locator(".pcn-advice-says")
    expect(status).to_have_text(soft)
    page.evaluate("kernel.answers.advise.soft = ''")
    field(page, "draft").get_by_role("button", name="Earlier versions").click()
    page.get_by_role("button", name="Put this version back").click()
    expect(status).to_have_text("Nothing found that points to somebody.")
    assert [one["text"] for one in heard(page, "advise")] == ["He asked me twice", "Another draft"]


def test_a_full_name_in_a_cell_is_warned_of_in_one_line(page: Page) -> None:
    warning = {
        "words": "Maria Santos",
        "why": "This looks like a full name.",
        "instead": "Use initials or a role.",
        "kind": "name",
    }
    opened(page, state(people=[{"id": "p1"}]), advise={"warnings": [warning], "note": NOTE})
    rows(page).first.locator("summary").first.click()
    box = rows(page).first.get_by_label("Initials or role")
    box.fill("Maria Santos")
    words = "“Maria Santos”: This looks like a full name. Use initials or a role."
    expect(rows(page).first.get_by_text(words)).to_be_visible()
    expect(box).to_have_accessible_description(words)
    [asked] = heard(page, "advise")
    assert (asked["key"], asked["text"]) == ("people.person", "Maria Santos")
    page.evaluate("kernel.answers.advise.warnings = []")
    box.fill("MS")
    expect(rows(page).first.locator(".pcn-advice-says")).to_be_hidden()


def test_a_full_name_of_an_earlier_visit_is_warned_of_when_its_row_is_opened(page: Page) -> None:
    warning = {"words": "Maria Santos", "why": "A full name.", "instead": "", "kind": "name"}
    people = [{"id": "p1", "person": "Maria Santos"}]
    opened(page, state(people=people), advise={"warnings": [warning], "note": NOTE})
    assert heard(page, "advise") == []
    rows(page).first.locator("summary").first.click()
    expect(rows(page).first.locator(".pcn-advice-says")).to_contain_text("A full name.")
    page.evaluate("kernel.answers.advise.warnings = []")
    fields = {"people": {"value": [{"id": "p1", "person": "MS"}], "version": 2}}
    tell(page, type="state", **{**state(), "fields": fields})
    expect(rows(page).first.get_by_label("Initials or role")).to_have_value("MS")
    expect(rows(page).first.locator(".pcn-advice-says")).to_be_hidden()


# ---- A list taken over ---------------------------------------------------------------------------


def found(**other: Any) -> dict[str, Any]:
    """What the kernel answers to a list of three, two of whom are there already."""
    return {
        "kind": "list",
        "columns": ["Name", "What"],
        "mapping": {"person": "Name", "role": "What"},
        "total": 3,
        "rows": [
            {"person": "Nurse", "role": "peer"},
            {"person": "KG", "role": "mentor", "give": "A say"},
            {"person": "Coordinator", "role": "peer"},
        ],
        "doubles": {"1": "p1", "2": "p2"},
        "notes": ["E-mail addresses were left out."],
        **other,
    }


HERE = [
    {"id": "p1", "person": "KG", "role": "peer"},
    {"id": "p2", "person": "Coordinator", "role": "peer"},
]


def give(page: Page, content: bytes = b"Name,What\nNurse,peer\n") -> Locator:
    """Choose a file in the dialog."""
    page.get_by_role("button", name="Take people over from a list (CSV)").press("Enter")
    dialog = page.get_by_role("dialog", name="Take people over from a list")
    file = FilePayload(name="list.csv", mimeType="text/csv", buffer=content)
    dialog.get_by_label("Which file?").set_input_files(file)
    return dialog


def test_a_list_is_taken_over_only_with_the_last_button(page: Page) -> None:
    opened(page, state(people=HERE), list=found())
    dialog = give(page)
    expect(dialog.get_by_text("3 people found in “list.csv”.")).to_be_visible()
    [asked] = heard(page, "list")
    assert base64.b64decode(asked["data"]) == b"Name,What\nNurse,peer\n"
    assert (asked["name"], asked["mapping"]) == ("list.csv", None)
    expect(dialog.get_by_text("E-mail addresses were left out.")).to_be_visible()
    expect(dialog.get_by_label("KG: in your list already?")).to_have_value("fill")
    expect(dialog.get_by_label("Coordinator: in your list already?")).to_have_value("")
    expect(dialog.get_by_role("button", name="Fill the gaps of 1")).to_be_enabled()
    dialog.get_by_label("Nurse").press("Space")
    expect(dialog.get_by_text("There is room for 57 people more.")).to_be_visible()
    assert fine(page)
    assert values(page)["people"] == HERE
    go = dialog.get_by_role("button", name="Add 1 person, fill the gaps of 1")
    go.press("Enter")
    expect(dialog).to_be_hidden()
    expect(
        field(page, "people").get_by_text("1 person added. The gaps of 1 person")
    ).to_be_visible()
    expect(page.get_by_role("button", name="Add a person")).to_be_focused()
    now = saved(page, "people", lambda value: len(value) == 3)
    assert now[0] == {"id": "p1", "person": "KG", "role": "peer", "give": "A say"}
    assert now[1] == HERE[1]
    assert {**now[2], "id": ""} == {"id": "", "person": "Nurse", "role": "peer"}


def test_another_column_is_chosen_and_the_list_read_again(page: Page) -> None:
    opened(page, state(), list=found(doubles={}))
    dialog = give(page)
    select = dialog.get_by_label("What do you give?")
    expect(select).to_be_hidden()
    dialog.get_by_text("Which column is which?").click()
    select.select_option("What")
    until(lambda: len(heard(page, "list")) == 2)
    assert heard(page, "list")[1]["mapping"] == {"person": "Name", "role": "What", "give": "What"}
    expect(select).to_be_focused()


def test_a_long_list_is_searched(page: Page) -> None:
    many = [{"person": f"Somebody {n}", "role": "peer"} for n in range(5000)]
    opened(page, state(), list=found(total=5000, rows=many, doubles={}))
    dialog = give(page)
    expect(dialog.locator(".pcn-picks li")).to_have_count(100)
    expect(dialog.get_by_text("The first 100 of 5000 are shown")).to_be_visible()
    search = dialog.get_by_label("Search in it")
    search.fill("somebody 499")
    expect(dialog.locator(".pcn-picks li")).to_have_count(15)
    for number in range(61):
        search.fill(f"Somebody {number}")
        dialog.get_by_label(f"Somebody {number}", exact=True).check()
    expect(dialog.get_by_text("1 person too many: your list takes 60 more.")).to_be_visible()
    expect(dialog.locator(".pcn-take")).to_be_disabled()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert faint(page) == []


def test_people_are_found_by_names_that_are_not_kept(page: Page) -> None:
    listed = [{"person": "DB", "role": "peer"}, {"person": "ZN", "role": "peer"}]
    names = ["Danielle Brooks", "Zoë Núñez"]
    reply = found(total=2, rows=listed, names=names, doubles={"1": "p1"})
    opened(page, state(people=[{"id": "p1", "person": "ZN", "role": "mentor"}]), list=reply)
    dialog = give(page)
    search = dialog.get_by_label("Search in it")
    search.fill("zoe nunez")
    expect(dialog.get_by_label("Zoë Núñez: in your list already?")).to_be_visible()
    expect(dialog.locator(".pcn-picks li")).to_have_count(1)
    search.fill("danielle")
    expect(dialog.locator(".pcn-picks li")).to_have_count(1)
    expect(dialog.locator(".pcn-picks")).to_contain_text("Added as “DB” · ")
    dialog.get_by_label("Danielle Brooks").check()
    assert fine(page)
    dialog.get_by_role("button", name="Add 1 person").click()
    now = saved(page, "people", lambda value: len(value) == 2)
    assert now[1]["person"] == "DB"
    sent = json.dumps(heard(page, "save"), ensure_ascii=False)
    stored = page.evaluate("JSON.stringify(localStorage)")
    assert "DB" in sent
    assert not [word for word in ("Danielle", "Brooks", "Núñez") if word in sent + stored]


def test_a_list_that_is_none_is_refused_in_words(page: Page) -> None:
    words = "This file is not a list of people. Nothing was changed."
    opened(page, state(), list={"type": "problem", "message": words})
    dialog = give(page)
    expect(dialog.get_by_role("alert")).to_have_text(words)
    assert fine(page)
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Take people over from a list (CSV)")).to_be_focused()
    dialog = give(page, b"x" * 4_000_001)
    expect(dialog.get_by_role("alert")).to_contain_text("larger than 4 MB")
    assert len(heard(page, "list")) == 1, "it is not even sent"


# ---- For everyone --------------------------------------------------------------------------------


def test_the_whole_step_is_for_everyone(page: Page) -> None:
    tie = {"id": "t1", "one": "p1", "other": "gone", "other-shown": "Clinic nurse"}
    opened(page, state(people=OF_THEM, ties=[tie]), look={"panels": {"tools": TOOL_LIST}})
    for number in (0, 1):
        rows(page).nth(number).locator("summary").first.click()
        rows(page).nth(number).locator(".pcn-many summary").click()
    expect(panel(page, "tools").get_by_text("3 of 3 tools")).to_be_visible()
    assert fine(page)


def test_sixty_people_are_all_there_and_one_can_be_changed(page: Page) -> None:
    many = [{**OF_THEM[0], "id": f"p{n}", "person": f"Role {n}"} for n in range(60)]
    opened(page, state(people=many))
    expect(rows(page)).to_have_count(60)
    rows(page).first.locator("summary").first.click()
    rows(page).first.get_by_label("Initials or role").fill("KG")
    saved(page, "people", lambda value: value and value[0]["person"] == "KG")
