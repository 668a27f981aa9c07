"""Text that nobody sees, terminals that obey it, spreadsheets that run it: one rule for each."""

from __future__ import annotations

import csv
import io
import logging
from pathlib import Path

import pytest

import pcn_course
from pcn_course.characters import is_blank, print_safely, printable
from pcn_course.course import default_root, load_course
from pcn_course.documents.network_files import members_csv, ties_csv
from pcn_course.grading.gradebook.comment_bank import Phrase
from pcn_course.importing.cells import cleaned
from pcn_course.instructor.marking import phrases_csv
from pcn_course.spreadsheets import csv_bytes, guarded, guarded_line, unguarded

UNSEEN = {
    "nothing": "",
    "spaces": " \t\n\u00a0\u2003\u3000",
    "zero width": "\u200b\u200c\u200d\u2060\ufeff",
    "soft hyphens": "\u00ad",
    "Braille blank": "\u2800",
    "Hangul fillers": "\u3164\u115f\u1160\uffa0",
    "tags": "\U000e0041\U000e007f",
    "variation selectors": "\ufe0f\U000e0100\u180b",
    "combining only": "\u0301\u0308\u20dd",
    "controls": "\x00\x1b\x7f\x9b",
    "directions": "\u202e\u2066\u2069\u061c",
    "no characters": "\uffff\ufdd0\U0001ffff",
    "halves": "\ud800",
    "invisible operators": "\u2061\u2064",
    "null notehead": "\U0001d159",
    "object": "\ufffc",
}
SEEN = (
    "x",
    ".",
    "é",
    "e\u0301",
    "\u0928\u093f",
    "日本",
    "👩🏽‍⚕️",
    "1️⃣",
    "\U0001fae8",
    "\u200bx",
    "\ufffd",
)


@pytest.mark.parametrize("what", UNSEEN)
def test_what_nobody_sees_is_blank(what: str) -> None:
    assert is_blank(UNSEEN[what])
    assert is_blank(UNSEEN[what] * 1_000)


@pytest.mark.parametrize("text", SEEN)
def test_what_somebody_sees_is_not(text: str) -> None:
    assert not is_blank(text)
    assert not is_blank("\u200b" * 1000 + text)


def test_a_terminal_gets_no_escape_no_line_and_no_direction() -> None:
    shown = printable("a\x1b[2J\x9b31m\r\nb\u202ec\u2066d\u2028e\x00\ufeff")
    assert shown == r"a\x1b[2J\x9b31m\x0d\x0ab\u202ec\u2066d\u2028e\x00\ufeff"
    assert printable(b"caf\xe9".decode("utf-8", "surrogateescape")) == r"caf\xe9"
    assert printable("\ud800") == r"\ud800"
    assert printable("Zoë, 李, 👩🏽‍⚕️") == "Zoë, 李, 👩🏽‍⚕️"
    assert printable("x" * 10_000) == "x" * 499 + "…"
    assert printable("\U000e0041").isprintable()


def test_a_log_has_one_line_for_each_message(caplog: pytest.LogCaptureFixture) -> None:
    factory = logging.getLogRecordFactory()
    try:
        print_safely()
        logging.getLogger("a test").warning("Left out: %s", "x\n[App | INFO] 99 points\x1b[1A")
    finally:
        logging.setLogRecordFactory(factory)
    assert caplog.messages == ["Left out: x\n  | [App | INFO] 99 points\\x1b[1A"]


FORMULAS = [
    f"{before}{sign}1+1"
    for sign in "=+-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b\u207c\u207a\u207b\u2212"
    for before in (
        "",
        " ",
        "\u200b",
        "\ufeff",
        "\u2060",
        "\u00ad",
        "\t",
        "\r",
        "\u3164",
        "\u202e",
        "'",
    )
]


@pytest.mark.parametrize("text", [*FORMULAS, "\t1", "\r1", "\n1", "'=1", "''=1"])
def test_a_formula_is_text(text: str) -> None:
    assert guarded(text) == f"'{text}"
    assert unguarded(guarded(text)) == text


@pytest.mark.parametrize(
    "text", ["", "-", "1", "a=b", "'tis", "O'Hara", "\u200b", "x-y", "'", "''"]
)
def test_other_text_is_as_it_is(text: str) -> None:
    assert guarded(text) == unguarded(text) == text


def test_a_table_has_no_formula() -> None:
    table = csv_bytes(["=head", "n"], [["\ufeff\uff1dcmd|' /C calc'!A0", 2.0], [None, -1]])
    rows = list(csv.reader(io.StringIO(table.decode("utf-8-sig"))))
    assert rows == [["'=head", "n"], ["'\ufeff\uff1dcmd|' /C calc'!A0", "2"], ["", "-1"]]


def test_every_table_is_written_by_the_one_guard() -> None:
    package = Path(pcn_course.__file__).parent
    writers = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if "csv.writer(" in path.read_text("utf-8")
    }
    assert writers == {"spreadsheets.py"}


HIDDEN = "\u200b\uff1dHYPERLINK(1)"


def test_no_table_of_ours_has_a_formula_behind_what_is_not_seen() -> None:
    course = load_course(default_root())
    people = [{"id": "a", "person": HIDDEN}, {"id": "b", "person": "B"}]
    values = {"connections": {"people": people, "ties": [{"id": "t", "one": "a", "other": "b"}]}}
    phrase = Phrase(1, HIDDEN, None, None, HIDDEN, 0)
    tables = (
        members_csv(course, values),
        ties_csv(course, values),
        phrases_csv([phrase]),
        csv_bytes(["student"], [[HIDDEN]]),
        b"\xef\xbb\xbf" + guarded_line(HIDDEN).encode(),
    )
    for table in tables:
        text = table.decode("utf-8-sig")
        assert f"'{HIDDEN}" in text
        assert text.count(HIDDEN) == text.count(f"'{HIDDEN}")


def test_what_we_wrote_comes_back_as_it_was() -> None:
    assert cleaned(guarded("- 2nd shift")) == cleaned("- 2nd shift")
