"""Who is in a made-up class, and what became of each one's steps.

pupils = generate(load_course(), 24, seed=1)
pupils[0].answers["step-1-goals"]["live-project"]
"""

from __future__ import annotations

import datetime as dt
import random
import unicodedata
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from pcn_course.course import Course, Step
from pcn_course.demo.hostile import hostile
from pcn_course.demo.writing import Quality, Writer, projects

Kind = Literal["ordinary", "late", "blank", "covered", "hostile", "started"]
KINDS: tuple[Kind, ...] = ("ordinary", "late", "blank", "covered", "hostile", "started")
"""``started`` hands in the first steps, has begun another, and stopped there."""
QUALITIES: tuple[Quality, ...] = ("strong", "sound", "thin", "half")
TERM = dt.date(2027, 1, 11)
"""The first day of a term to which the dates in answers belong, where none is named."""
LATE = dt.timedelta(days=1, hours=3)
_SPECIAL: tuple[tuple[Kind, int], ...] = (
    ("late", 24), ("blank", 24), ("covered", 24), ("hostile", 24), ("started", 12)
)  # fmt: skip
"""One of how many students is of a kind; at least one is."""
_DEALT: tuple[Quality, ...] = (
    "sound",
    "strong",
    "thin",
    "half",
    "sound",
    "strong",
    "sound",
    "thin",
)
_OF_KIND: dict[Kind, Quality] = {"blank": "half", "covered": "sound", "hostile": "strong"}

# First names are birds and last names are trees, so that nobody is taken for somebody.
_FIRST = (
    "Avocet", "Bunting", "Chough", "Dunlin", "Egret", "Finch", "Godwit", "Heron", "Ibis", "Jacana",
    "Kestrel", "Linnet", "Merlin", "Nuthatch", "Oriole", "Plover", "Quetzal", "Redstart", "Siskin",
    "Teal", "Veery", "Wren", "Pipit", "Curlew", "Dotterel", "Fulmar", "Grebe", "Kinglet", "Petrel",
    "Tanager", "Colibrí", "Mésange",
)  # fmt: skip
_LAST = (
    "Alder", "Birch", "Cedar", "Dogwood", "Elder", "Fir", "Gingko", "Hawthorn", "Ironwood",
    "Juniper", "Katsura", "Larch", "Medlar", "Nutmeg", "Olive", "Pawpaw", "Quince", "Rowan",
    "Spindle", "Tamarack", "Umbrella-Pine", "Viburnum", "Whitebeam", "Yew", "Érable", "Álamo",
    "Świerk", "Ölbaum", "Sorb, Wild", "O’Hazel", "Hornbeam", "Zelkova",
)  # fmt: skip


class Pupil(msgspec.Struct, frozen=True, kw_only=True):
    """One student who never was.

    ``answers`` has answers to every step, by the step's id and key, as the form writes them.
    ``handed_in`` says which of them arrived, and how long after the due date (before: negative);
    ``begun`` is what stands in the workspace for steps that were not handed in, ``private`` what
    never leaves it.
    """

    id: str
    first: str
    last: str
    lms_id: str
    kind: Kind
    quality: Quality
    project: str
    answers: dict[str, dict[str, Any]]
    handed_in: dict[str, dt.timedelta]
    begun: dict[str, dict[str, Any]]
    private: dict[str, dict[str, Any]]

    @property
    def email(self) -> str:
        """An address at a domain that is kept for examples."""
        return f"{self.id}@example.org"


def generate(course: Course, size: int = 24, seed: int = 1, *, term: dt.date = TERM) -> list[Pupil]:
    """A class of ``size``, by their ids: the same for the same course, size, seed and term.

    From six on there is one of each kind; 1,000 take a few seconds.
    """
    chance = random.Random(f"class {seed}")  # noqa: S311 (a class, no secret)
    names = [(first, last) for first in _FIRST for last in _LAST]
    if size > len(names):
        raise ValueError(f"There are names for {len(names)} students.")
    chosen = chance.sample(names, size)
    kinds: list[Kind] = [
        kind for kind, one_in in _SPECIAL for _ in range(max(1, round(size / one_in)))
    ][:size]
    kinds += ["ordinary"] * (size - len(kinds))
    every = projects()
    pupils = []
    for number, ((first, last), kind) in enumerate(zip(chosen, kinds, strict=True)):
        one = random.Random(f"{seed} {number}")  # noqa: S311 (as above)
        quality = _OF_KIND.get(kind) or _DEALT[number % len(_DEALT)]
        writer = Writer(course, every[number % len(every)], quality, one, term)
        answers = _answers(course, kind, writer)
        pupils.append(
            Pupil(
                id=f"{_plain(first)}.{_plain(last)}",
                first=first,
                last=last,
                lms_id=str(900_000 + number),
                kind=kind,
                quality=quality,
                project=writer.project["project"],
                answers=answers,
                **_course_of_things(course.steps, kind, one, answers),
                private=_private(course, kind, writer),
            )
        )
    return sorted(pupils, key=lambda pupil: pupil.id)


def _answers(course: Course, kind: Kind, writer: Writer) -> dict[str, dict[str, Any]]:
    if kind == "blank":
        return {step.id: _blank(step) for step in course.steps}
    if kind == "covered":
        return {step.id: writer.covered(step) for step in course.steps}
    answers = writer.answers()
    return hostile(course, answers) if kind == "hostile" else answers


def _blank(step: Step) -> dict[str, Any]:
    """What the form keeps of somebody who wrote a word and took it away again."""
    first = next((prompt for prompt in step.prompts if prompt.kind in ("line", "text")), None)
    return {first.key: ""} if first else {}


def _course_of_things(
    steps: tuple[Step, ...], kind: Kind, chance: random.Random, answers: Mapping[str, Any]
) -> dict[str, Any]:
    """What was handed in when, and what was only begun. The last step is still open."""
    ready = len(steps)
    if kind == "started":
        ready = chance.randint(1, max(1, len(steps) - 2))
    elif kind == "ordinary" and chance.random() < 0.4:
        ready = len(steps) - 1
    handed_in = {}
    for number, step in enumerate(steps[:ready], start=1):
        early = -dt.timedelta(minutes=chance.randint(30, 3 * 24 * 60))
        if number == len(steps):
            early -= dt.timedelta(days=4)
        elif kind == "late" and number % 2 == 0:
            early = LATE
        handed_in[step.id] = early
    begun = {}
    for step in steps[ready : ready + 1]:
        there = list(answers[step.id].items())
        begun[step.id] = dict(there if chance.random() < 0.3 else there[: len(there) // 2])
    return {"handed_in": handed_in, "begun": begun}


def _private(course: Course, kind: Kind, writer: Writer) -> dict[str, dict[str, Any]]:
    if kind not in ("ordinary", "late"):
        return {}
    notes = {step.id: writer.private(step) for step in course.steps}
    return {step: values for step, values in notes.items() if values}


def _plain(name: str) -> str:
    """A name as it can stand in an id."""
    letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return "".join(one for one in letters.lower() if one.isalnum())
