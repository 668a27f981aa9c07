"""Formgrader's own pages as text: what is in them can't get out of its place."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from nbgrader.server_extensions.formgrader import handlers
from nbgrader.server_extensions.formgrader.base import BaseHandler

from pcn_course.grading.nbgrader.formgrader import render

PAGES = sorted(path.name for path in Path(handlers.template_path).glob("*.tpl"))
HOSTILE = '";alert(1);"</script><img src=x onerror=alert(1)>\'\u2028\n\\'
VALUES = (
    "student_id", "assignment_id", "notebook_id", "base_url", "url_prefix", "default_timezone",
    "current_config", "exchange", "course_dir", "course_id", "error_code",
)  # fmt: skip


@pytest.mark.parametrize("name", [one for one in PAGES if one != "formgrade_404.tpl"])
def test_whatever_a_value_is_it_stays_in_its_place(name: str) -> None:
    page = render(
        BaseHandler.render,
        None,
        None,
        name,
        **dict.fromkeys(VALUES, HOSTILE),
        exchange_missing=True,
    )
    assert "<img" not in page
    assert "alert(1)" in page
    shown = re.findall(r"^\s*var \w+ = (.*);$", page, re.MULTILINE)
    assert shown
    for value in shown:
        assert json.loads(value) == HOSTILE
        assert not set(value) & set("<>&'")
