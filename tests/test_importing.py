"""Lists of people are taken over right or refused in words; nobody's address comes out of them.

All people and addresses here are made up.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pcn_course.course import default_root, load_course
from pcn_course.importing import (
    FIELDS,
    MOST_BYTES,
    MOST_PEOPLE,
    ListError,
    MemberList,
    read_list,
)

LISTS = Path(__file__).parent / "lists"
GOOD = sorted(path.name for path in (LISTS / "good").iterdir())
BAD = sorted(path.name for path in (LISTS / "bad").iterdir())
LINKEDIN = "First Name,Last Name,URL,Email Address,Company,Position,Connected On"
PEOPLE = next(
    prompt
    for prompt in load_course(default_root()).step("connections").prompts
    if prompt.key == "people"
)


def in_folder(folder: Path) -> tuple[str, bytes]:
    """The name and content of the one file beside what is expected of it."""
    [path] = [path for path in folder.iterdir() if not path.name.startswith("expected.")]
    return path.name, path.read_bytes()


def a_list(*lines: str, mapping: Mapping[str, str] | None = None, **other: Any) -> MemberList:
    return read_list("list.csv", "\n".join(lines).encode(), mapping, **other)


def people(*lines: str) -> list[str]:
    return [row.get("person", "") for row in a_list(*lines).rows]


def cell(text: str) -> str:
    """What comes out of a cell with that text."""
    stream = io.StringIO()
    csv.writer(stream).writerows([["Person", "Give"], ["Nurse", text], ["Peer", "x"], ["KG", "x"]])
    return a_list(stream.getvalue()).rows[0].get("give", "")


def seen(found: MemberList | ListError) -> str:
    """All that a page gets to see."""
    return str(found) if isinstance(found, ListError) else msgspec.json.encode(found).decode()


# Files


@pytest.mark.parametrize("name", GOOD)
def test_a_list_of_people_is_taken_over(name: str) -> None:
    folder = LISTS / "good" / name
    expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    found = read_list(*in_folder(folder))
    assert json.loads(seen(found)) == expected
    assert not re.search(r"@|example\.org|made-up|010 0100", seen(found))


@pytest.mark.parametrize("name", GOOD)
def test_what_was_guessed_can_be_said_again(name: str) -> None:
    file, content = in_folder(LISTS / "good" / name)
    found = read_list(file, content)
    assert read_list(file, content, found.mapping) == found


@pytest.mark.parametrize("name", BAD)
def test_another_file_is_refused_with_what_to_do(name: str) -> None:
    folder = LISTS / "bad" / name
    with pytest.raises(ListError) as refused:
        read_list(*in_folder(folder))
    assert f"{refused.value}\n" == (folder / "expected.txt").read_text(encoding="utf-8")
    assert str(refused.value).endswith("Nothing was changed.")


def test_a_file_over_four_megabytes_is_refused() -> None:
    content = b"Name,Role\nKaren Gold,mentor\n".ljust(MOST_BYTES, b"\n")
    assert read_list("list.csv", content).total == 1
    with pytest.raises(ListError, match="larger than 4 MB"):
        read_list("list.csv", content + b"\n")


def test_a_large_zip_is_called_a_zip() -> None:
    with pytest.raises(ListError, match="ZIP archive"):
        read_list("all.zip", b"PK\x03\x04" + b"\x01" * MOST_BYTES)


def test_a_cell_without_an_end_is_named_by_its_line() -> None:
    with pytest.raises(ListError, match="Line 3 of this file has a cell that is far too long"):
        a_list("Name,Role", "KG,mentor", "RC," + "much " * 30_000)


def test_five_thousand_connections_are_all_read() -> None:
    lines = [
        f'Kim{n},Gold{n},https://www.linkedin.com/in/k{n},k{n}@example.org,"County {n}, Aging",'
        f'"Coordinator {n}, respite",{n % 28 + 1} Jan 2024'
        for n in range(5000)
    ]
    found = a_list(LINKEDIN, *lines)
    assert (found.kind, found.total, len(found.rows)) == ("linkedin", 5000, 5000)
    assert found.rows[4999] == {
        "person": "KG, Coordinator 4999, respite",
        "sector": "public-agency",
        "expertise": "Coordinator 4999, respite",
    }


def test_of_an_endless_list_the_first_are_read_and_the_rest_counted() -> None:
    found = a_list("Name,Role", *(f"K{n} G,peer" for n in range(MOST_PEOPLE + 5)))
    assert (len(found.rows), found.total) == (MOST_PEOPLE, MOST_PEOPLE + 5)
    assert "This list is very long: the last 5 lines were not read." in found.notes


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be", "utf-32"],
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encodings_delimiters_and_line_ends_make_no_difference(
    encoding: str, delimiter: str, end: str
) -> None:
    rows = [["Name", "Expertise", "Sector"], ["Zoë Gold", f"Café, {delimiter} naïve", "health"]]
    stream = io.StringIO()
    csv.writer(stream, delimiter=delimiter, lineterminator=end).writerows(rows)
    [row] = read_list("list.csv", stream.getvalue().encode(encoding)).rows
    assert row == {
        "person": "ZG",
        "expertise": " ".join(f"Café, {delimiter} naïve".split()),
        "sector": "health",
    }


# Columns


def test_a_chosen_mapping_is_used_and_a_column_may_fill_two_fields() -> None:
    lines = ["Name,Was,Wo", "Karen Gold,Respite,local", "Kofi Grant,Grants,state"]
    assert a_list(*lines).mapping == {"person": "Name"}
    found = a_list(*lines, mapping={"expertise": "Was", "give": "Was", "place": "Wo"})
    assert found.columns == ("Name", "Was", "Wo")
    assert found.mapping == {"expertise": "Was", "place": "Wo", "give": "Was"}
    assert found.rows[0] == {
        "person": "Respite",
        "expertise": "Respite",
        "place": "local",
        "give": "Respite",
    }


def test_an_empty_mapping_keeps_the_columns_to_choose_from() -> None:
    found = a_list("Name,Role", "KG,mentor", mapping={})
    assert (found.columns, found.rows, found.total) == (("Name", "Role"), (), 0)
    assert found.notes == ("No column is chosen yet. Say which column is which to see the people.",)


@pytest.mark.parametrize(
    "mapping",
    [
        {"person": "Nobody"},
        {"person": "Email"},
        {"closeness": "Name"},
        {"id": "Name"},
        {"person": ""},
    ],
)
def test_a_mapping_that_does_not_fit_is_refused(mapping: dict[str, str]) -> None:
    with pytest.raises(ListError, match="The choice of columns does not fit this list"):
        a_list("Name,Role,Email", "KG,mentor,kg@example.org", mapping=mapping)


def test_all_lines_and_choices_of_the_table_can_be_filled() -> None:
    able = [one.key for one in PEOPLE.columns if one.kind in ("line", "choice")]
    refers = [one.key for one in PEOPLE.columns if one.options_from]
    assert sorted(FIELDS) == sorted(set(able) - set(refers))


@pytest.mark.parametrize("named", ["key", "label"])
def test_our_own_headings_are_known(named: str) -> None:
    columns = [one for one in PEOPLE.columns if one.key in FIELDS]
    stream = io.StringIO()
    headings = [getattr(one, named) for one in columns]
    first = [one.options[0].value if one.options else "Nurse" for one in columns]
    csv.writer(stream).writerows([headings, first])
    assert a_list(stream.getvalue()).mapping == {one.key: getattr(one, named) for one in columns}


@pytest.mark.parametrize(
    "heading",
    [
        "Email",
        "E-mail",
        "E_Mail",
        "EmailAddress",
        "e-mail address (work)",
        "EMAIL 1 - Value",
        "Mail",
        "Phone",
        "Mobile no.",
        "Telephone number",
        "Cell",
        "Fax",
        "WhatsApp",
        "URL",
        "Website",
        "LinkedIn",
        "Profile link",
        "Street",
        "Date of birth",
    ],
)
def test_columns_of_contact_details_are_not_even_offered(heading: str) -> None:
    found = a_list(f"Name,{heading},Role", "KG,what stands here,mentor")
    assert found.columns == ("Name", "Role")
    assert "what stands here" not in seen(found)
    assert "E-mail addresses, phone numbers and links are left out." in found.notes


@pytest.mark.parametrize(
    "value", ["kg@example.org", "+1 (555) 010-0100", "https://example.org/kg", "www.example.org/kg"]
)
def test_columns_of_contact_details_are_told_by_what_they_hold(value: str) -> None:
    assert a_list("Name,Wie,Role", f"KG,{value},mentor").columns == ("Name", "Role")


def test_columns_of_the_same_name_and_without_one_are_told_apart() -> None:
    lines = ["Name,Was,Was,,Was (2)", "KG,a,b,c,d"]
    found = a_list(*lines, mapping={"give": "Was (2)", "get": "Was (2) (2)", "person": "Column D"})
    assert found.columns == ("Name", "Was", "Was (2)", "Column D", "Was (2) (2)")
    assert found.rows == ({"person": "c", "give": "b", "get": "d"},)


def test_titles_and_notes_may_stand_above_the_headings() -> None:
    found = a_list("Stakeholder list", "", "Made, for, the project", "Name,Role", "KG,mentor")
    assert found.rows == ({"person": "KG", "role": "mentor"},)


def test_people_are_not_taken_for_headings() -> None:
    found = a_list("Name,Was,Wo", "KG,Stakeholder,Role model", "RC,Location scout,Partner")
    assert found.columns == ("Name", "Was", "Wo")


def test_a_file_called_connections_is_not_linkedins_for_its_name_alone() -> None:
    assert read_list("Connections.csv", b"Name,Role\nKG,peer\n").kind == "list"


# People


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Karen Gold", "KG"),
        ("KAREN GOLD", "KG"),
        ("karen gold", "KG"),
        ("Gold, Karen", "KG"),
        ("Karen Gold, LCSW", "KG"),
        ("Karen Gold PhD, MSW", "KG"),
        ("Jack Ma", "JM"),
        ("Kayla Smith 3rd", "KS"),
        ("Kayla Smith, 2nd", "KS"),
        ("3rd grade teacher", "3rd grade teacher"),
        ("Dr. Karen Gold", "KG"),
        ("Ms. Gold", "G"),
        ("Ana María de la Cruz", "AMC"),
        ("María de los Ángeles Fernández de Castro López", "MÁFC"),
        ("Ana María Josefa de las Mercedes Ruiz Soto", "AMJM"),
        ("Jean-Luc O'Neill", "JLO"),
        ("Karen (Kay) Gold", "KG"),
        ("Tom Church", "TC"),
        ("Karen Gold & Tom Reed", "KG and TR"),
        ("Karen Gold, respite coordinator", "KG, respite coordinator"),
        ("Karen Gold (carer)", "KG, carer"),
        ("Maria", "M"),
        ("Élodie SSen", "ÉS"),
        ("王伟", "王"),
        ("محمد علي", "مع"),
        ("Karen Gold karen.gold@example.org", "KG"),
        ("KG", "KG"),
        ("K.G.", "K.G."),
        ("Respite coordinator, county office", "Respite coordinator, county office"),
        ("School Social Worker", "School Social Worker"),
        ("Department of Aging", "Department of Aging"),
        ("Carers' group leader (north)", "Carers' group leader (north)"),
        ("Librarian", "Librarian"),
    ],
)
def test_names_become_initials_and_roles_stay(text: str, kept: str) -> None:
    assert people("Name\tRole", f"{text}\tpeer") == [kept]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Karen Gold", "KG"),
        ("Karen Gold, carer", "KG, carer"),
        ("bus driver", "bus driver"),
        ("UNICEF", "UNICEF"),
        ("Black Hills Respite Network", "Black Hills Respite Network"),
        ("someone at the county", "someone at the county"),
    ],
)
def test_below_person_only_what_looks_like_a_name_becomes_initials(text: str, kept: str) -> None:
    assert people("Person\tRole", f"{text}\tpeer") == [kept]


def test_an_organization_chosen_as_a_person_keeps_its_name() -> None:
    assert people("Organization,Place", "Sunrise Haven,local") == ["Sunrise Haven"]


def test_who_has_no_name_is_called_by_the_position() -> None:
    lines = [LINKEDIN, ",,,,,Respite coordinator,1 Jan 2024", "Karen,Gold,,,,,", ",,,,Mercy,,"]
    found = a_list(*lines)
    assert [row["person"] for row in found.rows] == ["Respite coordinator", "KG"]
    assert "1 line names nobody, neither by name nor by role: left out." in found.notes


def test_a_company_helps_to_find_the_sector_and_is_forgotten() -> None:
    found = read_list(
        "Connections.csv",
        f"{LINKEDIN}\nKaren,Gold,,,Mercy Hospital,Coordinator,1 Jan 2024\n"
        "Kofi,Grant,,,Sunrise Haven,School nurse,1 Jan 2024\n".encode(),
    )
    assert [row["sector"] for row in found.rows] == ["health", "schools"]
    assert "Mercy" not in seen(found)


@given(
    st.lists(
        st.tuples(*[st.from_regex(r"[A-Z][a-z]{2,9}q", fullmatch=True)] * 2), min_size=1, max_size=8
    ),
    st.sampled_from(["{0} {1}", "{1}, {0}", "Dr. {0} {1}", "{0} {1}, LCSW", "{0}\t{1}"]),
)
def test_no_full_name_comes_out_of_a_column_of_names(
    names: list[tuple[str, str]], pattern: str
) -> None:
    heading = "First name\tLast name" if "\t" in pattern else "Name"
    lines = [f"{pattern.format(*name)}\tpeer" for name in names]
    found = a_list(f"{heading}\tRole", *lines)
    shown = seen(msgspec.structs.replace(found, names=()))
    assert not [part for name in names for part in name if part in shown]


# Choices


@pytest.mark.parametrize(
    ("key", "said", "value"),
    [
        (column.key, said, option.value)
        for column in PEOPLE.columns
        if column.key in FIELDS
        for option in column.options
        for said in (option.value, option.label, option.label.upper())
    ],
)
def test_each_option_is_known_by_its_value_and_its_label(key: str, said: str, value: str) -> None:
    [row] = a_list("Name\tWas", f"KG\t{said}", mapping={"person": "Name", key: "Was"}).rows
    assert row[key] == value


@pytest.mark.parametrize(
    ("key", "said", "value"),
    [
        ("role", "Implementation Team", "implementation-team"),
        ("role", "Carer", "lived-experience"),
        ("role", "Subject matter expert", "advisor-or-expert"),
        ("sector", "University Hospital", "health"),
        ("sector", "Iowa Department of Health", "public-agency"),
        ("sector", "Lincoln High School", "schools"),
        ("sector", "School of Social Work", "university"),
        ("sector", "Police Department", "justice"),
        ("sector", "The Example Foundation", "policy"),
        ("sector", "United Way of Example", "nonprofit"),
        ("place", "International", "international"),
        ("place", "statewide", "state"),
        ("place", "County", "local"),
    ],
)
def test_a_choice_is_found_by_its_words(key: str, said: str, value: str) -> None:
    [row] = a_list("Name\tWas", f"KG\t{said}", mapping={"person": "Name", key: "Was"}).rows
    assert row[key] == value


def test_what_fits_no_choice_stays_empty_and_is_counted() -> None:
    found = a_list("Name,Sector", "KG,health", "RC,Sunrise Haven", "SW,Blue", "TT,")
    assert [row.get("sector") for row in found.rows] == ["health", None, None, None]
    assert found.notes == (
        "2 entries under “Sector” did not say which sector to choose, so that stays empty there.",
    )


def test_a_role_that_is_a_job_is_taken_as_expertise() -> None:
    found = a_list("Name,Role", "Karen Gold,Respite coordinator", "Kofi Grant,Payment clerk")
    assert found.mapping == {"person": "Name", "expertise": "Role"}
    assert found.rows[1] == {"person": "KG", "expertise": "Payment clerk"}


# Contact details


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Nurse kg@example.org", "Nurse"),
        ("Nurse (kg+list@example.org)", "Nurse"),
        ("mailto:kg@example.org?subject=Hello", ""),
        ("Karén <karén@exämple.org>", "Karén"),
        ("kg@xn--exmple-cua.org;rc@example.org", ""),
        ('"k g"@example.org', ""),
        ("kg@[192.0.2.1]", ""),
        ("kg@localhost", ""),
        ("kg (at) example.org", ""),
        ("kg[at]example[dot]org", ""),
        ("kg at example dot org", ""),
        ("KG AT EXAMPLE DOT ORG", ""),
        ("kg(a)example.org", ""),
        ("kg\uff20example.org", ""),
        ("kg&#64;example.org", ""),
        ("kg&amp;commat;example.org", ""),
        ("kg%40example.org", ""),
        ("kg\u200b@\u200bexample.org", ""),
        ("E-mail: kg@example.org, Nurse", "Nurse"),
        ("Call +1 (555) 010-0100 x12", "Call"),
        ("Tel. 555.010.0100", ""),
        ("https://www.example.org/in/kg and care", "and care"),
        ("linkedin.com/in/kg", ""),
        ("@handle", ""),
    ],
)
def test_contact_details_are_cut_out_of_cells(text: str, kept: str) -> None:
    assert cell(text) == kept


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("kg @ example.org", "kg"),
        ("k.gold at example.org", "k.gold"),
        ("Nurse @ Mercy", "Nurse at Mercy"),
    ],
)
def test_what_is_left_is_no_address_any_more(text: str, kept: str) -> None:
    assert cell(text) == kept


@pytest.mark.parametrize(
    "text",
    [
        "Nurse at the U.S. Army",
        "2019-2023",
        "2026-01-15",
        "1,000,000 people",
        "and/or",
        "M.S.W./LCSW",
        "R&D; 50% off",
        "-",
        "=cmd|'/C calc'!A0",
        "+1",
        "–",
    ],
)
def test_other_text_stays_as_it_is(text: str) -> None:
    assert cell(text) == text


def test_addresses_in_headings_are_dropped() -> None:
    found = a_list("Name,Ask kg@example.org,Was kg (at) example.org", "KG,a,b")
    assert "example" not in seen(found)
    assert found.columns == ("Name", "Was")


def test_a_long_cell_is_cut_and_says_so() -> None:
    kept = cell("care " * 500)
    assert len(kept) <= 300
    assert kept.endswith(" …")


# Doubles


def test_who_is_there_already_is_named_by_row() -> None:
    existing = [
        {"id": "r1", "person": "k.g."},
        {"id": "r2", "person": "Respite  Coordinator (county)"},
        {"id": "r3", "person": "RC, aging", "expertise": "Payment rules"},
        {"id": "r4", "person": "Kofi Grant", "expertise": "Grants"},
    ]
    found = a_list(
        "Person,Expertise",
        "KG,",
        '"Respite coordinator, County",',
        "RC,payment rules",
        "KG,something else",
        "Kofi Grant,Grants!",
        existing=existing,
    )
    assert found.doubles == {0: "r1", 1: "r2", 2: "r3", 3: "r1", 4: "r4"}


def test_the_same_initials_with_another_expertise_are_another_person() -> None:
    existing = [
        {"id": "r1", "person": "KG", "expertise": "Grants", "role": "mentor"},
        {"id": "r2", "person": "RC"},
        {"id": "r3", "person": "RC", "expertise": "Payment rules"},
    ]
    found = a_list(
        "Person,Expertise,Role",
        "KG,Respite,peer",  # somebody else
        "KG,Respite,mentor",  # the same part
        "KG,grants,",
        "KG,,peer",
        "RC,payment rules,",  # the one who fits best, not the first
        "RC,Respite,",  # may be the one of whom nothing is known
        existing=existing,
    )
    assert found.doubles == {1: "r1", 2: "r1", 4: "r3", 5: "r2"}


def test_only_whole_lines_that_agree_are_taken_once() -> None:
    found = a_list(
        "Name,Sector,Email,Since",
        "Karen Gold,health,kg@example.org,2020",
        "karen gold,Health, KG@example.org ,2020",
        "Karen Gold,health,gold@example.org,2021",  # the same name, another person
        "Kim Grant,health,kg@example.org,2020",  # the same initials, another name
    )
    kept = {"person": "KG", "sector": "health"}
    assert (found.total, found.rows, found.doubles) == (3, (kept, kept, kept), {})
    assert "1 line says the same as another one: taken once." in found.notes


def test_names_stand_beside_the_rows_where_those_have_initials() -> None:
    found = a_list("Name,Role,E-mail", "Danielle Brooks kg@example.org,peer,", "DB,peer,")
    assert found.names == ("Danielle Brooks", "")
    assert [row["person"] for row in found.rows] == ["DB", "DB"]
    assert a_list("Role,Sector", "Respite coordinator,county").names == ("",)


@pytest.mark.parametrize(
    ("headings", "expected"),
    [
        ("Nombre,Apellidos,Puesto", ["AG", "Nurse"]),
        ("Nombres,Primer apellido,Cargo", ["AG", "Nurse"]),
        ("Nombre,Apellido,Profesión", ["AG", "Nurse"]),
        ("Prénom,Nom,Fonction", ["AG", "Nurse"]),
        ("PRENOM,NOM DE FAMILLE,METIER", ["AG", "Nurse"]),
        ("Vorname,Name,Beruf", ["AG", "Nurse"]),
        ("Vorname,Nachname,Tätigkeit", ["AG", "Nurse"]),
        ("Nome,Sobrenome,Profissão", ["AG", "Nurse"]),
        ("Nome,Apelido,Cargo", ["AG", "Nurse"]),
        ("Nome,Cognome,Professione", ["AG", "Nurse"]),
        ("First Name,Last Name,Organization Title", ["AG", "Nurse"]),
        ("Given Name,Family Name,Organization 1 - Title", ["AG", "Nurse"]),
        ("First name,Last name,Job title", ["AG", "Nurse"]),
    ],
)
def test_headings_in_other_languages_and_exports(headings: str, expected: list[str]) -> None:
    [row] = a_list(headings, "Ana,Gold,Nurse").rows
    assert [row["person"], row["expertise"]] == expected


def test_a_whole_name_beside_a_last_name_is_not_lengthened() -> None:
    assert people("Name,Last name", "Karen Gold,Gold", "Kim Reed,Reed") == ["KG", "KR"]


@pytest.mark.parametrize("titles", [("Dr.", "Mrs."), ("Prof. Dr.", "Herr"), ("Sra.", "")])
def test_forms_of_address_are_no_position(titles: tuple[str, str]) -> None:
    one, other = titles
    found = a_list(
        "Title,First Name,Last Name,Job Title", f"{one},Kim,Gold,Nurse", f"{other},Rae,Cole,Judge"
    )
    assert [row["expertise"] for row in found.rows] == ["Nurse", "Judge"]
    found = a_list("Title,Name,Place", f"{one},Kim Gold,local", f"{other},Rae Cole,state")
    assert "expertise" not in found.mapping


def test_a_title_that_is_a_job_is_a_position() -> None:
    found = a_list("Name,Title", "Kim Gold,Nurse manager", "Rae Cole,Dr.", "Ty Fox,Judge")
    assert found.mapping == {"person": "Name", "expertise": "Title"}


@pytest.mark.parametrize(
    "heading",
    [
        *("Role on project", "Role on the project", "Project role", "Role within this project"),
        *("Their role in our project", "Role on the project team", "Rol en el proyecto"),
        *("Rôle dans le projet", "Rolle im Projekt", "Papel no projeto", "RoleOnProject"),
    ],
)
def test_the_role_on_a_project_is_the_role(heading: str) -> None:
    found = a_list(f"Name,Role,{heading}", "Kim Gold,Nurse,mentor", "Rae Cole,Clerk,Peer")
    assert [row["role"] for row in found.rows] == ["mentor", "peer"]
    assert [row["expertise"] for row in found.rows] == ["Nurse", "Clerk"]


@pytest.mark.parametrize(
    ("position", "employer", "kept"),
    [
        ("Nurse - Mercy Hospital (night shift)", "MERCY HOSPITAL", "Nurse (night shift)"),
        ("Chief nurse at Mercy Hospital", "Mercy Hospital", "Chief nurse"),
        ("Chief nurse, Mercy Hospital", "Mercy Hospital, Inc.", "Chief nurse"),
        ("Chief nurse @ Mercy", "Mercy Hospital", "Chief nurse"),
        ("Chief nurse (Mercy Hospital)", "The Mercy Hospital", "Chief nurse"),
        ("Mercy Hospital – Chief nurse", "Mercy Hospital", "Chief nurse"),
        ("MERCY HOSPITAL chief nurse", "Mercy Hospital", "chief nurse"),
        ("Chief nurse – Mercy", "Mercy Hospital", "Chief nurse"),
        ("Chief nurse, MRH", "Mercy Regional Hospital", "Chief nurse"),
        ("Director of Mercy Hospital", "Mercy Hospital", "Director"),
        ("Nurse at St. Luke's", "St. Luke’s", "Nurse"),
        ("Infirmière chez Clinique du Lac", "Clinique du Lac", "Infirmière"),
        ("Infirmière à l’Hôpital du Lac", "", "Infirmière"),
        ("Leiterin bei der Beispielhilfe", "Beispielhilfe e.V.", "Leiterin"),
        ("Enfermera en el Hospital del Valle", "", "Enfermera"),
        ("Nurse at Lakeside, board member at United Way", "", "Nurse, board member"),
        ("Dean, University of Example", "", "Dean"),
        ("Nurse, Lincoln High School", "", "Nurse"),
        ("Mercy Hospital", "Mercy Hospital", ""),
        ("Professor, Social Work", "University of Example", "Professor, Social Work"),
        ("Vice president, Hospital operations", "Mercy", "Vice president, Hospital operations"),
        ("Manager at large", "Acme", "Manager at large"),
        ("Consultant", "Consultant", "Consultant"),
        ("Judge", "County", "Judge"),
    ],
)
def test_the_employer_is_taken_out_of_a_position(position: str, employer: str, kept: str) -> None:
    stream = io.StringIO()
    csv.writer(stream).writerows(
        [LINKEDIN.split(","), ["Kim", "Gold", "", "", employer, position, "1 Jan 2024"]]
    )
    [row] = a_list(stream.getvalue()).rows
    assert row.get("expertise", "") == kept
    assert row["person"] == f"KG, {kept}".removesuffix(", ")


def test_without_names_only_whole_lines_are_the_same() -> None:
    lines = ["Name,Role", "Karen Gold,peer", "Kim Reed,peer", "Kim Reed,peer"]
    assert len(a_list(*lines, mapping={"role": "Role"}).rows) == 2


def test_existing_rows_of_any_shape_are_looked_at() -> None:
    existing: list[dict[str, Any]] = [
        {},
        {"id": 3, "person": "KG"},
        {"id": "r1", "person": ["KG"]},
        {"id": "r2", "person": None, "expertise": 4},
        {"id": "", "person": "KG"},
        {"id": "r3", "person": "KG", "expertise": ["x"]},
    ]
    assert a_list("Person", "KG", existing=existing).doubles == {0: "r3"}


# Anything at all

ADDRESS = re.compile(r"[^\s@]@[^\s@]|\(at\)|\[at\]|\uff20|%40|&#64;", re.IGNORECASE)
PIECES = [
    *("Name", "Role", "First Name", "Last Name", "Email Address", "Position", "Connected On"),
    *(",", ";", "\t", "\n", "\r\n", '"', "|", "\0", "=", "@", " (at) ", " dot ", "&#64;", "%40"),
    *(
        "kg@example.org",
        "\uff20",
        "Karen",
        "Gold",
        "KG",
        "mentor",
        "é",
        "王",
        "\ufeff",
        "sep=;\n",
        " ",
    ),
]


def outcome(name: str, content: bytes, mapping: Mapping[str, str] | None) -> str:
    try:
        found = read_list(name, content, mapping, [{"id": "r1", "person": "KG"}])
    except ListError as refused:
        return seen(refused)
    assert len(found.rows) <= found.total
    assert all(0 <= at < len(found.rows) for at in found.doubles)
    assert {value for row in found.rows for value in row.values() if not value} == set()
    assert set(found.mapping.values()) <= set(found.columns)
    assert all(len(column) <= 200 for column in found.columns)
    return seen(found)


@given(st.binary(max_size=400), st.sampled_from(["", "a.csv", "Connections.csv", "kg@a.org"]))
def test_any_bytes_give_a_list_or_words(content: bytes, name: str) -> None:
    assert not ADDRESS.search(outcome(name, content, None))


@settings(max_examples=300)
@given(
    st.lists(st.sampled_from(PIECES), max_size=40).map("".join),
    st.sampled_from(["utf-8", "utf-16", "cp1252"]),
    st.none() | st.dictionaries(st.sampled_from(FIELDS), st.sampled_from(PIECES), max_size=3),
)
def test_any_mixture_of_what_lists_hold_gives_a_list_or_words(
    text: str, encoding: str, mapping: dict[str, str] | None
) -> None:
    lead = "Name,Position,Was\n"
    for content in (text, lead + text):
        data = content.encode(encoding, errors="replace")
        assert not ADDRESS.search(outcome("Connections.csv", data, mapping))


@settings(max_examples=200)
@given(
    st.emails(),
    st.sampled_from(["{}", "Nurse {}", "<{}>", "mailto:{}", "({}),{}", "x{}", "{};\n{}", "“{}”"]),
    st.integers(0, 4),
    st.booleans(),
)
def test_no_address_comes_out_of_any_column(
    address: str, pattern: str, at: int, heading: bool
) -> None:
    text = pattern.replace("{}", address)
    rows = [["Name", "Position", "Give", "Wie", "Sector"], *(list("abcde") for _ in range(3))]
    rows[2][at] = text
    if heading:
        rows[0][3] = text
    stream = io.StringIO()
    csv.writer(stream).writerows(rows)
    every = {"person": "Name", "expertise": "Position", "give": "Give", "sector": "Sector"}
    for mapping in (None, every):
        shown = outcome("list.csv", stream.getvalue().encode(), mapping)
        assert "@" not in shown
        assert address not in shown
