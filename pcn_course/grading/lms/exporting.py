"""What the exporters to the four LMS have in common: whose points go where, and when to refuse."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from nbgrader.plugins import ExportPlugin
from traitlets import Bool, Dict, Unicode

from pcn_course.files import UserError, write_private
from pcn_course.grading.feedback.release import release_state
from pcn_course.grading.gradebook.audit_log import line, write
from pcn_course.grading.gradebook.room import Room, open_room
from pcn_course.grading.late.penalties import recalculate
from pcn_course.grading.lms import LmsError
from pcn_course.grading.lms.grades import Column, Grades, points, read_grades
from pcn_course.grading.lms.roster import Entry, Roster, people_in
from pcn_course.spreadsheets import Row, Sheet, key, read_sheet

SAFE_ID = re.compile(r"[^\s=+\-@'\"][^\t\r\n]*")
"""An id that is written as it is: an apostrophe in front of it would make it another's."""


class Item(msgspec.Struct, frozen=True):
    """A column of the file: its header there, and its place in the template, if it is in it."""

    column: Column
    header: str
    place: int | None = None


class Header(msgspec.Struct, frozen=True):
    """What a header of a template says: the title, and how many points there are."""

    title: str
    out_of: float | None = None


class _LackingError(LmsError):
    """One step has no place in the file."""


class LmsExport(ExportPlugin):
    """What the four have in common."""

    template = Unicode(
        "", help="The file that you downloaded from the LMS; grades go into its columns."
    ).tag(config=True)
    titles = Dict(
        help="The LMS's item for a step, where its title is another: {'step-1-goals': 'Essay'}."
    ).tag(config=True)
    partial = Bool(
        False, help="Leave out (and name) students whom the LMS can't know, rather than refuse."
    ).tag(config=True)
    by_criterion = Bool(True, help="Write the points by criterion, too, in a file beside.").tag(
        config=True
    )

    lms = ""
    file = ""
    ids = ""
    """Which ids of the roster this LMS takes, for messages."""
    makes = ""
    """What this LMS makes of an item that it doesn't have, for messages."""
    below_zero = True
    """Whether an item may take points off; else penalties are in the totals alone."""

    def export(self, gradebook: Any) -> None:  # noqa: ARG002 (the room has its own)
        """Write the files, or none."""
        try:
            self._write(Path(self.to or self.file))
        except UserError as error:
            self._refuse(error.plain)
        except OSError as error:
            self._refuse(f"{error.filename}: {error.strerror}. The file was not written.")

    def _refuse(self, plain: str) -> None:
        if hasattr(self.parent, "fail"):
            self.parent.fail("%s", plain)
        raise LmsError(plain)

    def _write(self, to: Path) -> None:
        room = open_room(Path(self.parent.coursedir.root))
        room.db_url = self.parent.coursedir.db_url
        try:
            recalculate(room)
            grades = read_grades(room, [str(one) for one in self.assignment], self._students())
            files = self._files(room, grades, to)
            self._tell_timeless(grades)
            self._tell_held(room, grades)
            write(room.root, [line("export", marker=self.lms)])
        finally:
            room.close()
        for path, content in files:
            write_private(path, content)
            self.log.info("Wrote %s", path)

    def _students(self) -> list[str]:
        return [str(one) for one in self.student]

    def _files(self, room: Room, grades: Grades, to: Path) -> list[tuple[Path, bytes]]:
        sheet = read_sheet(Path(self.template)) if self.template else None
        files = [(to, self.totals(room, grades, sheet))]
        if self.by_criterion:
            beside = to.with_name(f"{to.stem}-by-criterion{to.suffix}")
            if not self.below_zero:
                self._tell_penalties(grades)
                kept = tuple(one for one in grades.criteria if not one.late)
                grades = msgspec.structs.replace(grades, criteria=kept)
            files.append((beside, self.criteria(room, grades, sheet)))
        return files

    def _tell_timeless(self, grades: Grades) -> None:
        if grades.timeless:
            self.log.warning(
                "When these were handed in is not known, so that nothing was taken off for being "
                "late: %s. If it should be, put the time into each one's timestamp.txt, and "
                "autograde it again.",
                ", ".join(f"{student} ({step})" for student, step in grades.timeless),
            )

    def _tell_held(self, room: Room, grades: Grades) -> None:
        held = [
            one.step for one in grades.totals
            if one.points and release_state(room.engine, one.step) == "held"
        ]  # fmt: skip
        if held:
            self.log.warning(
                "Feedback is held on %s, and its grades are in this file: students see them as "
                "soon as %s shows them. Hide these columns there before you import, or name the "
                "other steps with --assignment.",
                ", ".join(held), self.lms.title(),
            )  # fmt: skip

    def _tell_new(self, items: Sequence[Item]) -> None:
        if new := [item.header for item in items if item.place is None]:
            self.log.warning(
                "%s %s: %s. To fill columns that are there already, download the gradebook and "
                "give it with --LmsExport.template=…",
                self.lms.title(), self.makes, "; ".join(new),
            )  # fmt: skip

    def _tell_penalties(self, grades: Grades) -> None:
        taken = [
            (student, f"{student} ({points(-value)} in {one.step})")
            for one in grades.criteria if one.late
            for student, value in sorted(one.points.items()) if value
        ]  # fmt: skip
        count = len({student for student, _ in taken})
        if taken:
            self.log.warning(
                "%s a penalty that is only in the totals, as %s takes no points below 0: %s",
                "1 student has" if count == 1 else f"{count} students have", self.lms.title(),
                ", ".join(text for _, text in taken),
            )  # fmt: skip

    def totals(self, room: Room, grades: Grades, sheet: Sheet | None) -> bytes:  # noqa: ARG002
        """The file of the totals."""
        return self.table(grades.people, grades.totals, sheet, must_be_there=True)

    def criteria(self, room: Room, grades: Grades, sheet: Sheet | None) -> bytes:  # noqa: ARG002
        """The file of the points by criterion."""
        return self.table(grades.people, grades.criteria, sheet, must_be_there=False)

    def table(
        self,
        people: Sequence[Entry],
        columns: Sequence[Column],
        sheet: Sheet | None,
        *,
        must_be_there: bool,
    ) -> bytes:
        """The file, as the LMS takes it."""
        raise NotImplementedError

    def read_header(self, header: str, place: int, sheet: Sheet) -> Header | None:
        """What a header of the template says; None if it is no item's."""
        raise NotImplementedError

    def new_header(self, column: Column) -> str:
        """The header of an item that is in no template."""
        return column.title

    def has_id(self, one: Entry) -> bool:
        """Whether this LMS can know the student by what the roster says."""
        raise NotImplementedError

    def identified(self, people: Sequence[Entry], sheet: Sheet | None) -> dict[str, Row | None]:
        """The students to be exported, each with their line of the template.

        Raises:
            LmsError: the LMS can't know somebody, and ``partial`` is not set.
        """
        roster = Roster(people)
        lines: dict[str, Row] = {}
        if sheet is not None:
            by_line = {row.line: row for row in sheet.rows}
            for listed in people_in(sheet, self.lms, self.only_step()):
                match = roster.match(listed, self.only_step())
                if match is None:
                    continue
                if match.id in lines:
                    raise LmsError(
                        f"{sheet.where(listed.line)}: this is {match.id}, who stands in line "
                        f"{lines[match.id].line}, too. Delete the line that is wrong."
                    )
                lines[match.id] = by_line[listed.line]
            found: dict[str, Row | None] = {
                one.id: lines[one.id] for one in people if one.id in lines
            }
        else:
            found = {one.id: None for one in people if self.has_id(one)}
        if missing := [one.id for one in people if one.id not in found]:
            where = f"in {sheet.path}" if sheet else f"by {self.ids} in roster.csv"
            names = ", ".join(missing)
            if not self.partial:
                raise LmsError(
                    f"{self.lms.title()} can't know {len(missing)} of {len(people)} students "
                    f"{where}: {names}. Import the class list, or fill in roster.csv; or leave "
                    "them out with --LmsExport.partial=True. Nothing was written."
                )
            self.log.warning("Left out, as they can't be found %s: %s", where, names)
        return found

    def items(
        self, columns: Sequence[Column], sheet: Sheet | None, *, must_be_there: bool
    ) -> list[Item]:
        """The columns of the file, each with its place in the template.

        A step is left out, and named, that the template has no item for, or that has no points.

        Raises:
            LmsError: the template lacks all, has two that fit, or another number of points.
        """
        items, lacking = [], []
        for column in columns:
            try:
                item = self._item(column, sheet, must_be_there=must_be_there)
                if not column.out_of and not column.late and item.place is None:
                    raise _LackingError(
                        f"{column.step} has no points in the gradebook: generate it first."
                    )
            except _LackingError as error:
                lacking.append(error.plain)
                continue
            items.append(item)
        if lacking and not items:
            raise LmsError(f"{lacking[0]} Nothing was written.")
        for plain in lacking:
            self.log.warning("Left out: %s", plain)
        # Penalties need an item where there are any, or were any: then it says that they are gone.
        items = [
            one for one in items
            if not one.column.late or one.place is not None or any(one.column.points.values())
        ]  # fmt: skip
        headers = [one.header for one in items]
        if twice := sorted({one for one in headers if headers.count(one) > 1}):
            raise LmsError(f"Two steps have the item “{twice[0]}”. Mend c.LmsExport.titles.")
        self._tell_new(items)
        return items

    def _item(self, column: Column, sheet: Sheet | None, *, must_be_there: bool) -> Item:
        told = str(self.titles.get(column.step, "")) if must_be_there else ""
        if sheet is None:
            return Item(column, told or self.new_header(column))
        wanted = [key(told)] if told else [key(one) for one in column.titles]
        fits: list[tuple[int, int, str, Header]] = []
        for place, text in enumerate(sheet.header):
            header = self.read_header(text, place, sheet)
            if header is None:
                continue
            ranks = [wanted.index(key(one)) for one in (text, header.title) if key(one) in wanted]
            if ranks:
                fits.append((min(ranks), place, text, header))
        fits = [one for one in fits if one[0] == min(fits)[0]]
        if not fits and must_be_there:
            titles = [
                header.title
                for place, text in enumerate(sheet.header)
                if (header := self.read_header(text, place, sheet))
            ]
            raise _LackingError(
                f"{sheet.path} has no item for {column.step}. Its items are: "
                f"{'; '.join(titles) or 'none'}. Name the one that is meant in nbgrader_config.py: "
                f"c.LmsExport.titles = {{{column.step!r}: 'its title'}}."
            )
        if len(fits) > 1:
            raise LmsError(
                f"{sheet.path} has {len(fits)} items that fit {column.step}: "
                f"{'; '.join(one[2] for one in fits)}. Name the one that is meant in "
                f"c.LmsExport.titles. Nothing was written."
            )
        if not fits:
            return Item(column, self.new_header(column))
        _, place, text, header = fits[0]
        counted = column.points and not column.late
        if header.out_of is not None and counted and header.out_of != column.out_of:
            raise LmsError(
                f"{self.lms.title()}'s item “{header.title}” has {points(header.out_of)} points, "
                f"and {column.title} has {points(column.out_of)}. Set the item's points to "
                f"{points(column.out_of)}, and download the file anew. Nothing was written."
            )
        return Item(column, text, place)

    def only_step(self) -> str | None:
        """The step that is exported, if it is one only."""
        return str(self.assignment[0]) if len(self.assignment) == 1 else None


def cells_of(one: Entry, items: Sequence[Item], row: Row | None) -> list[str]:
    """A student's points; where there is no mark, what the template has, or nothing."""
    return [
        points(item.column.points[one.id])
        if one.id in item.column.points
        else (row.cells[item.place].strip() if row and item.place is not None else "")
        for item in items
    ]


def number_in(text: str) -> float | None:
    """A number as an LMS writes it, with a point or a comma; None if it is none."""
    try:
        return float(text.strip().replace(",", "."))
    except ValueError:
        return None
