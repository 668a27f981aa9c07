"""The catalogue in an order that explains itself: people first, limits kept, nothing hidden."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pcn_course.course import Course, Tool, load_course
from pcn_course.planning.tools import (
    RULE,
    Ranked,
    Traits,
    because,
    checks,
    rank,
    retired,
    said_something,
    traits,
)

COURSE = load_course(Path(__file__).parents[2])
TODAY = dt.date(2026, 11, 24)
CURRENT = [tool for tool in COURSE.tools if tool.status == "current"]


def tool_named(name: str, **changes: Any) -> Tool:
    (tool,) = (one for one in COURSE.tools if one.name == name)
    return msgspec.structs.replace(tool, **changes)


def course_of(*tools: Tool) -> Course:
    return msgspec.structs.replace(COURSE, tools=tools)


def ranked(values: Any, course: Course = COURSE, today: dt.date = TODAY) -> dict[str, Ranked]:
    return {one.tool.key: one for one in rank(course, values, today)}


def people(*channels: list[str]) -> dict[str, Any]:
    return {"people": [{"id": f"p{n}", "channels": used} for n, used in enumerate(channels)]}


def said(**answers: Any) -> dict[str, Any]:
    return {"tools": {key.replace("_", "-"): value for key, value in answers.items()}}


def test_the_rule_speaks_of_client_information_with_or_without_an_agreement() -> None:
    assert "client information" in RULE
    assert "whether or not" in RULE
    assert "(BAA)" in RULE


def test_the_tool_that_most_people_use_comes_first_and_says_so() -> None:
    values = {"connections": people(*[["signal", "email"]] * 3, ["signal"])}
    first, second, *_ = rank(COURSE, values, TODAY)
    assert (first.tool.key, second.tool.key) == ("signal", "email")
    assert because(first) == (
        "because four of your people use it; it is free; it works by phone; "
        "it works on a weak connection"
    )
    assert "three of your people use it" in because(second)
    assert "one of your people uses it" in because(ranked({"connections": people(["x"])})["x"])


def test_each_person_counts_once_for_a_tool() -> None:
    assert ranked({"connections": people(["x", "x", "x"])})["x"].used_by == 1


def test_what_is_known_wanted_and_chosen_is_said() -> None:
    found = ranked(said(tools_known=["slack"], tools_wanted=["orcid"], tools_chosen=["zoom"]))
    assert "you know it already" in because(found["slack"])
    assert found["slack"].known
    assert "you would like to try it" in because(found["orcid"])
    assert [key for key, one in found.items() if one.chosen] == ["zoom"]


@pytest.mark.parametrize(
    ("limit", "broken", "kept", "words"),
    [
        ("slow", "zoom", "email", "It needs a good connection"),
        ("slow", "bluesky", "mastodon", "It needs a fair connection"),
        ("no-public", "linkedin", "facebook-groups", "you said no public account"),
        ("no-public", "mastodon", "email-list-listserv", "you said no public account"),
    ],
)
def test_a_broken_limit_outweighs_everything_and_is_said(
    limit: str, broken: str, kept: str, words: str
) -> None:
    values = {
        **said(your_limits=[limit], tools_known=[broken], tools_wanted=[broken]),
        "connections": people(*[[broken]] * 9),
    }
    order = rank(COURSE, values, TODAY)
    found = {one.tool.key: one for one in order}
    assert words in found[broken].cautions[0]
    assert found[broken].breaks == found[broken].cautions[:1]
    assert not found[kept].breaks
    marks = [bool(one.breaks) for one in order]
    assert marks == sorted(marks)
    assert found[broken].score > max(one.score for one in order if not one.breaks)


def test_only_a_known_no_breaks_phone_only_and_an_unknown_is_said() -> None:
    no = tool_named("Slack", phone_only="no")
    unknown = tool_named("Padlet", phone_only="")
    yes = tool_named("ORCID", phone_only="yes")
    order = rank(course_of(no, unknown, yes), said(your_limits=["phone-only"]), TODAY)
    assert [one.tool.name for one in order] == ["ORCID", "Padlet", "Slack"]
    assert "Nothing is noted about using it by phone alone: try it first." in order[1].cautions
    assert order[2].breaks == ("It does not work by phone alone, and you said that it must.",)


def test_phone_and_meeting_in_person_break_no_limit() -> None:
    found = ranked(said(your_limits=["slow", "phone-only", "no-public", "cost", "blocked"]))
    for key in ("phone-call", "in-person"):
        assert found[key].breaks == ()
        assert not any("by phone alone" in sentence for sentence in found[key].cautions)


def test_nothing_is_hidden_whatever_was_said() -> None:
    limits = [option.value for option in prompt_options("your-limits")]
    assert {one.tool.name for one in rank(COURSE, said(your_limits=limits), TODAY)} == {
        tool.name for tool in CURRENT
    }


def prompt_options(key: str) -> tuple[Any, ...]:
    prompt = COURSE.step("tools").prompt(key)
    assert prompt
    return prompt.options


def test_cost_is_weighed_and_the_limits_of_a_free_plan_are_said() -> None:
    paid, free = tool_named("Slack", free="no"), tool_named("Discord", free="yes")
    part, bare = tool_named("Zoom"), tool_named("Padlet", free="limited")
    order = ranked(said(your_limits=["cost"]), course_of(paid, free, part, bare))
    assert list(order) == ["discord", "zoom", "padlet", "slack"]
    assert "It costs money, and you said that it must be free." in order["slack"].cautions
    assert "It is free only in part: group meetings end after 40 minutes." in order["zoom"].cautions
    assert "It is free only in part." in order["padlet"].cautions
    assert "it is free within limits" in because(order["zoom"])


def test_every_feature_lifts_some_tools_and_not_all_of_them() -> None:
    plain = ranked({})
    for option in prompt_options("features-you-prefer"):
        lifted = ranked(said(features_you_prefer=[option.value]))
        higher = [key for key, one in lifted.items() if one.score > plain[key].score]
        assert 0 < len(higher) < len(CURRENT), option.value
        assert all(set(plain[key].reasons) <= set(lifted[key].reasons) for key in higher)


def test_features_are_read_from_the_catalogues_columns() -> None:
    features = ["closed-group", "live", "documents", "be-found", "take-along", "private-messages"]
    found = ranked(said(features_you_prefer=features))
    assert "a small group can meet there" in because(found["signal"])
    assert "a small group can meet there" not in because(found["reddit"])
    assert "you can talk live" in because(found["phone-call"])
    assert "you can pass on work and go on with it together" in because(found["google-docs"])
    assert "strangers in your field can find you" in because(found["orcid"])
    assert "you can take your contacts or texts along" in because(found["linkedin"])
    assert "you can write or talk to one person alone" in because(found["email"])
    assert any("not end-to-end encrypted" in one for one in found["mastodon"].cautions)


def test_how_public_a_network_may_be_counts() -> None:
    private = ranked({"connections": {"public-or-private": "private"}})
    public = ranked({"connections": {"public-or-private": "public"}})
    assert "it need not be public, as you wish" in because(private["email"])
    assert "It is public, and you want a private network." in private["x"].cautions
    assert private["x"].breaks == ()
    assert "it is public, as your network may be" in because(public["x"])
    assert list(public).index("x") < list(private).index("x")


def test_access_is_told_from_the_catalogue_or_said_to_be_unknown() -> None:
    found = ranked(said(your_limits=["accessible"]))
    assert "Access: Sorting the notes does not work by keyboard." in found["padlet"].cautions
    assert any(one.startswith("Access: Nothing is noted") for one in found["slack"].cautions)


def test_what_no_catalogue_knows_is_to_be_checked() -> None:
    assert checks(said(your_limits=["slow", "cost"])) == ()
    told = checks(said(your_limits=["languages", "shared-device", "blocked"]))
    pairs = zip(("at work", "device", "languages"), told, strict=True)
    assert all(word in sentence for word, sentence in pairs)


def test_every_caution_of_the_catalogue_is_shown() -> None:
    for one in rank(COURSE, {}, TODAY):
        assert any(one.tool.caution in sentence for sentence in one.cautions)


@pytest.mark.parametrize(
    ("checked_on", "words"),
    [
        (None, "Not checked yet"),
        (dt.date(2025, 11, 23), "Last checked on November 23, 2025, more than a year ago"),
        (dt.date(2025, 11, 24), ""),
        (dt.date(2027, 1, 1), ""),
    ],
)
def test_a_stale_row_says_so(checked_on: dt.date | None, words: str) -> None:
    (one,) = rank(course_of(tool_named("Zoom", checked_on=checked_on)), {}, TODAY)
    assert one.stale.startswith(words)
    assert bool(one.stale) == bool(words)


def test_retired_tools_are_not_ranked_but_named_with_what_replaces_them() -> None:
    assert "skype" not in ranked(said(tools_known=["skype"]))
    told = retired(COURSE)
    assert "Skype: Closed on May 5, 2025. Look at Microsoft Teams or Zoom instead." in told
    assert len(told) == len(COURSE.tools) - len(CURRENT)
    gone = tool_named("Skype", caution="", replacement="")
    assert retired(course_of(gone)) == ("Skype: Not in use any more.",)


def test_without_answers_equal_tools_keep_the_catalogues_order() -> None:
    order = [one.tool for one in rank(COURSE, {}, TODAY)]
    (first, *_), places = order, {tool.name: n for n, tool in enumerate(COURSE.tools)}
    equal = [tool for tool in order if traits(tool) == traits(first)]
    assert [places[tool.name] for tool in equal] == sorted(places[tool.name] for tool in equal)
    assert not said_something({})
    assert said_something({"connections": people(["email"])})
    assert said_something({"connections": {"public-or-private": "private"}})
    assert not said_something({"connections": {"public-or-private": "undecided"}})


def test_a_tool_without_any_reason_says_that() -> None:
    bare = tool_named("ORCID", free="", bandwidth="high", phone_only="")
    (one,) = rank(course_of(bare), {}, TODAY)
    assert because(one) == "nothing that you said speaks for it yet"


@pytest.mark.parametrize(
    ("reach", "public"),
    [
        ("very public", "yes"),
        ("public, under a pseudonym", "yes"),
        ("public or semi-public", "yes"),
        ("public or followers only", "yes"),
        ("semi-public", "no"),
        ("semi-public: members, sometimes an open archive", "no"),
        ("private to public", "no"),
        ("by link", "no"),
        ("", "unknown"),
    ],
)
def test_public_means_that_there_is_no_private_way(reach: str, public: str) -> None:
    assert traits(tool_named("Zoom", reach=reach)).public == public


def test_traits_are_the_words_of_the_filters() -> None:
    assert traits(tool_named("Phone call")) == Traits("yes", "none", "no", "unknown")
    assert traits(tool_named("Bluesky")) == Traits("yes", "medium", "yes", "yes")
    assert traits(tool_named("Skype")) == Traits("unknown", "unknown", "unknown", "unknown")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
ROWS = st.lists(st.dictionaries(st.sampled_from(["id", "channels"]), JSON) | JSON, max_size=4)
VALUES = st.fixed_dictionaries(
    {},
    optional={
        "connections": JSON
        | st.fixed_dictionaries({}, optional={"people": ROWS, "public-or-private": JSON}),
        "tools": JSON
        | st.dictionaries(
            st.sampled_from(["tools-known", "tools-wanted", "tools-chosen", "your-limits"]), JSON
        ),
    },
)


@settings(deadline=None)
@given(JSON | VALUES)
def test_whatever_the_files_hold_every_current_tool_is_ranked_once(values: Any) -> None:
    order = rank(COURSE, values, TODAY)
    assert sorted(one.tool.name for one in order) == sorted(tool.name for tool in CURRENT)
    assert all(because(one) for one in order)
    assert isinstance(checks(values), tuple)
    assert isinstance(said_something(values), bool)
