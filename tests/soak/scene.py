"""Where a fault strikes: the app, a browser, writers at work, and what is seen and measured."""

from __future__ import annotations

import contextlib
import random
import shutil
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Dialog, Page, sync_playwright

from pcn_course.course import Course, Step, default_root, load_course
from tests.soak.disk import small_disk
from tests.soak.filtering import Filter
from tests.soak.ledger import Ledger, Result, number_of
from tests.soak.typist import Place, Typist, places
from tests.soak.witness import TEXTS, Sight, Witness, on_disk
from tests.support.chromium import QUIET, executable
from tests.support.servers import AppServer, until

SETTLE = 90.0
"""Seconds in which a page must have saved everything by itself."""
TELL = 12.0
"""Seconds in which a page must have said that something is not being saved."""
_STILL = 1.0

_DRAFTS = """() => {
  try { return Object.keys(localStorage).filter((name) => name.startsWith("pcn")).length; }
  catch { return 0; }
}"""

Steps = Generator[float, None, None]


@dataclass
class Stage:
    """What all rounds of a fault share: one workspace, one server, one browser."""

    course: Course
    workspace: Path
    server: AppServer
    link: Filter
    browser: Browser
    ledger: Ledger
    witness: Witness
    brisk: bool
    profiles: dict[tuple[int, str], BrowserContext] = field(default_factory=dict)

    def profile(self, number: int, script: str = "") -> BrowserContext:
        """The browser's profile of that number: it keeps its drafts and its login.

        ``script`` runs in each of its pages before all others.
        """
        if (number, script) not in self.profiles:
            # The page's own policy would keep it from telling the witness.
            context = self.browser.new_context(bypass_csp=True, locale="en-US")
            context.set_default_timeout(60_000)
            context.add_init_script(script)
            page = context.new_page()
            page.goto(f"http://127.0.0.1:{self.link.port}/?token={self.server.key}")
            page.close()
            self.profiles[number, script] = context
        return self.profiles[number, script]

    def address(self, step: Step) -> str:
        """A step's page, through the link."""
        return f"http://127.0.0.1:{self.link.port}/voila/render/{step.path}"


@contextlib.contextmanager
def set_stage(
    *,
    small: bool = False,
    own_course: bool = False,
    brisk: bool = False,
    browser: Browser | None = None,
) -> Iterator[Stage]:
    """Start everything, in a ``browser`` if there is one already; end it afterwards.

    ``own_course``: with a copy of the course, that may be changed.

    Raises:
        NoSmallDiskError: a ``small`` disk was asked for and can't be had.
    """
    with contextlib.ExitStack() as stack:
        if small:
            disk = stack.enter_context(small_disk())
        else:
            disk = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pcn-soak-")))
        workspace = disk / "workspace"
        root = default_root()
        if own_course:
            root = disk / "course"
            for name in ("data", "notebooks"):
                shutil.copytree(default_root() / name, root / name)
        warm = "0" if brisk else "1"
        server = stack.enter_context(AppServer(workspace, course=root, PCN_WARM_PAGES=warm))
        link = Filter(server.port)
        stack.callback(link.close)
        ledger = Ledger()
        witness = stack.enter_context(Witness(workspace, ledger))
        if browser is None:
            playwright = stack.enter_context(sync_playwright())
            browser = playwright.chromium.launch(executable_path=executable(), args=QUIET)
            stack.callback(browser.close)
        course = load_course(root)
        stage = Stage(course, workspace, server, link, browser, ledger, witness, brisk)
        try:
            yield stage
        finally:
            for context in stage.profiles.values():
                context.close()


class Scene:
    """One round."""

    def __init__(self, stage: Stage, step: Step, rng: random.Random) -> None:
        self.stage = stage
        self.step = step
        self.rng = rng
        self.typists: list[Typist] = []
        self.complaints: list[str] = []
        self.dialogs: list[str] = []
        self.recovery: float | None = None
        self.struck_at: float | None = None
        self.over_at: float | None = None
        self.must_tell = False
        self._due: dict[int, float] = {}
        self._pending: dict[str, Counter[str]] | None = None
        self._number = 0
        self._seen_before = len(stage.witness.sights)

    # ---- For faults --------------------------------------------------------------------------

    @property
    def page(self) -> Page:
        """The first writer's page."""
        return self.typists[0].page

    def enter(self, name: str, where: list[Place], *, profile: int = 0, script: str = "") -> Typist:
        """Let a writer open the step's page in a profile of that number."""
        page = self.stage.profile(profile, script).new_page()
        page.add_init_script(self.stage.witness.script(name, self.step))
        page.on("dialog", self._on_dialog)
        page.on("pageerror", lambda error: self.complain(f"script error: {error}"))
        page.goto(self.stage.address(self.step))
        self.ready(page)
        typist = Typist(page, self.step, where, self.stage.ledger, name, self.rng)
        self.typists.append(typist)
        return typist

    def some_places(self, count: int) -> list[Place]:
        """So many different places to write in."""
        every = places(self.step)
        return self.rng.sample(every, min(count, len(every)))

    def ready(self, page: Page) -> None:
        """Wait until a page can be written in."""
        page.locator(".pcn-form [data-key]").first.wait_for()

    def strike(self, *, must_tell: bool = False) -> None:
        """The fault begins now. ``must_tell``: it lasts, so the page has to say so."""
        self.struck_at = time.time()
        self._number = self.stage.ledger.number()
        self.must_tell = must_tell

    def over(self) -> None:
        """The fault is over now: from here on is counted how long recovery takes."""
        self.over_at = time.time()
        ledger = self.stage.ledger
        self._pending = {
            key: ledger.whole_words(self.step.id, key) for key in ledger.fields(self.step.id)
        }

    def reload(self, typist: Typist) -> None:
        """Load a page again in the midst of typing, and go on writing there.

        When the browser asks whether to leave, because text could be lost, stay until it is saved.
        """
        before = time.time()
        page = typist.page
        asked = len(self.dialogs)
        old = page.evaluate("performance.timeOrigin")
        page.evaluate("setTimeout(() => location.reload())")
        until(lambda: self._reloaded(page, old) or len(self.dialogs) > asked, within=60)
        if len(self.dialogs) > asked:
            self.settle(typist)
            page.reload()
        self.stage.witness.forget(typist.name)
        self.ready(page)
        typist.start_anew()
        self.recovery = max(self.recovery or 0, time.time() - before)

    def _reloaded(self, page: Page, old: float) -> bool:
        page.wait_for_timeout(20)
        with contextlib.suppress(Exception):
            return bool(page.evaluate("performance.timeOrigin") != old)
        return False

    def background(self, work: Callable[[], object]) -> Steps:
        """Do something while the writers go on."""
        errors: list[BaseException] = []

        def run() -> None:
            try:
                work()
            except BaseException as error:  # noqa: BLE001 (raised again in the main thread)
                errors.append(error)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        while thread.is_alive():
            yield 0.05
        if errors:
            raise errors[0]

    # ---- A round -----------------------------------------------------------------------------

    def play(self, fault: Steps) -> None:
        """Let the writers type while the fault takes its course; then wait for recovery."""
        pause = next(fault)
        fault_due = time.monotonic() + pause
        while True:
            now = time.monotonic()
            if now >= fault_due:
                pause = next(fault, -1.0)
                if pause < 0:
                    break
                fault_due = time.monotonic() + pause
                continue
            for number, typist in enumerate(self.typists):
                if now >= self._due.get(number, 0):
                    self._due[number] = time.monotonic() + typist.press()
            self._look_for_recovery()
            due = min([fault_due, *(self._due[n] for n in range(len(self.typists)))])
            rest = min(due - time.monotonic(), 0.1)
            if rest > 0.001:
                self.page.wait_for_timeout(1000 * rest)
        for typist in self.typists:
            typist.finish_word()
        last_key = time.time()
        for typist in self.typists:
            self.settle(typist)
        if self.recovery is None:
            self.recovery = time.time() - _STILL - last_key

    def settle(self, typist: Typist) -> None:
        """Wait until the page says by itself that all is saved, and that stands for a moment."""
        end = time.monotonic() + SETTLE
        since: float | None = None
        while time.monotonic() < end:
            self._look_for_recovery()
            sight = self.stage.witness.latest(typist.name)
            calm = sight and sight.claims and not sight.alert
            since = (since or time.monotonic()) if calm else None
            if since and time.monotonic() - since > _STILL:
                return
            typist.page.wait_for_timeout(50)
        status = typist.page.locator(".pcn-status").text_content()
        alert = typist.page.locator(".pcn-alert").text_content()
        self.complain(f"not saved within {SETTLE:.0f} s; the page says {status!r}, {alert!r}")

    def verdict(self) -> Result:
        """What was lost or came twice: on disk, in the pages, and in a page that opens now."""
        ledger = self.stage.ledger
        step = self.step.id
        result = Result()
        kept = on_disk(self.stage.workspace, step)
        for key in ledger.fields(step):
            result += ledger.compare(step, key, kept.get(key, ""), "on disk")
        for typist in self.typists:
            shown = typist.page.evaluate(TEXTS)
            for key in ledger.fields(step):
                if len(self.typists) == 1:
                    result += ledger.compare(step, key, shown[key], "in the page")
                elif missing := ledger.missing_of(typist.name, step, key, shown[key]):
                    self.complain(f"{typist.name}'s own page lacks {missing} in {key}")
            if left := typist.page.evaluate(_DRAFTS):
                self.complain(f"{left} drafts stay on the device after all was saved")
        for typist in self.typists:
            self.stage.witness.forget(typist.name)
            typist.page.reload()
            self.ready(typist.page)
        for typist in self.typists:
            self.settle(typist)
            shown = typist.page.evaluate(TEXTS)
            for key in ledger.fields(step):
                result += ledger.compare(step, key, shown[key], "in the page when loaded again")
        kept = on_disk(self.stage.workspace, step)
        for key in ledger.fields(step):
            result += ledger.compare(step, key, kept.get(key, ""), "on disk after that")
        self._judge_honesty()
        return result

    def close(self) -> None:
        """Close the pages."""
        for typist in self.typists:
            with contextlib.suppress(Exception):
                typist.page.close()

    @property
    def keys(self) -> int:
        """How many keys were pressed."""
        return sum(typist.keys for typist in self.typists)

    @property
    def sights(self) -> list[Sight]:
        """What the pages showed in this round."""
        return self.stage.witness.sights[self._seen_before :]

    def complain(self, words: str) -> None:
        """Note that a page did not behave."""
        self.complaints.append(words)

    def told_after(self) -> float | None:
        """Seconds from the blow until a page said that something is wrong; 0 if it said so then."""
        if self.struck_at is None:
            return None
        standing: dict[str, Sight] = {}
        later = []
        for sight in self.sights:
            if sight.at < self.struck_at:
                standing[sight.writer] = sight
            else:
                later.append(sight)
        for sight in (*standing.values(), *later):
            if sight.alert and sight.status.startswith("Not saved"):
                return max(0.0, sight.at - self.struck_at)
        return None

    def _judge_honesty(self) -> None:
        for sight in self.sights:
            if sight.missing:
                lacking = ", ".join(sight.missing[:5])
                self.complain(f"said {sight.status!r} while {lacking} was not on disk")
        if self.must_tell and self.struck_at is not None:
            told = self.told_after()
            if told is None:
                shown = [(round(s.at - self.struck_at, 1), s.status, s.alert) for s in self.sights]
                self.complain(f"never said that nothing is being saved; it showed {shown}")
            elif told > TELL:
                self.complain(f"said only after {told:.1f} s that nothing is being saved")

    def _look_for_recovery(self) -> None:
        if self._pending is None or self.over_at is None or self.recovery is not None:
            return
        kept = on_disk(self.stage.workspace, self.step.id)
        there = {key: Counter(kept.get(key, "").split()) for key in self._pending}
        # What was typed after the blow is there, and all from before.
        new = any(number_of(word) > self._number for words in there.values() for word in words)
        if new and all(words <= there[key] for key, words in self._pending.items()):
            self.recovery = time.time() - self.over_at

    def _on_dialog(self, dialog: Dialog) -> None:
        self.dialogs.append(dialog.type)
        dialog.dismiss()
