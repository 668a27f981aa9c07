"""Members and ties for other programs: CSV for a spreadsheet, GraphML for network analysis."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from typing import Any

from pcn_course.answers.values import Values, answers_in, numbered_rows
from pcn_course.characters import clean, no_answer
from pcn_course.course import Course, Prompt
from pcn_course.documents.plan import named
from pcn_course.network import numbered_members, read_network
from pcn_course.spreadsheets import csv_bytes

ME = "me"
_KEPT = (
    *("role", "sector", "expertise", "group", "place", "closeness"),
    *("give", "get", "status", "consent"),
)


def members_csv(course: Course, values: Values) -> bytes:
    """All members with their ids and all public columns, in words (UTF-8 with a mark, for Excel).

    Ids are those of `ties_csv` and `graphml`: two members may have the same initials.
    """
    step = next((step for step in course.steps if step.prompt("people")), None)
    table = step.prompt("people") if step else None
    if step is None or table is None:
        return _csv(["id", "person"], [])
    columns = [column for column in table.columns if not column.private]
    ids = {number: _node(member.id) for number, member in numbered_members(values).items()}
    lines = [
        [
            ids.get(number, ""),
            *(named(course, step, column, row, values) for column in columns),
        ]
        for number, row in numbered_rows(answers_in(values, step.name).get("people"))
    ]
    # In capitals, at the beginning of a file, this heading means another format to Excel.
    return _csv(["id", *(column.label for column in columns)], lines)


def ties_csv(course: Course, values: Values) -> bytes:
    """The ties among members: two names, in what way, and the ids of the two."""
    labels = _kinds(course)
    network = read_network(values)
    names = {member.id: member.name for member in network.members}
    lines = [
        [
            *(names.get(tie.one, tie.one), names.get(tie.other, tie.other)),
            "; ".join(labels.get(kind, kind) for kind in tie.kinds),
            *(_node(tie.one), _node(tie.other)),
        ]
        for tie in network.all_ties
    ]
    return _csv(["One", "Other", "In what way", "One id", "Other id"], lines)


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
            if not no_answer(value := getattr(member, key, None))
        }
        # Not known is not zero: such an edge has no closeness.
        link: dict[str, Any] = {} if member.closeness is None else {"closeness": member.closeness}
        if member.kinds:
            link["kind"] = clean("; ".join(member.kinds))
        graph.add_node(_node(member.id), label=clean(member.name), **known)
        graph.add_edge(ME, _node(member.id), **link)
    for tie in network.all_ties:
        graph.add_edge(_node(tie.one), _node(tie.other), kind=clean("; ".join(tie.kinds)))
    file = io.BytesIO()
    nx.write_graphml(graph, file)
    return file.getvalue()


def _node(key: str) -> str:
    """A member's id in the graph, where "me" is taken."""
    key = clean(key)
    return f"{key}#" if key == ME else key


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
    return csv_bytes(list(map(clean, head)), [list(map(clean, line)) for line in lines])
