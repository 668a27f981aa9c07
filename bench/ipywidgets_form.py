"""A step's form as one would write it with ipywidgets alone: a control for each prompt.

Answers are saved on change. This text becomes the cell of a notebook that stock Voilà serves.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ipywidgets as widgets
from IPython.display import display

from pcn_course.course import Prompt, load_course

_WIDE = widgets.Layout(width="100%")


def show_form(name: str, file: Path) -> None:
    """Show step ``name``; keep its answers in ``file``."""
    step = load_course().step(name)
    answers: dict[str, Any] = {}
    status = widgets.HTML()
    status.add_class("bench-status")

    def save(key: str, value: Any) -> None:
        answers[key] = value
        file.write_text(json.dumps(answers, default=str), encoding="utf-8")
        status.value = f"Saved, {len(value) if isinstance(value, str) else 0} characters"

    parts: list[widgets.Widget] = [status]
    for prompt in step.prompts:
        if prompt.section:
            parts.append(widgets.HTML(f"<h2>{prompt.section}</h2>"))
        parts.append(widgets.HTML(f"<b>{prompt.label}</b><br>{prompt.help}"))
        parts.append(control(prompt, functools.partial(save, prompt.key)))
    display(widgets.VBox(parts))  # type: ignore[no-untyped-call]


def control(prompt: Prompt, save: Callable[[Any], None]) -> widgets.Widget:
    """The control for one prompt."""
    match prompt.kind:
        case "choices":
            boxes = {
                option.value: widgets.Checkbox(description=option.label, indent=False)
                for option in prompt.options
            }
            for box in boxes.values():
                box.observe(
                    lambda _: save([value for value, one in boxes.items() if one.value]), "value"
                )
            return widgets.VBox(list(boxes.values()))
        case "table":
            return _table(prompt, save)
        case _:
            made = _simple(prompt)
            made.observe(lambda change: save(change["new"]), "value")
            return made


def _simple(prompt: Prompt) -> widgets.Widget:
    match prompt.kind:
        case "text":
            return widgets.Textarea(placeholder=prompt.label, layout=_WIDE, rows=5)
        case "choice":
            options = [("", ""), *((option.label, option.value) for option in prompt.options)]
            return widgets.Dropdown(options=options)
        case "scale":
            return widgets.IntSlider(min=1, max=prompt.points)
        case "date":
            return widgets.DatePicker()
        case _:
            return widgets.Text(placeholder=prompt.label, layout=_WIDE)


def _table(prompt: Prompt, save: Callable[[Any], None]) -> widgets.Widget:
    rows = widgets.VBox()

    def collect(_: Any) -> None:
        keys = [column.key for column in prompt.columns]
        values = ((cell.value for cell in row.children) for row in rows.children)
        save([dict(zip(keys, row, strict=True)) for row in values])

    def add(_: Any = None) -> None:
        cells = [_simple(column) for column in prompt.columns]
        for cell in cells:
            cell.observe(collect, "value")
        rows.children = [*rows.children, widgets.HBox(cells)]

    add()
    button = widgets.Button(description=f"Add a {prompt.row}")
    button.on_click(add)
    return widgets.VBox([rows, button])
