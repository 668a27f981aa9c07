"""``pcn``: one command for each thing that whoever runs the course does by hand."""

from __future__ import annotations

from pcn_course.cli import agreement, audit, care, course, demo, feedback, late, teaching
from pcn_course.cli.group import main

__all__ = ["agreement", "audit", "care", "course", "demo", "feedback", "late", "main", "teaching"]
