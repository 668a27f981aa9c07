"""The plan and the whole reflection as a Word document."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any

from docx import Document
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor

from pcn_course.answers.values import Values
from pcn_course.characters import clean
from pcn_course.course import Course
from pcn_course.documents.plan import (
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

_PNG = b"\x89PNG\r\n\x1a\n"
_SOFT = RGBColor(0x53, 0x63, 0x6A)
MAX_PICTURE = 3_000_000
"""Bytes that a picture has to stay below."""
_MAP = "The map of my network: me in the middle, rings for closeness, sectors around."


def word_document(  # noqa: PLR0913 (each is an option)
    course: Course,
    values: Values,
    *,
    picture: bytes | None = None,
    private: bool = False,
    alone: bool = False,
    today: dt.date | None = None,
    snapshots: Snapshots = (),
    notes: Notes = (),
) -> bytes:
    """The document (.docx): real headings, lists and tables, the map as ``picture`` (PNG) if given.

    A picture that can't be read, or has 3 MB or more, is left out. ``private``: with the private
    notes. ``alone``: the plan and the map without the reflection.
    """
    today = today or dt.datetime.now().astimezone().date()
    midnight = dt.datetime.combine(today, dt.time(), tzinfo=dt.UTC)
    # Small type and margins: the plan is to stay on one page, or little more.
    made = new_document(f"{course.title}: my plan", midnight, margins=(1.4, 2), size=9.5, space=3)
    _set_type(made)
    made.add_paragraph(about(today, private=private, alone=alone))
    _write(made, plan(course, values, today, snapshots, alone=alone))
    if picture and picture.startswith(_PNG) and len(picture) < MAX_PICTURE:
        _draw(made, picture)
    if not alone and (whole := reflection(course, values, private=private, notes=notes)):
        made.add_page_break()
        _write(made, whole)
    file = io.BytesIO()
    made.save(file)
    return file.getvalue()


def new_document(
    title: str, when: dt.datetime, *, margins: tuple[float, float], size: float, space: float
) -> Any:
    """Return a Word document in English with its title as heading, and nobody as its author.

    ``margins`` (above and below, left and right) are in cm, the type's ``size`` and the ``space``
    below a paragraph in points.
    """
    made: Any = Document()
    made.core_properties.title = clean(title)
    made.core_properties.author = ""
    made.core_properties.language = "en-US"
    # What the template says of itself does not hold for this document.
    made.core_properties.comments = ""
    made.core_properties.created = made.core_properties.modified = when
    for section in made.sections:
        section.top_margin = section.bottom_margin = Cm(margins[0])
        section.left_margin = section.right_margin = Cm(margins[1])
    normal = made.styles["Normal"]
    language = OxmlElement("w:lang")
    language.set(qn("w:val"), "en-US")
    normal.element.get_or_add_rPr().append(language)
    normal.font.size = Pt(size)
    normal.paragraph_format.space_after = Pt(space)
    made.add_heading(clean(title), 0)
    return made


def _set_type(made: Any) -> None:
    made.styles["Normal"].paragraph_format.line_spacing = 1
    made.styles["Title"].font.size = Pt(18)
    made.styles["Title"].paragraph_format.space_after = Pt(3)
    made.styles["List Bullet"].paragraph_format.space_after = Pt(1)
    for name, before in (("Heading 1", 6), ("Heading 2", 6), ("Heading 3", 4)):
        made.styles[name].paragraph_format.space_before = Pt(before)
        made.styles[name].paragraph_format.space_after = Pt(2)
    made.styles["Caption"].paragraph_format.keep_with_next = True


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
                    _table(made, block, section.title)
                case Entry(name, cells):
                    made.add_heading(clean(name), section.level)
                    _cells(made, cells)


def _cells(made: Any, cells: tuple[tuple[str, str], ...]) -> None:
    """What an entry says, a line for each label."""
    lines = made.add_paragraph()
    # Together on one page where it fits.
    lines.paragraph_format.keep_together = True
    for number, (label, words) in enumerate(cells):
        if number:
            lines.add_run().add_break()
        mark = "" if label.endswith("?") else ":"
        lines.add_run(clean(f"{label}{mark} ")).font.color.rgb = _SOFT
        lines.add_run(clean(words))


def _table(made: Any, table: Table, title: str) -> None:
    if table.caption != title:
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
        added = grid.add_row()
        # An entry that is torn over two pages is hard to read.
        added._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))  # noqa: SLF001
        for cell, words in zip(added.cells, cells, strict=True):
            cell.text = clean(words)
    for line in grid.rows:
        for cell in line.cells:
            for paragraph in cell.paragraphs:
                paragraph.paragraph_format.space_after = Pt(0)
                for run in paragraph.runs:
                    run.font.size = Pt(8.5)


def _draw(made: Any, picture: bytes) -> None:
    try:
        made.add_picture(io.BytesIO(picture), width=Cm(15))
    except Exception:  # noqa: BLE001 (whatever is wrong with it, the document is of use without)
        return
    made.paragraphs[-1].paragraph_format.keep_with_next = True
    made.inline_shapes[-1]._inline.docPr.set("descr", _MAP)  # noqa: SLF001 (as above)
    made.add_paragraph(_MAP, style="Caption")
