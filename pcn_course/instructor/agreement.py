"""Second marking: how far markers agree, and what is to be settled; the page's side in Python.

What is settled here goes to the gradebook through `pcn_course.grading.gradebook.second_marks`; the
page is told "saved" only when it is there.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import msgspec
from sqlalchemy.exc import SQLAlchemyError

from pcn_course.assets import loader
from pcn_course.course import CourseError, UnknownStepError
from pcn_course.grading.agreement.calibration import is_calibration, moved
from pcn_course.grading.gradebook.marks import Conflict, Marking
from pcn_course.grading.gradebook.room import Room, RoomError, open_room
from pcn_course.grading.gradebook.scores import Mark, MarkError, NoSubmissionError
from pcn_course.grading.gradebook.second_marks import (
    MAX_REASON,
    Twice,
    marked_twice,
    note_look,
    settle,
)
from pcn_course.instructor import agreement_view as view
from pcn_course.instructor import marking_view
from pcn_course.instructor.marking import (
    NO_GRADEBOOK,
    NotThereError,
    check_rubric,
    signed_in,
    whoever,
)
from pcn_course.instructor.marking_messages import Asked, Handle, Open, Points
from pcn_course.widgets.base import Desk, Reply, log
from pcn_course.widgets.protocol import Word

OUR_FAULT = (
    "Something went wrong on our side. What stands under “Settled” is in the gradebook. "
    "Reload this page."
)
GONE = "This is not marked twice any more. Nothing was changed. Reload this page."


class Read(Asked, frozen=True, kw_only=True, tag="read"):
    """Figures, differences and drift; without ``scope``, a step, of all steps."""

    scope: Word | None


class Settle(Asked, frozen=True, kw_only=True, tag="settle"):
    """Settle a difference.

    ``seen`` is the mark that stood there when it was decided, ``after`` the time of the settlement
    that was seen, if any. ``scope`` is what is read afterwards. ``version`` is that of the rubric
    that the page shows.
    """

    scope: Word | None
    step: Word
    student: Handle
    criterion: Word
    points: Points
    reason: Annotated[str, msgspec.Meta(max_length=MAX_REASON)]
    seen: Points | None
    after: Word | None
    version: Word = ""


class Agreement(Desk):
    """What was marked twice in a room. Nothing is opened before a page asks."""

    _asset = "agreement"
    _esm = loader("agreement")
    _takes: ClassVar[Any] = Open | Read | Settle

    def __init__(self, room: Room | None = None) -> None:
        super().__init__("agreement")
        self._given = room
        self._markers: dict[str, str] = {}

    def _answer(self, message: Asked) -> None:
        try:
            reply = self._reply(message)
        except NoSubmissionError:
            reply = {"type": "problem", "message": GONE}  # its own words name the student
        except (MarkError, RoomError, NotThereError) as error:
            reply = {"type": "problem", "message": error.plain}
        except (CourseError, UnknownStepError) as error:
            reply = {"type": "problem", "message": str(error)}
        except SQLAlchemyError:
            log.exception("%s: the gradebook failed", self._called)
            reply = {"type": "problem", "message": NO_GRADEBOOK, "again": True}
        except Exception:  # noqa: BLE001 (whatever it is, the page is told in plain words)
            log.exception("%s: the answer to %s failed", self._called, type(message).__name__)
            reply = {"type": "problem", "message": OUR_FAULT}
        self.send({**reply, "client": message.client, "seq": message.seq})

    def _reply(self, message: Asked) -> Reply:
        match message:
            case Open():
                return self._open(message)
            case Settle():
                return self._settle(message)
            case Read():
                return self._report(message, message.scope)
        raise NotThereError(OUR_FAULT)

    def _open(self, message: Open) -> Reply:
        self._markers[message.client] = whoever(message.marker)
        course = self._room().course
        return {
            "type": "room",
            "marker": self._markers[message.client],
            "signed_in": signed_in() is not None,
            "criteria": marking_view.rubric(course),
            "version": marking_view.version(course),
            "steps": [{"id": one.id, "number": one.number, "short": one.short}
                      for one in course.steps],
            "calibration": is_calibration(self._room()),
            "nothing": view.NOTHING,
            "how": view.how(self._room()),
        }  # fmt: skip

    def _report(self, message: Asked, scope: str | None) -> Reply:
        marking = self._marking(message)
        room = marking.room
        step = room.course.step(scope).id if scope else None
        note_look(marking, step)
        found, drift = marked_twice(marking, step), moved(marking, step)
        told = view.report(room.course, room.course_id, found, drift)
        return {"type": "report", "scope": scope, **told}

    def _settle(self, message: Settle) -> Reply:
        marking = self._marking(message)
        check_rubric(marking.room, message.version)
        if is_calibration(marking.room):
            raise NotThereError("In a calibration nothing is settled: talk about what differs.")
        step = marking.room.course.step(message.step).id
        one = self._twice(marking, step, message)
        reason = message.reason.strip()
        done = one.settled
        after = done.at.isoformat() if done else None
        # A message that came twice, because its answer was late, settles once.
        if not done or (done.by, done.points, done.reason) != (
            marking.marker, message.points, reason,
        ):  # fmt: skip
            try:
                if done and after != message.after:
                    now = Mark(one.points, done.reason, open=False, by=done.by, at=done.at)
                    raise Conflict("Somebody has settled this meanwhile.", now)
                settle(
                    marking, one.student, step, message.criterion, message.points,
                    reason=reason, seen=message.seen,
                )  # fmt: skip
            except Conflict as error:
                current = marking_view.mark_json(error.current)
                return {
                    "type": "conflict", "message": error.plain, "current": current, "after": after,
                }  # fmt: skip
        return self._report(message, message.scope)

    def _twice(self, marking: Marking, step: str, message: Settle) -> Twice:
        course_id = marking.room.course_id
        for one in marked_twice(marking, step):
            handle = marking_view.handle(course_id, step, one.student)
            if (handle, one.criterion) == (message.student, message.criterion):
                return one
        raise NotThereError(GONE)

    def _marking(self, message: Asked) -> Marking:
        return Marking(self._room(), self._markers.get(message.client) or whoever(""))

    def _room(self) -> Room:
        if self._given is None:
            self._given = open_room()
        return self._given


def open_agreement() -> Agreement:
    """Second marking in the room of the current folder."""
    return Agreement()
