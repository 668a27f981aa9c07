"""What a column holds, by its heading."""

from __future__ import annotations

import itertools
import re
import string
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from pcn_course.importing.cells import are_honorifics, cleaned, words_of
from pcn_course.importing.choices import choice_of
from pcn_course.importing.table import FIELDS, HEADING, Cells, Table

# What a heading says, by kinds, without accents. The labels of our own form are among them, and the
# headings of contact lists that Outlook, Google and LinkedIn write in five languages.
_HEADINGS = {
    "name": "full name/person name/contact name/member name/stakeholder name/display name/"
    "first and last name/your contact/nombre completo/nombre y apellidos/nombres y apellidos/"
    "nom complet/nom et prenom/prenom et nom/nom prenom/vor und nachname/vollstandiger name/"
    "name vorname/nome completo/nome e cognome",
    "bare name": "name/names/nombre/nombres/nom/noms/nome/nomes",
    "first": "first name/first/given name/given names/forename/vorname/rufname/prenom/prenoms/"
    "nombre de pila/primer nombre/primeiro nome/nome proprio",
    "last": "last name/last/surname/family name/nachname/familienname/zuname/apellido/apellidos/"
    "primer apellido/apellido paterno/nom de famille/sobrenome/apelido/apelidos/ultimo nome/"
    "cognome",
    "second last": "segundo apellido/apellido materno/second last name/second surname",
    "person": "person/people/persons/who/member/members/contact/contacts/contact person/"
    "key contact/stakeholder/stakeholders/stakeholder group/initials/initials or role/individual/"
    "participant/partner/partners/connection/collaborator/colleague/expert/network member/"
    "persona/personas/contacto/contactos/miembro/miembros/participante/participantes/iniciales/"
    "parte interesada/personne/personnes/membre/membres/initiales/partie prenante/acteur/"
    "mitglied/mitglieder/kontakt/kontakte/ansprechpartner/teilnehmer/initialen/pessoa/pessoas/"
    "membro/membros/contato/contatos/iniciais",
    "role": "role/roles/role type/part/type/stakeholder type/stakeholder role/project role/"
    "role in project/role in the project/relationship/category/rolle/rol/papel/ruolo/"
    "what part do they play",
    "position": "position/job/job title/current position/occupation/profession/function/"
    "job role/headline/beruf/funktion/stelle/stellenbezeichnung/berufsbezeichnung/tatigkeit/"
    "cargo/puesto/puesto de trabajo/titulo del puesto/profesion/ocupacion/funcion/poste/"
    "fonction/metier/emploi/intitule du poste/titre du poste/profissao/ocupacao/funcao/"
    "professione/mansione",
    "title": "title/titel/titulo/titre/titolo",
    "organization": "organization/organisation/company/employer/agency/institution/affiliation/"
    "workplace/organization name/organisation name/company name/agency name/organizacion/"
    "empresa/compania/institucion/agencia/entidad/lugar de trabajo/entreprise/societe/employeur/"
    "etablissement/agence/lieu de travail/firma/unternehmen/arbeitgeber/einrichtung/organizacao/"
    "instituicao/empregador/azienda/organizzazione",
    "sector": "sector/field/industry/organization type/organisation type/type of organization/"
    "setting/where do they work or belong/sektor/bereich/branche/secteur/setor/settore",
    "expertise": "expertise/skill/skills/knowledge/specialty/speciality/specialization/"
    "area of expertise/areas of expertise/competence/competences/strengths/knows/knows about/"
    "what do they know or know how to do/conocimiento/conocimientos/habilidades/especialidad/"
    "especialidades/competencias/area de especializacion/connaissances/specialite/specialites/"
    "savoir faire/domaine dexpertise/fachwissen/fachgebiet/kenntnisse/kompetenzen/"
    "schwerpunkt/conhecimento/conhecimentos/especializacao/competenze",
    "group": "group/discipline/kind of knowledge/what kind of knowledge is it/grupo/groupe/gruppe/"
    "disciplina",
    "lived-experience": "lived experience/do they bring lived experience/experiencia vivida/"
    "experience vecue/eigene erfahrung",
    "place": "place/location/reach/scope/distance/level/geography/geographic level/region/where/"
    "how far away are they/lugar/ubicacion/distancia/alcance/lieu/portee/ort/entfernung/"
    "reichweite/localizacao/luogo",
    "give": "give/i give/what i give/what i offer/i offer/offer/my contribution/giving/"
    "what do you give/doy/lo que doy/lo que ofrezco/je donne/ce que je donne/ich gebe/"
    "was ich gebe/dou/o que dou",
    "get": "get/i get/what i get/gain/what i gain/what i need/need from them/getting/ask/"
    "what do you get/recibo/lo que recibo/je recois/ce que je recois/ich bekomme/"
    "was ich bekomme/recebo/o que recebo",
    "how-met": "how met/how we met/how i met them/how do you know them/how i know them/"
    "met through/introduced by/how did you meet or how could you/where we met/"
    "como nos conocimos/comment nous nous sommes rencontres/wie kennengelernt/"
    "como nos conhecemos",
    "status": "status/invitation/invitation status/invited/have you invited them/invitacion/"
    "statut/einladung/convite",
    "consent": "consent/permission/may you list them here/consentimiento/permiso/consentement/"
    "einwilligung/consentimento/permissao",
}
_EXACT = {word: kind for kind, words in _HEADINGS.items() for word in words.split("/")}
# "Role on the project", in few words or many; what stands there is not a job.
_ROLE_ON = re.compile(
    r"^(?:\w+ ){0,3}(?:roles?|rol|papel|rolle|ruolo|funcao|funcion)"
    r" (?:on|in|for|within|en|dans|im|no|na|nel|del) (?:\w+ ){0,3}"
    r"(?:project|projects|team|network|proyecto|equipo|projet|equipe|reseau|projekt|team|netzwerk|"
    r"projeto|rede|red|progetto)\b"
)
# One of these in a short heading; the first that fits. Contact details come before all others, and
# a kind of "-" says that it is another thing's name.
_CONTACT = "contact details"
_PARTS = r"""
contact details: e mails?|mails?|\w*email\w*|\w*phone\w*|tel|mobile|cell|fax|whatsapp|skype|handle
contact details: urls?|\w*website\w*|web|homepage|links?|\w*linkedin\w*|\w*twitter\w*
contact details: \w*facebook\w*|\w*instagram\w*|\w*address\w*|adresse|street|zip|post ?codes?
contact details: postal|birth\w*|dob|ssn|courriel|correo|telefono|telefon|handy|mobil|movil|celular
contact details: direccion|endereco|indirizzo|strasse|plz|geburtsdatum|nacimiento|nascimento
contact details: naissance|portable|telefone|cellulare|sitio|site|webseite|codigo postal|calle
position: (?:job|work|organi[sz]ation|company|position|professional|business)(?: \d+)? titles?
-: projects?|events?|files?|users?|accounts?|programs?|meetings?|dates?|middle|departments?
-: phonetic|yomi|prefix|suffix|additional|maiden|spouses?|assistants?|managers?|children|file as
-: segundo nombre|segundo nome|deuxieme prenom|weitere vornamen|secondo nome
how-met: met|meet
sector: sectors?|industry
organization: organi[sz]ations?|compan(?:y|ies)|employer|agency|institution
expertise: expertise|skills?|knowledge|special(?:i?ty|i[sz]ation)
first: first|given
last: last|family|surname
role: roles?|types?
position: position|occupation|profession
title: title
place: location|place
name: names?
person: initials|stakeholders?|persons?|members?|contact
give: gives?|offers?
get: gets?|gains?
"""
_KNOWN_PARTS = [
    (kind.strip("-"), re.compile(rf"\b(?:{words})\b"))
    for kind, words in (line.split(": ", 1) for line in _PARTS.strip().splitlines())
]
# Kinds that say who somebody is, the best first.
WHO = (
    *("name", "bare name", "first", "last", "person"),
    *("position", "title", "role", "organization", "expertise"),
)
NAMES = WHO[:4]
JOBS = ("position", "title")
_FROM: dict[str, tuple[str, ...]] = {
    "person": WHO,
    "sector": ("sector", "organization"),
    "expertise": ("expertise", *JOBS),
}


def _plain(heading: str) -> str:
    """Return a heading's words without accents: many are typed without them."""
    letters = unicodedata.normalize("NFD", words_of(heading))
    return "".join(sign for sign in letters if not unicodedata.combining(sign))


def exact_kind(heading: str) -> str:
    """Return the kind of a heading that we know in full; "" for all others."""
    return _EXACT.get(_plain(heading), "")


def kind_of(heading: str) -> str:
    """The kind of a heading; "" if it says nothing that we know."""
    if "@" in heading:
        return _CONTACT
    # "FirstName" is two words, "LinkedIn" is one.
    written = heading[: 2 * HEADING]
    both = [_plain(written), _plain(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", written))]
    for words in both:
        if words in _EXACT:
            return _EXACT[words]
        if _ROLE_ON.search(words):
            return "role"
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
        # "Dr.", as in Outlook, is no job.
        is_job = kind != "title" or 2 * sum(map(are_honorifics, some)) <= len(some)
        label = cleaned(heading)[:HEADING].strip() or f"Column {_letters(at)}"
        columns.append(Column(label, kind if is_job else "", (at,)))
    return _told_apart(_with_whole_names(columns, table.rows)), contacts


def _with_whole_names(columns: list[Column], rows: Sequence[Cells]) -> list[Column]:
    """Join first and last names; "Nom" beside "Prénom" is a last name, "Nombre" a first one."""
    of_kind = {column.kind: column for column in reversed(columns)}
    first, last, bare = (of_kind.get(kind) for kind in ("first", "last", "bare name"))
    if bare and (first is None) != (last is None):
        other = first or last
        if other and not _holds(bare, other, rows):
            first, last = first or bare, last or bare
    if not (first and last):
        return columns
    parts = [first, last]
    if second := of_kind.get("second last"):
        parts.append(second)
    label = " + ".join(part.label for part in parts)
    both = Column(label, "name", tuple(at for part in parts for at in part.cells))
    return [both if one is first else one for one in columns if one not in parts[1:]]


def _holds(whole: Column, part: Column, rows: Sequence[Cells]) -> bool:
    """Return True if one column's cells mostly hold what is in the other one's."""
    pairs = [(words_of(whole.text(row)), words_of(part.text(row))) for row in rows[:200]]
    known = [(long, short) for long, short in pairs if long and short]
    return 2 * sum(short in long for long, short in known) > len(known)


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


def _are_roles(column: Column, rows: Sequence[Cells]) -> bool:
    texts = [text for row in rows[:200] if (text := column.text(row))]
    return 2 * sum(bool(choice_of("role", text)) for text in texts) >= len(texts)


def guess_columns(columns: Sequence[Column], rows: Sequence[Cells]) -> dict[str, Column]:
    """Which column fills which field, by their headings."""
    chosen: dict[str, Column] = {}
    for field in FIELDS:
        kinds = _FROM.get(field, (field,))
        fitting = [one for one in columns if one.kind in kinds]
        if fitting:
            chosen[field] = min(fitting, key=lambda one: kinds.index(one.kind))
    roles = [one for one in columns if one.kind == "role"]
    ours = [one for one in roles if _are_roles(one, rows)]
    if roles and roles[0] not in ours:
        # "Role" as in "Respite coordinator": what somebody does, not one of our choices.
        del chosen["role"]
        chosen.setdefault("expertise", roles[0])
    if ours:
        chosen["role"] = ours[0]
    if chosen.get("expertise") is chosen.get("person"):
        chosen.pop("expertise", None)
    return chosen
