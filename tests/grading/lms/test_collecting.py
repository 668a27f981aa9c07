"""What `nbgrader zip_collect` takes in, skips and keeps. All students are made up."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from pcn_course.grading.lms.roster import Entry, Roster
from pcn_course.grading.lms.sheets import LmsError
from pcn_course.grading.lms.upload_names import UploadName, names_file, read_names
from tests.grading.lms.collected import collect, own_zip
from tests.grading.lms.samples import STEP
from tests.support.room import lay_blank_gradebook

ROSTER = Roster((
    Entry(id="ada", first="Ada", last="Doe", lms_id="23304308", username="ada",
          participants={STEP: "77"}),
    Entry(id="zoe", first="Zoë", last="Ray", lms_id="23304309", username="zoe",
          participants={STEP: "78"}),
))  # fmt: skip
ADA = f"{STEP}+ada+20261120T154000Z.zip"
ZOE = f"{STEP}+zoe+20261120T154000Z.zip"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A course folder with an empty gradebook."""
    lay_blank_gradebook(tmp_path)
    return tmp_path


NAMED = {
    "canvas": (f"doeada_LATE_23304308_5001_{ADA}", "", True),
    "moodle": (f"Ada Doe_77_assignsubmission_file_/{ADA}", "", None),
    "brightspace": (f"1-2 - Ada Doe - Nov 20, 2026 342 PM - {ADA}", "2026-11-20T15:42:00+00:00",
                    None),
    "blackboard": (f"Goals_ada_attempt_2026-11-20-15-42-07_{ADA}", "2026-11-20T15:42:07+00:00",
                   None),
}  # fmt: skip


@pytest.mark.parametrize("lms", NAMED)
def test_what_the_lms_called_a_file_is_kept(root: Path, lms: str) -> None:
    name, time, late = NAMED[lms]
    assert collect(root, ROSTER, {name: own_zip("hers")}).answers() == {"ada": "hers"}
    kept = {"ada": UploadName(lms, f"all.zip/{name}", time, late)}
    assert read_names(root, STEP) == kept
    # Later only Zoë's is there, and a ZIP of her own, whose name no LMS gave.
    (root / "downloaded" / STEP / "archive" / "all.zip").unlink()
    collect(root, ROSTER, {"rayzoe_23304309_5002_x.zip": own_zip("x"), ADA: own_zip("y")})
    assert set(read_names(root, STEP)) == {"ada"}
    collect(root, ROSTER, {f"rayzoe_23304309_5002_{ZOE}": own_zip("his"), ADA: own_zip("y")})
    assert read_names(root, STEP)["ada"] == kept["ada"]
    assert read_names(root, STEP)["zoe"].late is False


@pytest.mark.skipif(os.name != "posix", reason="Windows has no modes")
def test_the_names_are_for_the_owner_alone(root: Path) -> None:
    collect(root, ROSTER, {NAMED["canvas"][0]: own_zip()})
    assert stat.S_IMODE(names_file(root, STEP).stat().st_mode) == 0o600


def test_damaged_names_are_said_and_stop_no_collecting(root: Path) -> None:
    names_file(root, STEP).parent.mkdir(parents=True)
    names_file(root, STEP).write_text('{"ada": [')
    done = collect(root, ROSTER, {NAMED["canvas"][0]: own_zip("hers")})
    assert done.answers() == {"ada": "hers"}
    assert "names of these files were not stored" in done.said
    with pytest.raises(LmsError, match="Delete it, and collect"):
        read_names(root, STEP)
