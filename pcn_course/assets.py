"""Scripts and styles of the widgets: for each widget one file, which the page's server gives out.

A browser fetches it once, compressed, and keeps it, so the second step already has it. Where no
server of ours is (JupyterLab, stock Voilà), the kernel sends the same file as a message. The module
that anywidget wants (``_esm``) is but the loader that knows both ways. Sources stay ordinary
modules in ``widgets/`` that import each other by ``"./name.js"``, styles by ``@import "name.css"``.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import re
import zlib
from pathlib import Path
from typing import Any, NamedTuple

from rjsmin import jsmin

from pcn_course.look import LOOK

WIDGETS = ("form", "home", "portfolio", "marking", "cohort")
"""The widgets: each begins with the module and the style sheet of its name."""
PAGES = {"step": "form", "portfolio": "portfolio", "example": "portfolio"}
"""Which widget's file a page needs, by the kind of page that a notebook's metadata names."""
ROOM_PAGES = {"marking": "marking", "cohort": "cohort"}
"""The same for the pages that instructors open."""
SMALL = 8000
"""Bytes below which a widget's file is not worth a request: its loader brings it along."""

_HERE = Path(__file__).parent / "widgets"
_LOADER = """\
const file = "%s";
const brought = "%s";
const inflate = async (text) => {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).text();
};
const { pcnBase: base } = document.documentElement.dataset;
const fetched = async () => {
  const answer = await fetch(`${base}pcn/widgets/${file}`, { signal: AbortSignal.timeout(60000) });
  if (!answer.ok) throw new Error(`${file}: ${answer.status}`);
  return answer.json();
};
const sent = (model) => new Promise((resolve) => {
  const client = crypto.getRandomValues(new Uint32Array(2)).join("-");
  const ask = () => model.send({ type: "code", client });
  const again = setInterval(ask, 4000);
  const hear = async (message) => {
    if (message?.client !== client) return;
    clearInterval(again);
    model.off("msg:custom", hear);
    resolve(JSON.parse(await inflate(message.packed)));
  };
  model.on("msg:custom", hear);
  ask();
});
const begin = async (model) => {
  const had = brought ? JSON.parse(await inflate(brought))
    : base == null ? null : await fetched().catch(console.warn);
  const { css, modules } = had ?? (await sent(model));
  const urls = {};
  for (const [name, source] of modules) {
    const text = source.replace(/"\\.\\/([\\w-]+\\.js)"/g, (_, other) => `"${urls[other]}"`);
    urls[name] = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  }
  const { default: widget } = await import(urls[modules.at(-1)[0]]);
  Object.values(urls).forEach((url) => URL.revokeObjectURL(url));
  return { css, widget };
};
let begun;
export default {
  async render(view) {
    const { css, widget } = await (begun ??= begin(view.model));
    const style = document.createElement("style");
    style.textContent = css;
    view.el.append(style);
    return widget.render({ ...view, inflate });
  },
};
"""
_IMPORT = re.compile(r'^import .*"\./([\w-]+\.js)";$', re.MULTILINE)
_CSS_IMPORT = re.compile(r'^@import "([\w-]+\.css)";$', re.MULTILINE)


class Asset(NamedTuple):
    """A widget's file: its name, which changes with its content, and that content (JSON, UTF-8)."""

    file: str
    content: bytes


@functools.cache
def asset(name: str) -> Asset:
    """The file of the widget ``name``, one of ``WIDGETS``.

    It holds ``{"css": …, "modules": [[name, source], …]}``, each module after those that it
    imports, the last of which exports the widget. Our pages have the shared look already.
    """
    ordered: dict[str, str] = {}
    _gather(f"{name}.js", ordered)
    packed = {
        "css": _without_comments(_styles(f"{name}.css")),
        "modules": [[module, _lean(source, module)] for module, source in ordered.items()],
    }
    content = json.dumps(packed, ensure_ascii=False).encode()
    return Asset(f"{name}-{hashlib.sha256(content).hexdigest()[:16]}.json", content)


def whole(name: str) -> bytes:
    """The content of a widget's file for a page that has not got the shared look."""
    content = json.loads(asset(name).content)
    content["css"] = _without_comments(LOOK.read_text("utf-8")) + content["css"]
    return json.dumps(content, ensure_ascii=False).encode()


def loader(name: str) -> str:
    """The ES module that a widget has as ``_esm``: it fetches the widget's file and begins."""
    file = asset(name).file
    packed = deflated(whole(name))
    return _LOADER % (file, packed if len(packed) < SMALL else "")


def pack(content: Any) -> str:
    """``content`` as JSON, deflated, in base64: what the page's ``inflate`` reads.

    Nothing compresses what a kernel sends, and a slow line feels each kilobyte.
    """
    return deflated(json.dumps(content, ensure_ascii=False).encode())


def deflated(content: bytes) -> str:
    """``content`` deflated, in base64."""
    return base64.b64encode(zlib.compress(content, 9)).decode()


def _gather(name: str, ordered: dict[str, str]) -> None:
    """Put a module's source into ``ordered``, after those that it imports."""
    if name in ordered:
        return
    source = (_HERE / name).read_text("utf-8")
    for other in _IMPORT.findall(source):
        _gather(other, ordered)
    ordered[name] = source


def _styles(name: str) -> str:
    source = (_HERE / name).read_text("utf-8")
    return _CSS_IMPORT.sub(lambda found: _styles(found[1]), source)


def _lean(source: str, name: str) -> str:
    """``source`` without comments and idle space, named for the browser's developer tools."""
    return f"{jsmin(source)}\n//# sourceURL=pcn_course/widgets/{name}\n"


def _without_comments(css: str) -> str:
    return re.sub(r"/\*.*?\*/\s*", "", css, flags=re.DOTALL)
