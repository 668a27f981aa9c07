"""Strict readers of the files with which each LMS takes feedback back in bulk.

Written from the LMS's code or documentation, as `pcn_course.grading.lms.uploads` names it, and
sharing nothing with that module. They refuse what the LMS would pass over, give to others, or
show in a form that doesn't open. Each gives ``{whom the LMS knows: the page that they see}``.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Mapping

from tests.grading.lms.readers import RefusedError, decoded, refuse_unless, table

MAX_ZIP = 500_000_000


def members(content: bytes) -> dict[str, bytes]:
    """A ZIP's files, with what any unpacking program may choke on refused."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except zipfile.BadZipFile as error:
        raise RefusedError("it is no ZIP") from error
    infos = archive.infolist()
    names = [info.filename for info in infos]
    refuse_unless(names, "it is empty")
    refuse_unless(len({name.casefold() for name in names}) == len(names), "a name is there twice")
    for info in infos:
        name = info.filename
        refuse_unless(info.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED), "packing")
        refuse_unless(not info.flag_bits & 1, f"{name} is encrypted")
        refuse_unless(name.isascii() or info.flag_bits & 0x800, f"{name} doesn't say it is UTF-8")
        refuse_unless(not re.search(r'[\\:*?"<>|\x00-\x1f]', name), f"{name}: not on Windows")
        parts = name.split("/")
        refuse_unless(all(parts) and ".." not in parts, f"{name} leads elsewhere")
        refuse_unless(all(len(part.encode()) <= 255 for part in parts), f"{name} is too long")
    refuse_unless(sum(info.file_size for info in infos) <= MAX_ZIP, "it is too large")
    return {name: archive.read(name) for name in names}


def page_of(name: str, content: bytes) -> bytes:
    """The page that a student opens by a file's name: HTML, or a ZIP with one page in it."""
    ending = name.lower().rpartition(".")[2]
    if ending == "zip":
        inside = members(content)
        refuse_unless(len(inside) == 1, f"{name} holds several files")
        return page_of(*next(iter(inside.items())))
    refuse_unless(ending in ("html", "htm"), f"{name} opens no page")
    refuse_unless(content.lstrip().lower().startswith(b"<!doctype html"), f"{name} is no page")
    return content


def canvas(content: bytes, attachments: Mapping[int, tuple[str, str]]) -> dict[str, bytes]:
    """Re-upload Submissions; ``attachments`` are (user or anonymous id, display name) by number.

    ``infer_comment_context_from_filename``: of the last part of the path, without LATE, the first
    two numbers, or the two words behind ``anon``. ``link…`` and ``._…`` have no attachment. The
    attachment has to be of this user's submission. ``generate_comments_from_files`` gives the file
    the attachment's display name.
    """
    pages: dict[str, bytes] = {}
    for path, file in members(content).items():
        name = path.rpartition("/")[2]
        words = [word for word in name.split("_") if word != "LATE"]
        if words[0] == "anon":
            user, number = [*words, "", ""][1:3]
        else:
            user, number = ([word for word in words if re.fullmatch(r"\d+", word)] + ["", ""])[:2]
        refuse_unless(not words[-1].startswith("link") and name[:2] != "._", f"{name} is ignored")
        known = attachments.get(int(number)) if number.isdecimal() else None
        refuse_unless(known is not None, f"{name} fits no attachment")
        assert known
        refuse_unless(known[0] == user, f"{name}: the attachment is not of user {user}")
        refuse_unless(user not in pages, f"user {user} would get two comments")
        pages[user] = page_of(known[1], file)
    return pages


def moodle(content: bytes, participants: Mapping[int, Mapping[str, bytes]]) -> dict[int, bytes]:
    """Upload multiple feedback files; ``participants`` have their submitted files by name.

    ``is_valid_filename_for_import``: files that begin with ``.`` or ``~`` are hidden; of the path's
    parts the first that is four words between underscores, of which the second is a participant's
    number and the next two are a plugin of the assignment. ``is_file_modified``: what is the same
    as the submitted file of that name is passed over.
    """
    pages: dict[int, bytes] = {}
    for path, file in members(content).items():
        refuse_unless(path.rpartition("/")[2][0] not in ".~", f"{path} is hidden")
        parts = path.split("/")
        number, rest = 0, ""
        for at, part in enumerate(parts):
            words = part.split("_", 4)
            if len(words) < 4 or not words[1].isdecimal() or int(words[1]) not in participants:
                continue
            plugin = "_".join(words[2:4])
            if plugin in ("assignsubmission_file", "assignfeedback_file"):
                number = int(words[1])
                rest = "/".join([*words[4:5], *parts[at + 1 :]]).lstrip("/")
                break
        refuse_unless(number, f"{path} names no participant")
        refuse_unless(rest and "/" not in rest, f"{path} would lie in a folder")
        refuse_unless(participants[number].get(rest) != file, f"{path} is what was submitted")
        refuse_unless(number not in pages, f"participant {number} would get two files")
        pages[number] = page_of(rest, file)
    return pages


def brightspace(content: bytes, downloaded: Iterable[str]) -> dict[str, bytes]:
    """Add Feedback Files; ``downloaded`` are the parts that D2L itself names: ids, person, time.

    A file lies in such a folder, or its name begins with such a part and `` - ``.
    """
    pages: dict[str, bytes] = {}
    for path, file in members(content).items():
        fits = [one for one in downloaded if path.startswith((f"{one}/", f"{one} - "))]
        refuse_unless(len(fits) == 1, f"{path} is no upload of the download")
        rest = path[len(fits[0]) :].removeprefix("/").removeprefix(" - ")
        refuse_unless(rest and "/" not in rest, f"{path} would lie in a folder")
        refuse_unless(fits[0] not in pages, f"{fits[0]} would get two files")
        pages[fits[0]] = page_of(rest, file)
    return pages


def blackboard(
    content: bytes, users: Iterable[str], downloaded: bytes | None = None
) -> dict[str, str]:
    """Blackboard's gradebook upload: the comment by user.

    With the download only comments may differ from it, and the item keeps its number. Without, the
    feedback is a text column. UTF-16 with its mark, all in quotation marks, one record a line.
    """
    refuse_unless(content[:2] in (b"\xff\xfe", b"\xfe\xff"), "it is not UTF-16 with its mark")
    text = decoded(content, "utf-16")
    for line in text.split("\r\n")[:-1]:
        refuse_unless("\n" not in line, "a record has several lines")
        quoted = re.fullmatch(r'"(?:[^"]|"")*"(?:\t"(?:[^"]|"")*")*', line)
        refuse_unless(quoted, f"not in quotes: {line}")
    rows = table(text, "\t")
    head = rows[0]
    refuse_unless("Username" in head, "Username is missing")
    who = head.index("Username")
    if downloaded is None:
        places = [at for at, header in enumerate(head) if header.endswith(": Feedback")]
        refuse_unless(len(places) == 1, "there is no column of feedback")
    else:
        before = table(decoded(downloaded, "utf-16"), "\t")
        refuse_unless(head == before[0], "the headers are not those of the download")
        places = [head.index("Feedback to Learner")]
    known = {row[who]: row for row in (before[1:] if downloaded is not None else [])}
    comments: dict[str, str] = {}
    for row in rows[1:]:
        refuse_unless(row[who] in users, f"Blackboard knows no {row[who]}")
        refuse_unless(row[who] not in comments, f"{row[who]} is there twice")
        if downloaded is not None:
            same = [cell for at, cell in enumerate(row) if at not in places]
            had = [cell for at, cell in enumerate(known.get(row[who], [])) if at not in places]
            refuse_unless(same == had, f"{row[who]}: more than the comment was changed")
        for cell in row:
            refuse_unless(cell[:1] not in ("=", "+", "-", "@", "\t", "\r"), "a formula")
        comments[row[who]] = row[places[0]]
    return comments
