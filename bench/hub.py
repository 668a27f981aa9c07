"""A whole class on the real hub and its proxy, each student a system user, and what breaks there.

In one run: a few log in one at a time, then the class opens its first page within two minutes and
types for ten, while the hub and the proxy are restarted, servers and kernels are killed, and the
students' disk is full for half a minute. Most of the class are robots (tests/support/robot.py);
three sit before a real browser, and what their pages said is printed.

Everything that was acknowledged is compared with what is on disk in the end, and so is everything
that was typed. Hub, proxy, students and browsers share this machine, so seconds are too long here.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import math
import os
import random
import re
import shutil
import signal
import statistics
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import psutil
from playwright.async_api import Browser, Page, async_playwright
from playwright.async_api import Error as PlaywrightError

from bench.support import BenchError, say, table, warn_of_load
from tests.hub.class_server import PROXY, ClassServer
from tests.soak.disk import fill
from tests.support.chromium import QUIET
from tests.support.robot import Robot, RobotError

SUMMARY = "a class on the real hub, with chaos: seconds, memory, lost characters (root; 15 minutes)"

STUDENTS, MINUTES, ARRIVING, BROWSERS, ALONE = 60, 10.0, 120.0, 3, 5
GOALS = {"idle": 5.0, "rush": 15.0, "memory": 130.0}
"""Seconds from login to form, median and 95 %; MiB for each student."""
STEP = "step-1-goals"
FIELD = "who-to-connect-with-and-why"
_BOX = f'[data-key="{FIELD}"] textarea'
_SAID = """() => [...document.querySelectorAll(
  "main > .pcn-note[role=alert], .pcn-alert:not([hidden]), .pcn-status"
)].map((one) => one.innerText.trim()).filter((one) => one).join(" | ")"""
DISK_FULL = 30.0
GIVEN_UP = 180.0
HOMES_END = 45.0
"""Seconds after which the kernels of home pages that were left have ended: then memory is read."""
ALL_SHARED = "together, with all that is shared (PSS), the hub's fork server too"
VICTIMS = 10
_MIB = 2**20
_WORDS = ("referral", "kinship", "carers", "respite", "county", "evidence", "partners", "policy")
_chance = random.Random()  # noqa: S311 (it chooses words and pauses)


class Size(NamedTuple):
    """How many students there are, and for how many minutes they type."""

    students: int
    minutes: float


size = Size(STUDENTS, MINUTES)


def run(rounds: int, patience: float) -> dict[str, Any]:
    """Measure it; the figures."""
    del rounds, patience
    students, minutes = size
    if os.geteuid() != 0:
        raise BenchError("it takes root, to be several system users")
    if PROXY is None:
        raise BenchError("there is no proxy: npm install -g configurable-http-proxy")
    warn_of_load()
    made = ClassServer(instructors=["prof"])
    try:
        # Before the hub starts: it may see a mount table of its own.
        with small_disk(made.settings.students, 64 + 4 * students), made as hub:
            hub.teach(f"generate_assignment('{STEP}')", f"release_assignment('{STEP}')")
            return asyncio.run(Lesson(hub, students, minutes).hold())
    finally:
        shutil.rmtree(made.base, ignore_errors=True)


@contextlib.contextmanager
def small_disk(folder: Path, mib: int) -> Iterator[None]:
    """Let ``folder`` be a disk of its own in memory, whose processes have ended when it goes."""
    owner = folder.stat()
    options = f"size={mib}m,mode={owner.st_mode & 0o777:o},uid={owner.st_uid},gid={owner.st_gid}"
    command = ["mount", "-t", "tmpfs", "-o", options, "pcn-students", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchError(f"a disk for the students can't be mounted: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=False)


@dataclass
class Writer:
    """What one student types: words in one field, and what was acknowledged of them."""

    name: str
    text: str = ""
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def more(self) -> str:
        """The next few words; none comes twice."""
        return "".join(
            f"{_chance.choice(_WORDS)}-{next(self.numbers)} " for _ in range(_chance.randint(2, 6))
        )


@dataclass
class Strike:
    """One fault: when it began and was over, and how long until everybody saved again."""

    name: str
    began: float
    over: float = 0.0
    needed: dict[str, float] = field(default_factory=dict)
    """Seconds by student, from the fault's end."""
    never: list[str] = field(default_factory=list)

    @property
    def settled(self) -> float:
        """When everybody saved again."""
        return self.over + max(self.needed.values(), default=0.0)

    def row(self) -> list[str]:
        """As a line of a table."""
        took = list(self.needed.values())
        most = f"{max(took):.1f}" if took else "–"
        if self.never:
            most = f"not within {GIVEN_UP:.0f}: {', '.join(self.never)}"
        median = f"{statistics.median(took):.1f}" if took else "–"
        return [self.name, f"{self.over - self.began:.1f}", median, most]

    def __str__(self) -> str:
        """In words."""
        return f"everybody saves again after {self.row()[-1]} s"


class Visitor:
    """A student before a real browser."""

    def __init__(self, hub: ClassServer, name: str, page: Page) -> None:
        self.hub = hub
        self.writer = Writer(name)
        self.page = page
        self.said: list[tuple[float, str]] = []

    async def come(self) -> float:
        """Log in and open the step by its card; the seconds until a field can be used."""
        page = self.page
        page.set_default_timeout(120_000)
        await page.goto(self.hub.address)
        await page.get_by_label("Username").fill(self.writer.name)
        await page.get_by_label("Password").fill("a word")
        begun = time.monotonic()
        await page.get_by_role("button", name="Sign in").click()
        await page.locator(f".pcn-card[data-step={STEP}] a").first.click()
        await page.locator(_BOX).wait_for()
        return time.monotonic() - begun

    async def write(self, words: str) -> None:
        """Type at the end of the field, as somebody at a keyboard."""
        await self.page.locator(_BOX).focus()
        await self.page.keyboard.press("Control+End")
        self.writer.text += words
        await self.page.keyboard.type(words, delay=30)

    async def look(self) -> None:
        """Note what the page says, twice a second, and press the one button where there is one."""
        while True:
            with contextlib.suppress(PlaywrightError):
                words = await self.page.evaluate(_SAID)
                plain = re.sub(r"\d+:\d\d(:\d\d)?([ \u202f][AP]M)?", "…", words)
                if not self.said or plain != self.said[-1][1]:
                    self.said.append((time.monotonic(), plain))
                button = self.page.locator("main > .pcn-note[role=alert] button")
                if await button.count():
                    self.said.append((time.monotonic(), "(the button is pressed)"))
                    await button.click(timeout=2000)
            await asyncio.sleep(0.5)


class Lesson:
    """One run."""

    def __init__(self, hub: ClassServer, students: int, minutes: float) -> None:
        self.hub = hub
        self.minutes = minutes
        self.arriving = ARRIVING * students / STUDENTS
        names = [f"s{number:03}" for number in range(students)]
        every = max(1, students // BROWSERS)
        self.with_browser = names[every // 2 :: every][:BROWSERS]
        self.names = names
        self.writers: dict[str, Writer] = {}
        self.robots: dict[str, Robot] = {}
        self.visitors: dict[str, Visitor] = {}
        self.rush: dict[str, float] = {}
        self.strikes: list[Strike] = []
        self.complaints: list[str] = []
        self.figures: dict[str, Any] = {}
        self.over = False

    async def hold(self) -> dict[str, Any]:
        """Do all of it; the figures."""
        executable = os.environ.get("PCN_CHROMIUM") or shutil.which("chromium")
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=executable, args=[*QUIET])
            await self._one_at_a_time()
            load = psutil.getloadavg()[0]
            async with asyncio.TaskGroup() as group:
                students = [group.create_task(self._come_and_write(n, browser)) for n in self.names]
                await self._everybody_is_there(students)
                seconds = list(self.rush.values())
                say(f"{len(seconds)} came within {self.arriving:.0f} s and had a form after "
                    f"{_percentile(seconds, 0.5):.1f} s at the median, {_percentile(seconds):.1f} "
                    f"at 95 % (load {load:.0f}, then {psutil.getloadavg()[0]:.0f} on "
                    f"{os.cpu_count()} processors).")  # fmt: skip
                end = time.monotonic() + 60 * self.minutes
                await asyncio.sleep(HOMES_END)
                self.figures["memory"] = await asyncio.to_thread(self._memory)
                await self._chaos()
                await asyncio.sleep(max(0.0, end - time.monotonic()))
                self.over = True
        self._compare()
        self._report()
        return self.figures

    async def _one_at_a_time(self) -> None:
        names = [f"early{number}" for number in range(ALONE)]
        engines = [psutil.Process(one.pid) for one in self.hub.processes.values()]
        before = sum(map(_worked, engines))
        took = []
        for name in names:
            async with Robot(self.hub.address, name, found=self.complaints.append) as robot:
                took.append(await robot.open_step(STEP))
        own = [*itertools.chain.from_iterable(self._processes(names).values())]
        work = (sum(map(_worked, [*engines, *own])) - before) / len(names)
        self.figures |= {"login to form, alone": took, "work of a login": work}
        say(f"{len(took)} logged in one at a time: {statistics.median(took):.1f} s each, of which "
            f"{work:.1f} s are work of processors, which no other load makes longer.")  # fmt: skip
        for process in own:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()

    async def _come_and_write(self, name: str, browser: Browser) -> None:
        await asyncio.sleep(self.arriving * self.names.index(name) / len(self.names))
        try:
            if name in self.with_browser:
                await self._before_a_browser(name, browser)
            else:
                await self._robot(name)
        except (RobotError, PlaywrightError, httpx.HTTPError, TimeoutError) as error:
            self.complaints.append(f"{name}: {error}")

    async def _robot(self, name: str) -> None:
        async with Robot(self.hub.address, name, found=self.complaints.append) as robot:
            self.rush[name] = await robot.open_step(STEP)
            self.robots[name] = robot
            writer = self.writers[name] = Writer(name)
            while not self.over:
                await asyncio.sleep(_chance.uniform(2, 6))
                writer.text += writer.more()
                robot.write(FIELD, writer.text)
            await robot.all_saved(120)

    async def _before_a_browser(self, name: str, browser: Browser) -> None:
        context = await browser.new_context(locale="en-US")
        visitor = Visitor(self.hub, name, await context.new_page())
        self.rush[name] = await visitor.come()
        self.visitors[name] = visitor
        self.writers[name] = visitor.writer
        looking = asyncio.create_task(visitor.look())
        try:
            while not self.over:
                await asyncio.sleep(_chance.uniform(2, 6))
                await visitor.write(visitor.writer.more())
            await _until(lambda: self._on_disk(name) == visitor.writer.text, 120)
        finally:
            looking.cancel()
            await context.close()

    async def _everybody_is_there(self, students: list[asyncio.Task[None]]) -> None:
        """Wait until all have a form; who failed has ended."""
        await _until(
            lambda: len(self.rush) + sum(one.done() for one in students) >= len(self.names),
            self.arriving + 300,
        )

    # ---- What breaks -----------------------------------------------------------------------------

    async def _chaos(self) -> None:
        pause = 60 * self.minutes / 12
        kernels, servers = self._victims()
        for name, strike in {
            "nothing, to compare": lambda: None,
            f"{len(kernels)} kernels killed": lambda: self._kill(kernels, kernel=True),
            "proxy killed and started": lambda: self._restart("proxy"),
            "hub killed and started": lambda: self._restart("hub"),
            f"{len(servers)} servers killed": lambda: self._kill(servers, kernel=False),
            f"disk full for {DISK_FULL:.0f} s": self._fill_disk,
        }.items():
            one = Strike(name, time.monotonic())
            await asyncio.to_thread(strike)
            one.over = time.monotonic()
            say(f"{name}: took {one.over - one.began:.1f} s")
            await self._all_save_again(one)
            self.strikes.append(one)
            say(f"{name}: {one}")
            if one.never and len(self.strikes) == 1:
                raise BenchError("nobody had anything saved; is the class on this disk?")
            await asyncio.sleep(pause)

    def _victims(self) -> tuple[list[str], list[str]]:
        """Who loses a kernel and who a server: some each, one of them before a browser."""
        robots = [name for name in self.names if name in self.robots]
        number = min(VICTIMS, len(self.names) // 2) - 1
        before = list(self.visitors)
        return [*before[:1], *robots[:number]], [*before[1:2], *robots[-number:]]

    def _kill(self, names: list[str], *, kernel: bool) -> None:
        for processes in self._processes(names).values():
            for process, kind in _kinds(processes):
                if kind == ("pages" if kernel else "server"):
                    with contextlib.suppress(psutil.NoSuchProcess):
                        process.kill()

    def _restart(self, name: str) -> None:
        self.hub.stop(name, signal.SIGKILL)
        {"hub": self.hub.start_hub, "proxy": self.hub.start_proxy}[name]()

    def _fill_disk(self) -> None:
        end = time.monotonic() + DISK_FULL
        while time.monotonic() < end:
            ballast = fill(self.hub.settings.students)
            time.sleep(0.5)
        ballast.unlink()

    async def _all_save_again(self, strike: Strike) -> None:
        """Wait until each has had something saved that was sent after the fault was over."""
        typed = {name: one.writer.text for name, one in self.visitors.items()}
        waiting = {*self.robots, *self.visitors}
        while waiting and time.monotonic() < strike.over + GIVEN_UP:
            for name in sorted(waiting):
                if robot := self.robots.get(name):
                    saved = any(ack.tried >= strike.over for ack in robot.acks[-5:])
                else:
                    kept = self._on_disk(name)
                    saved = kept.startswith(typed[name]) and len(kept) > len(typed[name])
                if saved:
                    waiting.remove(name)
                    strike.needed[name] = time.monotonic() - strike.over
            await asyncio.sleep(0.25)
        strike.never = sorted(waiting)

    # ---- What is measured ------------------------------------------------------------------------

    def _processes(self, names: Iterable[str]) -> dict[str, list[psutil.Process]]:
        """The processes of these students."""
        owners = {self.hub.account(name).uid: name for name in names}
        found: dict[str, list[psutil.Process]] = {name: [] for name in owners.values()}
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.NoSuchProcess):
                if name := owners.get(process.uids().real):
                    found[name].append(process)
        return found

    def _memory(self) -> dict[str, float]:
        """MiB for each student: of their own, with their part of what is shared, and with all."""
        sizes = dict.fromkeys(("server", "its fork server", "pages"), 0.0)
        shared = 0.0
        processes = self._processes(self.rush)
        number = len(processes)
        for group in processes.values():
            for process, kind in _kinds(group):
                with contextlib.suppress(psutil.NoSuchProcess):
                    info = process.memory_full_info()
                    sizes[kind] += info.uss / number / _MIB
                    shared += info.pss / number / _MIB
        for child in psutil.Process(self.hub.processes["hub"].pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                if "pcn_course.hub.forkserver" in child.cmdline() and child.uids().real == 0:
                    shared += child.memory_full_info().pss / number / _MIB
        return {
            **{f"{kind}, own (USS)": size for kind, size in sizes.items()},
            "together, own (USS)": sum(sizes.values()),
            ALL_SHARED: shared,
        }

    def _on_disk(self, name: str) -> str:
        file = self.hub.workspace(name) / STEP / "answers.json"
        with contextlib.suppress(OSError, ValueError):
            found = json.loads(file.read_bytes())["fields"].get(FIELD, {}).get("value")
            return str(found or "")
        return ""

    def _compare(self) -> None:
        """Count what was typed or acknowledged and is not on disk in the end."""
        lost = twice = unacknowledged = 0
        for name, writer in self.writers.items():
            kept = self._on_disk(name)
            there = kept.split()
            lost += sum(len(word) + 1 for word in writer.text.split() if word not in set(there))
            twice += sum(len(word) + 1 for word in there) - sum(len(word) + 1 for word in {*there})
            if kept != writer.text and not lost and not twice:
                self.complaints.append(f"{name}'s words are there, and not as they were typed")
            if (robot := self.robots.get(name)) and robot.fields[FIELD].saved != kept:
                unacknowledged += 1
        self.figures |= {
            "typed": sum(len(one.text) for one in self.writers.values()),
            "lost": lost,
            "twice": twice,
            "not as acknowledged": unacknowledged,
        }

    # ---- What is printed -------------------------------------------------------------------------

    def _report(self) -> None:
        figures = self.figures
        log = self.hub.log("hub")
        spawns = [float(took) for took in re.findall(r"User s\d+ took ([\d.]+) seconds", log)]
        calm, stormy = self._acks()
        rush = list(self.rush.values())
        alone = figures["login to form, alone"]
        memory = figures["memory"]
        figures |= {
            "login to form, rush": self.rush,
            "spawns": spawns,
            "acknowledged": {"calm": calm, "with faults": stormy},
            "turned away": sum(one.turned_away for one in self.robots.values()),
            "strikes": {one.name: one.needed for one in self.strikes},
            "complaints": self.complaints,
        }
        say()
        say(table(["seconds", "median", "95 %", "worst", "of"], [
            _row("login to form, one at a time", alone),
            _row(f"login to form, {len(rush)} in {self.arriving:.0f} s", rush),
            *([_row("  before a browser", seen)] if (seen := self._seen()) else []),
            _row("server started", spawns),
            _row("saved, without faults", calm),
            _row("saved, faults included", stormy),
        ]))  # fmt: skip
        say()
        say(table(["memory for each of them", "MiB"], [
            [name, f"{size:.1f}"] for name, size in memory.items()
        ]))  # fmt: skip
        say()
        say(table(["fault", "lasted, s", "median, s", "everybody saves again, s"], [
            one.row() for one in self.strikes
        ]))  # fmt: skip
        for visitor in self.visitors.values():
            self._say_what_was_said(visitor)
        say()
        for complaint in self.complaints:
            say(f"! {complaint}")
        say(f"{figures['typed']:,} characters typed; {figures['lost']} lost, {figures['twice']} "
            f"twice, {figures['not as acknowledged']} students with other words than acknowledged; "
            f"{figures['turned away']} times the hub asked to come again later.")  # fmt: skip
        most = memory[ALL_SHARED]
        for words, value, goal in (
            ("login to form, idle machine, median", statistics.median(alone), GOALS["idle"]),
            ("login to form in the rush, 95 %", _percentile(rush), GOALS["rush"]),
            ("MiB for each student", most, GOALS["memory"]),
        ):
            met = "Met" if value <= goal else "Missed"
            say(f"Goal: {words} {value:.1f}, at most {goal:g}. {met}.")
        kept = not (figures["lost"] or figures["twice"] or figures["not as acknowledged"])
        say(f"Goal: 0 characters lost. {'Met' if kept else 'Missed'}.")
        if not kept or self.complaints or any(one.never for one in self.strikes):
            raise BenchError("words were lost, or somebody was not served; see above")

    def _seen(self) -> list[float]:
        return [took for name, took in self.rush.items() if name in self.visitors]

    def _acks(self) -> tuple[list[float], list[float]]:
        """Seconds from sending words to their acknowledgement: away from faults, and all."""
        calm, every = [], []
        for ack in itertools.chain.from_iterable(one.acks for one in self.robots.values()):
            took = ack.came - ack.sent
            every.append(took)
            if not any(one.began <= ack.came and ack.sent <= one.settled for one in self.strikes):
                calm.append(took)
        return calm, every

    def _say_what_was_said(self, visitor: Visitor) -> None:
        say(f"\nWhat {visitor.writer.name}'s page said:")
        for strike in self.strikes[1:]:
            heard: dict[str, float] = {}
            for when, words in visitor.said:
                if strike.began <= when <= strike.settled:
                    for one in filter(None, words.split(" | ")):
                        heard.setdefault(one, when - strike.began)
            told = [
                f"after {when:.0f} s “{one}”"
                for one, when in heard.items()
                if not re.fullmatch(r"(Saving|Saved).*", one)
            ]
            say(f"  {strike.name}: {'; '.join(told) or 'nothing but that all is saved'}")


async def _until(look: Callable[[], bool], within: float) -> None:
    async with asyncio.timeout(within):
        while not look():  # noqa: ASYNC110 (what is looked at is on disk, too)
            await asyncio.sleep(0.25)


def _kinds(processes: list[psutil.Process]) -> Iterator[tuple[psutil.Process, str]]:
    """What each process of a student is: a server, its fork server, or a kernel forked by that."""
    own = {}
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            own[process.pid] = process.ppid()
    for process in processes:
        if process.pid not in own:
            continue
        above = own[process.pid]
        kind = "server" if above not in own else "pages" if own[above] in own else "its fork server"
        yield process, kind


def _worked(process: psutil.Process) -> float:
    """Seconds for which processors worked for a process; 0 when it has ended."""
    with contextlib.suppress(psutil.NoSuchProcess):
        times = process.cpu_times()
        return float(times.user + times.system)
    return 0.0


def _percentile(values: Sequence[float], part: float = 0.95) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else math.nan


def _row(name: str, values: Sequence[float]) -> list[str]:
    figures = [_percentile(values, part) for part in (0.5, 0.95, 1.0)]
    return [name, *(f"{one:.2f}" for one in figures), str(len(values))]
