"""Who somebody is in a class, and which servers that gives.

The hub of a cluster has this file and :mod:`pcn_course.hub.kubernetes.pods` without the rest of the
course, so both import nothing but what that hub has.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

Role = Literal["student", "grader", "instructor"]

LIGHT = "marking"
"""The name of an instructor's second server: the light pages for marking, without the lab."""
ONE_SERVER = "There is one server for each person."


def role_of(name: str, instructors: Collection[str], graders: Collection[str]) -> Role:
    """Return what somebody is in this course."""
    if name in instructors:
        return "instructor"
    return "grader" if name in graders else "student"


def has_server(role: Role, server: str) -> bool:
    """Return True if somebody with this role has a server of this name; '' is everyone's own."""
    return not server or (role == "instructor" and server == LIGHT)
