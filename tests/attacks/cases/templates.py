"""What a template engine, a formula or a spreadsheet would take for its own."""

from __future__ import annotations

from tests.attacks.scene import Scene


def lay(scene: Scene) -> None:
    lines = "{{ 7 * 7 }} {% include '/etc/passwd' %} ${7*7} <%= 7 %> #{7} $x^2$ =cmd|' /C calc'!A0"
    scene.write_answers(scene.document({"next-decision": lines, "live-project": lines}))
