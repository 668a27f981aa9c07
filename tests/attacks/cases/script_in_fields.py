"""HTML and script in every field."""

from __future__ import annotations

from pcn_course.course import load_course
from tests.attacks.scene import BASE, CHECKOUT, STEP, Scene

ANSWERS_ALL = True  # so all points for structure are due
SCRIPT = '<script>window.hacked=1</script><img src=x onerror="window.hacked=1">'


def lay(scene: Scene) -> None:
    step = load_course(CHECKOUT).step(STEP)
    texts = {one.key: SCRIPT for one in step.prompts if one.kind in ("line", "text")}
    scene.write_answers(scene.document({**BASE, **texts}))
