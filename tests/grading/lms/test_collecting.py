"""What `nbgrader zip_collect` takes in, skips and keeps. All students are made up."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from nbgrader.auth import Authenticator
from nbgrader.coursedir import CourseDirectory

from pcn_course.grading.lms import LmsError
from pcn_course.grading.lms.roster import Entry, Roster, write_roster
from pcn_course.grading.lms.upload_names import UploadName, names_file, read_names
from pcn_course.grading.nbgrader.collect import Collect
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


@pytest.mark.parametrize(
    "around",
    [
        "397-255 - Someone Else - 2026-11-20 1042 - ",
        "Default group_assignsubmission_file_/",
        "Groupe par défaut_assignsubmission_file_",
        "Zoë R. (unknown site)/",
        "Copy 3 of ",
        "inner folder/more/",
    ],
)
def test_a_name_that_is_not_understood_lets_no_claim_count(root: Path, around: str) -> None:
    done = collect(root, ROSTER, {f"{around}{ADA}": own_zip("not hers")})
    assert done.answers() == {}
    assert "1 left out" in done.summary
    assert "Left out, as" in done.said


@pytest.mark.parametrize("name", ["397-255 - Zoë Ray - 2026-11-20 1042 - {}",
                                  "397-255 - Zoë Ray - 05-03-2026 1042 - {}", "Zoë Ray/{}",
                                  "Ray, Zoë(zoe)/Submission attachment(s)/{}"])  # fmt: skip
def test_the_uploader_is_believed_where_the_form_is_new(root: Path, name: str) -> None:
    done = collect(root, ROSTER, {name.format(ADA): own_zip("from Zoë")})
    assert done.answers() == {"zoe": "from Zoë"}
    # Feedback can go back by an LMS only where one is known.
    assert {one.lms for one in read_names(root, STEP).values()} <= {"brightspace"}
    assert "says that zoe uploaded this; the file itself says ada" in done.said


def test_a_zip_of_one_student_is_theirs(root: Path) -> None:
    done = collect(root, ROSTER, {ADA: own_zip("from Zoë")}, name="Zoë Ray.zip")
    assert done.answers() == {"zoe": "from Zoë"}
    assert "the file itself says ada" in done.said


TYPED: dict[str, dict[str, bytes | str]] = {
    "canvas": {"doeada_23304308_text.html": "<p>words</p>",
               f"rayzoe_23304309_777_{ZOE}": own_zip("hers")},
    "canvas, a link": {"doeada_LATE_23304308_link.html": "<p>words</p>",
                       f"rayzoe_23304309_777_{ZOE}": own_zip("hers")},
    "moodle": {"Ada Doe_77_assignsubmission_onlinetext_/onlinetext.html": "<p>words</p>",
               f"Zoë Ray_78_assignsubmission_file_/{ZOE}": own_zip("hers")},
    "moodle, flat": {"Ada Doe_77_assignsubmission_onlinetext_onlinetext.html": "<p>words</p>",
                     f"Zoë Ray_78_assignsubmission_file_{ZOE}": own_zip("hers")},
    "brightspace": {"1-2 - Ada Doe - Nov 20, 2026 1042 AM.html": "<p>words</p>",
                    f"1-3 - Zoë Ray - Nov 20, 2026 1042 AM - {ZOE}": own_zip("hers"),
                    "index.html": "<p>all</p>"},
    "blackboard": {"Goals_ada_attempt_2026-11-20-10-43-00.txt":
                   "Name: Ada Doe (ada)\n\nSubmission Field:\nwords\n\nFiles:\n\tnone\n",
                   "Goals_zoe_attempt_2026-11-20-10-42-00.txt": "Name: Zoe Ray (zoe)\n",
                   f"Goals_zoe_attempt_2026-11-20-10-42-00_{ZOE}": own_zip("hers")},
}  # fmt: skip


@pytest.mark.parametrize("lms", TYPED)
def test_what_was_typed_into_the_lms_is_left_out_and_not_missing(root: Path, lms: str) -> None:
    done = collect(root, ROSTER, TYPED[lms])
    assert done.answers() == {"zoe": "hers"}
    assert "1 taken in; 1 left out: Ada Doe, " in done.summary
    assert next(iter(TYPED[lms])).rpartition("_")[2].rpartition("/")[2] in done.summary
    assert "not handed in" not in done.summary


def test_a_time_in_a_file_name_never_beats_one_that_is_better_known(root: Path) -> None:
    saved = own_zip("hers", "2026-11-21T08:00:00Z")
    done = collect(root, ROSTER, {f"doeada_23304308_5001_{ADA}": saved})
    assert done.times() == {"ada": "2026-11-21 08:00"}
    assert "saved at 2026-11-21 08:00 UTC, which was believed" in done.said


def test_of_two_uploads_the_lms_knows_which_is_newer(root: Path) -> None:
    """The first upload's name boasts of a later time."""
    early = f"{STEP}+ada+20261122T154000Z.zip"
    done = collect(root, ROSTER, {f"doeada_23304308_5001_{early}": own_zip("first"),
                                  f"doeada_23304308_5002_{ADA}": own_zip("second")})  # fmt: skip
    assert done.answers() == {"ada": "second"}


@pytest.mark.parametrize("folder", ["ADA", "Ada", "ada"])
def test_a_folder_of_the_exchange_in_another_spelling_is_the_same_person(
    root: Path, folder: str
) -> None:
    write_roster(root / "roster.csv", ROSTER)
    path = root / "inbound" / f"{folder}+{STEP}+2026-11-20 15:40:00.000000 UTC+x"
    path.mkdir(parents=True)
    course = CourseDirectory(root=str(root), course_id="pcn", assignment_id=STEP)
    collector = Collect(coursedir=course, authenticator=Authenticator(), check_owner=False)
    assert collector._path_to_record(str(path))["username"] == "ada"
