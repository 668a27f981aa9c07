"""A made-up class to try everything on: who is in it, what they write, and a room that holds it.

Everybody and everything in it is invented, and says so.
"""

from __future__ import annotations

from pcn_course.demo.people import KINDS, QUALITIES, Pupil, generate

__all__ = ["KINDS", "QUALITIES", "Pupil", "generate"]
