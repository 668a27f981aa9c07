"""A student's view of the exchange: a folder of the student's own that leads to what is theirs.

It runs in the student's own server, so nothing here loads nbgrader.
"""

from __future__ import annotations

from pathlib import Path


def make_view(view: Path, exchange: Path, course_id: str, student: str) -> None:
    """Lay out a student's view of the exchange; it runs as the student.

    What is there already (links of the last time, or mounts) is left as it is.
    """
    folder = view / course_id
    folder.mkdir(parents=True, exist_ok=True)
    course = exchange / course_id
    targets = {
        "outbound": course / "outbound",
        "inbound": course / "inbound" / student,
        "feedback": course / "feedback" / student,
    }
    for name, target in targets.items():
        link = folder / name
        if link.is_symlink() and link.readlink() != target:
            link.unlink()
        if not link.is_symlink() and not link.exists():
            link.symlink_to(target)


def write_student_config(path: Path, view: Path, course_id: str, student: str) -> None:
    """Tell a student's nbgrader where the exchange is and by which name it knows the student."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        "c = get_config()\n"
        f"c.CourseDirectory.course_id = {course_id!r}\n"
        f"c.CourseDirectory.student_id = {student!r}\n"
        f"c.Exchange.root = {str(view)!r}\n",
        encoding="utf-8",
    )


def make_released(folder: Path, view: Path, course_id: str) -> Path:
    """A course's folder whose notebooks are those that were released, to fill a workspace from."""
    folder.mkdir(parents=True, exist_ok=True)
    link = folder / "notebooks"
    target = view / course_id / "outbound"
    if not link.is_symlink() and not link.exists():
        link.symlink_to(target)
    return folder
