"""Ids that stand for one person however a spreadsheet left them, and ids beside a person's name."""

from __future__ import annotations

import re
import unicodedata

from pcn_course.spreadsheets import key

_SHORTENED = re.compile(r"[-+]?\d+(?:[.,]\d+)?e\+\d+", re.IGNORECASE)
_NUMBER = re.compile(r"0*(\d+)(?:[.,]0+)?")
_MANY = 4
"""Digits from which a number is an id whatever name stands beside it."""
_TEST = frozenset((
    "test", "testing", "teste", "prueba", "pruebas", "prova", "prove", "essai", "essais",
    "probe", "proef", "testowy", "testowa", "deneme", "koe", "testi", "тест", "тестовый", "测试",
    "測試", "テスト", "테스트",
))  # fmt: skip
_STUDENT = frozenset((
    "student", "students", "studentin", "studierende", "studierender", "estudiante",
    "estudiant", "étudiant", "étudiante", "alumno", "alumna", "alumne", "aluno", "aluna",
    "estudante", "studente", "studentessa", "teilnehmer", "teilnehmerin", "elev", "élève",
    "leerling", "cursist", "studerende", "uczeń", "uczestnik", "opiskelija", "opiskelijan",
    "öğrenci", "myfyriwr", "студент", "学生", "學生", "受講者", "학생",
))  # fmt: skip
_BETWEEN = frozenset(["de", "d", "di", "del", "du", "the", "of"])


def id_key(text: str) -> str:
    """Return what all spellings of one id share.

    Case doesn't count, nor do the leading zeros that a spreadsheet drops, nor ``.0`` behind.
    """
    text = unicodedata.normalize("NFC", text.strip())
    number = _NUMBER.fullmatch(text)
    return number[1] if number else text.casefold()


def is_shortened(text: str) -> bool:
    """Return True for ``1.10E+14``: a spreadsheet has replaced an id by a rounded number."""
    return _SHORTENED.fullmatch(text.strip()) is not None


SHORTENED = (
    "is a number that a spreadsheet has rounded, and nobody can tell which id it was. Get the file "
    "again, and don't save it from a spreadsheet, or format the column as text first."
)


def name_words(name: str) -> frozenset[str]:
    """Return the words of a name without case, accents and signs."""
    words = re.split(r"[\s,._\-–()\[\]]+", name.replace("'", "").replace("’", ""))
    return frozenset(word for one in words if (word := key(one)))


def has_id(text: str, an_id: str, name: str) -> bool:
    """Return True if ``text`` is a display name that begins or ends with this person's id.

    ``23304308 Doe``, ``zoe Zoë Ray``, ``Ray, Zoë (zoe)``. A word alone proves little, as one's
    login is another's first name: the rest has to fit ``name``. Long numbers count by themselves.
    """
    if not an_id.strip():
        return False
    folded = " ".join(unicodedata.normalize("NFC", text).casefold().split())
    folded = folded.strip(" #*([{<>}]).,;:")
    wanted = " ".join(unicodedata.normalize("NFC", an_id).casefold().split())
    number = _NUMBER.fullmatch(wanted)
    escaped = rf"0*{number[1]}" if number else re.escape(wanted)
    match = (
        re.match(rf"{escaped}(?=$|[\s,;:_()\[\]{{}}/–-])", folded)
        or re.search(rf"(?<=[\s,;:_()\[\]{{}}/–-]){escaped}$", folded)
    )  # fmt: skip
    if match is None:
        return False
    rest = name_words(folded[: match.start()] + " " + folded[match.end() :])
    if not rest or (number and len(number[1]) >= _MANY):
        return True
    known = name_words(name)
    if name_words(an_id) & known:
        return known <= rest
    return bool(known) and (rest <= known or known <= rest)


def is_test_user(name: str, username: str = "") -> bool:
    """Return True for the student that an LMS makes so that instructors see their course as one.

    Canvas's “Test Student” in its languages, Blackboard's ``…_previewuser``, Brightspace's demo
    student.
    """
    if any(re.search(r"preview[_ .-]?user\b", one.casefold()) for one in (name, username)):
        return True
    words = {key(one) for one in re.split(r"[\s,._\-–()']+", name) if key(one)}
    tests, students = {key(one) for one in _TEST}, {key(one) for one in _STUDENT}
    if len(words) == 1:
        (word,) = words
        return any(
            word in (f"{test}{student}", f"{student}{test}")
            for test in tests for student in students
        )  # fmt: skip
    if words == {"demo", "student"}:
        return True
    rest = words - tests - students - _BETWEEN
    return not rest and bool(words & tests) and bool(words & students)
