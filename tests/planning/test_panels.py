"""Panels: well-formed, harmless, helpful when there is nothing yet, and true to the answers."""

from __future__ import annotations

import datetime as dt
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pcn_course.course import Tool, load_course
from pcn_course.documents import plan_html
from pcn_course.network import measures, read_network
from pcn_course.planning.panels import UnknownPanelError, compare_html, panel_html

COURSE = load_course(Path(__file__).parents[2])
TODAY = dt.date(2026, 11, 24)
KINDS = ("network", "coverage", "tools", "asks", "week")
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)> & \" ' \0 </li></table>"
TAGS = {
    *("p", "strong", "span", "ul", "ol", "li", "h4", "details", "summary", "div", "button", "br"),
    *("table", "caption", "thead", "tbody", "tr", "th", "td"),
}
ATTRIBUTES = {
    *("class", "id", "dir", "start", "type", "role", "aria-label", "aria-pressed", "tabindex"),
    *("scope", "open", "data-phone", "data-bandwidth", "data-public", "data-free", "data-known"),
    *("data-used", "data-pcn-choose", "data-pcn-value", "data-pcn-copy", "data-pcn-file"),
    "data-pcn-rest",
}
MAY_NOT_STAND_IN_P = {"p", "ul", "ol", "li", "div", "table", "h4", "details"}


class Panel(HTMLParser):
    """A fragment, read strictly: every element is closed in order, no attribute comes twice."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.stack: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(html)
        self.close()
        assert self.stack == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS
        assert len({name for name, _ in attrs}) == len(attrs)
        assert {name for name, _ in attrs} <= ATTRIBUTES
        assert not ("p" in self.stack and tag in MAY_NOT_STAND_IN_P)
        if tag == "li":
            assert self.stack[-1] in ("ul", "ol")
        if self.stack and self.stack[-1] in ("ul", "ol"):
            assert tag == "li"
        self.elements.append((tag, dict(attrs)))
        if tag != "br":
            self.stack.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append((self.stack[-1] if self.stack else "", data))

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(data for _, data in self.texts))

    def all(self, tag: str, **wanted: str) -> list[dict[str, str | None]]:
        return [
            attrs
            for name, attrs in self.elements
            if name == tag
            and all(attrs.get(key.replace("_", "-")) == one for key, one in wanted.items())
        ]


def panel(kind: str, values: Any, today: dt.date = TODAY) -> Panel:
    found = Panel(panel_html(kind, COURSE, values, today))
    ids = [attrs["id"] for _, attrs in found.elements if "id" in attrs]
    assert len(set(ids)) == len(ids)
    assert all(one and one.startswith(f"pcn-panel-{kind}-") for one in ids)
    for table in re.findall(r"<table.*?</table>", found.html, re.DOTALL):
        assert table.count("<caption>") == 1
        rows = re.findall(r"<tr>(.*?)</tr>", table, re.DOTALL)
        assert len({len(re.findall(r"<t[hd]\b", row)) for row in rows}) == 1
    assert all(attrs.get("scope") in ("col", "row") for attrs in found.all("th"))
    for _, attrs in found.elements:
        if copied := attrs.get("data-pcn-copy"):
            assert copied in ids
    return found


# A synthetic student.
VALUES: dict[str, Any] = {
    "goals": {
        "live-project": "Respite care in three counties",
        "goal-list": [{"id": "g1", "goal": "One referral pathway", "by": "2027-02-26"}],
        "expertise-that-helps": [
            {"id": "n1", "expertise": "Payment rules", "group": "policy-funding", "goal": "g1"},
            {"id": "n2", "expertise": "What carers will use", "group": "lived-experience"},
        ],
    },
    "connections": {
        "people": [
            {
                "id": "kg",
                "person": "KG, carers' group",
                "role": "lived-experience",
                "sector": "community",
                "group": "lived-experience",
                "place": "local",
                "channels": ["phone-call"],
                "kinds": ["get-advice", "personal"],
                "give": "a say in the form",
                "get": "what carers use",
                "closeness": 3,
                "meets": ["n2"],
            },
            {
                "id": "rc",
                "person": "Respite coordinator",
                "sector": "public-agency",
                "place": "state",
                "channels": ["phone-call", "email"],
                "kinds": ["refer"],
                "closeness": 2,
            },
            {"id": "rr", "person": "Respite researcher", "sector": "university"},
        ],
        "ties": [{"id": "t1", "one": "kg", "other": "rc", "kind": "know"}],
        "your-sector": "nonprofit",
        "public-or-private": "private",
    },
    "tools": {
        "tools-known": ["email"],
        "your-limits": ["slow", "no-public", "blocked"],
        "tools-chosen": ["phone-call"],
    },
    "managing": {
        "how-often-to-engage": "weekly",
        "weekly-times": [
            {"id": "w2", "day": "thu", "start": "15:15", "minutes": "15", "purpose": "One call"},
            {"id": "w1", "day": "tue", "start": "07:20", "minutes": "60", "purpose": "The list"},
            {"id": "w3", "day": "fri", "purpose": "Reading"},
        ],
        "time-zone": "America/Denver",
        "quiet-from": "19:00",
        "quiet-to": "07:30",
        "review-date": "2027-01-29",
        "review-again": "quarterly",
        "asks": [
            {
                "id": "a1",
                "purpose": "Test our referral form",
                "to": "kg",
                "minutes": "30",
                "status": "draft",
            },
            {
                "id": "a2",
                "purpose": "Why was the line dropped?",
                "to": "rc",
                "status": "sent",
                "sent-on": "2026-11-02",
            },
        ],
    },
    "integrating": {"loops": [{"id": "l1", "ask": "a2", "answered": "yes"}]},
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_panel_without_answers_says_what_would_fill_it(kind: str) -> None:
    found = panel(kind, {})
    assert re.search(r"\b(Add|Say|Nothing to go by)\b", found.text)
    assert {attrs["class"] for attrs in found.all("p") if "class" in attrs} >= {"pcn-help"}


def test_an_unknown_panel_is_refused() -> None:
    with pytest.raises(UnknownPanelError, match="“import”"):
        panel_html("import", COURSE, {}, TODAY)


# Network and coverage


def test_each_measure_has_its_sentence_its_question_and_its_source_folded() -> None:
    found = panel("network", VALUES)
    all_of_them = measures(read_network(VALUES), COURSE)
    assert [text for tag, text in found.texts if tag == "h4"] == [one.title for one in all_of_them]
    for one in all_of_them:
        assert (one.says or one.why_not) in found.text
        assert one.question in found.text
        assert f"Source: {one.source}." in found.text
        assert f"(n = {one.n}). Formula: " in found.text
    assert len(found.all("details")) == len(all_of_them)
    assert not any("open" in attrs for attrs in found.all("details"))


def test_a_measure_that_is_not_computed_says_why_and_shows_no_value() -> None:
    values = {"connections": {"people": [{"id": "kg", "person": "KG"}]}}
    found = panel("network", values)
    assert "Density: not computed because a pair takes two people" in found.text
    computed = [one for one in measures(read_network(values), COURSE) if one.value is not None]
    assert 0 < len(computed) == found.text.count("Value: ")


def test_no_measure_is_coloured_good_or_bad() -> None:
    html = panel("network", VALUES).html
    assert "pcn-done" not in html
    assert "pcn-open" not in html


def test_gaps_in_coverage_are_named_with_who_could_fill_them() -> None:
    found = panel("coverage", VALUES)
    by_state = [text for tag, text in found.texts if tag == "span"]
    assert sorted(by_state) == ["Gap", "Held"]
    assert "Nobody on your list so far." in found.text
    assert "Who could know it:" in found.text
    assert "for: One referral pathway" in found.text
    assert "Held by KG, carers' group." in found.text


# Tools


def test_the_rule_on_client_information_stands_above_all_tools() -> None:
    for values in ({}, VALUES):
        text = panel("tools", values).text
        assert text.strip().startswith("One rule stands above every tool. No client information")


def test_tools_are_listed_with_reasons_the_best_five_in_sight() -> None:
    found = panel("tools", VALUES)
    in_sight = Panel(found.html.partition("<details")[0])
    assert len(in_sight.all("li", **{"class": "pcn-tool"})) == 5
    current = [tool for tool in COURSE.tools if tool.status == "current"]
    assert len(found.all("li", **{"class": "pcn-tool"})) == len(current)
    assert "Phone call ✓ Chosen : because two of your people use it;" in found.text
    assert "Ask at work which of these are allowed there" in found.text
    assert "you said no public account" in found.text
    assert "Skype: Closed on May 5, 2025. Look at Microsoft Teams or Zoom instead." in found.text


def test_the_tools_behind_the_fold_can_come_later() -> None:
    short = Panel(panel_html("tools", COURSE, VALUES, TODAY, whole=False))
    assert len(short.all("li", **{"class": "pcn-tool"})) == 5
    current = [tool for tool in COURSE.tools if tool.status == "current"]
    assert [one["data-pcn-rest"] for one in short.all("p") if "data-pcn-rest" in one] == [
        str(len(current) - 5)
    ]


def test_each_tool_carries_what_the_filters_read() -> None:
    items = panel("tools", VALUES).all("li", **{"class": "pcn-tool"})
    answers = {"yes", "no", "unknown"}
    for item in items:
        assert item["data-bandwidth"] in {"none", "low", "medium", "high", "unknown"}
        assert {item["data-phone"], item["data-public"], item["data-free"]} <= answers
        assert {item["data-known"], item["data-used"]} <= {"yes", "no"}
    assert [(one["data-known"], one["data-used"]) for one in items[:3]] == [
        ("no", "yes"),
        ("yes", "yes"),
        ("no", "no"),
    ]


def test_each_tool_can_be_chosen_and_says_whether_it_is() -> None:
    buttons = panel("tools", VALUES).all("button", data_pcn_choose="tools-chosen")
    keys = {tool.key for tool in COURSE.tools if tool.status == "current"}
    assert {one["data-pcn-value"] for one in buttons} == keys
    pressed = [one["data-pcn-value"] for one in buttons if one["aria-pressed"] == "true"]
    assert pressed == ["phone-call"]


def test_the_table_of_tools_says_what_is_not_known() -> None:
    found = Panel(compare_html(COURSE, VALUES, TODAY))
    (region,) = found.all("div", role="region")
    assert region["tabindex"] == "0"
    assert region["aria-label"]
    assert len(found.all("th", scope="row")) == len(COURSE.tools) - 3
    assert "not known" in found.text
    assert "November 22, 2026" in found.text


# Asks


def test_drafts_can_be_copied_and_say_what_is_missing() -> None:
    found = panel("asks", VALUES)
    assert "Hello KG, May I ask for your help? It is about this: Test our referral form." in (
        found.text
    )
    assert "the credit or pay that you offer, because this person brings lived" in found.text
    assert "Copy the message to KG, carers' group" in found.text
    opened = ["open" in attrs for attrs in found.all("details")]
    assert opened == [True, False]  # what was sent is folded
    assert "To Respite coordinator: Why was the line dropped? (sent)" in found.text


def test_a_message_that_points_to_somebody_says_so_before_it_is_copied() -> None:
    ask = {
        "id": "a",
        "to": "",
        "offer": "an hour",
        "purpose": "Is Maria Gonzalez at 555-201-3344 in?",
    }
    found = panel("asks", {"managing": {"asks": [ask]}})
    before = found.text.partition("Copy the message")[0]
    assert "Look at this before you send it:" in before
    assert "Maria Gonzalez" in before
    assert "555-201-3344" in before
    assert "before you send it" not in panel("asks", VALUES).text


def test_open_loops_are_flagged_in_words() -> None:
    found = panel("asks", VALUES)
    assert "1 of 2 is open." in found.text
    assert ("span", "Open") in found.texts
    assert ("span", "Not sent") in found.texts
    assert "Next: Note what changed" in found.text
    closed = {**VALUES["integrating"]["loops"][0], "answered": "declined"}
    found = panel("asks", {**VALUES, "integrating": {"loops": [closed]}})
    assert "Nothing is open." in found.text
    assert ("span", "Closed") in found.texts


def test_give_and_get_stand_in_a_table() -> None:
    found = panel("asks", VALUES)
    assert "Asks sent: 1. Answered: 1. Reported back: 0." in found.text
    assert "both named for 1 of 3. Nothing is noted yet for 1 more." in found.text
    rows = [text for tag, text in found.texts if tag == "th"]
    assert rows[-2:] == ["KG, carers' group", "Respite coordinator"]


# Week


def test_a_week_is_told_in_its_order_with_its_sum() -> None:
    found = panel("week", VALUES)
    text = found.text
    assert text.index("Tuesday, 7:20 am, 60 minutes") < text.index("Thursday, 3:15 pm, 15 minutes")
    assert "Together 1 hour and 15 minutes a week, in 2 times." in text
    assert "Times are given in Mountain time." in text
    assert "Your rhythm: Once a week." in text
    assert "One time lacks a day or a start" in text
    assert "Quiet hours: 7:00 pm to 7:30 am." in text
    assert "again on January 29, 2027 (in 66 days). After that: Every three months." in text
    assert len(found.all("button", data_pcn_file="calendar")) == 1


@pytest.mark.parametrize(
    ("rhythm", "every"),
    [("fortnightly", "every two weeks"), ("monthly", "a month"), ("weekly", "a week")],
)
def test_step_and_plan_say_the_same_sum(rhythm: str, every: str) -> None:
    times = [{"id": "w", "day": "mon", "start": "09:00", "minutes": "30"}]
    values = {"managing": {"how-often-to-engage": rhythm, "weekly-times": times}}
    words = f"Together 30 minutes {every}, in 1 time."
    assert words in panel("week", values).text
    assert words in plan_html(COURSE, values, TODAY)


@pytest.mark.parametrize(
    ("start", "minutes", "quiet", "clash"),
    [
        ("07:20", "60", ("19:00", "07:30"), True),  # begins in quiet hours
        ("18:50", "20", ("19:00", "07:30"), True),  # runs into them
        ("18:40", "20", ("19:00", "07:30"), False),  # ends as they begin
        ("07:30", "20", ("19:00", "07:30"), False),  # begins as they end
        ("23:50", "20", ("00:05", "06:00"), True),  # runs past midnight
        ("12:10", "", ("12:00", "13:00"), True),  # of unknown length
        ("11:50", "90", ("12:00", "12:30"), True),  # holds them
        ("13:00", "20", ("12:00", "13:00"), False),
    ],
)
def test_a_time_in_quiet_hours_is_pointed_out(
    start: str, minutes: str, quiet: tuple[str, str], clash: bool
) -> None:
    managing = {
        "weekly-times": [{"id": "w", "day": "mon", "start": start, "minutes": minutes}],
        "quiet-from": quiet[0],
        "quiet-to": quiet[1],
    }
    text = panel("week", {"managing": managing}).text
    assert ("One of your times lies within your quiet hours." in text) is clash
    assert ("In your quiet hours" in text) is clash


@pytest.mark.parametrize(
    ("today", "words"),
    [
        (dt.date(2027, 1, 29), "that is today"),
        (dt.date(2027, 1, 28), "that is tomorrow"),
        (dt.date(2027, 1, 30), "that day has passed"),
    ],
)
def test_the_day_to_look_again_is_counted_from_today(today: dt.date, words: str) -> None:
    assert words in panel("week", VALUES, today).text


@pytest.mark.parametrize(
    ("quiet", "words"),
    [
        ({"quiet-from": "19:00"}, "lack a beginning or an end"),
        ({"quiet-from": "19:00", "quiet-to": "19:00"}, "the whole day"),
    ],
)
def test_quiet_hours_that_make_no_sense_are_said(quiet: dict[str, str], words: str) -> None:
    assert words in panel("week", {"managing": quiet}).text


def test_without_anything_to_put_in_there_is_no_calendar() -> None:
    assert panel("week", {}).all("button") == []
    assert panel("week", {"managing": {"review-date": "2027-01-29"}}).all("button")


def test_times_without_a_length_are_not_summed_silently() -> None:
    managing = {"weekly-times": [{"id": "w", "day": "mon", "start": "00:00"}]}
    text = panel("week", {"managing": managing}).text
    assert "Monday, 12:00 am" in text
    assert "For 1 you have not said how long." in text


# Whatever stands in the answers


def hostile(value: Any) -> Any:
    """The same answers with markup for every text that is neither an id nor a choice."""
    kept = {"id", "to", "ask", "one", "other", "status", "answered", "day", "start", "closeness"}
    if isinstance(value, dict):
        return {key: one if key in kept else hostile(one) for key, one in value.items()}
    if isinstance(value, list):
        return [hostile(one) for one in value]
    return HOSTILE if isinstance(value, str) else value


@pytest.mark.parametrize("kind", KINDS)
def test_markup_in_every_field_is_text(kind: str) -> None:
    found = panel(kind, hostile(VALUES))
    assert "\0" not in found.html
    if kind not in ("tools", "network"):  # which quote no word of the student's
        assert "<script>alert(1)</script>" in found.text


def test_markup_in_the_catalogue_is_text() -> None:
    text_fields = [one for one in Tool.__struct_fields__ if one not in ("aims", "steps")]
    plain = {one: HOSTILE for one in text_fields if one not in ("checked_on", "status")}
    tools = tuple(msgspec.structs.replace(tool, **plain) for tool in COURSE.tools[-4:])
    course = msgspec.structs.replace(COURSE, tools=tools)
    assert HOSTILE.partition(" ")[0] in Panel(panel_html("tools", course, VALUES, TODAY)).text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=8,
)


@st.composite
def like_values(draw: st.DrawFn) -> Any:
    """The synthetic student's answers with some of them, or some cells, replaced by anything."""

    def anyhow(value: Any, depth: int) -> Any:
        if draw(st.integers(0, 5)) == 0:
            return draw(JSON)
        if depth and isinstance(value, dict):
            return {key: anyhow(one, depth - 1) for key, one in value.items()}
        if depth and isinstance(value, list):
            return [anyhow(one, depth - 1) for one in value]
        return value

    return anyhow(VALUES, 4)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=40, deadline=None)
@given(values=like_values())
def test_whatever_the_files_hold_there_is_a_sound_panel(kind: str, values: Any) -> None:
    assert panel(kind, values).text.strip()
