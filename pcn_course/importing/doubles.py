"""Who stands in a list twice, or in the list and in the course."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from pcn_course.answers.values import line
from pcn_course.importing.names import BETWEEN, are_initials, short_name


def find_doubles(
    rows: Sequence[Mapping[str, str]], existing: Sequence[Mapping[str, Any]]
) -> dict[int, str]:
    """For rows that look like an existing one: its id, by their index."""
    there: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for row in existing:
        if isinstance(row.get("id"), str) and row["id"]:
            for sign in _signs(row):
                there.setdefault(sign, []).append(row)
    found: dict[int, str] = {}
    for at, new in enumerate(rows):
        alike = [row for sign in _signs(new) for row in there.get(sign, ())]
        best = max(alike, key=lambda row: _agreement(row, new), default=None)
        if best and _agreement(best, new):
            found[at] = best["id"]
    return found


def _agreement(one: Mapping[str, Any], other: Mapping[str, Any]) -> int:
    """2 if expertise or role is the same in both, 1 if nothing is known of it, 0 if both differ.

    Many people share initials: filling one's gaps from another one would mix two people up.
    """
    pairs = [(line(one, key), line(other, key)) for key in ("expertise", "role")]
    known = [_folded(mine) == _folded(theirs) for mine, theirs in pairs if mine and theirs]
    return 1 if not known else 2 * any(known)


def _signs(row: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """By what a person is known again: initials together with expertise, before the name."""
    person = line(row, "person")
    if not (name := _folded(person)):
        return []
    signs: list[tuple[str, ...]] = []
    if knows := _folded(line(row, "expertise")):
        short = BETWEEN.split(short_name([person], "person"))[0]
        if are_initials(short):
            signs.append((_folded(short), knows))
    return [*signs, (name,)]


def _folded(text: str) -> str:
    """Text without case, punctuation and spacing."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return "".join(sign for sign in plain if sign.isalnum())
