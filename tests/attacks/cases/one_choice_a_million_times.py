"""A list of choices with one option a million times, and a table with as many rows."""

from __future__ import annotations

from pcn_course.course import default_root, load_course
from tests.attacks.scene import STEP, Scene


def lay(scene: Scene) -> None:
    fields: dict[str, object] = {}
    for prompt in load_course(default_root()).step(STEP).prompts:
        if prompt.kind == "choices":
            fields[prompt.key] = [prompt.options[0].value] * 1_000_000
        elif prompt.kind == "table":
            fields[prompt.key] = [{"id": "a", prompt.columns[0].key: "x"}] * 10_000
    scene.write_answers(scene.document(fields))
