"""HTML from the templates in ``templates/``: whatever a template is given is escaped."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from pcn_course.characters import clean

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"
"""The folder of all templates."""
# A line break of a template is none of the page: beside a tag it is nothing, within words a space.
_BESIDE_TAGS = re.compile(r"(?<=[>}])\s*\n\s*|\s*\n\s*(?=[<{])")
_WITHIN_WORDS = re.compile(r"\s*\n\s*")


def render(template: str, macro: str, *values: Any) -> str:
    """Return what a macro of ``templates/TEMPLATE.html.j2`` makes of ``values``."""
    return str(getattr(_environment().get_template(template).module, macro)(*values))


@functools.cache
def _environment() -> Environment:
    # It takes a while to load, and a page that is waiting for its student needs none yet.
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    return Environment(
        loader=FunctionLoader(_source), autoescape=True, undefined=StrictUndefined, finalize=_text
    )


def _source(template: str) -> str:
    source = (TEMPLATES / f"{template}.html.j2").read_text(encoding="utf-8")
    return _WITHIN_WORDS.sub(" ", _BESIDE_TAGS.sub("", source.strip()))


def _text(value: Any) -> Any:
    """Take the characters that no HTML page may hold out of what a template prints."""
    return value if isinstance(value, Markup) else clean(value)
