"""A course in which social work doctoral students build a professional collaboration network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pcn_course.instructor.agreement import open_agreement
    from pcn_course.instructor.cohort import open_cohort
    from pcn_course.instructor.marking import open_marking
    from pcn_course.widgets.home import open_home
    from pcn_course.widgets.portfolio import open_example, open_portfolio
    from pcn_course.widgets.step import open_step

__version__ = "0.1.0"
__all__ = [
    "__version__",
    "open_agreement",
    "open_cohort",
    "open_example",
    "open_home",
    "open_marking",
    "open_portfolio",
    "open_step",
]


def __getattr__(name: str) -> Any:
    """Load the widgets when a notebook asks for them: commands and grading do without."""
    if name == "open_step":
        from pcn_course.widgets.step import open_step

        return open_step
    if name == "open_home":
        from pcn_course.widgets.home import open_home

        return open_home
    if name in ("open_example", "open_portfolio"):
        from pcn_course.widgets import portfolio

        return getattr(portfolio, name)
    if name == "open_agreement":
        from pcn_course.instructor.agreement import open_agreement

        return open_agreement
    if name == "open_cohort":
        from pcn_course.instructor.cohort import open_cohort

        return open_cohort
    if name == "open_marking":
        from pcn_course.instructor.marking import open_marking

        return open_marking
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
