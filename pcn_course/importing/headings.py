"""What a column holds, by its heading."""

from __future__ import annotations

import itertools
import re
import string
from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from pcn_course.importing.cells import cleaned, words_of
from pcn_course.importing.choices import choice_of
from pcn_course.importing.table import FIELDS, HEADING, Cells, Table

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
EXACT = {word: kind for kind, words in _HEADINGS.items() for word in words.split("/")}
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
WHO = ("name", "first", "last", "person", "position", "role", "organization", "expertise")
NAMES = WHO[:3]
_FROM: dict[str, tuple[str, ...]] = {
    "person": WHO,
    "sector": ("sector", "organization"),
    "expertise": ("expertise", "position"),
}


def kind_of(heading: str) -> str:
    """The kind of a heading; "" if it says nothing that we know."""
    if "@" in heading:
        return _CONTACT
    # "FirstName" is two words, "LinkedIn" is one.
    written = heading[: 2 * HEADING]
    both = [words_of(written), words_of(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", written))]
    for words in both:
        if words in EXACT:
            return EXACT[words]
    if 0 < len(both[1].split()) <= 4:
        for kind, pattern in _KNOWN_PARTS:
            if any(map(pattern.search, both)):
                return kind
    return ""


def is_linkedin(name: str, table: Table) -> bool:
    """Whether these are LinkedIn's connections; columns may be missing, as in older exports."""
    headings = {words_of(heading) for heading in table.headings}
    told = "connected on" in headings or name.lower().startswith("connections")
    return (
        told
        and bool(headings & {"first name", "last name"})
        and bool(headings & {"company", "position", "url", "email address"})
    )


class Column(msgspec.Struct, frozen=True):
    """A column that may be chosen: its cells, two of them where first and last names are apart."""

    label: str
    kind: str
    cells: tuple[int, ...]

    def parts(self, row: Cells) -> list[str]:
        """What the row says in the column, cell by cell."""
        found = [cleaned(row[at]) for at in self.cells if at < len(row)]
        return [part for part in found if part]

    def text(self, row: Cells) -> str:
        """What the row says in the column, as one text."""
        return " ".join(self.parts(row))


def columns_of(table: Table) -> tuple[list[Column], bool]:
    """The columns that hold something, and whether some were left out as contact details."""
    columns: list[Column] = []
    contacts = False
    for at, (heading, kind) in enumerate(zip(table.headings, table.kinds, strict=True)):
        cells = (row[at] for row in table.rows if at < len(row) and row[at].strip())
        some = list(itertools.islice(cells, 100))
        if not some:
            continue
        if kind == _CONTACT or 2 * sum(not cleaned(cell) for cell in some) > len(some):
            contacts = True
            continue
        label = cleaned(heading)[:HEADING].strip() or f"Column {_letters(at)}"
        columns.append(Column(label, kind, (at,)))
    first = next((one for one in columns if one.kind == "first"), None)
    last = next((one for one in columns if one.kind == "last"), None)
    if first and last:
        both = Column(f"{first.label} + {last.label}", "name", first.cells + last.cells)
        columns = [both if one is first else one for one in columns if one is not last]
    return _told_apart(columns), contacts


def _told_apart(columns: Iterable[Column]) -> list[Column]:
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


def guess_columns(columns: Sequence[Column], rows: Sequence[Cells]) -> dict[str, Column]:
    """Which column fills which field, by their headings."""
    chosen: dict[str, Column] = {}
    for field in FIELDS:
        kinds = _FROM.get(field, (field,))
        fitting = [one for one in columns if one.kind in kinds]
        if fitting:
            chosen[field] = min(fitting, key=lambda one: kinds.index(one.kind))
    role = chosen.get("role")
    if role:
        said = [text for row in rows[:200] if (text := role.text(row))]
        if 2 * sum(bool(choice_of("role", text)) for text in said) < len(said):
            # "Role" as in "Respite coordinator": what somebody does, not one of our choices.
            del chosen["role"]
            chosen.setdefault("expertise", role)
    if chosen.get("expertise") is chosen.get("person"):
        chosen.pop("expertise", None)
    return chosen
