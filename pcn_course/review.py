"""Answers as HTML that reads well where an instructor sees it: formgrader, feedback, a preview.

Everything that a student wrote is escaped; styles are inline, because formgrader and feedback
pages bring their own style sheets; there is no script. Text keeps its line breaks and its own
direction of writing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pcn_course.answers import Field, Submitted
from pcn_course.characters import escaped, no_answer
from pcn_course.checks import Checked
from pcn_course.course import Prompt, Step
from pcn_course.values import Row, rows_of

_ANSWER = (
    "white-space:pre-wrap;overflow-wrap:anywhere;margin:.25em 0 1.4em;padding:.1em 0 .1em .9em;"
    "border-left:3px solid #8fb5b1"
)
_OPEN = "margin:.25em 0 1.4em;padding-left:.9em;border-left:3px dashed #b98a4a;font-style:italic"
_TABLE = "border-collapse:collapse;margin:.25em 0 1.4em;text-align:left"
_CELL = (
    "border:1px solid #9aa7aa;padding:.35em .6em;vertical-align:top;"
    "text-align:left;white-space:pre-wrap;overflow-wrap:anywhere;min-width:"
)
_LONG_LABEL = 40
"""Characters of a column's label that make its head high where the column is narrow."""


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
    blocks = []
    tables = _entries(step, fields)
    for prompt in step.prompts:
        if prompt.private:
            continue
        field = fields.get(prompt.key)
        value = field.value if field else None
        if not prompt.is_empty(value):
            blocks.append(_heading(prompt.label) + _value(prompt, value, tables))
        elif prompt.required:
            blocks.append(_heading(prompt.label) + f'<p style="{_OPEN}">No answer yet.</p>')
    blocks += [
        _heading(prompt.label) + f'<p style="{_OPEN}">Not asked when this was submitted.</p>'
        for prompt in later
    ]
    known = {prompt.key for prompt in step.prompts}
    for key, field in fields.items():
        if key not in known and not no_answer(field.value):
            label = f"An answer to “{key}”, which this course doesn't ask"
            blocks.append(_heading(label) + _text(field.value))
    notes = "".join(f"<p><strong>Note:</strong> {escaped(problem)}</p>" for problem in problems)
    return f'<div class="pcn-answers" style="max-width:44rem">{notes}{"".join(blocks)}</div>'


def checked_html(checked: Checked) -> str:
    """The structure points, with the reason for each missing one."""
    total = f"Structure: {checked.points:g} of {checked.out_of:g} points"
    rows = []
    for part in checked.parts:
        mark = "✓" if part.points else "○"
        reason = ""
        if part.missing:
            reason = f" Still open: {'; '.join(escaped(label) for label in part.missing)}"
        points = f"<strong>{part.points:g} of {part.out_of:g}</strong>"
        rows.append(
            f'<li style="margin:.3em 0"><span aria-hidden="true">{mark}</span> '
            f"{points} · {escaped(part.says)}.{reason}</li>"
        )
    covered = (
        "<p>Another process covers this step, as shown above: full structure points.</p>"
        if checked.covered
        else ""
    )
    return (
        f'<div class="pcn-checked" style="max-width:44rem">{_heading(total)}{covered}'
        f'<ul style="list-style:none;padding:0;margin:.3em 0 1em">{"".join(rows)}</ul></div>'
    )


def _heading(text: str) -> str:
    style = "font-size:1.05em;font-weight:600;margin:1em 0 .25em;line-height:1.35"
    return f'<h3 style="{style}">{escaped(text)}</h3>'


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


def _value(prompt: Prompt, value: Any, tables: Entries) -> str:
    if prompt.kind == "table" and isinstance(value, list):
        return _table(prompt, value, tables)
    if prompt.kind == "choices" and isinstance(value, list):
        items = "".join(f"<li>{escaped(prompt.shown(one))}</li>" for one in value)
        return f'<ul style="margin:.25em 0 1.4em">{items}</ul>'
    return _text(prompt.shown(value))


def _table(prompt: Prompt, rows: list[dict[str, Any]], tables: Entries) -> str:
    columns = [
        column
        for column in prompt.columns
        if not column.private and not all(column.is_empty(row.get(column.key)) for row in rows)
    ]
    styles = [_CELL + _width(one) for one in columns]
    head = "".join(
        f'<th scope="col" style="{style}">{escaped(_head(one))}</th>'
        for one, style in zip(columns, styles, strict=True)
    )
    body = "".join(
        "<tr>"
        + "".join(
            f'<td dir="auto" style="{style}">{escaped(_cell(column, row, tables))}</td>'
            for column, style in zip(columns, styles, strict=True)
        )
        + "</tr>"
        for row in rows
        if not prompt.is_empty([row])
    )
    table = f'<table style="{_TABLE}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    # A wide table scrolls in itself, so that the page doesn't; a keyboard must reach it, too.
    region = f'role="region" aria-label="{escaped(prompt.label)}" tabindex="0"'
    return f'<div {region} style="overflow-x:auto">{table}</div>'


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


def _text(value: Any) -> str:
    return f'<div dir="auto" style="{_ANSWER}">{escaped(value)}</div>'
