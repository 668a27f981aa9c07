"""Answers as a pickle, which runs code when it is loaded."""

from __future__ import annotations

import pickle

from tests.attacks.scene import Scene


class _Runs:
    def __init__(self, code: str) -> None:
        self.code = code

    def __reduce__(self) -> tuple[object, ...]:
        return exec, (self.code,)


def lay(scene: Scene) -> None:
    pickled = pickle.dumps(_Runs(scene.code))
    scene.write_answers(pickled)
    scene.add("answers.pickle", pickled)
