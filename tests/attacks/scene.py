"""What an attack has at hand: a real submission to spoil, and things that it must not reach.

Each file in ``cases/`` is one attack. Its ``lay`` spoils a folder, which is then handed in through
the exchange and also put into ``submitted/`` by hand; its ``pack`` makes a ZIP, as an LMS gives it.
"""

from __future__ import annotations

import importlib.util
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

STEP = "step-1-goals"
NOTEBOOK = f"{STEP}.ipynb"
BASE = dict.fromkeys(
    ("live-project", "next-decision", "what-you-do"), "A line that anybody could write"
)
"""What an attacker honestly answered: not all of it, so that a raised score would show."""
PRIVATE = "For nobody but the student"
"""What an older page put beside the answers that are for all."""
ACTING = "\x1b[2J\x1b]0;title\x07\r\n[ZipCollectApp | INFO] forged: 40 taken in\u202e\u2066"
"""A name that clears the screen, begins a line and turns its direction."""
CHECKOUT = Path(__file__).parents[2]
CASES = {
    path.stem: path for path in sorted((Path(__file__).parent / "cases").glob("*.py"))
}  # fmt: skip


@dataclass(frozen=True)
class Scene:
    """One attacker's submission. ``mark`` must never exist, nobody may read ``secret``."""

    student: str
    victim: str
    folder: Path
    mark: Path
    secret: Path

    @property
    def code(self) -> str:
        """What would show that a student's code has run."""
        return f"from pathlib import Path; Path({str(self.mark)!r}).write_text('I ran')"

    def add(self, name: str, content: str | bytes) -> Path:
        """A file of the submission, in whatever folder."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def notebook(self) -> dict[str, Any]:
        """The notebook, as it was released."""
        read: dict[str, Any] = json.loads((self.folder / NOTEBOOK).read_bytes())
        return read

    def write_notebook(self, notebook: Any) -> None:
        """Put a notebook in its place."""
        self.add(NOTEBOOK, json.dumps(notebook))

    def code_cell(self, **metadata: Any) -> dict[str, Any]:
        """A cell that would show that it has run."""
        return {
            "cell_type": "code", "execution_count": 1, "id": "an-attack", "metadata": metadata,
            "outputs": [], "source": self.code,
        }  # fmt: skip

    def document(self, fields: Mapping[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        """Answers as the form writes them, with ``more`` beside."""
        values = {**BASE, **(fields or {})}
        return {
            "format": 1, "course": "pcn", "step": "goals", "revision": 1,
            "saved_at": "2026-01-20T09:59:00Z",
            "fields": {key: {"value": value, "version": 1} for key, value in values.items()},
            **more,
        }  # fmt: skip

    def write_answers(self, document: Any) -> None:
        """Put answers in their place: a document, or bytes as they are."""
        self.add("answers.json", document if isinstance(document, bytes) else json.dumps(document))

    def packed(self, members: Mapping[str | zipfile.ZipInfo, str | bytes] | None = None) -> bytes:
        """A ZIP with honest answers and what else is given."""
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("answers.json", json.dumps(self.document()))
            for name, content in (members or {}).items():
                archive.writestr(name, content)
        return made.getvalue()


def load(name: str) -> ModuleType:
    """One attack."""
    spec = importlib.util.spec_from_file_location(f"attack_{name}", CASES[name])
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
