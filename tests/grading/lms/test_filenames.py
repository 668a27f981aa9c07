"""Who uploaded a file, by what an LMS calls it; and what counts where two say different things."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from traitlets.config import Config

from pcn_course.grading.late.time_zone import to_utc, zone_of
from pcn_course.grading.lms import LmsError
from pcn_course.grading.lms.filenames import (
    Claim,
    Settled,
    Unsettled,
    Uploader,
    settle,
    who,
)
from pcn_course.grading.lms.moments import read_moment
from pcn_course.grading.lms.roster import Entry, Roster

NEW_YORK = ZoneInfo("America/New_York")
STEP = "step-1-goals"
ZIP = f"{STEP}+ada+20261120T154200Z.zip"
ROSTER = Roster((
    Entry(id="ada", first="Ada", last="Doe", lms_id="1234", username="adoe",
          participants={STEP: "77"}),
    Entry(id="ben", first="Ben", last="O'Neill-Roe", lms_id="1235", username="ben_o_roe"),
    Entry(id="zoë.l", first="Zoë", last="Łuka", lms_id="1236", username="zoe"),
    Entry(id="jo1", first="Jo", last="Roe", lms_id="1237", username="o_roe"),
    Entry(id="jo2", first="Jo", last="Roe", lms_id="1238", username="roe"),
    Entry(id="new"),
))  # fmt: skip


def utc(*numbers: int) -> dt.datetime:
    return dt.datetime(*numbers, tzinfo=dt.UTC)  # type: ignore[arg-type,misc]


def found(name: str, receipts: dict[str, str] | None = None, step: str = STEP) -> Uploader:
    uploader = who(name, receipts or {}, ROSTER, NEW_YORK, step=step)
    assert uploader
    return uploader


@pytest.mark.parametrize(
    ("name", "student", "late", "hidden"),
    [
        (f"doeada_1234_56789_{ZIP}", "ada", False, False),
        (f"doeada_LATE_1234_56789_{ZIP}", "ada", True, False),
        (f"submissions/łukazoë_1236_1_{ZIP}", "zoë.l", False, False),
        ("late_LATE_1235_1_a_1234_5_b.zip", "ben", True, False),
        ("doe2ada_1234_56789_answers-2.json", "ada", False, False),
        (f"anon_Ab1cd_56789_{ZIP}", None, False, True),
        (f"LATE_anon_Ab1cd_56789_{ZIP}", None, True, True),
        (f"nobody_9999_56789_{ZIP}", None, False, False),
    ],
)
def test_canvas(name: str, student: str | None, late: bool, hidden: bool) -> None:
    one = found(name)
    assert (one.lms, one.student, one.late, one.hidden) == ("canvas", student, late, hidden)
    assert one.when is None


@pytest.mark.parametrize(
    ("name", "student"),
    [
        (f"Ada Doe_77_assignsubmission_file_/{ZIP}", "ada"),
        (f"Someone Else_77_assignsubmission_file_/{ZIP}", "ada"),  # the number says more
        (f"BEN ONeill Roe_78_assignsubmission_file_{ZIP}", "ben"),
        (f"Luka Zoe\u0308_79_assignsubmission_file_/sub/{ZIP}", None),  # Ł is a letter of its own
        (f"Łuka Zoe\u0308_79_assignsubmission_file_/sub/{ZIP}", "zoë.l"),
        (f"Participant_77_assignsubmission_file_/{ZIP}", "ada"),
        (f"Participant_78_assignsubmission_file_/{ZIP}", None),
        (f"Participant_78_{ZIP}", None),
        (f"Jo Roe_80_assignsubmission_file_/{ZIP}", None),
    ],
)
def test_moodle(name: str, student: str | None) -> None:
    one = found(name)
    assert (one.lms, one.student, one.when) == ("moodle", student, None)
    assert one.hidden == name.startswith("Participant")


def test_moodles_numbers_belong_to_one_assignment() -> None:
    name = f"Participant_77_assignsubmission_file_/{ZIP}"
    assert found(name, step="step-2-connections").student is None


@pytest.mark.parametrize(
    ("name", "student", "when"),
    [
        (f"397063-2557369 - Ada Doe - Nov 20, 2026 1042 AM - {ZIP}", "ada", (2026, 11, 20, 15, 42)),
        (f"397063-2557369 - Ada Doe - Nov 20, 2026 1042 AM/{ZIP}", "ada", (2026, 11, 20, 15, 42)),
        ("1-2 - Ben O'Neill-Roe - Jul 4, 2026 926 PM - x - y.zip", "ben", (2026, 7, 5, 1, 26)),
        ("1-2 - Zoë Łuka - Jan 1, 2026 1200 AM - a.zip", "zoë.l", (2026, 1, 1, 5, 0)),
        ("1-2 - Zoë Łuka - Jan 1, 2026 1200 PM - a.zip", "zoë.l", (2026, 1, 1, 17, 0)),
        ("1-2 - Ada Doe - 20 novembre 2026 10 42 - a.zip", "ada", (2026, 11, 20, 15, 42)),
        ("1-2 - Nobody Here - Nov 20, 2026 1042 AM - a.zip", None, (2026, 11, 20, 15, 42)),
    ],
)
def test_brightspace(name: str, student: str | None, when: tuple[int, ...]) -> None:
    one = found(name)
    assert (one.lms, one.student, one.when) == ("brightspace", student, utc(*when))


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("Nov 20, 2026 1042 AM", (11, 20, 10, 42)),
        ("November 20, 2026 10:42 p.m.", (11, 20, 22, 42)),
        ("20. Dezember 2026 1642", (12, 20, 16, 42)),
        ("1 août 2026 9h05", (8, 1, 9, 5)),
        ("3 de mayo de 2026 16 42", (5, 3, 16, 42)),
        ("juin 7, 2026 1642", (6, 7, 16, 42)),
        ("7 juil. 2026 1642", (7, 7, 16, 42)),
        ("mrt 7, 2026 042", (3, 7, 0, 42)),
        ("2026-11-20 1042", (11, 20, 10, 42)),
        ("20-11-2026 1042", (11, 20, 10, 42)),
        ("20.11.2026 10.42", (11, 20, 10, 42)),
        ("05 March 2026 612 PM", (3, 5, 18, 12)),
        ("20 marraskuuta 2026 1042", (11, 20, 10, 42)),
        ("3 maggio 2026 1642", (5, 3, 16, 42)),
        ("20 listopada 2026 1042", (11, 20, 10, 42)),
        ("7 мая 2026 1642", (5, 7, 16, 42)),
        ("Friday, November 20, 2026 1042 AM", (11, 20, 10, 42)),
        ("2026年11月20日 1042", (11, 20, 10, 42)),
    ],
)
def test_months_of_several_languages(text: str, when: tuple[int, ...]) -> None:
    assert read_moment(text, ZoneInfo("UTC")) == utc(2026, *when)


@pytest.mark.parametrize(
    "text",
    [
        "05-03-2026 1042",
        "",
        "Brumaire 2, 2026 1042 AM",
        "Nov 31, 2026 1042 AM",
        "Nov 20, 2026 1342 PM",
        "2026",
    ],
)
def test_what_is_no_time_is_none(text: str) -> None:
    assert read_moment(text, NEW_YORK) is None


BLACKBOARD = "Goals_ben_o_roe_attempt_2026-11-20-10-42-07"


@pytest.mark.parametrize(
    ("receipt", "student"),
    [
        ("Name: Ben O'Neill-Roe (ben_o_roe)\nAssignment: Goals\n", "ben"),
        ("\ufeffName: Jo (x) Roe (o_roe)\r\nAssignment: Goals\r\n", "jo1"),
        ("Name: Jo Roe (roe)\n", "jo2"),
        ("Name: Ada Doe (adoe)\nby somebody's own hand", "ben"),  # not what the name ends in
        ("Text\nName: Ada Doe (adoe)\n", "ben"),
        ("", "ben"),
    ],
)
def test_blackboards_receipt_says_which_login(receipt: str, student: str) -> None:
    one = found(f"a/{BLACKBOARD}_{ZIP}", {f"a/{BLACKBOARD}.txt": receipt})
    assert (one.lms, one.student) == ("blackboard", student)
    assert one.when == utc(2026, 11, 20, 15, 42, 7)


def test_a_receipt_counts_in_its_own_folder_only() -> None:
    receipts = {f"b/{BLACKBOARD}.txt": "Name: Jo Roe (roe)\n"}
    assert found(f"a/{BLACKBOARD}_{ZIP}", receipts).student == "ben"


@pytest.mark.parametrize(
    "name",
    [
        ZIP, "answers.json", f"{STEP}_1234_20261120T154200Z.zip", "my essay_1_.docx",
        "",
    ],
)  # fmt: skip
def test_other_names_are_nobodys(name: str) -> None:
    assert who(name, {}, ROSTER, NEW_YORK, step=STEP) is None


@pytest.mark.parametrize(
    "outside",
    [
        "roeben_1235_9_mine.zip",
        "Ben O'Neill-Roe_78_assignsubmission_file_",
        "1-2 - Ben O'Neill-Roe - Nov 20, 2026 1042 AM",
        f"{BLACKBOARD}_mine.zip",
    ],
)
@pytest.mark.parametrize(
    "inside",
    [
        "doeada_1234_56789_a.zip",
        "Ada Doe_77_assignsubmission_file_/a.zip",
        "1-2 - Ada Doe - Nov 20, 2026 1042 AM - a.zip",
        "Goals_adoe_attempt_2026-11-20-10-42-00_a.zip",
    ],
)
def test_what_a_student_named_inside_does_not_count(outside: str, inside: str) -> None:
    assert found(f"{outside}/{inside}").student == "ben"


@pytest.mark.parametrize(
    ("local", "expected"),
    [
        ((2026, 10, 31, 23, 59), (2026, 11, 1, 3, 59)),  # the last evening of summer time
        ((2026, 11, 1, 0, 59), (2026, 11, 1, 4, 59)),
        ((2026, 11, 1, 1, 30), (2026, 11, 1, 5, 30)),  # comes twice: the first
        ((2026, 11, 1, 2, 0), (2026, 11, 1, 7, 0)),
        ((2026, 3, 8, 1, 59), (2026, 3, 8, 6, 59)),
        ((2026, 3, 8, 3, 0), (2026, 3, 8, 7, 0)),
    ],
)
def test_daylight_saving_counts(local: tuple[int, ...], expected: tuple[int, ...]) -> None:
    assert to_utc(dt.datetime(*local), NEW_YORK) == utc(*expected)  # type: ignore[arg-type] # noqa: DTZ001


def test_the_zone_is_the_rooms() -> None:
    assert zone_of(Config()) is None
    assert zone_of(Config({"Lms": {"timezone": "Europe/Berlin"}})) == ZoneInfo("Europe/Berlin")
    for wrong in ("Berlin time", "../etc/passwd"):
        with pytest.raises(LmsError, match="America/New_York"):
            zone_of(Config({"Lms": {"timezone": wrong}}))


WHEN = utc(2026, 11, 20, 15, 42)


def test_the_lms_is_believed_and_the_difference_noted() -> None:
    uploader = Uploader(lms="canvas", name="roeben", student="ben")
    settled = settle(uploader, Claim("ada", WHEN), ROSTER)
    assert isinstance(settled, Settled)
    assert (settled.student, settled.when) == ("ben", WHEN)
    assert "ben uploaded this; the file itself says ada" in settled.notes[0]


@pytest.mark.parametrize("claim", ["ada", "ADA", "adoe", "1234"])
def test_a_student_may_call_themselves_by_any_of_their_names(claim: str) -> None:
    uploader = Uploader(lms="canvas", name="doeada", student="ada")
    assert settle(uploader, Claim(claim, WHEN), ROSTER) == Settled("ada", WHEN)
    assert settle(None, Claim(claim, WHEN), ROSTER) == Settled("ada", WHEN)


def test_the_lms_tells_the_time_where_it_does() -> None:
    later = WHEN + dt.timedelta(minutes=30)
    uploader = Uploader(lms="blackboard", name="adoe", student="ada", when=later)
    assert settle(uploader, Claim("ada", WHEN), ROSTER) == Settled("ada", later)
    settled = settle(uploader, Claim("ada", later + dt.timedelta(hours=1)), ROSTER)
    assert isinstance(settled, Settled)
    assert settled.when == later
    assert "after it was uploaded" in settled.notes[0]


def test_late_without_a_time_is_noted() -> None:
    uploader = Uploader(lms="canvas", name="doeada", student="ada", late=True)
    settled = settle(uploader, Claim("ada", WHEN), ROSTER)
    assert isinstance(settled, Settled)
    assert "marks this as late" in settled.notes[0]


def test_who_is_not_in_the_roster_can_not_take_anothers_place() -> None:
    stranger = Uploader(lms="canvas", name="nobody")
    refused = settle(stranger, Claim("ada", WHEN), ROSTER)
    assert isinstance(refused, Unsettled)
    assert "under the id of ada" in refused.why
    settled = settle(stranger, Claim("ada", WHEN), Roster())
    assert isinstance(settled, Settled)
    assert settled.student == "ada"
    assert "not in roster.csv" in settled.notes[0]


@pytest.mark.parametrize(
    "uploader",
    [
        Uploader(lms="canvas", name="studenttest"),
        Uploader(lms="moodle", name="Participant 5", hidden=True),
        None,
    ],
)
def test_a_roster_lets_nobody_new_in(uploader: Uploader | None) -> None:
    refused = settle(uploader, Claim("x", WHEN), ROSTER)
    assert isinstance(refused, Unsettled)
    assert "add them there and collect again" in refused.why
    assert isinstance(settle(uploader, Claim("x", WHEN), Roster()), Settled)


def test_hidden_names_leave_the_files_own_word() -> None:
    hidden = Uploader(lms="moodle", name="Participant 5", hidden=True)
    settled = settle(hidden, Claim("ada", WHEN), ROSTER)
    assert isinstance(settled, Settled)
    assert (settled.student, len(settled.notes)) == ("ada", 1)
    assert isinstance(settle(hidden, Claim(None, WHEN), ROSTER), Unsettled)


def test_of_two_with_one_name_the_file_says_which() -> None:
    name = f"1-2 - Jo Roe - Nov 20, 2026 1042 AM - {ZIP}"
    settled = settle(found(name), Claim("jo2", WHEN), ROSTER)
    assert isinstance(settled, Settled)
    assert settled.student == "jo2"
    for claim in ("ada", None):
        assert isinstance(settle(found(name), Claim(claim, WHEN), ROSTER), Unsettled)


def test_without_an_lms_the_file_has_to_say_both() -> None:
    assert settle(None, Claim("ada", WHEN), ROSTER) == Settled("ada", WHEN)
    assert isinstance(settle(None, Claim("ada"), ROSTER), Unsettled)
    assert isinstance(settle(None, Claim(None, WHEN), ROSTER), Unsettled)
    nowhen = Uploader(lms="canvas", name="doeada", student="ada")
    assert isinstance(settle(nowhen, Claim(None), ROSTER), Unsettled)


def test_seconds_are_read() -> None:
    assert read_moment("Nov 20, 2026 10.42.07 AM", NEW_YORK) == utc(2026, 11, 20, 15, 42, 7)
    assert read_moment("20 Nov 2026 104207", NEW_YORK) == utc(2026, 11, 20, 15, 42, 7)


@pytest.mark.parametrize(
    "name",
    [
        f"397-255 - Ada Doe - 2026-11-20 1042 - {ZIP}",
        f"397-255 - Ada Doe - 05-03-2026 1042 - {ZIP}",  # March or May: only the time is lost
        f"397-255 - Ada Doe - some day - {ZIP}",
        f"397-255 - 1234 Doe - 20 Nov 2026 22.42/{ZIP}",
        f"397-255 - adoe Ada Doe - Nov 20, 2026 1042 AM - {ZIP}",
        f"Ada Doe - Nov 20, 2026 1042 AM - {ZIP}",
        f"Group 3-Ada Doe_99_assignsubmission_file_/{ZIP}",
        f"1234 Doe_99_assignsubmission_file_/{ZIP}",
        "doeada_1234_text.html",
        "doeada_LATE_1234_link.html",
        "Ada Doe_77_assignsubmission_onlinetext_/onlinetext.html",
        f"Goals_1234_attempt_2026-11-20-10-42-00_{ZIP}",
        f"Doe, Ada (adoe)/{ZIP}",
        f"Ada Doe/{ZIP}",
    ],
)
def test_what_can_be_read_of_a_name_is_read(name: str) -> None:
    assert found(name).student == "ada"


@pytest.mark.parametrize(
    "outside", ["roeben_1235_9_{}", "Ben O'Neill-Roe_78_assignsubmission_file_{}",
                "1-2 - Ben O'Neill-Roe - Nov 20, 2026 1042 AM - {}", BLACKBOARD + "_{}"],
)  # fmt: skip
@pytest.mark.parametrize(
    "own", ["Goals_adoe_attempt_2026-11-20-10-42-00_a.zip", "doeada_1234_56789_a.zip",
            "Ada Doe_77_assignsubmission_file_a.zip",
            "1-2 - Ada Doe - Nov 20, 2026 1042 AM - a.zip"],
)  # fmt: skip
def test_a_students_own_file_name_does_not_count(outside: str, own: str) -> None:
    assert found(outside.format(own)).student == "ben"


@pytest.mark.parametrize(
    "name", ["1-2 - Ada Lovelace - Nov 20, 2026 1042 AM - a.zip",
             "1-2 - roe Ben - Nov 20, 2026 1042 AM - a.zip"],
)  # fmt: skip
def test_a_word_that_is_anothers_login_is_no_id(name: str) -> None:
    assert found(name).student is None
