"""A course with its instructor and its students, over the real nbgrader and a real exchange.

course = Course.make(tmp_path / "course", exchange=tmp_path / "exchange")
ada = Student.join(course, tmp_path / "ada", "ada")
course.instructor.open("step-1-goals")
ada.fetch("step-1-goals")
ada.answer("goals", {"live-project": "A referral pathway"})
ada.hand_in("goals")
course.instructor.collect("step-1-goals")
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pcn_course
from pcn_course import course as pcn
from pcn_course import exchange
from pcn_course.answers.store import Edit
from pcn_course.course import Prompt, Step
from pcn_course.grading.notebooks import write_notebooks, write_room_notebooks
from pcn_course.workspace import Receipt, Workspace
from tests.support.room import lay_blank_gradebook
from tests.support.servers import AppServer

CHECKOUT = Path(pcn_course.__file__).parents[1]
SETTINGS = ("HOME", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR", "PCN_COURSE")


@dataclass(frozen=True)
class Person:
    """Someone with a home folder and Jupyter settings of their own."""

    home: Path

    def environment(self) -> dict[str, str]:
        """What their processes see."""
        return {
            **os.environ,
            "HOME": str(self.home),
            "JUPYTER_CONFIG_DIR": str(self.home / ".jupyter"),
            "JUPYTER_DATA_DIR": str(self.home / ".local-jupyter"),
            "IPYTHONDIR": str(self.home / ".ipython"),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        }

    def run(
        self, *command: str, cwd: Path, must_succeed: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as this person; its output is in the failure's message."""
        done = subprocess.run(
            command, cwd=cwd, env=self.environment(), capture_output=True, text=True, check=False
        )
        if must_succeed and done.returncode:
            raise AssertionError(f"{' '.join(command)}\n{done.stdout}\n{done.stderr}")
        return done


@dataclass(frozen=True)
class Instructor(Person):
    """Whoever runs nbgrader in ``assignments/``."""

    room: Path

    def nbgrader(
        self, *arguments: str, must_succeed: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run one nbgrader command."""
        return self.run("nbgrader", *arguments, cwd=self.room, must_succeed=must_succeed)

    def open(self, step_id: str) -> None:
        """Generate and release a step."""
        self.nbgrader("generate_assignment", step_id)
        self.nbgrader("release_assignment", step_id)

    def collect(self, step_id: str) -> str:
        """Collect new submissions; return what nbgrader logged."""
        return self.nbgrader("collect", "--update", step_id).stderr

    def collect_zips(self, step_id: str, *zips: Path) -> str:
        """Collect ZIPs, as downloaded from an LMS; return what nbgrader logged."""
        archive = self.room / "downloaded" / step_id / "archive"
        archive.mkdir(parents=True, exist_ok=True)
        for path in zips:
            shutil.copy(path, archive)
        return self.nbgrader("zip_collect", step_id, "--force").stderr

    def autograde(self, step_id: str, *options: str) -> str:
        """Grade what was collected; return what nbgrader logged."""
        return self.nbgrader("autograde", step_id, *options).stderr

    def mark(self, student: str, step_id: str, marks: Mapping[str, tuple[float, str]]) -> None:
        """Give scores and comments by hand, as formgrader does."""
        with self.gradebook() as gradebook:
            for criterion, (score, comment) in marks.items():
                where = criterion, step_id, step_id, student
                grade = gradebook.find_grade(*where)
                grade.manual_score = score
                grade.needs_manual_grade = False
                gradebook.find_comment(*where).manual_comment = comment
            gradebook.db.commit()

    def return_feedback(self, step_id: str) -> None:
        """Generate and release feedback."""
        self.nbgrader("generate_feedback", step_id, "--force")
        self.nbgrader("release_feedback", step_id)

    def grades(self, student: str, step_id: str) -> dict[str, dict[str, Any]]:
        """All grades of a submission, by cell."""
        with self.gradebook() as gradebook:
            notebook = gradebook.find_submission_notebook(step_id, step_id, student)
            return {
                grade.name: {
                    "score": grade.score,
                    "auto": grade.auto_score,
                    "manual": grade.manual_score,
                    "open": grade.needs_manual_grade,
                    "comment": None
                    if grade.name == "structure"
                    else gradebook.find_comment(grade.name, step_id, step_id, student).comment,
                }
                for grade in notebook.grades
            }

    def graded_notebook(self, student: str, step_id: str) -> dict[str, Any]:
        """The notebook that formgrader shows."""
        path = self.room / "autograded" / student / step_id / f"{step_id}.ipynb"
        read: dict[str, Any] = json.loads(path.read_bytes())
        return read

    @contextmanager
    def gradebook(self) -> Iterator[Any]:
        """nbgrader's own view of the gradebook."""
        from nbgrader.api import Gradebook

        with Gradebook(f"sqlite:///{self.room}/gradebook.db?timeout=30", "pcn") as gradebook:
            yield gradebook

    @contextmanager
    def formgrader(self) -> Iterator[str]:
        """A Jupyter server with formgrader; gives its address, which needs no login."""
        port = free_port()
        command = [
            sys.executable, "-m", "jupyter", "server", f"--port={port}", "--port-retries=0",
            "--no-browser", "--IdentityProvider.token=", "--ServerApp.password=",
            f"--ServerApp.root_dir={self.room}", "--allow-root",
            "--ServerApp.jpserver_extensions={'nbgrader.server_extensions.formgrader': True}",
        ]  # fmt: skip
        log = self.home / "formgrader.log"
        with log.open("w") as output:
            server = subprocess.Popen(
                command, cwd=self.room, env=self.environment(), stdout=output, stderr=output
            )
        address = f"http://127.0.0.1:{port}/formgrader"
        try:
            wait_for(address, server, log)
            yield address
        finally:
            server.terminate()
            server.wait(timeout=20)


@dataclass(frozen=True)
class Course:
    """A copy of the course in a folder of its own, with an instructor."""

    root: Path
    exchange: Path | None
    instructor: Instructor
    content: pcn.Course

    @classmethod
    def make(cls, root: Path, *, exchange: Path | None = None, due: str = "") -> Course:
        """Copy the course; ``due`` is what stands under ``[due]`` in its ``course.toml``."""
        shutil.copytree(CHECKOUT / "data", root / "data")
        course_file = root / "data" / "course.toml"
        if due:
            course_file.write_text(f"{course_file.read_text()}\n[due]\n{due}\n")
        content = pcn.load_course(root)
        write_notebooks(content, root / "notebooks")
        room = root / "assignments"
        room.mkdir()
        config = (CHECKOUT / "assignments" / "nbgrader_config.py").read_text()
        if exchange:
            exchange.mkdir(parents=True)
            exchange.chmod(0o777)
            config += f"\nc.Exchange.root = {str(exchange)!r}\n"
            # The tests' students are all one user of the system.
            config += "c.ExchangeCollect.check_owner = False\n"
        (room / "nbgrader_config.py").write_text(config)
        write_room_notebooks(room)
        lay_blank_gradebook(room)
        home = root.with_name(f"{root.name}-instructor")
        home.mkdir()
        return cls(root, exchange, Instructor(home, room), content)


@dataclass(frozen=True)
class Student(Person):
    """A student with a workspace, and with the exchange where the course has one."""

    course: Course
    name: str
    workspace: Workspace = field(compare=False)

    @classmethod
    def join(cls, course: Course, home: Path, name: str) -> Student:
        """Give a student a home, a workspace and the settings that a hub would give."""
        folder = home / "workspace"
        folder.mkdir(parents=True)
        config = home / ".jupyter" / "nbgrader_config.py"
        if course.exchange:
            config.parent.mkdir()
            # On a hub nbgrader knows a student by the system's user; here all have the same one.
            config.write_text(
                "c = get_config()\n"
                f"c.CourseDirectory.course_id = {course.content.id!r}\n"
                f"c.CourseDirectory.student_id = {name!r}\n"
                f"c.Exchange.root = {str(course.exchange)!r}\n"
            )
        return cls(home, course, name, Workspace(folder))

    def environment(self) -> dict[str, str]:
        return {**super().environment(), "PCN_COURSE": str(self.course.root)}

    def app(self, *options: str) -> AppServer:
        """``pcn app`` as the student starts it, to be used in a ``with`` statement."""
        settings = {name: text for name, text in self.environment().items() if name in SETTINGS}
        return AppServer(self.workspace.root, *options, course=self.course.root, **settings)

    def nbgrader(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one nbgrader command in the workspace."""
        return self.run("nbgrader", *arguments, cwd=self.workspace.root)

    def fetch(self, step_id: str) -> None:
        """Fetch a released step, and the rest of the course beside it."""
        self.nbgrader("fetch_assignment", step_id)
        self.workspace.fill(self.course.content)

    def answer(self, step_name: str, answers: Mapping[str, Any]) -> None:
        """Write answers, as the form does."""
        step = self.course.content.step(step_name)
        store = self.workspace.store(self.course.content, step)
        versions = {key: one.version for key, one in store.load().fields.items()}
        edits = {key: Edit(value, versions.get(key, 0)) for key, value in answers.items()}
        saved = store.save("a test", edits)
        assert not saved.conflicts
        assert not saved.invalid

    def hand_in(self, step_name: str, **options: Any) -> Receipt:
        """Press "Submit"."""
        step = self.course.content.step(step_name)
        with self.at_work():
            return exchange.hand_in(self.workspace, step, **options)

    def zip_of(self, step_name: str, **options: Any) -> Path:
        """Press "Submit" where there is no exchange; the ZIP to upload."""
        receipt = self.hand_in(step_name, **{"student": self.name, **options})
        assert receipt.file
        return self.workspace.root / receipt.file

    def fetch_feedback(self) -> tuple[Path, ...]:
        """Look at home, as often as one likes."""
        with self.at_work():
            return exchange.fetch_feedback(self.workspace, every=0)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Let this process be the student's."""
        before = {name: os.environ.get(name) for name in SETTINGS}
        here = self.environment()
        os.environ.update({name: here[name] for name in SETTINGS})
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value


def sample_answers(step: Step, *, text: str = "Answer to “{label}”.") -> dict[str, Any]:
    """An answer to every prompt of a step; texts name their prompt."""
    return {prompt.key: sample_answer(prompt, text) for prompt in step.prompts}


def sample_answer(prompt: Prompt, text: str = "Answer to “{label}”.") -> Any:
    """An answer of the prompt's kind; one that points to a table names its first entry."""
    if prompt.refers:
        first = f"r{0:08x}"
        return [first] if prompt.kind == "choices" else first
    match prompt.kind:
        case "line" | "text":
            return text.format(label=prompt.label)
        case "choice":
            return prompt.options[0].value
        case "choices":
            return [option.value for option in prompt.options[:2]]
        case "scale":
            return prompt.points
        case "date":
            return "2027-02-26"
        case "time":
            return "15:30"
        case "table":
            return [
                {
                    "id": f"r{number:08x}",
                    **{
                        column.key: sample_answer(column, text.replace("{label}", words))
                        for column in prompt.columns
                    },
                }
                for number, words in enumerate(("{label}", "{label}, once more"))
            ]


def visible_text(html: str) -> str:
    """What a page's words are, without its tags and styles."""
    import html as entities

    without = re.sub(r"<(style|script)\b.*?</\1>", " ", html, flags=re.DOTALL)
    return re.sub(r"\s+", " ", entities.unescape(re.sub(r"<[^>]*>", " ", without)))


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def wait_for(address: str, server: subprocess.Popen[Any], log: Path, seconds: float = 180) -> None:
    """Wait until ``address`` answers."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and server.poll() is None:
        try:
            urllib.request.urlopen(address, timeout=20).close()  # noqa: S310 (our own server)
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"{address} does not answer:\n{log.read_text()}")
