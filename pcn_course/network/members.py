"""A network as it was written down: its members, the ties among them, and how they are read."""

from __future__ import annotations

from typing import Any

import msgspec

from pcn_course.answers.values import Row, Values, answers_in, line, numbered_rows, ticked

ASKED = 15
"""Ties are asked among this many first rows: pairs grow as n(n-1)/2."""


class Member(msgspec.Struct, frozen=True):
    """One person as listed. Empty text or tuple: not said. ``closeness`` from 1, or ``None``.

    ``sector``, ``group`` and the like are values of options, ``goal`` and ``meets`` ids of rows in
    step 1. ``name`` is initials or a role, or "Person 3" by the place in the list.
    """

    id: str
    name: str
    role: str = ""
    sector: str = ""
    expertise: str = ""
    group: str = ""
    lived_experience: str = ""
    place: str = ""
    channels: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    give: str = ""
    get: str = ""
    closeness: int | None = None
    how_met: str = ""
    goal: str = ""
    meets: tuple[str, ...] = ()
    status: str = ""
    consent: str = ""

    @property
    def said_no(self) -> bool:
        """Whether they declined or withdrew."""
        return self.status in ("declined", "withdrawn")


class Tie(msgspec.Struct, frozen=True):
    """A pair of members (ids, in the order of the list) and all kinds of tie noted for it."""

    one: str
    other: str
    kinds: tuple[str, ...] = ()


class Network(msgspec.Struct, frozen=True):
    """Members in the order of the list, and the ties among those who were ``asked`` about.

    ``asked`` are the ids of members in the first fifteen rows. ``left_out`` are ties that reach
    beyond them, which no measure counts. ``sector`` is the student's own.
    """

    members: tuple[Member, ...] = ()
    ties: tuple[Tie, ...] = ()
    asked: tuple[str, ...] = ()
    left_out: tuple[Tie, ...] = ()
    sector: str = ""

    @property
    def all_ties(self) -> tuple[Tie, ...]:
        """All ties, those beyond the first fifteen rows as well: moving a row ends no tie."""
        return (*self.ties, *self.left_out)


_LINES = (
    *("role", "sector", "expertise", "group", "lived-experience", "place", "give", "get"),
    *("how-met", "goal", "status", "consent"),
)


def read_network(values: Values) -> Network:
    """The network in the answers of step 2; an empty one if there is none."""
    connections = answers_in(values, "connections")
    numbered = numbered_members(values)
    members = {member.id: member for member in numbered.values()}
    asked = [member.id for number, member in numbered.items() if number <= ASKED]
    order = {name: place for place, name in enumerate(members)}
    kinds: dict[tuple[str, str], list[str]] = {}
    for _, row in numbered_rows(connections.get("ties")):
        ends = {line(row, "one"), line(row, "other")}
        if len(ends) == 2 and ends <= order.keys():
            one, other = sorted(ends, key=order.__getitem__)
            kinds.setdefault((one, other), []).append(line(row, "kind"))
    ties = [Tie(*pair, tuple(dict.fromkeys(filter(None, said)))) for pair, said in kinds.items()]
    within = set(asked)
    return Network(
        members=tuple(members.values()),
        ties=tuple(tie for tie in ties if {tie.one, tie.other} <= within),
        asked=tuple(asked),
        left_out=tuple(tie for tie in ties if not {tie.one, tie.other} <= within),
        sector=line(connections, "your-sector"),
    )


def numbered_members(values: Values) -> dict[int, Member]:
    """Return the members by the number of their row, from 1; empty rows have none."""
    members: dict[int, Member] = {}
    ids: set[str] = set()
    for number, row in numbered_rows(answers_in(values, "connections").get("people")):
        member = _member(number, row)
        if member is None:
            continue
        # A second row with an id is a person as well; ties lead to the first one.
        while member.id in ids:
            member = msgspec.structs.replace(member, id=f"{member.id}#{number}")
        ids.add(member.id)
        members[number] = member
    return members


def _member(number: int, row: Row) -> Member | None:
    """The member in the row with that number, from 1; ``None`` if nothing is filled in."""
    closeness = row.get("closeness")
    whole = isinstance(closeness, int) and not isinstance(closeness, bool) and closeness > 0
    said: dict[str, Any] = {key.replace("-", "_"): line(row, key) for key in _LINES}
    said |= {key: ticked(row, key) for key in ("channels", "kinds", "meets")}
    said["closeness"] = closeness if whole else None
    name = line(row, "person")
    if not name and not any(said.values()):
        return None
    return Member(id=line(row, "id") or f"#{number}", name=name or f"Person {number}", **said)


def value_of(member: Member, key: str) -> str:
    """What a member says under a key that is text."""
    text: str = getattr(member, key)
    return text
