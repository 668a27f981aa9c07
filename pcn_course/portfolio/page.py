"""The plan as HTML in a page, and all of it as one file that opens in any browser."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from html import escape

from pcn_course.course import Course
from pcn_course.look import LOOK
from pcn_course.portfolio.content import (
    Block,
    Items,
    Paragraph,
    Section,
    Table,
    Values,
    clean,
    plan,
    reflection,
)

_STYLE = """
body { margin: 0; }
main { max-width: 44rem; margin: 0 auto; padding: 2rem 1rem 4rem; }
h2 { margin-top: 2.5rem; } h3 { margin: 1.5rem 0 .25rem; font-size: 1rem; }
p { white-space: pre-wrap; overflow-wrap: anywhere; }
figure { margin: 1.5rem 0; } figure svg { max-width: 100%; height: auto; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .9375rem; text-align: left; }
caption { text-align: left; color: var(--soft); padding-bottom: .25rem; }
th, td { padding: .375rem .75rem .375rem 0; border-bottom: 1px solid var(--line);
  vertical-align: top; overflow-wrap: anywhere; }
@page { margin: 18mm 16mm; }
@media print { main { max-width: none; padding: 0; } h2, h3 { break-after: avoid; } }
"""
_MAP = (
    "<figure><!--map--><figcaption>The map of my network: me in the middle.</figcaption></figure>"
)


def plan_html(course: Course, values: Values, today: dt.date | None = None) -> str:
    """The plan as a fragment of HTML, with headings from ``h2`` on; every answer is escaped."""
    return _html(plan(course, values, today))


def document_html(
    course: Course, values: Values, *, private: bool = False, today: dt.date | None = None
) -> str:
    """The plan and the whole reflection as a file of its own, which loads nothing.

    ``<!--map-->`` stands where a drawing may be put in. ``private``: with the private notes, each
    of which says that it is one.
    """
    today = today or dt.datetime.now().astimezone().date()
    made = f"Made on {today:%B} {today.day}, {today.year}, from my answers to the course. "
    made += "My private notes are in it." if private else "My private notes are not in it."
    title = escape(clean(course.title))
    drawing = _MAP if values.get("connections", {}).get("people") else ""
    whole = reflection(course, values, private=private)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{title}: my plan</title><style>{LOOK.read_text('utf-8')}{_STYLE}</style></head>"
        f'<body class="pcn"><main><h1>{title}: my plan</h1><p>{escape(made)}</p>'
        f"{_html(plan(course, values, today))}{drawing}"
        f"{_html(whole)}</main></body></html>\n"
    )


def _html(sections: Iterable[Section]) -> str:
    parts = []
    for section in sections:
        parts.append(f"<h{section.level}>{_safe(section.title)}</h{section.level}>")
        parts += [_block(block) for block in section.blocks]
    return "".join(parts)


def _block(block: Block) -> str:
    match block:
        case Paragraph(text):
            return f'<p dir="auto">{_safe(text)}</p>'
        case Items(texts):
            items = "".join(f'<li dir="auto">{_safe(text)}</li>' for text in texts)
            return f"<ul>{items}</ul>"
        case Table():
            return _table(block)


def _table(table: Table) -> str:
    head = "".join(f'<th scope="col">{_safe(cell)}</th>' for cell in table.head)
    body = "".join(
        f'<tr><th scope="row" dir="auto">{_safe(first)}</th>'
        + "".join(f'<td dir="auto">{_safe(cell)}</td>' for cell in others)
        + "</tr>"
        for first, *others in table.rows
    )
    # A wide table scrolls in itself, so a keyboard must get there.
    region = f'role="region" tabindex="0" aria-label="{_safe(table.caption)}"'
    return (
        f'<div class="scroll pcn-scroll" {region}><table class="pcn-table">'
        f"<caption>{_safe(table.caption)}</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _safe(words: str) -> str:
    return escape(clean(words), quote=True)
