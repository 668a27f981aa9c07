"""Ids that a spreadsheet spoiled, logins that are no file names, test users. All are made up."""

from __future__ import annotations

import datetime as dt
import random
from pathlib import Path

import pytest
from nbgrader.apps import ExportApp

from pcn_course.course import Course, default_root, load_course
from pcn_course.grading.cohort.research import ResearchError, _known_as, read_consent
from pcn_course.grading.gradebook.room import Room
from pcn_course.grading.late.rules import LateError, read_rules
from pcn_course.grading.lms import LmsError, exporters
from pcn_course.grading.lms.exporting import LmsExport
from pcn_course.grading.lms.grades import Column
from pcn_course.grading.lms.ids import id_key, is_shortened, is_test_user
from pcn_course.grading.lms.roster import (
    Entry,
    Roster,
    import_roster,
    people_in,
    read_class_list,
    read_roster,
    write_roster,
)
from pcn_course.spreadsheets import SheetError, read_sheet
from tests.support.room import make_room

STEP = "step-1-goals"


@pytest.fixture(scope="module")
def course() -> Course:
    return load_course(default_root())


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return make_room(tmp_path / "course", ("ada", "0042"))


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "list.csv"
    path.write_text(text, encoding="utf-8")
    return path


SPOILED = {
    "roster": "id,lms_id\nada,1.10E+14\n",
    "canvas": 'Student,ID,SIS Login ID,Section\n"Doe, Ada",1.1E+14,ada,S\n',
    "brightspace": "OrgDefinedId,Username\n#1.10E+14,#ada\n",
    "moodle": 'First name,Last name,ID number,Email address\nAda,Doe,"1,10E+14",a@x.org\n',
    "blackboard": "Last Name,First Name,Username\nDoe,Ada,1.10E+14\n",
}


@pytest.mark.parametrize("lms", SPOILED)
def test_a_number_that_was_rounded_is_refused_on_every_way_in(
    room: Room, tmp_path: Path, lms: str
) -> None:
    with pytest.raises(LmsError, match=r"line 2: “1.*E\+14” is a number that a spreadsheet"):
        import_roster(room, written(tmp_path, SPOILED[lms]), lms)
    assert not (room.root / "roster.csv").exists()
    room.close()


def test_a_rounded_number_is_refused_in_late_csv_and_consent(
    tmp_path: Path, course: Course
) -> None:
    late = written(tmp_path, f"what,student,step,value\nextension,1.10E+14,{STEP},2 days\n")
    with pytest.raises(LateError, match="a spreadsheet has rounded"):
        read_rules(late, course, None)
    with pytest.raises(ResearchError, match="a spreadsheet has rounded"):
        read_consent(written(tmp_path, "student,consent\n1.10E+14,yes\n"))


@pytest.mark.parametrize("one", ["0042", "42", "042", "42.0"])
def test_zeros_that_a_spreadsheet_dropped_are_one_person(
    room: Room, tmp_path: Path, one: str, course: Course
) -> None:
    done = import_roster(room, written(tmp_path, f"Username,Last Name\n{one},Doe\n"), "blackboard")
    assert (done.added, done.updated) == ((), ("0042",))
    room.close()
    roster = read_roster(room.root / "roster.csv")
    assert roster.by_claim(one) == "0042"
    late = written(tmp_path, f"what,student,step,value\nextension,{one},{STEP},2 days\n")
    rules = read_rules(late, course, None)
    due = dt.datetime(2027, 1, 22, tzinfo=dt.UTC)
    assert rules.more_time("0042", STEP, due) == dt.timedelta(days=2)


def test_a_no_in_any_spelling_counts(tmp_path: Path) -> None:
    path = written(tmp_path, "student,consent\nada,yes\nADA,no\n0042,yes\n42,no\nben,yes\n")
    assert read_consent(path) == {"ben"}


def test_an_id_keeps_its_zeros(room: Room, tmp_path: Path) -> None:
    own = "id,first,last,lms_id\nada,Ada,Doe,000123\n"
    import_roster(room, written(tmp_path, own), "roster")
    import_roster(room, written(tmp_path, own.replace("000123", "123")), "roster")
    assert read_roster(room.root / "roster.csv").entries[1].lms_id == "000123"
    room.close()


@pytest.mark.parametrize(
    "text", ["id\nada\nADA\n", "id\n007\n7\n", "id,lms_id\na,012\nb,12\n",
             "id,username\na,X1\nb,x1\n"],
)  # fmt: skip
def test_two_spellings_in_one_list_are_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(LmsError, match="lines 2 and 3"):
        read_roster(written(tmp_path, text))


def test_ids_of_a_list_of_ones_own_are_not_said_to_replace_logins(
    room: Room, tmp_path: Path
) -> None:
    path = written(tmp_path, "id,first,last,username\n0077,Mo,Moe,moe\n0078,Zoë,Ray,zoë.ray\n")
    done = import_roster(room, path, "roster")
    room.close()
    assert (done.added, done.notes) == (("0077", "0078"), ())


def test_logins_that_are_no_file_names_refuse_nobody(room: Room, tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "OrgDefinedId,Username,Last Name,First Name,Email\n#1,#ann+sw@x.org,Doe,Ann,a@x.org\n"
        "#2,#DOM\\ben,Roe,Ben,b@x.org\n#3,#zoë.ray,Ray,Zoë,\n#4,#mei,Li,Mei,m@x.org\n",
    )
    done = import_roster(room, path, "brightspace")
    assert done.added == ("a@x.org", "b@x.org", "3", "mei")
    (note,) = done.notes
    for login in ("ann+sw@x.org is a@x.org", "DOM\\ben is b@x.org", "zoë.ray is 3"):
        assert login in note
    roster = read_roster(room.root / "roster.csv")
    assert {one.username for one in roster.entries} >= {"ann+sw@x.org", "DOM\\ben", "zoë.ray"}
    assert import_roster(room, path, "brightspace").added == ()
    room.close()


def test_all_who_have_no_id_are_named_in_one_run(room: Room, tmp_path: Path) -> None:
    text = "Last Name,First Name,Username\nDoe,Ann,ann o\nRoe,Ben,b'n\nRay,Zoë,zoe\n"
    with pytest.raises(LmsError) as caught:
        import_roster(room, written(tmp_path, text), "blackboard")
    assert "line 2: Ann Doe" in caught.value.plain
    assert "line 3: Ben Roe" in caught.value.plain
    assert "Zoë" not in caught.value.plain
    assert not (room.root / "roster.csv").exists()
    room.close()


@pytest.mark.parametrize("lms", ["canvas", "moodle", "brightspace", "blackboard"])
@pytest.mark.parametrize(
    "name", ["Student, Test", "de prueba, Estudiante", "Test, Étudiant", "Teststudent, ",
             "de teste, Aluno", "Doe_PreviewUser, Jane"],
)  # fmt: skip
def test_test_users_are_nobody_in_any_language(tmp_path: Path, lms: str, name: str) -> None:
    last, _, first = name.partition(", ")
    head = {
        "canvas": "LastName,FirstName,ID,SIS Login ID,Section",
        "moodle": "Last name,First name,ID number,Username,Group",
        "brightspace": "Last Name,First Name,OrgDefinedId,Username,Section",
        "blackboard": "Last Name,First Name,Student ID,Username,Section",
    }[lms]
    path = written(tmp_path, f"{head}\n{last},{first},9,9f,S\nDoe,Ada,1,ada,S\n")
    assert [one.first for one in read_class_list(path, lms)] == ["Ada"]


def test_people_whose_names_are_like_it_stay() -> None:
    for name in ("Test, Ann", "Student, Ann", "Testa, Prova", "Elev, Jon", "Probe, Ada"):
        assert not is_test_user(name)


def test_split_names_are_read_and_doubled_columns_that_nobody_reads(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "LastName,FirstName,ID,SIS User ID,SIS Login ID,Section,Final,Final,,Current Score\n"
        "    Points Possible,,,,,,20,20,,(read only)\nDoe,Ada,1001,S1,ada,SW 1,,,,\n"
        "Student,Test,9999,,0f0f0f0f,SW 1,,,,\n",
    )
    (one,) = read_class_list(path, "canvas")
    assert (one.first, one.last, one.lms_id, one.username) == ("Ada", "Doe", "1001", "ada")


@pytest.mark.parametrize("seed", range(40))
def test_what_the_roster_writes_it_reads(tmp_path: Path, seed: int) -> None:
    """Whatever people are called, and however often something is written and read."""
    chance = random.Random(seed)
    odd = "aZ9=+-@'\"#,;\t éŁ陳\u200b\u00a0=1.10"

    def text(most: int) -> str:
        return "".join(chance.choice(odd) for _ in range(chance.randint(0, most))).strip()

    entries = {}
    for number in range(12):
        one = Entry(
            id=chance.choice(["", "0", "a.", "A-"]) + f"{number}x{chance.choice('._@-')}y",
            first=text(9), last=text(9), email=text(12), section=text(5),
            lms_id=f"{chance.choice(['00', '=', '-', ''])}{number}7",
            username=f"{text(4)}u{number}", participants={STEP: f"{number}"},
        )  # fmt: skip
        entries[id_key(one.id)] = one
    unique = [one for one in entries.values() if not is_shortened(one.username)]
    path = tmp_path / "roster.csv"
    write_roster(path, Roster(unique))
    first = path.read_bytes()
    assert len(read_roster(path).entries) == len(unique)
    write_roster(path, read_roster(path))
    assert path.read_bytes() == first


def test_ids_of_the_gradebook_that_no_file_can_have_are_not_written(
    room: Room, tmp_path: Path
) -> None:
    with room.gradebook() as gradebook:
        gradebook.add_student("o'neill, j", first_name="J", last_name="O")
        gradebook.find_student("ada").lms_user_id = "1.10E+14"
        gradebook.db.commit()
    done = import_roster(room, written(tmp_path, "Username,Last Name\nben,Roe\n"), "blackboard")
    assert any("o'neill, j" in note for note in done.notes)
    assert {one.id for one in read_roster(room.root / "roster.csv").entries} == {
        "ada", "0042", "ben",
    }  # fmt: skip
    room.close()


def test_a_column_that_is_read_may_not_be_doubled(tmp_path: Path) -> None:
    path = written(tmp_path, 'Student,ID,ID,SIS Login ID,Section\n"Doe, Ada",1,2,ada,S\n')
    with pytest.raises(SheetError, match="“ID” is there twice"):
        people_in(read_sheet(path), "canvas")


def test_consent_in_another_spelling_is_one_persons_or_refused() -> None:
    assert _known_as({"ada", "0042", "ben"}, {"ADA", "42", "x"}) == {"ada", "0042"}
    with pytest.raises(ResearchError, match="several students in the course have an id like it"):
        _known_as({"7", "007"}, {"07"})
    assert _known_as({"7", "007"}, {"007"}) == {"007"}


@pytest.mark.parametrize("kind", [exporters.Canvas, exporters.Brightspace, exporters.Moodle,
                                  exporters.Blackboard])  # fmt: skip
@pytest.mark.parametrize("seed", range(5))
def test_what_an_exporter_writes_our_reader_finds_again(
    tmp_path: Path, kind: type[LmsExport], seed: int
) -> None:
    """Every person in the file is one in the roster, whatever they are called."""
    chance = random.Random(seed)

    def text(most: int) -> str:
        return "".join(chance.choice("aZ9=+-@'\",;\té陳 ") for _ in range(most)).strip()

    people = [
        Entry(id=f"s{number}", first=text(5), last=text(6), section=text(3),
              lms_id=f"{number + 1000}" if kind is not exporters.Brightspace else f"00{number}7",
              username=chance.choice([f"u{number}", f"d.o'neill{number}", f"DOM\\u{number}",
                                      f"u+{number}@x.org", f"ü {number}"]))
        for number in range(20)
    ]  # fmt: skip
    column = Column(step=STEP, titles=("Goals",), out_of=20, points={one.id: 7 for one in people})
    content = kind(parent=ExportApp()).table(people, [column], None, must_be_there=True)
    path = tmp_path / "grades.csv"
    path.write_bytes(content)
    roster = Roster(people)
    matches = [roster.match(one) for one in read_class_list(path, kind.lms)]
    assert [one.id if one else None for one in matches] == [one.id for one in people]
