"""Fields that software fills: dictation, text expanders and autofill tell a page little or nothing.

The page is the real one, the kernel behind it is made up. Each test sets a field with no event at
all, or with `change` alone, and then does one thing that a person does next.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.kinds import made_up
from tests.browser.kinds.made_up import opened, state, values
from tests.support.servers import until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
SILENT = """(el, [value, event]) => {
  if (el.type === "checkbox" || el.type === "radio") el.checked = value;
  else el.value = value;
  if (event) el.dispatchEvent(new Event(event, { bubbles: true }));
}"""
WORDS = "We meet on Mondays"
PROMPTS: list[dict[str, Any]] = [
    {"key": "line", "kind": "line", "label": "A line", "required": True},
    *made_up.PROMPTS,
    {
        "key": "one",
        "kind": "choice",
        "label": "Which one?",
        "options": made_up.TOOLS[:3],
    },
    {"key": "of-many", "kind": "choice", "label": "Which of many?", "options": made_up.TOOLS},
    {"key": "when", "kind": "date", "label": "When?"},
]


def given(**answers: Any) -> dict[str, Any]:
    """A state with a question of each kind."""
    found = state(**answers)
    return {**found, "step": {**found["step"], "prompts": PROMPTS}}


@pytest.fixture
def page(context: BrowserContext) -> Page:
    made_up.serve(context)
    return context.new_page()


def fill(place: Locator, value: Any, event: str = "") -> None:
    """Set a field as software does: at most with the event of that name."""
    place.evaluate(SILENT, [value, event])


def field(page: Page, key: str) -> Locator:
    return page.locator(f'.pcn-field[data-key="{key}"]')


def has(page: Page, key: str, value: Any) -> None:
    until(lambda: values(page).get(key) == value)


def drafts(page: Page) -> dict[str, Any]:
    """What this device keeps, by key."""
    found = page.evaluate("Object.entries(localStorage)")
    return {name.split(":")[4]: json.loads(value)["value"] for name, value in found}


def tab(page: Page, place: Locator) -> None:
    place.focus()
    page.keyboard.press("Tab")


def leave(page: Page, place: Locator) -> None:
    place.focus()
    place.blur()


def wait(_page: Page, _place: Locator) -> None:
    pass


@pytest.mark.parametrize("event", ["", "change"])
@pytest.mark.parametrize("then", [tab, leave, wait])
def test_words_that_nobody_announced_are_saved(page: Page, then: Any, event: str) -> None:
    opened(page, given())
    place = field(page, "draft").locator("textarea")
    place.focus()
    fill(place, WORDS, event)
    then(page, place)
    has(page, "draft", WORDS)
    expect(page.locator(".pcn-status")).to_contain_text("Saved")


@pytest.mark.parametrize(
    ("key", "where", "value", "saved"),
    [
        ("line", "input", WORDS, WORDS),
        ("quiet-from", "input", "15:30", "15:30"),
        ("when", "input", "2027-02-26", "2027-02-26"),
        ("of-many", "select", "tool-2", "tool-2"),
        ("one", "input >> nth=1", True, "tool-2"),
        ("tools", "input >> nth=1", True, ["tool-2"]),
        ("wanted", "input >> nth=12", True, ["way-13"]),
    ],
)
def test_every_kind_of_field_is_looked_at(
    page: Page, key: str, where: str, value: Any, saved: Any
) -> None:
    opened(page, given())
    fill(field(page, key).locator(where), value)
    has(page, key, saved)


def test_a_cell_of_a_table_is_looked_at(page: Page) -> None:
    opened(page, given(people=[{"id": "p1", "person": "KG"}]))
    field(page, "people").locator("summary").first.click()
    fill(field(page, "people").get_by_label("Initials or role"), "KG, nurse")
    fill(field(page, "people").get_by_label("What do you give?"), "Time")
    has(page, "people", [{"id": "p1", "person": "KG, nurse", "give": "Time"}])


def test_a_field_that_only_the_page_changed_is_no_edit(page: Page) -> None:
    """Browsers tidy values: what is shown then differs from what is kept, and nobody wrote."""
    opened(page, given(draft="One\r\nTwo", tools=["tool-3", "tool-1"], line="One\nTwo"))
    field(page, "of-many").locator("select").select_option("tool-1")
    has(page, "of-many", "tool-1")
    page.wait_for_timeout(2500)  # longer than the timer
    saves = page.evaluate("kernel.heard.filter(({ type }) => type === 'save')")
    assert [list(one["fields"]) for one in saves] == [["of-many"]]


@pytest.mark.parametrize("button", [".pcn-preview", ".pcn-submit"])
def test_what_is_asked_for_next_has_the_words(page: Page, button: str) -> None:
    opened(page, given())
    fill(field(page, "line").locator("input"), WORDS)
    page.evaluate("(css) => document.querySelector(css).click()", button)  # no focus moves
    if button == ".pcn-submit":
        expect(page.get_by_role("dialog")).to_contain_text("1 of 1 answered")
        page.get_by_role("button", name="Submit now").click()
    asked = button.removeprefix(".pcn-")
    until(lambda: page.evaluate("(type) => kernel.heard.some((one) => one.type === type)", asked))
    heard = [one["type"] for one in page.evaluate("kernel.heard")]
    assert "save" in heard[: heard.index(asked)]
    assert values(page)["line"] == WORDS


def test_a_page_that_goes_away_keeps_the_words_on_the_device(page: Page) -> None:
    opened(page, given())
    page.evaluate("kernel.deaf = true")
    fill(field(page, "draft").locator("textarea"), WORDS)
    page.evaluate("dispatchEvent(new Event('pagehide'))")
    assert drafts(page) == {"draft": WORDS}


def test_what_comes_from_another_window_does_not_overwrite_the_words(page: Page) -> None:
    opened(page, given(draft="Old."))
    fill(field(page, "draft").locator("textarea"), "Old. Mine.")
    page.evaluate("""() => {
      kernel.state.fields.draft = { value: "Theirs. Old.", version: 2 };
      kernel.tell({ type: "state", ...kernel.state });
    }""")
    has(page, "draft", "Theirs. Old. Mine.")


def test_a_regrade_request_is_sent_with_the_words(page: Page) -> None:
    feedback = [{"id": "one", "when": "2026-11-20T10:00:00Z"}]
    criteria = [{"id": "ethics", "title": "Ethics"}]
    opened(page, {**given(), "feedback": feedback, "criteria": criteria, "asked": []})
    page.get_by_role("button", name="Ask for another look").click()
    dialog = page.get_by_role("dialog")
    fill(dialog.get_by_label("At what?"), "ethics")
    fill(dialog.get_by_label("What was overlooked"), WORDS)
    page.evaluate("[...document.querySelectorAll('dialog button')].find("
                  "(one) => one.textContent === 'Send').click()")  # fmt: skip
    until(lambda: page.evaluate("kernel.heard.some(({ type }) => type === 'again')"))
    sent = page.evaluate("kernel.heard.find(({ type }) => type === 'again')")
    assert (sent["criterion"], sent["text"]) == ("ethics", WORDS)


def test_choices_in_a_list_that_is_taken_over_are_looked_at(page: Page) -> None:
    listed = {
        "type": "list", "kind": "csv", "rows": [{"person": "KG"}, {"person": "AB"}], "total": 2,
        "notes": [], "columns": ["Name", "Job"], "mapping": {"person": "Name"}, "doubles": {},
    }  # fmt: skip
    opened(page, given(), list=listed)
    page.get_by_role("button", name="Take people over").click()
    page.get_by_label("Which file?").set_input_files(
        {"name": "people.csv", "mimeType": "text/csv", "buffer": b"Name\nKG\nAB\n"}
    )
    dialog = page.get_by_role("dialog")
    fill(dialog.get_by_label("AB"), value=True)
    expect(dialog.get_by_role("button", name="Add 1 person")).to_be_enabled()
    assert page.evaluate("kernel.heard.filter(({ type }) => type === 'list').length") == 1
    fill(dialog.get_by_label("Search in it"), "kg")
    expect(dialog.get_by_label("AB")).to_be_hidden()


# ---- Letters that are composed -----------------------------------------------------------------


def test_leaving_a_field_ends_a_composition_that_never_ends(page: Page) -> None:
    opened(page, given(draft="Old."))
    place = field(page, "draft").locator("textarea")
    place.focus()
    place.dispatch_event("compositionstart")
    place.evaluate("""(el) => {
      el.value += " Mine.";
      el.dispatchEvent(new InputEvent("input", { bubbles: true, isComposing: true }));
    }""")
    page.evaluate("""() => {
      kernel.state.fields.draft = { value: "Theirs. Old.", version: 2 };
      kernel.tell({ type: "state", ...kernel.state });
    }""")
    expect(page.locator(".pcn-status")).to_have_text("Saving…")
    field(page, "line").locator("input").focus()
    has(page, "draft", "Theirs. Old. Mine.")
    expect(page.locator(".pcn-status")).to_contain_text("Saved")


def test_a_key_that_is_not_composed_ends_a_composition(page: Page) -> None:
    opened(page, given(draft="Old."))
    place = field(page, "draft").locator("textarea")
    place.focus()
    page.keyboard.press("End")
    place.dispatch_event("compositionstart")
    page.evaluate("""() => {
      kernel.state.fields.draft = { value: "Theirs. Old.", version: 2 };
      kernel.tell({ type: "state", ...kernel.state });
    }""")
    page.keyboard.type(" Mine.")
    has(page, "draft", "Theirs. Old. Mine.")


def test_while_letters_are_composed_nothing_is_set(page: Page) -> None:
    opened(page, given(draft="Old."))
    place = field(page, "draft").locator("textarea")
    place.focus()
    place.dispatch_event("compositionstart")
    page.evaluate("""() => {
      kernel.state.fields.draft = { value: "Theirs.", version: 2 };
      kernel.tell({ type: "state", ...kernel.state });
    }""")
    page.wait_for_timeout(2500)  # longer than the timer
    expect(place).to_have_value("Old.")
    place.dispatch_event("compositionend")
    expect(place).to_have_value("Theirs.")


# ---- Dates that cannot be meant ------------------------------------------------------------------

GAP = """() => {
  const [input, hint] = ["input", ".pcn-hint"].map((of) =>
    document.querySelector(`[data-key="when"] ${of}`).getBoundingClientRect());
  return hint.top - input.bottom;
}"""


def test_a_year_of_two_digits_gets_a_hint_and_is_saved(page: Page) -> None:
    opened(page, given())
    place = field(page, "when").locator("input")
    place.focus()
    page.keyboard.type("11240026")
    has(page, "when", "0026-11-24")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    hint = field(page, "when").get_by_text("The year is 26. Did you mean 2026?")
    expect(hint).to_be_visible()
    assert page.evaluate(GAP) >= 4
    expect(place).to_have_accessible_description("The year is 26. Did you mean 2026?")
    place.fill("2026-11-24")
    expect(hint).to_be_hidden()
    has(page, "when", "2026-11-24")


def test_a_date_of_before_that_cannot_be_meant_has_its_hint(page: Page) -> None:
    opened(page, given(when="0026-11-24"))
    expect(field(page, "when").get_by_text("Did you mean 2026?")).to_be_visible()
