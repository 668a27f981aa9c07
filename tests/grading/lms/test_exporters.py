"""Grade files: each is accepted by a strict reader of its LMS, and says what the gradebook says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from nbgrader.api import Gradebook
from nbgrader.apps import ExportApp
from nbgrader.coursedir import CourseDirectory

from pcn_course.grading.feedback.release import set_release_state
from pcn_course.grading.gradebook.marks import UNSEEN, Marking
from pcn_course.grading.gradebook.room import Room
from pcn_course.grading.lms import LmsError, exporters
from pcn_course.grading.lms.exporting import LmsExport
from pcn_course.grading.lms.grades import points
from pcn_course.grading.lms.roster import Entry, Roster, write_roster
from pcn_course.spreadsheets import csv_as_is, read_sheet
from tests.grading.lms import readers, samples
from tests.grading.lms.readers import RefusedError
from tests.grading.lms.samples import CLASS, STEP
from tests.support.room import make_room

SECOND = "step-2-connections"
CRITERIA = ("reasoning", "evidence", "ethics", "action")
GOALS, CONNECTIONS = "Step 1: Goals", "Step 2: Connections"
MARKED = {"ada": (4, 3, 2, 1), "ben": (0, 0, 0, 0), "zoe": (4, 4, 4, 4)}
"""Eve has two marks of four, and Mei none."""
STRUCTURE = 3.0


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Room]:
    """Five with names of all kinds have handed in two steps; the first is marked for three."""
    room = make_room(tmp_path / "course", [one.id for one in CLASS], (STEP, SECOND))
    entries = [
        Entry(
            id=one.id,
            first=one.first,
            last=one.last,
            email=one.email,
            lms_id=str(one.number),
            username=one.login,
            section="SW 1",
            participants={STEP: str(samples.moodle_number(one))},
        )
        for one in CLASS
    ]
    write_roster(room.root / "roster.csv", Roster(entries))
    marking = Marking(room, "grader")
    for student, marks in MARKED.items():
        for criterion, mark in zip(CRITERIA, marks, strict=True):
            marking.give(student, STEP, criterion, mark, seen=UNSEEN)
    for criterion in CRITERIA[:2]:
        marking.give("eve", STEP, criterion, 2, seen=UNSEEN)
    # Rules for late work have tests of their own; here Zoë's penalty is renewed before the export.
    monkeypatch.setattr("pcn_course.grading.lms.exporting.recalculate", penalize_zoe)
    yield room
    room.close()


def penalize_zoe(room: Room) -> None:
    with room.gradebook() as gradebook:
        gradebook.find_submission_notebook(STEP, STEP, "zoe").late_submission_penalty = 1.75
        gradebook.db.commit()


TOTALS = {"ada": 13.0, "ben": 3.0, "zoe": 17.25, "eve": None, "mei": None}
"""Structure and criteria, less the penalty; nothing where a mark is still to come."""
NUMBER = {one.id: str(one.number) for one in CLASS}
LOGIN = {one.id: one.login for one in CLASS}


def export(room: Room, kind: type[LmsExport], to: Path, **traits: Any) -> tuple[bytes, bytes]:
    """Export without a command line; gives the totals and the file by criterion."""
    app = ExportApp()
    app.coursedir = CourseDirectory(root=str(room.root), db_url=room.db_url)
    exporter = kind(parent=app, to=str(to), **traits)
    exporter._write(to)
    beside = to.with_name(f"{to.stem}-by-criterion{to.suffix}")
    return to.read_bytes(), beside.read_bytes()


def refused(room: Room, kind: type[LmsExport], to: Path, **traits: Any) -> str:
    """What is said when nothing is written."""
    before = sorted(to.parent.iterdir())
    with pytest.raises(LmsError) as caught:
        export(room, kind, to, **traits)
    assert sorted(to.parent.iterdir()) == before
    return caught.value.plain


def written(tmp_path: Path, content: bytes) -> str:
    path = tmp_path / "downloaded.csv"
    path.write_bytes(content)
    return str(path)


def only(read: readers.Read, header: str, ids: dict[str, str]) -> dict[str, float | None]:
    back = {lms: student for student, lms in ids.items()}
    return {back[lms]: grades[header] for lms, grades in read.grades.items()}


# The four, without a template


def test_canvas(room: Room, tmp_path: Path) -> None:
    totals, criteria = export(room, exporters.Canvas, tmp_path / "x.csv")
    read = readers.canvas(totals, {})
    assert only(read, GOALS, NUMBER) == TOTALS
    assert set(only(read, CONNECTIONS, NUMBER).values()) == {None}
    assert read.possible == {GOALS: 20, CONNECTIONS: 20}
    assert read.names == {str(one.number): one.sortable for one in CLASS}
    by_criterion(readers.canvas(criteria, {}), NUMBER)
    sums_to_the_total(readers.canvas(criteria, {}), NUMBER)


def test_brightspace(room: Room, tmp_path: Path) -> None:
    totals, criteria = export(room, exporters.Brightspace, tmp_path / "x.csv")
    read = readers.brightspace(totals)
    assert only(read, f"{GOALS} Points Grade", LOGIN) == TOTALS
    assert read.headers[:2] == ("OrgDefinedId", "Username")
    assert not re.search(r"Zo|Doe", totals.decode())
    by_criterion(readers.brightspace(criteria), LOGIN, " Points Grade")


def test_moodles_gradebook(room: Room, tmp_path: Path) -> None:
    totals, criteria = export(room, exporters.Moodle, tmp_path / "x.csv")
    read = readers.moodle_gradebook(totals, "ID number")
    assert only(read, GOALS, NUMBER) == TOTALS
    assert read.names == {str(one.number): one.full for one in CLASS}
    by_criterion(readers.moodle_gradebook(criteria, "ID number"), NUMBER)


def test_blackboard(room: Room, tmp_path: Path) -> None:
    totals, criteria = export(room, exporters.Blackboard, tmp_path / "x.xls")
    read = readers.blackboard(totals)
    assert only(read, GOALS, LOGIN) == TOTALS
    assert read.names == {one.login: one.full for one in CLASS}
    by_criterion(readers.blackboard(criteria), LOGIN)
    sums_to_the_total(readers.blackboard(criteria), LOGIN)
    with pytest.raises(RefusedError, match="text column"):
        readers.blackboard(totals, {})


def by_criterion(read: readers.Read, ids: dict[str, str], behind: str = "") -> None:
    """Each mark stands under its criterion; together with structure they are the raw total."""
    titles = {
        "reasoning": "Reasoning from your own project",
        "evidence": "Evidence and alternatives",
        "ethics": "Ethics and boundaries",
        "action": "Planned action and use",
    }
    for place, criterion in enumerate(CRITERIA):
        given = only(read, f"{GOALS}: {titles[criterion]}{behind}", ids)
        expected: dict[str, float | None] = {who: marks[place] for who, marks in MARKED.items()}
        expected |= {"eve": 2.0 if place < 2 else None, "mei": None}
        assert given == expected
    structure = only(read, f"{GOALS}: Structure{behind}", ids)
    assert structure == dict.fromkeys(NUMBER, STRUCTURE)


def sums_to_the_total(read: readers.Read, ids: dict[str, str]) -> None:
    """Zoë's penalty stands in an item of its own, and only the late step has such an item."""
    assert [one for one in read.headers if one.endswith(": Late")] == [f"{GOALS}: Late"]
    late = only(read, f"{GOALS}: Late", ids)
    assert late == {"ada": 0, "ben": 0, "zoe": -1.75, "eve": None, "mei": None}
    back = {lms: student for student, lms in ids.items()}
    for lms, grades in read.grades.items():
        if (total := TOTALS[back[lms]]) is not None:
            assert sum(value or 0 for one, value in grades.items() if GOALS in one) == total


@pytest.mark.parametrize("kind", [exporters.Brightspace, exporters.Moodle])
def test_a_penalty_that_the_file_can_not_have_is_told(
    room: Room, tmp_path: Path, kind: type[LmsExport], capfd: pytest.CaptureFixture[str]
) -> None:
    _, criteria = export(room, kind, tmp_path / "x.csv")
    said = capfd.readouterr().err
    assert b": Late" not in criteria
    assert "1 student has a penalty that is only in the totals" in said
    assert "zoe (1.75 in step-1-goals)" in said


# With the teacher's own download


def test_canvas_keeps_the_teachers_columns(room: Room, tmp_path: Path) -> None:
    items = {"Goals (501)": 20.0, "Essay (502)": 50.0, "step 2 connections (503)": 20.0}
    had = {"mei": {"Goals (501)": "12.5"}}
    template = written(tmp_path, samples.canvas_gradebook(items=items, grades=had))
    totals, criteria = export(room, exporters.Canvas, tmp_path / "x.csv", template=template)
    course = {501: ("Goals", 20.0), 502: ("Essay", 50.0), 503: ("step 2 connections", 20.0)}
    read = readers.canvas(totals, course)
    # What Canvas has already stays, where there is no mark: an empty cell would take it away.
    assert only(read, "Goals (501)", NUMBER) == {**TOTALS, "mei": 12.5}
    assert read.headers[5:] == ("Goals (501)", "step 2 connections (503)")
    assert read.names == {str(one.number): one.sortable for one in CLASS}
    assert b"S1001" in totals
    readers.canvas(criteria, {})


def test_brightspace_keeps_the_teachers_columns(room: Room, tmp_path: Path) -> None:
    items = ("Goals Points Grade <Numeric MaxPoints:20 Weight:10>", "Essay Points Grade")
    template = written(tmp_path, samples.brightspace_export(items=items))
    write_roster(
        room.root / "roster.csv",
        Roster(Entry(id=one.id, username=one.login) for one in CLASS),
    )
    totals, _ = export(
        room, exporters.Brightspace, tmp_path / "x.csv", template=template, assignment=[STEP]
    )
    read = readers.brightspace(totals)
    assert only(read, items[0], LOGIN) == TOTALS
    assert b"#00001003,#zoe_l_m," in totals


def test_moodles_worksheet_comes_back_with_grades_only(room: Room, tmp_path: Path) -> None:
    downloaded = samples.moodle_worksheet()
    template = written(tmp_path, downloaded)
    options = {"template": template, "assignment": [STEP]}
    totals, criteria = export(room, exporters.Moodle, tmp_path / "x.csv", **options)
    read = readers.moodle_worksheet(totals, downloaded, 20)
    ids = {one.id: f"Participant {samples.moodle_number(one)}" for one in CLASS}
    assert only(read, "Grade", ids) == TOTALS
    assert set(read.names.values()) == {one.full for one in CLASS}
    by_criterion(readers.moodle_gradebook(criteria, "ID number"), NUMBER)


def test_a_worksheet_without_names_needs_moodles_numbers(room: Room, tmp_path: Path) -> None:
    template = written(tmp_path, samples.moodle_worksheet(hidden=True))
    options = {"template": template, "assignment": [STEP]}
    totals, _ = export(room, exporters.Moodle, tmp_path / "x.csv", **options)
    read = readers.moodle_worksheet(totals, samples.moodle_worksheet(hidden=True), 20)
    assert read.grades["Participant 71001"] == {"Grade": 13.0}
    write_roster(room.root / "roster.csv", Roster())
    told = refused(room, exporters.Moodle, tmp_path / "y.csv", **options)
    assert "can't know 5 of 5 students" in told


@pytest.mark.parametrize(
    "dates",
    [
        ("Last modified (submission)", "Last modified (grade)"),
        ("Zuletzt geändert (Abgabe)", "Zuletzt geändert (Bewertung)"),
    ],
)
def test_what_students_wrote_into_a_worksheet_is_no_formula_and_feedback_stays(
    room: Room, tmp_path: Path, dates: tuple[str, str]
) -> None:
    submitted, graded = dates
    head = ["Identifier", "Full name", "Grade", "Maximum grade", submitted, "Online text", graded,
            "Feedback comments"]  # fmt: skip
    rows = [
        [f"Participant {samples.moodle_number(one)}", one.full, "", "20.00", "1 May 2027",
         "=HYPERLINK(0)", "-", "- A good start"]
        for one in CLASS
    ]  # fmt: skip
    template = written(tmp_path, csv_as_is([head, *rows]))
    options = {"template": template, "assignment": [STEP]}
    totals, _ = export(room, exporters.Moodle, tmp_path / "x.csv", **options)
    (tmp_path / "back.csv").write_bytes(totals)
    back = read_sheet(tmp_path / "back.csv")
    assert list(back.header) == head
    assert len(back.rows) == len(CLASS)
    assert {row.cells[3:] for row in back.rows} == {
        ("20.00", "1 May 2027", "'=HYPERLINK(0)", "-", "- A good start")
    }


def test_a_german_worksheet_is_known(room: Room, tmp_path: Path) -> None:
    german = (
        "Identifikator", "Vollständiger Name", "E-Mail-Adresse", "Status", "Bewertung",
        "Bestwertung", "Bewertung kann geändert werden", "Zuletzt geändert (Abgabe)",
        "Zuletzt geändert (Bewertung)", "Feedback als Kommentar",
    )  # fmt: skip
    options = {"assignment": [STEP], "by_criterion": True}
    template = written(tmp_path, samples.moodle_worksheet(head=german, most="20,00"))
    totals, _ = export(room, exporters.Moodle, tmp_path / "x.csv", template=template, **options)
    assert "Participant 71001" in totals.decode()
    assert ',13,"20,00",' in totals.decode()
    klingon = ("Identifier", "Name-Daq", "Email address", *(f"{one}-Daq" for one in german[3:]))
    template = written(tmp_path, samples.moodle_worksheet(head=klingon))
    told = refused(room, exporters.Moodle, tmp_path / "y.csv", template=template, **options)
    assert "--Moodle.grade_column" in told
    export(
        room, exporters.Moodle, tmp_path / "y.csv", template=template,
        grade_column="Bewertung-Daq", **options,
    )  # fmt: skip


def test_blackboard_keeps_the_teachers_columns(room: Room, tmp_path: Path) -> None:
    items = ("Essay [Total Pts: 50 Score] |101", "Goals [Total Pts: 20 Score] |102")
    template = written(tmp_path, samples.blackboard_download(items=items))
    options = {"template": template, "assignment": [STEP]}
    totals, criteria = export(room, exporters.Blackboard, tmp_path / "x.xls", **options)
    read = readers.blackboard(totals, {101: "Essay", 102: "Goals"})
    assert only(read, items[1], LOGIN) == TOTALS
    assert read.names == {one.login: one.full for one in CLASS}
    readers.blackboard(criteria)


TEMPLATES = {
    exporters.Canvas: (samples.canvas_gradebook, {"Essay (502)": 50.0}, {"Goals (1)": 100.0}),
    exporters.Brightspace: (
        samples.brightspace_export, ("Essay Points Grade",),
        ("Goals Points Grade <Numeric MaxPoints:100>",),
    ),
    exporters.Blackboard: (
        samples.blackboard_download, ("Essay [Total Pts: 50 Score] |101",),
        ("Goals [Total Pts: 100 Score] |102",),
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", TEMPLATES)
def test_an_item_that_is_not_there_or_has_other_points_is_refused(
    room: Room, tmp_path: Path, kind: type[LmsExport]
) -> None:
    make, other, hundred = TEMPLATES[kind]
    options = {"template": str(tmp_path / "downloaded.csv"), "assignment": [STEP]}
    written(tmp_path, make(items=other))  # type: ignore[operator]
    told = refused(room, kind, tmp_path / "x.csv", **options)
    assert "Its items are: Essay" in told
    assert "c.LmsExport.titles = {'step-1-goals'" in told
    told = (
        refused(room, kind, tmp_path / "x.csv", titles={STEP: "Essay"}, **options)
        if (kind is not exporters.Brightspace)
        else "50 points"
    )
    assert "50 points" in told
    written(tmp_path, make(items=hundred))  # type: ignore[operator]
    told = refused(room, kind, tmp_path / "x.csv", **options)
    assert "has 100 points, and Step 1: Goals has 20" in told


def test_another_title_can_be_named(room: Room, tmp_path: Path) -> None:
    items = {"Reflection no. 1 (77)": 20.0, "Goals (78)": 20.0}
    template = written(tmp_path, samples.canvas_gradebook(items=items))
    for title in ("Reflection no. 1", "Reflection no. 1 (77)"):
        totals, _ = export(
            room, exporters.Canvas, tmp_path / "x.csv", template=template, assignment=[STEP],
            titles={STEP: title},
        )  # fmt: skip
        read = readers.canvas(totals, {77: ("Reflection no. 1", 20.0), 78: ("Goals", 20.0)})
        assert only(read, "Reflection no. 1 (77)", NUMBER) == TOTALS


def test_two_items_that_fit_are_refused(room: Room, tmp_path: Path) -> None:
    template = written(tmp_path, samples.canvas_gradebook(items={"Goals (1)": 20, "goals (2)": 20}))
    told = refused(room, exporters.Canvas, tmp_path / "x.csv", template=template, assignment=[STEP])
    assert "has 2 items that fit step-1-goals: Goals (1); goals (2)" in told


def test_a_worksheet_of_another_maximum_or_many_steps_is_refused(
    room: Room, tmp_path: Path
) -> None:
    template = written(tmp_path, samples.moodle_worksheet(most="100.00"))
    told = refused(room, exporters.Moodle, tmp_path / "x.csv", template=template, assignment=[STEP])
    assert "maximum grade is 100" in told
    told = refused(room, exporters.Moodle, tmp_path / "x.csv", template=template)
    assert "--assignment" in told


# Who is exported


@pytest.mark.parametrize(
    "kind", [exporters.Canvas, exporters.Brightspace, exporters.Moodle, exporters.Blackboard]
)
def test_who_has_no_id_is_named_and_nothing_written(
    room: Room, tmp_path: Path, kind: type[LmsExport], caplog: pytest.LogCaptureFixture
) -> None:
    write_roster(
        room.root / "roster.csv",
        Roster(
            Entry(id=one.id, lms_id=str(one.number), username=one.login)
            for one in CLASS
            if one.id not in ("ben", "eve")
        ),
    )
    told = refused(room, kind, tmp_path / "x.csv")
    assert "2 of 5 students" in told
    assert "ben, eve" in told
    assert "--LmsExport.partial=True" in told
    totals, _ = export(room, kind, tmp_path / "x.csv", partial=True)
    ids = {"Brightspace": LOGIN, "Blackboard": LOGIN}.get(kind.__name__, NUMBER)
    match kind.__name__:
        case "Canvas":
            read = readers.canvas(totals, {})
        case "Brightspace":
            read = readers.brightspace(totals)
        case "Moodle":
            read = readers.moodle_gradebook(totals, "ID number")
        case _:
            read = readers.blackboard(totals)
    assert set(read.grades) == {ids[one] for one in ("ada", "zoe", "mei")}


def test_who_is_not_in_the_download_is_named(room: Room, tmp_path: Path) -> None:
    template = written(tmp_path, samples.canvas_gradebook(CLASS[:3], items={"Goals (1)": 20}))
    options = {"template": template, "assignment": [STEP]}
    assert "eve, mei" in refused(room, exporters.Canvas, tmp_path / "x.csv", **options)
    totals, _ = export(room, exporters.Canvas, tmp_path / "x.csv", partial=True, **options)
    assert set(readers.canvas(totals, {1: ("Goals", 20)}).grades) == {"1001", "1002", "1003"}


def test_moodle_needs_one_column_that_all_have(room: Room, tmp_path: Path) -> None:
    write_roster(
        room.root / "roster.csv",
        Roster(
            Entry(id=one.id, lms_id=str(one.number) if place else "", email=one.email)
            for place, one in enumerate(CLASS)
        ),
    )
    totals, _ = export(room, exporters.Moodle, tmp_path / "x.csv")
    read = readers.moodle_gradebook(totals, "Email address")
    assert len(read.grades) == 5
    write_roster(
        room.root / "roster.csv",
        Roster(
            Entry(id="ada", lms_id="7") if one.id == "ada" else Entry(id=one.id, email=one.email)
            for one in CLASS
        ),
    )
    assert "missing for ada" in refused(room, exporters.Moodle, tmp_path / "y.csv")


def test_students_and_steps_can_be_chosen(room: Room, tmp_path: Path) -> None:
    totals, _ = export(
        room, exporters.Canvas, tmp_path / "x.csv", student=["zoe", "mei"], assignment=[SECOND]
    )
    read = readers.canvas(totals, {})
    assert set(read.grades) == {"1003", "1005"}
    assert read.headers[5:] == (CONNECTIONS,)
    assert "“nobody”" in refused(room, exporters.Canvas, tmp_path / "y.csv", student=["nobody"])
    assert "“step-9”" in refused(room, exporters.Canvas, tmp_path / "y.csv", assignment=["step-9"])


def test_who_handed_nothing_in_has_no_line(room: Room, tmp_path: Path) -> None:
    with room.gradebook() as gradebook:
        gradebook.add_student("idle", lms_user_id="1999")
    totals, _ = export(room, exporters.Canvas, tmp_path / "x.csv")
    assert "1999" not in readers.canvas(totals, {}).grades


def test_a_mark_that_waits_for_a_new_look_is_no_mark(room: Room, tmp_path: Path) -> None:
    with room.gradebook() as gradebook:
        gradebook.find_grade("ethics", STEP, STEP, "ada").needs_manual_grade = True
        gradebook.db.commit()
    totals, criteria = export(room, exporters.Canvas, tmp_path / "x.csv")
    assert only(readers.canvas(totals, {}), GOALS, NUMBER)["ada"] is None
    given = readers.canvas(criteria, {}).grades["1001"]
    assert given[f"{GOALS}: Ethics and boundaries"] is None
    assert given[f"{GOALS}: Planned action and use"] == 1


def test_ids_that_a_spreadsheet_would_run_are_no_ids(room: Room, tmp_path: Path) -> None:
    write_roster(
        room.root / "roster.csv",
        Roster(Entry(id=one.id, username=f"=x{one.number}") for one in CLASS),
    )
    for kind in (exporters.Canvas, exporters.Moodle, exporters.Blackboard):
        assert "5 of 5" in refused(room, kind, tmp_path / "x.csv")


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (20.0, "20"), (12.5, "12.5"), (10 / 3, "3.3333"), (1234.0, "1234")],
)
def test_points_are_written_so_that_all_read_them_alike(value: float, text: str) -> None:
    assert points(value) == text


def test_the_gradebook_says_the_same(room: Room, tmp_path: Path) -> None:
    totals, _ = export(room, exporters.Canvas, tmp_path / "x.csv")
    read = only(readers.canvas(totals, {}), GOALS, NUMBER)
    with Gradebook(room.db_url, room.course_id) as gradebook:
        for student in MARKED:
            kept = gradebook.find_submission(STEP, student)
            assert read[student] == kept.score - kept.late_submission_penalty


# The readers themselves


CANVAS = "Student,ID,SIS User ID,SIS Login ID,Section,Goals (1)\r\n"
MOODLE = samples.moodle_worksheet(CLASS[:1])
BAD: dict[str, tuple[Any, bytes]] = {
    "canvas: Section is not the last of the columns": (
        readers.canvas,
        b"Student,ID,SIS User ID,SIS Login ID,Goals\r\n",
    ),
    "canvas: no header row": (readers.canvas, b"Student,Section,Goals\r\na,b,1\r\n"),
    "canvas: “1,000” is no number of points": (
        readers.canvas,
        f'{CANVAS}"D, A",7,,,,"1,000"\r\n'.encode(),
    ),
    "canvas: “good” is no number of points": (readers.canvas, f"{CANVAS}a,7,,,,good\r\n".encode()),
    "canvas: “ada” is no user's number": (readers.canvas, f"{CANVAS}a,ada,,,,7\r\n".encode()),
    "canvas: could only be found by the name": (readers.canvas, f"{CANVAS}a,,,,,7\r\n".encode()),
    "canvas: 7 is there twice": (readers.canvas, f"{CANVAS}a,7,,,,7\r\nb,7,,,,7\r\n".encode()),
    "canvas: rows differ in width": (readers.canvas, f"{CANVAS}D, A,7,,,,7\r\n".encode()),
    "canvas: “=1” is a formula": (readers.canvas, f"{CANVAS}=1,7,,,,7\r\n".encode()),
    "canvas: Final Score is calculated by Canvas": (
        readers.canvas,
        CANVAS.replace("Goals (1)", "Final Score").encode(),
    ),
    "canvas: Goals (1) would become a new assignment": (
        lambda content: readers.canvas(content, {2: ("Other", 20.0)}),
        f"{CANVAS}".encode(),
    ),
    "canvas: the points of Goals (1) would change": (
        lambda content: readers.canvas(content, {1: ("Goals", 20.0)}),
        f"{CANVAS}    Points Possible,,,,,100\r\n".encode(),
    ),
    "canvas: it is not utf-8-sig": (readers.canvas, CANVAS.encode() + b"Zo\xeb,7,,,,7\r\n"),
    "brightspace: Last Name can't be imported": (
        readers.brightspace,
        b"Username,Last Name,X Points Grade,End-of-Line Indicator\r\n",
    ),
    "brightspace: ids have to come first": (
        readers.brightspace,
        "Username,X Points Grade,End-of-Line Indicator\r\n".encode("utf-8-sig"),
    ),
    "brightspace: End-of-Line Indicator has to come last": (
        readers.brightspace,
        b"Username,X Points Grade\r\n#a,1\r\n",
    ),
    "brightspace: lack their sign": (
        readers.brightspace,
        b"Username,X Points Grade,End-of-Line Indicator\r\na,1,#\r\n",
    ),
    "brightspace: X can't be imported": (
        readers.brightspace,
        b"Username,X,End-of-Line Indicator\r\n#a,1,#\r\n",
    ),
    "moodle: not the grade only": (
        lambda content: readers.moodle_worksheet(content, MOODLE, 20),
        MOODLE.replace(b",-,", b",today,"),
    ),
    "moodle: the headers are not those of the download": (
        lambda content: readers.moodle_worksheet(content, MOODLE, 20),
        MOODLE.replace(b"Grade,Max", b"Points,Max"),
    ),
    "moodle: is not in this assignment": (
        lambda content: readers.moodle_worksheet(content, MOODLE, 20),
        MOODLE.replace(b"Participant 7", b"Participant 8"),
    ),
    "moodle: more than the maximum": (
        lambda content: readers.moodle_worksheet(content, MOODLE, 20),
        MOODLE.replace(b"grading,,20.00", b"grading,21,20.00"),
    ),
    "moodle: a line doesn't say whose it is": (
        lambda content: readers.moodle_gradebook(content, "Username"),
        b"Username,First name,Last name,X\r\n,A,B,1\r\n",
    ),
    "blackboard: it is not UTF-16 with its mark": (readers.blackboard, b'"Username"\t"X"\r\n'),
    "blackboard: not in quotes": (readers.blackboard, "Username\tX\r\na\t1\r\n".encode("utf-16")),
    "blackboard: Username is missing": (
        readers.blackboard,
        '"Last Name"\t"X"\r\n'.encode("utf-16"),
    ),
    "blackboard: would become a text column": (
        lambda content: readers.blackboard(content, {1: "X"}),
        '"Username"\t"X [Total Pts: 20 Score]"\r\n'.encode("utf-16"),
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_the_readers_refuse_what_the_lms_would_misread(name: str) -> None:
    read, content = BAD[name]
    with pytest.raises(RefusedError, match=re.escape(name.partition(": ")[2])):
        read(content, {}) if read is readers.canvas else read(content)


# What was not submitted, what a template lacks, and what is held

KINDS = {
    exporters.Canvas: "assignments",
    exporters.Brightspace: "grade items",
    exporters.Moodle: "grade items",
    exporters.Blackboard: "text columns",
}


@pytest.fixture
def unsubmitted(room: Room) -> Room:
    """A third step is in the gradebook, and nobody has submitted it."""
    with room.gradebook() as gradebook:
        gradebook.add_assignment("step-3-tools")
        gradebook.add_notebook("step-3-tools", "step-3-tools")
        for criterion in CRITERIA:
            gradebook.add_task_cell(
                criterion, "step-3-tools", "step-3-tools", max_score=5, cell_type="markdown"
            )
    return room


def test_points_of_a_step_that_nobody_submitted(unsubmitted: Room, tmp_path: Path) -> None:
    totals, _ = export(unsubmitted, exporters.Canvas, tmp_path / "x.csv")
    assert readers.canvas(totals, {}).possible == {GOALS: 20, CONNECTIONS: 20, "Step 3: Tools": 20}
    items = {"Goals (501)": 20.0, "Step 2: Connections (502)": 20.0, "Step 3: Tools (503)": 25.0}
    template = written(tmp_path, samples.canvas_gradebook(items=items))
    totals, _ = export(unsubmitted, exporters.Canvas, tmp_path / "y.csv", template=template)
    assert b"Points Possible,,,,,20,20,25" in totals


def test_a_step_without_points_gets_no_column(
    room: Room, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with room.gradebook() as gradebook:
        gradebook.add_assignment("step-3-tools")
    for kind in KINDS:
        totals, _ = export(room, kind, tmp_path / "x.csv")
        assert b"Tools" not in totals.replace(b"\0", b"")
        assert "Left out: step-3-tools has no points" in capfd.readouterr().err


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_template_it_says_what_the_lms_makes(
    room: Room, tmp_path: Path, kind: type[LmsExport], capfd: pytest.CaptureFixture[str]
) -> None:
    export(room, kind, tmp_path / "x.csv")
    said = capfd.readouterr().err
    assert KINDS[kind] in said
    assert GOALS in said


LACKING: dict[type[LmsExport], Callable[[], bytes]] = {
    exporters.Canvas: lambda: samples.canvas_gradebook(items={"Goals (501)": 20.0}),
    exporters.Brightspace: lambda: samples.brightspace_export(
        items=["Goals Points Grade <Numeric MaxPoints:20>"]
    ),
    exporters.Blackboard: lambda: samples.blackboard_download(
        items=["Goals [Total Pts: 20 Score] |12345"]
    ),
}


@pytest.mark.parametrize("kind", LACKING)
def test_a_step_that_the_template_lacks_is_left_out_by_name(
    room: Room, tmp_path: Path, kind: type[LmsExport], capfd: pytest.CaptureFixture[str]
) -> None:
    template = written(tmp_path, LACKING[kind]())
    totals, _ = export(room, kind, tmp_path / "x.csv", template=template, by_criterion=True)
    plain = totals.replace(b"\0", b"")
    assert b"Goals" in plain
    assert b"Connections" not in plain
    assert f"has no item for {SECOND}" in capfd.readouterr().err


@pytest.mark.parametrize("kind", KINDS)
def test_held_grades_are_warned_of(
    room: Room, tmp_path: Path, kind: type[LmsExport], capfd: pytest.CaptureFixture[str]
) -> None:
    export(room, kind, tmp_path / "x.csv")
    assert "is held" not in capfd.readouterr().err
    set_release_state(room.engine, STEP, "held", "grader")
    set_release_state(room.engine, SECOND, "held", "grader")  # nobody has points there
    export(room, kind, tmp_path / "x.csv")
    assert f"Feedback is held on {STEP}, and" in capfd.readouterr().err


def test_split_names_are_a_template_too(room: Room, tmp_path: Path) -> None:
    people = "".join(
        f'"{one.last.replace(chr(34), "")}",{one.first},{NUMBER[one.id]},,{one.login},S,,\n'
        for one in CLASS
    )
    head = "LastName,FirstName,ID,SIS User ID,SIS Login ID,Section,Goals (501),Current Score\n"
    possible = "    Possible,,,,,,20,(read only)\n"
    template = written(tmp_path, (head + possible + people).encode())
    totals, _ = export(
        room, exporters.Canvas, tmp_path / "x.csv", template=template, assignment=[STEP]
    )
    rows = totals.decode("utf-8-sig").splitlines()
    assert rows[0] == "LastName,FirstName,ID,SIS User ID,SIS Login ID,Section,Goals (501)"
    assert rows[1].endswith(",20")
    assert len(rows) == 2 + len(CLASS)
