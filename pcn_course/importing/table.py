"""A table as it stood in a file, its limits, and the error for a file that is no list."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from pcn_course.files import UserError

MOST_BYTES = 4_000_000
MOST_PEOPLE = 30_000
"""As many connections as LinkedIn allows; of a longer list only so many lines are read."""

FIELDS = (
    *("person", "role", "sector", "expertise", "group", "lived-experience", "place"),
    *("give", "get", "how-met", "status", "consent"),
)
"""The columns of ``people`` that a list can fill: its lines and its choices."""


COLUMNS = 200  # what stands to the right of this many is not read
CELL = 300  # characters kept of a cell
HEADING = 80  # and of a heading
UNCHANGED = "Nothing was changed."
NOBODY = (
    "This list has headings but nobody below them. Add a line for each person, save it, and choose "
    f"the file again. {UNCHANGED}"
)
AS_CSV = f"then choose the new file here. {UNCHANGED}"


class ListError(UserError):
    """A file that is no list of people."""


Cells = list[str]


class Table(msgspec.Struct):
    """The file's lines below its headings, as cells; ``unread`` and ``longer`` count lines."""

    headings: Cells
    kinds: list[str]
    rows: list[Cells]
    unread: int
    longer: int

    def notes(self) -> Iterable[str]:
        """What was not read, in sentences."""
        if self.longer:
            yield (
                f"{counted(self.longer, 'line has', 'lines have')} more cells than there are "
                "headings; what stands beyond the last heading was left out."
            )
        if self.unread:
            last = counted(self.unread, "line was", "lines were")
            yield f"This list is very long: the last {last} not read."


def counted(number: int, one: str, many: str) -> str:
    """A number and its noun: "1 line", "1,200 lines"."""
    return f"{number:,} {one if number == 1 else many}"
