"""Each measure against its formula or networkx, and words that fit every network there is."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pcn_course.course import Course, Prompt, load_course
from pcn_course.network import (
    ASKED,
    Measure,
    Network,
    Tie,
    changes,
    constraint,
    coverage,
    density,
    measures,
    read_network,
)

COURSE = load_course(Path(__file__).parents[1])
SECTORS = ("health", "schools", "public-agency", "nonprofit", "community")
KEYS = (
    *("size", "density", "effective-size", "efficiency", "constraint"),
    *("iqv-sector", "iqv-discipline", "iqv-place", "e-i", "mutuality", "multiplexity"),
)
STRUCTURE = KEYS[1:5]
CONNECTIONS = COURSE.step("connections")

Row = dict[str, Any]


# Everybody here is made up.
def people(count: int, **same: Any) -> list[Row]:
    return [{"id": f"p{n}", "person": f"P{n}", **same} for n in range(count)]


def tied(*pairs: Sequence[int] | str) -> list[Row]:
    """Ties between members by their numbers; "ab" is short for the first and the second."""
    numbers = [[ord(one) - ord("a") for one in p] if isinstance(p, str) else p for p in pairs]
    return [{"id": f"t{a}-{b}", "one": f"p{a}", "other": f"p{b}"} for a, b in numbers]


def network(rows: Any, ties: Any = (), sector: Any = "") -> Network:
    ties = list(ties) if isinstance(ties, tuple) else ties
    return read_network({"connections": {"people": rows, "ties": ties, "your-sector": sector}})


def by_key(net: Network, course: Course = COURSE) -> dict[str, Measure]:
    return {measure.key: measure for measure in measures(net, course)}


def without(table: str, *columns: str) -> Course:
    """The course without a prompt of step 2, or without some columns of its table."""
    prompts = []
    for prompt in CONNECTIONS.prompts:
        if prompt.key != table:
            prompts.append(prompt)
        elif columns:
            kept = tuple(column for column in prompt.columns if column.key not in columns)
            prompts.append(msgspec.structs.replace(prompt, columns=kept))
    return with_prompts(prompts)


def offering(column: str, count: int) -> Course:
    """The course with the first options of a column of its people only."""
    (table,) = (prompt for prompt in CONNECTIONS.prompts if prompt.key == "people")
    columns = tuple(
        msgspec.structs.replace(one, options=one.options[:count]) if one.key == column else one
        for one in table.columns
    )
    cut = msgspec.structs.replace(table, columns=columns)
    return with_prompts(cut if one is table else one for one in CONNECTIONS.prompts)


def with_prompts(prompts: Iterable[Prompt]) -> Course:
    step = msgspec.structs.replace(CONNECTIONS, prompts=tuple(prompts))
    steps = tuple(step if one is CONNECTIONS else one for one in COURSE.steps)
    return msgspec.structs.replace(COURSE, steps=steps)


# ---- Fixtures ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n", "ties", "expected"),
    [
        (1, [], (None, 1, 1.0)),
        (2, [], (0, 2, 0.5)),
        (2, ["ab"], (1, 1, 1.125)),
        (3, ["ab"], (0.3333, 2.3333, 0.6111)),
        (3, ["ab", "bc", "ca"], (1, 1, 0.9259)),
        (4, ["ab", "cd"], (0.3333, 3, 0.5625)),
        (5, ["ab", "ac", "ad", "ae"], (0.4, 3.4, 0.5904)),
        (6, ["ab", "bc", "ca", "de", "ef", "fd"], (0.4, 4, 0.46296)),
        (10, [], (0, 10, 0.1)),
    ],
    ids=lambda value: str(value) if isinstance(value, int) else None,
)
def test_structure_of_known_networks(
    n: int, ties: list[str], expected: tuple[float | None, float, float]
) -> None:
    found = by_key(network(people(n), tied(*ties)))
    assert found["size"].value == n
    values = tuple(found[key].value for key in ("density", "effective-size", "constraint"))
    assert values == pytest.approx(expected, abs=5e-5)
    assert found["efficiency"].value == pytest.approx(expected[1] / n, abs=5e-5)


@pytest.mark.parametrize("n", range(1, ASKED + 1))
def test_constraint_where_all_know_each_other(n: int) -> None:
    everyone = tied(*itertools.combinations(range(n), 2))
    assert constraint(network(people(n), everyone)) == pytest.approx((2 * n - 1) ** 2 / n**3)


@pytest.mark.parametrize(
    ("counts", "offered", "iqv"),
    [((9, 6, 3, 2), 4, 0.9), ((4, 3, 2, 1), 4, 0.9333), ((4, 3, 2, 1), 6, 0.84)],
)
def test_spread_of_known_counts(counts: tuple[int, ...], offered: int, iqv: float) -> None:
    rows = [
        {"id": f"{sector}{n}", "sector": sector}
        for sector, count in zip(SECTORS, counts, strict=False)
        for n in range(count)
    ]
    found = by_key(network(rows), offering("sector", offered))["iqv-sector"]
    assert found.value == pytest.approx(iqv, abs=5e-5)
    assert found.n == sum(counts)


def test_ties_outside_and_inside_of_ones_own_sector() -> None:
    rows = [{"id": f"o{n}", "sector": "health"} for n in range(7)]
    rows += [{"id": f"i{n}", "sector": "schools"} for n in range(3)]
    found = by_key(network([*rows, {"id": "?", "person": "KG"}], sector="schools"))["e-i"]
    assert found.value == pytest.approx(0.4)
    assert found.n == 10
    assert found.says == (
        "Of 10 people with a sector noted, 7 belong outside of yours (Schools) and 3 inside: 0.4, "
        "on a scale from -1 (all inside) to 1 (all outside); 1 person without a sector is left out."
    )


# ---- Random networks -----------------------------------------------------------------------------


@st.composite
def rows_and_ties(draw: st.DrawFn, most: int = ASKED) -> tuple[list[Row], list[Row]]:
    n = draw(st.integers(0, most))

    def some(key: str) -> st.SearchStrategy[str]:
        column = next(one for one in people_prompt().columns if one.key == key)
        return st.sampled_from(["", "unheard of", *(option.value for option in column.options)])

    cells = st.fixed_dictionaries(
        {
            "sector": some("sector"),
            "group": some("group"),
            "place": some("place"),
            "kinds": st.lists(some("kinds"), max_size=3),
            "give": st.sampled_from(["", "  ", "an hour"]),
            "get": st.sampled_from(["", "the rules"]),
        }
    )
    rows = [{"id": f"p{i}", "person": f"P{i}", **draw(cells)} for i in range(n)]
    number = st.integers(0, max(n - 1, 0))
    return rows, tied(*draw(st.lists(st.tuples(number, number), max_size=40)))


def people_prompt() -> Prompt:
    return next(prompt for prompt in CONNECTIONS.prompts if prompt.key == "people")


def graph_of(rows: list[Row], ties: list[Row]) -> nx.Graph:
    """Me, tied to everybody, and their ties; made from the rows, not by what is tested."""
    graph: nx.Graph = nx.Graph()
    graph.add_nodes_from(row["id"] for row in rows)
    graph.add_edges_from((tie["one"], tie["other"]) for tie in ties if rows)
    graph.remove_edges_from(list(nx.selfloop_edges(graph)))
    graph.add_edges_from(("me", row["id"]) for row in rows)
    return graph


@given(rows_and_ties())
def test_structure_is_what_networkx_finds(drawn: tuple[list[Row], list[Row]]) -> None:
    rows, ties = drawn
    found = by_key(network(rows, ties))
    n = len(rows)
    assert (found["size"].value, found["size"].n) == (n, n)
    if not n:
        assert [found[key].value for key in STRUCTURE] == [None] * 4
        return
    graph = graph_of(rows, ties)
    size = nx.effective_size(graph)["me"]
    assert found["effective-size"].value == pytest.approx(size)
    assert found["efficiency"].value == pytest.approx(size / graph.degree("me"))
    assert found["constraint"].value == pytest.approx(nx.constraint(graph)["me"])
    graph.remove_node("me")
    assert found["density"].value == (pytest.approx(nx.density(graph)) if n > 1 else None)
    assert {found[key].n for key in STRUCTURE} == {n}


@given(rows_and_ties(most=60))
def test_shares_are_what_their_formulas_say(drawn: tuple[list[Row], list[Row]]) -> None:
    rows, ties = drawn
    found = by_key(network(rows, ties, "nonprofit"))
    for key, column, categories in (
        ("iqv-sector", "sector", 10),
        ("iqv-discipline", "group", 8),
        ("iqv-place", "place", 4),
    ):
        known = [row[column] for row in rows if row[column] not in ("", "unheard of")]
        assert found[key].n == len(known)
        if known:
            # Two drawn at random, with replacement, differ so often; scaled to 1 at most.
            differ = sum(a != b for a, b in itertools.product(known, repeat=2)) / len(known) ** 2
            assert found[key].value == pytest.approx(differ * categories / (categories - 1))
        else:
            assert found[key].value is None
    known = [row["sector"] for row in rows if row["sector"] not in ("", "unheard of")]
    signs = [-1 if sector == "nonprofit" else 1 for sector in known]
    assert found["e-i"].value == (pytest.approx(sum(signs) / len(signs)) if signs else None)
    assert found["e-i"].n == len(signs)
    both = [bool(row["give"].strip() and row["get"]) for row in rows]
    several = [len(set(row["kinds"]) - {"", "unheard of"}) >= 2 for row in rows]
    for key, flags in (("mutuality", both), ("multiplexity", several)):
        assert found[key].value == (pytest.approx(sum(flags) / len(rows)) if rows else None)
        assert found[key].n == len(rows)


@given(rows_and_ties(most=60), st.sampled_from(["", "health", "unheard of"]))
def test_every_measure_explains_itself(drawn: tuple[list[Row], list[Row]], sector: str) -> None:
    found = measures(network(*drawn, sector), COURSE)
    assert tuple(measure.key for measure in found) == KEYS
    for one in found:
        assert one.title
        assert one.source
        assert one.question.endswith("?")
        if one.value is None:
            assert one.says == ""
            assert re.fullmatch(r"not computed because .+\.", one.why_not)
        else:
            assert one.why_not == ""
            assert re.fullmatch(r"[A-Z0-9].+\.", one.says)
        words = f"{one.says} {one.question}".lower()
        assert not re.search(r"\b1 (people|pairs|ties|contacts)\b", words)
        assert not re.search(r"\b(0|[2-9]|\d\d+) (person|pair|tie|contact)\b", words)
        # No measure is praise or blame.
        judging = r"\b(good|bad|well|strong|weak|better|best|worse|poor|only \d|should|too)\b"
        assert not re.search(judging, words)


# ---- What they say -------------------------------------------------------------------------------


def test_density_counts_pairs_in_words() -> None:
    three = network(people(8), tied("ab", "cd", "ef"))
    assert by_key(three)["density"].says == (
        "3 of the 28 possible pairs among your 8 people know each other."
    )


@pytest.mark.parametrize(
    ("n", "ties", "says"),
    [
        (2, ["ab"], "Your 2 people know each other."),
        (2, [], "Your 2 people do not know each other, as far as you noted."),
        (3, ["ab"], "In 1 of the 3 possible pairs among your 3 people, the two know each other."),
        (3, ["ab", "bc", "ca"], "All 3 possible pairs among your 3 people know each other."),
    ],
)
def test_density_of_few(n: int, ties: list[str], says: str) -> None:
    assert by_key(network(people(n), tied(*ties)))["density"].says == says


def test_a_star_without_ties_explains_itself() -> None:
    found = by_key(network(people(6)))
    assert found["density"].says == (
        "None of the 15 possible pairs among your 6 people know each other, as far as you noted."
    )
    assert found["effective-size"].says == (
        "None of your 6 people know each other, as far as you noted, so together they count as "
        "6 separate contacts."
    )
    assert found["efficiency"].says == (
        "Your 6 people count as 6 separate contacts, which is 1 for each of them."
    )
    assert found["constraint"].says == (
        "Constraint for your 6 people is 0.17; it would be 0.17 if none of them knew each other, "
        "and 0.56 if all did."
    )


def test_nobody_is_no_fault_of_the_measures() -> None:
    found = by_key(Network())
    assert (found["size"].value, found["size"].says) == (0, "There is nobody on your list yet.")
    others = [found[key] for key in KEYS[1:]]
    assert {one.why_not for one in others} == {
        "not computed because there is nobody on your list yet."
    }


def test_one_person_has_no_pairs_and_no_choice() -> None:
    found = by_key(network(people(1, sector="health", give="time", get="advice")))
    assert found["size"].says == "You list 1 person."
    assert found["density"].why_not == (
        "not computed because a pair takes two people, and there is only 1 on your list."
    )
    assert found["constraint"].says == (
        "With a single person whose ties are counted, constraint is always 1."
    )
    assert found["iqv-sector"].says == (
        "Your 1 person has a sector noted, in 1 of the 10 sectors offered (Health care: 1): 0, as "
        "it always is with one person."
    )
    assert found["mutuality"].says == (
        "You noted both what you give and what you get for your 1 person."
    )


def test_sixty_are_measured_by_the_first_fifteen_where_ties_count_and_say_so() -> None:
    net = network(people(60, place="local"), tied((0, 1), (2, 3), (14, 15), (20, 21)))
    found = by_key(net)
    assert found["size"].says == (
        "You list 60 people; ties among them are counted for the first 15 only."
    )
    assert found["density"].says == (
        "2 of the 105 possible pairs among the first 15 of your 60 people know each other; "
        "2 ties to others are left out."
    )
    for key in STRUCTURE:
        assert found[key].n == 15
        assert "he first 15 of your 60 people" in found[key].says
    assert [found[key].n for key in ("size", "iqv-place", "mutuality")] == [60] * 3


def test_a_first_page_of_empty_rows_has_nobody_to_ask_about() -> None:
    rows = [{"id": f"e{n}"} for n in range(15)] + [{"id": "x", "person": "KG"}]
    found = by_key(network(rows))
    assert found["size"].value == 1
    reason = "ties are counted among the first 15 rows only, and nobody stands there."
    assert {found[key].why_not for key in STRUCTURE} == {f"not computed because {reason}"}
    found = by_key(network([*rows[:14], {"id": "y", "person": "Y"}, rows[-1]]))
    assert found["density"].why_not == (
        "not computed because a pair takes two people, and there is only 1 in the first 15 rows."
    )


def test_spread_names_its_scale_and_who_is_left_out() -> None:
    rows = [{"id": "a", "place": "local"}, {"id": "b", "place": "state"}, {"id": "c", "give": "x"}]
    found = by_key(network(rows))["iqv-place"]
    assert found.says == (
        "2 of your 3 people have a place noted, in 2 of the 4 places offered (Local: 1; In the "
        "state: 1): 0.67, on a scale from 0 (all in one) to 0.67 (everybody in a different one)."
    )
    found = by_key(network(people(5, place="local")))["iqv-place"]
    assert "All your 5 people have a place noted, in 1 of the 4" in found.says
    assert found.says.endswith("0, on a scale from 0 (all in one) to 1 (as many in each).")
    found = by_key(network(people(5)))["iqv-place"]
    assert found.why_not == "not computed because no place is noted for anybody on your list."


@pytest.mark.parametrize("sector", ["", "unheard of", None, 4])
def test_without_my_own_sector_there_is_no_inside(sector: Any) -> None:
    found = by_key(network(people(2, sector="health"), sector=sector))["e-i"]
    assert (found.value, found.n) == (None, 2)
    assert found.why_not == (
        "not computed because you have not said where you work or belong yourself."
    )


def test_without_any_sector_of_theirs_there_is_no_inside_either() -> None:
    found = by_key(network(people(2), sector="health"))["e-i"]
    assert found.why_not == "not computed because no sector is noted for anybody on your list."


@pytest.mark.parametrize(
    ("course", "keys"),
    [
        (without("people", "sector"), {"iqv-sector", "e-i"}),
        (without("people", "group"), {"iqv-discipline"}),
        (without("people", "place"), {"iqv-place"}),
        (without("people", "kinds"), {"multiplexity"}),
        (without("people", "get"), {"mutuality"}),
        (without("ties"), set(STRUCTURE)),
        (without("your-sector"), {"e-i"}),
        (without("people"), set(KEYS)),
        (msgspec.structs.replace(COURSE, steps=()), set(KEYS)),
    ],
    ids=["sector", "group", "place", "kinds", "get", "ties", "own sector", "people", "steps"],
)
def test_what_another_course_does_not_ask_is_not_computed(course: Course, keys: set[str]) -> None:
    rows = people(3, sector="health", group="other", place="local", kinds=["refer"])
    found = by_key(network(rows, sector="health"), course)
    reason = "not computed because this course does not ask for it."
    assert {key for key, one in found.items() if one.why_not == reason} == keys
    assert {key for key, one in found.items() if one.value is None} == keys


def test_one_category_offers_nothing_to_compare() -> None:
    found = by_key(network(people(3, sector="health")), offering("sector", 1))["iqv-sector"]
    assert found.why_not == (
        "not computed because this course offers one sector only, so there is nothing to compare."
    )


def test_size_says_who_declined() -> None:
    rows = people(3)
    rows[0]["status"], rows[2]["status"] = "declined", "withdrawn"
    assert by_key(network(rows))["size"].says == (
        "You list 3 people; 2 of them declined or withdrew."
    )


# ---- Reading -------------------------------------------------------------------------------------


def test_a_member_is_read_whole() -> None:
    row = {
        "id": "kg",
        "person": " KG,\n carer ",
        "role": "lived-experience",
        "sector": "community",
        "lived-experience": "yes",
        "how-met": "at a meeting",
        "kinds": ["refer", "refer", "", "personal"],
        "channels": ["phone-call"],
        "meets": ["n1"],
        "closeness": 4,
        "status": "accepted",
    }
    (member,) = network([row]).members
    assert member.name == "KG, carer"
    assert member.lived_experience == "yes"
    assert member.how_met == "at a meeting"
    assert member.kinds == ("refer", "personal")
    assert (member.channels, member.meets) == (("phone-call",), ("n1",))
    assert (member.closeness, member.said_no) == (4, False)


def test_a_pair_counts_once_in_both_directions_and_ties_to_nobody_never() -> None:
    ties = [
        {"one": "p1", "other": "p0", "kind": "work"},
        {"one": "p0", "other": "p1", "kind": "refer"},
        {"one": "p0", "other": "p1", "kind": "work"},
        {"one": "p0", "other": "p0", "kind": "know"},
        {"one": "p0", "other": "gone"},
        {"one": "", "other": "p0"},
        {"other": "p0"},
        {"one": ["p1"], "other": {"p0": 1}},
        "p0p1",
        None,
    ]
    assert network(people(2), ties).ties == (Tie("p0", "p1", ("work", "refer")),)


def test_members_without_a_name_are_called_by_their_place_and_empty_rows_are_nobody() -> None:
    rows = [{"id": "a", "person": "KG"}, {"id": "b", "person": " "}, {"id": "c", "give": "time"}]
    assert [member.name for member in network(rows).members] == ["KG", "Person 3"]


def test_rows_without_an_id_or_with_the_same_one_are_people_too() -> None:
    rows = [{"id": "a", "person": "A"}, {"id": "a", "person": "B"}, {"person": "C"}]
    net = network([*rows, {"id": "d", "person": "D"}], [{"one": "a", "other": "d"}])
    assert [member.name for member in net.members] == ["A", "B", "C", "D"]
    assert len({member.id for member in net.members}) == 4
    assert net.ties == (Tie("a", "d"),)


def test_only_ties_among_the_first_fifteen_rows_count() -> None:
    rows = people(17)
    rows[3] = {"id": "p3"}
    net = network(rows, tied((0, 14), (14, 15), (15, 16), (0, 3)))
    assert net.asked == tuple(f"p{n}" for n in range(15) if n != 3)
    assert net.ties == (Tie("p0", "p14"),)
    assert net.left_out == (Tie("p14", "p15"), Tie("p15", "p16"))


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "one", "give"]) | st.text(max_size=3), inner)
    ),
    max_leaves=6,
)
CELLS = ("id", "person", "sector", "group", "place", "kinds", "give", "get", "meets", "closeness")
JUNK_ROW = JUNK | st.dictionaries(
    st.sampled_from([*CELLS, "one", "other", "kind", "expertise", "status", "held-by"]), JUNK
)
JUNK_TABLE = JUNK | st.lists(JUNK_ROW, max_size=20)
JUNK_VALUES = JUNK | st.fixed_dictionaries(
    {
        "goals": JUNK
        | st.fixed_dictionaries({"expertise-that-helps": JUNK_TABLE, "goal-list": JUNK_TABLE}),
        "connections": JUNK
        | st.fixed_dictionaries({"people": JUNK_TABLE, "ties": JUNK_TABLE, "your-sector": JUNK}),
    }
)


@given(JUNK_VALUES, JUNK_VALUES)
def test_whatever_a_file_holds_there_is_a_network(values: Any, others: Any) -> None:
    first, last = read_network(values), read_network(others)
    assert tuple(measure.key for measure in measures(first, COURSE)) == KEYS
    assert coverage(COURSE, values).says
    assert all(changes(first, last, COURSE))
    ids = [member.id for member in first.members]
    assert len(set(ids)) == len(ids)
    assert set(first.asked) <= set(ids)


# ---- Coverage ------------------------------------------------------------------------------------


def needs(*rows: Row, people: Any = (), goals: Any = ()) -> dict[str, Any]:
    return {
        "goals": {"expertise-that-helps": list(rows), "goal-list": list(goals)},
        "connections": {"people": list(people)},
    }


RULES = {"id": "n1", "expertise": "Rules for paying", "group": "policy-funding", "goal": "g1"}
CARERS = {"id": "n2", "expertise": "What carers accept", "group": "lived-experience"}
COUNTY = {"id": "rc", "person": "Respite coordinator, county", "meets": ["n1"]}


def test_a_need_is_held_by_those_of_whom_it_was_said() -> None:
    rows = [COUNTY, {"id": "x", "person": "AB", "meets": ["n1", "n9"], "status": "sent"}]
    found = coverage(COURSE, needs(RULES, people=rows, goals=[{"id": "g1", "goal": "One form"}]))
    (need,) = found.needs
    assert (need.state, need.goal, need.group) == ("held", "One form", "Policy, law or funding")
    assert need.held_by == ("Respite coordinator, county", "AB")
    assert need.says == "Held by Respite coordinator, county; and AB (no answer yet)."
    assert (need.people, need.ways) == ((), ())
    assert found.says == (
        "Of the 1 need of your project, 1 is held by somebody on your list, 0 perhaps and 0 by "
        "nobody so far."
    )


def test_the_same_kind_of_knowledge_is_a_perhaps() -> None:
    rows = [{"id": "a", "person": "A", "group": "policy-funding"}]
    (need,) = coverage(COURSE, needs(RULES, people=rows)).perhaps
    assert need.perhaps_by == ("A",)
    assert need.says == (
        "Perhaps A knows about it: the kind of knowledge is the same (Policy, law or funding). "
        "Ask before you count on it."
    )
    assert coverage(COURSE, needs(RULES, people=rows)).says == (
        "Of the 1 need of your project, 0 are held by somebody on your list, 1 perhaps and 0 by "
        "nobody so far."
    )
    rows.append({"id": "b", "person": "B", "group": "policy-funding"})
    (need,) = coverage(COURSE, needs(RULES, people=rows)).perhaps
    assert need.says.startswith("Perhaps A or B know about it")


@pytest.mark.parametrize("group", ["other", "", None])
def test_something_else_is_not_the_same_kind(group: Any) -> None:
    need = {"id": "n", "expertise": "Maps", "group": group}
    found = coverage(COURSE, needs(need, people=[{"id": "a", "person": "A", "group": group}]))
    assert [need.state for need in found.needs] == ["gap"]


def test_a_gap_is_named_with_people_and_ways_to_fill_it() -> None:
    found = coverage(COURSE, needs(RULES, CARERS, people=[COUNTY]))
    assert [need.expertise for need in found.gaps] == ["What carers accept"]
    assert found.says == (
        "Of the 2 needs of your project, 1 is held by somebody on your list, 0 perhaps and 1 by "
        "nobody so far: “What carers accept”."
    )
    (gap,) = found.gaps
    assert gap.says == "Nobody on your list so far."
    assert "a peer worker or peer advocate" in gap.people


@pytest.mark.parametrize(
    "group",
    [
        option.value
        for option in next(
            column.options for column in people_prompt().columns if column.key == "group"
        )
    ],
)
def test_every_kind_of_knowledge_can_be_found_without_being_online(group: str) -> None:
    row = {"id": "n", "expertise": "It", "group": group}
    (gap,) = coverage(COURSE, needs(row, people=people(1))).gaps
    (other,) = coverage(COURSE, needs({**row, "group": "?"}, people=people(1))).gaps
    assert len(gap.people) > 1
    assert re.search(r"phone|person|visit|meeting|coffee|desk|introduction", " ".join(gap.ways))
    assert (gap.people == other.people) == (group == "other")


@pytest.mark.parametrize("status", ["declined", "withdrawn"])
def test_whoever_said_no_holds_nothing_for_the_project(status: str) -> None:
    rows = [{**COUNTY, "group": "policy-funding", "status": status}]
    (need,) = coverage(COURSE, needs(RULES, people=rows)).needs
    assert (need.state, need.held_by, need.perhaps_by) == ("gap", (), ())
    assert "Respite coordinator, county declined or withdrew and is not counted." in need.says


def test_a_name_from_step_1_is_remembered_while_the_need_is_open() -> None:
    row = {**RULES, "held-by": "county coordinator"}
    (gap,) = coverage(COURSE, needs(row, people=people(1))).needs
    assert "you wrote “county coordinator” here" in gap.says
    (held,) = coverage(COURSE, needs(row, people=[COUNTY])).needs
    assert "wrote" not in held.says


def test_needs_without_words_are_skipped() -> None:
    found = coverage(COURSE, needs({"id": "n", "group": "other"}, {"expertise": " "}))
    assert found.needs == ()
    assert found.says == (
        "No needs are written in step 1 yet, so there is nothing to compare your people with."
    )


def test_without_people_all_needs_are_open() -> None:
    found = coverage(COURSE, needs(RULES, CARERS))
    assert [need.state for need in found.needs] == ["gap", "gap"]
    assert found.says == "There is nobody on your list yet, so all 2 needs are open."


def test_another_course_may_not_ask_for_needs() -> None:
    found = coverage(msgspec.structs.replace(COURSE, steps=()), needs(RULES))
    assert found.needs == ()
    assert found.says == "This course does not ask which expertise your project needs."


# ---- Then and now --------------------------------------------------------------------------------


def test_change_is_told_in_numbers_and_names() -> None:
    first = network([{"id": "a", "person": "A", "sector": "health"}, {"id": "b", "person": "B"}])
    last = network(
        [
            {"id": "a", "person": "A", "sector": "health", "give": "time", "get": "rules"},
            {"id": "c", "person": "C", "sector": "public-agency"},
            {"id": "d", "person": "D"},
        ],
        [{"one": "c", "other": "a"}],
    )
    assert changes(first, last, COURSE) == (
        "You listed 2 people then and list 3 people now.",
        "New on your list: C and D.",
        "No longer on it: B.",
        "You noted 0 ties among them then and 1 tie now.",
        "New ties: A and C.",
        "Sectors new in your network: Public agency.",
        "You noted both give and get for 0 of 2 people then and for 1 of 3 people now.",
        "Density was 0 then and is 0.33 now.",
    )
    back = changes(last, first)
    assert "Ties no longer noted: A and C." in back
    assert "Sectors no longer in it: public agency." in back


def test_as_many_people_can_be_others() -> None:
    told = changes(network(people(1)), network([{"id": "x", "person": "X"}]))
    assert told == (
        "You list 1 person, as many as then, but not the same.",
        "New on your list: X.",
        "No longer on it: P0.",
    )


def test_what_did_not_change_is_said() -> None:
    net = network(people(3), tied("ab"))
    what = "Nothing changed in people, ties, sectors, give and get or density"
    assert changes(net, net) == (f"{what}: 3 people and 1 tie then and now.",)
    assert changes(Network(), Network()) == (
        "Nobody was on your list then or now, so there is nothing to compare.",
    )


def test_a_first_network_has_no_density_to_compare() -> None:
    told = changes(network(people(1)), network(people(2)))
    assert "Density was not computed (it takes two people) then and is 0 now." in told


def test_a_row_that_was_entered_again_is_the_same_person() -> None:
    first = network(people(3), tied("ab"))
    again = [{**row, "id": f"new{n}"} for n, row in enumerate(people(3))]
    last = network(again, [{"one": "new1", "other": "new0"}])
    assert len(changes(first, last)) == 1
    assert "Nothing changed" in changes(first, last)[0]


def test_two_with_the_same_name_are_two() -> None:
    one, two = {"id": "x", "person": "KG"}, {"id": "y", "person": "KG"}
    told = changes(network([{"id": "a", "person": "KG"}]), network([one, two]))
    assert told[:2] == ("You listed 1 person then and list 2 people now.", "New on your list: KG.")


def test_a_tie_beyond_the_first_fifteen_is_not_told_as_gone() -> None:
    rows = people(16)
    first, last = network(rows, tied((0, 1))), network([*rows[1:], rows[0]], tied((0, 1)))
    assert (len(first.ties), len(last.left_out)) == (1, 1)
    assert changes(first, last) == ("Density was 0.01 then and is 0 now.",)


@given(rows_and_ties(most=20), rows_and_ties(most=20))
def test_a_change_is_told_exactly_if_there_is_one(
    before: tuple[list[Row], list[Row]], after: tuple[list[Row], list[Row]]
) -> None:
    first, last = network(*before), network(*after)
    told = changes(first, last)

    def facts(net: Network) -> tuple[Any, ...]:
        return (
            {member.name for member in net.members},
            {(tie.one, tie.other) for tie in (*net.ties, *net.left_out)},
            {member.sector for member in net.members} - {""},
            sum(bool(member.give and member.get) for member in net.members),
        )

    same = facts(first) == facts(last)
    assert same == told[0].startswith(("Nothing changed", "Nobody was"))
    assert density(first) == density(last) or not same
