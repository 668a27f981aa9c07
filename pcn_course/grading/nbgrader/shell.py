"""Runs a notebook's cells inside this process, with the outputs that a kernel would have given.

Only the course's own cells are run here: a student's notebook is never opened. So the one thing
that a kernel of its own would add is its start, which is most of the time that grading takes.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import types
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, TextIO

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from nbformat import NotebookNode
from nbformat.v4 import new_output
from traitlets import Type
from traitlets.config import Config

from pcn_course.grading.nbgrader.patches import ipython_shell


class CellTimeoutError(Exception):
    """A cell took longer than it may."""


class _Outputs(list[NotebookNode]):
    """The outputs of one cell, in their order."""

    def stream(self, name: str, text: str) -> None:
        """Add to a stream: to its last piece, if only streams came after it, as nbclient does."""
        for output in reversed(self):
            if output.output_type != "stream":
                break
            if output.name == name:
                output.text += text
                return
        self.append(new_output("stream", name=name, text=text))


class _Stream:
    """What stands in for ``sys.stdout`` or ``sys.stderr``."""

    encoding = "utf-8"
    errors = "replace"

    def __init__(self, shell: GradingShell, name: str) -> None:
        self._shell = shell
        self.name = name

    def write(self, text: str) -> int:
        """Keep ``text`` as output of the cell that runs."""
        if text:
            self._shell.outputs.stream(self.name, str(text))
        return len(text)

    def writelines(self, lines: list[str]) -> None:
        """Write several strings."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Do nothing: all is written at once."""

    def isatty(self) -> bool:
        """Return False."""
        return False


class _Results(DisplayHook):
    """IPython's display hook: keeps the value of a cell's last expression as an output."""

    shell: GradingShell

    def write_output_prompt(self) -> None:
        """Write no prompt, which notebooks lack."""

    def write_format_data(self, format_dict: Any, md_dict: Any = None) -> None:
        """Keep the result in all its forms."""
        self.shell.outputs.append(
            new_output(
                "execute_result", format_dict, metadata=md_dict or {},
                execution_count=self.prompt_count,
            )
        )  # fmt: skip

    def finish_displayhook(self) -> None:
        """Do nothing at the end of an output."""
        self._is_active = False


class _Display(DisplayPublisher):
    """IPython's display publisher: keeps what cells display as outputs."""

    shell: GradingShell

    def publish(self, data: Any, metadata: Any = None, *_: Any, **_more: Any) -> None:
        """Keep a displayed object as an output."""
        self.shell.outputs.append(new_output("display_data", data, metadata=metadata or {}))

    def clear_output(self, wait: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
        """Forget what this cell has put out."""
        self.shell.outputs.clear()


class GradingShell(InteractiveShell):
    """IPython without a terminal, a history, or a kernel around it."""

    displayhook_class = Type(_Results)
    display_pub_class = Type(_Display)
    outputs: _Outputs
    _made: ClassVar[GradingShell | None] = None

    @classmethod
    def of_this_process(cls) -> GradingShell:
        """The one shell of this process; making it takes a tenth of a second."""
        if cls._made is None:
            settings = Config()
            settings.HistoryManager.enabled = False
            settings.InteractiveShell.autocall = 0
            before = {name: sys.modules.get(name) for name in ("__main__",)}
            hooks = sys.displayhook, sys.excepthook
            cls._made = cls(config=settings)
            sys.displayhook, sys.excepthook = hooks
            sys.modules.update({name: kept for name, kept in before.items() if kept})
        return cls._made

    def init_virtualenv(self) -> None:
        """Leave ``sys.path`` as it is."""

    def enable_gui(self, gui: Any = None) -> None:
        """There is nothing to see here."""

    def _showtraceback(self, etype: Any, evalue: Any, stb: Any) -> None:
        self.outputs.append(
            new_output("error", ename=etype.__name__, evalue=str(evalue), traceback=list(stb))
        )

    def begin(self) -> None:
        """A fresh namespace, and counting from the first cell on."""
        self.user_module = types.ModuleType("__main__")
        self.user_module.__dict__["__builtins__"] = __builtins__
        self.user_ns = self.user_module.__dict__
        self.user_ns_hidden = {}
        self.init_user_ns()  # type: ignore[no-untyped-call]
        self.execution_count = 1
        self.outputs = _Outputs()

    def run(self, source: str, seconds: float | None) -> tuple[list[NotebookNode], int]:
        """The outputs of one cell, and its number."""
        self.outputs = _Outputs()
        number = self.execution_count
        with _limit(seconds):
            self.run_cell(source, store_history=True)  # type: ignore[no-untyped-call]
        return list(self.outputs), number


@contextlib.contextmanager
def notebook_session(folder: Path) -> Iterator[GradingShell]:
    """A shell with a fresh namespace in ``folder``; afterwards the process is as it was before."""
    shell = GradingShell.of_this_process()
    kept = (sys.stdout, sys.stderr, sys.argv, list(sys.path), sys.displayhook, sys.excepthook)
    environment = dict(os.environ)
    here = Path.cwd()
    main = sys.modules.get("__main__")
    out: TextIO = _Stream(shell, "stdout")  # type: ignore[assignment]
    err: TextIO = _Stream(shell, "stderr")  # type: ignore[assignment]
    try:
        shell.begin()
        sys.modules["__main__"] = shell.user_module
        sys.stdout, sys.stderr = out, err
        os.chdir(folder)
        # A library's warning would appear for the first student only, and cost that one points.
        with ipython_shell(shell), warnings.catch_warnings():
            yield shell
    finally:
        sys.stdout, sys.stderr, sys.argv, sys.path[:], sys.displayhook, sys.excepthook = kept
        os.chdir(here)
        if os.environ != environment:
            os.environ.clear()
            os.environ.update(environment)
        if main is not None:
            sys.modules["__main__"] = main


@contextlib.contextmanager
def _limit(seconds: float | None) -> Iterator[None]:
    """Stop a cell after that time, where the system can: in the main thread, not on Windows."""
    possible = hasattr(signal, "SIGALRM") and threading.current_thread() is threading.main_thread()
    if not seconds or not possible:
        yield
        return

    def stop(*_: object) -> None:
        raise CellTimeoutError(f"This cell took more than {seconds:g} seconds.")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
