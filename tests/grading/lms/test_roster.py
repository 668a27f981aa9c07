"""The roster, and the class lists that each LMS exports."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pcn_course.files import UserError
from pcn_course.grading.gradebook.room import Room
from pcn_course.grading.lms import LmsError
from pcn_course.grading.lms.roster import (
    Entry,
    Roster,
    import_roster,
    read_class_list,
    read_roster,
    write_roster,
)
from pcn_course.spreadsheets import guarded_line, unguarded
from tests.grading.lms import samples
from tests.grading.lms.samples import CLASS, STEP, Person
from tests.support.room import make_room

EXPORTS: dict[str, Callable[[], bytes]] = {
    "canvas": samples.canvas_gradebook,
    "brightspace": samples.brightspace_export,
    "moodle": samples.moodle_participants,
    "blackboard": samples.blackboard_download,
}


def entry(one: Person) -> Entry:
    return Entry(
        id=one.id,
        first=one.first,
        last=one.last,
        email=one.email,
        lms_id=str(one.number),
        username=one.login,
    )


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return make_room(tmp_path / "course", ("ada", "ben"))


def written(tmp_path: Path, content: bytes, name: str = "list.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    return path


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    entries = [entry(one) for one in CLASS]
    entries[0] = Entry(
        id="ada", section="'=1", participants={STEP: "71", "step-2-connections": "9"}
    )
    write_roster(tmp_path / "roster.csv", Roster(entries))
    read = read_roster(tmp_path / "roster.csv")
    by_id = {one.id: one for one in read.entries}
    for one in entries:
        again = by_id[one.id]
        for field in ("first", "last", "email", "lms_id", "username", "section", "participants"):
            assert getattr(again, field) == getattr(one, field)
    raw = (tmp_path / "roster.csv").read_text("utf-8-sig")
    assert "'=Eve" in raw
    assert ",=" not in raw


@pytest.mark.parametrize(
    "text", ["=1", "'=1", "''=1", "-", "- 1", "+49", "@x", "O'Neill", "'tis", "", "'", "\t=1"]
)
def test_a_guard_is_taken_away_as_it_was_put_there(text: str) -> None:
    assert unguarded(guarded_line(text)) == text.replace("\t", " ")
    assert guarded_line(text)[:1] not in "=+@" or not text


@pytest.mark.parametrize(
    "content",
    [
        b"id,first,last,email\r\nada,Ada,M\xc3\xbcller,ada@example.org\r\n",
        b"\xef\xbb\xbfEmail;LAST;First;Id\nada@example.org;M\xc3\xbcller;Ada;ada\n\n",
        b"last,id,first,e-mail,shoe size\nM\xfcller,ada,Ada,ada@example.org,38\n",
        "sep=;\nid;first;last;email\nada;Ada;Müller;ada@example.org\n".encode("utf-8-sig"),
        "id\tfirst\tlast\temail\nada\tAda\tMüller\tada@example.org\n".encode("utf-16"),
    ],
    ids=["plain", "order, mark and semicolons", "Windows", "sep=", "UTF-16 and tabs"],
)
def test_a_roster_is_read_however_it_was_saved(tmp_path: Path, content: bytes) -> None:
    (one,) = read_roster(written(tmp_path, content)).entries
    assert (one.id, one.first, one.last, one.email) == ("ada", "Ada", "Müller", "ada@example.org")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"id,first\nada,Ada\nben,Roe, Ben\n", ("list.csv, line 3", "quotation marks")),
        (b"first,last\nAda,Doe\n", ("no column “id”", "“first”, “last”")),
        (b"id\nada\nada\n", ("lines 2 and 3", "“ada” belongs to ada")),
        (b"id,username\nada,x\nben,X\n", ("lines 2 and 3", "username")),
        (b"id\nada/../ben\n", ("list.csv, line 2", "Use letters")),
        (b'id,first\nada,"A\n', ("list.csv, line", "quotation mark")),
        (b"id,id\nada,ben\n", ("“id” is there twice", "Delete or rename")),
        (b"", ("is empty", "Name the file")),
        (b"PK\x03\x04\x00\x00\x00\x00", ("no table in text", "saved as CSV")),
    ],
)
def test_what_is_wrong_is_said_with_its_place_and_remedy(
    tmp_path: Path, content: bytes, says: tuple[str, ...]
) -> None:
    with pytest.raises(UserError) as caught:
        read_roster(written(tmp_path, content))
    for words in says:
        assert words in caught.value.plain


@pytest.mark.parametrize("lms", EXPORTS)
def test_each_class_list_is_read(tmp_path: Path, lms: str) -> None:
    people = read_class_list(written(tmp_path, EXPORTS[lms]()), lms)
    assert len(people) == len(CLASS)
    for one, read in zip(CLASS, people, strict=True):
        assert read.lms_id.lstrip("0") == str(one.number)
        if lms != "moodle":
            assert read.username == one.login
        if lms in ("brightspace", "moodle"):
            assert read.email == one.email
        if lms == "canvas" and "," in one.last:
            continue  # “Doe, Jr., Ada” can be parted in two ways
        assert (read.first, read.last) == (one.first, one.last)


@pytest.mark.parametrize("lms", EXPORTS)
def test_another_file_is_no_class_list(tmp_path: Path, lms: str) -> None:
    with pytest.raises(LmsError, match="doesn't look like a class list"):
        read_class_list(written(tmp_path, b"Title,Author\nWalden,Thoreau\n"), lms)


@pytest.mark.parametrize("lms", EXPORTS)
def test_a_class_list_fills_gradebook_and_roster(room: Room, tmp_path: Path, lms: str) -> None:
    with room.gradebook() as gradebook:
        gradebook.find_student("ben").email = "ben@example.org"
        gradebook.find_student("ada").email = "ada@example.org"
        gradebook.db.commit()
    if lms == "blackboard":  # which tells no address, and whose login for ben is another
        write_roster(room.root / "roster.csv", Roster([Entry(id="ben", username="ben_roe")]))
    if lms == "canvas":
        write_roster(room.root / "roster.csv", Roster([Entry(id="ben", lms_id="1002")]))
    path = written(tmp_path, EXPORTS[lms]())
    done = import_roster(room, path, lms)
    assert set(done.updated) == {"ada", "ben"}
    assert len(done.added) == 3
    people = {one.id: one for one in room.students()}
    assert len(people) == 5
    assert people["ben"].lms_id.lstrip("0") == "1002"
    assert people["ben"].email == "ben@example.org"
    zoe = next(one for one in people.values() if one.first == "Zoë")
    assert zoe.last == "Łukasiewicz-Müller"
    assert zoe.id == ("zoe@example.org" if lms == "moodle" else "zoe_l_m")
    kept = {one.id: one for one in read_roster(room.root / "roster.csv").entries}
    assert set(kept) == set(people)
    assert kept["ben"].lms_id.lstrip("0") == "1002"
    again = import_roster(room, path, lms)
    assert (again.added, again.updated) == ((), ())


def test_nothing_is_emptied_and_nobody_taken_away(room: Room, tmp_path: Path) -> None:
    import_roster(room, written(tmp_path, samples.brightspace_export()), "brightspace")
    before = room.students()
    fewer = b"OrgDefinedId,Username,Last Name,First Name,Email\n#00001001,#ada,,,\n"
    assert import_roster(room, written(tmp_path, fewer), "brightspace").unchanged == ("ada",)
    assert room.students() == before
    assert len(before) == 6
    assert len(read_roster(room.root / "roster.csv").entries) == 6


def test_a_worksheet_gives_moodles_numbers_of_its_step(room: Room, tmp_path: Path) -> None:
    import_roster(room, written(tmp_path, samples.moodle_participants()), "moodle")
    path = written(tmp_path, samples.moodle_worksheet())
    assert "name its step" in import_roster(room, path, "moodle").notes[0]
    import_roster(room, path, "moodle", STEP)
    roster = read_roster(room.root / "roster.csv")
    found = roster.by_participant(STEP, "71003")
    assert found
    assert found.email == "zoe@example.org"
    assert roster.by_participant("step-2-connections", "71003") is None


def test_a_name_alone_counts_only_once_and_is_noted(room: Room, tmp_path: Path) -> None:
    # In the gradebook they are Ada Doe and Ben Doe.
    content = b"First name,Last name,ID number\nada,DOE,7\nBen,Doe,8\nBen,Doe,9\n"
    done = import_roster(room, written(tmp_path, content), "moodle")
    assert done.updated == ("ada",)
    assert done.added == ("8", "9")
    assert ["line 2" in note for note in done.notes] == [True]


def test_two_lines_for_one_student_change_nothing(room: Room, tmp_path: Path) -> None:
    content = b"Username,Last Name,First Name\nada,Doe,Ada\nADA,Roe,Ada\n"
    before = room.students()
    with pytest.raises(LmsError, match=r"line 3: this is ada, who stands in line 2"):
        import_roster(room, written(tmp_path, content), "blackboard")
    assert room.students() == before
    assert not (room.root / "roster.csv").exists()


def test_a_roster_of_ones_own_is_taken_over(room: Room, tmp_path: Path) -> None:
    content = b"id;first;last;lms_id;username\nada;Ada;Lovelace;17;alove\nnew;N;Ew;18;\n"
    done = import_roster(room, written(tmp_path, content), "roster")
    assert (done.added, done.updated) == (("new",), ("ada",))
    ada = next(one for one in room.students() if one.id == "ada")
    assert (ada.last, ada.lms_id) == ("Lovelace", "17")


OWN = b"id,first,last,email,lms_id,username\nada,Ada,Alpha,ada@example.org,17,alove\n"


@pytest.mark.parametrize("lms", EXPORTS)
def test_a_table_of_ones_own_is_no_class_list_of_an_lms(
    tmp_path: Path, room: Room, lms: str
) -> None:
    with pytest.raises(LmsError, match=f"from {lms.title()}.*--lms roster"):
        import_roster(room, written(tmp_path, OWN), lms)
    assert not (room.root / "roster.csv").exists()
    assert [one.id for one in room.students()] == ["ada", "ben"]


@pytest.mark.parametrize("other", ["Ada@example.org,1", "a@example.org,17"])
def test_nobody_is_added_under_a_second_id(tmp_path: Path, room: Room, other: str) -> None:
    import_roster(room, written(tmp_path, OWN), "roster")
    content = f"id,first,last,email,lms_id\nx,Ada,Alpha,{other}\n".encode()
    with pytest.raises(LmsError, match=r"line 2: x would be new, and .* belongs to ada already"):
        import_roster(room, written(tmp_path, content), "roster")
    assert [one.id for one in room.students()] == ["ada", "ben"]


def test_what_fits_two_fits_none() -> None:
    twins = (Entry(id="a", first="Jo", last="Doe"), Entry(id="b", first="Jo", last="Doe"))
    roster = Roster(
        (*twins, Entry(id="c", email="x@example.org"), Entry(id="d", email="x@example.org"))
    )
    assert roster.named("Doe, Jo") == twins
    assert roster.by_email("X@example.org") is None
    assert roster.by_username("A") == twins[0]
