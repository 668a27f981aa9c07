"""A list's lines as rows of the table of people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import msgspec

from pcn_course.importing.choices import KNOWN_OPTIONS, NOUNS, choice_of
from pcn_course.importing.doubles import find_doubles
from pcn_course.importing.employers import employers_of, without_employer
from pcn_course.importing.headings import (
    JOBS,
    NAMES,
    Column,
    columns_of,
    guess_columns,
    is_linkedin,
)
from pcn_course.importing.names import short_name
from pcn_course.importing.reading import decoded, read_table, refuse_others
from pcn_course.importing.table import FIELDS, NOBODY, UNCHANGED, Cells, ListError, counted


class MemberList(msgspec.Struct, frozen=True):
    """The people in a file.

    ``columns`` are the columns that may be chosen, ``mapping`` says which field comes from which
    of them, and ``total`` how many people the file holds. ``rows`` hold filled cells only.
    ``names`` holds for each row the name in the file, or "" where the row says the same: they are
    for choosing among people and are never kept. ``doubles`` names, by the index in ``rows``, the
    id of the row there already that looks like the same person. ``notes`` say what was left out.
    """

    kind: Literal["linkedin", "list"]
    columns: tuple[str, ...]
    mapping: dict[str, str]
    total: int
    rows: tuple[dict[str, str], ...]
    names: tuple[str, ...]
    doubles: dict[int, str]
    notes: tuple[str, ...]


def read_list(
    name: str,
    content: bytes,
    mapping: Mapping[str, str] | None = None,
    existing: Sequence[Mapping[str, Any]] = (),
) -> MemberList:
    """The people in the file called ``name``.

    ``mapping`` says from which column each field is filled; ``None`` has it guessed from the
    headings. ``existing`` are the rows that the student has, for finding doubles. Raises
    `ListError` for a file that is no such list, and for a mapping with unknown fields or columns.
    """
    refuse_others(name, content)
    text, guessed = decoded(content)
    table = read_table(text)
    columns, contacts = columns_of(table)
    kind: Literal["linkedin", "list"] = "linkedin" if is_linkedin(name, table) else "list"
    by_label = {column.label: column for column in columns}
    if mapping is None:
        chosen = guess_columns(columns, table.rows)
    elif mapping.keys() <= set(FIELDS) and set(mapping.values()) <= by_label.keys():
        chosen = {field: by_label[mapping[field]] for field in FIELDS if field in mapping}
    else:
        raise ListError(
            "The choice of columns does not fit this list. Choose the file again, then say which "
            f"column is which. {UNCHANGED}"
        )
    organizations = [column for column in columns if column.kind == "organization"]
    people = _People(kind, chosen, organizations)
    people.add(table.rows)
    if mapping is None and not people.rows:
        raise ListError(NOBODY)
    notes = [*people.notes(), *table.notes()]
    if contacts or "@" in text:
        notes.insert(0, "E-mail addresses, phone numbers and links are left out.")
    if guessed:
        notes.append(
            "If letters with accents look wrong, save your list as “CSV UTF-8” and choose it again."
        )
    return MemberList(
        kind=kind,
        columns=tuple(by_label),
        mapping={field: column.label for field, column in chosen.items()},
        total=len(people.rows) + table.unread,
        rows=tuple(people.rows),
        names=tuple(people.names),
        doubles=find_doubles(people.rows, existing),
        notes=tuple(notes),
    )


class _People:
    """Rows for the table of people, made of a file's lines, and what has to be said of them."""

    def __init__(
        self, kind: str, chosen: Mapping[str, Column], organizations: Sequence[Column]
    ) -> None:
        self.rows: list[dict[str, str]] = []
        self.names: list[str] = []
        self._organizations = organizations
        self._linkedin = kind == "linkedin"
        self._chosen = chosen
        self._seen: set[tuple[str, ...]] = set()
        self._without_choice: Counter[str] = Counter()
        self._initials = self._nobody = self._again = self._employers = 0

    def add(self, lines: Iterable[Cells]) -> None:
        for line in lines:
            row = self._row(line)
            # Whole lines: two of the same name may be two people.
            key = tuple(" ".join(cell.split()).casefold() for cell in line)
            if not row:
                self._nobody += 1
            elif key in self._seen:
                self._again += 1
            else:
                self.rows.append(row)
                column = self._chosen.get("person")
                name = column.text(line) if column else ""
                self.names.append(name if name != row.get("person") else "")
            self._seen.add(key)

    def _without_employers(self, said: Mapping[str, str], line: Cells) -> dict[str, str]:
        """Return what a line says, its positions without the employers."""
        employers = employers_of([column.text(line) for column in self._organizations])
        kept = dict(said)
        for field, column in self._chosen.items():
            if column.kind in JOBS or (field == "expertise" and column.kind == "role"):
                kept[field] = without_employer(said[field], employers)
        self._employers += kept != said
        return kept

    def _row(self, line: Cells) -> dict[str, str]:
        """The filled cells of one person; none of them if the line does not say who it is."""
        said = {field: column.text(line) for field, column in self._chosen.items()}
        kept = self._without_employers(said, line)
        row = {field: kept[field] for field in FIELDS if kept.get(field)}
        self._name(row, line)
        if not row.keys() & {"person", "expertise"} and not said.get("role"):
            return {}
        for field in KNOWN_OPTIONS:
            if field in row:
                row[field] = choice_of(field, row[field])
                if field == "sector" and self._linkedin:
                    row[field] = row[field] or choice_of(field, said.get("expertise", ""))
                if not row[field]:
                    self._without_choice[field] += 1
                    del row[field]
        return {field: row[field] for field in FIELDS if field in row}

    def _name(self, row: dict[str, str], line: Cells) -> None:
        """Write initials or a role into ``row``."""
        column = self._chosen.get("person")
        what = row.get("expertise") or row.get("role", "")
        if column is None or not row.get("person"):
            if what:
                row["person"] = what
            return
        row["person"] = short = short_name(column.parts(line), column.kind)
        if not short:
            del row["person"]
        self._initials += short != column.text(line)
        if self._linkedin and short and column.kind in NAMES and row.get("expertise"):
            row["person"] = f"{short}, {row['expertise']}"

    def notes(self) -> Iterable[str]:
        if not self._chosen:
            yield "No column is chosen yet. Say which column is which to see the people."
            return
        if self._initials:
            names = counted(self._initials, "name becomes", "names become")
            yield f"{names} initials when added: the people in a list have not signed up for this."
        if self._linkedin and "sector" in self._chosen:
            yield "Of the company only the sector is taken over, where its name tells it."
        if self._employers:
            positions = counted(self._employers, "position", "positions")
            yield f"The employer was removed from {positions}."
        for field, count in self._without_choice.items():
            column = self._chosen[field].label
            entries = counted(count, "entry", "entries")
            yield (
                f"{entries} under “{column}” did not say which {NOUNS[field]} to choose, so that "
                "stays empty there."
            )
        if self._nobody:
            lines = counted(self._nobody, "line names", "lines name")
            yield f"{lines} nobody, neither by name nor by role: left out."
        if self._again:
            lines = counted(self._again, "line says", "lines say")
            yield f"{lines} the same as another one: taken once."
