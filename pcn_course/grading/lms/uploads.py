"""Feedback in the form that each LMS takes in bulk: the upload files of a released step.

Canvas
    Gradebook, assignment menu, Re-upload Submissions: a ZIP whose files are named as downloaded.
    Canvas takes the first two numbers between underscores for the user and the attachment, passes
    over files that fit no attachment, and shows a returned file *under the attachment's own name*.
    A page returned for ``….zip`` would be a ZIP that doesn't open, so that the page travels in a
    ZIP there. Sources: app/models/abstract_assignment.rb
    (``infer_comment_context_from_filename``, ``generate_comments_from_files``) in
    instructure/canvas-lms, and its issue 2406.
Moodle
    Assignment, Grading action, Upload multiple feedback files in a zip: the first part of a path
    that is ``name_number_plugintype_plugin`` names the participant. Source:
    mod/assign/feedback/file/importziplib.php in moodle/moodle.
Brightspace
    Assignment, Submissions, Add Feedback Files: a ZIP with the names or folders of the download.
    D2L documents no more of the form than that; community.d2l.com/brightspace/kb/articles/3529 and
    carleton.ca/brightspace/instructors/grading-assignments-and-providing-feedback ("Grade Offline
    and Bulk Upload Feedback Files"). The part of the name that D2L made is kept, byte for byte.
Blackboard
    There is no documented form for files. Its gradebook takes comments: Work Offline, Download,
    one column with "Include comments for this Column", and the same file is uploaded again.
    Source: help.blackboard.com, "Work Offline with Grade Data". Without that download there is a
    text column, which is what Blackboard makes of a header without a column's number.
"""

from __future__ import annotations

import html
import io
import re
import zipfile
from collections.abc import Mapping, Sequence

import msgspec

from pcn_course.grading.feedback.letter import Letter, plain_number
from pcn_course.grading.lms import LmsError
from pcn_course.grading.lms.exporting import SAFE_ID
from pcn_course.grading.lms.roster import Entry, Roster, people_in
from pcn_course.spreadsheets import Row, Sheet, csv_as_is, guarded_line, key

LMS_NAMES: dict[str, str] = {
    "canvas": "Canvas", "moodle": "Moodle", "brightspace": "Brightspace",
    "blackboard": "Blackboard",
}  # fmt: skip
_WHEN = (1980, 1, 1, 0, 0, 0)
"""Time of all members, so that the same feedback makes the same file."""
_FEEDBACK = ("feedbacktolearner", "feedbacktouser", "feedbacktostudent", "feedback")
"""Headers of Blackboard's comments for students, as letters alone."""
_CELL = 30_000
"""Maximum length of a comment in a gradebook cell, in characters; a spreadsheet holds 32,767."""
_CANVAS = re.compile(r"(?:[^/]*?_)??(?:\d+|anon_[A-Za-z0-9]+)_(?P<attachment>\d+)_(?P<file>[^/]+)")
_MOODLE = re.compile(r"(?P<name>[^/]+?)_(?P<number>\d+)(?:_[^/]*)?")
_BRIGHTSPACE = re.compile(r"\d+-\d+ - [^/]+ - [^/]+")


class Page(msgspec.Struct, frozen=True):
    """A student's feedback page. ``name`` is the upload's path as the LMS named it."""

    student: str
    name: str
    content: bytes


class Packed(msgspec.Struct, frozen=True):
    """An upload file, whom it reaches, and why it can't reach the others."""

    content: bytes
    students: tuple[str, ...]
    missed: dict[str, str]


class _MissedError(Exception):
    """The LMS would not give this page to its student."""


def page_name(step_id: str) -> str:
    """Return the name under which a student saves the feedback page of a step."""
    return f"{step_id}-feedback.html"


def upload_name(step_id: str, lms: str) -> str:
    """Return the name of a step's upload file for an LMS."""
    return f"{step_id}-{lms}.{'xls' if lms == 'blackboard' else 'zip'}"


def pack(lms: str, step_id: str, pages: Sequence[Page]) -> Packed:
    """Return the ZIP that an LMS takes as feedback for many students in one upload."""
    make = {"canvas": _canvas, "moodle": _moodle, "brightspace": _brightspace}[lms]
    members: dict[str, tuple[str, bytes]] = {}
    missed: dict[str, str] = {}
    for page in sorted(pages, key=lambda page: page.student):
        try:
            name, content = make(page, page_name(step_id))
            if name in members:
                raise _MissedError(f"{members[name][0]} has an upload of the same name")
        except _MissedError as error:
            missed[page.student] = str(error)
            continue
        members[name] = page.student, content
    made = _zip({name: content for name, (_, content) in members.items()})
    return Packed(made, tuple(student for student, _ in members.values()), missed)


def _canvas(page: Page, file: str) -> tuple[str, bytes]:
    match = _part(_CANVAS, page.name)
    words = [word for word in match[0].split("_") if word != "LATE"]
    numbers = [word for word in words if word.isdecimal()]
    attachment = words[2] if words[0] == "anon" else "".join(numbers[1:2])
    if attachment != match["attachment"] or words[-1].startswith("link"):
        raise _MissedError(f"Canvas reads other numbers in the name {match[0]}")
    ending = match["file"].lower().rpartition(".")[2]
    if ending == "zip":
        return match[0], _zip({file: page.content})
    if ending in ("html", "htm"):
        return match[0], page.content
    raise _MissedError(f"Canvas would return the page under the name {match['file']}")


def _moodle(page: Page, file: str) -> tuple[str, bytes]:
    match = _part(_MOODLE, page.name)
    # Moodle reads the number behind the first underscore.
    name = match["name"].replace("_", " ").strip(" .~") or "Participant"
    return f"{name}_{match['number']}_assignsubmission_file_/{file}", page.content


def _brightspace(page: Page, file: str) -> tuple[str, bytes]:
    part = _part(_BRIGHTSPACE, page.name)[0]
    if not page.name.endswith(part) and not part.lower().endswith(".zip"):
        return f"{part}/{file}", page.content  # D2L made a folder for this upload
    # Before the last " - " is what D2L wrote, and whatever of it a student's file name has.
    return f"{part.rpartition(' - ')[0]} - {file}", page.content


def _part(form: re.Pattern[str], path: str) -> re.Match[str]:
    """Return the first part of a path that the LMS named."""
    parts = path.replace("\\", "/").split("/")
    match = next(filter(None, map(form.fullmatch, parts)), None)
    if match is None:
        raise _MissedError(f"the name {parts[-1]} is not one that this LMS gives")
    return match


def _zip(members: Mapping[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            member = zipfile.ZipInfo(name, _WHEN)
            member.compress_type = zipfile.ZIP_DEFLATED
            member.external_attr = 0o600 << 16
            archive.writestr(member, content)
    return file.getvalue()


# ---- Blackboard's gradebook ----------------------------------------------------------------------


def comments(
    title: str, people: Sequence[Entry], texts: Mapping[str, str], sheet: Sheet | None
) -> Packed:
    """Return Blackboard's gradebook file with the feedback of each student in ``texts``.

    ``sheet`` is the instructor's own download with comments; its columns and scores are kept.

    Raises:
        LmsError: the download has no column for comments.
    """
    return _own_table(title, people, texts) if sheet is None else _filled(people, texts, sheet)


def comments_column(sheet: Sheet) -> int:
    """Return the place of the comments for students in Blackboard's download.

    Raises:
        LmsError: there is no such column.
    """
    headers = [key(header) for header in sheet.header]
    place = next((headers.index(name) for name in _FEEDBACK if name in headers), None)
    if place is None:
        raise LmsError(
            f"{sheet.path} has no column for feedback. In Blackboard, choose Work Offline, "
            "Download, this step's column, and “Include comments for this Column”. "
            "Nothing was changed."
        )
    return place


def _own_table(title: str, people: Sequence[Entry], texts: Mapping[str, str]) -> Packed:
    rows = [["Last Name", "First Name", "Username", f"{title}: Feedback"]]
    missed = {}
    students = []
    for person in people:
        if person.id not in texts:
            continue
        if not SAFE_ID.fullmatch(person.username):
            missed[person.id] = "roster.csv has no Blackboard username for this student"
            continue
        text = texts[person.id][:_CELL]
        rows.append(
            [
                guarded_line(person.last),
                guarded_line(person.first),
                person.username,
                guarded_line(text),
            ]
        )
        students.append(person.id)
    return Packed(_tabbed(rows), tuple(students), missed)


def _filled(people: Sequence[Entry], texts: Mapping[str, str], sheet: Sheet) -> Packed:
    place = comments_column(sheet)
    headers = [key(header) for header in sheet.header]
    form = next((at for at in (place + 1,) if at < len(headers) and "format" in headers[at]), None)
    lines: dict[int, Row] = {row.line: row for row in sheet.rows}
    roster = Roster(people)
    rows = [list(sheet.header)]
    students = []
    for listed in people_in(sheet, "blackboard"):
        person = roster.match(listed)
        if person is None or person.id not in texts or person.id in students:
            continue
        cells = list(lines[listed.line].cells)
        text = texts[person.id][:_CELL]
        rich = form is not None and "html" in cells[form].casefold()
        cells[place] = html.escape(text) if rich else guarded_line(text)
        rows.append(cells)
        students.append(person.id)
    missed = {
        student: f"{sheet.path.name} has no line for this student"
        for student in texts if student not in students
    }  # fmt: skip
    return Packed(_tabbed(rows), tuple(students), missed)


def _tabbed(rows: Sequence[Sequence[str]]) -> bytes:
    return csv_as_is(rows, encoding="utf-16", delimiter="\t", quote_all=True)


def feedback_line(letter: Letter) -> str:
    """Return a letter in one line, for a cell: points, comments, highlights, the next step."""
    parts = [f"{plain_number(letter.points)} of {plain_number(letter.out_of)} points"]
    if letter.late:
        parts[0] += f", {plain_number(letter.late)} deducted for late submission"
    if letter.unmarked:
        parts.append(f"Not final: scores to come: {letter.unmarked}")
    for part in (*((letter.structure,) if letter.structure else ()), *letter.parts):
        score = ""
        if part.out_of is not None:
            score = (
                "not graded yet"
                if part.points is None
                else f"{plain_number(part.points)} of {plain_number(part.out_of)}"
            )
        said = [f"“{passage.words}” {passage.comment}" for passage in part.passages]
        about = " ".join(filter(None, [score and f"{score}.", part.comment, *said]))
        name = "Completion" if part is letter.structure else part.title
        parts.append(f"{name}: {about}")
    parts += [f"“{passage.words}” {passage.comment}" for passage in letter.passages]
    if letter.aim and letter.aim.next:
        parts.append(f"Next step: {letter.aim.title}. {letter.aim.next.text}")
    return " | ".join(" ".join(part.split()) for part in parts)
