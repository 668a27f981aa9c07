"""Answers as HTML that reads well where an instructor sees it: formgrader, feedback, a preview.

Everything that a student wrote is escaped; styles are inline, because formgrader and feedback
pages bring their own style sheets; there is no script. Text keeps its line breaks and its own
direction of writing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec

from pcn_course.answers.store import Field, Submitted
from pcn_course.answers.structure import Checked
from pcn_course.answers.values import Row, rows_of
from pcn_course.characters import no_answer
from pcn_course.course import Prompt, Step
from pcn_course.render import render

_LONG_LABEL = 40
"""Characters of a column's label that make its head high where the column is narrow."""


class Answer(msgspec.Struct, frozen=True):
    """What stands under one heading: an answer, or why there is none.

    ``state`` is "open" where a required one lacks, "later" where the question came after what was
    submitted, and "dropped" where the course no longer asks it. Only an answered one has a prompt.
    """

    label: str
    state: Literal["answered", "open", "later", "dropped"]
    prompt: Prompt | None = None
    value: Any = None


def submitted_html(step: Step, answers: Submitted) -> str:
    """What was submitted, under the questions that were asked then."""
    asked = answers.step or step
    return answers_html(asked, answers.fields, answers.problems, later(step, answers))


def later(step: Step, answers: Submitted) -> tuple[Prompt, ...]:
    """The required prompts of the step that came after these answers were written."""
    if answers.step is None:
        return ()
    before = {prompt.key for prompt in answers.step.prompts}
    return tuple(prompt for prompt in step.required if prompt.key not in before)


def answers_html(
    step: Step,
    fields: Mapping[str, Field],
    problems: Iterable[str] = (),
    later: Iterable[Prompt] = (),
) -> str:
    """All public answers of a step under their prompts, in the page's order.

    Required prompts without an answer are shown as open; others are left out. Those in ``later``
    were not asked then. Answers to keys that the course doesn't know come last, under their key.
    """
    tables = _entries(step, fields)
    shown = [_shown(answer, tables) for answer in laid_out(step, fields, later)]
    return render("answers", "answers", list(problems), shown)


def laid_out(step: Step, fields: Mapping[str, Field], later: Iterable[Prompt] = ()) -> list[Answer]:
    """Return what stands under each heading of `answers_html`, in its order."""
    answers = []
    for prompt in step.prompts:
        value = fields[prompt.key].value if prompt.key in fields else None
        if not prompt.private and not prompt.is_empty(value):
            answers.append(Answer(prompt.label, "answered", prompt, value))
        elif not prompt.private and prompt.required:
            answers.append(Answer(prompt.label, "open"))
    answers += [Answer(prompt.label, "later") for prompt in later]
    known = {prompt.key for prompt in step.prompts}
    answers += [
        Answer(f"An answer to “{key}”, which this course doesn't ask", "dropped", None, field.value)
        for key, field in fields.items()
        if key not in known and not no_answer(field.value)
    ]
    return answers


def filled_table(prompt: Prompt, value: Any) -> tuple[list[Prompt], list[Row]]:
    """Return a table's public columns in which anything stands, and its rows that aren't empty."""
    filled = [row for row in rows_of(value) if not prompt.is_empty([row])]
    columns = [
        column
        for column in prompt.columns
        if not column.private and not all(column.is_empty(row.get(column.key)) for row in filled)
    ]
    return columns, filled


def checked_html(checked: Checked) -> str:
    """The structure points, with the reason for each missing one."""
    return render("answers", "checked", checked)


Entries = dict[str, dict[str, str]]


def _entries(step: Step, fields: Mapping[str, Field]) -> Entries:
    """What the entries of each table of the step are called, by the table's key and their ids."""
    tables: Entries = {}
    for prompt in step.prompts:
        field = fields.get(prompt.key)
        if prompt.kind != "table" or not field:
            continue
        first = prompt.columns[0]
        tables[prompt.key] = {
            str(row.get("id")): first.shown(row[first.key])
            for row in rows_of(field.value)
            if not first.is_empty(row.get(first.key))
        }
    return tables


def _shown(answer: Answer, tables: Entries) -> dict[str, Any]:
    """An answer in words, as the template lays it out."""
    prompt, value = answer.prompt, answer.value
    shown: dict[str, Any] = {"label": answer.label, "state": answer.state, "text": value}
    if prompt is None:
        return shown
    if prompt.kind == "table" and isinstance(value, list):
        columns, rows = filled_table(prompt, value)
        cells = [[_cell(column, row, tables) for column in columns] for row in rows]
        heads = [(_head(column), _width(column)) for column in columns]
        return {**shown, "table": {"columns": heads, "rows": cells}}
    if prompt.kind == "choices" and isinstance(value, list):
        return {**shown, "choices": [prompt.shown(choice) for choice in value]}
    return {**shown, "text": prompt.shown(value)}


def _width(column: Prompt) -> str:
    """The least width of a column: in a narrow one sentences would make a row a page high."""
    if column.kind == "text" or len(_head(column)) > _LONG_LABEL:
        return "15em"
    return "10em" if column.kind == "line" else "7.5em"


def _head(column: Prompt) -> str:
    """A column's label, which says once what the ends of a scale mean."""
    return column.label + (column.ends if column.kind == "scale" else "")


def _cell(column: Prompt, row: Row, tables: Entries) -> str:
    value = row.get(column.key)
    names = tables.get(column.options_from, {})
    if column.is_empty(value):
        return ""
    chosen = value if isinstance(value, list) else [value]
    if column.refers and all(str(one) in names for one in chosen):
        return "; ".join(names[str(one)] for one in chosen)
    shown = column.shown_in(row)
    return shown.removesuffix(column.ends) if column.kind == "scale" else shown
