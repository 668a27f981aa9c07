"""What a check found: how it is, in a sentence, and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from pcn_course.characters import printable

State = Literal["good", "warning", "fault"]
LONGEST = 4_000
"""Characters of what is said, which may name what students named."""
_SIGNS: dict[State, str] = {"good": "ok", "warning": "!!", "fault": "XX"}


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at. ``todo`` is empty where nothing is to be done."""

    check: str
    state: State
    says: str
    todo: str = ""


def good(check: str, says: str) -> Finding:
    """All is well."""
    return Finding(check, "good", printable(says, LONGEST))


def warning(check: str, says: str, todo: str) -> Finding:
    """It works, and may not go on so, or not for everybody."""
    return Finding(check, "warning", printable(says, LONGEST), printable(todo, LONGEST))


def fault(check: str, says: str, todo: str) -> Finding:
    """It doesn't work, or somebody can see or change what is not theirs."""
    return Finding(check, "fault", printable(says, LONGEST), printable(todo, LONGEST))


def as_text(findings: Iterable[Finding]) -> str:
    """All findings in words; what is to be done stands under its line."""
    lines = []
    several = tuple(findings)
    for one in several:
        lines.append(f"{_SIGNS[one.state]} {one.check}: {one.says}")
        if one.todo:
            lines.append(f"   → {one.todo}")
    count = {state: sum(one.state == state for one in several) for state in _SIGNS}
    lines.append(
        f"{count['good']} good, {number(count['warning'], 'warning')}, "
        f"{number(count['fault'], 'fault')}."
    )
    return "\n".join(lines) + "\n"


def as_json(findings: Iterable[Finding]) -> str:
    """All findings as a JSON list of objects with check, state, says and todo."""
    return msgspec.json.format(msgspec.json.encode(list(findings)), indent=1).decode() + "\n"


def exit_code(findings: Iterable[Finding]) -> int:
    """1 where there is a fault."""
    return int(any(one.state == "fault" for one in findings))


def number(count: int, noun: str) -> str:
    """``1 fault`` or ``3 faults``."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def some(names: Iterable[str]) -> str:
    """The first five names, and how many more there are."""
    several = list(names)
    more = len(several) - 5
    return ", ".join(several[:5]) + (f" and {more} more" if more > 0 else "")
