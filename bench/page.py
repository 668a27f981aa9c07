"""A step's page beside the same form in stock Voilà: how much comes, and how long until one types.

- first visit: a browser with an empty cache, a kernel in reserve where a server keeps one
- cold: the first visit after the server's start, the cache empty, no kernel in reserve
- warm: another visit with the same browser, a kernel in reserve where a server keeps one
- usable: a typed character stands in the first text area
- saved: from the last key until the page says that all is saved
"""

from __future__ import annotations

import contextlib
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser

from bench.link import Link, Speed
from bench.support import (
    BenchError,
    Figure,
    OurApp,
    Server,
    StockVoila,
    busy_seconds,
    chromium,
    keep_apart,
    kilobytes,
    say,
    table,
    wait_until_quiet,
    warn_of_load,
    workspace,
)
from bench.visit import PageFailedError, Sign, Tab, Weight, visitor
from pcn_course.course import Course, Step, load_course

SUMMARY = "a step's page beside stock Voilà: requests, bytes, seconds to type, seconds to save"

MOST_REQUESTS = 6
MOST_BYTES = 60_000
FASTER_COLD = 2.5
FASTER_WARM = 10.0
SLOW_WITHIN = 4.0

SLOW = Speed(kbits=400, round_trip=0.4)
FREE = Speed()
LONGEST = 100
"""Seconds after which a page counts as not working at all."""
WARM_WITHIN = 130.0
COLD_WITHIN = 90.0
"""Seconds after which no further round of these is begun, however busy the machine is."""
TEXT = " and so this was typed"

_OURS = Sign(
    saved='() => /^Saved/.test(document.querySelector(".pcn-status")?.textContent.trim() ?? "")',
    lags=True,
)
_PLAIN = Sign(
    saved='(area) => document.querySelector(".bench-status")?.textContent.trim()'
    " === `Saved, ${area.value.length} characters`"
)
_WITHOUT_GRADING = (
    "--VoilaExecutor.skip_cells_with_tag=grading",
    "--TagRemovePreprocessor.enabled=True",
    "--TagRemovePreprocessor.remove_cell_tags=grading",
)
_PREHEATED = ("--preheat_kernel=True", "--pool_size=1")


@dataclass
class Contestant:
    """One way to serve the form, and what was measured of it."""

    name: str
    make: Callable[[], Server]
    path: str
    sign: Sign
    get_ready: Callable[[Server, int], None] = lambda _server, _visits: None
    """Waits until the server has done all that it does ahead, after so many visits."""
    starts_cold: bool = True
    visits: int = 0

    weight: Weight = field(default_factory=Weight)
    on_the_wire: int = 0
    cold: list[float] = field(default_factory=list)
    warm: list[float] = field(default_factory=list)
    saved: list[float] = field(default_factory=list)
    slow: list[float] = field(default_factory=list)
    slow_by_browser: list[float] = field(default_factory=list)
    work_cold: list[float] = field(default_factory=list)
    """Processor time of the server and all its kernels until the page was usable."""
    work_warm: list[float] = field(default_factory=list)
    gave_up_after: float = 0
    """Seconds after which a visit over the slow line was given up."""


@dataclass(frozen=True)
class Stage:
    """What every measurement needs."""

    browser: Browser
    rounds: int
    patience: float


def run(rounds: int, patience: float) -> dict[str, Any]:
    """Measure, print, and return the figures.

    Raises:
        BenchError, PageFailedError: something did not work at all.
    """
    begun = time.monotonic()
    course = load_course()
    step = course.steps[0]
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, chromium() as browser:
        keep_apart(Path(folder))
        contestants = _contestants(course, step, Path(folder))
        stage = Stage(browser, rounds, patience)
        with contextlib.ExitStack() as running:
            servers = [running.enter_context(one.make()) for one in contestants]
            say(f"Step “{step.title}”, {len(step.prompts)} prompts")
            warn_of_load()
            say("First visits …")
            for one, server in zip(contestants, servers, strict=True):
                _weigh(stage, one, server)
            say(f"Visits over {SLOW} …")
            _slow(stage, contestants, servers)
            say("Warm visits …")
            _warm(stage, contestants, servers)
        say("Cold visits …")
        _cold(stage, contestants)
    _report(contestants, patience)
    say(f"\nMeasured in {time.monotonic() - begun:.0f} s.")
    return {one.name: _figures(one) for one in contestants}


def _contestants(course: Course, step: Step, folder: Path) -> list[Contestant]:
    """Ours first, then what it is compared with."""
    ours, stock = (workspace(folder / name, course) for name in ("ours", "stock"))
    plain = folder / "plain"
    plain.mkdir()
    _write_plain(step, plain / "form.ipynb")
    notebook = stock / step.path
    page = f"/voila/render/{step.path}"

    def reserve_ready(server: Server, visits: int) -> None:
        _until_in_reserve(server, step, visits)

    def idle(server: Server, _visits: int) -> None:
        # Voilà begins to fill its pool a second after a visit, and doesn't say when it is full.
        wait_until_quiet([server.pid], hold=1.6)

    return [
        Contestant(
            "this app", lambda: OurApp(ours, PCN_WARM_PAGES="1"), page, _OURS, reserve_ready
        ),
        Contestant(
            "stock Voilà",
            lambda: StockVoila(stock, *_WITHOUT_GRADING),
            page,
            _OURS,
        ),
        Contestant(
            "stock, warm kernels",
            lambda: StockVoila(notebook, *_WITHOUT_GRADING, *_PREHEATED),
            "/",
            _OURS,
            idle,
            starts_cold=False,
        ),
        Contestant(
            "stock, ipywidgets",
            lambda: StockVoila(plain),
            "/voila/render/form.ipynb",
            _PLAIN,
        ),
    ]


def _write_plain(step: Step, path: Path) -> None:
    """The notebook of the form with ipywidgets alone: one cell of ordinary code."""
    source = Path(__file__).with_name("ipywidgets_form.py").read_text(encoding="utf-8")
    source += f"\n\nshow_form({step.name!r}, Path('answers.json'))\n"
    title = f"# {step.title}\n\n{step.summary}\n\n{step.reading.text}"
    code: dict[str, Any] = {
        "cell_type": "code",
        "source": source,
        "outputs": [],
        "execution_count": None,
    }
    cells: list[dict[str, Any]] = [{"cell_type": "markdown", "source": title}, code]
    notebook = {
        "nbformat": 4,
        "nbformat_minor": 4,
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        "cells": [{**cell, "metadata": {}} for cell in cells],
    }
    path.write_text(json.dumps(notebook), encoding="utf-8")


def _until_in_reserve(server: Server, step: Step, visits: int) -> None:
    """Wait until our app has every page in reserve, and this step's once more after each visit."""
    if not isinstance(server, OurApp):
        raise TypeError(server)
    line = f"{step.path} is ready for its next visitor"
    end = time.monotonic() + 120
    while server.log.count(line) <= visits:
        if time.monotonic() > end:
            raise BenchError(f"our app has no warm page:\n{server.log}")
        time.sleep(0.1)
    wait_until_quiet([server.pid])


@contextlib.contextmanager
def _visitor(
    stage: Stage, one: Contestant, server: Server, port: int = 0
) -> Iterator[Callable[..., Tab]]:
    """Somebody with a browser of their own, its cache empty at first, who can open the form.

    ``port`` is that of a line to the server; without it they go there directly.
    """
    port = port or server.port
    cookies = server.cookies(port) if isinstance(server, OurApp) else []
    with visitor(stage.browser, cookies) as open_tab:

        def visit(in_browser: Speed = FREE) -> Tab:
            one.visits += 1
            return open_tab(f"http://127.0.0.1:{port}{one.path}", one.sign, in_browser)

        yield visit


def _must_be_ready(one: Contestant, tab: Tab) -> None:
    if not tab.is_ready(LONGEST):
        raise PageFailedError(f"{one.name}: no field appeared within {LONGEST} s; {tab.shown()}")


def _weigh(stage: Stage, one: Contestant, server: Server) -> None:
    """What a first visit asks for and brings. Nothing is typed."""
    one.get_ready(server, one.visits)
    with Link(server.port) as line, _visitor(stage, one, server, line.port) as visit:
        tab = visit()
        _must_be_ready(one, tab)
        tab.settle()
        one.weight = tab.weight
        one.on_the_wire = line.traffic.both


def _slow(stage: Stage, contestants: list[Contestant], servers: list[Server]) -> None:
    """First visits over a slow line: ours several times, the others once and all together.

    They have a line each, and that is what makes them wait, so they do not disturb each other.
    """
    ours, others = contestants[0], contestants[1:]
    for _ in range(stage.rounds - 1):
        ours.slow.append(_slow_visit(stage, ours, servers[0]))
    for _ in range(2):
        ours.slow_by_browser.append(_slow_visit(stage, ours, servers[0], by_browser=True))
    wait_until_quiet([server.pid for server in servers])
    with contextlib.ExitStack() as opened:
        tabs = []
        for one, server in zip(others, servers[1:], strict=True):
            line = opened.enter_context(Link(server.port, SLOW))
            visit = opened.enter_context(_visitor(stage, one, server, line.port))
            tabs.append(visit())
        end = time.monotonic() + stage.patience
        for one, tab in zip(others, tabs, strict=True):
            if tab.is_ready(max(0.1, end - time.monotonic())):
                one.slow.append(tab.type_first())
            else:
                one.gave_up_after = stage.patience


def _slow_visit(
    stage: Stage, one: Contestant, server: Server, *, by_browser: bool = False
) -> float:
    one.get_ready(server, one.visits)
    in_line, in_browser = (FREE, SLOW) if by_browser else (SLOW, FREE)
    with Link(server.port, in_line) as line, _visitor(stage, one, server, line.port) as visit:
        tab = visit(in_browser)
        _must_be_ready(one, tab)
        return tab.type_first()


def _warm(stage: Stage, contestants: list[Contestant], servers: list[Server]) -> None:
    """Visits again and again with the same browsers, one contestant after the other in turn."""
    everybody = list(zip(contestants, servers, strict=True))
    with contextlib.ExitStack() as opened:
        visits = [opened.enter_context(_visitor(stage, *each)) for each in everybody]
        for number in _rounds(stage.rounds + 1, WARM_WITHIN):
            for (one, server), visit in zip(everybody, visits, strict=True):
                one.get_ready(server, one.visits)
                wait_until_quiet([each.pid for each in servers])
                before = busy_seconds([server.pid])
                tab = visit()
                _must_be_ready(one, tab)
                usable, work = tab.type_first(), busy_seconds([server.pid]) - before
                saved = tab.type_more(TEXT)
                if number:  # the first one of all fills the cache
                    one.warm.append(usable)
                    one.work_warm.append(work)
                    one.saved.append(saved)


def _cold(stage: Stage, contestants: list[Contestant]) -> None:
    """First visits right after a start, one contestant after the other in turn."""
    for _ in _rounds(stage.rounds, COLD_WITHIN):
        for one in contestants:
            if not one.starts_cold:
                continue
            with one.make() as server, _visitor(stage, one, server) as visit:
                before = busy_seconds([server.pid])
                tab = visit()
                _must_be_ready(one, tab)
                one.cold.append(tab.type_first())
                one.work_cold.append(busy_seconds([server.pid]) - before)


def _rounds(number: int, within: float) -> Iterator[int]:
    """``range(number)``, cut short when the time is over; two rounds there are always."""
    end = time.monotonic() + within
    for one in range(number):
        if one >= 2 and time.monotonic() > end:
            return
        yield one


def _report(contestants: list[Contestant], patience: float) -> None:
    ours, stock = contestants[:2]

    def row(name: str, show: Callable[[Contestant], str]) -> list[str]:
        return [name, *map(show, contestants)]

    def slow(one: Contestant) -> str:
        if one.slow:
            return str(Figure(tuple(one.slow)))
        return f"> {one.gave_up_after:.0f} s, given up"

    rows = [
        row("first visit: requests", lambda one: str(one.weight.requests)),
        row("  of these to other hosts", lambda one: str(one.weight.foreign)),
        row("  HTTP, as it travels", lambda one: kilobytes(one.weight.http)),
        row("  HTTP, unpacked", lambda one: kilobytes(one.weight.http_unpacked)),
        row("  websocket, from the kernel", lambda one: kilobytes(one.weight.received)),
        row("  websocket, to the kernel", lambda one: kilobytes(one.weight.sent)),
        row("  HTTP and websocket", lambda one: kilobytes(one.weight.total)),
        row("  all on the wire", lambda one: kilobytes(one.on_the_wire)),
        row("usable, cold", lambda one: str(Figure(tuple(one.cold)))),
        row("usable, warm", lambda one: str(Figure(tuple(one.warm)))),
        row("  server's work, cold", lambda one: str(Figure(tuple(one.work_cold)))),
        row("  server's work, warm", lambda one: str(Figure(tuple(one.work_warm)))),
        row("usable, slow line", slow),
        row("  its bytes alone take", lambda one: f"{_least(one):.1f} s"),
        row("usable, slow by the browser", lambda one: str(Figure(tuple(one.slow_by_browser)))),
        row("last key to “Saved”", lambda one: str(Figure(tuple(one.saved)))),
    ]
    say()
    say(table(["median (smallest–largest)", *(one.name for one in contestants)], rows))
    say(
        f"""
HTTP as it travels: compressed, with headers. Websocket: payloads of all frames, before
compression. All on the wire: every byte in both directions that went through the line.
Cold: the first visit right after a start, cache empty, while the server makes its other pages
ready if it does so. Warm: again in the same browser. Work: processor time of server and kernels.
Slow line: {SLOW}, a first visit with an empty cache, all traffic through one
proxy, websocket and the opening of connections included; given up after {patience:g} s.
Slow by the browser: the same speed set in Chromium, which spares part of that.
Other hosts cannot be reached here, which spares stock Voilà the wait for them.
The ipywidgets form saves at each key, and has no way to notice that a message was lost."""
    )
    say("\nWhat weighs most in a first visit of this app")
    for name, size in ours.weight.items.most_common(9):
        say(f"  {kilobytes(size):>8}  {name}")
    say("\nTimes faster than")
    for one in contestants[1:]:
        say(f"  {one.name}: {_ratio(one.cold, ours.cold)} cold, {_ratio(one.warm, ours.warm)} warm")
    say("\nGoals")
    for words, met in _goals(ours, stock):
        say(f"  {'met' if met else 'not met':8} {words}")


def _goals(ours: Contestant, stock: Contestant) -> Iterator[tuple[str, bool]]:
    weight = ours.weight
    yield (
        f"at most {MOST_REQUESTS} requests on a first visit: {weight.requests}",
        weight.requests <= MOST_REQUESTS,
    )
    yield (
        f"at most {kilobytes(MOST_BYTES)}, websocket included: {kilobytes(weight.total)}",
        weight.total <= MOST_BYTES,
    )
    for name, goal, theirs, mine in (
        ("cold", FASTER_COLD, stock.cold, ours.cold),
        ("warm", FASTER_WARM, stock.warm, ours.warm),
    ):
        ratio = Figure(tuple(theirs)).median / Figure(tuple(mine)).median
        yield f"at least {goal:g} times faster than stock Voilà, {name}: {ratio:.1f}", ratio >= goal
    slow = Figure(tuple(ours.slow)).median
    yield f"usable within {SLOW_WITHIN:g} s at {SLOW}: {slow:.2f} s", slow <= SLOW_WITHIN


def _ratio(theirs: list[float], mine: list[float]) -> str:
    if not theirs or not mine:
        return "–"
    return f"{Figure(tuple(theirs)).median / Figure(tuple(mine)).median:.1f}"


def _least(one: Contestant) -> float:
    """Seconds that the slow line needs for a first visit's bytes, waiting for nothing else."""
    return one.on_the_wire * 8 / (1000 * SLOW.kbits)


def _figures(one: Contestant) -> dict[str, Any]:
    """All that was measured, for a file."""
    weight = {**vars(one.weight), "total": one.weight.total, "items": dict(one.weight.items)}
    seconds = ("cold", "warm", "work_cold", "work_warm", "slow", "slow_by_browser", "saved")
    measured = {name: getattr(one, name) for name in (*seconds, "on_the_wire", "gave_up_after")}
    return {"weight": weight, **measured}
