"""Who is who: the roster, and the class lists that an LMS exports.

``assignments/roster.csv`` has one line for each student. ``id`` is the student's id in nbgrader;
the other columns are optional: ``first``, ``last``, ``email``, ``username`` (by which they log in
to the LMS), ``lms_id`` (the number by which the LMS knows them), ``section``, and for Moodle a
column ``participant step-1-goals`` for each step, since Moodle numbers people anew in each
assignment. The order of the columns doesn't matter, and others are left alone.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

import msgspec

from pcn_course.exchange import STUDENT_ID
from pcn_course.files import write_private
from pcn_course.grading.gradebook.room import Room
from pcn_course.grading.lms import LmsError
from pcn_course.grading.lms.ids import (
    SHORTENED,
    has_id,
    id_key,
    is_shortened,
    is_test_user,
    name_words,
)
from pcn_course.spreadsheets import (
    Row,
    Sheet,
    csv_as_is,
    guarded_line,
    key,
    read_sheet,
    unguarded,
)

FILE = "roster.csv"
Key = TypeVar("Key")
LMS = ("canvas", "brightspace", "moodle", "blackboard")
_PARTICIPANT = "participant "
_OWN = ("id", "first", "last", "email", "lms_id", "username", "section")
# What the columns are called, by what they are to us. A header counts by its letters and digits.
_COMMON = {
    "first": ("first", "first name", "firstname", "given name", "vorname", "prénom", "nombre"),
    "last": (
        "last", "last name", "lastname", "surname", "family name", "nachname", "nom",
        "nom de famille", "apellido(s)", "apellidos",
    ),
    "email": (
        "email", "e-mail", "email address", "e-mail-adresse", "mail", "adresse de courriel",
        "dirección de correo",
    ),
    "username": ("username", "user name", "login", "login id", "benutzername", "anmeldename"),
    "section": ("section", "sections", "group", "groups", "gruppe"),
}  # fmt: skip
_COLUMNS: dict[str, dict[str, tuple[str, ...]]] = {
    "roster": {
        **_COMMON,
        "id": ("id", "student", "student_id", "nbgrader id"),
        "lms_id": ("lms_id", "lms user id", "lms_user_id"),
    },
    "canvas": {
        **_COMMON,
        "first": ("first name", "firstname", "first"),
        "last": ("last name", "lastname", "last"),
        "name": ("student", "student name"),
        "lms_id": ("id",),
        "sis_id": ("sis user id",),
        "username": ("sis login id",),
    },
    "brightspace": {**_COMMON, "lms_id": ("orgdefinedid", "org defined id")},
    "moodle": {
        **_COMMON,
        "name": ("full name", "vollständiger name", "nom complet", "nombre completo"),
        "lms_id": ("id number", "idnumber", "id-nummer", "numéro d'identification"),
        "participant": ("identifier", "id", "identifikator", "identifiant", "identificador"),
    },
    "blackboard": {**_COMMON, "lms_id": ("student id",)},
}


# Which columns a class list has to have: one of each group.
_NEEDED: dict[str, tuple[tuple[str, ...], ...]] = {
    "canvas": (("name", "last"), ("lms_id", "sis_id", "username")),
    "brightspace": (("lms_id", "username"),),
    "moodle": (("lms_id", "username", "email", "participant"),),
    "blackboard": (("username", "lms_id"),),
}
_OURS = ({"id", "first", "last"}, {"lmsid"})
"""Headers that a table of one's own has, and no LMS's export."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One student, or one line of a class list; then ``id`` may be empty.

    ``participants`` is Moodle's number of this student by step.
    """

    id: str = ""
    first: str = ""
    last: str = ""
    email: str = ""
    lms_id: str = ""
    username: str = ""
    section: str = ""
    participants: dict[str, str] = {}
    sis_id: str = ""
    line: int = 0

    @property
    def name(self) -> str:
        """First and last name; the id where there is no name."""
        return f"{self.first} {self.last}".strip() or self.id

    @property
    def sortable(self) -> str:
        """Return the name as ``Last, First``, for sorting."""
        return ", ".join(one for one in (self.last, self.first) if one) or self.id

    @property
    def known(self) -> bool:
        """Whether there is anything by which an LMS could know this student."""
        return bool(self.lms_id or self.username or self.email or self.participants)


class Roster:
    """All students, to be found by what an LMS calls them. What fits two students fits none."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        """Take the students; their ids are all different."""
        self.entries = tuple(entries)
        self._by_id = {one.id: one for one in self.entries}
        self._folded = _unique((id_key(one.id), one) for one in self.entries)
        self._lms_ids = _unique((id_key(one.lms_id), one) for one in self.entries)
        self._usernames = _unique((id_key(one.username), one) for one in self.entries)
        self._emails = _unique((one.email.casefold(), one) for one in self.entries)
        self._names: dict[str, list[Entry]] = {}
        for one in self.entries:
            if one.first or one.last:
                self._names.setdefault(name_key(one.name), []).append(one)
        self._participants = _unique(
            ((step, number), one)
            for one in self.entries
            for step, number in one.participants.items()
        )

    def get(self, student: str) -> Entry | None:
        """The student whose id it is."""
        return self._by_id.get(student)

    def find(self, student: str) -> Entry | None:
        """The student whose id it is, however it is spelled: see :func:`.ids.id_key`."""
        return self._by_id.get(student) or self._folded.get(id_key(student))

    def by_lms_id(self, lms_id: str) -> Entry | None:
        """The student whom the LMS knows by this number; zeros in front don't count."""
        return self._lms_ids.get(id_key(lms_id))

    def with_id(self, name: str) -> Entry | None:
        """The only student whose number, login, address or id stands beside a display name."""
        found = {
            one.id: one
            for one in self.entries
            for an_id in (one.lms_id, one.username, one.email, one.id)
            if has_id(name, an_id, one.name if one.first or one.last else "")
        }
        return next(iter(found.values())) if len(found) == 1 else None

    def by_username(self, username: str) -> Entry | None:
        """The student who logs in by this name; without a login of their own, by their id."""
        found = self._usernames.get(id_key(username))
        if found is None and (one := self._folded.get(id_key(username))) and not one.username:
            return one
        return found

    def by_email(self, email: str) -> Entry | None:
        """The student with this address."""
        return self._emails.get(email.casefold())

    def named(self, name: str) -> tuple[Entry, ...]:
        """All students of this name; case, accents, signs and order don't count."""
        return tuple(self._names.get(name_key(name), ()))

    def by_participant(self, step: str, number: str) -> Entry | None:
        """The student whom Moodle numbers so in the assignment of a step."""
        return self._participants.get((step, number))

    def by_claim(self, claim: str) -> str:
        """The id of whom a student says to be, by whichever name; their own word if unknown."""
        found = (
            self.find(claim)
            or self.by_username(claim)
            or self.by_email(claim)
            or self.by_lms_id(claim)
        )
        return found.id if found else claim

    def match(self, listed: Entry, step: str | None = None) -> Entry | None:
        """The student that a line of a class list means, by ids alone, never by the name.

        By the LMS's number before the login, before the address: the first that is known counts.
        """
        number = listed.participants.get(step or "")
        if step and number and (one := self.by_participant(step, number)):
            return one
        if listed.lms_id and (one := self.by_lms_id(listed.lms_id)):
            return one
        if listed.username and (one := self.by_username(listed.username)):
            return one
        return self.by_email(listed.email) if listed.email else None


class Imported(msgspec.Struct, frozen=True):
    """What became of a class list. ``notes`` are sentences about lines to look at."""

    added: tuple[str, ...]
    updated: tuple[str, ...]
    unchanged: tuple[str, ...]
    notes: tuple[str, ...]


def read_roster(path: Path) -> Roster:
    """The roster in ``path``; an empty one where there is no such file.

    Raises:
        LmsError: it can't be read; the message names the line.
    """
    if not path.exists():
        return Roster()
    sheet = read_sheet(path)
    entries = list(_listed(sheet, "roster"))
    if sheet.column(*_COLUMNS["roster"]["id"]) is None:
        raise LmsError(
            f"{path} has no column “id”: it is the student's id in nbgrader. "
            f"The columns are {_columns_of(sheet)}."
        )
    _check_ids(sheet, entries)
    for field in ("id", "lms_id", "username"):
        _check_once(sheet, entries, field)
    return Roster(entries)


def roster_of(room: Room) -> Roster:
    """The room's roster, with what the gradebook alone knows of its students.

    Raises:
        LmsError: the roster can't be read.
        RoomError: the gradebook can't be opened.
    """
    kept = read_roster(room.root / FILE)
    entries = {one.id: one for one in kept.entries}
    for person in room.students():
        one = entries.get(person.id, Entry(id=person.id))
        entries[person.id] = _filled(
            one,
            Entry(
                first=person.first,
                last=person.last,
                email=person.email,
                lms_id="" if is_shortened(person.lms_id) else person.lms_id,
            ),
        )
    return Roster(entries.values())


def write_roster(path: Path, roster: Roster) -> None:
    """Write the roster as a spreadsheet opens it; nothing in it is a formula. A new one is private.

    Raises:
        OSError: nothing was changed.
    """
    steps = sorted({step for one in roster.entries for step in one.participants})
    rows = [[*_OWN, *(f"{_PARTICIPANT}{step}" for step in steps)]]
    for one in sorted(_writable(roster), key=lambda one: one.id):
        cells = [getattr(one, field) for field in _OWN]
        cells += [one.participants.get(step, "") for step in steps]
        rows.append([guarded_line(cell) for cell in cells])
    write_private(path, csv_as_is(rows))


def _about_ids(renamed: list[str], roster: Roster) -> Iterator[str]:
    if renamed:
        yield (
            "These logins can't be ids, as ids go into names of files. The students have another "
            f"id, and their login is kept for matching and exports: {'; '.join(renamed)}."
        )
    if odd := sorted({one.id for one in roster.entries} - {one.id for one in _writable(roster)}):
        yield (
            f"Not in {FILE}, as their ids in the gradebook can't be names of files: "
            f"{', '.join(odd)}."
        )


def _writable(roster: Roster) -> list[Entry]:
    """The students whom :func:`read_roster` takes: a gradebook may hold ids that no file can."""
    return [one for one in roster.entries if re.fullmatch(STUDENT_ID, one.id)]


def read_class_list(path: Path, lms: str, step: str | None = None) -> tuple[Entry, ...]:
    """The people in a file that an LMS exported; lines that are nobody are left out.

    ``lms`` is one of :data:`LMS`. Moodle's grading worksheet belongs to one assignment: name its
    ``step`` to keep its numbers of people.

    Raises:
        LmsError: it is no such file.
    """
    return people_in(read_sheet(path), lms, step)


def people_in(sheet: Sheet, lms: str, step: str | None = None) -> tuple[Entry, ...]:
    """As :func:`read_class_list`, of a table that was read already."""
    if lms not in LMS:
        raise LmsError(f"“{lms}” is none of {', '.join(LMS)}.")
    headers = {key(one) for one in sheet.header}
    own = any(ours <= headers for ours in _OURS)
    complete = all(
        any(sheet.column(*_COLUMNS[lms][field]) is not None for field in several)
        for several in _NEEDED[lms]
    )
    entries = tuple(_listed(sheet, lms, step))
    if own or not complete or not any(one.known for one in entries):
        needs = {
            "canvas": "Student and ID or SIS Login ID (the gradebook's export)",
            "brightspace": "OrgDefinedId or Username (the grades' export, key field “Both”)",
            "moodle": "Email address, ID number, or Identifier (worksheet, its step named)",
            "blackboard": "Username (the gradebook's download)",
        }[lms]
        raise LmsError(
            f"{sheet.path} doesn't look like a class list from {lms.title()}: it needs {needs}. "
            f"Its columns are {_columns_of(sheet)}."
            + (" For a table of your own say --lms roster." if own else "")
        )
    return entries


def import_roster(  # noqa: PLR0912 (each branch is one thing that a line can be)
    room: Room, path: Path, lms: str, step: str | None = None
) -> Imported:
    """Take students from an LMS's class list over into the gradebook and the roster.

    ``lms`` is one of :data:`LMS`, or ``roster`` for a table with the roster's own columns. A line
    is matched by ids; by the name only where it is the only one on both sides, which is noted.
    Nothing is emptied and nobody is taken away. Who is new gets the login as id, else the address.

    Raises:
        LmsError: nothing was changed.
        RoomError: nothing was changed.
        OSError: the roster could not be written; the gradebook is up to date.
    """
    if step is not None and step not in {one.id for one in room.course.steps}:
        raise LmsError(f"The course has no step “{step}”. Nothing was changed.")
    sheet = read_sheet(path)
    listed = read_roster(path).entries if lms == "roster" else people_in(sheet, lms, step)
    roster = roster_of(room)
    notes: list[str] = []
    if lms == "moodle" and step is None and sheet.column(*_COLUMNS[lms]["participant"]) is not None:
        notes.append(
            "Moodle's numbers of people were not kept, as they belong to one assignment: "
            "import the worksheet once more and name its step."
        )
    names = Counter(name_key(one.name) for one in listed)
    entries = {one.id: one for one in roster.entries}
    whose = {mark: it for one in roster.entries for mark, it in _marks_of(one)}
    added, updated, unchanged = [], [], []
    lines: dict[str, int] = {}
    faults: list[str] = []
    renamed: list[str] = []
    for one in listed:
        match = roster.find(one.id) if one.id else roster.match(one, step)
        if match is None and not one.id and names[name_key(one.name)] == 1:
            match = _by_name_alone(roster, one)
            if match:
                notes.append(
                    f"{sheet.where(one.line)}: {one.name} was taken for {match.id} by the name "
                    "alone. Look whether that is right."
                )
        student = match.id if match else _new_id(one, set(entries))
        if student is None:
            faults.append(_without_id(sheet, one))
            continue
        if match is None and not one.id and one.username and student != one.username:
            renamed.append(f"{one.username} is {student}")
        if student in lines:
            raise LmsError(
                f"{sheet.where(one.line)}: this is {student}, who stands in line {lines[student]}, "
                "too. Delete the line that is wrong. Nothing was changed."
            )
        lines[student] = one.line
        before = entries.get(student)
        if before is None:
            _check_new(sheet, one, student, whose)
        after = _filled(
            msgspec.structs.replace(one, id=student, line=0, sis_id=""), before or Entry()
        )
        entries[student] = after
        whose.update(_marks_of(after))
        if before is None:
            added.append(student)
        elif _kept(after) != _kept(before):
            updated.append(student)
        else:
            unchanged.append(student)
    if faults:
        raise LmsError("\n".join([*faults, "Nothing was changed."]))
    notes += _about_ids(renamed, Roster(entries.values()))
    for field in ("id", "lms_id", "username"):
        _check_once(sheet, entries.values(), field)
    _into_gradebook(room, [entries[student] for student in (*added, *updated, *unchanged)])
    write_roster(room.root / FILE, Roster(entries.values()))
    return Imported(tuple(added), tuple(updated), tuple(unchanged), tuple(notes))


def name_key(name: str) -> str:
    """What two spellings of a name have in common: its words without accents, in one order."""
    return " ".join(sorted(name_words(name)))


def _into_gradebook(room: Room, entries: list[Entry]) -> None:
    from nbgrader.api import Student

    with room.gradebook() as gradebook:
        there = {one.id: one for one in gradebook.students}
        for one in entries:
            student = there.get(one.id)
            if student is None:
                student = Student(id=one.id)
                gradebook.db.add(student)
            for column, value in (
                ("first_name", one.first),
                ("last_name", one.last),
                ("email", one.email),
                ("lms_user_id", one.lms_id),
            ):
                if value:
                    setattr(student, column, value)
        gradebook.db.commit()


def _listed(sheet: Sheet, lms: str, step: str | None = None) -> Iterator[Entry]:
    places = {
        field: place
        for field, names in _COLUMNS[lms].items()
        if (place := sheet.column(*names)) is not None
    }
    steps = {
        place: header.strip()[len(_PARTICIPANT) :].strip()
        for place, header in enumerate(sheet.header)
        if lms == "roster" and header.strip().casefold().startswith(_PARTICIPANT)
    }
    for row in sheet.rows:
        cells = {field: _cell(row.cells[place], lms) for field, place in places.items()}
        if lms == "canvas" and _is_nobody(row, cells):
            continue
        called = cells.get("name") or f"{cells.get('first', '')} {cells.get('last', '')}"
        if lms != "roster" and is_test_user(called, cells.get("username", "")):
            continue
        first, last = cells.get("first", ""), cells.get("last", "")
        if not first and not last and cells.get("name"):
            first, last = _parted(cells["name"])
        participants = {steps[place]: row.cells[place].strip() for place in steps}
        if step and (number := re.search(r"(\d+)\s*$", cells.get("participant", ""))):
            participants[step] = number[1]
        for field in ("id", "lms_id", "username"):
            if is_shortened(cells.get(field, "")):
                raise LmsError(
                    f"{sheet.where(row.line)}: “{cells[field]}” {SHORTENED} Nothing was changed."
                )
        for field in ("id", "lms_id", "username", "email"):
            if len(cells.get(field, "")) > 128:
                raise LmsError(
                    f"{sheet.where(row.line)}: “{field}” has more than 128 characters. "
                    "Shorten it. Nothing was changed."
                )
        yield Entry(
            **{field: cells.get(field, "") for field in ("id", "email", "lms_id", "username")},
            first=first[:128],
            last=last[:128],
            section=cells.get("section", ""),
            participants={one: number for one, number in participants.items() if number},
            sis_id=cells.get("sis_id", ""),
            line=row.line,
        )


def _cell(cell: str, lms: str) -> str:
    cell = unguarded(cell.strip())
    # Brightspace puts a sign in front of ids, so that a spreadsheet keeps their zeros.
    return cell.removeprefix("#") if lms == "brightspace" else cell


def _is_nobody(row: Row, cells: dict[str, str]) -> bool:
    """Canvas: points possible, in whichever language, and “Manual Posting” have no ids.

    The login of its test student is a hash, whatever the student's name is in its language.
    """
    if re.fullmatch(r"[0-9a-f]{32,}", cells.get("username", "")) and not cells.get("sis_id"):
        return True
    first = row.cells[0].strip()
    named = first or cells.get("first") or cells.get("last")
    return not named or first == "Points Possible" or not (
        cells.get("lms_id") or cells.get("username")
    )  # fmt: skip


def _parted(name: str) -> tuple[str, str]:
    """First and last name of “Last, First” or of “First Last”."""
    if "," in name:
        last, _, first = name.partition(",")
        return first.strip(), last.strip()
    first, _, last = name.rpartition(" ")
    return first.strip(), last.strip()


def _by_name_alone(roster: Roster, listed: Entry) -> Entry | None:
    namesakes = roster.named(listed.name)
    one = namesakes[0] if len(namesakes) == 1 else None
    if one is None or (one.lms_id and listed.lms_id) or (one.username and listed.username):
        return None  # known by another number: somebody else of the same name
    return one


def _new_id(listed: Entry, taken: set[str]) -> str | None:
    """The first of a new student's names in the LMS that can be an id; None if none can.

    What another has as id, in whichever spelling, is no second one's.
    """
    keys = {id_key(one) for one in taken}
    candidates = (listed.id,) if listed.id else (listed.username, listed.email, listed.lms_id)
    for candidate in candidates:
        if re.fullmatch(STUDENT_ID, candidate) and id_key(candidate) not in keys:
            return candidate
    return None


def _without_id(sheet: Sheet, listed: Entry) -> str:
    where, named = sheet.where(listed.line), listed.name or "this student"
    if listed.id:
        return _bad_id(sheet, listed)
    told = ", ".join(filter(None, (listed.username, listed.email, listed.lms_id)))
    if not told:
        return (
            f"{where}: {named} has neither a login, an address nor a number, and is nobody in the "
            "gradebook. Give them one, or delete the line."
        )
    return (
        f"{where}: {named} has nothing that can be an id ({told}): an id goes into names of files, "
        "and nobody else has it. Give them an address or a number of their own in this file."
    )


def _bad_id(sheet: Sheet, one: Entry) -> str:
    return (
        f"{sheet.where(one.line)}: “{one.id}” can't be a student's id, as it goes into names "
        "of files. Use letters, digits, dots, hyphens, underscores or @, at most 63."
    )


def _check_ids(sheet: Sheet, entries: Iterable[Entry]) -> None:
    """All ids that can't be one are named in one run."""
    faults = [_bad_id(sheet, one) for one in entries if not re.fullmatch(STUDENT_ID, one.id)]
    if faults:
        raise LmsError("\n".join(faults))


def _marks_of(one: Entry) -> list[tuple[tuple[str, str], str]]:
    """What is one person's alone, each with the student's id."""
    told = (("address", one.email), ("lms_id", one.lms_id))
    return [((word, id_key(value)), one.id) for word, value in told if value]


def _check_new(
    sheet: Sheet, one: Entry, student: str, whose: Mapping[tuple[str, str], str]
) -> None:
    """Nobody is added whose address or number is somebody's already: they would be there twice."""
    for (word, value), _ in _marks_of(one):
        if other := whose.get((word, value)):
            raise LmsError(
                f"{sheet.where(one.line)}: {student} would be new, and the {word} “{value}” "
                f"belongs to {other} already. If they are one person, give this line the id "
                f"{other}; or, if that id is wrong, remove it first (pcn purge --student "
                f"{other}). If they are two, mend the {word}. Nothing was changed."
            )


def _check_once(sheet: Sheet, entries: Iterable[Entry], field: str) -> None:
    seen: dict[str, Entry] = {}
    for one in entries:
        value = id_key(getattr(one, field))
        if value and value in seen:
            other = seen[value]
            lines = f" (lines {other.line} and {one.line})" if one.line and other.line else ""
            raise LmsError(
                f"{sheet.path}: the {field} “{getattr(one, field)}” belongs to {other.id} and to "
                f"{one.id}{lines}. Each student needs one of their own. Nothing was changed."
            )
        seen[value] = one


def _filled(one: Entry, other: Entry) -> Entry:
    """``one``, and where it says nothing, ``other``."""
    fields = ("first", "last", "email", "section")
    ids = {
        field: _fuller(getattr(one, field), getattr(other, field))
        for field in ("lms_id", "username")
    }
    return msgspec.structs.replace(
        one,
        **{field: getattr(one, field) or getattr(other, field) for field in fields},
        **ids,
        participants={**other.participants, **one.participants},
    )


def _fuller(an_id: str, before: str) -> str:
    """The id, in the spelling that was there before: a spreadsheet drops zeros and adds none."""
    same = id_key(an_id) == id_key(before)
    return before if not an_id or (same and len(before) >= len(an_id)) else an_id


def _kept(one: Entry) -> Entry:
    return msgspec.structs.replace(one, line=0, sis_id="")


def _columns_of(sheet: Sheet) -> str:
    return ", ".join(f"“{one}”" for one in sheet.header[:12])


def _unique(pairs: Iterable[tuple[Key, Entry]]) -> dict[Key, Entry]:
    """The pairs whose key is said and belongs to one student only."""
    found: dict[Key, Entry] = {}
    twice: set[Key] = set()
    for said, one in pairs:
        if not said:
            continue
        if said in found:
            twice.add(said)
        found[said] = one
    return {said: one for said, one in found.items() if said not in twice}
