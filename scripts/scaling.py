"""How much of everything a course needs, from 30 to 30,000 students: docs/scaling.md's tables.

    python scripts/scaling.py

What was measured and what is assumed stands at the top, each with where it comes from; change it
there, and put what this prints into docs/scaling.md. A test holds the two together.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass

SIZES = (30, 100, 300, 1_000, 3_000, 10_000, 30_000)
GIB = 1024


@dataclass(frozen=True)
class Measured:
    """On 2 cores, Linux, Python 3.11, while other work ran; docs/scaling.md says how."""

    server_mib: float = 85
    """A student's server with one page open, on one server: what is not shared with others."""
    pod_mib: float = 238
    """The same in a pod of its own, with home and a page open: nothing is shared with others."""
    server_start: float = 0.7
    """Seconds of one core, from the login until a form can be used, on one server."""
    pod_start: float = 2.0
    """The same in a pod."""
    hub_login: float = 0.25
    """Seconds of the hub's one core for each login and start."""
    proxy_login: float = 0.07
    server_typing: float = 0.003
    """Seconds of one core each second that a student types, in the server."""
    proxy_typing: float = 0.001
    """The same in the proxy, which has one core as the hub has."""
    hub_post: float = 0.02
    """Seconds of the hub's one core each time that a server tells of use."""
    hub_mib: float = 113
    proxy_mib: float = 58
    nursery_mib: float = 116
    """What the servers on one server come from, and share."""
    workspace_mb: float = 0.78
    """All five steps of the example, typed so that every 7 characters were saved."""
    room_mb: float = 0.27
    """What is handed in, graded and given back of one student."""
    backup_mb: float = 0.085
    """Both in a backup, compressed."""
    rows: float = 12
    """Rows of the gradebook that autograding one submission writes."""
    autograde: float = 0.15
    """Seconds of one core for collecting, autograding and feedback of one submission."""
    visit_kb: float = 53
    """A step's first visit in a browser."""
    typing_kb: float = 0.4
    """What goes to and fro each second while somebody types."""


@dataclass(frozen=True)
class Assumed:
    """What depends on the course; change it to yours."""

    together: int = 60
    """Up to so many are all there at once: a class in its hour."""
    together_minutes: float = 2
    """Within these they all open their first page."""
    share: float = 0.2
    """Of more, so many in the busiest hour: the evening before a step is due."""
    rush_minutes: float = 10
    """Within these half of them arrive."""
    typing: float = 0.5
    """Of those who are there, so many type at the same moment."""
    hours: float = 24
    """For how long each student's server runs in a term: five steps, and the minutes after each."""
    weeks: float = 15
    steps: int = 5
    marks: int = 4
    """Marks that a person gives for each submission; each is two rows with its event."""
    backups: int = 30
    spare: float = 0.75
    """How much of anything is meant to be used at the busiest time."""
    system_mib: float = 1_536
    """What a machine and its other services need beside, on one server."""
    node_gib: float = 14.0
    """What Kubernetes leaves for pods of a machine with 4 cores and 16 GiB."""
    node_pods: int = 100
    """How many pods one machine takes, of the usual 110."""
    request_mib: float = 256
    """What is kept free for each pod: 256M in pods.py."""
    core_gib: float = 6.0
    """Hub, proxy, scheduler, PostgreSQL and placeholders' share, always on; once for each hub."""
    tell_seconds: float = 300
    """How often a server in a pod tells of use: PCN_TELL_EVERY in pods.py."""


@dataclass(frozen=True)
class Size:
    """What a course of some size needs."""

    students: int
    active: int
    starts: float
    one_gib: float
    one_cores: float
    pods_gib: float
    nodes: int
    hubs: int
    volume_gb: float
    backups_gb: float
    rows: int
    grading_minutes: float
    megabits: float
    gib_hours: float
    one_gib_hours: float


def size(students: int, measured: Measured, assumed: Assumed) -> Size:
    """The arithmetic."""
    m, a = measured, assumed
    active = students if students <= a.together else max(a.together, round(students * a.share))
    starts = max(  # each second
        min(active, a.together) / (60 * a.together_minutes),
        active / 2 / (60 * a.rush_minutes),
    )
    shared = m.hub_mib + m.proxy_mib + m.nursery_mib + a.system_mib
    hub = starts * m.hub_login + active / a.tell_seconds * m.hub_post
    proxy = starts * m.proxy_login + active * a.typing * m.proxy_typing
    hubs = max(1, math.ceil(max(hub, proxy) / a.spare))  # each has one of both
    busy = starts * (m.server_start + m.hub_login + m.proxy_login) + active * a.typing * (
        m.server_typing + m.proxy_typing
    )
    per_node = min(a.node_pods, math.floor(a.node_gib * GIB / a.request_mib))
    hours = a.weeks * 7 * 24
    one_gib = (shared + active * m.server_mib / a.spare) / GIB
    rows = students * a.steps * (m.rows + 2 * a.marks)
    return Size(
        students=students,
        active=active,
        starts=60 * starts,
        one_gib=one_gib,
        one_cores=busy / a.spare,
        pods_gib=active * a.request_mib / GIB,
        nodes=math.ceil(active / per_node),
        hubs=hubs,
        volume_gb=students * (m.workspace_mb + m.room_mb) / 1000 / a.spare,
        backups_gb=a.backups * students * m.backup_mb / 1000,
        rows=round(rows),
        grading_minutes=students * m.autograde / 60,
        megabits=8 * (starts * m.visit_kb + active * a.typing * m.typing_kb) / 1000,
        gib_hours=hubs * a.core_gib * hours + students * a.hours * a.request_mib / GIB / a.spare,
        one_gib_hours=one_gib * hours,
    )


def _gb(amount: float) -> str:
    return f"{amount:,.0f}" if amount >= 10 else f"{amount:.1f}" if amount >= 1 else f"{amount:.2f}"


COLUMNS: tuple[tuple[str, Callable[[Size], str]], ...] = (
    ("students", lambda one: f"{one.students:,}"),
    ("there at once", lambda one: f"{one.active:,}"),
    (
        "starts a minute",
        lambda one: f"{one.starts:.0f}" if one.starts >= 10 else f"{one.starts:.1f}",
    ),
    ("one server: GiB", lambda one: f"{math.ceil(one.one_gib)}"),
    ("one server: cores", lambda one: f"{one.one_cores:.1f}"),
    ("pods: GiB", lambda one: f"{one.pods_gib:,.0f}"),
    ("machines for pods", lambda one: f"{one.nodes:,}"),
    ("hubs, each with a proxy", lambda one: f"{one.hubs}"),
    ("volume: GB", lambda one: _gb(one.volume_gb)),
    ("30 backups: GB", lambda one: _gb(one.backups_gb)),
    ("gradebook: rows a term", lambda one: f"{one.rows:,}"),
    ("grading a step: minutes", lambda one: f"{one.grading_minutes:.1f}"),
    ("network: Mbit/s", lambda one: f"{one.megabits:.1f}"),
    ("one server: GiB-hours a term", lambda one: f"{one.one_gib_hours:,.0f}"),
    ("pods: GiB-hours a term", lambda one: f"{one.gib_hours:,.0f}"),
)


def table() -> str:
    """The table, turned so that it fits a page: one column for each size."""
    measured, assumed = Measured(), Assumed()
    sizes = [size(one, measured, assumed) for one in SIZES]
    lines = []
    for at, (title, shown) in enumerate(COLUMNS):
        lines.append(f"| {title} | " + " | ".join(shown(one) for one in sizes) + " |")
        if at == 0:
            lines.append("|---" * (len(sizes) + 1) + "|")
    return "\n".join(lines) + "\n"


def most_on_one_server(gib: float) -> int:
    """Up to how many students one server of that memory does."""
    measured, assumed = Measured(), Assumed()
    fits = [one for one in range(10, 40_000, 10) if size(one, measured, assumed).one_gib <= gib]
    return max(fits, default=0)


def machines() -> str:
    """Up to how many students one server of each size does, by its memory."""
    lines = ["| one server with | students |", "|---|---|"]
    lines += [f"| {gib} GiB | {most_on_one_server(gib):,} |" for gib in (8, 16, 32, 64, 128)]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(f"{table()}\n{machines()}")
