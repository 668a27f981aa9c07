"""The tables that a made-up student fills in, with rows that point to each other between steps."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pcn_course.course import Prompt, Step

Row = dict[str, Any]


class Tables:
    """The tables of one student. Of what was kept, later tables name entries."""

    def __init__(self, project: Mapping[str, Any], chance: random.Random, term: dt.date) -> None:
        self.project = project
        self.chance = chance
        self._term = term
        self._kept: dict[str, dict[str, str]] = {}

    def keep(self, reference: str, value: Any) -> None:
        """Remember the entries of a table that was answered, by ``connections.people``."""
        if isinstance(value, list) and value and isinstance(value[0], dict):
            label = next((key for key in value[0] if key != "id"), "id")
            self._kept[reference] = {row["id"]: str(row.get(label, "")) for row in value}

    def rows(self, prompt: Prompt, step: Step, part: float) -> list[Row]:
        """The first ``part`` of a table's rows, at least one where there is any."""
        made = list(ROWS[prompt.key](self))
        count = min(max(1, round(len(made) * part)), prompt.max_rows)
        return [
            {"id": f"{prompt.key[0]}{number}", **self._cells(prompt, step, row)}
            for number, row in enumerate(made[:count], start=1)
        ]

    def entries(self, reference: str) -> list[str]:
        """The ids of a table's entries."""
        return list(self._kept.get(reference, ()))

    def day(self, after: int) -> str:
        """A day of the term."""
        return (self._term + dt.timedelta(days=after)).isoformat()

    def pick(self, *values: Any) -> Any:
        """Return one entry by chance."""
        return self.chance.choice(values)

    def _cells(self, prompt: Prompt, step: Step, row: Row) -> Row:
        """A row as the form writes it: what its columns take, with the labels of what it names."""
        cells: Row = {}
        for column in prompt.columns:
            value = row.get(column.key)
            if column.refers:
                where = column.options_from
                kept = self._kept.get(where if "." in where else f"{step.name}.{where}", {})
                if column.kind == "choices":
                    value = [one for one in value or [] if one in kept]
                    shown = "; ".join(kept[one] for one in value)
                else:
                    value = value if value in kept else None
                    shown = kept.get(value or "", "")
                if value:
                    cells[column.key] = value
                    cells[f"{column.key}-shown"] = shown
            elif value and not column.private and column.fault(value) is None:
                cells[column.key] = value
        return cells


def _goals(tables: Tables) -> Iterator[Row]:
    yield {"goal": tables.project["goal"], "by": tables.day(80)}
    yield {"goal": tables.project["second"], "by": tables.day(150)}


def _needs(tables: Tables) -> Iterator[Row]:
    goals = tables.entries("goals.goal-list")
    for place, (expertise, group, why) in enumerate(tables.project["needs"]):
        yield {
            "expertise": expertise,
            "group": group,
            "goal": goals[place % len(goals)] if goals else None,
            "why": why,
            "held-by": tables.project["people"][place][0] if tables.chance.random() < 0.5 else None,
        }


def _people(tables: Tables) -> Iterator[Row]:
    goals = tables.entries("goals.goal-list")
    needs = tables.entries("goals.expertise-that-helps")
    for person in tables.project["people"]:
        label, _short, role, sector, group, place, channel, expertise, give, get = person
        yield {
            "person": label,
            "role": role,
            "sector": sector,
            "expertise": expertise,
            "group": group,
            "meets": tables.chance.sample(needs, min(len(needs), tables.pick(0, 1, 1, 2))),
            "goal": tables.chance.choice(goals) if goals else None,
            "lived-experience": "yes"
            if role == "lived-experience"
            else tables.pick("no", "not-said"),
            "place": place,
            "channels": [channel],
            "kinds": [tables.pick("work-together", "get-advice", "learn-together", "refer")],
            "give": give,
            "get": get,
            "closeness": tables.chance.randint(1, 5),
            "how-met": tables.pick("Through a colleague of both", "At a meeting", "Not yet"),
            "status": tables.pick("planned", "sent", "accepted", "accepted", "declined"),
            "consent": tables.pick("yes", "role-only", "asked"),
        }


def _ties(tables: Tables) -> Iterator[Row]:
    people = tables.entries("connections.people")
    for place, other in enumerate(people[1:], start=1):
        yield {
            "one": people[tables.chance.randrange(place)],
            "other": other,
            "kind": tables.pick("know", "work", "refer"),
        }


def _times(tables: Tables) -> Iterator[Row]:
    yield {
        "day": tables.pick("mon", "tue", "wed"),
        "start": tables.pick("07:45", "08:15", "12:30"),
        "minutes": tables.pick("15", "20", "30"),
        "purpose": "One call",
    }
    yield {
        "day": tables.pick("thu", "fri"),
        "start": tables.pick("15:30", "16:15"),
        "minutes": tables.pick("15", "30"),
        "purpose": "Email, and the list of open questions",
    }


def _asks(tables: Tables) -> Iterator[Row]:
    people = tables.entries("connections.people")
    yield {
        "purpose": tables.project["ask"],
        "kind": "question",
        "to": people[0] if people else None,
        "minutes": tables.pick("10", "15"),
        "offer": tables.project["people"][0][8],
        "use": "It goes into the draft, in the words in which it was said",
        "easy-no": "No answer is an answer; I ask once",
        "status": tables.pick("sent", "closed"),
        "sent-on": tables.day(38),
    }
    yield {
        "purpose": "Who else should I be asking?",
        "kind": "question",
        "to": people[-1] if people else None,
        "minutes": "10",
        "offer": tables.project["people"][-1][8],
        "use": "It decides whom I call next",
        "easy-no": "A line that says not now",
        "status": "draft",
    }


def _loops(tables: Tables) -> Iterator[Row]:
    for place, ask in enumerate(tables.entries("managing.asks")):
        if place == 0 and tables.chance.random() < 0.7:
            yield {
                "ask": ask,
                "answered": "yes",
                "answered-on": tables.day(45),
                "changed": "The draft begins with another question now",
                "reported": tables.pick("yes", "not-yet"),
            }
        else:
            yield {"ask": ask, "answered": "not-yet", "reported": "not-yet"}


ROWS: dict[str, Callable[[Tables], Iterator[Row]]] = {
    "goal-list": _goals,
    "expertise-that-helps": _needs,
    "people": _people,
    "ties": _ties,
    "weekly-times": _times,
    "asks": _asks,
    "loops": _loops,
}
"""What fills each table, by the key of its prompt."""
