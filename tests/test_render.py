"""Templates: what they are given is text, and a line break of theirs is none of the page."""

from __future__ import annotations

import pytest
from jinja2 import UndefinedError

from pcn_course.render import TEMPLATES, render


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<b>&", "&lt;b&gt;&amp;"),
        ("two\n lines", "two\n lines"),
        ("a\0b\ud800\x85", "a\ufffdb\ufffd\x85"),
        ("{{ 7 * 7 }}", "{{ 7 * 7 }}"),
    ],
)
def test_what_a_template_is_given_is_text(text: str, shown: str) -> None:
    assert render("panel-parts", "help", text) == f'<p class="pcn-help">{shown}</p>'


def test_what_a_template_lacks_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        render("document", "sections", [{}])


def test_only_style_and_drawing_go_in_as_they_are() -> None:
    safe = [
        line.strip()
        for path in sorted(TEMPLATES.glob("*.j2"))
        for line in path.read_text(encoding="utf-8").splitlines()
        if "|safe" in line or "autoescape" in line
    ]
    assert ["style|safe" in safe[0], "drawing|safe" in safe[1], len(safe)] == [True, True, 2]
