"""What a student wrote in one step: load, save, and never lose a word.

``answers.json`` lies beside the step's notebook and is what gets submitted::

    {"format": 1, "course": "pcn", "step": "goals", "revision": 7,
     "saved_at": "2026-11-22T10:00:00Z", "asked": "2d5591b3162dbb98",
     "fields": {"what-you-do": {"value": "…", "version": 3}}}

Private answers have a document of the same form in the workspace's ``.pcn`` folder, which is never
submitted. A file that can't be read is set aside there and named in a notice, never overwritten.
"""

from __future__ import annotations

import datetime as dt
import functools
import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from filelock import FileLock, Timeout

from pcn_course.answers.history import Entry, History
from pcn_course.course import Course, Prompt, Step, asked
from pcn_course.course.model import dropped_fault
from pcn_course.files import (
    PRIVATE,
    StorageError,
    plain_os_error,
    private_folder,
    write_whole,
)

FORMAT = 1
FILE = "answers.json"
MAX_FILE = 32_000_000
"""The most bytes of an answers file that are read; a longer one is treated as unreadable."""
MAX_PARTS = 2_000_000
"""The most values of an answers file. Each takes up to thirty times its bytes in memory."""
MAX_DEPTH = 20
"""Levels of lists and objects within one answer; a table has three."""
LOCK_SECONDS = 10
_STILL_THERE = (
    " What you wrote is under “Earlier versions” below each question: put back there what you need."
)
_NO_KEY = "This could not be saved: the course has no such question. Your text is kept here."
_KEY = re.compile(r"[a-z0-9][a-z0-9-]{0,60}")
"""What a question's key looks like, also of one that the course no longer asks."""


class Field(msgspec.Struct, frozen=True):
    """One answer and the number of times that it was changed."""

    value: Any
    version: int


class Edit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A wish to change an answer, and the version that the edit started from (0: none yet)."""

    value: Any
    base: int


class Conflict(msgspec.Struct, frozen=True):
    """An answer that moved on meanwhile: what stands now, and what the edit had started from.

    ``base_value`` is the newest text that this client is known to have had, ``None`` if there was
    none; a merge of the three keeps all words without repeating what they share.
    """

    value: Any
    version: int
    base_value: Any


class Document(msgspec.Struct):
    """An answers file as it stands on disk.

    ``asked`` is the version of the step (`Step.version`) under which it was last saved.
    """

    format: int
    course: str
    step: str
    revision: int = 0
    saved_at: str | None = None
    fields: dict[str, Field] = {}
    asked: str = ""


class Loaded(msgspec.Struct, frozen=True):
    """Everything that a student wrote in a step, and what they should be told about it."""

    fields: dict[str, Field]
    revision: int
    saved_at: str | None
    notices: tuple[str, ...] = ()


class Saved(msgspec.Struct, frozen=True):
    """What a save did: new versions by key, conflicts, and values that aren't answers."""

    revision: int
    saved_at: str | None
    versions: dict[str, int]
    conflicts: dict[str, Conflict]
    invalid: dict[str, str]


class Submitted(msgspec.Struct, frozen=True):
    """Answers read as data for showing and grading. ``problems`` says what could not be used.

    ``step`` is what was asked when they were written, where whoever read them wanted to know.
    """

    fields: dict[str, Field]
    problems: tuple[str, ...] = ()
    saved_at: str | None = None
    step: Step | None = None


UPGRADES: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}
"""By earlier format: what makes a document of it one of the next. None is ever taken out again.

So a file is read however old it is, and is of the present format from the next save on.
"""


class UnreadableError(Exception):
    """An answers file can't be used; the message is a clause that says why."""


def decode(content: bytes, course: str | None, step: str) -> Document:
    """Read an answers document.

    Raises:
        UnreadableError: it is not one, or belongs to something else.
    """
    try:
        document = _document(content)
    except (
        msgspec.MsgspecError, RecursionError, MemoryError, ValueError, KeyError, TypeError
    ) as error:  # fmt: skip
        raise UnreadableError("it is not an answers file") from error
    if any(_is_deep(field.value) for field in document.fields.values()):
        raise UnreadableError("its answers are nested too deeply")
    if document.step != step:
        raise UnreadableError("it belongs to another step")
    if course is not None and document.course != course:
        raise UnreadableError("it belongs to another course")
    if document.revision < 0 or any(field.version < 1 for field in document.fields.values()):
        raise UnreadableError("its version numbers are wrong")
    return document


class _Stamp(msgspec.Struct):
    format: int


def _document(content: bytes) -> Document:
    """A document of the present format, brought up to it where it is older."""
    if sum(map(content.count, (b"[", b"{", b","))) > MAX_PARTS:
        raise UnreadableError("it has too many parts")
    found = msgspec.json.decode(content, type=_Stamp).format
    if found > FORMAT:
        raise UnreadableError("it was written by a newer version of this course")
    if found < 1:
        raise UnreadableError("its format is unknown")
    if found == FORMAT:
        return msgspec.json.decode(content, type=Document)
    older = msgspec.json.decode(content)
    for number in range(found, FORMAT):
        older = UPGRADES[number](older)
    return msgspec.convert({**older, "format": FORMAT}, Document)


def _is_deep(value: Any) -> bool:
    """Return True if a value has more levels than `MAX_DEPTH`, without recursion."""
    level = [value]
    for _ in range(MAX_DEPTH):
        inner = [one.values() if isinstance(one, dict) else one for one in level
                 if isinstance(one, dict | list)]  # fmt: skip
        level = [one for several in inner for one in several]
        if not level:
            return False
    return True


Hidden = Mapping[str, Collection[str]]
"""Columns that are never submitted, by the key of their table."""
Asked = Callable[[str], tuple[Step, tuple[str, ...]]]
"""Returns the step of a version, and notes where it had to take another."""


def read_submitted(path: Path, course: Course, step: Step) -> Submitted:
    """Read what was submitted, by the version of the step that its answers were written for."""
    return read_answers(path, step, course.id, asked_in=functools.partial(asked, course, step))


def read_answers(
    path: Path,
    step: Step,
    course: str | None = None,
    hidden: Hidden | None = None,
    asked_in: Asked | None = None,
) -> Submitted:
    """Read public answers as data, changing nothing; never raises for what a file holds.

    Values that aren't answers to their prompt are left out and named in ``problems``; answers to
    keys that the course doesn't know are kept. What is private, now or in the version that was
    asked, is left out wherever it stands, and so is ``hidden``, see `AnswerStore.hidden`.
    ``asked_in`` gives the step of a version.
    """

    def public(version: Step, fields: dict[str, Field]) -> dict[str, Field]:
        return _public(step, _public(version, fields, hidden), hidden)

    return _read_answers(path, step, course, public, asked_in)


def public_content(content: bytes, step: Step, hidden: Hidden) -> bytes:
    """Return an answers file as it may be submitted: byte for byte where nothing is private.

    Raises:
        ValueError: it is no answers file.
    """
    if len(content) > MAX_FILE:
        raise ValueError("too large")
    try:
        document = json.loads(content)
        fields = document["fields"]
        # A prompt or a column may have become private after it was answered.
        kept = {key: field["value"] for key, field in fields.items() if _is_public(step, key)}
    except (LookupError, TypeError, AttributeError, RecursionError, MemoryError) as error:
        raise ValueError("no answers file") from error
    public = {key: without_columns(value, hidden.get(key, ())) for key, value in kept.items()}
    if kept.keys() == fields.keys() and public == kept:
        return content
    document["fields"] = {key: {**fields[key], "value": value} for key, value in public.items()}
    return json.dumps(document, ensure_ascii=False, indent=1).encode()


def without_columns(value: Any, hidden: Collection[str]) -> Any:
    """Return a table's value without the cells of some columns; any other value as it is."""
    if not hidden or not isinstance(value, list):
        return value
    gone = {*hidden, *(f"{key}-shown" for key in hidden)}
    return [
        {key: cell for key, cell in row.items() if key not in gone}
        if isinstance(row, dict)
        else row
        for row in value
    ]


def _is_public(step: Step, key: str) -> bool:
    prompt = step.prompt(key)
    return prompt is None or not prompt.private


def _public(step: Step, fields: Mapping[str, Field], hidden: Hidden | None) -> dict[str, Field]:
    hidden = _private_columns(step) if hidden is None else hidden
    return {
        key: Field(without_columns(field.value, hidden.get(key, ())), field.version)
        for key, field in fields.items()
        if _is_public(step, key)
    }


def _private_columns(step: Step) -> dict[str, frozenset[str]]:
    return {one.key: one.private_columns for one in step.prompts if one.private_columns}


def _read_answers(
    path: Path,
    step: Step,
    course: str | None,
    choose: Callable[[Step, dict[str, Field]], dict[str, Field]],
    asked_in: Asked | None = None,
) -> Submitted:
    try:
        if path.stat().st_size > MAX_FILE:
            return Submitted({}, ("The answers file is too large to be read.",))
        document = decode(path.read_bytes(), course, step.name)
    except FileNotFoundError:
        return Submitted({})
    except (OSError, MemoryError):
        return Submitted({}, ("The answers file can't be opened.",))
    except UnreadableError as error:
        return Submitted({}, (f"The answers file can't be used: {error}.",))
    step, notes = asked_in(document.asked) if asked_in else (step, ())
    document.fields = choose(step, document.fields)
    fields, problems = _checked(document, step)
    return Submitted(fields, (*notes, *problems), document.saved_at, step)


def _checked(document: Document, step: Step) -> tuple[dict[str, Field], tuple[str, ...]]:
    """The fields that can be shown, and a sentence for each that can't."""
    fields: dict[str, Field] = {}
    problems = []
    for key, field in document.fields.items():
        prompt = step.prompt(key)
        fault = prompt.fault(field.value) if prompt else None
        if prompt and fault:
            problems.append(f"What was kept for “{prompt.label}” {fault}, so it isn't shown.")
        else:
            fields[key] = Field(prompt.once(field.value), field.version) if prompt else field
    return fields, tuple(problems)


class AnswerStore:
    """The answers of one step in one workspace."""

    def __init__(self, step: Step, course_id: str, folder: Path, state: Path) -> None:
        """Take the step, its ``folder`` and the workspace's ``state`` folder; touch no file yet."""
        self.step = step
        self.course_id = course_id
        self.public = Path(folder) / FILE
        self.state = Path(state)
        self.private = self.state / "private" / f"{step.id}.json"
        self._kept_columns = self.state / "private-columns" / f"{step.id}.json"
        self._history = History(self.state / "history" / f"{step.id}.jsonl")
        self._in_history: dict[str, int] = {}  # versions known to be there: spares reading it
        self._untold: list[str] = []  # what a save set aside, until somebody loads

    def load(self) -> Loaded:
        """Read all answers, private ones included; set aside what can't be read, and say so.

        Raises:
            StorageError: the files can't be reached.
        """
        with self._locked():
            public = self._read(self.public, self._untold.append)
            private = self._read(self.private, self._untold.append)
            self._remember_columns()
            notices, self._untold = self._untold, []
        fields: dict[str, Field] = {}
        # What was private is no answer to a question that is public now: it is shown beside it.
        private.fields = {self._note(key): field for key, field in private.fields.items()}
        for document in (public, private):
            usable, problems = _checked(document, self.step)
            # A value that can't be shown is an empty field, with the version that it has.
            fields.update({k: Field(None, f.version) for k, f in document.fields.items()})
            fields.update(usable)
            notices.extend(problems)
        saved_at = max(filter(None, (public.saved_at, private.saved_at)), default=None)
        return Loaded(fields, public.revision, saved_at, tuple(notices))

    def _note(self, key: str) -> str:
        """The key under which a page gets what the private file holds for ``key``."""
        prompt = self.step.prompt(key)
        return key if prompt is None or prompt.private else f"{key}-before"

    def private_answers(self) -> dict[str, Field]:
        """The private answers, read only: a file that can't be used is left where it is.

        Raises:
            StorageError: the file can't be used.
        """
        found = _read_answers(self.private, self.step, self.course_id, lambda _, fields: fields)
        if found.problems and not found.fields:
            raise StorageError(found.problems[0])
        return {key: field for key, field in found.fields.items() if self._is_note(key)}

    def hidden(self) -> dict[str, frozenset[str]]:
        """The columns that are private, or were when they were written, by their table's key."""
        columns = _private_columns(self.step)
        for key, names in self._columns().items():
            columns[key] = columns.get(key, frozenset()) | frozenset(names)
        return columns

    def _is_note(self, key: str) -> bool:
        prompt = self.step.prompt(key)
        return prompt is None or prompt.private

    def _columns(self) -> dict[str, list[str]]:
        """The columns that were private at some time, as far as it was kept."""
        try:
            return msgspec.json.decode(self._kept_columns.read_bytes(), type=dict[str, list[str]])
        except (OSError, msgspec.MsgspecError, RecursionError, MemoryError):
            return {}

    def _remember_columns(self) -> None:
        """Keep which columns are private now: the course may drop them, and the cells stay."""
        columns = {key: sorted(names) for key, names in self.hidden().items()}
        if columns == self._columns():
            return
        try:
            write_whole(self._kept_columns, msgspec.json.encode(columns))
        except OSError as error:
            raise StorageError(plain_os_error(error)) from error

    def save(self, client: str, edits: Mapping[str, Edit], seq: int = 0) -> Saved:
        """Save the edits of one client, field by field; on return they are on disk.

        An edit whose base is not the current version is a conflict, unless the value is the same
        or the same client wrote the current version with a lower ``seq`` (then it is typing on).
        The current value stays, and the refused one is put into the history. An answer to a
        question that the course no longer asks is kept where it was before; one that was not
        saved before is kept with the private ones, since it may have been private.

        Raises:
            StorageError: nothing was changed.
        """
        edits = {key: Edit(_well_formed(edit.value), edit.base) for key, edit in edits.items()}
        with self._locked():
            documents = {
                private: self._read(path, self._untold.append)
                for private, path in ((False, self.public), (True, self.private))
            }
            versions: dict[str, int] = {}
            conflicts: dict[str, Conflict] = {}
            invalid: dict[str, str] = {}
            entries: list[Entry] = []
            changed: set[bool] = set()
            now = _now()
            for key, edit in edits.items():
                prompt = self.step.prompt(key)
                if fault := _edit_fault(key, prompt, edit):
                    invalid[key] = fault
                    continue
                private = prompt.private if prompt else _was_private(key, documents)
                document, other = documents[private], documents[not private]
                # What is private now may have been public before.
                before = other.fields.get(key) if private else None
                current = document.fields.get(key) or before or Field(None, 0)
                if _same(current.value, edit.value):
                    versions[key] = current.version
                    continue
                if edit.base != current.version:
                    writer = self._history.writer(key, current.version)
                    if writer and writer.client == client:
                        if writer.seq >= seq:  # a late copy of what was saved and typed on since
                            versions[key] = current.version
                            continue
                    else:
                        base = self._history.base(key, client, edit.base)
                        conflicts[key] = Conflict(current.value, current.version, base)
                        entries.append(Entry(key, edit.value, 0, now, client, seq))
                        continue
                if not self._is_in_history(key, current.version):
                    # Written by another hand, or before a history was lost: keep it, too.
                    entries.append(Entry(key, current.value, current.version, now, "", 0))
                field = Field(edit.value, current.version + 1)
                document.fields[key] = field
                if private and key in other.fields:
                    del other.fields[key]
                    changed.add(False)
                versions[key] = field.version
                entries.append(Entry(key, field.value, field.version, now, client, seq))
                changed.add(private)
            self._write(documents, changed, entries, now)
            self._in_history.update(versions)
            public = documents[False]
            return Saved(
                public.revision,
                now if changed else public.saved_at or now,
                versions,
                conflicts,
                invalid,
            )

    def history(self, key: str) -> list[Entry]:
        """Earlier values of a field worth going back to, newest first.

        Raises:
            StorageError: the history can't be read.
        """
        prompt = self.step.prompt(key)
        path = self.private if prompt and prompt.private else self.public
        try:
            field = decode(path.read_bytes(), self.course_id, self.step.name).fields.get(key)
        except (OSError, UnreadableError):
            field = None
        try:
            return self._history.earlier(key, field.value if field else None)
        except OSError as error:
            raise StorageError(plain_os_error(error)) from error

    def past(self) -> set[str]:
        """The fields that have earlier values, even where an answers file was set aside.

        Raises:
            StorageError: the history can't be read.
        """
        try:
            return self._history.keys()
        except OSError as error:
            raise StorageError(plain_os_error(error)) from error

    def _is_in_history(self, key: str, version: int) -> bool:
        known = version == 0 or self._in_history.get(key) == version
        return known or self._history.writer(key, version) is not None

    def _write(
        self, documents: dict[bool, Document], changed: set[bool], entries: list[Entry], now: str
    ) -> None:
        try:
            self._history.append(entries)
            for private in changed:
                document = documents[private]
                document.revision += 1
                document.asked = self.step.version
                document.saved_at = now
                content = json.dumps(
                    msgspec.to_builtins(document), ensure_ascii=False, indent=1
                ).encode()
                write_whole(self.private if private else self.public, content, mode=PRIVATE)
        except OSError as error:
            raise StorageError(plain_os_error(error)) from error

    def _read(self, path: Path, notice: Callable[[str], None]) -> Document:
        """The document at ``path``; an unusable one is moved out of the way, not lost."""
        empty = Document(FORMAT, self.course_id, self.step.name)
        try:
            if path.stat().st_size > MAX_FILE:
                raise UnreadableError("it is too large")
            return decode(path.read_bytes(), self.course_id, self.step.name)
        except FileNotFoundError:
            return empty
        except OSError as error:
            raise StorageError(plain_os_error(error)) from error
        except UnreadableError as error:
            kept = self._set_aside(path)
            notice(
                f"Your earlier answers could not be used: {error}. They were not deleted: "
                f"the file is kept as {kept.relative_to(self.state.parent).as_posix()} in your "
                "workspace. Show it to whoever runs the course."
                + (_STILL_THERE if self.past() else "")
            )
            return empty

    def _set_aside(self, path: Path) -> Path:
        stamp = dt.datetime.now(dt.UTC).strftime("%Y%m%dT%H%M%S%fZ")
        kept = self.state / "set-aside" / f"{path.stem}-{self.step.id}-{stamp}.json"
        try:
            private_folder(kept.parent)
            path.rename(kept)
        except OSError as error:
            raise StorageError(plain_os_error(error)) from error
        return kept

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold this step's lock, which the system lets go when a process dies."""
        path = self.state / "locks" / f"{self.step.id}.lock"
        try:
            private_folder(path.parent)
            lock = FileLock(path, timeout=LOCK_SECONDS, mode=PRIVATE)
            lock.acquire()
        except Timeout as error:
            message = (
                "Another window is saving this step and has not finished. Keep this page open."
            )
            raise StorageError(message) from error
        except OSError as error:
            raise StorageError(plain_os_error(error)) from error
        try:
            yield
        finally:
            lock.release()


def _was_private(key: str, documents: Mapping[bool, Document]) -> bool:
    return key in documents[True].fields or key not in documents[False].fields


def _edit_fault(key: str, prompt: Prompt | None, edit: Edit) -> str | None:
    if edit.base < 0:
        return "This change could not be placed. Reload the page; your text is kept here."
    if prompt is None and not _KEY.fullmatch(key):
        return _NO_KEY
    fault = prompt.fault(edit.value) if prompt else dropped_fault(edit.value)
    return f"This could not be saved: it {fault}." if fault else None


def _same(one: Any, other: Any) -> bool:
    """Whether two values are the same answer; nothing, empty text and an empty list are."""
    return (one or None) == (other or None)


def _well_formed(value: Any) -> Any:
    """``value`` with lone surrogates, which no file can hold, replaced by U+FFFD."""
    if isinstance(value, str):
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, list):
        return [_well_formed(item) for item in value]
    if isinstance(value, dict):
        return {_well_formed(key): _well_formed(item) for key, item in value.items()}
    return value


def _now() -> str:
    return dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
