"""The notebooks say what data/ says, and nothing that somebody added is lost."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbconvert.filters import markdown2html
from nbgrader.nbgraderformat import MetadataValidator

from pcn_course.course import Course, CourseError, load_course
from pcn_course.grading.notebooks import as_text, stale, step_notebook, write_notebooks

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture
def course(tmp_path: Path) -> Course:
    shutil.copytree(CHECKOUT / "data", tmp_path / "data")
    return load_course(tmp_path)


@pytest.fixture
def folder(course: Course) -> Path:
    folder = course.root / "notebooks"
    write_notebooks(course, folder)
    return folder


def change(path: Path, cells: list[dict[str, Any]], **metadata: Any) -> None:
    notebook = json.loads(path.read_text())
    notebook["cells"] = cells
    notebook["metadata"].update(metadata)
    path.write_text(as_text(notebook))


def cells_of(path: Path) -> list[dict[str, Any]]:
    cells: list[dict[str, Any]] = json.loads(path.read_text())["cells"]
    return cells


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


def test_each_step_is_a_notebook_that_jupyter_and_nbgrader_accept(
    course: Course, folder: Path
) -> None:
    for step in course.steps:
        notebook = read(folder / step.path)
        nbformat.validate(notebook)
        MetadataValidator().validate_nb(notebook)
        sources = [cell.source for cell in notebook.cells]
        assert f'open_step("{step.name}")' in sources[1]
        assert sources[2:5] == ["step.form()", "step.review()", "step.check()"]
        points = [
            cell.metadata.nbgrader.points
            for cell in notebook.cells
            if "points" in cell.metadata.get("nbgrader", {})
        ]
        assert sum(points) == course.rubric.points
        shown = [cell for cell in notebook.cells if "grading" not in cell.metadata.get("tags", [])]
        assert shown == notebook.cells[:3]


def test_pages_that_are_no_assignments_are_none_to_nbgrader(folder: Path) -> None:
    pages = sorted(path.name for path in folder.glob("*.ipynb"))
    assert pages == ["example.ipynb", "home.ipynb", "portfolio.ipynb"]
    for name in pages:
        notebook = read(folder / name)
        nbformat.validate(notebook)
        page = name.removesuffix(".ipynb")
        assert notebook.metadata.pcn == {"page": page}
        assert notebook.cells[-1].source.endswith(f"open_{page}()")
        assert not any("nbgrader" in cell.metadata for cell in notebook.cells)


def test_a_course_without_an_example_has_no_page_for_it(course: Course, folder: Path) -> None:
    shutil.rmtree(course.root / "data" / "example")
    (folder / "example.ipynb").unlink()
    assert stale(course, folder) == ()
    assert write_notebooks(course, folder) == ()


def test_jupyter_would_write_them_as_they_are(folder: Path) -> None:
    for path in folder.rglob("*.ipynb"):
        again = nbformat.writes(read(path))
        assert again + "\n" == path.read_text()


def test_writing_again_changes_nothing(course: Course, folder: Path) -> None:
    assert write_notebooks(course, folder) == ()
    assert stale(course, folder) == ()


def test_a_reworded_prompt_needs_no_new_notebook_but_a_reworded_criterion_does(
    course: Course, folder: Path
) -> None:
    rubric = course.root / "data" / "rubric.toml"
    rubric.write_text(rubric.read_text().replace("Ethics and boundaries", "Ethics and limits"))
    reworded = load_course(course.root)
    faults = stale(reworded, folder)
    assert {fault.file for fault in faults} == {f"notebooks/{step.path}" for step in course.steps}
    assert "pcn notebooks" in faults[0].message
    assert len(write_notebooks(reworded, folder)) == len(course.steps)
    assert stale(reworded, folder) == ()


def test_criteria_stand_in_the_words_of_the_rubric(course: Course, folder: Path) -> None:
    tasks = [
        "".join(cell["source"])
        for cell in cells_of(folder / course.steps[0].path)
        if cell["metadata"].get("nbgrader", {}).get("task")
    ]
    for criterion, task in zip(course.rubric.criteria, tasks, strict=True):
        words = f"{criterion.title} {criterion.question} "
        words += " ".join(f"{one.points:g} · {one.name}. {one.text}" for one in criterion.levels)
        assert re.sub(r"[#*\s-]+", " ", task).split() == re.sub(r"[-\s]+", " ", words).split()


def test_cells_that_an_instructor_added_stay_where_they_are(course: Course, folder: Path) -> None:
    path = folder / course.steps[0].path
    ours = cells_of(path)
    first = {"cell_type": "markdown", "id": "first", "metadata": {}, "source": ["Welcome"]}
    code = {
        "cell_type": "code", "id": "extra", "metadata": {}, "source": ["1 + 1"],
        "execution_count": 3, "outputs": [{"output_type": "stream", "name": "stdout", "text": "2"}],
    }  # fmt: skip
    gone = {**ours[-1], "id": "pcn-criterion-gone"}
    edited = {**ours[0], "source": ["# Another title"]}
    change(path, [first, edited, ours[1], code, *ours[2:], gone], authors=[{"name": "A. Teacher"}])
    assert len(stale(course, folder)) == 1
    write_notebooks(course, folder)
    now = cells_of(path)
    assert [cell["id"] for cell in now] == [
        "first", "pcn-reading", "pcn-open", "extra", *(cell["id"] for cell in ours[2:])
    ]  # fmt: skip
    assert now[1] == ours[0]
    assert (now[3]["outputs"], now[3]["execution_count"]) == ([], None)
    assert json.loads(path.read_text())["metadata"]["authors"] == [{"name": "A. Teacher"}]
    assert stale(course, folder) == ()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"cells": 3}', '{"cells": [1]}'])
def test_a_file_that_is_no_notebook_is_named_and_left_alone(
    course: Course, folder: Path, content: str
) -> None:
    path = folder / course.steps[1].path
    path.write_text(content)
    assert ["is not a notebook" in fault.message for fault in stale(course, folder)] == [True]
    with pytest.raises(CourseError, match="is not a notebook"):
        write_notebooks(course, folder)
    assert path.read_text() == content


def test_a_notebook_without_a_step_is_named(course: Course, folder: Path) -> None:
    shutil.copytree(folder / "step-1-goals", folder / "step-9-gone")
    (folder / "step-9-gone/step-1-goals.ipynb").rename(folder / "step-9-gone/step-9-gone.ipynb")
    assert [fault.file for fault in stale(course, folder)] == [
        "notebooks/step-9-gone/step-9-gone.ipynb"
    ]


def test_a_sixth_step_takes_one_file_and_one_notebook(course: Course, folder: Path) -> None:
    steps = course.root / "data" / "steps"
    fifth = (steps / "step-5-integrating.toml").read_text()
    sixth = fifth.replace('"step-5-integrating"', '"step-6-looking-back"')
    sixth = sixth.replace('name = "integrating"', 'name = "looking-back"')
    (steps / "step-6-looking-back.toml").write_text(sixth)
    longer = load_course(course.root)
    assert longer.steps[-1].id == "step-6-looking-back"
    assert write_notebooks(longer, folder) == (longer.steps[-1].path,)
    assert stale(longer, folder) == ()


def test_the_reading_folds_away_wherever_markdown_is_shown(course: Course) -> None:
    for step in course.steps:
        html = markdown2html("".join(step_notebook(course, step)["cells"][0]["source"]))
        assert f"<summary>Read first · {step.reading.minutes} minutes</summary>" in html
        before, _, inside = html.partition("<details>")
        inside, end, after = inside.partition("</details>")
        assert step.summary[:20] in before
        assert end
        assert not after.strip()
        assert inside.count("<p>") > 2
        for address in re.findall(r"https://[^\s]+", " ".join(step.reading.sources)):
            assert f'<a href="{address.rstrip(".")}">' in inside


def test_the_notebooks_in_the_repository_are_up_to_date() -> None:
    course = load_course(CHECKOUT)
    assert [str(fault) for fault in stale(course, CHECKOUT / "notebooks")] == []
