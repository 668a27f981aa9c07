"""What the LMSs called each student's upload, as `nbgrader zip_collect` saw it.

``.pcn/lms/<step>.json`` in the course folder holds one object by the student's id::

    {"ada": {"lms": "canvas", "name": "all.zip/doeada_LATE_1001_5001_step-1-….zip", "late": true}}

Feedback goes back to the LMS under these names, and the LMS's own times and lateness are compared
with those of the gradebook.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from pcn_course.files import write_private
from pcn_course.grading.lms import LmsError

NAMES = Path(".pcn", "lms")
"""Folder of these files in the course folder."""


class UploadName(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an LMS called a student's upload in its own ZIP.

    ``name`` is the path from the archive folder on, through ZIPs in ZIPs. ``time`` is when it was
    uploaded by the LMS's clock (ISO 8601, UTC), empty where the LMS gives no time. ``late`` is the
    LMS's own mark for late work, None where it has none.
    """

    lms: str
    name: str
    time: str = ""
    late: bool | None = None


def read_names(room: Path, step_id: str) -> dict[str, UploadName]:
    """Return what the LMSs called the uploads of a step, by student; empty if none was collected.

    Raises:
        LmsError: the file is damaged.
    """
    path = names_file(room, step_id)
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, UploadName])
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.MsgspecError, RecursionError) as error:
        raise LmsError(
            f"{path} can't be read: {error}. Delete it, and collect the LMS's ZIP again."
        ) from error


def keep_names(room: Path, step_id: str, names: Mapping[str, UploadName]) -> None:
    """Store the names of these students' uploads; those of other students stay as they are.

    Raises:
        LmsError: the file that is there is damaged.
        OSError: nothing was changed.
    """
    if names:
        write_names(names_file(room, step_id), {**read_names(room, step_id), **names})


def write_names(path: Path, names: Mapping[str, UploadName]) -> None:
    """Write a step's names, readable by the owner alone.

    Raises:
        OSError: nothing was changed.
    """
    content = msgspec.json.encode(dict(sorted(names.items())))
    write_private(path, msgspec.json.format(content, indent=1) + b"\n")


def names_file(room: Path, step_id: str) -> Path:
    """Return the path of a step's names in a course folder."""
    return room / NAMES / f"{step_id}.json"
