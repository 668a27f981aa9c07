"""The plan as HTML in a page, and all of it as one file that opens in any browser."""

from __future__ import annotations

import datetime as dt

from pcn_course.answers.values import Values, rows
from pcn_course.course import Course
from pcn_course.documents.plan import Notes, Snapshots, about, plan, reflection
from pcn_course.look import LOOK
from pcn_course.render import TEMPLATES, render

STYLE = TEMPLATES / "document.css"
"""What the look of pages lacks for a document, on a screen and on paper."""
MAP = "<!--map-->"
"""Where the drawing of the map goes."""


def plan_html(
    course: Course, values: Values, today: dt.date | None = None, snapshots: Snapshots = ()
) -> str:
    """The plan as a fragment of HTML, with headings from ``h2`` on; every answer is escaped."""
    return render("document", "sections", plan(course, values, today, snapshots))


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
    mine = plan(course, values, today, snapshots, alone=alone)
    return render(
        "document",
        "page",
        course.title,
        about(today, private=private, alone=alone),
        # The first line break is one of the style's own.
        f"{LOOK.read_text('utf-8')}\n{STYLE.read_text('utf-8')}",
        mine,
        map_svg if rows(values, "connections", "people") else "",
        () if alone else reflection(course, values, private=private, notes=notes),
    )
