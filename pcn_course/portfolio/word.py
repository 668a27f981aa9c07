"""The plan and the whole reflection as a Word document."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any

from docx import Document
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt

from pcn_course.course import Course
from pcn_course.portfolio.content import (
    Items,
    Paragraph,
    Section,
    Table,
    Values,
    clean,
    plan,
    reflection,
)

_MAP = "The map of my network: me in the middle, rings for closeness, sectors around."


def word_document(
    course: Course,
    values: Values,
    *,
    picture: bytes | None = None,
    private: bool = False,
    today: dt.date | None = None,
) -> bytes:
    """The document (.docx): real headings, lists and tables, the map as ``picture`` (PNG) if given.

    A picture that can't be read is left out. ``private``: with the private notes.
    """
    today = today or dt.datetime.now().astimezone().date()
    made: Any = Document()
    made.core_properties.title = clean(f"{course.title}: my plan")
    made.core_properties.author = ""
    made.core_properties.language = "en-US"
    made.styles["Normal"].font.size = Pt(11)
    made.add_heading(clean(f"{course.title}: my plan"), 0)
    made.add_paragraph(f"Made on {today:%B} {today.day}, {today.year}, from my answers.")
    _write(made, plan(course, values, today))
    if picture:
        _draw(made, picture)
    _write(made, reflection(course, values, private=private))
    file = io.BytesIO()
    made.save(file)
    return file.getvalue()


def _write(made: Any, sections: tuple[Section, ...]) -> None:
    for section in sections:
        made.add_heading(clean(section.title), section.level - 1)
        for block in section.blocks:
            match block:
                case Paragraph(text):
                    made.add_paragraph(clean(text))
                case Items(texts):
                    for text in texts:
                        made.add_paragraph(clean(text), style="List Bullet")
                case Table():
                    _table(made, block)


def _table(made: Any, table: Table) -> None:
    made.add_paragraph(clean(table.caption), style="Caption")
    grid = made.add_table(rows=1, cols=len(table.head), style="Table Grid")
    for cell, words in zip(grid.rows[0].cells, table.head, strict=True):
        cell.paragraphs[0].add_run(clean(words)).bold = True
    # A head that comes again on each page, and by which a screen reader names the cells.
    row = grid.rows[0]._tr.get_or_add_trPr()  # noqa: SLF001 (python-docx has no other way)
    head = OxmlElement("w:tblHeader")
    head.set(qn("w:val"), "true")
    row.append(head)
    for cells in table.rows:
        for cell, words in zip(grid.add_row().cells, cells, strict=True):
            cell.text = clean(words)
    made.add_paragraph()


def _draw(made: Any, picture: bytes) -> None:
    try:
        made.add_picture(io.BytesIO(picture), width=Cm(15))
    except Exception:  # noqa: BLE001 (whatever is wrong with it, the document is of use without)
        return
    made.inline_shapes[-1]._inline.docPr.set("descr", _MAP)  # noqa: SLF001 (as above)
    made.add_paragraph(_MAP, style="Caption")
