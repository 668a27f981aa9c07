"""JupyterHub for one class on one server. What is to be chosen stands in ``hub.toml``."""

import os
from pathlib import Path

from pcn_course.hub.config import configure

c = get_config()  # noqa: F821 (JupyterHub provides it)
configure(c, Path(os.environ.get("PCN_HUB_SETTINGS", "/etc/pcn/hub.toml")))
