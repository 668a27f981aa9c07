"""Tables of people: what was written is read again; what can't be read is said with its line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pcn_course.spreadsheets import (
    LineError,
    SheetError,
    csv_as_is,
    csv_bytes,
    decode,
    guarded,
    parse,
    read_sheet,
    unguarded,
)

SHARED = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@SHARED
@given(st.binary(max_size=400))
def test_any_file_is_a_table_or_an_error_with_a_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(content)
    try:
        sheet = read_sheet(path)
    except SheetError as error:
        plain = error.plain
    else:
        plain = f"{path} is a table."
        assert all(len(row.cells) == len(sheet.header) for row in sheet.rows)
    assert str(path) in plain


@given(st.binary(max_size=400), st.sampled_from(",;\t|"))
def test_any_text_has_lines_or_the_line_that_has_none(content: bytes, delimiter: str) -> None:
    text, _ = decode(content, "replace")
    try:
        lines = [row.line for row in parse(text.replace("\0", ""), delimiter)]
    except LineError as error:
        lines = [error.line]
    assert lines == sorted(set(lines))
    assert all(line > 0 for line in lines)


@pytest.mark.parametrize(
    ("encoding", "delimiter"), [("utf-8-sig", ","), ("utf-8", ";"), ("utf-16", "\t")]
)
def test_what_is_written_is_read(tmp_path: Path, encoding: str, delimiter: str) -> None:
    path = tmp_path / "list.csv"
    rows = [["id", "name"], ["a", 'Doe, "Ada"'], ["b", "two\nlines"], ["c", "É"]]
    path.write_bytes(csv_as_is(rows, encoding=encoding, delimiter=delimiter))
    sheet = read_sheet(path)
    assert [sheet.header, *(row.cells for row in sheet.rows)] == [tuple(row) for row in rows]
    assert [row.line for row in sheet.rows] == [2, 3, 5]


@SHARED
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_no_formula_is_written_and_its_text_comes_back(tmp_path: Path, text: str) -> None:
    assert unguarded(guarded(text)) == text
    path = tmp_path / "list.csv"
    path.write_bytes(csv_bytes(["id", "text"], [["x", f"={text}"]]))
    assert b"'=" in path.read_bytes()


def test_a_first_line_names_the_delimiter_and_counts(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(b"sep=|\r\nid|name\r\na|Ada, Ben\r\n")
    sheet = read_sheet(path)
    assert (sheet.header, sheet.rows[0].line) == (("id", "name"), 3)
    assert sheet.rows[0].cells == ("a", "Ada, Ben")


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        (b'id,name\na,"Ada\nb,Ben\n', 2, "quotation mark"),
        (b"id,name\na,Ada\nb,Roe, Ben\n", 3, "more cells than headers"),
    ],
)
def test_what_would_move_cells_is_told_with_its_line(
    tmp_path: Path, content: bytes, line: int, words: str
) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(content)
    with pytest.raises(LineError, match=words) as caught:
        read_sheet(path)
    assert caught.value.line == line
