"""A student's folder: its steps, how far each is, and what was handed in.

workspace/
  home.ipynb, portfolio.ipynb, example.ipynb
  step-1-goals/step-1-goals.ipynb, answers.json, feedback/…
  .pcn/            ours: private answers, histories, receipts, networks at each submission,
                   server state; never submitted
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import logging
import os
import secrets
import shutil
from pathlib import Path
from typing import Any, Literal

import msgspec

from pcn_course.answers.store import FILE, AnswerStore, Submitted, public_content, read_answers
from pcn_course.answers.structure import check
from pcn_course.answers.values import line, numbered_rows
from pcn_course.characters import no_answer, printable
from pcn_course.course import Course, Step
from pcn_course.files import PRIVATE, StorageError, plain_os_error, shut, write_whole

_log = logging.getLogger("pcn_course")
_NETWORK = ("connections", ("people", "ties", "your-sector"))
"""The step, and those of its answers, that make the network."""

State = Literal["not-started", "in-progress", "ready", "submitted", "feedback"]


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """Proof of a submission: when (UTC), the SHA-256 of the answers, by which way."""

    when: dt.datetime
    sha256: str
    how: Literal["exchange", "zip"]
    file: str | None = None


class Feedback(msgspec.Struct, frozen=True):
    """One feedback page: the time of the submission that it answers, as nbgrader writes it."""

    id: str
    path: Path

    @property
    def when(self) -> dt.datetime:
        """When the answers that it is about were submitted."""
        return _moment(self.id)


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """The network as it was at a submission: when (UTC), of which step, its answers as values."""

    when: dt.datetime
    step: str
    values: dict[str, dict[str, Any]]


class Quote(msgspec.Struct, frozen=True):
    """An earlier answer, as a later prompt quotes it."""

    label: str
    step: int
    value: str


class StepState(msgspec.Struct, frozen=True, kw_only=True):
    """How far a step is."""

    state: State
    answered: int
    required: int
    due: dt.datetime | None
    submitted: Receipt | None
    changed_since: bool
    feedback: tuple[Feedback, ...]

    @property
    def overdue(self) -> bool:
        """Whether the due date has passed, by this machine's clock: a device's may be wrong."""
        return self.due is not None and self.due < dt.datetime.now(dt.UTC)


class _Record(msgspec.Struct):
    """What ``.pcn/workspace.json`` keeps."""

    id: str
    student: str = ""
    filled: dict[str, str] = {}


class Workspace:
    """One student's folder."""

    def __init__(self, root: Path) -> None:
        self.root = Path(root).resolve()
        self.state = self.root / ".pcn"

    @property
    def user(self) -> str:
        """Who works here: the hub's user name, or the workspace's own id.

        Raises:
            StorageError: the workspace can't be written to.
        """
        return os.environ.get("JUPYTERHUB_USER") or self._record().id

    @property
    def id(self) -> str:
        """The workspace's own id, which stays the same; by it a calendar knows its entries again.

        Raises:
            StorageError: the workspace can't be written to.
        """
        return self._record().id

    @property
    def student(self) -> str:
        """The id by which the instructor knows the student; empty until it was given."""
        return os.environ.get("JUPYTERHUB_USER") or self._record().student

    def set_student(self, student: str) -> None:
        """Keep the id by which the instructor knows the student."""
        record = self._record()
        record.student = student
        self._keep(record)

    def fill(self, course: Course) -> tuple[str, ...]:
        """Add the course's notebooks that are missing and renew those that nobody changed.

        Returns the paths (relative to the workspace) that were added or renewed. Nothing that the
        student wrote or changed is overwritten.

        Raises:
            StorageError: the workspace can't be written to.
        """
        source = course.root / "notebooks"
        record = self._record()
        changed = []
        for path in sorted(source.rglob("*")):
            name = path.relative_to(source).as_posix()
            if (
                path.is_dir()
                or path.name == FILE
                or any(part.startswith(".") for part in Path(name).parts)
            ):
                continue
            target = self.root / name
            content = path.read_bytes()
            if target.exists():
                current = _digest(target.read_bytes())
                if record.filled.get(name) != current or current == _digest(content):
                    continue
            try:
                write_whole(target, content, mode=PRIVATE)
            except OSError as error:
                raise StorageError(plain_os_error(error)) from error
            record.filled[name] = _digest(content)
            changed.append(name)
        if changed:
            self._keep(record)
        return tuple(changed)

    def shut(self) -> None:
        """Close all that is here already to other users of the machine, as new files are."""
        shut(self.root)

    def folder(self, step: Step) -> Path:
        """The step's folder."""
        return self.root / step.id

    def store(self, course: Course, step: Step) -> AnswerStore:
        """The step's answers, to be changed."""
        return AnswerStore(step, course.id, self.folder(step), self.state)

    def answers(self, step: Step) -> Submitted:
        """The step's public answers, read only; what is or was private is not in them."""
        store = AnswerStore(step, "", self.folder(step), self.state)
        return read_answers(store.public, step, hidden=store.hidden())

    def public_content(self, step: Step) -> bytes:
        """The step's answers file as it may be submitted.

        Raises:
            OSError: it can't be read.
            ValueError: it is no answers file.
        """
        store = AnswerStore(step, "", self.folder(step), self.state)
        return public_content(store.public.read_bytes(), step, store.hidden())

    def values(self, course: Course, *, private: bool = False) -> dict[str, dict[str, Any]]:
        """The answers of all steps, by step name and key; private ones only when asked for.

        Raises:
            StorageError: private answers can't be read.
        """
        values = {}
        for step in course.steps:
            fields = self.answers(step).fields
            if private:
                fields = {**fields, **self.store(course, step).private_answers()}
            values[step.name] = {key: field.value for key, field in fields.items()}
        return values

    def dropped_notes(self, course: Course) -> frozenset[tuple[str, str]]:
        """Private answers to questions that the course no longer asks, as step name and key.

        Raises:
            StorageError: private answers can't be read.
        """
        return frozenset(
            (step.name, key)
            for step in course.steps
            for key in self.store(course, step).private_answers()
            if step.prompt(key) is None
        )

    def entries(self, course: Course, reference: str) -> list[dict[str, str]]:
        """The entries of a table (``connections.people``) as options: ``value`` and ``label``."""
        name, _, key = reference.partition(".")
        step = course.step(name)
        prompt = step.prompt(key)
        field = self.answers(step).fields.get(key)
        if prompt is None or field is None:
            return []
        first = prompt.columns[0].key
        return [
            {
                "value": row["id"],
                "label": line(row, first) or f"{prompt.row} {number}".capitalize(),
            }
            for number, row in numbered_rows(field.value)
            if isinstance(row.get("id"), str)
        ]

    def step(self, step: Step) -> StepState:
        """How far ``step`` is; reads only."""
        answers = self.answers(step)
        checked = check(step, answers.fields)
        receipts = self.receipts(step)
        last = receipts[-1] if receipts else None
        changed = last is not None and last.sha256 != self.answers_digest(step)
        feedback = self.feedback(step)
        state: State = "not-started"
        if any(not no_answer(field.value) for field in answers.fields.values()):
            state = "in-progress"
        if not checked.open or checked.covered:
            state = "ready"
        if last:
            state = "submitted"
        if feedback and (
            last is None or _moment(feedback[0].id) >= last.when.replace(microsecond=0)
        ):
            state = "feedback"
        return StepState(
            state=state,
            answered=checked.answered,
            required=len(step.required),
            due=self.due(step),
            submitted=last,
            changed_since=changed,
            feedback=feedback,
        )

    def answers_digest(self, step: Step) -> str | None:
        """The SHA-256 of what would be submitted, in hexadecimal; ``None`` if there is none."""
        try:
            return _digest(self.public_content(step))
        except (OSError, ValueError):
            return None

    def due(self, step: Step) -> dt.datetime | None:
        """The due date that came with the released notebook, or else the course's."""
        try:
            notebook = json.loads((self.root / step.path).read_bytes())
            due = dt.datetime.fromisoformat(notebook["metadata"]["pcn"]["due"])
        except (OSError, ValueError, LookupError, TypeError, RecursionError, MemoryError):
            return step.due
        return due if due.tzinfo else step.due

    def receipts(self, step: Step) -> tuple[Receipt, ...]:
        """The receipts of all submissions of a step, oldest first."""
        try:
            content = self._receipts(step).read_bytes()
            return msgspec.json.decode(content, type=tuple[Receipt, ...])
        except (OSError, msgspec.MsgspecError, RecursionError, MemoryError):
            return ()

    def add_receipt(self, step: Step, receipt: Receipt) -> None:
        """Keep one more receipt.

        Raises:
            StorageError: it could not be written.
        """
        receipts = (*self.receipts(step), receipt)
        try:
            write_whole(self._receipts(step), msgspec.json.encode(receipts), mode=PRIVATE)
        except OSError as error:
            raise StorageError(plain_os_error(error)) from error

    def snapshots(self) -> tuple[Snapshot, ...]:
        """The network at each submission, oldest first; files that can't be read are skipped."""
        found = []
        for path in sorted((self.state / "networks").glob("*.json")):
            try:
                one = msgspec.json.decode(path.read_bytes(), type=Snapshot)
                found.append(
                    one if one.when.tzinfo else msgspec.structs.replace(one, when=_utc(one.when))
                )
            except (OSError, ValueError, RecursionError, MemoryError) as error:
                _log.warning(
                    "networks/%s was skipped: %s", printable(path.name), type(error).__name__
                )
        return tuple(sorted(found, key=lambda one: one.when))

    def add_snapshot(self, course: Course, step: Step, when: dt.datetime) -> Snapshot | None:
        """Keep the network as it is now, at a submission of ``step``; nothing without members.

        Raises:
            StorageError: it could not be written.
        """
        name, keys = _NETWORK
        if name not in (one.name for one in course.steps):
            return None
        fields = self.answers(course.step(name)).fields
        kept = {key: fields[key].value for key in keys if key in fields}
        if not kept.get("people"):
            return None
        snapshot = Snapshot(when=when, step=step.name, values={name: kept})
        path = self.state / "networks" / f"{when.astimezone(dt.UTC):%Y%m%dT%H%M%S%fZ}.json"
        try:
            write_whole(path, msgspec.json.encode(snapshot), mode=PRIVATE)
        except OSError as error:
            raise StorageError(plain_os_error(error)) from error
        return snapshot

    def feedback(self, step: Step) -> tuple[Feedback, ...]:
        """The feedback pages that nbgrader fetched, newest first."""
        pages = (self.folder(step) / "feedback").glob(f"*/{step.id}.html")
        found = [Feedback(page.parent.name, page) for page in pages if page.is_file()]
        return tuple(sorted(found, key=lambda one: _moment(one.id), reverse=True))

    def quotes(self, course: Course, step: Step) -> dict[str, Quote]:
        """The earlier answers that the step quotes, by reference (``goals.live-project``)."""
        quotes = {}
        for reference in {prompt.quote for prompt in step.prompts if prompt.quote}:
            name, _, key = reference.partition(".")
            earlier = course.step(name)
            prompt = earlier.prompt(key)
            field = self.answers(earlier).fields.get(key)
            if prompt is None or field is None or prompt.is_empty(field.value):
                continue
            if prompt.kind == "table":
                first = [column for column in prompt.columns if not column.private][:1]
                cells = [
                    column.shown_in(row)
                    for row in field.value
                    for column in first
                    if not column.is_empty(row.get(column.key))
                ]
                shown = "; ".join(cells)
            else:
                shown = prompt.shown(field.value)
            quotes[reference] = Quote(prompt.label, earlier.number, shown)
        return quotes

    def _receipts(self, step: Step) -> Path:
        return self.state / "receipts" / f"{step.id}.json"

    def _record(self) -> _Record:
        path = self.state / "workspace.json"
        try:
            return msgspec.json.decode(path.read_bytes(), type=_Record)
        except FileNotFoundError:
            pass
        except (OSError, msgspec.MsgspecError, RecursionError, MemoryError):
            # Only names and digests: a new id costs nothing but drafts on this device.
            shutil.move(path, path.with_name(f"workspace-unreadable-{secrets.token_hex(4)}.json"))
        record = _Record(id=secrets.token_hex(8))
        self._keep(record)
        return record

    def _keep(self, record: _Record) -> None:
        try:
            content = msgspec.json.encode(record)
            write_whole(self.state / "workspace.json", content, mode=PRIVATE)
        except OSError as error:
            raise StorageError(plain_os_error(error)) from error


def open_workspace(folder: Path | None = None) -> Workspace:
    """The workspace to which a folder belongs: a step's folder lies in it, home's is the folder."""
    folder = Path.cwd() if folder is None else Path(folder)
    inside_step = (folder / f"{folder.name}.ipynb").is_file() or (folder / FILE).is_file()
    return Workspace(folder.parent if inside_step else folder)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _moment(timestamp: str) -> dt.datetime:
    """A timestamp as nbgrader writes it, ``2026-11-22 10:00:00.123456 UTC``; 1970 if it isn't."""
    try:
        moment = dt.datetime.fromisoformat(timestamp.removesuffix(" UTC"))
    except ValueError:
        return dt.datetime.fromtimestamp(0, dt.UTC)
    return _utc(moment)


def _utc(moment: dt.datetime) -> dt.datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
