"""A made-up class: the same each time, one of each kind in it, and every answer one that fits."""

from __future__ import annotations

import datetime as dt
import random
import re
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from pcn_course.answers.store import Field, read_answers
from pcn_course.answers.structure import check
from pcn_course.course import Course, load_course
from pcn_course.demo import KINDS, QUALITIES, Pupil, generate, writing
from pcn_course.demo.classroom import document
from pcn_course.demo.hostile import TEXTS
from pcn_course.exchange import STUDENT_ID
from pcn_course.review import answers_html

COURSE = load_course()
WHEN = dt.datetime(2027, 3, 1, 12, 0, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def pupils() -> list[Pupil]:
    return generate(COURSE, 24, 1)


def one(pupils: list[Pupil], kind: str) -> Pupil:
    return next(pupil for pupil in pupils if pupil.kind == kind)


def fields(values: dict[str, Any]) -> dict[str, Field]:
    return {key: Field(value, 1) for key, value in values.items()}


def structure(pupil: Pupil) -> list[float]:
    return [check(step, fields(pupil.answers[step.id])).points for step in COURSE.steps]


def test_the_same_seed_makes_the_same_class_and_another_one_another(pupils: list[Pupil]) -> None:
    assert generate(COURSE, 24, 1) == pupils
    assert generate(COURSE, 24, 2) != pupils
    later = generate(COURSE, 24, 1, term=dt.date(2028, 1, 10))
    assert [pupil.id for pupil in later] == [pupil.id for pupil in pupils]
    assert later != pupils, "dates in answers belong to the term"


@pytest.mark.parametrize("size", [6, 24, 1000])
def test_one_of_each_kind_is_there(size: int) -> None:
    pupils = generate(COURSE, size, 1)
    kinds = Counter(pupil.kind for pupil in pupils)
    print(size, kinds)
    assert len({pupil.id for pupil in pupils}) == len({pupil.lms_id for pupil in pupils}) == size
    assert set(kinds) == set(KINDS)
    if size == 24:
        assert [kinds[kind] for kind in ("late", "blank", "covered", "hostile")] == [1, 1, 1, 1]
        assert {pupil.quality for pupil in pupils} == set(QUALITIES)


def test_nobody_can_be_taken_for_somebody(pupils: list[Pupil]) -> None:
    for pupil in generate(COURSE, 1000, 3):
        assert re.fullmatch(STUDENT_ID, pupil.id)
        assert pupil.email.endswith("@example.org")
    assert len({pupil.project for pupil in pupils}) == len(writing.projects())


def test_all_answers_are_answers_to_their_step(pupils: list[Pupil], tmp_path: Path) -> None:
    for pupil in pupils:
        assert set(pupil.answers) == {step.id for step in COURSE.steps}
        for step in COURSE.steps:
            values = pupil.answers[step.id]
            path = tmp_path / f"{pupil.id}-{step.id}.json"
            path.write_bytes(document(COURSE, step, values, WHEN))
            read = read_answers(path, step, COURSE.id)
            assert read.problems == ()
            assert {key: field.value for key, field in read.fields.items()} == values
            assert not any(prompt.private for prompt in step.prompts if prompt.key in values)
            path.write_bytes(document(COURSE, step, pupil.private.get(step.id, {}), WHEN))
            assert read_answers(path, step, COURSE.id).problems == ()


def test_answers_of_a_thousand_fit_their_prompts() -> None:
    for pupil in generate(COURSE, 1000, 5):
        for step in COURSE.steps:
            for key, value in pupil.answers[step.id].items():
                prompt = step.prompt(key)
                assert prompt, key
                assert prompt.fault(value) is None, (pupil.id, key)


def test_every_prompt_that_can_be_answered_is_answered_by_somebody() -> None:
    answered = {
        (step, key)
        for pupil in generate(COURSE, 240, 1)
        for step, values in pupil.answers.items()
        for key in values
    }
    asked = {
        (step.id, prompt.key)
        for step in COURSE.steps
        for prompt in step.prompts
        if not prompt.private
    }
    assert answered == asked


def references(pupil: Pupil) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Each cell that names entries: what it names, what it shows, and all labels of that table."""
    for step in COURSE.steps:
        for table in (prompt for prompt in step.prompts if prompt.kind == "table"):
            for row in pupil.answers[step.id].get(table.key, ()):
                for column in (one for one in table.columns if one.refers and one.key in row):
                    name = column.options_from
                    where, _, key = (name if "." in name else f"{step.name}.{name}").partition(".")
                    target = COURSE.step(where).prompt(key)
                    assert target
                    rows = pupil.answers[COURSE.step(where).id][key]
                    labels = {one["id"]: one[target.columns[0].key] for one in rows}
                    value = row[column.key]
                    for entry in value if isinstance(value, list) else [value]:
                        yield entry, row[f"{column.key}-shown"], labels


def test_what_points_to_an_entry_finds_it_with_its_label(pupils: list[Pupil]) -> None:
    found = 0
    for pupil in pupils:
        for entry, shown, labels in references(pupil):
            found += 1
            # Who types markup everywhere has it for labels, too.
            assert labels[entry] in shown or pupil.kind == "hostile"
    print(found, "references")
    assert found > 200


def test_kinds_get_the_structure_points_that_they_should(pupils: list[Pupil]) -> None:
    full = [COURSE.rubric.structure] * len(COURSE.steps)
    assert structure(one(pupils, "blank")) == [0] * len(COURSE.steps)
    assert structure(one(pupils, "covered")) == full
    assert structure(one(pupils, "hostile")) == full
    for pupil in pupils:
        if pupil.kind in ("ordinary", "late"):
            assert (structure(pupil) == full) == (pupil.quality != "half"), pupil.id


def test_better_answers_say_more() -> None:
    words: Counter[str] = Counter()
    for pupil in generate(COURSE, 200, 1):
        if pupil.kind == "ordinary":
            texts = [
                value
                for values in pupil.answers.values()
                for value in values.values()
                if isinstance(value, str)
            ]
            words[pupil.quality] += sum(len(text.split()) for text in texts)
            words[f"{pupil.quality} n"] += 1
    mean = [words[quality] / words[f"{quality} n"] for quality in QUALITIES]
    print(dict(zip(QUALITIES, mean, strict=True)))
    assert mean == sorted(mean, reverse=True)


def test_who_is_late_is_late_and_nobody_hands_in_what_lies_ahead(pupils: list[Pupil]) -> None:
    for pupil in pupils:
        late = [step for step, when in pupil.handed_in.items() if when > dt.timedelta()]
        assert bool(late) == (pupil.kind == "late"), pupil.id
        last = pupil.handed_in.get(COURSE.steps[-1].id, -dt.timedelta(days=5))
        assert last < -dt.timedelta(days=4), "the last step is due in less than four days"
    started = one(pupils, "started")
    assert 0 < len(started.handed_in) < len(COURSE.steps)
    assert started.begun
    assert set(started.begun).isdisjoint(started.handed_in)


class Tags(HTMLParser):
    """What a browser would take for tags, and what it would show."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        assert not any(name.startswith("on") for name, _ in attrs)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_hostile_text_is_text_in_the_answers_and_stays_text_in_the_review(
    pupils: list[Pupil],
) -> None:
    hostile = one(pupils, "hostile")
    typed = str(hostile.answers)
    assert all(repr(text)[1:-1] in typed for text in TEXTS)
    shown = ""
    for step in COURSE.steps:
        page = Tags()
        page.feed(answers_html(step, fields(hostile.answers[step.id])))
        page.close()
        assert page.tags.isdisjoint({"script", "img", "b", "a", "iframe", "textarea"}), step.id
        shown += page.text
    for text in TEXTS[:6]:
        assert text in shown


def test_a_course_of_another_shape_gets_answers_too(tmp_path: Path) -> None:
    course: Course = load_course(Path(__file__).parents[1] / "courses" / "base")
    pupils = generate(course, 12, 1)
    for pupil in pupils:
        for step in course.steps:
            for key, value in pupil.answers[step.id].items():
                prompt = step.prompt(key)
                assert prompt
                assert prompt.fault(value) is None
    ordinary = one(pupils, "ordinary")
    assert all(ordinary.answers[step.id] for step in course.steps)


@pytest.mark.parametrize("project", writing.projects(), ids=lambda one: one["project"][:30])
def test_every_sentence_finds_its_words(project: dict[str, Any]) -> None:
    named = writing._named(project)
    for key, words in writing._words().items():
        for sentences in words.values():
            for sentence in sentences:
                said = sentence.format_map(named)
                assert said[0].isupper() or not said[0].isalpha(), (key, said)
                assert "{" not in said
    writing.Writer(COURSE, project, "strong", random.Random(1), dt.date(2027, 1, 11)).answers()
