"""The way through a learning management system: submissions in, grades out, by a roster."""

from __future__ import annotations

from pcn_course.files import UserError


class LmsError(UserError):
    """It can't be done; nothing was changed."""
