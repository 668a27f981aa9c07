"""What the course's widgets have in common: a page talks to them in messages of a protocol.

Student text travels in custom messages only, never in a synced trait: a trait would be out of date
in a kernel that was started ahead, and JupyterLab would write it into the notebook.
"""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import anywidget

from pcn_course.assets import deflated, pack, whole
from pcn_course.widgets import protocol

log = logging.getLogger("pcn_course")

Reply = dict[str, Any]
LONG = 2000
"""Characters of a message above which packing it saves something."""


class Desk(anywidget.AnyWidget):
    """A widget that answers the messages of its protocol, and refuses everything else.

    A subclass names its scripts and styles (``_asset``), and says which messages it takes
    (``_takes``) and what it does with one (``_answer``).
    """

    _takes: ClassVar[Any]
    _asset: ClassVar[str]

    def __init__(self, name: str) -> None:
        super().__init__()
        self._called = name
        self.on_msg(self._receive)

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Refuse changes of traits from the page: there is nothing in them to change."""
        log.warning("%s: refused a change of %d traits", self._called, len(sync_data))

    def send(self, content: Any, buffers: Any = None) -> None:
        """Send a message to the page; a long one is packed."""
        if len(json.dumps(content)) > LONG:
            content = {"client": content["client"], "packed": pack(content)}
        super().send(content, buffers)

    def _answer(self, message: Any) -> None:
        raise NotImplementedError

    def _receive(self, _: anywidget.AnyWidget, content: Any, buffers: list[Any] | None) -> None:
        try:
            if buffers:
                raise protocol.NotInProtocolError("a message with buffers")
            message = protocol.read(content, self._takes | protocol.Code)
        except protocol.NotInProtocolError as error:
            log.warning("%s: refused %s", self._called, error)
            return
        if isinstance(message, protocol.Code):
            packed = deflated(whole(self._asset))
            super().send({"client": message.client, "packed": packed})
            return
        self._answer(message)

    def _beside(self, work: Callable[[], Iterable[Reply]]) -> None:
        """Do ``work`` in a thread, so that saves go on meanwhile, and send what it returns."""
        try:
            loop: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
        except RuntimeError:
            loop = None

        def run() -> None:
            for reply in work():
                # A kernel's sockets belong to its loop.
                if loop:
                    loop.call_soon_threadsafe(self.send, reply)
                else:
                    self.send(reply)

        threading.Thread(target=run, name=f"{self._called}, beside", daemon=True).start()
