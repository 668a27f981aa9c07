"""People out of a CSV file that a student has: LinkedIn's ``Connections.csv``, or an own list.

`read_list` takes the bytes of a file and gives back rows for the table ``people`` of step 2, or
raises `ListError` with words for the student. It keeps nothing, and these never come out of it, in
cells, in columns' names or in notes: e-mail addresses, phone numbers, links. In rows full names
become initials, since the people in a list have not signed up for this course; the student chooses
among them by their names, which stand beside the rows and are dropped with the dialog. The position
stays as text, without the employer; the company only helps to find the sector and is then
forgotten, because initials, position and employer together can point to one person.

Encodings are told by their byte-order mark, else UTF-8, else Windows-1252: these are what Excel
and LinkedIn write. A detector such as charset-normalizer has to guess from letters, is often wrong
for files as short as these, and would take other Windows encodings for this one.

A choice is found by words ("Lincoln High School" is the sector schools), in English. Headings are
known in English, Spanish, French, German, Portuguese and Italian; others are chosen by the student
from the columns shown.
"""

from __future__ import annotations

from pcn_course.importing.people import MemberList, read_list
from pcn_course.importing.table import FIELDS, MOST_BYTES, MOST_PEOPLE, ListError

__all__ = ["FIELDS", "MOST_BYTES", "MOST_PEOPLE", "ListError", "MemberList", "read_list"]
