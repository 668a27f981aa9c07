"""Feedback for many in one upload: what is written is read back as each LMS would read it."""

from __future__ import annotations

import csv
import datetime as dt
import io
import zipfile
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pcn_course.grading.feedback.letter import Letter, Part, Passage
from pcn_course.grading.lms import LmsError
from pcn_course.grading.lms.roster import Entry
from pcn_course.grading.lms.uploads import (
    Page,
    comments,
    feedback_line,
    pack,
    page_name,
    upload_name,
)
from pcn_course.spreadsheets import read_sheet
from tests.grading.lms import returns
from tests.grading.lms.readers import RefusedError
from tests.grading.lms.samples import CLASS, STEP, Upload, bulk, moodle_number, table

WHEN = dt.datetime(2026, 11, 20, 15, 42, tzinfo=dt.UTC)
ZONE = ZoneInfo("America/New_York")


def html(student: str) -> bytes:
    return f"<!doctype html><title>Feedback for {student}</title>".encode()


def pages(
    lms: str, folder: Path, *, file: str = "step-1-goals+{}+20261120T154200Z.zip"
) -> list[Page]:
    """A page for everybody in the class, with the names that an LMS's own ZIP has."""
    uploads = [Upload(one, file.format(one.id), b"x", WHEN, late=one.id == "zoe") for one in CLASS]
    with zipfile.ZipFile(bulk(lms, uploads, folder / "all.zip", ZONE)) as archive:
        names = archive.namelist()
    return [
        Page(one.id, f"all.zip/{name}", html(one.id))
        for one, name in zip(CLASS, names, strict=True)
    ]


def attachments(file: str = "step-1-goals+{}+20261120T154200Z.zip") -> dict[int, tuple[str, str]]:
    return {
        56_000 + at: (str(one.number), file.format(one.id)) for at, one in enumerate(CLASS)
    }  # fmt: skip


def test_canvas_gives_each_page_to_its_student_in_a_form_that_opens(tmp_path: Path) -> None:
    made = pack("canvas", STEP, pages("canvas", tmp_path))
    read = returns.canvas(made.content, attachments())
    assert read == {str(one.number): html(one.id) for one in CLASS}
    assert made.missed == {}
    assert sorted(made.students) == sorted(one.id for one in CLASS)
    # The same again makes the same file.
    assert pack("canvas", STEP, pages("canvas", tmp_path)).content == made.content


def test_canvas_names_whose_page_would_not_open(tmp_path: Path) -> None:
    several = pages("canvas", tmp_path, file="answers.json")
    several[0] = Page("ada", "doejr_1001_56000_page.html", html("ada"))
    several[1] = Page("ben", "roe_1002_56001_link_file.zip", html("ben"))
    several[2] = Page("zoe", "zoe_l_4_m_1003_56002_file.zip", html("zoe"))
    several[3] = Page("eve", "essay.zip", html("eve"))
    made = pack("canvas", STEP, several)
    assert sorted(made.students) == ["ada", "ben"]
    named = {56_000: ("1001", "page.html"), 56_001: ("1002", "link_file.zip")}
    assert returns.canvas(made.content, named) == {"1001": html("ada"), "1002": html("ben")}
    assert "answers.json" in made.missed["mei"]
    assert "other numbers" in made.missed["zoe"]
    assert "essay.zip" in made.missed["eve"]


def test_canvas_with_hidden_names(tmp_path: Path) -> None:
    several = [
        Page("ada", "anon_Ab1cd_56000_step-1.zip", html("ada")),
        Page("ben", "LATE_anon_77777_56001_step-1-1.zip", html("ben")),
    ]
    made = pack("canvas", STEP, several)
    named = {56_000: ("Ab1cd", "step-1.zip"), 56_001: ("77777", "step-1-1.zip")}
    assert returns.canvas(made.content, named) == {"Ab1cd": html("ada"), "77777": html("ben")}


@pytest.mark.parametrize("hidden", [False, True])
def test_moodle_finds_each_participant(tmp_path: Path, *, hidden: bool) -> None:
    several = pages("moodle", tmp_path)
    if hidden:
        several = [
            Page(
                one.id,
                f"Participant_{moodle_number(one)}_assignsubmission_file_/x.zip",
                html(one.id),
            )
            for one in CLASS
        ]
    made = pack("moodle", STEP, several)
    submitted = {moodle_number(one): {page_name(STEP): b"<!doctype html>older"} for one in CLASS}
    read = returns.moodle(made.content, submitted)
    assert read == {moodle_number(one): html(one.id) for one in CLASS}
    assert made.missed == {}


def test_moodle_reads_no_number_out_of_a_name() -> None:
    page = Page("ada", "Ada_12 Doe_77_assignsubmission_file/x.zip", html("ada"))
    made = pack("moodle", STEP, [page])
    assert returns.moodle(made.content, {77: {}, 12: {}}) == {77: html("ada")}


@pytest.mark.parametrize("folders", [False, True])
def test_brightspace_gets_back_the_names_that_it_made(tmp_path: Path, *, folders: bool) -> None:
    several = pages("brightspace", tmp_path)
    parts = [page.name.rpartition("/")[2].rpartition(" - ")[0] for page in several]
    if folders:
        several = [
            Page(page.student, f"{part}/step-1.zip", page.content)
            for page, part in zip(several, parts, strict=True)
        ]
    made = pack("brightspace", STEP, several)
    read = returns.brightspace(made.content, parts)
    assert read == {part: page.content for part, page in zip(parts, several, strict=True)}
    with zipfile.ZipFile(io.BytesIO(made.content)) as archive:
        assert all(("/" in name) == folders for name in archive.namelist())


def test_brightspace_s_part_is_kept_in_whatever_form_it_has() -> None:
    names = {
        "ada": ("397-255 - Zoë Ray - 2026-11-20 1042", " - my - file.zip"),
        "ben": ("100001-2000001 - zoe Zoë Ray - Jul 30, 2026 1053 PM", "/step-1.zip"),
        "eve": ("1-2 - Eve 1999 - 20.11.2026 10.42", "/sub/answers.json"),
        "mei": ("1-3 - Mei - Nov 20, 2026 1042 AM", " - outer.zip/inner.zip"),
    }
    several = [Page(one, f"all.zip/{part}{rest}", html(one)) for one, (part, rest) in names.items()]
    made = pack("brightspace", STEP, several)
    with zipfile.ZipFile(io.BytesIO(made.content)) as archive:
        told = sorted(archive.namelist())
    file = page_name(STEP)
    assert told == sorted([
        f"397-255 - Zoë Ray - 2026-11-20 1042 - my - {file}",
        f"100001-2000001 - zoe Zoë Ray - Jul 30, 2026 1053 PM/{file}",
        f"1-2 - Eve 1999 - 20.11.2026 10.42/{file}",
        f"1-3 - Mei - Nov 20, 2026 1042 AM - {file}",
    ])  # fmt: skip
    read = returns.brightspace(made.content, [part for part, _ in names.values()])
    assert read == {part: html(one) for one, (part, _) in names.items()}


def test_two_of_one_name_are_not_mixed_up() -> None:
    name = "Ada Doe_77_assignsubmission_file_/x.zip"
    made = pack("moodle", STEP, [Page("ada", name, html("ada")), Page("ben", name, html("ben"))])
    assert returns.moodle(made.content, {77: {}}) == {77: html("ada")}
    assert "ada has an upload of the same name" in made.missed["ben"]


def zipped(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def test_the_readers_refuse_what_an_lms_would_lose() -> None:
    page = html("ada")
    known = {56_000: ("1001", "step-1.zip")}
    for name, content in (
        ("feedback.html", page),  # fits nobody
        ("doe_1001_56000_step-1.zip", page),  # would be a ZIP that doesn't open
        ("doe_1002_56000_step-1.zip", zipped(**{"a.html": page})),  # another's attachment
        ("doe_1001_56000_link.zip", zipped(**{"a.html": page})),
        ("../doe_1001_56000_step-1.zip", zipped(**{"a.html": page})),
        ("doe_1001_56000_step-1.zip", zipped(**{"a.html": b"nothing"})),
    ):
        with pytest.raises(RefusedError):
            returns.canvas(zipped(**{name: content}), known)
    for name, content in (
        ("Ada Doe/feedback.html", page),
        ("Ada Doe_78_assignsubmission_file_/feedback.html", page),
        ("Ada_Doe_77_assignsubmission_file_/feedback.html", page),
        ("Ada Doe_77_assignsubmission_onlinetext_/feedback.html", page),
        ("Ada Doe_77_assignsubmission_file_/.feedback.html", page),
        ("Ada Doe_77_assignsubmission_file_/same.html", b"<!doctype html>same"),
        ("Ada Doe_77_assignsubmission_file_/feedback.html", b"PK"),
    ):
        with pytest.raises(RefusedError):
            returns.moodle(zipped(**{name: content}), {77: {"same.html": b"<!doctype html>same"}})
    part = "397000-25573 - Ada Doe - Nov 20, 2026 1042 AM"
    for name in ("Ada Doe/feedback.html", f"{part}.html", f"397000-25574{part[12:]}/feedback.html"):
        with pytest.raises(RefusedError):
            returns.brightspace(zipped(**{name: page}), [part])
    with pytest.raises(RefusedError):
        returns.blackboard("Username\tGoals: Feedback\r\nada\tGood\r\n".encode("utf-16"), ["ada"])


PEOPLE = [
    Entry(id=one.id, first=one.first, last=one.last, username=one.login) for one in CLASS
]  # fmt: skip
TEXTS = {one.id: f"13 of 20 points | Said to {one.id}: <b>“=1+1”</b>" for one in CLASS}
DOWNLOAD = (
    "Last Name", "First Name", "Username", "Student ID", "Goals [Total Pts: 20 Score] |4711",
    "Grading Notes", "Notes Format", "Feedback to Learner", "Feedback Format",
)  # fmt: skip


def download(folder: Path, *, form: str = "SMART_TEXT", head: tuple[str, ...] = DOWNLOAD) -> Path:
    rows: list[list[object]] = [list(head)]
    rows += [
        [
            one.last.lstrip("="),
            one.first.lstrip("="),
            one.login,
            one.number,
            "13",
            "",
            form,
            "",
            form,
        ]
        for one in CLASS
    ]
    rows.append(["Nobody", "Known", "nobody", 1, "", "", form, "Kept", form])
    path = folder / "gc_column.xls"
    path.write_bytes(table(rows, "\t", quote=True).encode("utf-16"))
    return path


def test_blackboard_s_own_download_gets_the_comments(tmp_path: Path) -> None:
    path = download(tmp_path)
    made = comments("Goals", PEOPLE, TEXTS, read_sheet(path))
    users = [one.login for one in CLASS]
    read = returns.blackboard(made.content, users, path.read_bytes())
    assert read == {one.login: TEXTS[one.id] for one in CLASS}
    assert made.missed == {}
    rich = comments("Goals", PEOPLE, TEXTS, read_sheet(download(tmp_path, form="HTML")))
    read = returns.blackboard(rich.content, users, path.read_bytes())
    assert "&lt;b&gt;“=1+1”&lt;/b&gt;" in read["ada"]


def test_without_a_download_blackboard_gets_a_text_column() -> None:
    people = [*PEOPLE, Entry(id="una")]
    made = comments("Goals", people, {**TEXTS, "una": "x"}, None)
    read = returns.blackboard(made.content, [one.login for one in CLASS])
    assert read == {one.login: TEXTS[one.id] for one in CLASS}
    assert "username" in made.missed["una"]


def test_a_download_without_comments_is_refused(tmp_path: Path) -> None:
    path = download(tmp_path, head=(*DOWNLOAD[:7], "Remarks", "Remarks Format"))
    with pytest.raises(LmsError, match="no column for feedback"):
        comments("Goals", PEOPLE, TEXTS, read_sheet(path))


def test_a_letter_in_one_line() -> None:
    part = Part(
        id="ethics", title="Ethics", question="", points=3, out_of=4, level=None, next=None,
        levels=(), comment="Name\nwhom it concerns.",
        passages=(Passage("Goals", "my words", "Why?", earlier=False),),
    )  # fmt: skip
    letter = Letter(
        course="PCN", title="Goals", number=1, steps=5, name="Ada", handed_in=WHEN, points=13,
        out_of=20, late=2, unmarked=1, structure=None, by_hand=False, parts=(part,), passages=(),
        aim=None, at_the_top=False, since=None, changes=(), requests=(),
    )  # fmt: skip
    assert feedback_line(letter) == (
        "13 of 20 points, 2 deducted for late submission | Not final: scores to come: 1 | "
        "Ethics: 3 of 4. Name whom it concerns. “my words” Why?"
    )


def test_names_of_the_files() -> None:
    assert upload_name(STEP, "canvas") == f"{STEP}-canvas.zip"
    assert upload_name(STEP, "blackboard") == f"{STEP}-blackboard.xls"
    assert next(csv.reader([page_name(STEP)])) == ["step-1-goals-feedback.html"]
