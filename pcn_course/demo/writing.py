"""What a made-up student writes: words from ``words.toml`` about a project in ``projects.toml``.

A prompt that those files don't know, because a course has added it, gets words that name it.
"""

from __future__ import annotations

import datetime as dt
import functools
import random
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pcn_course.course import Course, Prompt, Step
from pcn_course.demo.tables import ROWS, Tables

Quality = Literal["strong", "sound", "thin", "half"]
Project = Mapping[str, Any]
_HERE = Path(__file__).parent
_TOOLS = (
    "phone-call",
    "email",
    "in-person",
    "zoom",
    "google-docs",
    "email-list-listserv",
    "signal",
)
"""Of the catalogue, those that these people know."""
_DATES = {"decide-by": 75, "review-date": 60}
"""Days after the first of the term."""
_TIMES = {"quiet-from": ("18:00", "18:30", "19:00", "20:00"), "quiet-to": ("07:00", "07:30")}


class _Care(NamedTuple):
    """How somebody writes: chances to answer, sentences after the first, and part of the rows."""

    required: float
    optional: float
    more: int
    rows: float
    words: Literal["core", "thin"]


_CARE: dict[Quality, _Care] = {
    "strong": _Care(1.0, 0.95, 3, 1.0, "core"),
    "sound": _Care(1.0, 0.7, 1, 0.7, "core"),
    "thin": _Care(1.0, 0.35, 0, 0.4, "thin"),
    "half": _Care(0.5, 0.25, 0, 0.4, "thin"),
}


@functools.cache
def projects() -> tuple[Project, ...]:
    """All projects, each with the words that texts can name."""
    return tuple(tomllib.loads((_HERE / "projects.toml").read_text(encoding="utf-8"))["projects"])


@functools.cache
def _words() -> Mapping[str, Mapping[str, list[str]]]:
    return tomllib.loads((_HERE / "words.toml").read_text(encoding="utf-8"))


class Writer:
    """One student at work on one project."""

    def __init__(
        self,
        course: Course,
        project: Project,
        quality: Quality,
        chance: random.Random,
        term: dt.date,
    ) -> None:
        self.project = project
        self._course = course
        self._care = _CARE[quality]
        self._chance = chance
        self._term = term
        self._named = _named(project)

    def answers(self) -> dict[str, dict[str, Any]]:
        """Answers to all steps, by the step's id and key."""
        tables = Tables(self.project, self._chance, self._term)
        return {step.id: self._step(step, tables) for step in self._course.steps}

    def covered(self, step: Step) -> dict[str, Any]:
        """What somebody writes whose other work covers the step."""
        return {key: self._text(prompt) for key in step.covered if (prompt := step.prompt(key))}

    def private(self, step: Step) -> dict[str, Any]:
        """A note that stays with the student; mostly none."""
        return {
            prompt.key: self._text(prompt)
            for prompt in step.prompts
            if prompt.private and prompt.kind in ("line", "text") and self._chance.random() < 0.1
        }

    def _step(self, step: Step, tables: Tables) -> dict[str, Any]:
        answers: dict[str, Any] = {}
        for prompt in step.prompts:
            if prompt.private or prompt.key in step.covered:
                continue
            likely = self._care.required if prompt.required else self._care.optional
            value = self._answer(prompt, step, tables)
            if self._chance.random() >= likely or prompt.is_empty(value):
                continue
            # A course may have changed what it takes; then there is no answer.
            if prompt.fault(value) is None:
                answers[prompt.key] = value
                tables.keep(f"{step.name}.{prompt.key}", value)
        return answers

    def _answer(self, prompt: Prompt, step: Step, tables: Tables) -> Any:
        match prompt.kind:
            case "line" | "text":
                return self._text(prompt)
            case "table" if prompt.key in ROWS:
                return tables.rows(prompt, step, self._care.rows)
            case "choice" if not prompt.refers:
                return self._chance.choice(prompt.options).value
            case "choices" if not prompt.refers:
                return self._several(prompt)
            case "scale":
                return self._chance.randint(1, prompt.points)
            case "date":
                later = _DATES.get(prompt.key, 40) + self._chance.randint(-5, 5)
                return (self._term + dt.timedelta(days=later)).isoformat()
            case "time":
                return self._chance.choice(_TIMES.get(prompt.key, ("08:15", "15:30")))
        return None

    def _several(self, prompt: Prompt) -> list[str]:
        values = [option.value for option in prompt.options]
        if prompt.options_from:
            values = [one for one in values if one in _TOOLS] or values
        if not values:
            return []
        few = self._chance.sample(values, min(len(values), self._chance.randint(1, 3)))
        return sorted(few, key=values.index)

    def _text(self, prompt: Prompt) -> str:
        words = _words().get(prompt.key)
        if words is None:
            return f"Made-up words about “{prompt.label}”."
        sentences = [self._chance.choice(words[self._care.words])]
        if prompt.kind == "text" and self._care.words == "core":
            more = words.get("more", [])
            chosen = self._chance.sample(more, min(len(more), self._care.more))
            sentences += sorted(chosen, key=more.index)
        return " ".join(sentences).format_map(self._named)


def _named(project: Project) -> dict[str, str]:
    """What a text can name: each word as it is, with a small and with a capital first letter."""
    named: dict[str, str] = {}
    words = {key: value for key, value in project.items() if isinstance(value, str)}
    of_part: dict[str, list[str]] = {}
    for _label, short, role, *_ in project["people"]:
        of_part.setdefault(role, []).append(short)
    peers = of_part["peer"]
    words |= {
        "colleague": peers[0],
        "voice": of_part.get("lived-experience", peers[1:])[0],
        "office": of_part["stakeholder"][0],
        "guide": [*of_part.get("advisor-or-expert", ()), *of_part.get("mentor", ())][0],
        "last": project["people"][-1][1],
    }
    for key, value in words.items():
        named[key] = value
        named[f"{key}_lower"] = value[0].lower() + value[1:]
        named[key.capitalize()] = value[0].upper() + value[1:]
    return named
