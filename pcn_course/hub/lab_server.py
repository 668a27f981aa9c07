"""An instructor's lab: JupyterHub's own server, which logs as the rest of the hub does.

The lab is made of several applications. Each sets up its own logging as soon as it is made, before
it reads any configuration, so the form of their lines can't be said on the command line.
"""

from __future__ import annotations

import os
from typing import Any

from traitlets.config import Application

from pcn_course.hub.json_logs import hub_logging


def main() -> None:
    """Serve the lab of those whom the environment names; lines of JSON unless it says plain."""
    if os.environ.get("PCN_LOGS") != "plain":
        _log_json()
    from jupyterhub.singleuser import main as serve

    serve()


def _log_json() -> None:
    usual = Application.get_default_logging_config

    def as_the_hub(self: Application) -> dict[str, Any]:
        ours, config = hub_logging(), usual(self)
        config["formatters"]["console"].update(ours["formatters"]["console"])
        return {**config, "root": ours["root"]}

    Application.get_default_logging_config = as_the_hub  # type: ignore[method-assign]


if __name__ == "__main__":
    main()
