r"""Grade files that an LMS imports, as exporters of nbgrader.

    nbgrader export --exporter=pcn_course.grading.lms.exporters.Canvas --to grades.csv \
        --LmsExport.template=downloaded.csv

``template`` is the teacher's own download from the LMS: its columns and its people are kept as
they are, so that points go to the items that are there already. Without one, the LMS matches an
item by its exact title, or makes a new one.

Two files are written: the totals, and beside it ``…-by-criterion``, with an item for each
criterion and, where somebody was late, one “Late” of points below 0, so that they sum to the total.
They are two, because importing the second makes many items, which not everybody wants. Moodle
would make 0 of points below 0, and Brightspace's items begin at 0: there penalties are in the
totals alone, and who has one is said.

Students are matched by the ids in the roster, never by their names. Who handed nothing in has no
line, and what isn't marked yet is left blank (or as the template has it), never 0.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from traitlets import Unicode

from pcn_course.grading.gradebook.room import Room
from pcn_course.grading.lms import LmsError
from pcn_course.grading.lms.exporting import (
    SAFE_ID,
    Header,
    Item,
    LmsExport,
    cells_of,
    number_in,
)
from pcn_course.grading.lms.grades import Column, Grades, points
from pcn_course.grading.lms.roster import Entry
from pcn_course.spreadsheets import Row, Sheet, csv_as_is, guarded_line, key

_MOODLE_IDS = {"lms_id": "ID number", "username": "Username", "email": "Email address"}
_GRADE = (
    "grade", "bewertung", "note", "calificación", "qualificació", "valutazione", "punteggio",
    "nota", "avaliação", "cijfer", "ocena", "hodnocení", "betyg", "karakter", "arvosana",
)  # fmt: skip
_MAXIMUM = (
    "maximum grade", "bestwertung", "höchste bewertung", "note maximale", "calificación máxima",
    "qualificació màxima", "valutazione massima", "nota máxima", "maximum cijfer",
)  # fmt: skip
_BRACKET = re.compile("[(\uff08]")


class Canvas(LmsExport):
    """Canvas's gradebook import: ``Student, ID, SIS User ID, SIS Login ID, Section``, then items.

    An item is found by the number in ``Title (number)``, else by its exact title, else it is made
    anew; a criterion is an assignment of its own there. A student is found by ``ID``, else by the
    SIS ids. An empty cell takes a grade away that Canvas has, hence the template's is kept where
    there is no mark. lib/gradebook_importer.rb in instructure/canvas-lms, and
    https://teaching.resources.osu.edu/toolsets/carmencanvas/guides/calculating-final-grades/
    import-csv-file-carmen-grades (the columns).
    """

    lms = "canvas"
    file = "canvas.csv"
    ids = "lms_id (Canvas's ID) or username (SIS Login ID)"
    makes = "makes new assignments, which students see, of titles that it doesn't have"

    def has_id(self, one: Entry) -> bool:
        """By the number or by the login."""
        return one.lms_id.isdecimal() or bool(SAFE_ID.fullmatch(one.username))

    def table(
        self,
        people: Sequence[Entry],
        columns: Sequence[Column],
        sheet: Sheet | None,
        *,
        must_be_there: bool,
    ) -> bytes:
        """UTF-8 with its mark, so that a spreadsheet shows names right; Canvas allows it."""
        found = self.identified(people, sheet)
        items = self.items(columns, sheet, must_be_there=must_be_there)
        if sheet is None:
            width = 5
            rows = [
                ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"],
                ["    Points Possible", "", "", "", ""],
            ]
        else:
            width = self._section(sheet) + 1
            rows = [list(sheet.header[:width])]
            possible = self._possible(sheet)
            rows.append(list(possible.cells[:width]) if possible else ["    Points Possible"])
            rows[1] += [""] * (width - len(rows[1]))
        rows[0] += [item.header for item in items]
        rows[1] += [self._points_possible(item, sheet) for item in items]
        for one in people:
            if one.id not in found:
                continue
            row = found[one.id]
            who = (
                [guarded_line(cell) for cell in row.cells[:width]]
                if row
                else [
                    guarded_line(one.sortable),
                    one.lms_id if one.lms_id.isdecimal() else "",
                    "",
                    one.username if SAFE_ID.fullmatch(one.username) else "",
                    guarded_line(one.section),
                ]
            )
            rows.append([*who, *cells_of(one, items, row)])
        return csv_as_is(rows)

    def read_header(self, header: str, place: int, sheet: Sheet) -> Header | None:
        """``Title (number)``, behind the columns of the student."""
        found = re.fullmatch(r"(?P<title>.+) \((?P<number>\d+)\)", header.strip())
        if place <= self._section(sheet) or not found:
            return None
        possible = self._possible(sheet)
        return Header(found["title"], number_in(possible.cells[place] if possible else ""))

    def _points_possible(self, item: Item, sheet: Sheet | None) -> str:
        """The item's own in the template, as another number would change the assignment."""
        possible = self._possible(sheet) if sheet and item.place is not None else None
        if possible and item.place is not None:
            there = number_in(possible.cells[item.place])
            if there is not None:
                return points(there)
        return points(item.column.out_of)

    def _section(self, sheet: Sheet) -> int:
        place = sheet.column("Section")
        if place is None or "ID" not in sheet.header:
            raise LmsError(
                f"{sheet.path} is no export of Canvas's gradebook: it lacks “ID” or “Section”. "
                "In Canvas: Grades, Export, Export Entire Gradebook."
            )
        return place

    def _possible(self, sheet: Sheet) -> Row | None:
        """The row of possible points; in another language it is the one with numbers, nobody's."""
        named = (row for row in sheet.rows if "Points Possible" in row.cells[0])
        ids = [place for one in ("ID", "SIS User ID", "SIS Login ID")
               if (place := sheet.column(one)) is not None]  # fmt: skip
        nobodys = (
            row for row in sheet.rows
            if not any(row.cells[place].strip() for place in ids)
            and any(number_in(cell) is not None for cell in row.cells)
        )  # fmt: skip
        return next(named, None) or next(nobodys, None)


class Brightspace(LmsExport):
    """Brightspace's grades import: ``OrgDefinedId`` and ``Username``, then ``Title Points Grade``.

    No names are in it. Ids begin with ``#``, and the last column is ``End-of-Line Indicator``, as
    in Brightspace's own exports. A criterion is an item of its own.
    https://community.d2l.com/brightspace/kb/articles/3538-importing-grades and
    https://kb.wisc.edu/page.php?id=4330 (the signs).
    """

    lms = "brightspace"
    file = "brightspace.csv"
    ids = "username or lms_id (OrgDefinedId)"
    makes = "makes new grade items of titles that it doesn't have"
    below_zero = False

    def has_id(self, one: Entry) -> bool:
        """By the number or by the login."""
        return bool(one.lms_id.strip() or one.username.strip())

    def table(
        self,
        people: Sequence[Entry],
        columns: Sequence[Column],
        sheet: Sheet | None,
        *,
        must_be_there: bool,
    ) -> bytes:
        """UTF-8 without a mark: the first header has to be ``OrgDefinedId`` and nothing else."""
        found = self.identified(people, sheet)
        items = self.items(columns, sheet, must_be_there=must_be_there)
        fields = {"OrgDefinedId": "lms_id", "Username": "username"}
        places = {header: sheet.column(header) for header in fields} if sheet else {}
        headers = [
            header
            for header, field in fields.items()
            if places.get(header) is not None
            or (sheet is None and any(getattr(one, field) for one in people))
        ]
        rows = [[*headers, *(item.header for item in items), "End-of-Line Indicator"]]
        for one in people:
            if one.id not in found:
                continue
            row = found[one.id]
            ids = []
            for header in headers:
                place = places.get(header)
                kept = row.cells[place] if row and place is not None else None
                known = getattr(one, fields[header]) if kept is None else kept.strip()
                ids.append(f"#{known.removeprefix('#')}" if known else "")
            rows.append([*ids, *cells_of(one, items, row), "#"])
        return csv_as_is(rows, encoding="utf-8")

    def read_header(self, header: str, place: int, sheet: Sheet) -> Header | None:  # noqa: ARG002
        """``Title Points Grade``, in exports with ``<Numeric MaxPoints:20 Weight:10>`` behind."""
        found = re.fullmatch(
            r"(?P<title>.+) Points Grade(?:\s*<(?P<about>[^>]*)>)?", header.strip()
        )
        if not found:
            return None
        most = re.search(r"MaxPoints:\s*([\d.,]+)", found["about"] or "")
        return Header(found["title"], number_in(most[1]) if most else None)

    def new_header(self, column: Column) -> str:
        """The title, and what kind of grade it is."""
        return f"{column.title} Points Grade"


class Moodle(LmsExport):
    """Moodle, in one of two ways.

    With a template it is the grading worksheet of one assignment (Assignment, Download grading
    worksheet): only its grades are filled in, as its headers and numbers of people are Moodle's.
    Name the step with ``--assignment``. Moodle ignores a line without a grade.
    mod/assign/feedback/offline/importgradeslib.php and locallib.php in moodle/moodle.

    Without one it is a file for Grades, Import, CSV file, where columns are mapped by hand; so is
    the file by criterion. People are found by the first of ID number, user name and address that
    all of them have. https://docs.moodle.org/311/en/Grade_import
    """

    lms = "moodle"
    file = "moodle.csv"
    ids = "lms_id (ID number), username or email"
    makes = "makes new grade items, unless you map these to those that are there"
    below_zero = False

    grade_column = Unicode(
        "", help="The header of the grades in the worksheet, where Moodle's language is a rare one."
    ).tag(config=True)

    def has_id(self, one: Entry) -> bool:
        """By any of the three."""
        return any(SAFE_ID.fullmatch(getattr(one, field)) for field in _MOODLE_IDS)

    def totals(self, room: Room, grades: Grades, sheet: Sheet | None) -> bytes:
        """The worksheet, filled in; or the file for the gradebook."""
        if sheet is None:
            return super().totals(room, grades, None)
        if len(grades.totals) != 1 or self.only_step() is None:
            raise LmsError(
                "A grading worksheet belongs to one assignment: name its step, as in "
                "--assignment=\"['step-1-goals']\". Nothing was written."
            )
        return self._worksheet(grades.people, grades.totals[0], sheet)

    def criteria(self, room: Room, grades: Grades, sheet: Sheet | None) -> bytes:  # noqa: ARG002
        """For the gradebook: a worksheet has room for one grade only."""
        return self.table(grades.people, grades.criteria, None, must_be_there=False)

    def table(
        self,
        people: Sequence[Entry],
        columns: Sequence[Column],
        sheet: Sheet | None,
        *,
        must_be_there: bool,
    ) -> bytes:
        """The file for the gradebook; UTF-8 with its mark, which Moodle takes away."""
        found = self.identified(people, sheet)
        exported = [one for one in people if one.id in found]
        header, field = self._way(exported)
        exported = [one for one in exported if SAFE_ID.fullmatch(getattr(one, field))]
        items = self.items(columns, sheet, must_be_there=must_be_there)
        rows = [[header, "First name", "Last name", *(item.header for item in items)]]
        rows += [
            [
                getattr(one, field),
                guarded_line(one.first),
                guarded_line(one.last),
                *cells_of(one, items, None),
            ]
            for one in exported
        ]
        return csv_as_is(rows)

    def _way(self, people: Sequence[Entry]) -> tuple[str, str]:
        """The header and the field by which Moodle is to find people: one for all of them."""

        def lacking(field: str) -> list[str]:
            return [one.id for one in people if not SAFE_ID.fullmatch(getattr(one, field))]

        field = min(_MOODLE_IDS, key=lambda one: len(lacking(one)))
        header = _MOODLE_IDS[field]
        if missing := lacking(field):
            if not self.partial:
                raise LmsError(
                    "Moodle finds people by one column, and there is none that all of them have: "
                    f"{header} is missing for {', '.join(missing)}. Fill in roster.csv, or leave "
                    "them out with --LmsExport.partial=True. Nothing was written."
                )
            self.log.warning("Left out, as they have no %s: %s", header, ", ".join(missing))
        self.log.info("In Moodle, map from “%s” to “%s”", header, header)
        return header, field

    def _worksheet(self, people: Sequence[Entry], column: Column, sheet: Sheet) -> bytes:
        found = self.identified(people, sheet)
        place = sheet.column(*((self.grade_column,) if self.grade_column else _GRADE))
        if place is None:
            raise LmsError(
                f"{sheet.path} has no column of grades that is known. Its columns are: "
                f"{', '.join(sheet.header)}. Name it with --Moodle.grade_column=… Nothing was "
                "written."
            )
        most = sheet.column(*_MAXIMUM)
        feedback = _feedback_in(sheet.header)
        rows = [list(sheet.header)]
        for one in people:
            row = found.get(one.id)
            if row is None:
                continue
            out_of = number_in(row.cells[most]) if most is not None else None
            if out_of is not None and column.points and out_of != column.out_of:
                raise LmsError(
                    f"{sheet.where(row.line)}: in Moodle the assignment's maximum grade is "
                    f"{points(out_of)}, and {column.title} has {points(column.out_of)} points. "
                    "Set it in the assignment's settings, and download the worksheet anew. "
                    "Nothing was written."
                )
            # Students wrote some of it. Moodle reads back the grade and feedback alone.
            cells = [
                cell if at in feedback else guarded_line(cell) for at, cell in enumerate(row.cells)
            ]  # fmt: skip
            if one.id in column.points:
                cells[place] = points(column.points[one.id])
            rows.append(cells)
        return csv_as_is(rows)

    def read_header(self, header: str, place: int, sheet: Sheet) -> Header | None:  # noqa: ARG002
        """No item has a header of its own in a worksheet."""
        return None


def _feedback_in(header: Sequence[str]) -> range:
    """The columns of feedback, which Moodle would take in with an apostrophe; maybe none.

    They come last, after “Last modified (grade)”; “Last modified (submission)” stands further in
    front. In other languages, too, these two differ only in their brackets.
    """
    parts = [_BRACKET.split(one, maxsplit=1) for one in header]
    before = [key(one[0]) if len(one) > 1 else "" for one in parts]
    dates = [at for at, one in enumerate(before) if one and one in before[:at]]
    return range(dates[-1] + 1 if dates else len(header), len(header))


class Blackboard(LmsExport):
    """Blackboard's gradebook upload: tabs, UTF-16, all in quotation marks, as its own downloads.

    ``Username`` finds the student. An item is found by the number in
    ``Title [Total Pts: 20 Score] |12345``, which only the teacher's download has; without one, the
    upload makes text columns that count for nothing, which is said. A criterion is a column of its
    own. http://library.blackboard.com/ref/3ea64795-6ecc-4abd-b595-0a9a8dfdec94/Content/
    _instructor_grade_center/grade_center_upload_download.htm
    """

    lms = "blackboard"
    file = "blackboard.xls"
    ids = "username"
    makes = "will make text columns, which count for nothing, of"

    def has_id(self, one: Entry) -> bool:
        """Return True if the login is a usable one: this LMS matches by nothing else."""
        return bool(SAFE_ID.fullmatch(one.username))

    def table(
        self,
        people: Sequence[Entry],
        columns: Sequence[Column],
        sheet: Sheet | None,
        *,
        must_be_there: bool,
    ) -> bytes:
        """As Blackboard itself writes it."""
        found = self.identified(people, sheet)
        items = self.items(columns, sheet, must_be_there=must_be_there)
        login = self._username(sheet) if sheet else None
        rows = [["Last Name", "First Name", "Username", *(item.header for item in items)]]
        for one in people:
            if one.id in found:
                row = found[one.id]
                username = row.cells[login].strip() if row and login is not None else one.username
                rows.append(
                    [
                        *map(guarded_line, (one.last, one.first, username)),
                        *cells_of(one, items, row),
                    ]
                )
        return csv_as_is(rows, encoding="utf-16", delimiter="\t", quote_all=True)

    def read_header(self, header: str, place: int, sheet: Sheet) -> Header | None:  # noqa: ARG002
        """``Title [Total Pts: 20 Score] |12345``; the brackets are in Blackboard's language."""
        found = re.fullmatch(
            r"(?P<title>.+?)\s*\[(?P<about>[^\]]*)\]\s*\|\s*(?P<number>\d+)", header.strip()
        )
        if not found:
            return None
        most = re.search(r"\d[\d.,]*", found["about"])
        return Header(found["title"], number_in(most[0]) if most else None)

    def _username(self, sheet: Sheet) -> int:
        place = sheet.column("Username", "User name", "Benutzername", "Nom d'utilisateur")
        if place is None:
            raise LmsError(
                f"{sheet.path} is no download of Blackboard's gradebook: it lacks “Username”. "
                "In Blackboard: Gradebook, Download Grades, tab delimited."
            )
        return place
