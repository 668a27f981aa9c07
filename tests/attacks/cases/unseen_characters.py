"""Every question answered by characters that nobody sees."""

from __future__ import annotations

from pcn_course.course import default_root, load_course
from tests.attacks.scene import STEP, Scene

UNSEEN = ("\u200b", "\u2800", "\u3164", "\u00ad", "\U000e0041", "\ufe0f", "\u0301", "\u2060 \n")


def lay(scene: Scene) -> None:
    prompts = load_course(default_root()).step(STEP).prompts
    texts = [one.key for one in prompts if one.kind in ("line", "text")]
    unseen = {key: UNSEEN[at % len(UNSEEN)] * 500 for at, key in enumerate(texts)}
    tables = {
        one.key: [{"id": "a", one.columns[0].key: "\u200b" * 90}]
        for one in prompts if one.kind == "table"
    }  # fmt: skip
    honest = scene.document()["fields"]
    scene.write_answers(
        scene.document({**unseen, **tables, **{key: one["value"] for key, one in honest.items()}})
    )
