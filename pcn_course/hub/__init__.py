"""A whole class on one server: JupyterHub, with an account and folders for each."""

from __future__ import annotations

try:
    import grp  # noqa: F401 (with these two a server has accounts and limits)
    import resource  # noqa: F401
except ImportError as error:
    message = "The class server (pcn_course.hub) runs on Linux only."
    raise ImportError(message) from error
