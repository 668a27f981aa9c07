"""Faults in what people wrote by hand: each names the file, the place and the remedy."""

from __future__ import annotations

import difflib
import functools
import inspect
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin

import msgspec
import msgspec.structs

T = TypeVar("T", bound=msgspec.Struct)


class Fault(msgspec.Struct, frozen=True):
    """One fault: the file, the place inside it, and what is wrong and what to do."""

    file: str
    place: str
    message: str

    def __str__(self) -> str:
        """The fault on one line, the way compilers write theirs."""
        return (
            f"{self.file}: {self.place}: {self.message}"
            if self.place
            else (f"{self.file}: {self.message}")
        )


class CourseError(Exception):
    """The course's files hold faults; all of them are in ``faults``."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        """Keep all faults, so that they can be mended in one go."""
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class Source:
    """One TOML file while it is read: collects its faults, and finds lines for places.

    TOML readers don't keep line numbers, so tables are found again by their headers: the third
    ``[[prompts]]`` in the data is the third ``[[prompts]]`` in the text.
    """

    def __init__(self, path: Path, root: Path, faults: list[Fault]) -> None:
        """Take ``path`` as seen from ``root``; faults are added to ``faults``."""
        self.path = path
        self.name = path.relative_to(root).as_posix()
        self.text = ""
        self._faults = faults

    def fault(self, place: str, message: str) -> None:
        """Append a fault with its file, place and remedy."""
        self._faults.append(Fault(self.name, self._with_line(place), message))

    def _with_line(self, place: str) -> str:
        line = self._line(place)
        return f"line {line}, {place}" if line else place

    def _line(self, place: str) -> int | None:
        """The line of a place such as ``prompts 3 “why”: kind``; ``None`` when it isn't found."""
        tables = [(m[1], int(m[2])) for m in re.finditer(r"([a-z_]+) (\d+)", place)]
        field = m[1] if (m := re.search(r"([a-z0-9_-]+)$", place)) else None
        lines = self.text.splitlines()
        at, end = 0, len(lines)
        header = ""
        for name, number in tables:
            header = f"{header}.{name}" if header else name
            pattern = re.compile(rf"^\s*\[\[\s*{re.escape(header)}\s*\]\]")
            heads = [i for i in range(at, end) if pattern.match(lines[i])]
            if number > len(heads):
                break
            at = heads[number - 1]
            end = heads[number] if number < len(heads) else end
        if field:
            for i in range(at, end):
                if re.match(rf"^\s*(\[+\s*)?[\"']?{re.escape(field)}[\"']?\s*(=|\])", lines[i]):
                    return i + 1
        return at + 1 if tables else None

    def build(self, kind: type[T], raw: Any, place: str = "") -> T | None:
        """Turn ``raw`` (a TOML table) into ``kind``; note all faults; ``None`` if there is one."""
        if not isinstance(raw, dict):
            self.fault(place, "must be a table of settings")
            return None
        before = len(self._faults)
        fields = _fields_of(kind)
        for key in raw.keys() - fields.keys():
            near = difflib.get_close_matches(key, fields, n=1)
            hint = f"did you mean “{near[0]}”?" if near else f"known are {', '.join(fields)}"
            self.fault(_at(place, key), f"unknown setting “{key}”; {hint}")
        values = {}
        for name, field in fields.items():
            if name in raw:
                values[name] = self._value(field.type, raw[name], _at(place, name))
            elif field.required:
                self.fault(place, f"the setting “{name}” is missing")
        return kind(**values) if len(self._faults) == before else None

    def _value(self, wanted: Any, raw: Any, place: str) -> Any:
        part = _struct_of(wanted)
        if part and get_origin(wanted) is tuple:
            if not isinstance(raw, list):
                self.fault(place, "must be a list of tables, each under [[…]]")
                return ()
            # A list's place is its name, so that an item reads “prompts 3”.
            return tuple(
                self.build(part, item, _named(f"{place} {number}".replace(": ", " › "), item))
                for number, item in enumerate(raw, start=1)
            )
        if part:
            return self.build(part, raw, place)
        try:
            return convert(raw, wanted)
        except ValueError as error:
            self.fault(place, str(error))
            return None


@functools.cache
def _fields_of(kind: type[msgspec.Struct]) -> dict[str, msgspec.structs.FieldInfo]:
    """Return a struct's fields by name; resolving its annotations is most of a load."""
    return {field.name: field for field in msgspec.structs.fields(kind)}


def convert(raw: Any, wanted: Any) -> Any:
    """``raw`` as the type ``wanted``.

    Raises:
        ValueError: it isn't one; the message is in the words of someone who edits such files.
    """
    if get_origin(wanted) is Literal and raw not in get_args(wanted):
        known = ", ".join(str(one) for one in get_args(wanted) if one)
        raise ValueError(f"“{raw}” is not known; choose one of {known}")
    try:
        return msgspec.convert(raw, wanted)
    except msgspec.ValidationError as error:
        raise ValueError(_plain(str(error))) from error


def _at(place: str, field: str) -> str:
    return f"{place}: {field}" if place else field


def _named(place: str, item: Any) -> str:
    label = (
        next((item[k] for k in ("key", "value", "id", "name") if k in item), None)
        if (isinstance(item, dict))
        else None
    )
    return f"{place} “{label}”" if isinstance(label, str) else place


def _struct_of(wanted: Any) -> type[msgspec.Struct] | None:
    """The struct that ``wanted`` is, or is a tuple of."""
    inner = get_args(wanted)[0] if get_origin(wanted) is tuple else wanted
    return inner if inspect.isclass(inner) and issubclass(inner, msgspec.Struct) else None


_WORDS = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "a table",
    "datetime": "a date with a time",
    "date": "a date like 2026-11-22",
    "null": "empty",
}


def _plain(message: str) -> str:
    """msgspec's message in the words of someone who edits a TOML file."""
    if match := re.match(r"Expected `(.+?)`, got `(.+?)`(?: - at `\$(.*)`)?", message):
        wanted = " or ".join(_WORDS.get(one, one) for one in match[1].split(" | "))
        got = _WORDS.get(match[2], match[2])
        where = f" (at {match[3]})" if match[3] else ""
        return f"must be {wanted}, but is {got}{where}"
    return message
