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

_IN_SCRIPT = re.compile(r'^(\s*var \w+ = )"\{\{ (\w+) \}\}";', re.MULTILINE)


def escape_formgrader() -> None:
    """Let formgrader make its pages with escaping. It has no setting for this."""
    from nbgrader.server_extensions.formgrader.base import BaseHandler

    BaseHandler.render = _render


def _render(_: Any, name: str, **values: Any) -> str:
    return _pages().get_template(name).render(**values)


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
