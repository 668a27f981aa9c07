"""Removing a student, or a whole term, from every place; first as a list, then for good.

A receipt is kept in the room's ``.pcn/purges``: when, by whom, what kind, how many. It names no
student and holds nothing of what was removed. A purge that was interrupted is simply repeated.
"""

from __future__ import annotations

import base64
import datetime as dt
import getpass
import hashlib
import hmac
import os
import re
import secrets
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

import pcn_course
from pcn_course.admin.backup import backups_of
from pcn_course.admin.database import connect, count_rows, database_file, delete_rows, rows_naming
from pcn_course.admin.inventory import is_fixed, pieces_of, pieces_of_term
from pcn_course.admin.locations import Places, find_workspaces, places_of, read_plain
from pcn_course.admin.removal import LARGEST, Piece, Who
from pcn_course.characters import printable
from pcn_course.exchange import STUDENT_ID
from pcn_course.files import UserError, walk, write_whole
from pcn_course.grading.gradebook.room import Room, RoomError
from pcn_course.grading.lms.roster import FILE as ROSTER
from pcn_course.grading.lms.roster import Roster, read_roster, roster_of
from pcn_course.grading.lms.unpacking import BROKEN

FORMAT = 1
RECEIPTS = Path(".pcn", "purges")
MOST = 200
"""The most files with mentions that are listed."""
LONGEST_PATH = 4_096
FEW = 5
"""As many places of one kind are named one by one."""


class PurgeError(UserError):
    """Nothing was removed."""


class Line(msgspec.Struct, frozen=True):
    """What is in one place: of which kind, where, how many of what."""

    kind: str
    path: str
    count: int
    unit: str


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What stays of a purge: no id, no name, no content. Times are UTC."""

    format: int
    when: dt.datetime
    reference: str
    by: str
    package: str
    what: str
    removed: tuple[Line, ...]
    left: tuple[str, ...]
    not_touched: tuple[str, ...]


class Purge(msgspec.Struct, frozen=True, kw_only=True):
    """What would go, or went.

    ``left`` says what could not be removed and why; ``mentions`` are files that stay and still name
    the student, for somebody to look at; ``not_touched`` are places that a purge doesn't reach.
    """

    what: str
    done: bool
    found: tuple[Line, ...]
    left: tuple[str, ...]
    mentions: tuple[str, ...]
    not_touched: tuple[str, ...]
    receipt: Path | None = None

    def text(self, *, whole: bool = False) -> str:
        """In words, for the terminal: of many places of one kind the sum; all of them if ``whole``.

        What stays and has to be looked at is always named one by one.
        """
        head = "Removed" if self.done else "Would be removed (nothing was removed yet)"
        lines = [f"{head}: {self.what}"] if self.found else [f"Nothing was found of {self.what}."]
        lines += [f"  {line}" for line in _places(self.found, whole=whole)]
        for title, several in (
            ("Could not be removed; mend this and repeat the command", self.left),
            ("Still mentioned in these, which belong to others; look at them", self.mentions),
            ("Not touched", self.not_touched),
        ):
            if several:
                lines += [f"{title}:", *(f"  {one}" for one in several)]
        if self.receipt:
            lines.append(f"Receipt: {self.receipt}")
        elif not self.done and self.found:
            lines.append("To remove it for good, repeat the command with --yes.")
        return "\n".join(lines) + "\n"


def _places(found: Iterable[Line], *, whole: bool) -> Iterator[str]:
    by_kind: dict[tuple[str, str], list[Line]] = {}
    for one in found:
        by_kind.setdefault((one.kind, one.unit), []).append(one)
    for (kind, unit), several in by_kind.items():
        if whole or len(several) <= FEW or kind == "gradebook":
            yield from (f"{kind}: {one.count} {unit}, {one.path}" for one in several)
        else:
            common = os.path.commonpath([one.path for one in several])
            count = sum(one.count for one in several)
            yield f"{kind}: {count} {unit} in {len(several)} places in {common} (--list names them)"


def purge(
    room: Room,
    student: str | None,
    *,
    exchange: Path | None = None,
    workspaces: Path | None = None,
    yes: bool = False,
    reference: str | None = None,
) -> Purge:
    """Remove a student, or with ``None`` the whole term; without ``yes`` only say what would go.

    ``exchange`` is the exchange's root and ``workspaces`` the folder of all workspaces, see
    `places_of`. ``reference`` is a word of your own for the receipt (the number of a request).

    Raises:
        PurgeError: nothing was removed.
        PlacesError: a folder that was named is not there.
        RoomError: the gradebook can't be read.
    """
    if student is not None and not re.fullmatch(STUDENT_ID, student):
        raise PurgeError(f"“{student}” can't be a student's id. Nothing was removed.")
    if student is not None and is_fixed(student, room.course):
        raise PurgeError(
            f"“{student}” is also the name of a folder that all share, so what is this student's "
            "can't be told by it. Remove it by hand: the README says what is kept where."
        )
    places = places_of(room, exchange=exchange, workspaces=workspaces)
    counts = count_rows(room, student)
    try:
        roster = roster_of(room) if connect(room) else None
        known: Roster = roster or read_roster(room.root / ROSTER)
    except UserError as error:
        raise PurgeError(f"{error.plain} Then repeat the purge.") from error
    other = known.by_claim(student) if student else student
    if student and other != student and not counts and not (room.submitted / student).exists():
        raise PurgeError(
            f"This course spells the id of that student “{other}”. "
            f"Repeat the command with --student {other}. Nothing was removed."
        )
    if student is None:
        whos = [_who(room, one.id, known) for one in known.entries]
        pieces = list(pieces_of_term(places))
    else:
        whos = [_who(room, student, known)]
        pieces = list(pieces_of(whos[0], places, room.course, known))
    found = [*map(_line, pieces), *(Line("gradebook", *one, "rows") for one in counts.items())]
    what = "the whole term" if student is None else student
    untouched = tuple(_not_touched(room, places, whos))
    if not yes:
        mentions = tuple(_mentions(room, places, student, whos, {one.path for one in pieces}))
        return Purge(
            what=what, done=False, found=tuple(found), left=(), mentions=mentions,
            not_touched=untouched,
        )  # fmt: skip
    left = _remove(room, student, pieces)
    mentions = tuple(_mentions(room, places, student, whos, set()))
    receipt = None
    if found:
        receipt = _keep_receipt(room, whos, student, found, left, untouched, reference)
    return Purge(
        what=what, done=True, found=tuple(found), left=tuple(left), mentions=mentions,
        not_touched=untouched, receipt=receipt,
    )  # fmt: skip


def _remove(room: Room, student: str | None, pieces: list[Piece]) -> list[str]:
    """Remove everything that can be; what remains, and why. The roster goes last, if all went."""
    left = []
    last = [one for one in pieces if one.path == room.root / "roster.csv"]
    for piece in pieces:
        if piece not in last:
            left += _try(piece)
    if left:
        # By the roster and the gradebook the rest is found again.
        return [*left, "The gradebook and the roster were left until the above is gone."]
    room.close()
    try:
        delete_rows(room, student)
    except RoomError as error:
        return [error.plain]
    for piece in last:
        left += _try(piece)
    return left


def _try(piece: Piece) -> list[str]:
    try:
        piece.remove()
    except BROKEN as error:
        why = getattr(error, "strerror", None) or f"{error}" or type(error).__name__
        return [f"{printable(piece.path)}: {printable(why)}"]
    return []


def _who(room: Room, student: str, roster: Roster) -> Who:
    one = roster.get(student)
    pseudonym = pseudonym_of(room, student)
    if one is None:
        return Who(id=student, pseudonym=pseudonym)
    names = (f"{one.first} {one.last}", f"{one.last}, {one.first}", f"{one.last} {one.first}")
    return Who(
        id=student,
        others=frozenset(filter(None, (one.lms_id, one.username, one.email))),
        names=names if one.first and one.last else (),
        pseudonym=pseudonym,
    )


def pseudonym_of(room: Room, student: str) -> str | None:
    """By which name research exports have a student (grading/research.py); ``None``: no secret."""
    try:
        secret = (room.root / ".pcn" / "research-secret").read_bytes().strip()
    except OSError:
        return None
    digest = hmac.new(secret, student.encode(), hashlib.sha256).digest()
    return base64.b32encode(digest)[:16].decode().lower()


def _line(piece: Piece) -> Line:
    return Line(piece.kind, printable(piece.path, LONGEST_PATH), piece.count, piece.unit)


# ---- What stays ----------------------------------------------------------------------------------


def _mentions(
    room: Room, places: Places, student: str | None, whos: Iterable[Who], going: set[Path]
) -> Iterator[str]:
    """Files of the room and the exchange, and others' rows in the gradebook, that name somebody.

    Workspaces are not looked into: what others wrote there is not for the instructor to read.
    """
    pattern = _any_of(whos)
    if pattern is None:
        return
    told = 0
    faults: list[str] = []
    for path in _files(room, places, faults):
        if told >= MOST:
            yield "and perhaps more"
            return
        if path in going or any(parent in going for parent in path.parents):
            continue
        content = read_plain(path, LARGEST) or b""
        if not content and path.stat().st_size:
            told += 1
            yield f"{printable(path, LONGEST_PATH)}: it is too large or can't be read"
            continue
        # Blackboard's own tables are in the second.
        coding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8"
        if pattern.search(path.name) or pattern.search(content.decode(coding, "replace")):
            told += 1
            yield printable(path, LONGEST_PATH)
    yield from faults[:FEW]
    yield from rows_naming(room, student, pattern)


def _any_of(whos: Iterable[Who]) -> re.Pattern[str] | None:
    patterns = [one.spelled.pattern for one in whos]
    return re.compile("|".join(patterns), re.IGNORECASE) if patterns else None


def _files(room: Room, places: Places, faults: list[str]) -> Iterator[Path]:
    def fault(path: str, why: str) -> None:
        faults.append(f"{printable(path)}: {why}")

    database = database_file(room.db_url)
    receipts = room.root / RECEIPTS
    for root in (room.root, places.exchange):
        for folder, folders, files in walk(root, fault) if root else ():
            # What is released is the course's own; its links lead to its authors.
            skipped = {"release", "source", "outbound", "__pycache__"}
            folders[:] = sorted(one for one in folders if one not in skipped)
            for name in sorted(files):
                path = Path(folder, name)
                ours = path == database or receipts in path.parents or name.endswith(".py")
                if not ours and not path.is_symlink():
                    yield path


def _not_touched(room: Room, places: Places, whos: Iterable[Who]) -> Iterator[str]:
    kept = [*sorted(room.root.glob("gradebook.db.*")), *(one["path"] for one in backups_of(room))]
    for path in kept:
        yield (
            f"{printable(path)}: a backup. Delete it, or let it expire as your retention rules say."
        )
    if not places.exchange:
        yield "An exchange: none was found. Name it with --exchange if students hand in by one."
    if not places.workspaces:
        yield (
            "Workspaces: name their folder with --workspaces, or delete the student's home. "
            "Answers, earlier texts and private notes are there."
        )
    else:
        whose = {one.id for one in whos}
        for one in find_workspaces(places.workspaces):
            if one.home.name in whose and (one.home != one.root or one.home.is_symlink()):
                yield f"{printable(one.home)}: the account's home, except the workspace in it."
    yield "Backups elsewhere, the LMS, the hub's accounts, e-mail, and what anybody downloaded."


def _keep_receipt(
    room: Room,
    whos: list[Who],
    student: str | None,
    found: list[Line],
    left: list[str],
    not_touched: Iterable[str],
    reference: str | None,
) -> Path:
    pattern = _any_of(whos)

    def hidden(line: str) -> str:
        return pattern.sub("…", line) if pattern else line

    when = dt.datetime.now(dt.UTC)
    receipt = Receipt(
        format=FORMAT,
        when=when,
        reference=reference or secrets.token_hex(4),
        by=getpass.getuser(),
        package=pcn_course.__version__,
        what="the whole term" if student is None else "one student",
        removed=tuple(msgspec.structs.replace(one, path=hidden(one.path)) for one in found),
        left=tuple(map(hidden, left)),
        not_touched=tuple(map(hidden, not_touched)),
    )
    path = room.root / RECEIPTS / f"{when:%Y%m%dT%H%M%S%fZ}.json"
    write_whole(path, msgspec.json.format(msgspec.json.encode(receipt), indent=1))
    write_whole(path.with_suffix(".txt"), _in_words(receipt).encode())
    path.parent.chmod(0o700)
    return path


def _in_words(receipt: Receipt) -> str:
    counts: Counter[tuple[str, str]] = Counter()
    for one in receipt.removed:
        counts[one.kind, one.unit] += one.count
    lines = [
        f"Purge of {receipt.what}, reference {receipt.reference}",
        f"{receipt.when:%Y-%m-%d %H:%M:%S} UTC, by {receipt.by}, pcn-course {receipt.package}",
        "Removed:",
        *(f"  {kind}: {count} {unit}" for (kind, unit), count in counts.items()),
    ]
    if receipt.left:
        lines += ["Could not be removed:", *(f"  {one}" for one in receipt.left)]
    return "\n".join([*lines, "Not touched:", *(f"  {one}" for one in receipt.not_touched)]) + "\n"
