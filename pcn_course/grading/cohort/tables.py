"""The tables of the cohort view. A table is a DataFrame, one row for each line that is shown.

A cell is a number, text, or, in place of a small count, the words of `protect`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import pandas as pd

from pcn_course.course import Prompt, Step
from pcn_course.grading.cohort.reading import TOOL_PROMPTS, WASTED, Class
from pcn_course.grading.cohort.suppress import NOT_SHOWN, Cell, protect
from pcn_course.network import coverage

NOT_SAID = "Not said"
STATES = {
    "late": "handed in late",
    "in": "handed in",
    "ready": "ready, not handed in",
    "started": "started",
    "overdue": "not in, past the date",
    "": "not in yet",
}
"""Where a student can be in a step, in words."""


# ---- About grading: exact ------------------------------------------------------------------------


def progress(cls: Class) -> pd.DataFrame:
    """Each step: students, handed_in, late and covered (of these), not_in, overdue (of these).

    Where workspaces can be seen, also ``ready``, ``started`` and ``nothing``, which sum to not_in.
    """
    where = _where(cls)
    rows = []
    for step in cls.course.steps:
        states = Counter(where[student, step.id] for student in cls.students["student"])
        came = states["in"] + states["late"]
        row: dict[str, Any] = {
            "step": step.id,
            "title": _title(step),
            "students": len(cls.students),
            "handed_in": came,
            "late": states["late"],
            "covered": sum(one.covered for (_, at), one in cls.told.items() if at == step.id),
            "not_in": len(cls.students) - came,
            "overdue": int((cls.overdue["step"] == step.id).sum()),
        }
        if cls.workspaces is not None:
            row |= {"ready": states["ready"], "started": states["started"]}
            row["nothing"] = row["not_in"] - row["ready"] - row["started"]
        rows.append(row)
    return pd.DataFrame(rows)


def people(cls: Class) -> pd.DataFrame:
    """Each student: name, student, and by the id of each step where they are, in words."""
    where = _where(cls)
    late = set(zip(cls.overdue["student"], cls.overdue["step"], strict=True))
    rows = []
    for student, name in zip(cls.students["student"], cls.students["name"], strict=True):
        row = {"name": name, "student": student}
        for step in cls.course.steps:
            state = where[student, step.id]
            words = STATES[state or ("overdue" if (student, step.id) in late else "")]
            if state in ("ready", "started") and (student, step.id) in late:
                words += ", past the date"
            row[step.id] = words
        rows.append(row)
    return pd.DataFrame(rows, columns=["name", "student", *(one.id for one in cls.course.steps)])


def _where(cls: Class) -> dict[tuple[str, str], str]:
    """A key of `STATES` for each student and step, "overdue" aside."""
    frame = cls.submissions
    late = frame["seconds_late"] > 0
    came: dict[tuple[str, str], bool] = dict(
        zip(zip(frame["student"], frame["step"], strict=True), late, strict=True)
    )
    written = cls.workspaces or {}
    found = {}
    for student in cls.students["student"]:
        for step in cls.course.steps:
            key = student, step.id
            told = written.get(key)
            if key in came:
                found[key] = "late" if came[key] else "in"
            elif told and told.answered:
                found[key] = "ready" if told.ready else "started"
            else:
                found[key] = ""
    return found


def levels(cls: Class) -> pd.DataFrame:
    """Each step and criterion: how many students reached each level.

    Columns: step, title, criterion, criterion_title, one column for each number of points in the
    rubric (a float, the highest first), ``between`` (points that are no level), ``unmarked``, and
    ``mean`` of the points given (two decimals, NaN where none are).
    """
    criteria = cls.course.rubric.criteria
    points = sorted({level.points for one in criteria for level in one.levels}, reverse=True)
    grouped: dict[Any, pd.Series] = {}
    for key, part in cls.marks.groupby(["step", "criterion"]):
        grouped[key] = part["points"]
    rows = []
    for step in cls.course.steps:
        for criterion in criteria:
            scores = grouped.get((step.id, criterion.id), pd.Series(dtype="float64"))
            counts = scores.value_counts()
            own = {level.points for level in criterion.levels}
            reached = {one: int(counts.get(one, 0)) if one in own else 0 for one in points}
            row: dict[Any, Any] = {
                "step": step.id,
                "title": _title(step),
                "criterion": criterion.id,
                "criterion_title": criterion.title,
            }
            row |= reached
            row["between"] = int(scores.notna().sum()) - sum(reached.values())
            row["unmarked"] = int(scores.isna().sum())
            row["mean"] = round(float(scores.mean()), 2) if scores.notna().any() else None
            rows.append(row)
    return pd.DataFrame(rows)


# ---- Partly, or not at all, about grading: protected ---------------------------------------------


def open_prompts(cls: Class) -> pd.DataFrame:
    """Each prompt: how many of those who handed in left it open.

    Columns: step, title, prompt, label, graded, handed_in, open, answered, share (of open, in
    percent). Prompts that structure points depend on (``graded``) are exact. Those of the "already
    covered" route are left out: they are open by rule.
    """
    counts = cls.answers.groupby(["step", "prompt"])["open"].sum()
    rows = []
    for step in cls.course.steps:
        came = _came(cls, step)
        graded = {prompt.key for prompt in step.required}
        for prompt in step.prompts:
            if prompt.private or prompt.key in step.covered:
                continue
            unanswered = int(counts.get((step.id, prompt.key), 0))
            parts: list[Cell] = [unanswered, came - unanswered]
            if prompt.key not in graded:
                parts = protect([unanswered, came - unanswered])
            rows.append(
                {
                    "step": step.id,
                    "title": _title(step),
                    "prompt": prompt.key,
                    "label": prompt.label,
                    "graded": prompt.key in graded,
                    "handed_in": came,
                    "open": parts[0],
                    "answered": parts[1],
                    "share": _share(parts[0], came),
                }
            )
    return pd.DataFrame(rows)


def tools(cls: Class) -> pd.DataFrame:
    """Each tool of the catalogue: how many know it, want to learn it, have chosen it.

    Columns: tool (its key), label, known, wanted, chosen. What was chosen by most, as far as it is
    shown, comes first; the order of the rest is the catalogue's and tells nothing.
    """
    step = _step_with(cls, "tools-chosen")
    columns = ["tool", "label", *(key.removeprefix("tools-") for key in TOOL_PROMPTS)]
    if step is None:
        return pd.DataFrame(columns=columns)
    told = [one for (_, step_id), one in cls.told.items() if step_id == step.id]
    counts = {key: Counter(tool for one in told for tool in one.tools.get(key, ()))
              for key in TOOL_PROMPTS}  # fmt: skip
    offered: dict[str, str] = {}
    for key in TOOL_PROMPTS:
        offered |= {one.value: one.label for one in _options(step.prompt(key))}
    rows = []
    for tool, label in offered.items():
        shown = [protect([counts[key][tool], len(told) - counts[key][tool]])[0]
                 for key in TOOL_PROMPTS]  # fmt: skip
        rows.append((tool, label, *shown))
    rows.sort(key=lambda row: -row[-1] if isinstance(row[-1], int) else 0)
    return pd.DataFrame(rows, columns=columns)


def tools_of(cls: Class) -> int:
    """How many students' answers the table of tools is made of."""
    step = _step_with(cls, "tools-chosen")
    return sum(step_id == step.id for _, step_id in cls.told) if step else 0


GAP_STATES = ("gap", "perhaps", "held", "none")


def gaps(cls: Class) -> pd.DataFrame:
    """Each kind of knowledge: students by the worst of their needs of it.

    Columns: group (its label), ``gap`` (nobody on the list), ``perhaps`` (somebody may know),
    ``held``, ``none`` (no need of it): of each student who handed in both steps, one.
    """
    found = {who: _needs(cls, who) for who in _both(cls)}
    offered = [option.label for option in _groups(cls)]
    if any(NOT_SAID in needs for needs in found.values()):
        offered.append(NOT_SAID)
    rows = []
    for group in offered:
        states = Counter(needs.get(group, "none") for needs in found.values())
        rows.append((group, *protect([states[state] for state in GAP_STATES])))
    return pd.DataFrame(rows, columns=["group", *GAP_STATES])


def gaps_of(cls: Class) -> int:
    """How many students' answers the table of gaps is made of."""
    return len(_both(cls))


def _both(cls: Class) -> list[str]:
    """Who handed in both what is needed and who is there, so that a gap is one."""
    steps = [_step_with(cls, key) for key in ("expertise-that-helps", "people")]
    if None in steps:
        return []
    ids = [step.id for step in steps if step]
    return [who for who in cls.students["student"] if all((who, one) in cls.told for one in ids)]


def _needs(cls: Class, student: str) -> dict[str, str]:
    """The worst state of a student's needs, by kind of knowledge."""
    values = {
        step.name: cls.told[student, step.id].network
        for step in cls.course.steps
        if (student, step.id) in cls.told
    }
    worst: dict[str, str] = {}
    for need in coverage(cls.course, values).needs:
        group = need.group or NOT_SAID
        worst[group] = min(worst.get(group, "none"), need.state, key=GAP_STATES.index)
    return worst


def minutes(cls: Class) -> pd.DataFrame:
    """Each step: the minutes that the course estimates, and what is said of wasted time.

    Columns: step, title, estimated, handed_in, ``said`` (students who say what wasted their time),
    ``named`` (those of them who name minutes), ``median`` of the largest number that each names.
    """
    rows = []
    for step in cls.course.steps:
        told = [one for (_, step_id), one in cls.told.items() if step_id == step.id]
        said = [one for one in told if WASTED in one.answered]
        named = [one.minutes for one in said if one.minutes is not None]
        shown = protect([len(said), len(told) - len(said)])[0]
        # Those who name minutes are a part of those who said something: a whole of its own.
        parts = protect([len(named), len(said) - len(named)])
        if not isinstance(shown, int):
            parts = [NOT_SHOWN, NOT_SHOWN]
        middle = float(pd.Series(named).median()) if isinstance(parts[0], int) else None
        rows.append((step.id, _title(step), step.minutes, len(told), shown, parts[0], middle))
    columns = ["step", "title", "estimated", "handed_in", "said", "named", "median"]
    return pd.DataFrame(rows, columns=columns)


# ---- Reading the course --------------------------------------------------------------------------


def _title(step: Step) -> str:
    return f"{step.number} · {step.short}"


def _came(cls: Class, step: Step) -> int:
    return sum(step_id == step.id for _, step_id in cls.told)


def _step_with(cls: Class, key: str) -> Step | None:
    return next((step for step in cls.course.steps if step.prompt(key)), None)


def _options(prompt: Prompt | None) -> Iterable[Any]:
    return prompt.options if prompt else ()


def _groups(cls: Class) -> Iterable[Any]:
    step = _step_with(cls, "expertise-that-helps")
    prompt = step.prompt("expertise-that-helps") if step else None
    columns = prompt.columns if prompt else ()
    return _options(next((one for one in columns if one.key == "group"), None))


def _share(count: Cell, of: int) -> int | None:
    return round(100 * count / of) if isinstance(count, int) and of else None
