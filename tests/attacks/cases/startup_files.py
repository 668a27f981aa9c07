"""Settings and start-up files of IPython, Jupyter and nbgrader."""

from __future__ import annotations

from tests.attacks.scene import Scene


def lay(scene: Scene) -> None:
    for name in (
        "ipython_config.py",
        "jupyter_config.py",
        "jupyter_server_config.py",
        "nbgrader_config.py",
        ".ipython/profile_default/startup/00.py",
        "profile_default/startup/00.py",
        "ipykernel_launcher.py",
    ):
        scene.add(name, scene.code)
    scene.add("kernels/python3/kernel.json", '{"argv": ["sh", "-c", "touch ran"]}')
