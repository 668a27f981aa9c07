"""Holds the page to its word: whenever it says "Saved", is all that it shows on disk?

A script in the page watches the status line. At each "Saved" it stops the page, with a synchronous
request, until the files were compared with the fields; so nothing can happen in between.
"""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from pcn_course.course import Step
from tests.soak.ledger import Ledger

TEXTS = """() => Object.fromEntries(
  [...document.querySelectorAll("[data-key]")].map((field) => {
    // A folded row has its fields only when it was opened once.
    const folded = field.querySelectorAll(".pcn-fold:not(:has(fieldset)) > summary");
    folded.forEach((head) => head.click());
    const controls = [...field.querySelectorAll("textarea, input[type=text]")];
    return [field.dataset.key, controls.map((el) => el.value).join("\\n")];
  }))"""
"""The text of all fields of a page, by key."""
_WATCH = """(() => {
  const [port, writer, step] = SETTINGS;
  const texts = TEXTS;
  let last = "";
  const look = () => {
    const status = document.querySelector(".pcn-status")?.textContent ?? "";
    if (!status) return;
    const box = document.querySelector(".pcn-alert");
    const alert = box && !box.hidden ? box.textContent : "";
    const claims = !/^(Saving|Not saved)/.test(status);
    const report = { status, alert, fields: claims ? texts() : null };
    const key = JSON.stringify(report);
    if (key === last) return;
    last = key;
    const request = new XMLHttpRequest();
    request.open("POST", `http://127.0.0.1:${port}/`, false);
    try {
      request.send(JSON.stringify({ writer, step, at: Date.now() / 1000, ...report }));
    } catch { /* a page that is going away may not ask any more */ }
  };
  new MutationObserver(look).observe(document, {
    subtree: true, childList: true, characterData: true, attributes: true,
    attributeFilter: ["hidden"],
  });
  addEventListener("input", look);
})();"""


@dataclass
class Sight:
    """What a page showed, from ``at`` (seconds since 1970) on."""

    writer: str
    at: float
    status: str
    alert: str
    claims: bool
    """Whether it said, in whatever words, that nothing is unsaved."""
    missing: tuple[str, ...]
    """Words that it showed then and that were not on disk."""


@dataclass
class Witness:
    """Sees all pages of one workspace. Use it in a ``with`` statement."""

    workspace: Path
    ledger: Ledger
    sights: list[Sight] = field(default_factory=list)

    def __enter__(self) -> Self:
        """Listen."""
        witness = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                witness.see(json.loads(body))
                self.send_response(200)
                self.send_header("Access-Control-Allow-Origin", "*")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()

    def script(self, writer: str, step: Step) -> str:
        """The script for a page, to be run before its own."""
        settings = json.dumps([self._server.server_address[1], writer, step.id])
        return _WATCH.replace("SETTINGS", settings).replace("TEXTS", TEXTS)

    def see(self, report: dict[str, Any]) -> None:
        """Take what a page shows; compare it with the disk when it says that all is saved."""
        shown: dict[str, str] | None = report["fields"]
        missing: list[str] = []
        if shown is not None:
            kept = on_disk(self.workspace, report["step"])
            for key, text in shown.items():
                there = kept.get(key, "").split()
                missing += [
                    w for w in text.split() if not self._is_there(w, there, report["writer"])
                ]
            self.ledger.shown_saved(report["step"], shown)
        self.sights.append(
            Sight(
                report["writer"],
                report["at"],
                report["status"],
                report["alert"],
                shown is not None,
                tuple(missing),
            )
        )

    def _is_there(self, word: str, there: list[str], writer: str) -> bool:
        if word in there:
            return True
        # Another writer in the middle of this word may be further ahead on disk.
        return not word.startswith(writer) and not self.ledger.is_whole(word)

    def forget(self, writer: str) -> None:
        """The page is loaded again: what it showed before counts no more."""
        self.sights.append(Sight(writer, time.time(), "", "", claims=False, missing=()))

    def latest(self, writer: str) -> Sight | None:
        """What a writer's page shows now."""
        return next((one for one in reversed(self.sights) if one.writer == writer), None)


def on_disk(workspace: Path, step: str) -> dict[str, str]:
    """The text of all fields of a step, private ones included, as the files have them."""
    texts: dict[str, str] = {}
    for path in (workspace / step / "answers.json", workspace / f".pcn/private/{step}.json"):
        try:
            document = json.loads(path.read_bytes())
        except FileNotFoundError:
            continue
        texts |= {key: flat(one["value"]) for key, one in document["fields"].items()}
    return texts


def flat(value: Any) -> str:
    """The text in a value; of a table, that of all its cells."""
    if isinstance(value, list):
        return "\n".join(
            cell
            for row in value
            if isinstance(row, dict)
            for name, cell in row.items()
            if name != "id" and isinstance(cell, str)
        )
    return value if isinstance(value, str) else ""
