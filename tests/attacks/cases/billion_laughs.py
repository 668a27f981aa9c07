"""A text that would grow a billion times where references are followed."""

from __future__ import annotations

import itertools

from tests.attacks.scene import Scene


def lay(scene: Scene) -> None:
    lines = ['<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "laugh">']
    for one, other in itertools.pairwise("abcdefghij"):
        lines.append(f'<!ENTITY {other} "{f"&{one};" * 10}">')
    bomb = "\n".join([*lines, "]><l>&j;</l>"])
    anchors = "a: &a [x, x]\n" + "\n".join(f"b{n}: &b{n} [*a, *a, *a]" for n in range(30))
    scene.write_answers(scene.document({"next-decision": bomb, "what-you-do": anchors}))
    scene.add("answers.xml", bomb)
    scene.add("answers.yaml", anchors)
