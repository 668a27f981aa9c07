"""A Jupyter server that ends with whoever started it: its standard input tells when they are gone.

Ctrl-C and signals are seen to by `Formgrader`; this is for a process that was killed outright.
"""

from __future__ import annotations

import os
import signal
import sys
import threading


def _main() -> None:
    from jupyter_server.serverapp import main

    def watch() -> None:
        sys.stdin.buffer.read()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()
    main()


if __name__ == "__main__":
    _main()
