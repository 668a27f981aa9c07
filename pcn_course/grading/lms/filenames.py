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

The first part of a path that has such a form counts: what is inside, a student may have named. Text
that was typed into the LMS comes as ``doejane_1234_text.html`` (Canvas), in a folder ``…_
assignsubmission_onlinetext_`` (Moodle) or in the receipt (Blackboard).
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Iterator, Mapping
from zoneinfo import ZoneInfo

import msgspec

from pcn_course.exchange import zip_name_pattern
from pcn_course.grading.lms.moments import local_moment, read_moment
from pcn_course.grading.lms.roster import Entry, Roster
from pcn_course.spreadsheets import key

SKEW = dt.timedelta(minutes=2)
"""How much two clocks may differ without a word about it; Brightspace tells no seconds."""
_CANVAS = re.compile(
    r"(?:(?!LATE_)(?P<name>[^\s+]+?)_)?(?:(?P<late>LATE)_)?(?:(?P<user>\d+)|anon_(?P<anon>[A-Za-z0-9]+))"
    r"_(?:(?P<attachment>\d+)_(?P<file>.+)|(?P<typed>(?i:text|link)(?:[-_ (]*\d+\)?)?\.html?))",
)
_MOODLE = re.compile(
    r"(?P<name>.+?)_(?P<number>\d+)_assignsubmission_(?P<plugin>[a-z]+)(?:_(?P<file>.*))?"
)
_MOODLE_GROUP = re.compile(r"(?P<name>.+?)_assignsubmission_[a-z]+(?:_(?P<file>.*))?")
_MOODLE_HIDDEN = re.compile(
    r"(?P<name>[^\W\d_]+)_(?P<number>\d+)(?:_assignsubmission_file)?_(?P<file>.*)"
)
_BRIGHTSPACE = re.compile(r"(?:(?P<numbers>\d+-\d+) - )?(?P<rest>.+)")
_ENDING = re.compile(r"\.[A-Za-z]\w{1,4}$")
_BLACKBOARD = re.compile(
    r"(?P<head>.+?)_attempt_(?P<when>\d{4}(?:-\d\d){5})(?:_(?P<file>.+)|\.txt)?"
)
_RECEIPT = re.compile(r"[^\n:]*:\s*(?P<name>[^\n]*?)\s*\((?P<username>[^()\n]+)\)\s*(?:\n|$)")


class Uploader(msgspec.Struct, frozen=True, kw_only=True):
    """What an LMS says about an upload. ``student`` is None if the roster doesn't know them.

    ``name`` is what the LMS calls them. ``when`` is UTC, None where the LMS tells no time, and
    ``late`` is None where it doesn't say. Of one student's uploads, a higher ``order`` is later.
    ``namesakes`` are the ids of those whom the LMS could mean, where it tells a name only. ``file``
    is what the student called it, where the LMS has put its words before that; ``group`` is True
    where the LMS names a group in place of a person.
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
    group: bool = False

    @property
    def label(self) -> str:
        """Return the LMS's name; empty ``lms`` means that only the roster made sense of a name."""
        return self.lms.title() or "The LMS"

    @property
    def called(self) -> str:
        """What tells this uploader from others, as far as the LMS does."""
        return self.name if self.hidden or not self.how else f"{self.name} ({self.how})"


class Claim(msgspec.Struct, frozen=True):
    """What a hand-in says about itself; a student can write anything there. The time is UTC.

    ``notes`` are about times in it that differ.
    """

    student: str | None = None
    when: dt.datetime | None = None
    notes: tuple[str, ...] = ()


class Settled(msgspec.Struct, frozen=True):
    """Whose a submission is and when it was handed in (UTC), with what is to be said of it."""

    student: str
    when: dt.datetime
    notes: tuple[str, ...] = ()


class Unsettled(msgspec.Struct, frozen=True):
    """An upload of which it is not certain whose it is, with the reason."""

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
        # A student chose what stands behind the LMS's own words: who ends first was there first.
        shapes = (_blackboard, _brightspace, _moodle, _canvas)
        read = [shape(part, before, receipts, roster, zone, step) for shape in shapes]
        if matches := [one for one in read if one]:
            return min(matches, key=lambda one: len(part) - len(one.file))
    # The ZIP in the archive folder may be one student's, which its name then says.
    whole = name.replace("\\", "/").partition("/")[0]
    for words in (unread(name, step), whole[:-4] if whole.lower().endswith(".zip") else ""):
        one = _by_name(words, roster)[0] if words and step and not own_name(words, step) else None
        if one:
            return Uploader(lms="", name=words, student=one.id, how="the name above it")
    return None


def own_name(words: str, step: str) -> bool:
    """Return True if a name begins as the course itself names a submission."""
    return zip_name_pattern(step).match(words) is not None


def unread(name: str, step: str | None) -> str:
    """Return the first words of a path that somebody put around a submission; empty if none did.

    The ZIP that lies in the archive folder has a name of its own, and a submission alone or in a
    folder of submissions has none around it.
    """
    parts = [unicodedata.normalize("NFC", part) for part in name.replace("\\", "/").split("/")]
    *folders, last = parts[1:] if len(parts) > 1 and parts[0].lower().endswith(".zip") else parts
    own = zip_name_pattern(step) if step else None
    for folder in folders:
        plain = folder.casefold()
        neutral = plain in _CONTAINERS or (step and plain in (step, *step.split("-", 2)))
        if not neutral and folder not in ("", ".", "..") and not (own and own.match(folder)):
            return folder
    match = own.search(last) if own else None
    return last[: match.start()].strip(" -_") if match else ""


def settle(
    uploader: Uploader | None, claim: Claim, roster: Roster, around: str = ""
) -> Settled | Unsettled:
    """Decide between what the LMS says and what the hand-in says: the LMS is believed.

    Only where the LMS knows no id or no time does the hand-in's own word count, with a note. It
    doesn't count for a student whom the roster knows by another number of the same LMS, nor, where
    there is a roster, for an id that nobody in it has, nor where ``around`` it are words that
    nobody understands (see :func:`unread`).

    Times are trusted in this order, and each beats all that follow:

    1. the LMS's own time of the upload;
    2. the time that nbgrader wrote into the submission, ``timestamp.txt``;
    3. the time in the name of the student's file;
    4. the time at which the answers say that they were saved, which none of 3 precedes.

    2 to 4 are `Claim.when`. Of two uploads of one student without 1, the LMS's own numbers say
    which is newer.
    """
    claimed = roster.by_claim(claim.student) if claim.student else None
    if uploader is None:
        if around and roster.entries:
            return Unsettled(
                f"it isn't known who uploaded it: “{around}” tells nothing that the roster knows. "
                "If you know, put the file alone into the archive folder, under the name that "
                "the student gave it"
            )
        if claimed is None or claim.when is None:
            return Unsettled("its name tells neither a student nor a time")
        if roster.entries and roster.get(claimed) is None:
            return Unsettled(f"nobody in roster.csv has the id {claimed}; {_ADD}")
        trusted = [_TRUSTED.format(around)] if around else []
        return Settled(claimed, claim.when, (*trusted, *claim.notes))
    if uploader.group and uploader.student is None:
        return Unsettled(
            f"{uploader.label} packed it for the group “{uploader.name}” and doesn't say who "
            "uploaded it. Turn off group submission, or put the file alone into the archive folder"
        )
    student, note = _whose(uploader, claimed, roster)
    if student is None:
        return Unsettled(note)
    when = uploader.when or claim.when
    if when is None:
        return Unsettled("neither the LMS nor the file tells when it was handed in")
    notes = [note] if note else []
    lms = uploader.label
    if uploader.when is None and uploader.late:
        notes.append(f"{lms} marks this as late, and tells no time: the time is the file's own.")
    if uploader.when is None and uploader.lms == "brightspace":
        notes.append("Brightspace's time isn't understood: the time is the file's own.")
    if uploader.when is None:
        notes += claim.notes
    if uploader.when and claim.when and claim.when > uploader.when + SKEW:
        notes.append(
            f"The file says that it was made at {claim.when:%Y-%m-%d %H:%M} UTC, after it was "
            f"uploaded ({uploader.when:%Y-%m-%d %H:%M} UTC). {lms} was believed."
        )
    return Settled(student, when, tuple(notes))


def is_receipt(name: str) -> bool:
    """Whether a file in Blackboard's ZIP is its receipt, and no student's text."""
    return re.fullmatch(r".+_attempt_\d{4}(?:-\d\d){5}\.txt", name.rpartition("/")[2]) is not None


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
    if one is None and found["name"]:
        one = _run_together(found["name"], roster)
    return Uploader(
        lms="canvas",
        name=found["name"] or f"anon_{found['anon']}",
        student=one.id if one else None,
        late=found["late"] is not None,
        how=f"Canvas's user {found['user']}" if found["user"] else "nobody's name",
        hidden=found["anon"] is not None,
        order=int((found["attachment"] or "0")[:18]),
        file=found["file"] or "",
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
    if not found and (group := _MOODLE_GROUP.fullmatch(part)):
        return Uploader(
            lms="moodle", name=group["name"], group=True, file=group["file"] or "",
            how="the group in Moodle",
        )  # fmt: skip
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
        for place, sign in enumerate(found["name"]):
            # In a group's assignment the group's name and a hyphen come first.
            if sign == "-" and one is None and not namesakes:
                one, namesakes = _by_name(found["name"][place + 1 :], roster)
        how = "the name in Moodle"
    return Uploader(
        lms="moodle",
        name=f"{found['name']} {found['number']}" if hidden else found["name"],
        namesakes=namesakes,
        student=one.id if one else None,
        how=how,
        hidden=hidden,
        file=found["file"] or "",
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
    words = found["rest"].split(" - ") if found else []
    if not found or not (found["numbers"] or len(words) > 1):
        return None
    at, behind, when = _dated(words, zone)
    if when is None and not found["numbers"]:
        return None
    name = " - ".join(words[:at])
    one, namesakes = _by_name(name, roster)
    return Uploader(
        lms="brightspace",
        name=name,
        namesakes=namesakes,
        student=one.id if one else None,
        when=when,
        how="the name in Brightspace",
        file=" - ".join(words[behind:]),
    )


def _dated(words: list[str], zone: ZoneInfo | None) -> tuple[int, int, dt.datetime | None]:
    """Where the time begins and what follows it, in ``name - time - file``, and the time."""
    for at in range(1, len(words)):
        for behind in (at + 1, at + 2):
            text = " - ".join(words[at:behind])
            for form in (text, text.replace(" - ", " "), _ENDING.sub("", text)):
                if behind <= len(words) and (when := read_moment(form, zone)):
                    return at, behind, when
    return 1, min(2, len(words)), None


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
    when = local_moment(tuple(int(one) for one in found["when"].split("-")), zone)
    receipt = receipts.get(f"{before}{found['head']}_attempt_{found['when']}.txt", "")
    told = _RECEIPT.match(receipt.lstrip("\ufeff \t\r\n").replace("\r\n", "\n"))
    if told and found["head"].casefold().endswith(f"_{told['username'].casefold()}"):
        one, how = _by_login(told["username"], roster), "Blackboard's receipt"
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
    """The student of this name, or with their id beside it; of several namesakes, their ids."""
    found = roster.named(name)
    if found:
        return (found[0] if len(found) == 1 else None), tuple(one.id for one in found[1:] and found)
    return roster.with_id(name), ()


def _by_login(login: str, roster: Roster) -> Entry | None:
    """The student with this login; a school may use the number or the address for it."""
    return roster.by_username(login) or roster.by_lms_id(login) or roster.by_email(login)


def _run_together(name: str, roster: Roster) -> Entry | None:
    """The student whose name Canvas writes so; of those whose number there isn't known."""
    wanted, found = key(name), []
    for one in roster.entries:
        if one.lms_id or not (one.first and one.last):
            continue
        names = {key(one.last + one.first), key(one.first + one.last)}
        tags = {key(tag) for tag in (one.username, one.id, one.email) if tag} | {""}
        if any(wanted in (tag + it, it + tag) for it in names for tag in tags):
            found.append(one)
    return found[0] if len(found) == 1 else None


def _by_ending(head: str, roster: Roster) -> Entry | None:
    """The student whose login a name ends in; of several, the longest login."""
    places = [place for place, sign in enumerate(head) if sign == "_"]
    return next((one for place in places if (one := _by_login(head[place + 1 :], roster))), None)


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


_CONTAINERS = frozenset((
    "archive", "archives", "submission", "submissions", "upload", "uploads", "download",
    "downloads", "file", "files", "zip", "zips", "attachments",
))  # fmt: skip
"""Names of folders that stand for nobody."""
_TRUSTED = "“{}” around this file isn't understood; the id in the file was believed."
_ADD = "add them there and collect again"


def _whose(uploader: Uploader, claimed: str | None, roster: Roster) -> tuple[str | None, str]:
    """The student, with a note if there is one; or None, and why it is nobody's."""
    lms = uploader.label
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
