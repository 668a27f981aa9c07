"""Marking by rubric: the page's side in Python.

Marks, comments and passages go through `pcn_course.grading.gradebook.marks` straight into the
gradebook, so what is marked here stands in formgrader and in the feedback, and the other way round.
The page is told "saved" only when the gradebook has it.
"""

from __future__ import annotations

import base64
import getpass
import os
from typing import Any, ClassVar

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from pcn_course.assets import loader
from pcn_course.course import CourseError, Step, UnknownStepError
from pcn_course.files import UserError
from pcn_course.grading.agreement.calibration import SYNTHETIC, is_calibration
from pcn_course.grading.gradebook import audit_log
from pcn_course.grading.gradebook.annotations import text_of
from pcn_course.grading.gradebook.comment_bank import Phrase
from pcn_course.grading.gradebook.marks import Conflict
from pcn_course.grading.gradebook.marks import Marking as Gradebook
from pcn_course.grading.gradebook.regrade_requests import take_in
from pcn_course.grading.gradebook.room import Room, RoomError, open_room
from pcn_course.grading.gradebook.schema import requests
from pcn_course.grading.gradebook.scores import MarkError, NoSubmissionError, Submission, read_marks
from pcn_course.grading.late.penalties import recalculate
from pcn_course.grading.late.rules import FILE as LATE
from pcn_course.grading.late.rules import LateError
from pcn_course.instructor import marking_messages as asked
from pcn_course.instructor import marking_view as view
from pcn_course.instructor.marking_second import SecondMarks
from pcn_course.spreadsheets import csv_bytes
from pcn_course.widgets.base import Desk, Reply, log

OUR_FAULT = (
    "Something went wrong on our side. What says “Saved” is in the gradebook. Reload this page."
)
NO_GRADEBOOK = (
    "The gradebook can't be reached just now. Nothing was changed; the page tries again by itself."
)
GONE = "This submission is not in the gradebook any more. Reload this page."
RUBRIC_CHANGED = (
    "The rubric has changed since you chose this score. Load the page again, and choose a level. "
    "Nothing was changed."
)


class NotThereError(UserError):
    """What the page asks about is not there. ``plain`` says so to the marker."""


class RubricChangedError(NotThereError):
    """A score was given on a rubric that is another one by now."""


def check_rubric(room: Room, shown: str) -> None:
    """Check that the rubric's file still holds what the page has ``shown``: its version.

    A page that says none is taken to show what ``room`` was opened with.

    Raises:
        RubricChangedError: the file holds another rubric.
        CourseError: the course's files hold faults.
    """
    if view.version_now(room.course) != (shown or view.version(room.course)):
        raise RubricChangedError(RUBRIC_CHANGED)


class Marking(Desk):
    """The submissions of a room, to be marked. Nothing is opened before a page asks."""

    _asset = "marking"
    _esm = loader("marking")
    _takes: ClassVar[Any] = asked.Request

    def __init__(self, room: Room | None = None) -> None:
        super().__init__("marking")
        self._given = room
        self._gradebooks: dict[str, Gradebook] = {}
        self._markers: dict[str, str] = {}
        self._handles: dict[tuple[str, str], str] = {}

    def _answer(self, message: asked.Asked) -> None:
        try:
            reply = self._reply(message)
        except Conflict as error:
            current = view.mark_json(error.current)
            reply = {
                "type": "conflict", "message": error.plain, "current": current, "anew": error.anew,
            }  # fmt: skip
        except NoSubmissionError:
            reply = {"type": "problem", "message": GONE}  # its own words name the student
        except RubricChangedError as error:
            reply = {"type": "problem", "message": error.plain, "changed": True}
        except (MarkError, RoomError, NotThereError) as error:
            reply = {"type": "problem", "message": error.plain}
        except CourseError as error:
            reply = {"type": "problem", "message": str(error)}
        except SQLAlchemyError:
            log.exception("%s: the gradebook failed", self._called)
            reply = {"type": "problem", "message": NO_GRADEBOOK, "again": True}
        except Exception:  # noqa: BLE001 (whatever it is, the page is told in plain words)
            log.exception("%s: the answer to %s failed", self._called, type(message).__name__)
            reply = {"type": "problem", "message": OUR_FAULT}
        self.send({**reply, "client": message.client, "seq": message.seq})

    def _reply(self, message: asked.Asked) -> Reply:
        if isinstance(message, asked.Give | asked.Undo):
            check_rubric(self._room(), message.version)
        match message:
            case asked.Open():
                return self._open(message)
            case asked.OnOne():
                return self._on_one(message)
            case asked.List():
                return self._list(message)
            case asked.Names():
                return self._names(message)
            case asked.Undo():
                return self._undo(message)
        return self._bank(message)

    # The room and the step

    def _room(self) -> Room:
        if self._given is None:
            self._given = open_room()
        return self._given

    def _gradebook(self, message: asked.Asked) -> Gradebook:
        name = self._markers.get(message.client) or whoever("")
        if name not in self._gradebooks:
            self._gradebooks[name] = Gradebook(self._room(), name)
        return self._gradebooks[name]

    def _step(self, message: asked.OnStep | asked.Phrases) -> Step:
        try:
            return self._room().course.step(message.step)
        except UnknownStepError as error:
            raise NotThereError(str(error)) from error

    def _open(self, message: asked.Open) -> Reply:
        self._markers[message.client] = whoever(message.marker)
        room = self._room()
        if view.version_now(room.course) != view.version(room.course):
            self._given, self._gradebooks = open_room(room.root), {}
            room.close()
            room = self._given
        gradebook = self._gradebook(message)
        _catch_up(gradebook)
        return {
            "type": "room",
            "course": room.course.title,
            "course_id": room.course_id,
            "marker": gradebook.marker,
            "signed_in": signed_in() is not None,
            "calibration": is_calibration(room),
            "structure": room.course.rubric.structure,
            "criteria": view.rubric(room.course),
            "version": view.version(room.course),
            "steps": view.steps(room.course, read_marks(room)),
        }

    def _list(self, message: asked.List) -> Reply:
        step = self._step(message)
        found = self._gradebook(message).listed(step.id)
        if message.second:
            own = SecondMarks(self._gradebook(message)).of_step(found, step.id)
            return {
                "type": "list",
                "step": step.id,
                "second": True,
                "submissions": [
                    view.listed_blind(self._handle(step.id, who), one, own[who])
                    for one in found
                    for who in [one.student.id]
                ],
            }
        waiting: dict[str, int] = {}
        for row in self._requests(step.id):
            waiting[row["student"]] = waiting.get(row["student"], 0) + (row["answer"] is None)
        return {
            "type": "list",
            "step": step.id,
            "second": False,
            "submissions": [
                view.listed(self._handle(step.id, who), one, waiting.get(who, 0))
                for one in found
                for who in [one.student.id]
            ],
        }

    def _names(self, message: asked.Names) -> Reply:
        step = self._step(message)
        # Notes say who uploaded what, so that they come with the names alone.
        found = {
            self._handle(step.id, one.student.id): [one.student.name, one.student.id, *one.notes]
            for one in self._gradebook(message).listed(step.id)
        }
        self._note("names", self._gradebook(message), step)
        return {"type": "names", "step": step.id, "names": found}

    def _note(self, what: str, gradebook: Gradebook, step: Step, student: str = "") -> None:
        """Note who saw whose marks or names."""
        seen = audit_log.line(what, marker=gradebook.marker, student=student, step=step.id)
        audit_log.write(self._room().root, [seen])

    def _undo(self, message: asked.Undo) -> Reply:
        step = self._step(message)
        undone = self._gradebook(message).undo(step.id)
        if undone is None:
            return {"type": "undone", "nothing": True}
        return {
            "type": "undone",
            "student": self._handle(step.id, undone.student),
            "criterion": undone.criterion,
            "what": undone.what,
            "before": undone.before,
            "after": undone.after,
        }

    # One submission

    def _on_one(self, message: asked.OnOne) -> Reply:
        step = self._step(message)
        student = self._student(message)
        gradebook = self._gradebook(message)
        if message.second:
            return self._blind(gradebook.submission(student, step.id), message)
        if is_calibration(self._room()):
            raise NotThereError("In a calibration the first marks are the agreed ones, and stay.")
        match message:
            case asked.Give():
                gradebook.give(
                    student, step.id, message.criterion, message.points, seen=message.seen,
                    sha256=message.sha256,
                )  # fmt: skip
            case asked.Say():
                gradebook.say(
                    student, step.id, message.criterion, message.comment, seen=message.seen
                )
            case asked.Highlight():
                self._highlight(gradebook, step, student, message)
            case asked.Unhighlight():
                if any(one.id == message.id for one in gradebook.passages.of(student, step.id)):
                    gradebook.passages.unmark(message.id)
        submission = gradebook.submission(student, step.id)
        if isinstance(message, asked.Read):
            self._note("read", gradebook, step, student)
        reply = {
            "type": "standing",
            "step": step.id,
            "student": message.student,
            "second": False,
            **view.standing(submission),
        }
        if isinstance(message, asked.Give | asked.Say):
            return reply
        shown = [view.highlight_json(one) for one in gradebook.passages.of(student, step.id)]
        if not isinstance(message, asked.Read):
            return {**reply, "highlights": shown}
        return {**reply, **self._whole(gradebook, step, submission), "highlights": shown}

    def _blind(self, submission: Submission, message: asked.OnOne) -> Reply:
        """What a second marker does and sees: the answer, and marks of their own."""
        own = SecondMarks(self._gradebook(message))
        match message:
            case asked.Give():
                own.give(
                    submission, message.criterion, message.points, message.seen,
                    sha256=message.sha256,
                )  # fmt: skip
            case asked.Say():
                own.say(submission, message.criterion, message.comment, message.seen)
            case asked.Read():
                self._note(
                    "read, second", self._gradebook(message), self._step(message),
                    submission.student.id,
                )  # fmt: skip
            case _:
                raise NotThereError("A second marker gives marks and notes alone.")
        step = self._step(message)
        own_marks = {key: view.mark_json(mark) for key, mark in own.marks(submission).items()}
        reply = {
            "type": "standing",
            "step": step.id,
            "student": message.student,
            "second": True,
            "marks": own_marks,
        }
        if not isinstance(message, asked.Read):
            return reply
        return {
            **reply,
            **_answers(self._gradebook(message), step, submission),
            "type": "submission",
            "pseudonym": submission.pseudonym,
            "handed_in": None,
            "seconds_late": 0,
            "notes": [SYNTHETIC] if is_calibration(self._room()) else [],
            "requests": [],
            "highlights": [],
        }

    def _whole(self, gradebook: Gradebook, step: Step, submission: Submission) -> Reply:
        student = submission.student.id
        asked_again = [
            {
                "id": row["id"],
                "criterion": row["criterion"],
                "text": row["text"],
                "at": row["at"].isoformat(),
                "answer": row["answer"],
            }
            for row in self._requests(step.id)
            if row["student"] == student
        ]
        return {
            "type": "submission",
            "pseudonym": submission.pseudonym,
            **_answers(gradebook, step, submission),
            **view.handed_in(submission),
            "requests": asked_again,
        }

    def _highlight(
        self, gradebook: Gradebook, step: Step, student: str, message: asked.Highlight
    ) -> None:
        where = message.prompt, message.row, message.column
        text = text_of(step, self._room().answers(student, step.id), *where)
        end = message.start + len(message.passage)
        if text[message.start : end] != message.passage:
            raise NotThereError(
                "This passage is not in the answer any more. Reload, and choose it again."
            )
        new = *where, message.start, end, message.comment, message.criterion
        for one in gradebook.passages.of(student, step.id):
            # A message that came twice, because its answer was late, marks once.
            if new == (
                one.prompt, one.row, one.column, one.start, one.end, one.comment, one.criterion,
            ):  # fmt: skip
                return
        if message.criterion is not None and message.criterion not in gradebook.criteria:
            raise NotThereError("The rubric has no such criterion. Reload this page.")
        gradebook.passages.mark(
            student, step.id, prompt=message.prompt, row=message.row, column=message.column,
            start=message.start, end=end, passage=message.passage, comment=message.comment,
            criterion=message.criterion,
        )  # fmt: skip

    def _handle(self, step_id: str, student: str) -> str:
        name = view.handle(self._room().course_id, step_id, student)
        self._handles[step_id, name] = student
        return name

    def _student(self, message: asked.OnOne) -> str:
        step_id = self._step(message).id
        if (step_id, message.student) not in self._handles:
            # The page is older than this kernel.
            for one in self._gradebook(message).listed(step_id):
                self._handle(step_id, one.student.id)
        try:
            return self._handles[step_id, message.student]
        except KeyError:
            raise NotThereError(GONE) from None

    def _requests(self, step_id: str) -> list[dict[str, Any]]:
        """All requests for regrading of a step, the oldest first."""
        wanted = select(requests).where(requests.c.step == step_id).order_by(requests.c.id)
        with self._room().engine.connect() as connection:
            return [dict(row) for row in connection.execute(wanted).mappings()]

    # The bank of comments

    def _bank(self, message: asked.Asked) -> Reply:
        gradebook = self._gradebook(message)
        match message:
            case asked.Phrases():
                found = gradebook.phrases.fitting(self._step(message).id, message.criterion)
                return {"type": "phrases", "phrases": [view.phrase_json(one) for one in found]}
            case asked.ExportPhrases():
                data = base64.b64encode(phrases_csv(gradebook.phrases.fitting())).decode()
                return {"type": "file", "filename": "phrases.csv", "mime": "text/csv", "data": data}
            case asked.AddPhrase():
                gradebook.phrases.add(message.text, criterion=message.criterion)
            case asked.ChangePhrase():
                gradebook.phrases.change(message.id, message.text)
            case asked.RemovePhrase():
                gradebook.phrases.remove(message.id)
            case asked.UsePhrase():
                gradebook.phrases.used(message.id)
        return {"type": "done"}


def open_marking() -> Marking:
    """The marking page of the room in the current folder."""
    return Marking()


def _answers(gradebook: Gradebook, step: Step, submission: Submission) -> Reply:
    """The answers, and their hash: a mark says with it on which answers it was given."""
    where = submission.student.id, step.id
    sha256 = gradebook.sha256(*where)
    return {"sha256": sha256, **view.answers(step, gradebook.room.answers(*where))}


def _catch_up(gradebook: Gradebook) -> None:
    """Take in what students ask, and renew penalties: dates may have moved since the last mark.

    Without a table there are none, as for an export: penalties of one that is gone are taken back.
    """
    room = gradebook.room
    for step in room.course.steps:
        _, odd = take_in(gradebook, step.id)
        for one in odd:
            log.warning("Left out: %s", one)
    try:
        recalculate(room)
    except LateError as error:
        log.warning("Penalties are as they were, because %s holds faults: %s", LATE, error)


def signed_in() -> str | None:
    """Who has signed in on a hub; ``None`` on a machine of one's own."""
    return os.environ.get("JUPYTERHUB_USER") or None


def whoever(said: str) -> str:
    """The name under which marks are kept: the hub's; else what the page says; else the user's."""
    said = " ".join("".join(one for one in said if one.isprintable()).split())
    if name := signed_in() or said or os.environ.get("PCN_MARKER"):
        return name
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "marker"


def phrases_csv(found: list[Phrase]) -> bytes:
    """The bank of comments as a table, for a spreadsheet; nothing in it is a formula."""
    head = ["text", "criterion", "step", "by", "used"]
    return csv_bytes(
        head, [[one.text, one.criterion or "", one.step or "", one.by, one.used] for one in found]
    )
