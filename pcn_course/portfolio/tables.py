"""Members and ties for other programs: CSV for a spreadsheet, GraphML for network analysis."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from pcn_course.course import Course, Prompt
from pcn_course.network import read_network
from pcn_course.portfolio.content import Values, clean, named, rows, tied

ME = "me"
_KEPT = ("role", "sector", "expertise", "group", "place", "closeness", "give", "get", "status")


def members_csv(course: Course, values: Values) -> bytes:
    """All members with all columns of the course, in words (UTF-8 with a mark, for Excel)."""
    step = next((step for step in course.steps if step.prompt("people")), None)
    table = step.prompt("people") if step else None
    if step is None or table is None:
        return _csv(["person"], [])
    found = rows(values.get(step.name, {}).get("people"))
    lines = [
        [named(course, step, column, row, values) for column in table.columns] for row in found
    ]
    return _csv([column.label for column in table.columns], lines)


def ties_csv(course: Course, values: Values) -> bytes:
    """The ties among members: two names, and in what way."""
    labels = _kinds(course)
    lines = [
        [one, other, "; ".join(labels.get(kind, kind) for kind in kinds)]
        for one, other, kinds in tied(values)
    ]
    return _csv(["One", "Other", "In what way"], lines)


def graphml(course: Course, values: Values) -> bytes:
    """The network as GraphML: me, the members, my ties to them and theirs to each other."""
    import networkx as nx

    graph: Any = nx.Graph(name=clean(course.title))
    graph.add_node(ME, label="Me")
    network = read_network(values)
    for member in network.members:
        known = {
            key: value if isinstance(value, int) else clean(value)
            for key in _KEPT
            if (value := getattr(member, key, None)) not in (None, "")
        }
        graph.add_node(clean(member.id), label=clean(member.name), **known)
        graph.add_edge(ME, clean(member.id), closeness=member.closeness or 0)
    for tie in network.ties:
        graph.add_edge(clean(tie.one), clean(tie.other), kind=clean("; ".join(tie.kinds)))
    file = io.BytesIO()
    nx.write_graphml(graph, file)
    return file.getvalue()


def _kinds(course: Course) -> dict[str, str]:
    found: list[Prompt] = [
        column
        for step in course.steps
        if (ties := step.prompt("ties"))
        for column in ties.columns
        if column.key == "kind"
    ]
    return {option.value: option.label for column in found for option in column.options}


def _csv(head: Sequence[str], lines: Iterable[Sequence[str]]) -> bytes:
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow([_cell(cell) for cell in head])
    writer.writerows([_cell(cell) for cell in line] for line in lines)
    return file.getvalue().encode("utf-8-sig")


def _cell(words: str) -> str:
    """``words`` as text: a spreadsheet would run what begins like a formula."""
    words = clean(words)
    return f"'{words}" if words[:1] in ("=", "+", "-", "@", "\t", "\r") else words
