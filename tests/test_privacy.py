from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.privacy import judged
from pcn_course.privacy import KINDS, NOTE, SOFT, advise
from pcn_course.privacy.gate import ABOUT, LONGEST, WEIGHTS, about, features, pieces
from pcn_course.privacy.texts import FIGURES, TEXTS
from scripts import train

ROOT = Path(__file__).parents[1]
WRITERS = train.writers()
OWN = train.own("person")
TEXTS_SEEN = [draft.text for draft in (*OWN, *WRITERS["g"])]


def found(text: str) -> list[tuple[str, str]]:
    """The firm remarks."""
    return [(one.kind, one.words) for one in advise(text) if not one.soft]


def kinds(text: str) -> list[str]:
    return [kind for kind, _ in found(text)]


def about_a_person(text: str) -> bool:
    return "person" in {one.kind for one in advise(text)}


# The labeled drafts, and how the gates do on writers whom they were not trained on


def test_the_drafts_are_many_and_of_several_writers() -> None:
    texts = [draft.text for drafts in WRITERS.values() for draft in drafts]
    assert len(WRITERS) >= 5
    assert len(set(texts)) == len(texts) >= 1080
    for drafts in WRITERS.values():
        assert sum(draft.harmless for draft in drafts) >= 50
        assert sum(draft.person and not draft.venting for draft in drafts) >= 50
        for draft in drafts:
            assert all(0 <= one.start < one.end <= len(draft.text) for one in draft.spans)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_each_writer_left_out_the_figures_are_those_recorded_and_hold_a_floor() -> None:
    figures = train.judge()
    assert figures == about()["left_out"], "run `make train`"
    assert figures["recall"]["mean"] >= 0.90
    assert figures["precision"]["mean"] >= 0.86
    for one in figures["writers"].values():
        assert one["recall"] >= 0.85
        assert one["precision"] >= 0.80


@pytest.mark.timeout(900)
def test_training_gives_the_bytes_that_are_here(tmp_path: Path) -> None:
    train.write(tmp_path, about()["left_out"])
    assert (tmp_path / WEIGHTS.name).read_bytes() == WEIGHTS.read_bytes(), "run `make train`"
    assert (tmp_path / ABOUT.name).read_text("utf-8") == ABOUT.read_text("utf-8")
    assert WEIGHTS.stat().st_size <= 80 * 1024


def test_a_gate_decides_as_scikit_learn_does() -> None:
    drafts = WRITERS["g"]
    regression, ratio = train.model(drafts, "person")
    matrix = train.matrix(drafts, train.BUCKETS["person"]).multiply(ratio).tocsr()
    decided = regression.decision_function(matrix)
    fit = train.fit(drafts, "person")
    assert np.abs(fit.scores(drafts) - decided).max() < 1e-6
    gate = fit.gate(0.0, 0.0)
    rounded = np.array([gate.score(features(draft.text)) for draft in drafts])
    assert np.abs(rounded - decided).max() < 0.1
    exact = gate._replace(
        weights=np.sign(fit.weights) * np.sqrt(np.abs(fit.weights)), scale=1.0,
        intercept=fit.intercept,
    )  # fmt: skip
    scores = np.array([exact.score(features(draft.text)) for draft in drafts])
    assert np.abs(scores - decided).max() < 1e-6


def test_what_runs_needs_nothing_that_trains() -> None:
    code = (
        "import sys; from pcn_course.privacy import advise; advise('My client Maria, 94, moved.');"
        "print([one for one in ('numpy', 'scipy', 'sklearn', 'pandas') if one in sys.modules])"
    )
    out = subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True)
    assert out.strip() == "[]"


def test_a_form_loads_the_checker_with_the_first_advice_and_not_before() -> None:
    code = (
        "import sys; import pcn_course.widgets.form, pcn_course.planning.panels;"
        "print([one for one in sys.modules if one.startswith('pcn_course.privacy')])"
    )
    out = subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True)
    assert out.strip() == "[]"


@pytest.mark.parametrize("page", ["README.md", "docs/instructors.md"])
def test_the_docs_say_the_figures_that_were_recorded(page: str) -> None:
    words = " ".join((ROOT / page).read_text(encoding="utf-8").split())
    said = FIGURES[0].lower() + FIGURES[1:]
    assert said.removesuffix(".") in words.replace("On drafts by", "on drafts by")


def test_the_note_on_the_page_says_them_too_and_promises_nothing() -> None:
    assert FIGURES in NOTE
    assert "No checker can certify" in NOTE
    assert "small town" in NOTE


def test_the_bench_counts_by_draft_and_spans_apart() -> None:
    span = train.Span("name", 10, 15)
    drafts = [
        train.Draft("My client Maria asked.", (span,), person=True, venting=False),
        train.Draft("What is a tie?", (), person=False, venting=False),
    ]
    remarks = [advise(draft.text) for draft in drafts]
    perfect = {"recall": 1, "precision": 1, "span recall": 1, "span precision": 1, "venting": 0}
    assert judged(drafts, remarks) == perfect
    assert judged(drafts, [(), remarks[0]])["recall"] == 0
    assert judged(drafts, [(), remarks[0]])["precision"] == 0


# What a remark is


def test_a_remark_names_the_words_and_says_why_and_what_to_write_instead() -> None:
    text = "She is in Travis County, and her aunt wants to know."
    soft, firm = advise(text)
    assert (soft.kind, soft.words, soft.soft) == ("person", text, True)
    assert firm == ("place", "Travis County", 10, 23, *TEXTS["place"])
    assert "rural county" in firm.instead


def test_a_soft_remark_is_on_the_whole_draft_and_says_so() -> None:
    (one,) = advise(
        "My client is afraid that his brother will find out. What would you say to him?"
    )
    assert one.kind == "person"
    assert one.why == "This reads as if it were about one person."


def test_no_text_of_a_remark_is_empty_or_long() -> None:
    assert set(SOFT) < set(KINDS)
    for why, instead in TEXTS.values():
        assert 20 <= len(why) <= 110
        assert 15 <= len(instead) <= 130
        assert why.endswith(".")
        assert instead.endswith((".", "”"))


@pytest.mark.parametrize("text", ["", " ", "\n\n", "🙂", ".", "\u0301", "\x00", "¿?"])
def test_a_text_without_words_brings_nothing(text: str) -> None:
    assert advise(text) == ()
    assert advise(text, "name") == ()


def test_remarks_come_in_the_texts_order_and_the_same_words_once() -> None:
    text = "My client Maria is from Boise. MARIA's aunt lives in Boise, too. She left on May 4."
    starts = [one.start for one in advise(text)]
    assert starts == sorted(starts)
    assert found(text).count(("place", "Boise")) == 1
    assert found(text).count(("name", "Maria")) == 1


def test_in_a_long_text_only_the_part_about_a_person_is_remarked_on() -> None:
    plain = "In Boise we plan a survey of case managers, and we would like to hear about yours. "
    case = "My client Maria told me that she left her husband and took the children to Yuma. "
    text = plain * 12 + case * 3 + plain * 12
    start, end = text.index(case), text.index(case) + 3 * len(case)
    (soft,) = (one for one in advise(text) if one.soft)
    assert soft.end - soft.start <= LONGEST
    assert max(start, soft.start) < min(end, soft.end)
    assert ("name", "Maria") in found(text)
    assert pieces(text)[0][0] == 0
    assert pieces(text)[-1][1] == len(text)
    assert all(one[1] == other[0] for one, other in pairwise(pieces(text)))


# Words that two recognizers claim


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
def test_words_that_name_someone_bring_one_remark(
    text: str, expected: list[tuple[str, str]]
) -> None:
    assert found(text) == expected


# Judgment


@pytest.mark.parametrize(
    "text",
    [
        "Granovetter (1973) and Hitchcock et al., 2019, write about ties.",
        "In May we plan a workshop for carers.",
        "Our Department of Health works with Texas and Ohio.",
        "We tried Zoom, Google Drive and Microsoft Teams.",
        "I may ask, and you will mark it: is 988 for teens?",
        "Michelle Obama spoke about school lunches, and our board still quotes her.",
        "Has anyone read Angela Duckworth's Grit with a study group?",
        "Is the part-time MSW in Chicago worth the drive? I'm comparing it with Cleveland's.",
        "Which DSW programs in Boston and Denver are online?",
        "Professor Linda Alvarez teaches the policy seminar. Is her reading list public?",
        "Travis County posts its resource guide every January. Does yours?",
        "Our state's Department of Aging opened a new office in Columbus.",
    ],
)
def test_citations_plans_agencies_and_public_figures_are_harmless(text: str) -> None:
    assert advise(text) == ()


@pytest.mark.parametrize(
    "text",
    [
        "I asked and I'm told it's free.",
        "My supervisor, I'm sure, will ask.",
        "His mother told I'm the worker she trusts.",
    ],
)
def test_i_am_is_no_name(text: str) -> None:
    assert "name" not in kinds(text)


@pytest.mark.parametrize(
    "text",
    [
        "She looks after two 91-year-olds on her own.",
        "My client cares for her parents, two ninety-four-year-olds.",
        "He lives with two 93 year olds.",
        "Ms. Park, 94, lives alone, and her son calls me every day.",
    ],
)
def test_people_over_89_are_an_age_however_they_are_written(text: str) -> None:
    assert "age" in kinds(text)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("My client, Ms. Park, called about her rent.", "Ms. Park"),
        ("Mrs. Church cried in my office after the hearing.", "Mrs. Church"),
        ("Mr. Hill told me that his son was moved again.", "Mr. Hill"),
    ],
)
def test_what_follows_a_title_is_a_name_and_no_place(text: str, name: str) -> None:
    assert found(text) == [("name", name)]


@pytest.mark.parametrize("age", [90, 94, 101])
def test_ages_over_89_count(age: int) -> None:
    assert kinds(f"She is {age} years old.") == ["age"]


@pytest.mark.parametrize("age", [45, 89])
def test_other_ages_do_not(age: int) -> None:
    assert kinds(f"She is {age} years old.") == []


def test_numbers_that_belong_to_one_person_count_wherever_they_are() -> None:
    text = "The form for the survey asks for an SSN such as 219-09-9999."
    assert not about_a_person(text)
    assert kinds(text) == ["ssn"]


def test_initials_count_where_the_gate_is_wide_open() -> None:
    assert ("name", "J.M.") in found("A client, J.M., 15, from Boise was arrested.")
    assert found("J.M. Keynes is on the list of readings for week 3.") == []


def test_names_are_found_whatever_their_letters() -> None:
    for name in (
        "José Núñez",
        "Jose\u0301 Nu\u0301n\u0303ez",
        "Anne-Marie O’Neill",
        "Siobhán Ní Bhriain",
    ):
        (words,) = (words for kind, words in found(f"My client {name} asked.") if kind == "name")
        assert words.startswith(name.split()[0][:4])


def test_the_course_s_own_examples_bring_no_firm_remark_and_hardly_a_soft_one() -> None:
    answers = [
        field["value"]
        for path in sorted((ROOT / "data" / "example").glob("*.json"))
        for field in json.loads(path.read_text(encoding="utf-8"))["fields"].values()
        if isinstance(field["value"], str) and len(field["value"]) > 20
    ]
    assert len(answers) >= 30
    assert sum(about_a_person(text) for text in answers) <= 2
    assert [one for text in answers for one in found(text) if one[0] != "date"] == []


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
    [word for text in TEXTS_SEEN for word in text.split()]
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
