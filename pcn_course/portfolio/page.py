"""The plan as HTML in a page, and all of it as one file that opens in any browser."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from pcn_course.characters import escaped
from pcn_course.course import Course
from pcn_course.look import LOOK
from pcn_course.portfolio.content import (
    Block,
    Entry,
    Items,
    Notes,
    Paragraph,
    Section,
    Snapshots,
    Table,
    about,
    plan,
    reflection,
)
from pcn_course.values import Values, rows

_STYLE = """
body { margin: 0; }
main { max-width: 44rem; margin: 0 auto; padding: 2rem 1rem 4rem; }
h2 { margin-top: 2.5rem; } h3 { margin: 1.5rem 0 .25rem; font-size: 1rem; }
p { white-space: pre-wrap; overflow-wrap: anywhere; }
figure { margin: 1.5rem 0; } figure:not(:has(svg)) { display: none; }
figure svg { max-width: 100%; height: auto; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .9375rem; text-align: left; }
caption { text-align: left; color: var(--soft); padding-bottom: .25rem; }
th, td { padding: .375rem .75rem .375rem 0; border-bottom: 1px solid var(--line);
  vertical-align: top; overflow-wrap: break-word; }
h4 { margin: 1.25rem 0 .25rem; font-size: 1rem; overflow-wrap: anywhere; }
dl { margin: 0; font-size: .9375rem; line-height: 1.45; }
dl div { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(14rem, 100%), 1fr));
  column-gap: 1rem; padding: .125rem 0; border-bottom: 1px solid var(--line); }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; white-space: pre-wrap; }
@media screen and (max-width: 36rem) {
  table, tbody, tr, tbody :is(th, td), caption { display: block; }
  thead { display: none; }
  tr { padding: .5rem 0; border-bottom: 1px solid var(--line); }
  tbody :is(th, td) { padding: .125rem 0; border: 0; } td:empty { display: none; }
  td::before { content: attr(data-label) ": "; color: var(--soft); }
}
@page { margin: 13mm 15mm; }
@media print {
  body.pcn { background: none; color: #000; font-size: 9.5pt; }
  main { max-width: none; padding: 0; }
  .pcn h1 { font-size: 18pt; margin: 0 0 .25rem; }
  .pcn h2 { font-size: 12pt; margin: .5rem 0 .125rem; }
  .pcn h3 { font-size: 10pt; margin: .5rem 0 .125rem; }
  .pcn p, .pcn ul { margin: .125rem 0; }
  .pcn p, .pcn li { line-height: 1.3; }
  .pcn table { font-size: 8.5pt; line-height: 1.25; }
  .pcn th, .pcn td { padding: .1rem .5rem .1rem 0; }
  .scroll { overflow: visible; } .scroll td { word-break: break-word; }
  h2, h3, h4 { break-after: avoid; } tr, figure { break-inside: avoid; }
  .answers { break-before: page; } h4 { margin: .5rem 0 .1rem; font-size: 10pt; }
  dl { font-size: 9pt; line-height: 1.3; } dl div { padding: 0; } .entry { break-inside: avoid; }
}
"""
MAP = "<!--map-->"
"""Where the drawing of the map goes."""
_FIGURE = f"<figure>{MAP}<figcaption>The map of my network: me in the middle.</figcaption></figure>"


def plan_html(
    course: Course, values: Values, today: dt.date | None = None, snapshots: Snapshots = ()
) -> str:
    """The plan as a fragment of HTML, with headings from ``h2`` on; every answer is escaped."""
    return _html(plan(course, values, today, snapshots))


def document_html(  # noqa: PLR0913 (each is an option)
    course: Course,
    values: Values,
    *,
    private: bool = False,
    alone: bool = False,
    today: dt.date | None = None,
    map_svg: str | None = MAP,
    snapshots: Snapshots = (),
    notes: Notes = (),
) -> str:
    """The plan and the whole reflection as a file of its own, which loads nothing.

    ``private``: with the private notes, each of which says that it is one. ``alone``: the plan and
    the map without the reflection, for whom it is shown to. ``map_svg`` is the
    drawing of the map, which must be safe, for it goes in as it is; without one there is no figure.
    By default a comment keeps its place, so that a drawing can be put in later.
    """
    today = today or dt.datetime.now().astimezone().date()
    title = escaped(course.title)
    holds = escaped(about(today, private=private, alone=alone))
    people = rows(values, "connections", "people")
    drawing = _FIGURE.replace(MAP, map_svg) if map_svg and people else ""
    whole = () if alone else reflection(course, values, private=private, notes=notes)
    answers = f'<div class="answers">{_html(whole)}</div>' if whole else ""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{title}: my plan</title><style>{LOOK.read_text('utf-8')}{_STYLE}</style></head>"
        f'<body class="pcn"><main><h1>{title}: my plan</h1><p>{holds}</p>'
        f"{_html(plan(course, values, today, snapshots, alone=alone))}{drawing}"
        f"{answers}</main></body></html>\n"
    )


def _html(sections: Iterable[Section]) -> str:
    parts = []
    for section in sections:
        parts.append(f"<h{section.level}>{escaped(section.title)}</h{section.level}>")
        parts += [_block(block, section.title) for block in section.blocks]
    return "".join(parts)


def _block(block: Block, title: str) -> str:
    match block:
        case Paragraph(text):
            return f'<p dir="auto">{escaped(text)}</p>'
        case Items(texts):
            items = "".join(f'<li dir="auto">{escaped(text)}</li>' for text in texts)
            return f"<ul>{items}</ul>"
        case Table():
            return _table(block, title)
        case Entry(name, cells):
            words = "".join(
                f'<div><dt>{escaped(label)}</dt><dd dir="auto">{escaped(cell)}</dd></div>'
                for label, cell in cells
            )
            inside = f"<dl>{words}</dl>" if words else ""
            return f'<div class="entry"><h4 dir="auto">{escaped(name)}</h4>{inside}</div>'


def _table(table: Table, title: str) -> str:
    # A caption that says what the heading said is only for those who go from table to table.
    hidden = ' class="pcn-sr"' if table.caption == title else ""
    # On a small screen each row is a card. What is no table to the eye is still one by its roles.
    head = "".join(
        f'<th scope="col" role="columnheader">{escaped(cell)}</th>' for cell in table.head
    )
    body = "".join(
        f'<tr role="row"><th scope="row" role="rowheader" dir="auto">{escaped(first)}</th>'
        + "".join(
            f'<td role="cell" data-label="{escaped(label)}" dir="auto">{escaped(cell)}</td>'
            for label, cell in zip(table.head[1:], others, strict=True)
        )
        + "</tr>"
        for first, *others in table.rows
    )
    # A wide table scrolls in itself, so a keyboard must get there.
    region = f'role="region" tabindex="0" aria-label="{escaped(table.caption)}"'
    return (
        f'<div class="scroll pcn-scroll" {region}><table class="pcn-table" role="table">'
        f"<caption{hidden}>{escaped(table.caption)}</caption>"
        f'<thead role="rowgroup"><tr role="row">{head}</tr></thead>'
        f'<tbody role="rowgroup">{body}</tbody></table></div>'
    )
