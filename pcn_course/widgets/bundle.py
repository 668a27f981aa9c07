"""Packs a widget's modules and styles into the one ES module that an anywidget has.

The module travels over the kernel's websocket, which nothing compresses, at each visit of a page;
so its parts travel deflated, a third of their size, and the browser inflates them. Sources stay
ordinary modules that import each other by ``"./name.js"``.
"""

from __future__ import annotations

import base64
import json
import re
import zlib
from pathlib import Path
from typing import Any

from pcn_course.look import LOOK

_HERE = Path(__file__).parent

_LOADER = """\
const letters = "%s";
const inflate = (text) => {
  const bytes = new DataView(new ArrayBuffer(Math.ceil(text.length / 5) * 4));
  for (let at = 0; at < text.length; at += 5) {
    let word = 0;
    for (let n = at; n < at + 5; n++) word = word * 85 + letters.indexOf(text[n] ?? "~");
    bytes.setUint32(at / 5 * 4, word);
  }
  const whole = bytes.buffer.slice(0, Math.floor(text.length * 4 / 5));
  const stream = new Blob([whole]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).text();
};
const { css, modules } = JSON.parse(await inflate("%s"));
const urls = {};
for (const [name, source] of modules) {
  const text = source.replace(/"\\.\\/([\\w-]+\\.js)"/g, (_, other) => `"${urls[other]}"`);
  urls[name] = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
}
const { default: widget } = await import(urls["%s"]);
Object.values(urls).forEach((url) => URL.revokeObjectURL(url));
const render = (view) => {
  const style = document.createElement("style");
  style.textContent = css;
  view.el.append(style);
  return widget.render({ ...view, inflate });
};
export default { render };
"""
_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~"
"""Those of `base64.b85encode`: five letters are four bytes, where base64 has five and a third."""
_IMPORT = re.compile(r'^import .*"\./([\w-]+\.js)";$', re.MULTILINE)
_CSS_IMPORT = re.compile(r'^@import "([\w-]+\.css)";$', re.MULTILINE)


def bundle(*modules: str, css: str) -> str:
    """The ES module of a widget: ``modules`` by file name, with all that they import.

    The last one exports the widget. Its styles are the shared look and the file ``css`` with those
    that it imports.
    """
    ordered: dict[str, str] = {}
    for name in modules:
        _gather(name, ordered)
    content = {
        "css": _without_comments(LOOK.read_text("utf-8") + _styles(css)),
        "modules": [[name, _lean(source, name)] for name, source in ordered.items()],
    }
    return _LOADER % (_LETTERS, pack(content), modules[-1])


def pack(content: Any) -> str:
    """``content`` as JSON, deflated, as letters: what a widget gives to ``inflate``.

    A widget gets that function, from such a text to a promise of its JSON, beside its model.
    """
    deflated = zlib.compress(json.dumps(content, ensure_ascii=False).encode(), 9)
    return base64.b85encode(deflated).decode()


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
    """``source`` without lines of comment, under its name in the browser's developer tools."""
    lines = (line.lstrip() for line in source.splitlines())
    code = "\n".join(line for line in lines if not line.startswith("//"))
    return f"{code}\n//# sourceURL=pcn_course/widgets/{name}\n"


def _without_comments(css: str) -> str:
    return re.sub(r"/\*.*?\*/\s*", "", css, flags=re.DOTALL)
