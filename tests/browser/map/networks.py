"""Made-up networks as a form's rows: nobody in them exists."""

from __future__ import annotations

import random
from typing import Any

Row = dict[str, Any]
Rows = list[Row]

SECTORS = (
    *("health", "schools", "public-agency", "nonprofit", "community"),
    *("university", "justice", "policy", "business", "other"),
)
STATUSES = ("planned", "sent", "accepted", "declined", "withdrawn")
ROLES = ("stakeholder", "implementation-team", "advisor-or-expert", "peer", "mentor")
PLACES = ("local", "state", "national", "international")
NAMES = (
    *("County navigator", "KR", "Policy fellow", "Peer J", "Researcher D"),
    *("KG, carers' group leader", "School counsellor", "Respite coordinator", "Clinic nurse"),
    *("Court liaison", "Grant officer", "Elder", "Librarian", "Kinship carer", "Data analyst"),
)


def star() -> tuple[Rows, Rows]:
    """Six members, none tied to another."""
    rows = [
        {
            "id": f"s{n}",
            "person": NAMES[n],
            "role": ROLES[n % 5],
            "sector": SECTORS[n % 4],
            "closeness": 1 + n % 5,
            "place": PLACES[n % 4],
            "status": STATUSES[n % 5],
            "give": "A view from practice",
            "get": "What was tried elsewhere",
        }
        for n in range(6)
    ]
    return rows, []


def twelve() -> tuple[Rows, Rows]:
    """Twelve members and eight ties, with gaps as people leave them."""
    rows, _ = network(12, seed=4)
    pairs = [(0, 1), (1, 2), (2, 3), (0, 4), (5, 6), (7, 8), (3, 9), (0, 1)]
    kinds = ["work", "know", "refer", "work", "know", "", "work", "refer"]
    ties = [
        {"id": f"t{n}", "one": rows[a]["id"], "other": rows[b]["id"], "kind": kind}
        for n, ((a, b), kind) in enumerate(zip(pairs, kinds, strict=True))
    ]
    return rows, ties


def network(size: int, seed: int, *, sectors: int = 10, rings: int = 6) -> tuple[Rows, Rows]:
    """``size`` random members, in so many sectors and rings at most, and ties among fifteen."""
    chance = random.Random(seed)
    rows: Rows = []
    for n in range(size):
        row: Row = {
            "id": f"r{n}",
            "person": f"{NAMES[n % len(NAMES)]}{'' if n < len(NAMES) else f' {n}'}",
            "role": chance.choice(ROLES),
            "sector": chance.choice((*SECTORS[:sectors], "")),
            "closeness": chance.choice((1, 2, 3, 4, 5, None)[:rings]),
            "place": chance.choice((*PLACES, "")),
            "status": chance.choice((*STATUSES, "")),
            "give": chance.choice(("", "Time")),
            "get": chance.choice(("", "The payment rules")),
        }
        rows.append(row)
    kinds = ("work", "know", "refer", "")
    ties = [
        {"id": f"t{n}", "one": a["id"], "other": b["id"], "kind": chance.choice(kinds)}
        for n in range(min(size, 15))
        for a, b in [(chance.choice(rows[:15]), chance.choice(rows[:15]))]
    ]
    return rows, ties


def hostile() -> tuple[Rows, Rows]:
    """Rows as a broken or mean file may hold them."""
    names = (
        *(
            "<img src=x onerror=alert(1)>",
            "]]><script>boom()</script>",
            "&amp; \"'`",
            "var(--teal)",
        ),
        *("\x00\x01\x1b\ufffe", "\ud800 alone", "נועה, מדריכה", "a\u0301" * 300, "W" * 4000),
        *("看护者小组的负责人和志愿者协调员", "   ", "🧑‍🦽🧑‍🦽🧑‍🦽"),
    )
    rows: list[Any] = [
        {"id": f"h{n}", "person": name, "sector": name, "closeness": n % 6, "give": name}
        for n, name in enumerate(names)
    ]
    rows += [
        {"id": "h0", "person": "A second with the id of the first"},
        {"person": "No id"},
        {"id": 7, "person": 12, "sector": ["x"], "closeness": "5", "status": {"a": 1}, "role": 3},
        {"id": "__proto__", "person": "constructor", "sector": "__proto__", "status": "toString"},
        {"id": "blank"},
        *(None, "no row", 3),
    ]
    ties: list[Any] = [
        {"one": "h0", "other": "h1", "kind": "<b>mine</b>"},
        {"one": "h0", "other": "h0", "kind": "work"},
        {"one": "h0", "other": "gone"},
        {"one": ["h1"], "other": {}, "kind": 4},
        {"one": "__proto__", "other": "h2", "kind": "__proto__"},
        *(None, "no row"),
    ]
    return rows, ties
