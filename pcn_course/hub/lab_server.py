"""An instructor's lab: JupyterHub's own server, which logs as the rest of the hub does."""

from __future__ import annotations

import os

from pcn_course.hub.patches import log_applications_as_json


def main() -> None:
    """Serve the lab of those whom the environment names; lines of JSON unless it says plain."""
    if os.environ.get("PCN_LOGS") != "plain":
        log_applications_as_json()
    from jupyterhub.singleuser import main as serve

    serve()


if __name__ == "__main__":
    main()
