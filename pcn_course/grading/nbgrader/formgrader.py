"""Formgrader's own pages, with all that they show escaped.

nbgrader puts ids, which come from folders' names and from the address, into its pages as they are,
within scripts too: a link with a quotation mark in it would run with the instructor's kernels.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any

from jinja2 import Environment, FileSystemLoader
from tornado.web import HTTPError

from pcn_course.grading.late.time_zone import ZoneError

_IN_SCRIPT = re.compile(r'^(\s*var \w+ = )"\{\{ (\w+) \}\}";', re.MULTILINE)


def render(_stock: Callable[..., str], _config: Any, _handler: Any, name: str, **ns: Any) -> str:
    """One of formgrader's own pages, with every value escaped."""
    return _pages().get_template(name).render(**ns)


def put_assignment(stock: Callable[..., Any], _config: Any, handler: Any, step_id: str) -> Any:
    """Save a due date from formgrader's dialog.

    Raises:
        HTTPError: 400 where it can't be read, in place of a server error.
    """
    try:
        return stock(handler, step_id)
    except ZoneError as error:
        raise HTTPError(400, "%s", error.plain, reason="The due date can't be read") from error


@functools.cache
def _pages() -> Environment:
    from nbgrader.server_extensions.formgrader import handlers

    return Environment(loader=_Loader([handlers.template_path]), autoescape=True)


class _Loader(FileSystemLoader):
    """nbgrader's templates; where a script holds a value, it stands there as a script has it.

    Escaped for a page it would be another text, and a backslash at its end would take the quotation
    mark with it.
    """

    def get_source(
        self, environment: Environment, template: str
    ) -> tuple[str, str, Callable[[], bool]]:
        source, path, is_current = super().get_source(environment, template)
        return _IN_SCRIPT.sub(r"\1{{ \2|tojson }};", source), path, is_current
