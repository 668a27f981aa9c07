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

from pcn_course.look import LOOK

_HERE = Path(__file__).parent

_LOADER = """\
const bytes = Uint8Array.from(atob("%s"), (letter) => letter.charCodeAt(0));
const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
const { css, modules } = await new Response(stream).json();
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
  return widget.render(view);
};
export default { render };
"""


def bundle(*modules: str, css: str) -> str:
    """The ES module of a widget: ``modules`` by file name, each after those that it imports.

    The last one exports the widget. Its styles are the shared look and the file ``css``.
    """
    content = {
        "css": _without_comments(LOOK.read_text("utf-8") + (_HERE / css).read_text("utf-8")),
        "modules": [[name, _lean((_HERE / name).read_text("utf-8"), name)] for name in modules],
    }
    packed = zlib.compress(json.dumps(content, ensure_ascii=False).encode(), 9)
    return _LOADER % (base64.b64encode(packed).decode(), modules[-1])


def _lean(source: str, name: str) -> str:
    """``source`` without lines of comment, under its name in the browser's developer tools."""
    lines = (line.lstrip() for line in source.splitlines())
    code = "\n".join(line for line in lines if not line.startswith("//"))
    return f"{code}\n//# sourceURL=pcn_course/widgets/{name}\n"


def _without_comments(css: str) -> str:
    return re.sub(r"/\*.*?\*/\s*", "", css, flags=re.DOTALL)
