"""A student is removed from every place, and nobody else is. All people here are made up."""

from __future__ import annotations

import errno
import json
import os
import shutil
import sqlite3
import tracemalloc
import zipfile
from pathlib import Path
from typing import Self

import msgspec
import pytest
from click.testing import CliRunner
from nbgrader.utils import notebook_hash

from pcn_course.admin import archives, removal, tables
from pcn_course.admin.backup import backup, backups_of
from pcn_course.admin.doctor import course_checks as term_checks
from pcn_course.admin.doctor.findings import as_json
from pcn_course.admin.purge import PurgeError, Receipt, pseudonym_of, purge
from pcn_course.admin.removal import remove
from pcn_course.answers.store import Edit
from pcn_course.cli import main
from pcn_course.grading.cohort import read_class, research
from pcn_course.grading.feedback.letter_word import word_name
from pcn_course.grading.gradebook.marks import Marking
from pcn_course.grading.gradebook.room import Room, open_room
from pcn_course.grading.gradebook.schema import Records, log_event
from pcn_course.grading.lms.roster import Entry, Roster, write_roster
from pcn_course.grading.lms.upload_names import UploadName, keep_names
from pcn_course.workspace import Workspace
from tests.support.hostile import lay_what_stops_a_copy
from tests.support.postgresql import postgresql
from tests.support.room import hand_in, make_room

STEP = "step-1-goals"
GONE = "zephyrine9"
"""The student who goes. The name and the text occur nowhere in the course."""
NAME = ("Zephyrine", "Quillfeather")
TEXT = "Marmalade lighthouse on the seventh pier"
STAYS = "ben"
SECRET = "ab12" * 16
TRACES = (GONE, *NAME, TEXT, "zq@example.edu", "991177")


class Term:
    """A course in which everything that a term leaves has been left."""

    def __init__(self, base: Path, room: Room) -> None:
        self.base = base
        self.room = room
        self.exchange = base / "exchange"
        self.workspaces = base / "workspaces"

    @classmethod
    def make(cls, base: Path, db_url: str | None = None) -> Self:
        term = cls(base, make_room(base, [GONE, STAYS], db_url=db_url))
        term.fill()
        term.room.close()
        return term

    def fill(self) -> None:
        with self.room.gradebook() as gradebook:
            person = gradebook.find_student(GONE)
            person.first_name, person.last_name, person.email = *NAME, "zq@example.edu"
            gradebook.db.commit()
        for who in (GONE, STAYS):
            self.collected(who)
            self.worked(who)
            self.sent(who)
            self.marked(who)
        self.tables()
        self.downloaded()
        names = {who: UploadName("canvas", f"all.zip/x_{who}_1_2_x.zip") for who in (GONE, STAYS)}
        keep_names(self.room.root, STEP, names)
        read_class(self.room)
        log = self.room.root / ".nbgrader.log"
        log.write_text(f"INFO | Autograding {GONE}\nINFO | Autograding {STAYS}\n")

    def collected(self, who: str) -> None:
        folder = hand_in(self.room, who, STEP, {"live-project": text_of(who)})
        (folder / "submission_secret.txt").write_text(secret_of(who))
        for kind in (self.room.autograded, self.room.feedback):
            (kind / who / STEP).mkdir(parents=True)
            (kind / who / STEP / f"{STEP}.html").write_text(f"<p>{who}: {text_of(who)}</p>")

    def worked(self, who: str) -> None:
        workspace = Workspace(self.workspaces / who / "workspace")
        workspace.fill(self.room.course)
        store = workspace.store(self.room.course, self.room.course.step("goals"))
        store.save("page", {"live-project": Edit(text_of(who), 0)}, 1)
        store.save("page", {"live-project": Edit("Shorter", 1)}, 2)
        store.save("page", {"private-note": Edit(text_of(who), 0)}, 3)
        (self.workspaces / who / "thesis.txt").write_text("not part of the course")
        cache = self.workspaces / who / ".local/share/jupyter/nbgrader_cache/pcn"
        (cache / f"{who}+{STEP}+2027").mkdir(parents=True)
        (cache / f"{who}+{STEP}+2027" / "answers.json").write_text(text_of(who))

    def sent(self, who: str) -> None:
        course = self.exchange / "pcn"
        stock = course / "inbound" / f"{who}+{STEP}+2027-01-20 10:00:00 UTC+x1"
        own = course / "inbound" / who / f"{who}+{STEP}+2027-01-21 10:00:00 UTC+x2"
        for folder in (stock, own, course / "feedback" / who):
            folder.mkdir(parents=True)
            (folder / "answers.json").write_text(text_of(who))
        (stock / "submission_secret.txt").write_text(secret_of(who))
        digest = notebook_hash(secret=secret_of(who), notebook_id=STEP)
        (course / "feedback" / f"{digest}.html").write_text(text_of(who))
        (course / "outbound" / STEP).mkdir(parents=True, exist_ok=True)

    def marked(self, who: str) -> None:
        marking = Marking(self.room, "grader")
        criterion = self.room.course.rubric.criteria[0].id
        marking.give(who, STEP, criterion, 3.0)
        marking.say(who, STEP, criterion, f"On {text_of(who)}")
        Records(self.room.engine).note(who, STEP, f"late: {text_of(who)}")
        with self.room.engine.begin() as connection:
            log_event(
                connection, by=who, student=who, step=STEP, what="request", after=text_of(who)
            )

    def tables(self) -> None:
        known = [
            Entry(id=GONE, first=NAME[0], last=NAME[1], email="zq@example.edu", lms_id="991177"),
            Entry(id=STAYS, first="Ben", last='Doe, "B"'),
        ]
        root = self.room.root
        write_roster(root / "roster.csv", Roster(known))
        (root / "consent.csv").write_text(f"student;consent\n{STAYS};yes\n{GONE};yes\n")
        (root / "late.csv").write_text(
            f"what,student,step,value\nextension,{GONE},{STEP},2 days\ncap,,all,5 points\n"
        )
        (root / "grades.csv").write_text(
            'Student,ID,Points\r\n"Quillfeather, Zephyrine",991177,9\r\n"Doe, ""B""",5,991177\r\n'
        )
        (root / ".pcn").mkdir(exist_ok=True)
        (root / ".pcn" / "research-secret").write_text("s" * 40)
        (root / "research").mkdir()
        (root / "research" / "steps.csv").write_text(
            f"pseudonym,week\n{pseudonym_of(self.room, GONE)},1\n"
            f"{pseudonym_of(self.room, STAYS)},2\n"
        )

    def downloaded(self) -> None:
        folder = self.room.root / "downloaded" / STEP / "archive"
        folder.mkdir(parents=True)
        document = json.loads((self.room.submission(GONE, STEP) / "answers.json").read_bytes())
        with zipfile.ZipFile(folder / "submissions.zip", "w") as bulk:
            bulk.writestr("quillfeatherzephyrine_991177_56789_answers.json", json.dumps(document))
            bulk.writestr("doeben_5_56790_answers.json", "{}")
            bulk.writestr(f"other_7_56791_{STEP}+{GONE}+20270120T100000Z.zip", "broken")

    def bytes_with(self, trace: str) -> list[str]:
        """Every file of the whole tree whose name or bytes hold ``trace``, ZIPs unpacked."""
        found = []
        for folder, folders, files in os.walk(self.base):
            for name in (*folders, *files):
                path = Path(folder, name)
                content = path.read_bytes() if path.is_file() else b""
                if name.endswith(".zip"):
                    with zipfile.ZipFile(path) as archive:
                        for one in archive.namelist():
                            content += one.encode() + archive.read(one)
                if trace.encode().lower() in content.lower() or trace.lower() in name.lower():
                    found.append(str(path.relative_to(self.base)))
        return found


def text_of(who: str) -> str:
    return TEXT if who == GONE else "What Ben wrote"


def secret_of(who: str) -> str:
    return SECRET if who == GONE else "cd34" * 16


def go(term: Term, student: str | None = GONE, *, yes: bool = False, **options: str) -> object:
    return purge(
        term.room, student, exchange=term.exchange, workspaces=term.workspaces, yes=yes, **options
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Term.make(tmp_path_factory.mktemp("purge") / "term").base


@pytest.fixture
def term(made: Path, tmp_path: Path) -> Term:
    base = shutil.copytree(made, tmp_path / "term")
    return Term(base, open_room(base / "assignments"))


def snapshot(base: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(base)): path.read_bytes()
        for path in sorted(base.rglob("*")) if path.is_file() and ".db" not in path.name
    }  # fmt: skip


def test_a_dry_run_lists_every_place_and_changes_nothing(term: Term) -> None:
    before = snapshot(term.base)
    told = purge(term.room, GONE, exchange=term.exchange, workspaces=term.workspaces)
    assert snapshot(term.base) == before
    assert not told.done
    kinds = {one.kind for one in told.found}
    print(told.text())
    assert kinds == {
        "exchange", "workspace", "copies that nbgrader kept on submitting", "submitted",
        "autograded", "feedback", "downloaded", "cohort.cache", "logs", "tables", "gradebook",
        "names in the LMS",
    }  # fmt: skip
    rows = {one.path: one.count for one in told.found if one.kind == "gradebook"}
    assert rows["student"] == 1
    assert rows["comment"] == 4
    assert rows["pcn_note"] == 1
    assert sum(one.unit == "entries" and one.count == 2 for one in told.found) == 1
    assert "--yes" in told.text()


def test_after_it_no_byte_of_the_student_is_left_and_nobody_else_lost_any(term: Term) -> None:
    for trace in TRACES:
        assert term.bytes_with(trace), f"{trace} was there before"
    before = snapshot(term.base)
    told = purge(
        term.room, GONE, exchange=term.exchange, workspaces=term.workspaces, yes=True,
        reference="request 7",
    )  # fmt: skip
    assert told.left == ()
    left = {trace: term.bytes_with(trace) for trace in TRACES}
    # In the table of grades 991177 is also a mark of Ben's, and his home's own folder is the hub's.
    home = f"workspaces/{GONE}"
    assert left.pop("991177") == ["assignments/grades.csv"]
    assert {one for paths in left.values() for one in paths} == {home}
    after = snapshot(term.base)
    ours = {"assignments/.pcn/cohort.cache"}
    bens = {name: content for name, content in before.items() if STAYS in name}
    assert len(bens) > 10
    assert all(after[name] == content for name, content in bens.items() if name not in ours)
    assert after["assignments/consent.csv"] == b"student;consent\nben;yes\n"
    assert after["assignments/grades.csv"] == (b'Student,ID,Points\r\n"Doe, ""B""",5,991177\r\n')
    assert after["assignments/research/steps.csv"].count(b"\n") == 2
    assert f"workspaces/{GONE}/thesis.txt" in after
    with sqlite3.connect(term.room.root / "gradebook.db") as database:
        assert database.execute("SELECT id FROM student").fetchall() == [(STAYS,)]
        assert database.execute("SELECT count(*) FROM grade").fetchone() == (5,)
        assert database.execute("SELECT count(*) FROM pcn_note").fetchone() == (1,)
    with zipfile.ZipFile(
        term.room.root / "downloaded" / STEP / "archive" / "submissions.zip"
    ) as bulk:
        assert bulk.namelist() == ["doeben_5_56790_answers.json"]


def test_the_receipt_says_what_and_how_many_and_names_nobody(term: Term) -> None:
    told = purge(
        term.room, GONE, exchange=term.exchange, workspaces=term.workspaces, yes=True,
        reference="request 7",
    )  # fmt: skip
    assert told.receipt
    receipt = msgspec.json.decode(told.receipt.read_bytes(), type=Receipt)
    assert receipt.reference == "request 7"
    assert receipt.what == "one student"
    assert len(receipt.removed) == len(told.found)
    words = told.receipt.with_suffix(".txt").read_text()
    assert "gradebook:" in words
    for trace in TRACES:
        assert trace not in told.receipt.read_text() + words


def test_a_file_of_feedback_to_upload_goes_whole(term: Term) -> None:
    """It holds pages of a whole class, and is written again from those that are left."""
    packed = term.room.root / "feedback" / f"{STEP}-canvas.zip"
    packed.write_bytes(b"pages of everybody")
    other = term.room.root / "feedback" / "notes.zip"
    other.write_bytes(b"somebody's own")
    assert packed.name in str(go(term))
    assert packed.exists()
    go(term, yes=True)
    assert not packed.exists()
    assert other.exists()


def test_a_second_time_nothing_is_found(term: Term) -> None:
    go(term, yes=True)
    read_class(term.room)
    again = purge(term.room, GONE, exchange=term.exchange, workspaces=term.workspaces, yes=True)
    assert again.found == ()
    assert again.receipt is None
    assert "Nothing was found" in again.text()


def test_a_purge_that_stopped_half_way_is_finished_by_the_next(
    term: Term, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = 0
    remove = removal.remove

    def breaks(path: Path) -> None:
        nonlocal count
        count += 1
        if count > 4:
            raise KeyboardInterrupt
        remove(path)

    monkeypatch.setattr(removal, "remove", breaks)
    with pytest.raises(KeyboardInterrupt):
        go(term, yes=True)
    monkeypatch.undo()
    told = purge(term.room, GONE, exchange=term.exchange, workspaces=term.workspaces, yes=True)
    assert told.left == ()
    paths = {one for trace in TRACES[:-1] for one in term.bytes_with(trace)}
    assert paths == {f"workspaces/{GONE}"}


def test_what_can_not_be_removed_is_said_and_the_roster_waits_for_it(
    term: Term, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(removal, "remove", refuses)
    told = purge(term.room, GONE, exchange=term.exchange, workspaces=term.workspaces, yes=True)
    assert "Permission denied" in told.text()
    assert GONE in (term.room.root / "roster.csv").read_text()
    assert any(one.id == GONE for one in term.room.students())


def test_a_link_named_as_the_student_is_removed_and_not_what_it_leads_to(term: Term) -> None:
    elsewhere = term.base / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "kept.txt").write_text("kept")
    (term.room.root / "export").mkdir()
    (term.room.root / "export" / GONE).symlink_to(elsewhere)
    go(term, yes=True)
    assert (elsewhere / "kept.txt").exists()
    assert not (term.room.root / "export" / GONE).is_symlink()


def test_no_file_of_a_students_ends_a_purge(term: Term) -> None:
    workspace = term.workspaces / GONE / "workspace"
    local = term.workspaces / STAYS / ".local"
    (term.base / "elsewhere/share/jupyter/nbgrader_cache/pcn" / f"{GONE}+x").mkdir(parents=True)
    shutil.rmtree(local)
    local.symlink_to(term.base / "elsewhere")
    big = term.room.root / "big.csv"
    with big.open("wb") as file:
        file.truncate(removal.LARGEST + 1)
    inbound = term.exchange / "pcn" / "inbound" / STAYS
    try:
        lay_what_stops_a_copy(workspace)
        lay_what_stops_a_copy(inbound)
        options = ["--exchange", str(term.exchange), "--workspaces", str(term.workspaces)]
        command = ["purge", "--student", GONE, "--room", str(term.room.root), *options]
        dry = CliRunner().invoke(main, command)
        assert dry.exit_code == 0, dry.output
        done = CliRunner().invoke(main, [*command, "--yes", "--list"])
        assert done.exit_code == 0, done.output
        assert not os.path.lexists(workspace)
    finally:
        remove(inbound)
        remove(workspace)
    assert (term.base / "elsewhere/share/jupyter/nbgrader_cache/pcn" / f"{GONE}+x").is_dir()
    assert f"{big}: it is too large" in done.output
    assert "more than 100 folders deep" in done.output
    assert "\x1b" not in done.output
    assert not any(line.startswith("forged") for line in done.output.splitlines())


def test_a_term_with_names_that_are_no_utf_8_goes_whole(term: Term) -> None:
    odd = term.room.root / "submitted" / os.fsdecode(b"x\xe9\x1b[2J")
    odd.mkdir()
    done = purge(term.room, None, exchange=term.exchange, workspaces=term.workspaces, yes=True)
    assert done.receipt
    assert not odd.exists()
    assert r"x\xe9\x1b[2J" in done.text(whole=True)
    assert "\x1b" not in done.text(whole=True)


def test_the_doctor_passes_over_what_it_cant_look_into(term: Term) -> None:
    state = term.workspaces / STAYS / "workspace" / ".pcn"
    shutil.rmtree(state / "set-aside", ignore_errors=True)
    odd = state / os.fsdecode(b"\xe9\n\x1b[1A")
    odd.mkdir()
    (odd / ".x.tmp").touch()
    os.utime(odd / ".x.tmp", (0, 0))
    found = [*term_checks.workspaces(term.workspaces)]
    assert all(one.says.isprintable() for one in found)
    assert any(r"\xe9\x0a\x1b[1A" in one.says for one in found)
    assert as_json(found)
    (term.workspaces / STAYS / "workspace" / "step-9").symlink_to("x" * 300)
    found = [*term_checks.workspaces(term.workspaces)]
    assert any("could not be looked into" in one.says for one in found)


def test_a_pipe_that_a_student_made_is_waited_for_by_nobody(term: Term) -> None:
    workspace = term.workspaces / STAYS / "workspace"
    for path in (
        workspace / ".pcn" / "workspace.json",
        workspace / STEP / "answers.json",
        term.exchange / "pcn" / "inbound" / STAYS / "pipe",
    ):
        path.unlink(missing_ok=True)
        os.mkfifo(path)
    told = purge(term.room, GONE, exchange=term.exchange, workspaces=term.workspaces, yes=True)
    assert told.left == ()
    assert [*term_checks.workspaces(term.workspaces)]
    backup(term.room, term.base.parent / "backup", workspaces=term.workspaces)


def test_backups_below_a_folder_that_only_root_may_enter_are_named_all_the_same(
    term: Term, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = term.base.parent / "of the server"
    closed.mkdir()
    first = backup(term.room, closed / "first", workspaces=term.workspaces)
    closed.chmod(0)
    look = os.stat

    def may_not(path: object, *more: object, **options: object) -> os.stat_result:
        if isinstance(path, str) and path.startswith(f"{closed}/"):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return look(path, *more, **options)  # type: ignore[arg-type]

    try:
        if os.geteuid() == 0:  # whom no folder keeps out
            monkeypatch.setattr(os, "stat", may_not)
        second = backup(term.room, term.base.parent / "second", workspaces=term.workspaces)
        assert not [note for note in second.notes if "backups.json" in note]
        listed = purge(term.room, GONE, exchange=term.exchange, workspaces=term.workspaces)
        for made in (first, second):
            assert f"{made.path}: a backup." in "\n".join(listed.not_touched)
        remove(second.path)
        assert [one["path"] for one in backups_of(term.room)] == [str(first.path)]
    finally:
        closed.chmod(0o700)


def test_a_backup_that_is_still_there_is_named(term: Term) -> None:
    made = backup(term.room, term.base.parent / "backup", workspaces=term.workspaces)
    told = purge(term.room, GONE, exchange=term.exchange, workspaces=term.workspaces, yes=True)
    assert any(str(made.path) in line for line in told.not_touched)
    assert told.mentions == ()


def test_who_is_named_in_what_others_keep_is_listed_to_be_looked_at(term: Term) -> None:
    (term.room.root / "notes.md").write_text("Zephyrine Quillfeather wants to talk on Tuesday.")
    criterion = term.room.course.rubric.criteria[1].id
    Marking(term.room, "grader").say(STAYS, STEP, criterion, f"As {NAME[0]} {NAME[1]} said")
    wanted = (
        str(term.room.root / "notes.md"),
        "the gradebook's table pcn_event: 1 rows",
        "the gradebook's table comment: 1 rows",
    )
    for yes in (False, True):
        told = purge(term.room, GONE, exchange=term.exchange, workspaces=term.workspaces, yes=yes)
        assert told.mentions == wanted


def test_an_id_that_could_mean_a_shared_folder_is_refused(term: Term) -> None:
    before = snapshot(term.base)
    for wrong in ("../ben", "a/b", "", "submitted", STEP, "archive"):
        with pytest.raises(PurgeError):
            go(term, wrong, yes=True)
    assert snapshot(term.base) == before


def test_a_term_goes_whole_and_the_course_stays(term: Term) -> None:
    told = purge(term.room, None, exchange=term.exchange, workspaces=term.workspaces, yes=True)
    print(told.text())
    assert told.left == ()
    for trace in (*TRACES, "What Ben wrote", secret_of(STAYS)):
        assert set(term.bytes_with(trace)) <= {f"workspaces/{GONE}"}
    left = sorted(path.name for path in term.room.root.iterdir())
    assert left == [
        ".pcn", "autograded", "downloaded", "feedback", "gradebook.db", "nbgrader_config.py",
        "research", "submitted",
    ]  # fmt: skip
    assert (term.exchange / "pcn" / "outbound" / STEP).is_dir()
    with term.room.gradebook() as gradebook:
        assert gradebook.students == []
        assert [one.name for one in gradebook.assignments] == [STEP]
    assert not (term.room.root / ".pcn" / "research-secret").exists()


def test_the_pseudonym_is_the_one_of_the_research_export(term: Term) -> None:
    made = research._pseudonyms([GONE], b"s" * 40)
    assert pseudonym_of(term.room, GONE) == made[GONE]


def test_a_gradebook_on_postgresql_gives_up_the_same_rows(tmp_path: Path) -> None:
    with postgresql() as server:
        term = Term.make(tmp_path, server.database("gradebook"))
        told = purge(term.room, GONE, exchange=term.exchange, workspaces=term.workspaces, yes=True)
        assert told.left == ()
        assert {"student", "grade", "comment", "pcn_event"} <= {
            one.path for one in told.found if one.kind == "gradebook"
        }
        assert [one.id for one in term.room.students()] == [STAYS]
        assert (
            purge(term.room, GONE, exchange=term.exchange, workspaces=term.workspaces).found == ()
        )
        term.room.close()


@pytest.mark.parametrize(
    "text",
    [
        "sep=;\r\nwhat;student\r\nextension;{gone}\r\nextension;{stays}\r\n",
        "\n\nwhat,student,step,value\nextension,{gone},all,3 days\nextension,{stays},all,1 day\n",
        "\ufeffsep=\t\nwhat\tstudent\nextension\t{stays}\nextension\t {gone}\n",
    ],
)
def test_a_table_that_begins_in_another_way_is_purged_too(tmp_path: Path, text: str) -> None:
    path = tmp_path / "late.csv"
    path.write_bytes(text.format(gone=GONE, stays=STAYS).encode())
    piece = tables.rows_about(path, removal.Who(id=GONE))
    assert piece is not None
    assert (piece.count, piece.unit) == (1, "rows")
    before = path.read_bytes().splitlines()
    piece.remove()
    left = path.read_bytes().splitlines()
    assert [line for line in before if line not in left] == [
        line for line in before if GONE.encode() in line
    ]
    assert any(STAYS.encode() in line for line in left)


@pytest.mark.parametrize("who", ["j.doe", "Mary-Ann", "x" * 63])
def test_what_is_named_or_coded_otherwise_goes_too(tmp_path: Path, who: str) -> None:
    """Letters for Word, Blackboard's tables in UTF-16, the cohort's cache: whatever the id."""
    room = make_room(tmp_path / "term", [who, STAYS])
    hand_in(room, who, STEP, {"live-project": TEXT})
    table = room.root / "blackboard.xls"
    rows = f'"Last Name"\t"Username"\t"Total"\n"Q"\t"{who}"\t"9"\n"Doe"\t"{STAYS}"\t"8"\n'
    table.write_bytes(rows.encode("utf-16"))
    letters = room.root / "letters"
    letters.mkdir()
    for one in (who, STAYS):
        (letters / word_name(STEP, one)).write_bytes(b"PK letter")
    read_class(room)
    cache = room.root / ".pcn" / "cohort.cache"
    assert cache.exists()

    for name in ("GRADES.TXT", "notes.txt"):
        (room.root / name).write_text(f"Username;Total\n{who};9\n{STAYS};8\n"
                                      if name == "GRADES.TXT" else "Bring chairs.\n")  # fmt: skip

    told = purge(room, who, yes=True)
    print(told.text())
    assert (room.root / "GRADES.TXT").read_text() == f"Username;Total\n{STAYS};8\n"
    left = table.read_bytes().decode("utf-16")
    assert who not in left
    assert STAYS in left
    assert [path.name for path in letters.iterdir()] == [word_name(STEP, STAYS)]
    assert not cache.exists()

    purge(room, None, yes=True)
    assert list(letters.iterdir()) == []
    assert not table.exists()
    assert not (room.root / "GRADES.TXT").exists()
    assert (room.root / "notes.txt").exists()


def test_a_name_and_a_text_in_utf_16_are_mentions(term: Term) -> None:
    named = term.room.root / f"Talk with {GONE}.docx"
    named.write_bytes(b"PK packed")
    coded = term.room.root / "notes.md"
    coded.write_bytes(f"{NAME[0]} {NAME[1]} wants to talk.".encode("utf-16"))
    told = purge(term.room, GONE, exchange=term.exchange, workspaces=term.workspaces)
    assert {str(named), str(coded)} <= set(told.mentions)


def test_a_letter_where_all_goes_is_counted_once(term: Term) -> None:
    folder = term.room.root / "export"
    folder.mkdir()
    (folder / word_name(STEP, STAYS)).write_bytes(b"PK letter")
    told = purge(term.room, None, exchange=term.exchange, workspaces=term.workspaces)
    paths = [one.path for one in told.found]
    assert len(paths) == len(set(paths))
    assert str(folder / word_name(STEP, STAYS)) in paths


def test_a_table_in_an_older_coding_keeps_its_other_bytes(tmp_path: Path) -> None:
    path = tmp_path / "grades.csv"
    stays = b"Student,Name\r\nben,J\xf6\x81\r\n"
    path.write_bytes(stays + GONE.encode() + b",Z\r\n")
    piece = tables.rows_about(path, removal.Who(id=GONE))
    assert piece is not None
    piece.remove()
    assert path.read_bytes() == stays


RECEIPT = "Name: Zephyrine Quillfeather (zephyrine9)\nAssignment: Goals\nFilename: essay.docx\n"


def test_of_a_receipt_only_the_beginning_is_read(tmp_path: Path) -> None:
    path = tmp_path / "bulk.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bulk:
        bulk.writestr("huge.txt", RECEIPT + " " * 50_000_000)
    with zipfile.ZipFile(path) as bulk:
        tracemalloc.start()
        begins = archives._begins(bulk, "huge.txt")
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert begins.startswith(RECEIPT)
    assert most < 5_000_000


def test_a_damaged_zip_is_told_and_what_it_holds_of_others_stays(term: Term) -> None:
    path = term.room.root / "downloaded" / STEP / "archive" / "submissions.zip"
    content = path.read_bytes().replace(b"{}", b"{]")  # ben's, whose checksum is wrong by this
    path.write_bytes(content)
    told = purge(term.room, GONE, exchange=term.exchange, workspaces=term.workspaces, yes=True)
    assert [one for one in told.left if str(path) in one and "damaged" in one]
    assert path.read_bytes() == content
    assert any(one.id == GONE for one in term.room.students())


@pytest.mark.parametrize("yes", [False, True])
def test_another_spelling_of_an_id_removes_nothing(tmp_path: Path, yes: bool) -> None:
    room = make_room(tmp_path / "course", [GONE])
    write_roster(room.root / "roster.csv", Roster([Entry(id=GONE, first=NAME[0])]))
    before = (room.root / "roster.csv").read_bytes()
    with pytest.raises(PurgeError, match=f"“{GONE}”"):
        purge(room, GONE.upper(), yes=yes)
    room.close()
    assert (room.root / "roster.csv").read_bytes() == before
    assert (room.submitted / GONE).is_dir()
