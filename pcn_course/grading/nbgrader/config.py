"""How nbgrader works on this course: everything that ``assignments/nbgrader_config.py`` sets."""

from __future__ import annotations

import os
import tomllib
import warnings
from pathlib import Path

from nbgrader.converters import GenerateAssignment
from nbgrader.preprocessors import (
    AssignLatePenalties,
    GetGrades,
    LimitOutput,
    SaveAutoGrades,
)
from nbgrader.server_extensions import formgrader
from sqlalchemy.exc import SAWarning
from traitlets.config import Config

from pcn_course.characters import print_safely
from pcn_course.grading.feedback.release import FeedbackPage, ReleaseFeedback
from pcn_course.grading.gradebook.audit_log import watch
from pcn_course.grading.late.penalties import Csv, LatePenalty
from pcn_course.grading.nbgrader import patches
from pcn_course.grading.nbgrader.collect import HAND_IN, Collect, Extractor
from pcn_course.grading.nbgrader.gradebook import put_on_path
from pcn_course.grading.nbgrader.preprocessors import (
    CarryDueDate,
    ExecuteHere,
    NoteReading,
    ReleasedNotebookExporter,
    ReopenMarks,
)

TEMPLATES = Path(__file__).parents[1] / "templates"
_DEFAULT_GENERATE: list[type] = GenerateAssignment.class_traits()["preprocessors"].default()


def configure(c: Config, here: Path) -> None:
    """Set nbgrader up for the course whose ``assignments/nbgrader_config.py`` is ``here``.

    Whatever that file sets after this call wins.
    """
    assignments = Path(here).absolute().parent
    course = assignments.parent

    # Grading takes this course, whatever else is installed.
    os.environ["PCN_COURSE"] = str(course)
    # What they start imports nothing that lies beside a submission.
    os.environ["PYTHONSAFEPATH"] = "1"
    put_on_path()
    print_safely()
    # nbgrader adds a new submission to its gradebook as SQLAlchemy warns of; it is added all the
    # same, and whoever grades can do nothing about it.
    warnings.filterwarnings(
        "ignore", r"Object of type <Submitted(Assignment|Notebook)> not in session", SAWarning
    )

    # nbgrader's own files stay in assignments/; what is released comes from notebooks/.
    c.CourseDirectory.course_id = _course_id(course)
    c.CourseDirectory.root = str(assignments)
    c.CourseDirectory.source_directory = os.path.relpath(course / "notebooks", assignments)
    # Two graders at once: wait for each other for 30 seconds rather than fail after 5.
    c.CourseDirectory.db_url = f"sqlite:///{assignments}/gradebook.db?timeout=30"
    # Who read or changed marks, whichever way they took.
    watch(assignments, c.CourseDirectory.db_url)
    c.HTMLExporter.preprocessors = _names(NoteReading)
    # Code never travels, neither to students nor from a folder that was put here by hand.
    c.CourseDirectory.ignore = [
        ".ipynb_checkpoints", "*.pyc", "__pycache__", "feedback", "*.py", "*.so", "*.pth"
    ]  # fmt: skip

    patches.apply(c)
    # A released notebook tells students when it is due.
    c.GenerateAssignment.preprocessors = _names(*_DEFAULT_GENERATE, CarryDueDate)

    # Collected is what a submission consists of, its answers, and nothing else.
    c.ExchangeFactory.collect = _name(Collect)
    c.ZipCollectApp.extractor_plugin = _name(Extractor)
    c.FileNameCollectorPlugin.named_regexp = rf"(?:.*/)?{HAND_IN}/(?P<file_id>[^/]+)$"
    c.FileNameCollectorPlugin.valid_ext = [".ipynb", ".json", ".txt"]

    # Graded is the released notebook with the student's answers; a student's is never opened.
    c.Autograde.exporter_class = _name(ReleasedNotebookExporter)
    # New answers ask for a new mark. The cells' metadata was checked when they were sanitized.
    c.Autograde.autograde_preprocessors = _names(
        ExecuteHere,
        LimitOutput,
        SaveAutoGrades,
        ReopenMarks,
        AssignLatePenalties,
    )
    # What late.csv says of late work; before each export it is computed anew.
    c.AssignLatePenalties.plugin_class = _name(LatePenalty)
    c.ExportApp.plugin_class = _name(Csv)

    # Our feedback page; and in formgrader nothing that another host would have to deliver.
    c.GenerateFeedback.preprocessors = _names(GetGrades, FeedbackPage)
    c.ExchangeFactory.release_feedback = _name(ReleaseFeedback)
    c.HTMLExporter.extra_template_basedirs = [
        str(TEMPLATES), str(Path(formgrader.__file__).parent / "templates")
    ]  # fmt: skip


def _course_id(course: Path) -> str:
    """The course's id. Faults in the rest of ``data/`` are for `pcn check` to tell."""
    with (course / "data" / "course.toml").open("rb") as file:
        return str(tomllib.load(file)["id"])


def _name(one: type) -> str:
    """A class by its name: formgrader shows its settings, and can't show classes."""
    return f"{one.__module__}.{one.__qualname__}"


def _names(*several: type) -> list[str]:
    return [_name(one) for one in several]
