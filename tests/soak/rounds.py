"""Many rounds of one fault, and what came of them."""

from __future__ import annotations

import random
import statistics
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tests.soak.faults import FAULTS, Fault
from tests.soak.ledger import Result
from tests.soak.scene import Scene, Stage, set_stage


@dataclass
class Tally:
    """The sum of all rounds of a fault."""

    fault: str
    seed: int
    rounds: int = 0
    keys: int = 0
    result: Result = field(default_factory=Result)
    recoveries: list[float] = field(default_factory=list)
    told: list[float] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Nothing lost, nothing twice, and the page said honestly what was going on."""
        return self.result.clean and not self.complaints

    def row(self) -> list[str]:
        """This as a row of the table."""
        times = sorted(self.recoveries)
        recovery = f"{statistics.median(times):.1f} / {times[-1]:.1f} s" if times else "–"
        return [
            self.fault,
            str(self.rounds),
            str(self.keys),
            str(self.result.lost_after_saved),
            str(self.result.lost_otherwise),
            str(self.result.duplicated),
            recovery,
            f"{max(self.told):.1f} s" if self.told else "–",
            str(len(self.complaints)),
        ]


HEAD = [
    "fault",
    "rounds",
    "characters typed",
    "lost after Saved",
    "lost otherwise",
    "duplicated",
    "recovery, median / max",
    "told after, max",
    "complaints",
]


def run(
    fault: Fault,
    rounds: int,
    seed: int,
    *,
    brisk: bool = False,
    say: Callable[[str], None] = lambda _line: None,
) -> Tally:
    """Play a fault so many times.

    Raises:
        NoSmallDiskError: it needs one, and this machine gives none.
    """
    with set_stage(small=fault.small_disk, own_course=fault.own_course, brisk=brisk) as stage:
        return run_on(stage, fault, rounds, seed, say=say)


def run_on(
    stage: Stage,
    fault: Fault,
    rounds: int,
    seed: int,
    *,
    say: Callable[[str], None] = lambda _line: None,
) -> Tally:
    """Play a fault so many times on a stage that is set."""
    tally = Tally(fault.name, seed)
    steps = stage.course.steps
    for number in range(rounds):
        rng = random.Random(f"{seed} {fault.name} {number}")
        scene = Scene(stage, steps[(seed + number) % len(steps)], rng)
        for line in _round(scene, fault, tally):
            say(f"{fault.name} {number + 1}: {line}")
    return tally


def play(name: str, rounds: int, seed: int, *, brisk: bool) -> Tally:
    """`run` in a process of its own, that prints what happens."""
    return run(FAULTS[name], rounds, seed, brisk=brisk, say=lambda line: print(line, flush=True))


def _round(scene: Scene, fault: Fault, tally: Tally) -> Iterator[str]:
    stage = scene.stage
    result = Result()
    try:
        scene.play(fault.play(scene))
        result = scene.verdict()
    except Exception as error:  # noqa: BLE001 (the next round may go well; this one is counted)
        scene.complain(f"the round broke off: {_short(error)}")
        _make_good(stage)
    finally:
        scene.close()
    tally.rounds += 1
    tally.keys += scene.keys
    tally.result += result
    tally.complaints += [f"{scene.step.name}: {words}" for words in scene.complaints]
    if scene.recovery is not None:
        tally.recoveries.append(scene.recovery)
    told = scene.told_after()
    if told is not None:
        tally.told.append(told)
    yield from result.says
    yield from scene.complaints
    recovery = f"recovered in {scene.recovery:.1f} s" if scene.recovery is not None else ""
    good = "nothing lost" if result.clean and not scene.complaints else "NOT GOOD"
    yield f"{scene.step.name}, {scene.keys} keys, {good}, {recovery}"


def _make_good(stage: Stage) -> None:
    stage.link.mend()
    if stage.server.process is None or stage.server.process.poll() is not None:
        stage.server.restart()


def _short(error: Exception) -> str:
    """An error in one line: what it says, and where in these files it came up."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "soak" in frame.filename]
    where = f" ({ours[-1].name}, line {ours[-1].lineno})" if ours else ""
    return f"{type(error).__name__}: {str(error).splitlines()[0]}{where}" if str(error) else where
