"""Home: where the student is in the course, and what comes next."""

from __future__ import annotations

import datetime as dt
import threading
from typing import Any, ClassVar

from pcn_course.assets import loader
from pcn_course.course import Course, Step, load_course
from pcn_course.files import StorageError
from pcn_course.widgets import protocol
from pcn_course.widgets.base import Desk, Reply, log
from pcn_course.workspace import StepState, Workspace, open_workspace

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_PAGES = ("portfolio.ipynb", "example.ipynb")


class Home(Desk):
    """The steps of a course as cards, for the student to whom a workspace belongs."""

    _asset = "home"
    _esm = loader("home")
    _takes: ClassVar[Any] = protocol.Open

    def __init__(self, course: Course, workspace: Workspace) -> None:
        super().__init__("home")
        self._course = course
        self._workspace = workspace
        self._fetching = threading.Lock()

    def _answer(self, message: protocol.Open) -> None:
        self.send(self._home(message.client))
        if self._fetching.acquire(blocking=False):
            self._beside(lambda: self._fetch_feedback(message.client))

    def _home(self, client: str) -> Reply:
        try:
            states = [(step, self._workspace.step(step)) for step in self._course.steps]
        except StorageError as error:
            return {"type": "problem", "client": client, "message": error.plain}
        except Exception:  # noqa: BLE001 (whatever it is, the page is told in plain words)
            log.exception("home failed")
            message = "Something went wrong on our side. Reload this page."
            return {"type": "problem", "client": client, "message": message}
        return {
            "type": "home",
            "client": client,
            "title": self._course.title,
            "cards": [_card(step, state) for step, state in states],
            "next": _next(states),
            # Only what was filled in: a course may bring no example.
            "pages": [name for name in _PAGES if (self._workspace.root / name).is_file()],
        }

    def _fetch_feedback(self, client: str) -> list[Reply]:
        """Home as it is when feedback came; nothing when none did."""
        from pcn_course.exchange import HandInError, fetch_feedback

        try:
            found = fetch_feedback(self._workspace, course=self._course)
        except HandInError as error:
            log.warning("home: no feedback was fetched: %s", error.plain)
            return []
        except Exception:  # noqa: BLE001 (home is of use without it)
            log.exception("home: no feedback was fetched")
            return []
        finally:
            self._fetching.release()
        return [self._home(client)] if found else []


def open_home() -> Home:
    """Home of the workspace in the current folder.

    Raises:
        CourseError: the course's files hold faults.
    """
    return Home(load_course(), open_workspace())


def _card(step: Step, state: StepState) -> dict[str, Any]:
    return {
        "number": step.number,
        "id": step.id,
        "short": step.short,
        "summary": step.summary,
        "minutes": step.minutes,
        "path": step.path,
        "state": state.state,
        "answered": state.answered,
        "required": state.required,
        "due": _iso(state.due),
        "overdue": state.overdue,
        "submitted_at": _iso(state.submitted.when) if state.submitted else None,
        "how": state.submitted.how if state.submitted else None,
        "changed_since": state.changed_since,
        "feedback": bool(state.feedback),
        "next": _action(step, state)[1],
    }


def _next(states: list[tuple[Step, StepState]]) -> dict[str, str] | None:
    """What to do next: new feedback is read at any time, so work that is open comes first."""
    unfinished = ("in-progress", "ready", "not-started")
    for wanted in (
        lambda state: state.state in unfinished,
        lambda state: state.changed_since,
        lambda state: state.state == "feedback",
    ):
        for step, state in states:
            if wanted(state):
                link, text = _action(step, state)
                return {"path": step.path, "link": link, "text": text}
    return None


def _action(step: Step, state: StepState) -> tuple[str, str]:
    """The next thing to do in a step: the words of the link to it, and what there is to say."""
    here = f"step {step.number}"
    open_ = state.required - state.answered
    if state.state == "not-started":
        return f"start {here}", f"it takes about {step.minutes} minutes"
    if state.changed_since:
        return f"submit {here} again", "you have changed it since"
    if state.state == "feedback":
        return f"read the feedback on {here}", "your instructor has answered"
    if state.state == "submitted":
        return f"look at {here}", "it is submitted"
    if state.state == "ready":
        return f"submit {here}", "nothing is open in it"
    return f"finish {here}", _still_open(open_)


def _still_open(number: int) -> str:
    count = _NUMBERS[number] if number < len(_NUMBERS) else str(number)
    return f"{count} answer is open" if number == 1 else f"{count} answers are open"


def _iso(when: dt.datetime | None) -> str | None:
    return when.isoformat() if when else None
