"""One step as a form in the page: answers ``form.js``, and keeps what is written."""

from __future__ import annotations

import base64
import datetime as dt
import functools
import hashlib
import os
import threading
from typing import Any, ClassVar, Literal

import msgspec

from pcn_course.answers.store import Loaded
from pcn_course.answers.structure import check
from pcn_course.assets import loader
from pcn_course.course import Course, Prompt, Step
from pcn_course.files import StorageError
from pcn_course.review import answers_html, checked_html
from pcn_course.widgets import protocol
from pcn_course.widgets.base import Desk, Reply, log
from pcn_course.widgets.frames import as_page
from pcn_course.workspace import Receipt, Workspace

LONGEST_QUOTE = 1200
"""Characters of an earlier answer that are quoted; the step itself shows the rest."""
DIRECT = frozenset({
    "name", "phone", "fax", "email", "ssn", "record", "plan", "account", "license", "vehicle",
    "device", "biometric", "photo", "unique",
})  # fmt: skip
"""What an answer to an instructor should not hold of others; places, dates and tone it may."""
HISTORY_CHARACTERS = 600_000
"""Characters of earlier versions that are sent at once: a server drops what floods a page."""
OUR_FAULT = "Something went wrong on our side. Your answers are kept. Reload this page."
PANEL_FAILED = "This could not be drawn just now. Your answers are kept."
OUR_FAULT_SAVING = (
    "Something went wrong on our side and your last words could not be saved. "
    "Keep this page open; if it goes on, tell whoever runs the course."
)


class Form(Desk):
    """The form of one step of a course, for the student to whom a workspace belongs."""

    _asset = "form"
    _esm = loader("form")
    _takes: ClassVar[Any] = protocol.Request

    def __init__(self, course: Course, step: Step, workspace: Workspace) -> None:
        super().__init__(f"form of {step.id}")
        self._course = course
        self._step = step
        self._workspace = workspace
        self._store = workspace.store(course, step)
        self._storing = threading.Lock()
        self._handing_in = threading.Lock()

    def _answer(self, message: protocol.Message) -> None:
        if isinstance(message, protocol.Again):
            self._beside(lambda: [self._reply(message)])
        elif not isinstance(message, protocol.Submit):
            self.send(self._reply(message))
        elif self._handing_in.acquire(blocking=False):
            self._beside(lambda: self._after_handing_in(message))
        else:
            text = "This step is being handed in already. Wait for its receipt."
            self.send({**_problem(message, text), "client": message.client})

    def _after_handing_in(self, message: protocol.Submit) -> list[Reply]:
        """The receipt (or what stood in its way), then how things are now."""
        try:
            replies = [self._reply(message)]
        finally:
            self._handing_in.release()
        if replies[0]["type"] == "receipt":
            replies.append(self._reply(protocol.Open(client=message.client)))
        return replies

    def _reply(self, message: protocol.Message) -> Reply:  # noqa: PLR0912 (one for each message)
        """The reply to a message; a failure is a reply in plain words, its details are logged."""
        try:
            match message:
                case protocol.Open():
                    reply = self._state()
                case protocol.Save():
                    reply = self._save(message)
                case protocol.History():
                    reply = self._history(message.key)
                case protocol.Preview():
                    reply = self._preview()
                case protocol.Feedback():
                    reply = self._feedback(message.id)
                case protocol.Again():
                    reply = self._again(message)
                case protocol.Submit():
                    reply = self._submit(message)
                case protocol.Look():
                    reply = self._panels(whole=message.whole)
                case protocol.Advise():
                    reply = self._advise(message)
                case protocol.List():
                    reply = self._list(message)
                case protocol.File():
                    reply = self._file(message.what)
                case _:
                    raise NotImplementedError
        except StorageError as error:
            log.warning("%s: %s", self._called, error.plain)
            reply = _problem(message, error.plain)
        except Exception:  # noqa: BLE001 (whatever it is, the page is told in plain words)
            log.exception("%s: the answer to %s failed", self._called, type(message).__name__)
            reply = _failure(message)
        return {**reply, "client": message.client}

    def _state(self) -> Reply:
        step = self._step
        with self._storing:
            loaded = self._store.load()
        here = self._workspace.step(step)
        prompts = [_for_page(prompt) for prompt in step.prompts]
        return {
            "type": "state",
            "version": self._version,
            "course": {"id": self._course.id, "title": self._course.title},
            "user": self._workspace.user,
            # On a hub the login says who it is.
            "student": "" if os.environ.get("JUPYTERHUB_USER") else self._workspace.student,
            "step": {
                "id": step.id,
                "name": step.name,
                "number": step.number,
                "of": len(self._course.steps),
                "title": step.title,
                "minutes": step.minutes,
                "covered": step.covered,
                "prompts": prompts,
                "panels": [msgspec.to_builtins(panel) for panel in step.panels],
            },
            "fields": _fields(loaded),
            "past": sorted(self._store.past()),
            "quotes": self._quotes(),
            "refs": self._references(),
            "steps": [
                {
                    "id": one.id,
                    "name": one.name,
                    "number": one.number,
                    "short": one.short,
                    "path": one.path,
                    "state": self._workspace.step(one).state,
                }
                for one in self._course.steps
            ],
            "home": "home.ipynb",
            "due": _iso(here.due),
            "overdue": here.overdue,
            "submitted": here.submitted and _receipt(here.submitted),
            "changed_since": here.changed_since,
            "feedback": [{"id": one.id, "when": _iso(one.when)} for one in here.feedback],
            **(self._asked() if here.feedback else {}),
            "notices": loaded.notices,
            "saved_at": loaded.saved_at,
        }

    @functools.cached_property
    def _version(self) -> str:
        """What the step asks, as a hash: a page that shows another one has to be loaded again."""
        asked = msgspec.json.encode([self._step.prompts, self._step.panels, self._step.covered])
        return hashlib.sha256(asked).hexdigest()[:12]

    def _quotes(self) -> dict[str, dict[str, Any]]:
        """The earlier answers that this step's prompts quote; an open one has no value."""
        answered = self._workspace.quotes(self._course, self._step)
        quotes = {}
        for reference in {prompt.quote for prompt in self._step.prompts if prompt.quote}:
            name, _, key = reference.partition(".")
            earlier = self._course.step(name)
            prompt = earlier.prompt(key)
            quote = answered.get(reference)
            value = quote.value if quote else ""
            if len(value) > LONGEST_QUOTE:
                value = value[:LONGEST_QUOTE].rstrip() + " …"
            label = prompt.label if prompt else key
            quotes[reference] = {"label": label, "step": earlier.number, "value": value}
        return quotes

    def _references(self) -> dict[str, list[dict[str, str]]]:
        """The entries of earlier steps' tables that this step's prompts choose from."""
        columns = [column for prompt in self._step.prompts for column in prompt.columns]
        wanted = {one.options_from for one in (*self._step.prompts, *columns) if one.refers}
        return {
            reference: self._workspace.entries(self._course, reference)
            for reference in wanted
            if "." in reference
        }

    def _panels(self, *, whole: bool) -> Reply:
        from pcn_course.planning.panels import panel_html

        values = self._workspace.values(self._course)
        today = dt.datetime.now().astimezone().date()
        html: dict[str, str] = {}
        for panel in self._step.panels:
            if panel.kind == "import":
                continue
            try:
                html[panel.kind] = panel_html(panel.kind, self._course, values, today, whole=whole)
            except Exception:  # noqa: BLE001 (a picture of the answers must not stand in their way)
                log.exception("%s: the panel %s failed", self._called, panel.kind)
                html[panel.kind] = f"<p>{PANEL_FAILED}</p>"
        return {"type": "panels", "panels": html}

    def _advise(self, message: protocol.Advise) -> Reply:
        from pcn_course.privacy import NOTE, advise

        kind = self._warns(message.key)
        warnings = advise(message.text, kind) if kind else ()
        shown = [
            {"kind": one.kind, "words": one.words, "why": one.why, "instead": one.instead}
            for one in warnings
            if not one.soft
        ]
        soft = " ".join(f"{one.why} {one.instead}" for one in warnings if one.soft)
        reply = {"type": "advice", "key": message.key, "number": message.number, "warnings": shown}
        if shown and soft:  # below the words, as one more reason
            return {**reply, "note": f"{soft} {NOTE}"}
        return {**reply, "note": NOTE, "soft": soft}

    def _warns(self, key: str) -> Literal["", "share", "name"]:
        """What a prompt warns of; a column is named by its table, as in ``people.person``."""
        table, _, column = key.partition(".")
        prompt = self._step.prompt(table)
        for one in prompt.columns if prompt and column else ():
            if one.key == column:
                return one.warn
        return prompt.warn if prompt and not column else ""

    def _list(self, message: protocol.List) -> Reply:
        from pcn_course.importing import ListError, read_list

        panel = next((one for one in self._step.panels if one.kind == "import"), None)
        if panel is None:
            return {"type": "problem", "message": "This step takes no lists."}
        try:
            content = base64.b64decode(message.data, validate=True)
            existing = self._workspace.values(self._course)[self._step.name].get(panel.after)
            found = read_list(message.name, content, message.mapping, _rows(existing))
        except (ValueError, ListError) as error:
            plain = (
                str(error) if isinstance(error, ListError) else "This file did not arrive whole."
            )
            return {"type": "problem", "message": plain}
        return {"type": "list", **msgspec.to_builtins(found, str_keys=True)}

    def _file(self, what: str) -> Reply:
        if what == "compare":
            from pcn_course.planning.panels import compare_html

            today = dt.datetime.now().astimezone().date()
            html = compare_html(self._course, self._workspace.values(self._course), today)
            title = "All tools in a table"
            return {"type": "page", "title": title, "html": as_page(html, title)}
        if what != "calendar":
            return {"type": "problem", "message": "There is no such file."}
        from pcn_course.planning.week import calendar

        now = dt.datetime.now(dt.UTC)
        owner = self._workspace.id
        content = calendar(self._course, self._workspace.values(self._course), owner, now)
        data = base64.b64encode(content).decode()
        name = f"{self._course.id}-week.ics"
        return {"type": "file", "filename": name, "mime": "text/calendar", "data": data}

    def _save(self, message: protocol.Save) -> Reply:
        with self._storing:
            saved = self._store.save(message.client, message.fields, message.seq)
        return {"type": "ack", "seq": message.seq, **msgspec.to_builtins(saved)}

    def _history(self, key: str) -> Reply:
        entries: list[dict[str, Any]] = []
        room = HISTORY_CHARACTERS
        for entry in self._store.history(key):
            room -= len(str(entry.value))
            if room < 0 and entries:
                break
            kept = {"value": entry.value, "version": entry.version, "saved_at": entry.saved_at}
            entries.append(kept)
        return {"type": "history", "key": key, "entries": entries}

    def _preview(self) -> Reply:
        from pcn_course.planning.panels import look_again

        answers = self._workspace.answers(self._step)
        texts = [one.key for one in self._step.prompts if one.kind in ("line", "text")]
        written = [str(answers.fields[key].value) for key in texts if key in answers.fields]
        body = look_again(written, "submit. Only you see this note", DIRECT)
        body += answers_html(self._step, answers.fields, answers.problems)
        body += checked_html(check(self._step, answers.fields))
        return {"type": "preview", "html": as_page(body, self._step.title)}

    def _feedback(self, wanted: str) -> Reply:
        for one in self._workspace.feedback(self._step):
            if one.id == wanted:
                html = one.path.read_text("utf-8", errors="replace")
                return {"type": "feedback", "id": wanted, "html": as_page(html, "Feedback")}
        return {"type": "problem", "message": "This feedback is not there any more."}

    def _asked(self) -> dict[str, Any]:
        """What can be asked for again, and what was."""
        from pcn_course.exchange import requests_made

        titles = {one.id: one.title for one in self._course.rubric.criteria}
        return {
            "criteria": [{"id": one, "title": title} for one, title in titles.items()],
            "asked": [
                {"when": _iso(one.when), "about": titles.get(one.criterion or ""), "how": one.how}
                for one in requests_made(self._workspace, self._step)
            ],
        }

    def _again(self, message: protocol.Again) -> Reply:
        from pcn_course.exchange import HandInError, ask_again

        try:
            made = ask_again(
                self._workspace, self._step, message.criterion, message.text, course=self._course
            )
        except HandInError as error:
            return {"type": "problem", "message": error.plain}
        return {"type": "asked", **self._asked(), "how": made.how, "text": made.text}

    def _submit(self, message: protocol.Submit) -> Reply:
        from pcn_course.exchange import HandInError, Question, hand_in

        if message.version and message.version != self._version:
            return {"type": "changed"}
        try:
            receipt = hand_in(
                self._workspace, self._step, message.confirm, message.student, course=self._course
            )
        except Question as question:
            return {"type": "question", "kind": question.kind, "text": question.text}
        except HandInError as error:
            return {"type": "problem", "message": error.plain}
        reply = {"type": "receipt", **_receipt(receipt), "filename": None, "data": None}
        if receipt.file:
            path = self._workspace.root / receipt.file
            reply["filename"] = path.name
            reply["data"] = base64.b64encode(path.read_bytes()).decode()
        return reply


def _failure(message: protocol.Message) -> Reply:
    """What a page is told when something of ours failed."""
    match message:
        case protocol.Look() | protocol.Advise():
            # Nobody asked for these in words, so nobody is disturbed.
            return {"type": "nothing"}
        case protocol.Save():
            return _problem(message, OUR_FAULT_SAVING)
    return _problem(message, OUR_FAULT)


def _problem(message: protocol.Message, text: str) -> Reply:
    if isinstance(message, protocol.Save):
        return {"type": "refused", "seq": message.seq, "message": text}
    # The page asks for the state by itself, again and again: nobody is interrupted for it.
    about = {"about": "open"} if isinstance(message, protocol.Open) else {}
    return {"type": "problem", "message": text, **about}


def _fields(loaded: Loaded) -> dict[str, Any]:
    return {key: {"value": f.value, "version": f.version} for key, f in loaded.fields.items()}


def _rows(value: Any) -> list[dict[str, Any]]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def _receipt(receipt: Receipt) -> dict[str, Any]:
    return {"when": _iso(receipt.when), "sha256": receipt.sha256, "how": receipt.how}


def _iso(when: dt.datetime | None) -> str | None:
    return when.isoformat() if when else None


def _for_page(prompt: Prompt) -> dict[str, Any]:
    """A prompt as the page needs it, without what says nothing."""
    shown = {
        "key": prompt.key,
        "kind": prompt.kind,
        "label": prompt.label,
        "help": prompt.help,
        "example": prompt.example.strip(),
        "section": prompt.section,
        "required": prompt.required,
        "private": prompt.private,
        "quote": prompt.quote,
        "options_from": prompt.options_from if prompt.refers else "",
        "warn": prompt.warn,
        "more": prompt.more,
        "options": [
            {key: text for key, text in msgspec.to_builtins(option).items() if text}
            for option in prompt.options
        ],
    }
    if prompt.kind == "scale":
        shown |= {"low": prompt.low, "high": prompt.high, "points": prompt.points}
    if prompt.kind == "table":
        shown |= {"row": prompt.row, "max_rows": prompt.max_rows, "folded": prompt.folded}
        shown["columns"] = [_for_page(column) for column in prompt.columns]
    return {key: value for key, value in shown.items() if value not in ("", False, [])}
