"""The name by which ``assignments/nbgrader_config.py`` sets nbgrader up, in courses of any age."""

from pcn_course.grading.nbgrader.config import configure

__all__ = ["configure"]
