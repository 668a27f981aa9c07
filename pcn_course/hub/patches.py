"""What is changed in other packages' classes, each with the reason; nowhere else in the hub.

``tests/hub/test_patches.py`` tries each change against the installed package, and that no other
module makes one.
"""

from __future__ import annotations

from typing import Any

from traitlets.config import Application

from pcn_course.hub.json_logs import hub_logging


def log_applications_as_json() -> None:
    """Let all Jupyter applications of this process log as the hub does.

    ``Application.logging_config`` is the public way (ipython/traitlets#688). It does for the hub,
    but an instructor's lab is several applications, which JupyterHub and Jupyter Server make. Each
    sets up its logging when it is made and reads its configuration later, so that its first lines
    would be in words.
    """
    usual = Application.get_default_logging_config

    def as_the_hub(self: Application) -> dict[str, Any]:
        ours, config = hub_logging(), usual(self)
        config["formatters"]["console"].update(ours["formatters"]["console"])
        return {**config, "root": ours["root"]}

    Application.get_default_logging_config = as_the_hub  # type: ignore[method-assign]
