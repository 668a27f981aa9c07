"""Folders whose own names hold what a file pattern gives a meaning: ``pcn [spring]``.

nbgrader looks for notebooks and submissions by patterns that begin with the course's own path, and
finds nothing where that has brackets in it ("No notebooks were matched"). There is no setting for
it, so its modules get a search that takes a folder that is there by its name.
"""

from __future__ import annotations

import glob
import os
from types import SimpleNamespace

from nbgrader import utils
from nbgrader.apps import api
from nbgrader.converters import base
from nbgrader.exchange.default import collect, exchange, fetch_feedback, release_feedback
from nbgrader.exchange.default import list as listing

_SEARCHERS = (base, api, utils, collect, exchange, fetch_feedback, listing, release_feedback)


def find(pattern: str) -> list[str]:
    """Return the paths that a pattern matches; its leading folders that exist are literal."""
    if not glob.has_magic(os.path.dirname(pattern)):  # noqa: PTH120 (nbgrader has text)
        return glob.glob(pattern)  # noqa: PTH207
    literal = pattern
    while not os.path.lexists(literal) and (parent := os.path.dirname(literal)) != literal:  # noqa: PTH120
        literal = parent
    return glob.glob(glob.escape(literal) + pattern[len(literal) :])  # noqa: PTH207


def take_names_literally() -> None:
    """Let nbgrader find what is in a folder with brackets in its name."""
    for module in _SEARCHERS:
        module.glob = SimpleNamespace(glob=find)
