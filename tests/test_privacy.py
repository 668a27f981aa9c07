from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench import privacy as bench
from bench.support import say
from pcn_course.privacy import KINDS, NOTE, advise
from pcn_course.privacy.texts import TEXTS

LABELLED = bench.drafts(*bench.FILES)


def kinds(text: str) -> list[str]:
    return [one.kind for one in advise(text)]


def found(text: str) -> list[tuple[str, str]]:
    return [(one.kind, one.words) for one in advise(text)]


# The labelled drafts


def test_the_labelled_drafts_are_many_and_of_every_kind() -> None:
    assert len({draft.text for draft in LABELLED}) == len(LABELLED) >= 190
    assert sum(not draft.kinds for draft in LABELLED) >= 60
    for kind in KINDS:
        assert sum(kind in draft.kinds for draft in LABELLED) >= 5, kind
    assert {kind for draft in LABELLED for kind in draft.kinds} == set(KINDS)


def test_recall_and_precision_by_kind_and_overall(capsys: pytest.CaptureFixture[str]) -> None:
    whole = bench.scores(LABELLED)
    held_out = bench.scores(bench.drafts("held-out.toml"))
    with capsys.disabled():
        for kind, one in whole.items():
            held = held_out[kind]
            say(
                f"{kind:>12}: recall {one.recall:.2f}, precision {one.precision:.2f};"
                f" held out {held.recall:.2f}, {held.precision:.2f}"
            )
    for kind, one in whole.items():
        assert one.recall >= 0.9, kind
        assert one.precision >= 0.8, kind


# What a warning is


def test_a_warning_names_the_words_and_says_why_and_what_to_write_instead() -> None:
    text = "Is there a group near Travis County that takes teens?"
    (one,) = advise(text)
    assert one == ("place", "Travis County", 22, 35, *TEXTS["place"])
    assert "rural county" in one.instead


def test_no_text_of_a_warning_is_empty_or_long() -> None:
    for why, instead in TEXTS.values():
        assert 20 <= len(why) <= 110
        assert 15 <= len(instead) <= 130
        assert why.endswith(".")
        assert instead.endswith((".", "”"))


def test_the_note_promises_nothing() -> None:
    assert "No checker can certify" in NOTE
    assert "small town" in NOTE


@pytest.mark.parametrize("text", ["", " ", "\n\n", "🙂", ".", "\u0301", "\x00", "¿?"])
def test_a_text_without_words_brings_nothing(text: str) -> None:
    assert advise(text) == ()
    assert advise(text, "name") == ()


def test_warnings_come_in_the_texts_order_and_the_same_words_once() -> None:
    text = "Maria called from Boise. MARIA's aunt lives in Boise, too. Maria left on May 4."
    starts = [one.start for one in advise(text)]
    assert starts == sorted(starts)
    assert found(text).count(("place", "Boise")) == 1
    assert found(text).count(("name", "Maria")) == 1


# Words that two recognisers claim


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ring 512-555-0147 for her.", [("phone", "512-555-0147")]),
        ("Her fax is 512-555-0147.", [("fax", "512-555-0147")]),
        ("She is in Travis County.", [("place", "Travis County")]),
        ("Mail him at jo@boise.example.org.", [("email", "jo@boise.example.org")]),
        ("Use 00:1B:44:11:3A:B7 to find it.", [("device", "00:1B:44:11:3A:B7")]),
        ("His SSN is 219-09-9999.", [("ssn", "SSN is 219-09-9999")]),
        (
            "See https://x.example/karen-gold/2024-05-12 about him.",
            [("url", "https://x.example/karen-gold/2024-05-12")],
        ),
    ],
)
def test_words_that_name_somebody_bring_one_warning(
    text: str, expected: list[tuple[str, str]]
) -> None:
    assert found(text) == expected


def test_a_place_within_a_rare_combination_is_warned_of_as_well() -> None:
    assert kinds("A 12-year-old refugee amputee in El Paso needs a coach.") == ["rare", "place"]


def test_the_only_family_of_a_kind_and_its_triplets_are_one_warning() -> None:
    assert kinds("I know the only foster family with triplets in the area.") == ["rare"]


# Judgement


@pytest.mark.parametrize(
    "text",
    [
        "Granovetter (1973) and Hitchcock et al., 2019, write about ties.",
        "Howard, M., & Anthony, D. (2020). On ties. Journal of Ties. https://ties.example/2020",
        "In May we plan a workshop for carers.",
        "Our Department of Health works with Texas and Ohio.",
        "We tried Zoom, Google Drive and Microsoft Teams.",
        "I may ask, and you will mark it: is 988 for teens?",
    ],
)
def test_citations_plans_agencies_and_tools_are_harmless(text: str) -> None:
    assert found(text) == []


def test_a_month_counts_where_something_happened_to_somebody() -> None:
    assert "date" in kinds("She lost her job in May.")
    assert "date" not in kinds("We start our survey in May.")


@pytest.mark.parametrize("age", [90, 94, 101])
def test_ages_over_89_count(age: int) -> None:
    assert kinds(f"She is {age} years old.") == ["age"]


@pytest.mark.parametrize("age", [45, 89])
def test_other_ages_do_not(age: int) -> None:
    assert kinds(f"She is {age} years old.") == []


def test_names_are_found_whatever_their_letters() -> None:
    for name in (
        "José Núñez",
        "Jose\u0301 Nu\u0301n\u0303ez",
        "Anne-Marie O’Neill",
        "Siobhán Ní Bhriain",
    ):
        (one,) = advise(f"My client {name} asked.")
        assert one.words.startswith(name.split()[0][:4])
        assert one.kind == "name"


# A cell that should hold initials or a role


@pytest.mark.parametrize(
    "cell",
    [
        "KG",
        "K. G.",
        "KG, carers' group leader",
        "School social worker, north district",
        "Respite coordinator, Travis County Office",
        "Program Officer, Casey Family Programs",
        "Case Manager",
        "Nurse Practitioner",
        "Dean of Social Work",
        "Karen",
        "NASW Texas",
        "Public Health Nurse",
        "Peer mentor A",
    ],
)
def test_initials_and_roles_are_no_names(cell: str) -> None:
    assert advise(cell, "name") == ()


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("Karen Gold", "Karen Gold"),
        ("karen gold", "karen gold"),
        ("KAREN GOLD", "KAREN GOLD"),
        ("Dr. Maria Lopez", "Maria Lopez"),
        ("Lopez, Maria", "Lopez, Maria"),
        ("Wei Zhang", "Wei Zhang"),
        ("J. Ortega", "J. Ortega"),
        ("Mr. Lund", "Mr. Lund"),
        ("Carers' group leader, José Núñez", "José Núñez"),
        ("Tavion Brisker, MSW", "Tavion Brisker"),
    ],
)
def test_full_names_are_warned_of_once(cell: str, words: str) -> None:
    (one,) = advise(cell, "name")
    assert (one.kind, one.words) == ("name", words)
    assert "Initials or a role" in one.instead


# Any text at all

_PIECES = st.sampled_from(
    [word for draft in LABELLED for word in draft.text.split()]
    + [" ", "\n", ". ", ", ", "-", "'s ", "’", "@", ":", "(", ")", "…", "é", "e\u0301", "ß", "İ"]
)
_TEXTS = st.one_of(
    st.text(), st.lists(_PIECES, max_size=40).map(" ".join), st.lists(_PIECES).map("".join)
)


@settings(max_examples=300, deadline=None)
@given(_TEXTS)
def test_any_text_is_taken_and_spans_lie_in_it(text: str) -> None:
    for warning in (*advise(text), *advise(text, "name")):
        assert warning.kind in KINDS
        assert 0 <= warning.start < warning.end <= len(text)
        assert text[warning.start : warning.end] == warning.words
        assert warning.words.strip() == warning.words


@settings(max_examples=150, deadline=None)
@given(_TEXTS)
def test_warnings_of_one_kind_do_not_overlap(text: str) -> None:
    for kind in KINDS:
        spans = [(one.start, one.end) for one in advise(text) if one.kind == kind]
        assert all(end <= start for (_, end), (start, _) in pairwise(spans))


# Speed


def seconds(work: Callable[[], object]) -> float:
    """The shortest of three runs, in the process's own time."""
    took = []
    for _ in range(3):
        start = time.process_time()
        work()
        took.append(time.process_time() - start)
    return min(took)


def test_a_draft_of_2000_characters_takes_milliseconds() -> None:
    text = " ".join(draft.text for draft in LABELLED)[:2000]
    # 20 ms is the goal, which the bench says; a machine under load takes longer.
    assert seconds(lambda: advise(text)) < 0.1


@pytest.mark.parametrize(
    "piece",
    [
        "a", "A", "1", "1-", "1 ", "1:", "a@", "a.", "a.a", "!", "!!", "\n", " ", "-",
        "(", "é", "e\u0301", "Ab ", "Ab Cd, ", "A. ", "O'", "Karen Gold ", "Smith and ",
        "Sage (2019), ", "town of ", "of the ", "number is ", "SSN is the last ",
        "case no no no ", "fax: ", "512-555-0147 ", "https://", "www.a", "@a", "I am so ",
        "sick of the ", "the only family ", "his ", "picture of the ", "on May 4 ",
        "red 2009 Honda ", "12 Oak Hill ", "ninety-", "AB-12-", "2024-", "Mr. Mr ",
        "a dot ", "Ab, ", "x@",
    ],
)  # fmt: skip
def test_time_grows_with_the_length_and_no_faster(piece: str) -> None:
    short = (piece * 5000)[:5000]
    long = (piece * 20000)[:20000]
    advise(short)
    # Four times as long, sixteen times where it grows with the square; plus what a clock may add.
    assert seconds(lambda: advise(long)) < 9 * seconds(lambda: advise(short)) + 0.2
