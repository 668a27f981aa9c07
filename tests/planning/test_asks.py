"""Messages that can be sent, loops that say where they stand, and give and get summed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pcn_course.planning.asks import NO_NAME, addressee, asks, draft, exchange_sums, loops, missing

# Synthetic people and asks.
PEOPLE = [
    {
        "id": "kg",
        "person": "KG",
        "role": "lived-experience",
        "give": "a say in the form",
        "get": "what carers use",
    },
    {"id": "rc", "person": "Respite coordinator", "give": "clean referrals"},
    {"id": "sw", "person": "School social worker", "status": "accepted"},
]
WHOLE = {
    "id": "a1",
    "purpose": "Test our referral form",
    "kind": "question",
    "to": "kg",
    "minutes": "30",
    "offer": "a paid half hour",
    "use": "your changes go into the printed form",
    "easy-no": "“no reply needed, and no hard feelings”",
}


def values(
    *table: dict[str, Any], came: list[dict[str, Any]] | None = None, people: Any = PEOPLE
) -> dict[str, Any]:
    return {
        "connections": {"people": people},
        "managing": {"asks": list(table)},
        "integrating": {"loops": came or []},
    }


def test_a_whole_ask_becomes_a_message_to_send() -> None:
    assert draft(WHOLE, values(WHOLE)) == (
        "Hello KG,\n\n"
        "May I ask for your help? It is about this: Test our referral form.\n\n"
        "It would take about 30 minutes of your time.\nIn return I offer: a paid half hour.\n"
        "How I will use your answer: your changes go into the printed form.\n\n"
        "If this does not suit you, that is fine. No reply needed, and no hard feelings.\n\n"
        "Thank you for reading this."
    )
    assert missing(WHOLE, values(WHOLE)) == ()


def test_a_question_and_an_invitation_open_differently() -> None:
    question = {**WHOLE, "purpose": "What made you drop the shared line?"}
    assert "May I ask you something? What made you drop the shared line?\n" in draft(question, {})
    invitation = {**WHOLE, "kind": "invitation", "purpose": "Respite care in three counties"}
    text = draft(invitation, {})
    assert "I would like to invite you to a small network" in text
    assert "It is for this: Respite care in three counties." in text
    assert "What will come of it: your changes" in text


@pytest.mark.parametrize("kind", ["question", "invitation", ""])
@pytest.mark.parametrize("left_out", ["purpose", "minutes", "offer", "use", "easy-no", "to"])
def test_a_message_reads_well_without_a_part_and_the_part_is_named(
    kind: str, left_out: str
) -> None:
    ask = {**WHOLE, "kind": kind, left_out: " "}
    text = draft(ask, values(ask))
    assert len(missing(ask, values(ask))) == 1
    paragraphs = text.split("\n\n")
    assert all(one and one == one.strip() for one in paragraphs)
    assert not any(mark in text for mark in (": .", "..", "  ", ":\n", " ,", "None"))
    assert text.startswith("Hello,\n" if left_out == "to" else "Hello KG,\n")
    assert paragraphs[-2].startswith("If this does not suit you")


def test_an_empty_ask_is_still_a_kind_message_and_names_all_its_parts() -> None:
    assert draft({}, {}) == (
        "Hello,\n\nMay I ask you something?\n\n"
        "If this does not suit you, a short no is fine, and so is no reply.\n\n"
        "Thank you for reading this."
    )
    assert len(missing({})) == 6


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        ("30", "It would take about 30 minutes of your time."),
        ("about 20 min.", "It would take about 20 minutes of your time."),
        ("1 minute", "It would take about 1 minute of your time."),
        ("half an hour", "Time it takes: half an hour."),
        ("10 now, 10 later", "Time it takes: 10 now, 10 later."),
    ],
)
def test_minutes_are_said_as_they_were_meant(minutes: str, words: str) -> None:
    assert words in draft({"minutes": minutes}, {})


@pytest.mark.parametrize(
    "member",
    [{"role": "lived-experience"}, {"lived-experience": "yes"}, {"group": "lived-experience"}],
)
def test_credit_or_pay_is_asked_for_people_with_lived_experience(member: dict[str, str]) -> None:
    ask = {**WHOLE, "offer": ""}
    people = [{"id": "kg", "person": "KG", **member}]
    (part,) = missing(ask, values(ask, people=people))
    assert "credit or pay" in part
    (part,) = missing(ask, values(ask, people=[{"id": "kg", "person": "KG", "role": "peer"}]))
    assert part == "what you offer in return"
    assert missing(WHOLE, values(WHOLE, people=people)) == ()


def test_somebody_renamed_is_renamed_and_somebody_gone_keeps_the_last_label() -> None:
    ask = {**WHOLE, "to-shown": "K., as it was"}
    assert addressee(ask, values(ask)) == "KG"
    assert addressee(ask, {}) == "K., as it was"
    assert draft(ask, {}).startswith("Hello K.,\n")
    assert addressee({**WHOLE, "to": "gone"}, values()) == ""


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ('"Not now" will do', '"Not now" will do.'),
        ("«no need to answer»", "No need to answer."),
        ('Just say "no"', 'Just say "no".'),
    ],
)
def test_a_quoted_no_loses_its_quotation_marks_and_no_others(words: str, told: str) -> None:
    assert f"that is fine. {told}\n" in draft({"easy-no": words}, {})


def test_line_breaks_in_a_cell_do_not_break_the_message() -> None:
    text = draft({**WHOLE, "purpose": "Test\n\n our form"}, values(WHOLE))
    assert "Test our form." in text


def test_entries_in_which_nothing_is_asked_are_no_asks() -> None:
    assert asks(values({"id": "a"}, {"id": "b", "kind": "question", "purpose": " "}, WHOLE)) == (
        WHOLE,
    )


@pytest.mark.parametrize(
    ("ask", "outcome", "state", "is_open", "words"),
    [
        ({}, None, "draft", False, "Not sent yet"),
        ({"status": "draft"}, None, "draft", False, "Not sent yet"),
        (
            {"status": "draft", "sent-on": "2027-03-01"},
            None,
            "draft",
            False,
            "Not sent yet; the day",
        ),
        ({"status": "sent"}, None, "waiting", True, "Asked, no answer yet"),
        ({"sent-on": "2026-11-02"}, None, "waiting", True, "Asked on November 2, 2026"),
        ({}, {"answered": "not-yet"}, "waiting", True, "no answer yet"),
        ({"status": "closed"}, None, "closed", False, "Closed without an answer"),
        ({"status": "closed"}, {"answered": "not-yet"}, "closed", False, "Closed"),
        ({"status": "sent"}, {"answered": "declined"}, "declined", False, "KG said no"),
        (
            {"status": "sent"},
            {"answered": "yes", "answered-on": "2026-12-03"},
            "answered",
            True,
            "Answered on December 3, 2026.",
        ),
        ({}, {"answered-on": "2026-12-03"}, "answered", True, "Answered on December 3, 2026."),
        ({}, {"answered-on": "soon", "answered": "yes"}, "answered", True, "Answered."),
        (
            {},
            {"answered": "yes", "changed": "day hours only"},
            "changed",
            True,
            "What changed: day hours only.",
        ),
        ({}, {"changed": "day hours only"}, "changed", True, "Answered."),
        (
            {"status": "closed"},
            {"answered": "yes", "changed": "day hours", "reported": "yes"},
            "reported",
            False,
            "You reported back.",
        ),
        ({}, {"answered": "yes", "reported": "yes"}, "reported", False, "is not noted"),
    ],
)
def test_a_loop_says_where_it_stands_and_what_is_next(
    ask: dict[str, str], outcome: dict[str, str] | None, state: str, is_open: bool, words: str
) -> None:
    came = [{"id": "l1", "ask": "a1", **outcome}] if outcome else []
    (loop,) = loops(values({**WHOLE, **ask}, came=came))
    assert (loop.state, loop.open) == (state, is_open)
    assert words in loop.stands
    assert bool(loop.next) == (is_open or state == "draft")
    assert (loop.purpose, loop.to) == ("Test our referral form", "KG")


@pytest.mark.parametrize(
    ("status", "state", "is_open"),
    [
        ("accepted", "accepted", False),
        ("declined", "declined", False),
        ("withdrawn", "declined", False),
        ("planned", "waiting", True),
    ],
)
def test_an_invitation_is_answered_in_the_list_of_people(
    status: str, state: str, is_open: bool
) -> None:
    ask = {**WHOLE, "kind": "invitation", "status": "sent"}
    people = [{"id": "kg", "person": "KG", "status": status}]
    (loop,) = loops(values(ask, people=people))
    assert (loop.state, loop.open) == (state, is_open)
    (question,) = loops(values({**ask, "kind": "question"}, people=people))
    assert question.state == "waiting"


def test_what_came_of_an_ask_that_is_gone_keeps_its_label() -> None:
    came = [{"id": "l1", "ask": "gone", "ask-shown": "The shared line?", "answered": "yes"}]
    (loop,) = loops(values(came=came))
    assert (loop.purpose, loop.state, loop.open) == ("The shared line?", "answered", True)


def test_outcomes_without_an_ask_do_not_cling_to_an_ask_without_an_id() -> None:
    came = [{"id": "l1", "answered": "yes"}, {"id": "l2"}]
    nameless = {key: value for key, value in WHOLE.items() if key != "id"}
    assert [loop.state for loop in loops(values(nameless, came=came))] == ["draft", "answered"]


def test_give_and_get_are_summed_for_each_member() -> None:
    table = [
        {**WHOLE, "id": "a1", "status": "sent"},
        {**WHOLE, "id": "a2", "status": "sent"},
        {**WHOLE, "id": "a3"},
        {**WHOLE, "id": "a4", "to": "rc", "status": "sent"},
        {**WHOLE, "id": "a5", "to": "sw", "kind": "invitation", "status": "sent"},
    ]
    came = [
        {"id": "l1", "ask": "a1", "answered": "yes", "changed": "x", "reported": "yes"},
        {"id": "l2", "ask": "a2", "answered": "yes"},
        {"id": "l3", "ask": "a4", "answered": "declined"},
    ]
    sums = exchange_sums(values(*table, came=came))
    kg, rc, sw = sums.members
    assert (kg.name, kg.asked, kg.answered, kg.reported, kg.owed) == ("KG", 2, 2, 1, 1)
    assert (kg.give, kg.get, kg.both) == ("a say in the form", "what carers use", True)
    assert (rc.asked, rc.answered, rc.declined, rc.owed, rc.both) == (1, 0, 1, 0, False)
    assert (sw.asked, sw.answered, sw.reported) == (1, 1, 1)
    assert (sums.asked, sums.answered, sums.reported, sums.both) == (4, 3, 2, 1)


def test_somebody_asked_who_is_on_no_list_is_summed_too() -> None:
    table = [
        {**WHOLE, "id": "a1", "to": "gone", "to-shown": "A peer", "status": "sent"},
        {**WHOLE, "id": "a2", "to": "gone", "to-shown": "A peer", "status": "sent"},
        {**WHOLE, "id": "a3", "to": "", "status": "sent"},
    ]
    sums = exchange_sums(values(*table, people=[]))
    assert [(one.name, one.asked) for one in sums.members] == [("A peer", 2), (NO_NAME, 1)]


def test_two_notes_on_one_ask_are_one_ask() -> None:
    came = [{"id": "l1", "ask": "a1", "answered": "yes"}, {"id": "l2", "ask": "a1", "changed": "x"}]
    sums = exchange_sums(values({**WHOLE, "status": "sent"}, came=came))
    assert (sums.asked, sums.answered, sums.members[0].owed) == (1, 1, 1)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


def table(*keys: str) -> st.SearchStrategy[Any]:
    cell = JSON | st.sampled_from(["r1", "r2", "yes", "sent", "declined", "invitation"])
    row = st.dictionaries(st.sampled_from(["id", *keys]), cell, max_size=8)
    return JSON | st.lists(row | JSON, max_size=4)


ASKS = table("purpose", "kind", "to", "to-shown", "minutes", "offer", "easy-no", "status")
LOOPS = table("ask", "ask-shown", "answered", "answered-on", "changed", "reported")
PEOPLE_ANYHOW = table("person", "role", "give", "get", "status")


@settings(deadline=None)
@given(JSON, ASKS, LOOPS, PEOPLE_ANYHOW)
def test_whatever_the_files_hold_nothing_fails(
    anything: Any, some: Any, came: Any, people: Any
) -> None:
    held = {
        "connections": {"people": people},
        "managing": {"asks": some},
        "integrating": {"loops": came},
    }
    for one in (anything, {"managing": anything, "connections": anything}, held):
        for ask in asks(one):
            assert draft(ask, one).startswith("Hello")
            assert isinstance(missing(ask, one), tuple)
        found, sums = loops(one), exchange_sums(one)
        assert all(loop.stands for loop in found)
        assert sums.asked <= len([loop for loop in found if loop.state != "draft"])
        assert sums.reported <= sums.answered <= sums.asked
