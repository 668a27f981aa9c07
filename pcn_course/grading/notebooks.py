"""Writes the notebooks that students open and nbgrader grades, from what ``data/`` says.

Beside the steps stand pages that are no assignments and lie directly in the folder: home, the
portfolio, and an example where the course brings one; and in ``assignments/`` those that
instructors open. A step's notebook is at once a page of the
app and an assignment: a title with the reading, the form, and then the cells tagged ``grading``,
which only an instructor sees. Our cells are known by their ids, which begin with ``pcn-``; cells
that an instructor added stay where they are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pcn_course.course import Course, CourseError, Criterion, Fault, Step
from pcn_course.example import has_example
from pcn_course.files import write_whole

HOME = "home.ipynb"
PORTFOLIO = "portfolio.ipynb"
EXAMPLE = "example.ipynb"
MARKING = "marking.ipynb"
COHORT = "cohort.ipynb"
AGREEMENT = "agreement.ipynb"
REVIEW = "review"
STRUCTURE = "structure"
"""nbgrader's ids (``grade_id``) of the cells that are in every step; a criterion's is its own."""

_OURS = "pcn-"
_MADE_BY_RUNS = ("celltoolbar", "language_info", "widgets")
_KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}

Cell = dict[str, Any]
Notebook = dict[str, Any]


def write_notebooks(course: Course, folder: Path) -> tuple[str, ...]:
    """Write all notebooks of ``course`` below ``folder``; return the paths that changed.

    Raises:
        CourseError: a file that stands in the way isn't a notebook; nothing was written.
    """
    return _write(_all(course), folder)


def write_room_notebooks(folder: Path) -> tuple[str, ...]:
    """Write the instructors' notebooks into their room; return the paths that changed.

    Raises:
        CourseError: a file that stands in the way isn't a notebook; nothing was written.
    """
    return _write(_of_the_room(), folder)


def _write(notebooks: Iterable[tuple[str, Notebook]], folder: Path) -> tuple[str, ...]:
    wanted, faults = _wanted(notebooks, folder)
    if faults:
        raise CourseError(faults)
    changed = []
    for path, text in wanted.items():
        target = folder / path
        if not target.exists() or target.read_text(encoding="utf-8") != text:
            write_whole(target, text.encode())
            changed.append(path)
    return tuple(changed)


def stale(course: Course, folder: Path) -> tuple[Fault, ...]:
    """The notebooks that don't say what ``data/`` says, and those that no step belongs to."""
    faults = _stale(_all(course), folder)
    known = {step.id for step in course.steps}
    for target in sorted(folder.glob("step-*/step-*.ipynb")):
        if target.parent.name == target.stem and target.stem not in known:
            message = f"there is no data/steps/{target.stem}.toml for it"
            faults.append(_fault(folder, target.relative_to(folder).as_posix(), message))
    return tuple(faults)


def stale_in_room(folder: Path) -> tuple[Fault, ...]:
    """The instructors' notebooks that are missing, or not what this version writes."""
    return tuple(_stale(_of_the_room(), folder))


def _stale(notebooks: Iterable[tuple[str, Notebook]], folder: Path) -> list[Fault]:
    wanted, faults = _wanted(notebooks, folder)
    for path, text in wanted.items():
        target = folder / path
        if not target.exists():
            faults.append(_fault(folder, path, "this notebook is missing; run `pcn notebooks`"))
        elif target.read_text(encoding="utf-8") != text:
            faults.append(_fault(folder, path, "doesn't say what data/ says; run `pcn notebooks`"))
    return faults


def home_notebook(course: Course) -> Notebook:
    """The page from which a student starts."""
    cells = [
        _markdown("title", f"# {course.title}"),
        _code("home", "from pcn_course import open_home\n\nopen_home()"),
    ]
    return _notebook(course.title, {"page": "home"}, cells)


def portfolio_notebook() -> Notebook:
    """The plan, and the files that a student takes along."""
    cells = [
        _markdown(
            "title",
            "# Your plan, to take with you\n\n"
            "Your plan on one page, your map, and files that open without this course.",
        ),
        _code("portfolio", "from pcn_course import open_portfolio\n\nopen_portfolio()"),
    ]
    return _notebook("Your plan", {"page": "portfolio"}, cells)


def example_notebook() -> Notebook:
    """A complete student who is made up, to be looked at."""
    cells = [
        _markdown(
            "title",
            "# A complete example\n\n"
            "What finished steps can look like: the plan first, then the answers behind it.",
        ),
        _code("example", "from pcn_course import open_example\n\nopen_example()"),
    ]
    return _notebook("A complete example", {"page": "example"}, cells)


def marking_notebook() -> Notebook:
    """Where instructors mark by rubric."""
    cells = [
        _markdown("title", "# Marking"),
        _code("marking", "from pcn_course import open_marking\n\nopen_marking()"),
    ]
    return _notebook("Marking", {"page": "marking"}, cells)


def cohort_notebook() -> Notebook:
    """Where instructors see their class as a whole."""
    cells = [
        _markdown("title", "# The class as a whole"),
        _code("cohort", "from pcn_course import open_cohort\n\nopen_cohort()"),
    ]
    return _notebook("The class as a whole", {"page": "cohort"}, cells)


def agreement_notebook() -> Notebook:
    """Where instructors see how far markers agree, and settle differences."""
    cells = [
        _markdown("title", "# Second marking"),
        _code("agreement", "from pcn_course import open_agreement\n\nopen_agreement()"),
    ]
    return _notebook("Second marking", {"page": "agreement"}, cells)


def step_notebook(course: Course, step: Step) -> Notebook:
    """One step as a page and as an assignment."""
    cells = [
        _markdown("reading", _introduction(step)),
        _code("open", f'from pcn_course import open_step\n\nstep = open_step("{step.name}")'),
        _code("form", "step.form()"),
        _code("review", "step.review()", tags=["grading"], nbgrader=_locked(REVIEW)),
        _code(
            "structure",
            "step.check()",
            tags=["grading"],
            nbgrader=_locked(STRUCTURE, grade=True, points=_number(course.rubric.structure)),
        ),
    ]
    cells += [
        _markdown(
            f"criterion-{criterion.id}",
            _criterion(criterion),
            tags=["grading"],
            nbgrader=_locked(criterion.id, task=True, points=_number(criterion.points)),
        )
        for criterion in course.rubric.criteria
    ]
    return _notebook(step.title, {"page": "step", "step": step.name}, cells)


def as_text(notebook: Notebook) -> str:
    """The notebook as Jupyter itself would write it, so that saving there changes nothing."""
    return json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def _wanted(
    notebooks: Iterable[tuple[str, Notebook]], folder: Path
) -> tuple[dict[str, str], list[Fault]]:
    """The text of each notebook by its path below ``folder``, with the cells that others added."""
    wanted: dict[str, str] = {}
    faults: list[Fault] = []
    for path, notebook in notebooks:
        try:
            wanted[path] = as_text(_merged(notebook, _read(folder / path)))
        except (ValueError, KeyError, TypeError, AttributeError):
            message = "is not a notebook; move it away, then run `pcn notebooks`"
            faults.append(_fault(folder, path, message))
    return wanted, faults


def _all(course: Course) -> Iterator[tuple[str, Notebook]]:
    yield HOME, home_notebook(course)
    yield PORTFOLIO, portfolio_notebook()
    if has_example(course):
        yield EXAMPLE, example_notebook()
    for step in course.steps:
        yield step.path, step_notebook(course, step)


def _of_the_room() -> Iterator[tuple[str, Notebook]]:
    yield MARKING, marking_notebook()
    yield COHORT, cohort_notebook()
    yield AGREEMENT, agreement_notebook()


def _read(path: Path) -> Notebook | None:
    try:
        read: Notebook = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return read


def _merged(ours: Notebook, standing: Notebook | None) -> Notebook:
    """``ours``, with the foreign cells of ``standing`` after the cell that they followed."""
    if standing is None:
        return ours
    own = {cell["id"] for cell in ours["cells"]}
    followers: dict[str, list[Cell]] = {}
    last = ""
    for cell in standing["cells"]:
        one = cell.get("id", "")
        if one in own:
            last = one
        elif not one.startswith(_OURS):
            followers.setdefault(last, []).append(_without_outputs(cell))
    cells = list(followers.get("", []))
    for cell in ours["cells"]:
        cells += [cell, *followers.get(cell["id"], [])]
    kept = {key: value for key, value in standing["metadata"].items() if key not in _MADE_BY_RUNS}
    return {**ours, "cells": cells, "metadata": {**kept, **ours["metadata"]}}


def _without_outputs(cell: Cell) -> Cell:
    return {**cell, "execution_count": None, "outputs": []} if "outputs" in cell else cell


def _introduction(step: Step) -> str:
    """Title, summary and the reading, which is folded away until it is wanted."""
    reading = step.reading
    # The blank lines let markdown go on inside the HTML: in JupyterLab, in Voilà, in nbconvert.
    parts = [
        f"# {step.title}",
        step.summary,
        f"<details>\n<summary>Read first · {_minutes(reading.minutes)}</summary>",
        reading.text.strip(),
    ]
    if reading.sources:
        sources = "\n".join(f"- {_with_links(source.strip())}" for source in reading.sources)
        parts += ["**Sources**", sources]
    return "\n\n".join([*parts, "</details>"])


def _criterion(criterion: Criterion) -> str:
    levels = "\n".join(
        f"- **{level.points:g} · {level.name}.** {level.text}" for level in criterion.levels
    )
    return f"## {criterion.title}\n\n{criterion.question}\n\n{levels}"


def _minutes(number: int) -> str:
    return "1 minute" if number == 1 else f"{number} minutes"


def _with_links(text: str) -> str:
    """``text`` with its bare addresses as links; a full stop after one is not part of it."""
    return re.sub(r"(?<![<(\"])\bhttps?://[^\s<>]*[^\s<>.,;:)]", r"<\g<0>>", text)


def _number(points: float) -> float:
    return int(points) if points == int(points) else points


def _locked(
    grade_id: str, *, grade: bool = False, task: bool = False, points: float | None = None
) -> dict[str, Any]:
    """nbgrader's own metadata for a cell that only shows something or gives points."""
    settings = {
        "grade": grade,
        "grade_id": grade_id,
        "locked": True,
        "schema_version": 3,
        "solution": False,
        "task": task,
    }
    return settings if points is None else {**settings, "points": points}


def _markdown(name: str, source: str, **metadata: Any) -> Cell:
    return {"cell_type": "markdown", **_cell(name, source, metadata)}


def _code(name: str, source: str, **metadata: Any) -> Cell:
    cell = _cell(name, source, metadata)
    return {"cell_type": "code", "execution_count": None, "outputs": [], **cell}


def _cell(name: str, source: str, metadata: dict[str, Any]) -> Cell:
    # A change in a cell of ours would be lost at the next `pcn notebooks`, so none can be made.
    return {
        "id": f"{_OURS}{name}"[:64],
        "metadata": {"deletable": False, "editable": False, **metadata},
        "source": source.splitlines(keepends=True),
    }


def _notebook(title: str, pcn: dict[str, str], cells: list[Cell]) -> Notebook:
    metadata = {
        "kernelspec": _KERNEL,
        "language_info": {"name": "python"},
        "pcn": pcn,
        "title": title,
    }
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def _fault(folder: Path, path: str, message: str) -> Fault:
    return Fault(f"{folder.name}/{path}", "", message)
