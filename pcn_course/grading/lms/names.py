"""Who uploaded a file, by the name that an LMS gives it in its ZIP of all submissions.

Canvas
    ``doejane_LATE_1234_56789_file.zip``: sortable name, ``LATE``, user id, attachment id, file;
    ``anon_Ab1cd_56789_file.zip`` (``LATE_anon_…``) where names are hidden. Canvas puts ``-1``,
    ``-2`` … at the end of a file that was uploaded again. Source: lib/content_zipper.rb in
    instructure/canvas-lms.
Moodle
    ``Jane Doe_77_assignsubmission_file_/file.zip``, with or without the folder; the number is the
    person's in this one assignment, and stands in its grading worksheet. ``Participant_77_…``
    where names are hidden. Source: mod/assign/locallib.php in moodle/moodle.
Brightspace
    ``397063-2557369 - Jane Doe - Sep 24, 2026 926 PM - file.zip``, or a folder without the file's
    name; the numbers are of the upload, not of the person. D2L documents no form: this is how
    public scripts for it read the names.
Blackboard
    ``Goals_jdoe_attempt_2026-11-20-10-42-00_file.zip`` beside a receipt
    ``Goals_jdoe_attempt_2026-11-20-10-42-00.txt`` that begins with ``Name: Jane Doe (jdoe)``. A
    user name may hold ``_``, so the receipt says it. Blackboard documents none of this: this is
    how public scripts for it read the names and receipts.

The first part of a path that has such a form counts: what is inside, a student may have named.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Iterator, Mapping
from zoneinfo import ZoneInfo

import msgspec

from pcn_course.grading.lms.roster import Entry, Roster
from pcn_course.grading.lms.zones import to_utc

SKEW = dt.timedelta(minutes=2)
"""How much two clocks may differ without a word about it; Brightspace tells no seconds."""
_CANVAS = re.compile(
    r"(?:(?!LATE_)(?P<name>[^\s+-]+?)_)?(?:(?P<late>LATE)_)?(?:(?P<user>\d+)|anon_(?P<anon>[A-Za-z0-9]+))"
    r"_(?P<attachment>\d+)_(?P<file>.+)"
)
_MOODLE = re.compile(r"(?P<name>.+?)_(?P<number>\d+)_assignsubmission_file(?:_(?P<file>.*))?")
_MOODLE_HIDDEN = re.compile(r"(?P<name>[^\W\d_]+)_(?P<number>\d+)(?:_assignsubmission_file)?_.*")
_BRIGHTSPACE = re.compile(
    r"\d+-\d+ - (?P<name>.+?) - (?P<when>[^-]*\d{4}[^-]*?)(?: - (?P<file>.+))?"
)
_BLACKBOARD = re.compile(
    r"(?P<head>.+?)_attempt_(?P<when>\d{4}(?:-\d\d){5})(?:_(?P<file>.+)|\.txt)?"
)
_RECEIPT = re.compile(r"[^\n:]*:\s*(?P<name>[^\n]*?)\s*\((?P<username>[^()\n]+)\)\s*(?:\n|$)")
_WHEN = re.compile(
    r"(?:(?P<month>[^\W\d_]+)\.?\s+(?P<day>\d{1,2}),?|"
    r"(?P<day2>\d{1,2})\.?\s+(?:de\s+)?(?P<month2>[^\W\d_]+)\.?(?:\s+de)?)\s+(?P<year>\d{4}),?\s+"
    r"(?P<hour>\d{1,2}?)[\s:.hH]?(?P<minute>\d{2})(?:\s*(?P<half>[AaPp])\.?\s?[Mm]\.?)?"
)
# The beginnings of the months' names in English, German, French, Spanish, Dutch and Portuguese.
_MONTHS = (
    ("jan", "ene"), ("feb", "fev"), ("mar", "maa", "mrt"), ("apr", "avr", "abr"),
    ("may", "mai", "mei"), ("jun", "juin"), ("jul", "juil"), ("aug", "aou", "ago"),
    ("sep", "set"), ("oct", "okt", "out"), ("nov",), ("dec", "dez", "dic"),
)  # fmt: skip


class Uploader(msgspec.Struct, frozen=True, kw_only=True):
    """What an LMS says about an upload. ``student`` is None if the roster doesn't know them.

    ``name`` is what the LMS calls them. ``when`` is UTC, None where the LMS tells no time, and
    ``late`` is None where it doesn't say. Of one student's uploads, a higher ``order`` is later.
    ``namesakes`` are the ids of those whom the LMS could mean, where it tells a name only. ``file``
    is what the student called it, where the LMS has put its words before that.
    """

    lms: str
    name: str
    student: str | None = None
    when: dt.datetime | None = None
    late: bool | None = None
    how: str = ""
    hidden: bool = False
    namesakes: tuple[str, ...] = ()
    order: int = 0
    file: str = ""

    @property
    def called(self) -> str:
        """What tells this uploader from others, as far as the LMS does."""
        return self.name if self.hidden or not self.how else f"{self.name} ({self.how})"


class Claim(msgspec.Struct, frozen=True):
    """What a hand-in says about itself; a student can write anything there. The time is UTC."""

    student: str | None = None
    when: dt.datetime | None = None


class Settled(msgspec.Struct, frozen=True):
    """Whose a submission is and when it was handed in (UTC), with what is to be said of it."""

    student: str
    when: dt.datetime
    notes: tuple[str, ...] = ()


class Unsettled(msgspec.Struct, frozen=True):
    """Nobody's submission, and why."""

    why: str


def who(
    name: str,
    receipts: Mapping[str, str],
    roster: Roster,
    zone: ZoneInfo | None = None,
    *,
    step: str | None = None,
) -> Uploader | None:
    """Who uploaded the file with this path in an LMS's ZIP; None if no LMS named it so.

    ``receipts`` are Blackboard's texts by their paths; ``zone`` is where the LMS's clock is, by
    default that of this machine; ``step`` is needed for Moodle's numbers.
    """
    for before, part in _parts(name):
        for shape in (_blackboard, _brightspace, _moodle, _canvas):
            if found := shape(part, before, receipts, roster, zone, step):
                return found
    return None


def settle(uploader: Uploader | None, claim: Claim, roster: Roster) -> Settled | Unsettled:
    """Decide between what the LMS says and what the hand-in says: the LMS is believed.

    Only where the LMS knows no id or no time does the hand-in's own word count, with a note. It
    doesn't count for a student whom the roster knows by another number of the same LMS, nor, where
    there is a roster, for an id that nobody in it has.
    """
    claimed = roster.by_claim(claim.student) if claim.student else None
    if uploader is None:
        if claimed is None or claim.when is None:
            return Unsettled("its name tells neither a student nor a time")
        if roster.entries and roster.get(claimed) is None:
            return Unsettled(f"nobody in roster.csv has the id {claimed}; {_ADD}")
        return Settled(claimed, claim.when)
    student, note = _whose(uploader, claimed, roster)
    if student is None:
        return Unsettled(note)
    when = uploader.when or claim.when
    if when is None:
        return Unsettled("neither the LMS nor the file tells when it was handed in")
    notes = [note] if note else []
    lms = uploader.lms.title()
    if uploader.when is None and uploader.late:
        notes.append(f"{lms} marks this as late, and tells no time: the time is the file's own.")
    if uploader.when and claim.when and claim.when > uploader.when + SKEW:
        notes.append(
            f"The file says that it was made at {claim.when:%Y-%m-%d %H:%M} UTC, after it was "
            f"uploaded ({uploader.when:%Y-%m-%d %H:%M} UTC). {lms} was believed."
        )
    return Settled(student, when, tuple(notes))


def is_receipt(name: str) -> bool:
    """Whether a file in Blackboard's ZIP is its receipt, and no student's text."""
    return re.fullmatch(r".+_attempt_\d{4}(?:-\d\d){5}\.txt", name.rpartition("/")[2]) is not None


def read_moment(text: str, zone: ZoneInfo | None) -> dt.datetime | None:
    """A time as Brightspace writes it (``Nov 20, 2026 1042 AM``), in UTC; months in six languages.

    ``None`` if it is none.
    """
    found = _WHEN.fullmatch(text.strip())
    if not found:
        return None
    month = _month(found["month"] or found["month2"])
    hour, half = int(found["hour"]), (found["half"] or "").lower()
    if month is None or (half and not 1 <= hour <= 12):
        return None
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    day = int(found["day"] or found["day2"])
    return _moment((int(found["year"]), month, day, hour, int(found["minute"])), zone)


def _parts(name: str) -> Iterator[tuple[str, str]]:
    """Each part of a path, with what stands before it."""
    before = ""
    for part in name.replace("\\", "/").split("/"):
        yield before, unicodedata.normalize("NFC", part)
        before += f"{part}/"


def _canvas(
    part: str,
    before: str,  # noqa: ARG001 (the four are called alike)
    receipts: Mapping[str, str],  # noqa: ARG001
    roster: Roster,
    zone: ZoneInfo | None,  # noqa: ARG001
    step: str | None,  # noqa: ARG001
) -> Uploader | None:
    found = _CANVAS.fullmatch(part)
    if not found or not (found["name"] or found["anon"]):
        return None
    one = roster.by_lms_id(found["user"]) if found["user"] else None
    return Uploader(
        lms="canvas",
        name=found["name"] or f"anon_{found['anon']}",
        student=one.id if one else None,
        late=found["late"] is not None,
        how=f"Canvas's user {found['user']}" if found["user"] else "nobody's name",
        hidden=found["anon"] is not None,
        order=int(found["attachment"][:18]),
        file=found["file"],
    )


def _moodle(
    part: str,
    before: str,  # noqa: ARG001
    receipts: Mapping[str, str],  # noqa: ARG001
    roster: Roster,
    zone: ZoneInfo | None,  # noqa: ARG001
    step: str | None,
) -> Uploader | None:
    found = _MOODLE.fullmatch(part)
    if not found:
        found = _MOODLE_HIDDEN.fullmatch(part)
        if not found or found["name"] not in _HIDDEN:
            return None
    hidden = found["name"] in _HIDDEN
    one = roster.by_participant(step or "", found["number"])
    how = f"Moodle's number {found['number']}"
    namesakes: tuple[str, ...] = ()
    if one is None and not hidden:
        one, namesakes = _by_name(found["name"], roster)
        how = "the name in Moodle"
    return Uploader(
        lms="moodle",
        name=f"{found['name']} {found['number']}" if hidden else found["name"],
        namesakes=namesakes,
        student=one.id if one else None,
        how=how,
        hidden=hidden,
    )


def _brightspace(
    part: str,
    before: str,  # noqa: ARG001
    receipts: Mapping[str, str],  # noqa: ARG001
    roster: Roster,
    zone: ZoneInfo | None,
    step: str | None,  # noqa: ARG001
) -> Uploader | None:
    found = _BRIGHTSPACE.fullmatch(part)
    when = read_moment(found["when"], zone) if found else None
    if not found or when is None:
        return None
    one, namesakes = _by_name(found["name"], roster)
    return Uploader(
        lms="brightspace",
        name=found["name"],
        namesakes=namesakes,
        student=one.id if one else None,
        when=when,
        how="the name in Brightspace",
        file=found["file"] or "",
    )


def _blackboard(
    part: str,
    before: str,
    receipts: Mapping[str, str],
    roster: Roster,
    zone: ZoneInfo | None,
    step: str | None,  # noqa: ARG001
) -> Uploader | None:
    found = _BLACKBOARD.fullmatch(part)
    if not found:
        return None
    when = _moment(tuple(int(one) for one in found["when"].split("-")), zone)
    if when is None:
        return None
    receipt = receipts.get(f"{before}{found['head']}_attempt_{found['when']}.txt", "")
    told = _RECEIPT.match(receipt.lstrip("\ufeff \t\r\n").replace("\r\n", "\n"))
    if told and found["head"].casefold().endswith(f"_{told['username'].casefold()}"):
        one, how = roster.by_username(told["username"]), "Blackboard's receipt"
        name = told["username"]
    else:
        one, how = _by_ending(found["head"], roster), "the user name in Blackboard"
        name = found["head"].rpartition("_")[2]
    return Uploader(
        lms="blackboard",
        name=name,
        student=one.id if one else None,
        when=when,
        how=how,
        file=found["file"] or "",
    )


_HIDDEN = ("Participant", "Teilnehmer", "TeilnehmerIn", "Participante", "Deelnemer")
"""What Moodle calls people whose names are hidden."""


def _by_name(name: str, roster: Roster) -> tuple[Entry | None, tuple[str, ...]]:
    """The student of this name; if there are several, nobody and their ids."""
    found = roster.named(name)
    if len(found) == 1:
        return found[0], ()
    return None, tuple(one.id for one in found)


def _by_ending(head: str, roster: Roster) -> Entry | None:
    """The student whose login a name ends in; of several, the longest login."""
    places = [place for place, sign in enumerate(head) if sign == "_"]
    return next((one for place in places if (one := roster.by_username(head[place + 1 :]))), None)


def _is_somebody_else(uploader: Uploader, claimed: Entry | None) -> bool:
    """Whether the roster knows the claimed student by another name of the LMS than the uploader's.

    It was asked for the uploader before and had no answer, so any name of this kind is another.
    """
    if claimed is None:
        return False
    match uploader.lms:
        case "canvas":
            return bool(claimed.lms_id)
        case "blackboard":
            return bool(claimed.username)
        case _:
            return bool(claimed.first and claimed.last)


_ADD = "add them there and collect again"


def _whose(uploader: Uploader, claimed: str | None, roster: Roster) -> tuple[str | None, str]:
    """The student, with a note if there is one; or None, and why it is nobody's."""
    lms = uploader.lms.title()
    if uploader.student is not None:
        if claimed in (None, uploader.student):
            return uploader.student, ""
        return uploader.student, (
            f"{lms} says that {uploader.student} uploaded this; the file itself says {claimed}. "
            f"{lms} was believed."
        )
    if uploader.namesakes:
        if claimed in uploader.namesakes:
            return claimed, (
                f"{len(uploader.namesakes)} students are called {uploader.name}; the id in the "
                "file was believed."
            )
        return None, (
            f"{' and '.join(uploader.namesakes)} are both called “{uploader.name}”, and the file "
            "itself doesn't say which of them it is"
        )
    if claimed is None:
        return None, f"the roster knows nobody who is “{uploader.name}”; add them to roster.csv"
    if roster.entries and roster.get(claimed) is None:
        return None, (
            f"neither “{uploader.name}”, who uploaded it, nor the id in it ({claimed}) is in "
            f"roster.csv; {_ADD}"
        )
    if uploader.hidden:
        return claimed, f"{lms} hides who uploaded this; the id in the file was believed."
    if _is_somebody_else(uploader, roster.get(claimed)):
        return None, (
            f"“{uploader.name}”, whom the roster doesn't know, uploaded it under the id of "
            f"{claimed}, whom {lms} knows by another name; if they are the same, mend roster.csv"
        )
    return claimed, (
        f"“{uploader.name}”, who uploaded this, is not in roster.csv; the id in the file was "
        "believed."
    )


def _month(word: str) -> int | None:
    plain = unicodedata.normalize("NFKD", word.casefold()).encode("ascii", "ignore").decode()
    found = (
        number
        for number, starts in enumerate(_MONTHS, 1)
        if any(plain.startswith(start) for start in starts)
    )
    return next(found, None)


def _moment(numbers: tuple[int, ...], zone: ZoneInfo | None) -> dt.datetime | None:
    try:
        return to_utc(dt.datetime(*numbers), zone)  # type: ignore[arg-type]  # noqa: DTZ001
    except (ValueError, OverflowError):
        return None
