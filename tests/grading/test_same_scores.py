"""Grading in one process gives what stock nbgrader gives, cell by cell, on the same submissions."""

from __future__ import annotations

import json
import os
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.nbgrader_course import Course, Instructor, sample_answers
from tests.support.submissions import as_stock, lay_down

STEPS = ("step-1-goals", "step-3-tools")
HOSTILE = "<script>alert(1)</script> 4.0 &amp; \u202e שלום 🙂\n\n$x^2$ {{ 7 * 7 }} 20/20"


@dataclass
class Both:
    """The same submissions, graded by both."""

    students: tuple[str, ...]
    ours: Instructor
    stock: Instructor


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Both:
    base = tmp_path_factory.mktemp("same")
    course = Course.make(base / "course", exchange=base / "exchange")
    students = ("all", "none", "some", "hostile", "wrong")
    for step_id in STEPS:
        course.instructor.nbgrader("generate_assignment", step_id)
        step = course.content.step(step_id)
        full = sample_answers(step)
        wrong: dict[str, Any] = dict.fromkeys(full, 17) | {"no-such-key": ["x"]}
        some = {key: value for n, (key, value) in enumerate(full.items()) if n % 3}
        texts = {prompt.key for prompt in step.prompts if prompt.kind == "text"}
        hostile = {key: HOSTILE if key in texts else value for key, value in full.items()}
        answers = dict(zip(students, (full, {}, some, hostile, wrong), strict=True))
        lay_down(course, step_id, answers)
    stock = as_stock(course, base / "stock")
    for who, instructor in (("one process", course.instructor), ("stock", stock)):
        begun = time.monotonic()
        for step_id in STEPS:
            instructor.autograde(step_id)
        print(f"{who}: {len(students) * len(STEPS)} in {time.monotonic() - begun:.1f} s")
    return Both(students, course.instructor, stock)


@pytest.mark.parametrize("step_id", STEPS)
def test_the_gradebooks_are_equal(both: Both, step_id: str) -> None:
    for student in both.students:
        ours = both.ours.grades(student, step_id)
        assert ours == both.stock.grades(student, step_id), student
        assert ours["structure"]["auto"] is not None
    print({one: both.ours.grades(one, step_id)["structure"]["auto"] for one in both.students})
    assert both.ours.grades("all", step_id)["structure"]["auto"] == 4
    assert both.ours.grades("none", step_id)["structure"]["auto"] == 0


@pytest.mark.parametrize("step_id", STEPS)
def test_what_instructors_see_is_equal(both: Both, step_id: str) -> None:
    for student in both.students:
        ours, stock = (
            one.graded_notebook(student, step_id)["cells"] for one in (both.ours, both.stock)
        )
        assert [cell.get("outputs") for cell in ours] == [cell.get("outputs") for cell in stock]
        assert [cell["source"] for cell in ours] == [cell["source"] for cell in stock]
        assert [cell["metadata"].get("nbgrader") for cell in ours] == [
            cell["metadata"].get("nbgrader") for cell in stock
        ]


def test_grading_again_changes_nothing_and_keeps_what_was_given_by_hand(both: Both) -> None:
    step_id = STEPS[0]
    both.ours.mark("all", step_id, {"reasoning": (3, "Sound.")})
    before = both.ours.grades("all", step_id)
    both.ours.autograde(step_id, "--force")
    # The answers are the same, so no mark is opened again.
    assert both.ours.grades("all", step_id) == before
    path = both.ours.room / "submitted" / "all" / step_id / "answers.json"
    document = json.loads(path.read_text())
    key = next(iter(document["fields"]))
    document["fields"][key]["value"] = ""
    path.write_text(json.dumps(document))
    both.ours.autograde(step_id, "--force")
    after = both.ours.grades("all", step_id)
    assert after["reasoning"] == {**before["reasoning"], "open": True}


def test_one_bad_submission_is_set_aside_and_named(both: Both) -> None:
    step_id = STEPS[1]
    folder = both.ours.room / "submitted"
    (folder / "aaa" / step_id).mkdir(parents=True)
    (folder / "aaa" / step_id / f"{step_id}.ipynb").mkdir()
    (folder / "zzz" / step_id).mkdir(parents=True)
    for name in ("answers.json", "timestamp.txt", f"{step_id}.ipynb"):
        (folder / "zzz" / step_id / name).write_bytes(
            (folder / "all" / step_id / name).read_bytes()
        )
    done = both.ours.nbgrader("autograde", step_id, must_succeed=False)
    assert re.search(r"aaa", done.stderr)
    assert both.ours.grades("zzz", step_id)["structure"]["auto"] == 4


def test_an_instructors_own_cell_runs_where_the_answers_are(tmp_path: Path) -> None:
    from nbformat.v4 import new_code_cell, new_notebook

    from pcn_course.grading.nbgrader.preprocessors import ExecuteHere

    (tmp_path / "json.py").write_text("raise SystemExit('a shadow')")
    (tmp_path / "words.txt").write_text("two words")
    sources = [
        "import asyncio, sys, os, json\nfrom pathlib import Path",
        (
            "text = Path('words.txt').read_text()\n"
            "print('out'); print('err', file=sys.stderr); print('more')\nlen(text.split())"
        ),
        "1 / 0",
        "text.upper()",
        "sys.argv.append('x'); os.environ['LEFT'] = '1'; sys.path.insert(0, '.'); os.chdir('/')",
        "get_ipython().run_line_magic('timeit', '-n1 -r1 -q 1')\nawait asyncio.sleep(0)",
    ]
    notebook = new_notebook(cells=[new_code_cell(source) for source in sources])
    before = Path.cwd(), list(sys_path()), dict(os.environ)
    resources = {"metadata": {"path": str(tmp_path)}}
    ran, _ = ExecuteHere().preprocess(notebook, resources)
    outputs = [cell.outputs for cell in ran.cells]
    assert outputs[0] == []
    assert [(one.output_type, one.get("text")) for one in outputs[1][:2]] == [
        ("stream", "out\nmore\n"),
        ("stream", "err\n"),
    ]
    assert outputs[1][2].data["text/plain"] == "2"
    assert outputs[2][0].ename == "ZeroDivisionError"
    assert outputs[3][0].data["text/plain"] == "'TWO WORDS'"
    assert [cell.execution_count for cell in ran.cells] == [1, 2, 3, 4, 5, 6]
    assert (Path.cwd(), list(sys_path()), dict(os.environ)) == before
    # The next student starts with nothing of this one's.
    again = new_notebook(cells=[new_code_cell("text")])
    ran, _ = ExecuteHere().preprocess(again, resources)
    assert ran.cells[0].outputs[0].ename == "NameError"


def test_a_cell_without_end_is_stopped(tmp_path: Path) -> None:
    from nbformat.v4 import new_code_cell, new_notebook

    from pcn_course.grading.nbgrader.preprocessors import ExecuteHere

    notebook = new_notebook(cells=[new_code_cell("while True: pass"), new_code_cell("40 + 2")])
    resources = {"metadata": {"path": str(tmp_path)}}
    ran, _ = ExecuteHere(timeout=0.3).preprocess(notebook, resources)
    assert ran.cells[0].outputs[0].ename == "CellTimeoutError"
    assert ran.cells[1].outputs[0].data["text/plain"] == "42"


def sys_path() -> list[str]:
    import sys

    return sys.path
