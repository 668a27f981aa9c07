"""People out of a CSV file that a student has: LinkedIn's ``Connections.csv``, or an own list.

`read_list` takes the bytes of a file and gives back rows for the table ``people`` of step 2, or
raises `ListError` with words for the student. It keeps nothing, and these never come out of it, in
cells, in columns' names or in notes: e-mail addresses, phone numbers, links. Full names become
initials, since the people in a list have not signed up for this course. Of LinkedIn's columns the
position stays as text; the company only helps to find the sector and is then forgotten, because
initials, position and employer together can point to one person.

Encodings are told by their byte-order mark, else UTF-8, else Windows-1252: these are what Excel
and LinkedIn write. A detector such as charset-normalizer has to guess from letters, is often wrong
for files as short as these, and would take other Windows encodings for this one.

A choice is found by words ("Lincoln High School" is the sector schools). Lists are in English as a
rule; headings and words in other languages are chosen by the student from the columns shown.
"""

from __future__ import annotations

import csv
import html
import io
import itertools
import re
import string
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NoReturn

import msgspec

MOST_BYTES = 4_000_000
MOST_PEOPLE = 30_000
"""As many connections as LinkedIn allows; of a longer list only so many lines are read."""

FIELDS = (
    *("person", "role", "sector", "expertise", "group", "lived-experience", "place"),
    *("give", "get", "how-met", "status", "consent"),
)
"""The columns of ``people`` that a list can fill: its lines and its choices."""

_COLUMNS = 200  # what stands to the right of this many is not read
_CELL = 300  # characters kept of a cell
_HEADING = 80  # and of a heading
_UNCHANGED = "Nothing was changed."
_NOBODY = (
    "This list has headings but nobody below them. Add a line for each person, save it, and choose "
    f"the file again. {_UNCHANGED}"
)
_AS_CSV = f"then choose the new file here. {_UNCHANGED}"


class ListError(ValueError):
    """A file that is no list of people. Its text says what is wrong and what to do."""


class MemberList(msgspec.Struct, frozen=True):
    """The people in a file.

    ``columns`` are the columns that may be chosen, ``mapping`` says which field comes from which
    of them, and ``total`` how many people the file holds. ``rows`` hold filled cells only.
    ``doubles`` names, by the index in ``rows``, the id of the row there already that looks like the
    same person. ``notes`` say what was left out.
    """

    kind: Literal["linkedin", "list"]
    columns: tuple[str, ...]
    mapping: dict[str, str]
    total: int
    rows: tuple[dict[str, str], ...]
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
    _refuse_others(name, content)
    text, guessed = _decoded(content)
    table = _read_table(text)
    columns, contacts = _columns(table)
    kind: Literal["linkedin", "list"] = "linkedin" if _is_linkedin(name, table) else "list"
    by_label = {column.label: column for column in columns}
    if mapping is None:
        chosen = _guess(columns, table.rows)
    elif mapping.keys() <= set(FIELDS) and set(mapping.values()) <= by_label.keys():
        chosen = {field: by_label[mapping[field]] for field in FIELDS if field in mapping}
    else:
        raise ListError(
            "The choice of columns does not fit this list. Choose the file again, then say which "
            f"column is which. {_UNCHANGED}"
        )
    people = _People(kind, chosen)
    people.add(table.rows)
    if mapping is None and not people.rows:
        raise ListError(_NOBODY)
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
        doubles=_doubles(people.rows, existing),
        notes=tuple(notes),
    )


# ---- From bytes to a table -----------------------------------------------------------------------


def _refuse_others(name: str, content: bytes) -> None:
    """Raise `ListError` for what is, by its first bytes, another kind of file."""
    if not content.strip(b"\0\t\n\r \xef\xbb\xbf\xff\xfe"):
        raise ListError(f"This file is empty. Choose another one. {_UNCHANGED}")
    ending = name.lower().rpartition(".")[2]
    if content.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        _refuse_zip(content)
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise ListError(_workbook("Excel workbook" if ending.startswith("xls") else "Office file"))
    start = content[:64].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for what, first in _OTHERS.items():
        if start.startswith(first):
            raise ListError(
                f"This file is {what}, not a list of people. Save your list as CSV (in a "
                f"spreadsheet: File, Save As, CSV UTF-8), {_AS_CSV}"
            )
    if len(content) > MOST_BYTES:
        raise ListError(
            "This file is larger than 4 MB, which is more than a list of people needs. Save only "
            f"the rows that you want as a CSV file. {_UNCHANGED}"
        )


_OTHERS: dict[str, tuple[bytes, ...]] = {
    "a PDF document": (b"%pdf",),
    "a picture": (
        *(b"\x89png", b"\xff\xd8\xff", b"gif8", b"ii*\0", b"mm\0*", b"<svg"),
        *(b"\0\0\0\x18ftyp", b"\0\0\0\x1cftyp", b"\0\0\0\x20ftyp", b"\0\0\0\x24ftyp"),
    ),
    "a packed archive": (b"\x1f\x8b", b"7z\xbc\xaf\x27\x1c", b"rar!"),
    "a web page or XML": (b"<!doctype", b"<html", b"<?xml", b"<table"),
    "a text document": (b"{\\rtf",),
    "a calendar": (b"begin:vcalendar",),
    "an address book (vCard)": (b"begin:vcard",),
    "JSON": (b'{"', b"{\n", b"{\r", b"[{", b"[\n"),
}


def _refuse_zip(content: bytes) -> NoReturn:
    """Raise `ListError` for what an archive is, or the document that is one inside.

    The names in a ZIP stand in it as they are, so it need not be opened.
    """
    if b"xl/workbook" in content or b"opendocument.spreadsheet" in content:
        raise ListError(_workbook("spreadsheet"))
    if b"Index/Document.iwa" in content:
        raise ListError(
            "This file is a Numbers spreadsheet. Open it in Numbers, choose File, Export To, CSV, "
            + _AS_CSV
        )
    if b"word/document" in content or b"opendocument.text" in content:
        raise ListError(
            "This file is a text document, not a list of people. Copy its table into a "
            f"spreadsheet, save that as CSV, {_AS_CSV}"
        )
    if b"Connections.csv" in content:
        raise ListError(
            "This is LinkedIn's ZIP file. Unpack it first (double-click it, or “Extract All”), "
            f"then choose the file “Connections.csv” that is in it. {_UNCHANGED}"
        )
    raise ListError(
        "This file is a ZIP archive. Unpack it first (double-click it, or “Extract All”), then "
        f"choose the CSV file that is in it. {_UNCHANGED}"
    )


def _workbook(what: str) -> str:
    return (
        (
            f"This file is a {what}, which cannot be read here. Open it, choose File, Save As (or "
            f"Download), and “CSV UTF-8”, {_AS_CSV}"
        )
        .replace("a Excel", "an Excel")
        .replace("a Office", "an Office")
    )


_CONTROLS = re.compile("[\x00-\x08\x0e-\x1f\x7f\ufffd]")


def _decoded(content: bytes) -> tuple[str, bool]:
    """The text without NULs, and whether its encoding was only supposed."""
    guessed = False
    if content.startswith((b"\xff\xfe\0\0", b"\0\0\xfe\xff")):
        text = content.decode("utf-32", "replace")
    elif content.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = content.decode("utf-16", "replace")
    elif content[1::2].count(0) > len(content) // 5:
        text = content.decode("utf-16-le", "replace")
    elif content[::2].count(0) > len(content) // 5:
        text = content.decode("utf-16-be", "replace")
    else:
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            text, guessed = content.decode("cp1252", "replace"), True
    if len(_CONTROLS.findall(text)) > max(8, len(text) // 50):
        raise ListError(
            "This file is not text, so it cannot be a CSV file. Save your list as CSV (in a "
            f"spreadsheet: File, Save As, CSV UTF-8), {_AS_CSV}"
        )
    return text.replace("\0", "").replace(_END, "").lstrip("\ufeff"), guessed


_END = "\x1a"
_Cells = list[str]


class _Table(msgspec.Struct):
    """The file's lines below its headings, as cells; ``unread`` and ``longer`` count lines."""

    headings: _Cells
    kinds: list[str]
    rows: list[_Cells]
    unread: int
    longer: int

    def notes(self) -> Iterable[str]:
        if self.longer:
            yield (
                f"{_count(self.longer, 'line has', 'lines have')} more cells than there are "
                "headings; what stands beyond the last heading was left out."
            )
        if self.unread:
            yield (
                f"This list is very long: the last {_count(self.unread, 'line was', 'lines were')} "
                "not read."
            )


def _read_table(text: str) -> _Table:
    first, _, rest = text.partition("\n")
    told = re.fullmatch(r'"?sep=(.)"?\s*', first)
    text = rest if told else text
    delimiter = told[1] if told and told[1] not in '"\r ' else _delimiter(text)
    lines, unread = _lines(text, delimiter)
    at = _heading_line(lines)
    headings = lines[at] if at is not None else []
    kinds = [_kind(heading) for heading in headings]
    if not any(kind in _WHO for kind in kinds):
        raise ListError(
            "This file is not a list of members: its first line has no column that looks like a "
            "name or a role. Give each column a heading, such as “Name” and “Role”, and choose "
            f"the file again. {_UNCHANGED}"
        )
    rows = lines[(at or 0) + 1 :]
    if not rows:
        raise ListError(_NOBODY)
    longer = sum(any(cell.strip() for cell in row[len(headings) :]) for row in rows)
    return _Table(headings, kinds, rows, unread, longer)


def _delimiter(text: str) -> str:
    """The sign between cells with which the first lines look most like headings and people."""

    def looks(sign: str) -> tuple[int, int]:
        try:
            reader = csv.reader(io.StringIO(text, newline=""), delimiter=sign)
            lines = [row[:_COLUMNS] for row in itertools.islice(reader, 40) if any(row)]
        except csv.Error:
            return (-1, 0)
        at = _heading_line(lines)
        if at is None:
            return (0, sum(len(row) > 1 for row in lines))
        width = len(lines[at])
        known = len({kind for kind in map(_kind, lines[at]) if kind})
        return (known, sum(len(row) == width > 1 for row in lines))

    return max(",;\t|", key=looks)


def _lines(text: str, delimiter: str) -> tuple[list[_Cells], int]:
    """The lines that have something in them, and how many more there are than may be read."""
    lines: list[_Cells] = []
    more = 0
    # The last line is ours: if it isn't a line of its own, an open quotation mark swallowed it.
    source = itertools.chain(io.StringIO(text, newline=""), [_END])
    reader = csv.reader(source, delimiter=delimiter)
    begun, after, closed = 1, 1, False
    try:
        for row in reader:
            begun, after = after, reader.line_num + 1
            closed = row == [_END]
            if closed or not _filled(row):
                continue
            if len(lines) <= MOST_PEOPLE:
                lines.append(row[:_COLUMNS])
            else:
                more += 1
    except csv.Error:
        raise ListError(
            f"Line {after} of this file has a cell that is far too long for a list of people. "
            f"Shorten it there, and choose the file again. {_UNCHANGED}"
        ) from None
    if not closed:
        raise ListError(
            f"A quotation mark is opened in line {begun} of this file and not closed again, so the "
            "lines after it run together. Close or delete it there, and choose the file again. "
            + _UNCHANGED
        )
    return lines, more


def _heading_line(lines: Sequence[_Cells]) -> int | None:
    """Which line holds the headings; titles and LinkedIn's notes may stand above it."""
    top = lines[:20]
    wide = any(_filled(row) > 1 for row in top)
    able = [at for at, row in enumerate(top) if _filled(row) > 1 or not wide]
    known = {at: len({kind for kind in map(_kind, top[at]) if kind}) for at in able}
    # A line of people may be one heading in one cell ("Stakeholder"), hardly ever in two.
    whole = {at: len({_EXACT.get(_words(cell), "") for cell in top[at]} - {""}) for at in able}
    enough = [at for at in able if (known[at] if at == able[0] else whole[at] > 1)]
    return max(enough, key=lambda at: known[at], default=None)


def _filled(row: _Cells) -> int:
    return sum(bool(cell.strip()) for cell in row)


# ---- Headings ------------------------------------------------------------------------------------

# What a heading says, by kinds. The labels of our own form are among them.
_HEADINGS = {
    "name": "name/names/full name/person name/contact name/member name/stakeholder name/"
    "display name/first and last name/your contact/nombre/nom/nome/vor und nachname",
    "first": "first name/first/given name/forename/vorname/prénom",
    "last": "last name/last/surname/family name/nachname/apellido/apellidos",
    "person": "person/people/persons/who/member/members/contact/contacts/contact person/"
    "key contact/stakeholder/stakeholders/stakeholder group/initials/initials or role/individual/"
    "participant/partner/partners/connection/collaborator/colleague/expert/network member",
    "role": "role/roles/role type/part/type/stakeholder type/stakeholder role/project role/"
    "role in project/role in the project/relationship/category/rolle/rol/"
    "what part do they play",
    "position": "position/job/job title/title/current position/occupation/profession/function/"
    "job role/headline/beruf/cargo",
    "organization": "organization/organisation/company/employer/agency/institution/affiliation/"
    "workplace/organization name/organisation name/company name/agency name",
    "sector": "sector/field/industry/organization type/organisation type/type of organization/"
    "setting/where do they work or belong/sektor",
    "expertise": "expertise/skill/skills/knowledge/specialty/speciality/specialization/"
    "area of expertise/areas of expertise/competence/strengths/knows/knows about/"
    "what do they know or know how to do",
    "group": "group/discipline/kind of knowledge/what kind of knowledge is it",
    "lived-experience": "lived experience/do they bring lived experience",
    "place": "place/location/reach/scope/distance/level/geography/geographic level/region/where/"
    "how far away are they",
    "give": "give/i give/what i give/what i offer/i offer/offer/my contribution/giving/"
    "what do you give",
    "get": "get/i get/what i get/gain/what i gain/what i need/need from them/getting/ask/"
    "what do you get",
    "how-met": "how met/how we met/how i met them/how do you know them/how i know them/"
    "met through/introduced by/how did you meet or how could you/where we met",
    "status": "status/invitation/invitation status/invited/have you invited them",
    "consent": "consent/permission/may you list them here",
}
_EXACT = {word: kind for kind, words in _HEADINGS.items() for word in words.split("/")}
# One of these in a short heading; the first that fits. Contact details come before all others, and
# a kind of "-" says that it is another thing's name.
_CONTACT = "contact details"
_PARTS = r"""
contact details: e mails?|mails?|\w*email\w*|\w*phone\w*|tel|mobile|cell|fax|whatsapp|skype|handle
contact details: urls?|\w*website\w*|web|homepage|links?|\w*linkedin\w*|\w*twitter\w*
contact details: \w*facebook\w*|\w*instagram\w*|\w*address\w*|adresse|street|zip|post ?codes?
contact details: postal|birth\w*|dob|ssn|courriel|correo|telefono|téléphone|telefon|handy
-: projects?|events?|files?|users?|accounts?|programs?|meetings?|dates?|middle
how-met: met|meet
sector: sectors?|industry
organization: organi[sz]ations?|compan(?:y|ies)|employer|agency|institution
expertise: expertise|skills?|knowledge|special(?:i?ty|i[sz]ation)
first: first|given
last: last|family|surname
role: roles?|types?
position: position|title|occupation|profession
place: location|place
name: names?
person: initials|stakeholders?|persons?|members?|contact
give: gives?|offers?
get: gets?|gains?
"""
_KNOWN_PARTS = [
    (kind.strip("-"), re.compile(rf"\b(?:{words})\b"))
    for kind, words in (line.split(": ") for line in _PARTS.strip().splitlines())
]
# Kinds that say who somebody is, the best first.
_WHO = ("name", "first", "last", "person", "position", "role", "organization", "expertise")
_NAMES = _WHO[:3]
_FROM: dict[str, tuple[str, ...]] = {
    "person": _WHO,
    "sector": ("sector", "organization"),
    "expertise": ("expertise", "position"),
}


def _kind(heading: str) -> str:
    """The kind of a heading; "" if it says nothing that we know."""
    if "@" in heading:
        return _CONTACT
    # "FirstName" is two words, "LinkedIn" is one.
    written = heading[: 2 * _HEADING]
    both = [_words(written), _words(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", written))]
    for words in both:
        if words in _EXACT:
            return _EXACT[words]
    if 0 < len(both[1].split()) <= 4:
        for kind, pattern in _KNOWN_PARTS:
            if any(map(pattern.search, both)):
                return kind
    return ""


def _words(text: str) -> str:
    """Text in small letters with a blank for every other sign."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(re.sub(r"[\W_]+", " ", re.sub(r"['’]", "", plain)).split())


def _is_linkedin(name: str, table: _Table) -> bool:
    """Whether these are LinkedIn's connections; columns may be missing, as in older exports."""
    headings = {_words(heading) for heading in table.headings}
    told = "connected on" in headings or name.lower().startswith("connections")
    return (
        told
        and bool(headings & {"first name", "last name"})
        and bool(headings & {"company", "position", "url", "email address"})
    )


class _Column(msgspec.Struct, frozen=True):
    """A column that may be chosen: its cells, two of them where first and last names are apart."""

    label: str
    kind: str
    cells: tuple[int, ...]

    def parts(self, row: _Cells) -> list[str]:
        found = [_clean(row[at]) for at in self.cells if at < len(row)]
        return [part for part in found if part]

    def text(self, row: _Cells) -> str:
        return " ".join(self.parts(row))


def _columns(table: _Table) -> tuple[list[_Column], bool]:
    """The columns that hold something, and whether some were left out as contact details."""
    columns: list[_Column] = []
    contacts = False
    for at, (heading, kind) in enumerate(zip(table.headings, table.kinds, strict=True)):
        cells = (row[at] for row in table.rows if at < len(row) and row[at].strip())
        some = list(itertools.islice(cells, 100))
        if not some:
            continue
        if kind == _CONTACT or 2 * sum(not _clean(cell) for cell in some) > len(some):
            contacts = True
            continue
        label = _clean(heading)[:_HEADING].strip() or f"Column {_letters(at)}"
        columns.append(_Column(label, kind, (at,)))
    first = next((one for one in columns if one.kind == "first"), None)
    last = next((one for one in columns if one.kind == "last"), None)
    if first and last:
        both = _Column(f"{first.label} + {last.label}", "name", first.cells + last.cells)
        columns = [both if one is first else one for one in columns if one is not last]
    return _told_apart(columns), contacts


def _told_apart(columns: Iterable[_Column]) -> list[_Column]:
    """The columns, with a number behind labels that were there before."""
    apart = []
    labels: Counter[str] = Counter()
    for column in columns:
        label = column.label
        labels[label] += 1
        while labels[label] > 1:
            label = f"{column.label} ({labels[label]})"
            labels[label] += 1
        apart.append(msgspec.structs.replace(column, label=label))
    return apart


def _letters(at: int) -> str:
    """A column's letters in a spreadsheet: A, B, … Z, AA."""
    high, low = divmod(at, 26)
    return (string.ascii_uppercase[high - 1] if high else "") + string.ascii_uppercase[low]


def _guess(columns: Sequence[_Column], rows: Sequence[_Cells]) -> dict[str, _Column]:
    """Which column fills which field, by their headings."""
    chosen: dict[str, _Column] = {}
    for field in FIELDS:
        kinds = _FROM.get(field, (field,))
        fitting = [one for one in columns if one.kind in kinds]
        if fitting:
            chosen[field] = min(fitting, key=lambda one: kinds.index(one.kind))
    role = chosen.get("role")
    if role:
        said = [text for row in rows[:200] if (text := role.text(row))]
        if 2 * sum(bool(_choice("role", text)) for text in said) < len(said):
            # "Role" as in "Respite coordinator": what somebody does, not one of our choices.
            del chosen["role"]
            chosen.setdefault("expertise", role)
    if chosen.get("expertise") is chosen.get("person"):
        chosen.pop("expertise", None)
    return chosen


# ---- Cells ---------------------------------------------------------------------------------------

# All ways to write an @: other widths, and escapes of pages and addresses.
_AT_SIGNS = re.compile(r"[\uff20\ufe6b]|%40|&#0*64;?|&#x0*40;?|&commat;", re.IGNORECASE)
_SPELLED_AT = re.compile(
    r"\s*[(\[{<]\s*(?:at|@)\s*[)\]}>]\s*|\s*[(\[{]a[)\]}]\s*(?=\S+\.\w)|"
    r"\s+at\s+(?=\S+(?:\s+dot\s+|\s*[(\[{]\s*dot\s*[)\]}])\s*\S)",
    re.IGNORECASE,
)
_MAYBE_SPELLED = re.compile(r"\bat\b|[(\[{]a[)\]}]", re.IGNORECASE)
_SPELLED_DOT = re.compile(r"(?<=\S)(?:\s+dot\s+|\s*[(\[{]\s*dot\s*[)\]}]\s*)(?=\S)", re.IGNORECASE)
# "… @ mercy.org": the place goes, and the words before it are an address no more.
_PLACE = re.compile(r"\s(?:@|at)\s+(?:[\w-]+\.)+[^\W\d_]{2,}(?![\w.])", re.IGNORECASE)
# One address: the token around an @, with a quoted name before it or a number in brackets after.
_NEAR = r"[^\s,;<>()\[\]{}|\"]"
_ADDRESS = re.compile(rf'(?:"[^"]{{0,70}}"|{_NEAR}+)?@(?:\[[^\]\s]{{0,60}}\]|{_NEAR}*)')
_LINK = re.compile(
    r"\b(?:https?|ftp)://\S+|\bwww\.\S+|(?<![\w.-])[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}/\S*|"
    r"\b(?:linkedin|facebook|instagram|twitter)\.com\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    r"(?<!\w)(?:\+\s?)?\(?\d(?:[\s().\-–/]{0,3}\d){6,40}(?!\d)"
    r"(?:\s*(?:x|ext\.?)\s*\d{1,6}\b)?",
    re.IGNORECASE,
)
_DATE = re.compile(
    r"(?:19|20)\d\d\s*[-–/]\s*(?:19|20)\d\d(?!\d)|\d{4}([-/.])\d{1,2}\1\d{1,2}(?!\d)|"
    r"\d{1,2}([-/.])\d{1,2}\2\d{4}(?!\d)"
)
_LEFT_OVER = re.compile(
    r"\b(?:e-?mails?|mailto|tel|phone|fax|cell|mobile)\b[.:\s]*(?=$|[,;)|])|\(\s*\)|<\s*>|\[\s*\]",
    re.IGNORECASE,
)
_UNSEEN = re.compile("[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\x00-\x1f\x7f-\x9f]")


def _clean(cell: str) -> str:
    """A cell in one line, without contact details; a formula is text like any other.

    No @ is left in any case: what cannot be an address keeps its word ("Nurse @ Mercy" is "Nurse
    at Mercy"), everything else goes.
    """
    text = cell[: 3 * _CELL]
    while "&" in text and (plain := html.unescape(text)) != text:
        text = plain
    text = unicodedata.normalize("NFC", _AT_SIGNS.sub("@", text))
    text = " ".join(_UNSEEN.sub(" ", text.replace("\u200b", "").replace("\u00ad", "")).split())
    if re.fullmatch(r'="[^"]*"', text):  # how Excel is told that a number is text
        text = text[2:-1]
    if (kept := _without_contacts(text)) != text:
        kept = _LEFT_OVER.sub(" ", kept)
        text = re.sub(r"\s+(?=[,;)])|([,;])(?:\s*[,;])+", r"\1", " ".join(kept.split()))
        text = text.strip(" ,;|:/")
    return text if len(text) <= _CELL else text[: _CELL - 2].rstrip() + " …"


def _without_contacts(text: str) -> str:
    if "@" in text or _MAYBE_SPELLED.search(text):
        told = _SPELLED_AT.sub("@", text)
        if "@" in told:
            told = _SPELLED_DOT.sub(".", told)
        told = re.sub(r"(?<=\s)@(?=\s)", "at", _PLACE.sub(" ", told))
        text = _ADDRESS.sub(" ", told).replace("@", " ")
    if "/" in text or "." in text:
        text = _LINK.sub(" ", text)
    if sum(sign.isdecimal() for sign in text) >= 7:
        text = _NUMBER.sub(lambda found: found[0] if _DATE.match(found[0]) else " ", text)
    return text


# ---- Choices -------------------------------------------------------------------------------------

# By what words an option of a choice is known, the first that fits; "-" for words that fit none.
# What tells most stands first: a university hospital is health care, a school of social work is
# a university, a police department is justice.
_OPTIONS = r"""
role implementation-team: implementation|implementers?|project team|team members?
role lived-experience: (?:lived|living) experience|consumers?|clients?|patients?|service users?
role lived-experience: care ?givers?|carers?|parents?|survivors?|famil(?:y|ies)
role advisor-or-expert: advis[eo]rs?|advisory|experts?|consultants?
role mentor: mentors?
role peer: peers?|colleagues?|classmates?|cohort
role broadcaster: broadcasters?|broadcasts?|newsletters?
role stakeholder: stakeholders?
sector health: health ?care|hospitals?|clinics?|hospices?|medical|health (?:cent\w+|systems?)
sector health: nursing homes?|pharmac\w+
sector university: universit\w*|colleges?|professors?|research\w*|faculty|lecturers?|academi\w+
sector university: school of (?:social work|medicine|public health|nursing|law)
sector justice: courts?|police|sheriff\w*|legal aid|justice|probation|parole|attorneys?|law
sector justice: lawyers?|judges?|prisons?|jails?|corrections
sector policy: policy|foundations?|funders?|funding|grantmak\w+|legislat\w+|senat\w+|congress\w*
sector policy: philanthrop\w+
sector schools: schools?|k 12|kindergartens?|preschools?|teachers?|elementary
sector nonprofit: non ?profits?|not for profit|ngos?|charit\w+|501c3|united way|red cross
sector nonprofit: salvation army
sector public-agency: public agenc\w+|public sector|department of|dept of|county|city of|state of
sector public-agency: governments?|federal|bureau|ministry|municipal\w*|human services
sector public-agency: child welfare
sector health: health|nurs\w+|physicians?|doctors?|therap\w+|psychiatr\w+|medicine
sector community: communit\w+|famil(?:y|ies)|faith|church\w*|mosques?|synagogues?|temples?|tribes?
sector community: tribal|parish\w*|neighbo\w+|carers?|peer support|volunteers?
sector nonprofit: associations?|alliance|coalition|shelters?|services
sector schools: education
sector business: business\w*|inc|llc|ltd|corp\w*|compan(?:y|ies)|gmbh|consulting|banks?|retail
sector business: start ?ups?|private sector|self employed
sector other: other|something else
group lived-experience: lived experience|consumers?|service users?
group family-friends: famil(?:y|ies)|friends?|carers?|care ?givers?
group community: communit\w+|tribal|tribes?|indigenous
group policy-funding: policy|law|legal|fund\w+
group research-data: research\w*|data|evaluation|statistics
group social-work: social work\w*|[md]sw|l[cm]sw
group discipline: disciplines?|medicine|nursing|psychology|education|public health
group other: other|something else
lived-experience not-said: not mine|not said|not known|unknown|unsure|maybe
lived-experience no: no|none|n|false
lived-experience yes: yes|y|true|lived experience
place international: international\w*|global\w*|abroad|overseas|worldwide|foreign
place national: national\w*|nation ?wide|country|us|usa|united states|federal
place state: state|state ?wide|regional|region|provinc\w+
place local: local\w*|city|county|town|neighbo\w+|nearby|on site|same building
status withdrawn: withdr\w+
status planned: plan\w*|not (?:yet )?(?:asked|invited|sent)|to do|later
status declined: declin\w*|refus\w*|said no
status sent: sent|asked|invited|waiting|pending|no answer
status accepted: accept\w*|agreed|joined|yes
status declined: no
consent role-only: role|anonymous\w*
consent -: not (?:yet )?asked|unknown
consent no: no|not|none|refus\w*|declin\w*
consent asked: asked|waiting|pending
consent yes: yes|y|agreed|given|consent\w*|ok
"""


def _patterns() -> dict[str, list[tuple[str, re.Pattern[str]]]]:
    known: dict[str, list[tuple[str, re.Pattern[str]]]] = {}
    for line in _OPTIONS.strip().splitlines():
        option, words = line.split(": ")
        field, value = option.split()
        pattern = re.compile(rf"\b(?:{words})\b")
        known.setdefault(field, []).append((value.removeprefix("-"), pattern))
    return known


_KNOWN_OPTIONS = _patterns()
# What is said of a choice that stays empty.
_NOUNS = {
    "role": "part that they play",
    "sector": "sector",
    "group": "kind of knowledge",
    "lived-experience": "lived experience",
    "place": "distance",
    "status": "invitation",
    "consent": "consent",
}


def _choice(field: str, text: str) -> str:
    """The option of a choice that the words say, or ""."""
    words = _words(text)
    exact = words.replace(" ", "-")
    if any(exact == value for value, _ in _KNOWN_OPTIONS[field]):
        return exact
    return next((value for value, known in _KNOWN_OPTIONS[field] if known.search(words)), "")


# ---- People --------------------------------------------------------------------------------------


class _People:
    """Rows for the table of people, made of a file's lines, and what has to be said of them."""

    def __init__(self, kind: str, chosen: Mapping[str, _Column]) -> None:
        self.rows: list[dict[str, str]] = []
        self._linkedin = kind == "linkedin"
        self._chosen = chosen
        self._seen: set[tuple[str, ...]] = set()
        self._without_choice: Counter[str] = Counter()
        self._initials = self._nobody = self._again = 0

    def add(self, lines: Iterable[_Cells]) -> None:
        for line in lines:
            row = self._row(line)
            # By full names, which tell apart what initials do not; without them, by all that is
            # in the line.
            by_name = row and "person" in self._chosen
            key = self._said(line) if by_name else tuple(line)
            if not row:
                self._nobody += 1
            elif key in self._seen:
                self._again += 1
            else:
                self.rows.append(row)
            self._seen.add(key)

    def _said(self, line: _Cells) -> tuple[str, ...]:
        return tuple(_words(column.text(line)) for column in self._chosen.values())

    def _row(self, line: _Cells) -> dict[str, str]:
        """The filled cells of one person; none of them if the line does not say who it is."""
        said = {field: column.text(line) for field, column in self._chosen.items()}
        row = {field: said[field] for field in FIELDS if said.get(field)}
        self._name(row, line)
        if not row.keys() & {"person", "expertise"} and not said.get("role"):
            return {}
        for field in _KNOWN_OPTIONS:
            if field in row:
                row[field] = _choice(field, row[field])
                if field == "sector" and self._linkedin:
                    row[field] = row[field] or _choice(field, row.get("expertise", ""))
                if not row[field]:
                    self._without_choice[field] += 1
                    del row[field]
        return {field: row[field] for field in FIELDS if field in row}

    def _name(self, row: dict[str, str], line: _Cells) -> None:
        """Write initials or a role into ``row``."""
        column = self._chosen.get("person")
        what = row.get("expertise") or row.get("role", "")
        if column is None or not row.get("person"):
            if what:
                row["person"] = what
            return
        row["person"] = short = _short_name(column.parts(line), column.kind)
        if not short:
            del row["person"]
        self._initials += short != column.text(line)
        if self._linkedin and short and column.kind in _NAMES and row.get("expertise"):
            row["person"] = f"{short}, {row['expertise']}"

    def notes(self) -> Iterable[str]:
        if not self._chosen:
            yield "No column is chosen yet. Say which column is which to see the people."
            return
        if self._initials:
            names = _count(self._initials, "name became", "names became")
            yield f"{names} initials, since the people in a list have not signed up for this."
        if self._linkedin and "sector" in self._chosen:
            yield "Of the company only the sector is taken over, where its name tells it."
        for field, count in self._without_choice.items():
            column = self._chosen[field].label
            entries = _count(count, "entry", "entries")
            yield (
                f"{entries} under “{column}” did not say which {_NOUNS[field]} to choose, so that "
                "stays empty there."
            )
        if self._nobody:
            lines = _count(self._nobody, "line names", "lines name")
            yield f"{lines} nobody, neither by name nor by role: left out."
        if self._again:
            lines = _count(self._again, "line says", "lines say")
            yield f"{lines} the same as another one: taken once."


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


# ---- Names ---------------------------------------------------------------------------------------


def _word_set(words: str) -> frozenset[str]:
    return frozenset(words.split())


# Words that name what somebody does or an organization. Those in `_ALSO_SURNAMES` tell it only
# beside another one, since people are called Church and Dean.
_ROLE_WORDS = _word_set(
    """
    academic academy accountant activist administration administrator admissions advisor adviser
    advisory advocate advocacy agency agent aide alliance ally ambassador analyst assistant
    associate association attorney aunt author authority board boss broadcaster bureau business
    captain care carer caregiver caseworker center centre chair chairperson chaplain charity chief
    citizen city clergy clerk client clinic clinical clinician club coach coalition colleague
    college commission commissioner committee community company consultant consumer coordinator
    council counselor counsellor county court daughter department dept deputy designer developer
    director district doctor donor doula driver editor education educator elder employer engineer
    epidemiologist evaluator executive expert facilitator faculty family father federation fellow
    firefighter forum foundation founder fund funder government grandmother grandparent group
    guardian head health home hospice hospital hotline inc initiative inspector institute
    instructor insurer intern interpreter investigator journalist kin lab landlord lawyer lead
    leader league legislator liaison librarian library line llc local manager mayor media mediator
    medical member mental mentor midwife minister ministry mission mother national navigator
    neighbor neighbour network newsletter nonprofit nurse nursing office officer official ombudsman
    organization organisation organizer outreach owner panel parent participant partner party
    pastor patient pediatrician peer people person pharmacist pharmacy physician planner
    podcast police policy practitioner president priest principal probation professor program
    programme project provider psychiatrist psychologist public rabbi recipient regional registrar
    registry representative research researcher resident respite scholar school scientist secretary
    senator senior service sheriff shelter social society specialist sponsor staff stakeholder
    state steward student superintendent supervisor support survivor task teacher team technician
    therapist trainer treasurer tribal tribe trust trustee union university user veteran village
    volunteer ward welfare work worker writer youth
    """
)
_ALSO_SURNAMES = _word_set(
    """
    care chaplain child church court day dean elder father fellow friend head home judge leader line
    mayor member mission parent parish park pastor priest school senior steward student trainer
    trust ward work
    """
)
_TITLES = _word_set("dr prof professor mr mrs ms mx miss rev reverend hon sen rep")
_CREDENTIALS = _word_set(
    """
    ACSW BA BCBA BS BSN BSW CADC CASAC CHW CPA CSW DNP DO DSW EDD ESQ FAAN FNP FRCP JD JR LCPC LCSW
    LGSW LICSW LISW LMFT LMHC LMSW LPC LSW MA MBA MD MDIV MED MFT MHA MPA MPH MPP MS MSED MSN MSSA
    MSSW MSW NCC NP OTR PA PHARMD PHD PMP PSYD QMHP RD RN RSW SPHR SR SSW II III IV
    """
)
_PARTICLES = _word_set(
    """
    af al av bin binti da das de del della den der di do dos du e el ibn la le san ten ter van von y
    zu
    """
)
_SENTENCE = _word_set("a an and at by for from in of on or the to who with")
_PARENTHESIS = re.compile(r"\s*\(([^()]*)\)")
_BETWEEN = re.compile(r"\s*[,;:/|]\s*|\s+[-–—]\s+")


def _short_name(parts: Sequence[str], kind: str) -> str:
    """What is kept of a name: its initials. Roles and organizations stay as they are.

    ``kind`` is what the column's heading says: below "Name" all counts as a name that isn't plainly
    a role; below "Person" what looks like one; an organization is never shortened.
    """
    text = " ".join(parts)
    names = kind in _NAMES
    if kind == "organization" or _are_initials(text):
        return text
    if len(parts) > 1:
        return _initials([re.split(r"[,(]", part)[0] for part in parts])
    kept: list[str] = []
    changed = False
    nicknames = _PARENTHESIS.sub(
        lambda found: "" if _is_name(found[1], names=False) else found[0], text
    )
    plain = _PARENTHESIS.sub(lambda found: f", {found[1]}", nicknames)
    said = [piece for piece in _BETWEEN.split(plain) if piece]
    if len(said) > 1 and "," in plain and all(" " not in one for one in said[:2]):
        first, last = said[1], said[0]  # "Gold, Karen"
        if _is_name(first, names) and _is_name(last, names) and not _is_credential(first):
            said[:2] = [f"{first} {last}"]
    for piece in said:
        several = re.split(r"\s+(?:and|&)\s+", piece)
        if kept and all(_is_credential(word) for word in piece.split()):
            changed = True
        elif all(_is_name(one, names and (changed or not kept)) for one in several):
            kept.append(" and ".join(_initials([one]) for one in several))
            changed = True
        else:
            kept.append(piece)
    return ", ".join(filter(None, kept)) if changed or nicknames != text else text


def _are_initials(text: str) -> bool:
    return re.fullmatch(r"[^\W\d_](?:[. -]{0,2}[^\W\d_]){0,3}\.?", text) is not None and (
        text.isupper() and (" " not in text or len(text.split()) * 2 >= len(text.replace(".", "")))
    )


def _is_name(text: str, names: bool) -> bool:  # noqa: FBT001 (says what the heading promises)
    """Whether these words are somebody's name."""
    words = re.sub(r"[\"“”„]", " ", text).split()
    titled = len(words) > 1 and _is_title(words[0])
    words = [word for word in words if word not in _PARTICLES and not _is_title(word)]
    if not 1 <= len(words) <= 5 or re.search(r"[\d=!+*^<>{}\\_#%$]", text):
        return False
    if any(word.casefold() in _SENTENCE for word in words) or not any(map(_letter, words)):
        return False
    stems = [re.sub(r"(?:['’]s|s['’]?)$", "", _bare(word).casefold()) for word in words]
    told = [
        stem in _ROLE_WORDS or _bare(word).casefold() in _ROLE_WORDS
        for stem, word in zip(stems, words, strict=True)
    ]
    plain = [hit and stem not in _ALSO_SURNAMES for hit, stem in zip(told, stems, strict=True)]
    if titled:
        return not any(plain)
    if len(words) == 1 and (told[0] or (not names and words[0].isupper())):
        return False
    if names:
        small = any(hit and word.islower() for hit, word in zip(told, words, strict=True))
        return not (plain[-1] or small or sum(told) > 1)
    return not (any(_letter(word).islower() for word in words) or any(plain) or sum(told) > 1)


def _is_title(word: str) -> bool:
    return word.rstrip(".").casefold() in _TITLES


def _is_credential(word: str) -> bool:
    bare = word.replace(".", "").strip("()")
    return bare.upper() in _CREDENTIALS and not bare.istitle() and not bare.islower()


def _bare(word: str) -> str:
    return word.strip(string.punctuation + "“”„‘’…")


def _letter(word: str) -> str:
    """The first letter of a word, or ""."""
    return next((sign for sign in word if sign.isalpha()), "")


def _initials(parts: Sequence[str]) -> str:
    """Up to four initials. Where a sign is a whole name, as in Chinese, the family name's first."""
    shouted = " ".join(parts).isupper()
    words: list[str] = []
    for part in parts:
        found = [word for word in re.sub(r"[\"“”„]", " ", part).split() if _letter(word)]
        words += [
            word
            for at, word in enumerate(found)
            if not (_is_title(word) and len(found) > 1)
            and not (at and not shouted and _is_credential(word))
        ]
    names = [word for word in words if word not in _PARTICLES] or words
    pieces = [
        piece for word in names for piece in re.split(r"[-\u2010–.·]", word) if _letter(piece)
    ]
    letters = [_letter(piece) for piece in pieces]
    if not letters:
        return ""
    if any(map(_is_whole_sign, letters)):
        return _letter(parts[-1]) or letters[0]
    return "".join(letter.upper()[0] for letter in letters[:4])


def _is_whole_sign(letter: str) -> bool:
    return unicodedata.name(letter, "").startswith(("CJK", "HANGUL", "HIRAGANA", "KATAKANA"))


# ---- Doubles -------------------------------------------------------------------------------------


def _doubles(
    rows: Sequence[Mapping[str, str]], existing: Sequence[Mapping[str, Any]]
) -> dict[int, str]:
    """For rows that look like an existing one: its id, by their index."""
    there: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for row in existing:
        if isinstance(row.get("id"), str) and row["id"]:
            for sign in _signs(row):
                there.setdefault(sign, []).append(row)
    found: dict[int, str] = {}
    for at, new in enumerate(rows):
        alike = [row for sign in _signs(new) for row in there.get(sign, ())]
        best = max(alike, key=lambda row: _agreement(row, new), default=None)
        if best and _agreement(best, new):
            found[at] = best["id"]
    return found


def _agreement(one: Mapping[str, Any], other: Mapping[str, Any]) -> int:
    """2 if expertise or role is the same in both, 1 if nothing is known of it, 0 if both differ.

    Many people share initials: filling one's gaps from another one would mix two people up.
    """
    pairs = [(one.get(key), other.get(key)) for key in ("expertise", "role")]
    known = [
        _folded(mine) == _folded(theirs)
        for mine, theirs in pairs
        if isinstance(mine, str) and isinstance(theirs, str) and mine and theirs
    ]
    return 1 if not known else 2 * any(known)


def _signs(row: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """By what a person is known again: initials together with expertise, before the name."""
    person, expertise = row.get("person"), row.get("expertise")
    if not isinstance(person, str) or not (name := _folded(person)):
        return []
    signs: list[tuple[str, ...]] = []
    if isinstance(expertise, str) and (knows := _folded(expertise)):
        short = _BETWEEN.split(_short_name([person], "person"))[0]
        if _are_initials(short):
            signs.append((_folded(short), knows))
    return [*signs, (name,)]


def _folded(text: str) -> str:
    """Text without case, punctuation and spacing."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return "".join(sign for sign in plain if sign.isalnum())
