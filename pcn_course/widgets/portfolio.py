"""The plan on one page, and the files that a student takes along; and the same of the example."""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Mapping
from html import escape
from typing import Annotated, Any, ClassVar, Literal

import msgspec

from pcn_course.assets import loader
from pcn_course.characters import no_answer
from pcn_course.course import Course, Prompt, load_course
from pcn_course.documents import plan_html
from pcn_course.example import example_answers, example_values
from pcn_course.files import StorageError
from pcn_course.network import changes, read_network
from pcn_course.review import answers_html
from pcn_course.widgets import protocol
from pcn_course.widgets.base import Desk, Reply, log
from pcn_course.widgets.drawings import MAX_PNG, MAX_SVG, png, safe_svg
from pcn_course.workspace import Workspace, open_workspace

Values = Mapping[str, Mapping[str, Any]]
What = Literal["page", "word", "calendar", "members", "ties", "graph"]

OUR_FAULT = "Something went wrong on our side. Your answers are kept. Reload this page."
NO_PLAN = (
    "Your answers are kept. The plan begins as soon as you name your project and goals in step 1, "
    "or people in step 2."
)
_CONNECTIONS = "connections"
_DRAWN = ("person", "role", "sector", "closeness", "place", "status", "give", "get", "kind")
"""The columns of people and ties that the map tells of; ``one`` and ``other`` are its lines."""


class Take(protocol.Message, frozen=True, kw_only=True, tag="take"):
    """A file to take along, with the map as SVG text and as PNG.

    ``private``: with the private notes. ``alone``: the plan and the map, without the answers.
    """

    what: What
    private: bool
    alone: bool = False
    map: Annotated[str, msgspec.Meta(max_length=MAX_SVG)] | None = None
    picture: Annotated[str, msgspec.Meta(max_length=MAX_PNG * 4 // 3 + 4)] | None = None


Request = protocol.Open | Take


class Portfolio(Desk):
    """All steps of a student, or of the example, as one plan. It reads and never writes."""

    _asset = "portfolio"
    _esm = loader("portfolio")
    _takes: ClassVar[Any] = Request

    def __init__(self, course: Course, workspace: Workspace, *, example: bool = False) -> None:
        super().__init__("example" if example else "portfolio")
        self._course = course
        self._workspace = workspace
        self._example = example

    def _answer(self, message: protocol.Message) -> None:
        self.send(self._reply(message))

    def _reply(self, message: protocol.Message) -> Reply:
        try:
            reply = self._take(message) if isinstance(message, Take) else self._state()
        except StorageError as error:
            log.warning("%s: %s", self._called, error.plain)
            reply = {"type": "problem", "message": error.plain}
        except Exception:  # noqa: BLE001 (whatever it is, the page is told in plain words)
            log.exception("%s: the answer to %s failed", self._called, type(message).__name__)
            reply = {"type": "problem", "message": OUR_FAULT}
        return {**reply, "client": message.client}

    def _values(self, *, private: bool = False) -> Values:
        if self._example:
            return example_values(self._course)
        return self._workspace.values(self._course, private=private)

    def _state(self) -> Reply:
        values = self._values()
        empty = all(no_answer(value) for step in values.values() for value in step.values())
        return {
            "type": "portfolio",
            "title": self._course.title,
            "example": self._example,
            "empty": empty,
            "plan": "" if empty else plan_html(self._course, values) or f"<p>{NO_PLAN}</p>",
            "then": None if empty or self._example else self._then(values),
            "map": None if empty else self._map(values),
            "answers": self._answers() if self._example else "",
            "steps": [
                {
                    "id": step.id,
                    "number": step.number,
                    "short": step.short,
                    "path": step.path,
                    "state": self._workspace.step(step).state,
                }
                for step in self._course.steps
            ],
        }

    def _then(self, values: Values) -> Reply | None:
        """What has changed in the network since it was first handed in; nothing before that."""
        kept = self._workspace.snapshots()
        if not kept:
            return None
        changed = changes(read_network(kept[0].values), read_network(values), self._course)
        return {"since": kept[0].when.isoformat(), "times": len(kept), "changes": list(changed)}

    def _map(self, values: Values) -> Reply | None:
        """What the map is drawn from; nothing where nobody is in it."""
        names = {step.name: step for step in self._course.steps}
        step = names.get(_CONNECTIONS)
        people, ties = (step and step.prompt(key) for key in ("people", "ties"))
        if not people or not ties:
            return None
        rows = [_rows(values.get(_CONNECTIONS, {}).get(prompt.key)) for prompt in (people, ties)]
        if people.is_empty(rows[0]):
            return None
        return {
            "people": _drawn(people),
            "ties": _drawn(ties),
            "members": [_slim(row) for row in rows[0]],
            "lines": [_slim(row) for row in rows[1]],
            "called": self._called_by_part(values, rows[0]),
        }

    def _called_by_part(self, values: Values, people: list[dict[str, Any]]) -> dict[str, str]:
        """What they are called, by id, who do not want to be listed."""
        from pcn_course.documents.plan import discreet

        names = _rows(discreet(self._course, values)[_CONNECTIONS]["people"])
        both = zip(people, names, strict=True)
        return {was["id"]: now["person"] for was, now in both if was is not now and "id" in was}

    def _answers(self) -> str:
        """All steps' answers, as an instructor sees them."""
        parts = []
        for step in self._course.steps:
            answers = example_answers(self._course, step)
            heading = escape(f"Step {step.number} · {step.title}")
            body = answers_html(step, answers.fields, answers.problems)
            short = escape(f"Step {step.number} · {step.short}")
            marks = f'id="pcn-{escape(step.id)}" data-short="{short}" tabindex="-1"'
            title = f"<h2 {marks}>{heading}</h2>"
            parts.append(f'<section class="pcn-step">{title}{body}</section>')
        return "".join(parts)

    def _take(self, message: Take) -> Reply:
        name, mime, content = self._made(message)
        data = base64.b64encode(content).decode()
        return {"type": "file", "filename": name, "mime": mime, "data": data}

    def _made(self, message: Take) -> tuple[str, str, bytes]:
        """A file's name, its kind and its content."""
        # Documents and calendars take a moment to import, and most visits make none.
        from pcn_course import documents
        from pcn_course.planning import week

        course = self._course
        values = self._values(private=message.private and not self._example)
        now = dt.datetime.now(dt.UTC)
        snapshots = () if self._example else self._workspace.snapshots()
        kept = [(one.when, one.values) for one in snapshots]
        wanted = message.private and not self._example
        notes = self._workspace.dropped_notes(course) if wanted else frozenset()
        name = f"{course.id}-example" if self._example else course.id
        plan = f"{name}-plan-only" if message.alone else f"{name}-plan"
        match message.what:
            case "page":
                html = documents.document_html(
                    course,
                    values,
                    private=message.private,
                    alone=message.alone,
                    snapshots=kept,
                    notes=notes,
                )
                html = html.replace("<!--map-->", safe_svg(message.map), 1)
                return f"{plan}.html", "text/html", html.encode()
            case "word":
                made = documents.word_document(
                    course,
                    values,
                    picture=png(message.picture),
                    private=message.private,
                    alone=message.alone,
                    snapshots=kept,
                    notes=notes,
                )
                mime = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
                return f"{plan}.docx", mime, made
            case "calendar":
                made = week.calendar(course, values, self._workspace.id, now)
                return f"{name}-week.ics", "text/calendar", made
            case "members":
                return f"{name}-members.csv", "text/csv", documents.members_csv(course, values)
            case "ties":
                return f"{name}-ties.csv", "text/csv", documents.ties_csv(course, values)
            case "graph":
                made = documents.graphml(course, values)
                return f"{name}-network.graphml", "application/xml", made


def open_portfolio() -> Portfolio:
    """The plan of the workspace in the current folder.

    Raises:
        CourseError: the course's files hold faults.
    """
    return Portfolio(load_course(), open_workspace())


def open_example() -> Portfolio:
    """The plan of a student who is made up, with all answers that it came from.

    Raises:
        CourseError: the course's files hold faults.
    """
    return Portfolio(load_course(), open_workspace(), example=True)


def _rows(value: Any) -> list[dict[str, Any]]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def _drawn(prompt: Prompt) -> dict[str, Any]:
    """A table as far as the map needs it."""
    columns = [
        {
            "key": column.key,
            "kind": column.kind,
            "options": [{"value": one.value, "label": one.label} for one in column.options],
            "points": column.points,
            "low": column.low,
            "high": column.high,
        }
        for column in prompt.columns
        if column.key in _DRAWN
    ]
    return {"key": prompt.key, "kind": prompt.kind, "columns": columns}


def _slim(row: Mapping[str, Any]) -> dict[str, Any]:
    kept = {"id", "one", "other", *_DRAWN}
    return {key: value for key, value in row.items() if key in kept}
