"""Handing in, and getting feedback back: by nbgrader's exchange, or as a ZIP where there is none.

What is handed in is a snapshot: the public answers, byte for byte those whose SHA-256 stands in the
receipt, and the course's notebook, because nbgrader knows a submission by one. A student's own
notebook, private notes and everything else stay where they are.

nbgrader takes seconds to import, so it runs in a process of its own (``python -m
pcn_course.exchange``), and only where a configuration for it is found.
"""

from __future__ import annotations

import datetime as dt
import errno
import hashlib
import json
import logging
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import msgspec
from filelock import FileLock, Timeout

from pcn_course.answers.store import FILE
from pcn_course.course import Course, Step, load_course
from pcn_course.files import (
    PRIVATE,
    StorageError,
    UserError,
    plain_os_error,
    private_folder,
    write_whole,
)
from pcn_course.workspace import Receipt, Workspace

SECRET = "submission_secret.txt"  # noqa: S105 (a file's name)
TIMESTAMP = "timestamp.txt"
"""nbgrader's own small files: by the secret, feedback finds its way back."""
HANDED_IN = "handed-in"
"""The folder of a workspace in which ZIPs for uploading are kept."""
REQUEST = "request.json"
"""A request for regrading, in a folder of the exchange that no collecting takes for answers."""
REQUEST_ENDING = ".request"
"""What stands after the step's id in that folder's name."""
LONGEST_REQUEST = 4_000
"""Characters of a request."""
MOST_REQUESTS = 20
"""Requests of one student about one step."""
STUDENT_ID = r"[A-Za-z0-9][A-Za-z0-9._@-]{0,62}"
"""An id that is safe in a file's name, in nbgrader and in an LMS."""
SECONDS = 120
"""How long nbgrader may take: its import on a slow, busy server included."""

_ARRIVED = (
    "Your instructor has your answers, but something that belongs to them could not be kept here: "
    "{} Then hand in once more, so that the receipt and your feedback find you."
)

_log = logging.getLogger("pcn_course")


class HandInError(UserError):
    """Nothing was handed in, or nothing fetched; ``plain`` says why and what to do."""


class Question(Exception):  # noqa: N818 (asked, not failed)
    """Something to be answered first. ``kind`` is ``past-due`` or ``student``."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind
        self.text = text


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A request for regrading, as the student's workspace keeps it.

    ``how`` is ``none`` where there is no exchange: then the student sends the words along.
    """

    when: dt.datetime
    criterion: str | None
    text: str
    how: Literal["exchange", "none"]


def hand_in(
    workspace: Workspace,
    step: Step,
    confirm: bool = False,  # noqa: FBT001, FBT002 (it is the answer to a question)
    student: str | None = None,
    *,
    course: Course | None = None,
) -> Receipt:
    """Hand in the public answers of ``step`` as they are now on disk; the receipt is kept.

    ``confirm`` answers the question ``past-due``; ``student`` answers the question ``student``, and
    is remembered. A call that waited for the same answers to be handed in returns that receipt.
    It takes seconds where there is an exchange, so a page calls it in a thread.

    Raises:
        Question: an answer is needed first; nothing was handed in.
        HandInError: nothing was handed in.
    """
    course = course or load_course()
    before = len(workspace.receipts(step))
    with _lock(workspace, step):
        answers = _public_answers(workspace, step)
        digest = hashlib.sha256(answers).hexdigest()
        receipts = workspace.receipts(step)
        if len(receipts) > before and receipts[-1].sha256 == digest:
            return receipts[-1]
        if receipts and not confirm:
            _ask_when_past_due(workspace.due(step))
        try:
            receipt = _by_exchange(workspace, course, step, answers, digest)
            if receipt is None:
                who = _student(workspace, student)
                receipt = _as_zip(workspace, course, step, answers, digest, who)
            _keep_receipt(workspace, step, receipt)
        except OSError as error:
            raise HandInError(plain_os_error(error)) from error
        except StorageError as error:
            raise HandInError(error.plain) from error
        _keep_network(workspace, course, step, receipt.when)
        return receipt


def fetch_feedback(
    workspace: Workspace, *, course: Course | None = None, every: float = 60.0
) -> tuple[Path, ...]:
    """Fetch released feedback into the steps' folders; return the pages that are new or changed.

    Does nothing where nothing was handed in by an exchange, nor within ``every`` seconds of the
    last time: an import of nbgrader for each look at home would be too much for a shared server.

    Raises:
        HandInError: the exchange could not be read.
    """
    course = course or load_course()
    steps = [
        step for step in course.steps
        if any(receipt.how == "exchange" for receipt in workspace.receipts(step))
    ]  # fmt: skip
    looked = workspace.state / "feedback-fetched"
    if not steps or not has_nbgrader_config(workspace.root) or _age(looked) < every:
        return ()
    try:
        write_whole(looked, b"", mode=PRIVATE)
    except OSError as error:
        raise HandInError(plain_os_error(error)) from error
    before = _pages(workspace, steps)
    _ask_nbgrader(workspace, {
        "do": "feedback", "course": course.id, "root": str(workspace.root),
        "steps": [step.id for step in steps],
    })  # fmt: skip
    after = _pages(workspace, steps)
    return tuple(path for path, digest in after.items() if before.get(path) != digest)


def ask_again(
    workspace: Workspace, step: Step, criterion: str | None, text: str, *, course: Course
) -> Asked:
    """Ask the instructor to look again at a criterion, or at the whole; the request is kept.

    It goes by the exchange at once, apart from submissions: nothing is handed in anew, so no date
    moves. The same words about the same criterion are sent once.

    Raises:
        HandInError: it was not sent.
    """
    text = text.replace("\0", "").strip()
    if not text or len(text) > LONGEST_REQUEST:
        raise HandInError(f"A request has 1 to {LONGEST_REQUEST:,} characters.")
    if criterion is not None and criterion not in {one.id for one in course.rubric.criteria}:
        raise HandInError("The course has no such criterion any more. Reload this page.")
    with _lock(workspace, step):
        before = requests_made(workspace, step)
        for one in before:
            if (one.criterion, one.text) == (criterion, text):
                return one
        if len(before) >= MOST_REQUESTS:
            raise HandInError("You have asked often about this step: write to your instructor.")
        sent = False
        if has_nbgrader_config(workspace.root):
            content = {"course": course.id, "step": step.id, "criterion": criterion, "text": text}
            reply = _ask_nbgrader(workspace, {
                "do": "ask", "course": course.id, "step": step.id, "content": content,
            })  # fmt: skip
            sent = not reply.get("absent")
        made = Asked(
            when=_now(), criterion=criterion, text=text, how="exchange" if sent else "none"
        )
        try:
            kept = msgspec.json.encode([*before, made])
            write_whole(_requests(workspace, step), kept, mode=PRIVATE)
        except OSError as error:
            raise HandInError(plain_os_error(error)) from error
        return made


def requests_made(workspace: Workspace, step: Step) -> list[Asked]:
    """The student's requests about a step, oldest first."""
    try:
        return msgspec.json.decode(_requests(workspace, step).read_bytes(), type=list[Asked])
    except (OSError, msgspec.MsgspecError, RecursionError, MemoryError):
        return []


def has_nbgrader_config(folder: Path) -> bool:
    """Whether nbgrader, started in ``folder``, would find a configuration. Imports nothing slow."""
    from jupyter_core.paths import jupyter_config_path

    places = [folder, *map(Path, jupyter_config_path())]
    names = ("nbgrader_config.py", "nbgrader_config.json")
    return any((place / name).is_file() for place in places for name in names)


def zip_name(step_id: str, student: str, when: dt.datetime) -> str:
    """The name of a ZIP to upload: ``step-1-goals+jdoe+20261122T104200Z.zip``."""
    return f"{step_id}+{student}+{when.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}.zip"


def zip_name_pattern(step_id: str) -> re.Pattern[str]:
    """Finds a ZIP's name in what an LMS makes of it: with words around it, and ``+`` replaced."""
    plus = r"(?:\+|%2B|[ _])"
    return re.compile(
        rf"{re.escape(step_id)}{plus}(?P<student>{STUDENT_ID}?){plus}"
        r"(?P<when>\d{8}T\d{6}Z)",
        re.IGNORECASE,
    )


def _keep_receipt(workspace: Workspace, step: Step, receipt: Receipt) -> None:
    try:
        workspace.add_receipt(step, receipt)
    except (OSError, StorageError) as error:
        if receipt.how != "exchange":
            raise
        why = error.plain if isinstance(error, StorageError) else plain_os_error(error)
        raise HandInError(_ARRIVED.format(why)) from error


def _keep_network(workspace: Workspace, course: Course, step: Step, when: dt.datetime) -> None:
    """Keep the network as it is at this submission, to be compared with later on.

    What was handed in is handed in: a network that can't be kept is only logged.
    """
    try:
        workspace.add_snapshot(course, step, when)
    except Exception:  # noqa: BLE001 (whatever it is, the submission stands)
        _log.exception("the network at the submission of %s was not kept", step.id)


def _public_answers(workspace: Workspace, step: Step) -> bytes:
    """The answers file as it is to be handed in."""
    try:
        return workspace.public_content(step)
    except FileNotFoundError:
        message = "There is nothing to hand in yet: answer a question first."
        raise HandInError(message) from None
    except ValueError:
        message = "Your answers could not be read. Reload this page; it says what became of them."
        raise HandInError(message) from None
    except OSError as error:
        raise HandInError(plain_os_error(error)) from error


def _notebook(workspace: Workspace, course: Course, step: Step) -> bytes:
    """The course's notebook of the step: nbgrader wants one, and nobody opens it."""
    for folder in (course.root / "notebooks", workspace.root):
        try:
            return (folder / step.path).read_bytes()
        except OSError:
            continue
    return b'{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}\n'


def _ask_when_past_due(due: dt.datetime | None) -> None:
    if due and dt.datetime.now(dt.UTC) > due:
        when = f"{due.day} {due:%B %Y, %H:%M} ({due.tzname()})"
        raise Question(
            "past-due",
            f"This step was due on {when}, and you have handed it in before. If you hand it in "
            "again, your instructor gets the new answers instead, with today's date. "
            "Hand in again?",
        )


def _student(workspace: Workspace, given: str | None) -> str:
    """The id that goes into a ZIP's name."""
    student = (given or workspace.student).strip()
    if not student:
        raise Question(
            "student",
            "By which id does your instructor know you? It goes into the name of the file. "
            "Usually it is the name with which you log in at your university.",
        )
    if not re.fullmatch(STUDENT_ID, student):
        raise Question(
            "student",
            "This id can't go into a file's name. Use letters, digits, dots, hyphens, "
            "underscores or @, without spaces, and at most 63 of them.",
        )
    if student != workspace.student:
        workspace.set_student(student)
    return student


def _as_zip(
    workspace: Workspace, course: Course, step: Step, answers: bytes, digest: str, student: str
) -> Receipt:
    folder = workspace.root / HANDED_IN
    while (path := folder / zip_name(step.id, student, now := _now())).exists():
        time.sleep(0.1)  # one name a second, and the time in it is true
    files = {
        FILE: answers,
        f"{step.id}.ipynb": _notebook(workspace, course, step),
        SECRET: secrets.token_hex(64).encode(),
        TIMESTAMP: f"{now:%Y-%m-%d %H:%M:%S.%f} UTC".encode(),
    }
    with tempfile.TemporaryFile() as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files.items():
                member = zipfile.ZipInfo(name, now.timetuple()[:6])
                member.external_attr = 0o644 << 16
                member.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(member, content)
        file.seek(0)
        write_whole(path, file.read(), mode=PRIVATE)
    return Receipt(when=now, sha256=digest, how="zip", file=f"{HANDED_IN}/{path.name}")


def _by_exchange(
    workspace: Workspace, course: Course, step: Step, answers: bytes, digest: str
) -> Receipt | None:
    """Submit through the exchange; ``None`` where there is none."""
    if not has_nbgrader_config(workspace.root):
        return None
    # nbgrader copies from a folder that nobody else writes to: what is sent is what was hashed.
    with tempfile.TemporaryDirectory(prefix="pcn-hand-in-") as staging:
        folder = Path(staging) / step.id
        folder.mkdir()
        (folder / FILE).write_bytes(answers)
        (folder / f"{step.id}.ipynb").write_bytes(_notebook(workspace, course, step))
        reply = _ask_nbgrader(workspace, {
            "do": "submit", "course": course.id, "root": staging, "step": step.id,
            "sha256": digest,
        })  # fmt: skip
    if reply.get("absent"):
        return None
    when = dt.datetime.fromisoformat(reply["when"])
    return Receipt(when=when, sha256=digest, how="exchange")


def _ask_nbgrader(workspace: Workspace, request: dict[str, Any]) -> dict[str, Any]:
    """Have ``request`` done by a process with nbgrader in it, started where the student works.

    Raises:
        HandInError: it said that it could not be done, or nothing at all.
    """
    # -P: a file of the student's must not stand in for a module.
    command = [sys.executable, "-P", "-m", "pcn_course.exchange"]
    try:
        done = subprocess.run(  # noqa: S603 (our own module)
            command, input=json.dumps(request), capture_output=True, text=True, check=False,
            cwd=workspace.root, timeout=SECONDS,
        )  # fmt: skip
        reply: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    except subprocess.TimeoutExpired as error:
        message = "The course's exchange did not answer. Your answers are kept; try again later."
        raise HandInError(message) from error
    except (ValueError, IndexError) as error:
        _log.error("nbgrader's process failed (%s):\n%s", done.returncode, done.stderr[-4000:])
        message = "The course's exchange could not be used. Tell whoever runs the course."
        raise HandInError(message) from error
    if "problem" in reply:
        _log.error("nbgrader: %s\n%s", reply["problem"], done.stderr[-4000:])
        raise HandInError(reply["problem"])
    return reply


@contextmanager
def _lock(workspace: Workspace, step: Step) -> Iterator[None]:
    """One hand-in of a step at a time, from whatever window."""
    path = workspace.state / "locks" / f"hand-in-{step.id}.lock"
    try:
        private_folder(path.parent)
        lock = FileLock(path, timeout=SECONDS + 30, mode=PRIVATE)
        lock.acquire()
    except Timeout as error:
        message = "This step is being handed in from another window. Wait for its answer."
        raise HandInError(message) from error
    except OSError as error:
        raise HandInError(plain_os_error(error)) from error
    try:
        yield
    finally:
        lock.release()


def _pages(workspace: Workspace, steps: list[Step]) -> dict[Path, str]:
    """The digest of each feedback page by its path."""
    return {
        page.path: hashlib.sha256(page.path.read_bytes()).hexdigest()
        for step in steps
        for page in workspace.feedback(step)
    }


def _requests(workspace: Workspace, step: Step) -> Path:
    return workspace.state / "requests" / f"{step.id}.json"


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return float("inf")


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


# What follows runs in the process of its own.


def _main() -> None:
    """Read one request from standard input, print one reply on the last line of standard output."""
    request = json.load(sys.stdin)
    reply = sys.stdout
    sys.stdout = sys.stderr  # whatever an exchange prints is not the reply
    print(json.dumps(_done(request)), file=reply, flush=True)


def _done(request: dict[str, Any]) -> dict[str, Any]:
    from nbgrader.apps.baseapp import NbGrader
    from nbgrader.auth import Authenticator
    from nbgrader.exchange import ExchangeError, ExchangeFactory

    class App(NbGrader):
        """nbgrader as this student has it configured, without files of theirs as modules."""

        name = "nbgrader-pcn"

        def init_syspath(self) -> None:
            pass

    app = App()
    app.initialize([])
    app.authenticator = Authenticator(parent=app)
    factory = ExchangeFactory(parent=app)
    directory = app.coursedir
    directory.course_id = directory.course_id or request["course"]
    made = {"coursedir": directory, "authenticator": app.authenticator, "parent": app}
    do = {"submit": _submit, "feedback": _feedback, "ask": _ask}[request["do"]]
    try:
        return do(request, factory, directory, made)
    except ExchangeError:
        _log.exception("the exchange refused")
        return {"problem": "The course's exchange did not take it. Tell whoever runs the course."}
    except OSError as error:  # what arrived by half is not collected
        _log.exception("the exchange could not be used")
        # Copying a folder fails with all its faults in one.
        full = isinstance(error, shutil.Error) and f"[Errno {errno.ENOSPC}]" in str(error)
        return {"problem": plain_os_error(OSError(errno.ENOSPC, "") if full else error)}


def _submit(
    request: dict[str, Any], factory: Any, directory: Any, made: dict[str, Any]
) -> dict[str, Any]:
    from nbgrader.utils import parse_utc

    submit = factory.Submit(**made)
    submit.assignment_dir = request["root"]
    submit.path_includes_course = False
    directory.assignment_id = request["step"]
    root = getattr(submit, "root", None)  # an exchange of another kind may have no folder
    if root is not None:
        course = Path(root) / directory.course_id
        if not course.is_dir():
            return {"absent": True}
        if not (course / "outbound" / request["step"]).is_dir():
            return {"problem": "This step is not open for handing in yet. Your answers are kept."}
    try:
        submit.start()
    except OSError as error:
        if root is None or not _arrived(submit, request["sha256"]):
            raise
        # nbgrader's own copy, by which feedback is found, failed after the submission was there.
        return {"problem": _ARRIVED.format(plain_os_error(error))}
    if root is not None:
        sent = Path(submit.inbound_path) / submit.assignment_filename / FILE
        try:
            arrived = hashlib.sha256(sent.read_bytes()).hexdigest()
        except PermissionError:
            arrived = request["sha256"]  # an exchange that shows nobody what is in it
        if arrived != request["sha256"]:
            return {"problem": "What arrived is not what was sent. Hand in once more."}
    return {"when": parse_utc(submit.timestamp).replace(tzinfo=dt.UTC).isoformat()}


def _arrived(submit: Any, sha256: str) -> bool:
    """Whether a submission is whole in the exchange, although submitting failed."""
    try:
        sent = Path(submit.inbound_path) / submit.assignment_filename
        content, when = (sent / FILE).read_bytes(), (sent / TIMESTAMP).read_text()
        secret = (sent / SECRET).read_text()
    except (OSError, AttributeError):
        return False
    whole = hashlib.sha256(content).hexdigest() == sha256 and when == submit.timestamp
    return whole and bool(secret)


def _ask(
    request: dict[str, Any], factory: Any, directory: Any, made: dict[str, Any]
) -> dict[str, Any]:
    """Lay a request where submissions are laid, under a name that no collecting looks for."""
    submit = factory.Submit(**made)
    directory.assignment_id = request["step"] + REQUEST_ENDING
    root = getattr(submit, "root", None)
    if root is None or not (Path(root) / directory.course_id / "inbound").is_dir():
        return {"absent": True}
    submit.set_timestamp()
    submit.init_dest()
    folder = Path(submit.inbound_path) / submit.assignment_filename
    folder.mkdir()
    path = folder / REQUEST
    write_whole(path, json.dumps(request["content"], ensure_ascii=False).encode())
    # As nbgrader does with a submission: who may look into `inbound` may read it.
    path.chmod(0o644)
    folder.chmod(folder.stat().st_mode | 0o055)
    return {"done": True}


def _feedback(
    request: dict[str, Any], factory: Any, directory: Any, made: dict[str, Any]
) -> dict[str, Any]:
    for step in request["steps"]:
        fetch = factory.FetchFeedback(**made)
        fetch.assignment_dir = request["root"]
        fetch.path_includes_course = False
        directory.assignment_id = step
        root = getattr(fetch, "root", None)
        if root is not None and not (Path(root) / directory.course_id / "feedback").is_dir():
            return {"absent": True}  # nothing was released yet
        fetch.start()
    return {"done": True}


if __name__ == "__main__":
    _main()
