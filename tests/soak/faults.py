"""What goes wrong while somebody writes. Each fault yields the seconds until its next deed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from pcn_course.course import CourseError, load_course
from tests.soak.disk import fill
from tests.soak.filtering import Treatment
from tests.soak.link import Way
from tests.soak.scene import Scene, Steps
from tests.support.servers import AppServer

# What the browser says when storage is forbidden, and when it is full.
_NO_STORAGE = """Object.defineProperty(window, "localStorage", {
  get() { throw new DOMException("The operation is insecure.", "SecurityError"); } });"""
_FULL_STORAGE = """Storage.prototype.setItem = () => {
  throw new DOMException("The quota has been exceeded.", "QuotaExceededError"); };"""


@dataclass(frozen=True)
class Fault:
    """One kind of fault."""

    name: str
    says: str
    play: Callable[[Scene], Steps]
    small_disk: bool = False
    own_course: bool = False
    """Whether it changes the course."""


def kernel_killed(scene: Scene) -> Steps:
    """The kernel is killed; now and then the one that replaces it, too."""
    scene.enter("a", scene.some_places(5))
    yield _while(scene, 1, 9)
    scene.strike()
    scene.stage.server.kill_kernel(scene.page)
    scene.over()
    if scene.rng.random() < 0.3:
        yield scene.rng.uniform(0.5, 4)
        scene.stage.server.kill_kernels()
        scene.over()
    yield _while(scene, 1, 6)


def server_killed(scene: Scene) -> Steps:
    """The server is killed and started again on the same port, at once or after a while."""
    scene.enter("a", scene.some_places(5))
    yield _while(scene, 1, 9)
    pause = scene.rng.choice([0.0, scene.rng.uniform(0, 8)])
    server = scene.stage.server
    scene.strike()
    yield from scene.background(server.kill9)
    yield pause
    yield from scene.background(server.restart)
    scene.over()
    yield _while(scene, 1, 6)


def page_reloaded(scene: Scene) -> Steps:
    """The page is loaded again, one to three times."""
    typist = scene.enter("a", scene.some_places(5))
    for _ in range(scene.rng.randint(1, 3)):
        yield _while(scene, 0.3, 6)
        scene.reload(typist)
    yield _while(scene, 1, 4)


def _cut(way: Way) -> Callable[[Scene], Steps]:
    def play(scene: Scene) -> Steps:
        scene.enter("a", scene.some_places(5))
        yield _while(scene, 1, 9)
        short = 6 if way == "reset" else 13
        scene.strike(must_tell=True)
        scene.stage.link.cut(way)
        try:
            yield short if scene.stage.brisk else 20
        finally:
            scene.stage.link.mend()
        scene.over()
        yield _while(scene, 1, 4)

    return play


def sockets_blocked(scene: Scene) -> Steps:
    """Websockets are blocked, from the beginning or from now on; then something else happens."""
    link, rng = scene.stage.link, scene.rng
    way: Treatment = rng.choice(["refuse", "swallow", "cut"])
    try:
        if rng.random() < 0.5:
            link.block(way)
            scene.enter("a", scene.some_places(5))
        else:
            scene.enter("a", scene.some_places(5))
            yield _while(scene, 1, 6)
            link.block(way)
        yield _while(scene, 1, 9)
        match rng.choice(["kernel", "reload", "requests", "mend"]):
            case "kernel":
                scene.strike()
                scene.stage.server.kill_kernel(scene.page)
                scene.over()
            case "reload":
                scene.reload(scene.typists[0])
            case "requests":
                scene.strike(must_tell=True)
                link.block(way, "refuse")
                yield 13 if scene.stage.brisk else 20
                link.block(way)
                scene.over()
            case _:
                link.block("pass")
        yield _while(scene, 3, 9)
    finally:
        link.block("pass")
    yield _while(scene, 1, 3)


def _tabs(*, same_field: bool) -> Callable[[Scene], Steps]:
    def play(scene: Scene) -> Steps:
        # Two tabs of one browser, or two devices, which can't hear each other.
        profiles = scene.rng.choice([(0, 0), (0, 1)])
        where = scene.some_places(1 if same_field else 6)
        half = len(where) // 2
        parts = (where, where) if same_field else (where[:half], where[half:])
        for name, profile, part in zip("ab", profiles, parts, strict=True):
            scene.enter(name, part, profile=profile)
        yield _while(scene, 6, 16)

    return play


def disk_full(scene: Scene) -> Steps:
    """The disk is filled to the last byte, and freed after a while."""
    scene.enter("a", scene.some_places(5))
    yield _while(scene, 1, 9)
    scene.strike(must_tell=True)
    ballast = fill(scene.stage.workspace.parent)
    try:
        yield scene.rng.uniform(9, 10) if scene.stage.brisk else scene.rng.uniform(9, 20)
    finally:
        ballast.unlink()
    scene.over()
    yield _while(scene, 1, 4)


def _storage(script: str) -> Callable[[Scene], Steps]:
    """Nothing can be kept on the device, and then something else happens."""

    def play(scene: Scene) -> Steps:
        typist = scene.enter("a", scene.some_places(5), script=script)
        yield _while(scene, 1, 6)
        match scene.rng.choice(["kernel", "reload", "cut"]):
            case "kernel":
                scene.strike()
                scene.stage.server.kill_kernel(scene.page)
                scene.over()
            case "reload":
                scene.reload(typist)
            case _:
                scene.strike()
                scene.stage.link.cut(scene.rng.choice(["stall", "drop", "reset"]))
                yield scene.rng.uniform(2, 9)
                scene.stage.link.mend()
                scene.over()
        yield _while(scene, 1, 4)

    return play


def unheard(scene: Scene) -> Steps:
    """Software puts words into fields and tells the page nothing; then something else happens."""
    typist = scene.enter("a", scene.some_places(5))
    for _ in range(3):
        yield _while(scene, 0.3, 4)
        typist.dictate(scene.rng.choice(["", "change"]))
        kernel = ["kernel"] if scene.struck_at is None else []
        match scene.rng.choice(["nothing", "tab", "hide", "reload", *kernel]):
            case "nothing":
                scene.page.wait_for_timeout(3000)  # longer than the page's own look
            case "tab":
                scene.page.keyboard.press("Tab")
            case "hide":
                scene.page.evaluate("document.activeElement.blur()")
            case "reload":
                scene.reload(typist)
            case _:
                scene.strike()
                scene.stage.server.kill_kernel(scene.page)
                scene.over()
    yield _while(scene, 1, 4)


def course_updated(scene: Scene) -> Steps:
    """The course loses the questions that are being answered, asks another, and has them back."""
    scene.enter("a", scene.some_places(5))
    yield _while(scene, 1, 9)
    server, root = scene.stage.server, scene.stage.course.root
    step = root / "data" / "steps" / f"{scene.step.id}.toml"
    before = step.read_text()
    scene.strike()
    try:
        for update in (True, False):
            yield from scene.background(server.kill9)
            if update:
                _rename(root, step, {place.key for place in scene.typists[0].where})
            else:
                step.write_text(before)
            yield from scene.background(lambda: _start(server))
            yield _while(scene, 3, 9)
    finally:
        step.write_text(before)
    scene.over()
    yield _while(scene, 1, 4)


def _start(server: AppServer) -> None:
    server.start()


_REQUIRED = """
[[prompts]]
key = "asked-later"
kind = "line"
label = "A question that was asked later"
required = true
"""


def _rename(root: Path, step: Path, keys: Iterable[str]) -> None:
    """Ask something else in a step, and give its questions other keys, where the course allows."""
    content = step.read_text() + _REQUIRED
    step.write_text(content)
    load_course(root)
    for key in keys:
        step.write_text(content.replace(f'key = "{key}"', f'key = "{key}-now"'))
        try:
            load_course(root)
        except CourseError:  # another step quotes it, or its own structure points ask for it
            step.write_text(content)
        content = step.read_text()


def _while(scene: Scene, least: float, most: float) -> float:
    """A random time of typing; half as long where time is short."""
    return scene.rng.uniform(least, most) * (0.5 if scene.stage.brisk else 1)


FAULTS = {
    fault.name: fault
    for fault in (
        Fault("kernel", "kernel killed with kill -9", kernel_killed),
        Fault("server", "server killed, then restarted", server_killed),
        Fault("reload", "page reloaded", page_reloaded),
        Fault("cut-stall", "line cut for 20 s, then all arrives late", _cut("stall")),
        Fault("cut-drop", "line cut for 20 s, its connections are forgotten", _cut("drop")),
        Fault("cut-reset", "line cut for 20 s, connections are reset", _cut("reset")),
        Fault("no-sockets", "websockets blocked, then plain requests, too", sockets_blocked),
        Fault("same-field", "two tabs in the same field", _tabs(same_field=True)),
        Fault("other-fields", "two tabs in different fields", _tabs(same_field=False)),
        Fault("disk-full", "disk full for a while", disk_full, small_disk=True),
        Fault("unheard", "words put in by software that tells the page nothing", unheard),
        Fault(
            "course-updated", "course updated twice under the page", course_updated, own_course=True
        ),
        Fault("no-storage", "localStorage forbidden", _storage(_NO_STORAGE)),
        Fault("full-storage", "localStorage full", _storage(_FULL_STORAGE)),
    )
}
