"""Small notebooks of our own, for tests of the page without the course's form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ECHO = '''
import os
import anywidget

class Echo(anywidget.AnyWidget):
    """Sends back what it gets, with the kernel's process id."""

    _esm = """
    export default {
      initialize({ model }) { window.initialized = (window.initialized ?? 0) + 1; },
      render({ model, el }) {
        const heard = (window.heard ??= []);
        el.innerHTML = `<div class="echo pcn-card"><label for="text">What do you say?</label>
          <textarea id="text"></textarea><button class="pcn-button">Send</button>
          <p class="answer" role="status"></p></div>`;
        const [text] = el.querySelectorAll("textarea");
        const send = () => model.send({ text: text.value });
        el.querySelector("button").onclick = send;
        model.on("msg:custom", (content) => {
          heard.push(content);
          el.querySelector(".answer").textContent = content.text;
        });
        model.on("pcn:disconnected", () => heard.push("pcn:disconnected"));
        model.on("pcn:reconnected", () => { heard.push("pcn:reconnected"); send(); });
        const step = (number, short, state) => ({ number, short, state, path: `${short}.ipynb` });
        el.dispatchEvent(new CustomEvent("pcn:state", { bubbles: true, composed: true, detail: {
          steps: [step(1, "First", "submitted"), step(2, "echo/echo", "in-progress")],
          step: { minutes: 25 }, due: null } }));
      },
    };
    """
    _css = ".echo textarea { display: block; width: 100%; }"

    def __init__(self):
        super().__init__()
        self.on_msg(self._answer)

    def _answer(self, _widget, content, _buffers):
        self.send({"text": content["text"], "pid": os.getpid()})
'''


def write_notebook(
    path: Path, *cells: str, kernel: str = "python3", title: str = "", page: str = "step"
) -> Path:
    """A notebook from its cells: ``# …`` is markdown, ``#grading …`` is code for grading."""
    metadata: dict[str, Any] = {
        "kernelspec": {"name": kernel, "display_name": kernel, "language": "python"},
        "pcn": {"page": page},
    }
    if title:
        metadata["title"] = title
    notebook = {
        "cells": [_cell(number, source) for number, source in enumerate(cells)],
        "metadata": metadata,
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(notebook), encoding="utf-8")
    return path


def _cell(number: int, source: str) -> dict[str, Any]:
    cell: dict[str, Any] = {"id": f"cell-{number}", "source": source, "metadata": {}}
    if source.startswith("# "):
        return {**cell, "cell_type": "markdown"}
    if source.startswith("#grading"):
        cell["metadata"] = {"tags": ["grading"]}
    return {**cell, "cell_type": "code", "execution_count": None, "outputs": []}
