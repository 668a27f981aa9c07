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

from rcssmin import cssmin
from rjsmin import jsmin

from pcn_course.look import LOOK

WIDGETS = ("form", "home", "portfolio", "marking", "cohort", "agreement")
"""The widgets: each begins with the module and the style sheet of its name."""
PAGES = {"step": "form", "portfolio": "portfolio", "example": "portfolio"}
"""Which widget's file a page needs, by the kind of page that a notebook's metadata names."""
ROOM_PAGES = {"marking": "marking", "cohort": "cohort", "agreement": "agreement"}
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
const fetched = () => Promise.race([
  import(new URL(`${base}pcn/widgets/${file}`, location)),
  new Promise((_, refuse) => setTimeout(refuse, 60000, `${file} did not come`)),
]);
const sent = (model) => new Promise((resolve) => {
  const client = crypto.getRandomValues(new Uint32Array(2)).join("-");
  const ask = () => model.send({ type: "code", client });
  const again = setInterval(ask, 4000);
  const hear = (message) => {
    if (message?.client !== client) return;
    clearInterval(again);
    model.off("msg:custom", hear);
    resolve(message.packed);
  };
  model.on("msg:custom", hear);
  ask();
});
const unpacked = async (packed) => {
  const url = URL.createObjectURL(new Blob([await inflate(packed)], { type: "text/javascript" }));
  return import(url).finally(() => URL.revokeObjectURL(url));
};
const begin = async (model) => {
  if (brought) return unpacked(brought);
  const ours = base == null ? null : await fetched().catch(console.warn);
  return ours ?? unpacked(await sent(model));
};
let begun;
export default {
  render: async (view) => (await (begun ??= begin(view.model))).render(view),
};
"""
_RENDER = """\
const inflate = async (text) => {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).text();
};
export const css = %s;
export const render = (view) => {
  const style = document.createElement("style");
  style.textContent = css;
  view.el.append(style);
  return %s.widget.render({ ...view, inflate });
};
"""
_IMPORT = re.compile(r'^import \{(.*)\} from "\./([\w-]+)\.js";$', re.MULTILINE)
_EXPORT = re.compile(r"^export (?:async )?(?:function|class|const) (\w+)", re.MULTILINE)
_DEFAULT = re.compile(r"^export default ", re.MULTILINE)
_CSS_IMPORT = re.compile(r'^@import "([\w-]+\.css)";$', re.MULTILINE)


class Asset(NamedTuple):
    """A widget's file: its name, which changes with its content, and that content (UTF-8)."""

    file: str
    content: bytes


@functools.cache
def asset(name: str) -> Asset:
    """The file of the widget ``name``, one of ``WIDGETS``.

    It is one ES module that exports ``render`` (and ``css``): a browser keeps a module compiled
    that it knows by its address. Our pages have the shared look already.
    """
    content = _module(name, cssmin(_styles(f"{name}.css")))
    return Asset(f"{name}-{hashlib.sha256(content).hexdigest()[:16]}.js", content)


def whole(name: str) -> bytes:
    """The content of a widget's file for a page that has not got the shared look."""
    css = LOOK.read_text("utf-8") + _styles(f"{name}.css")
    return _module(name, cssmin(css))


def loader(name: str) -> str:
    """The ES module that a widget has as ``_esm``: it fetches the widget's file and begins."""
    file = asset(name).file
    packed = deflated(whole(name))
    minified: str = jsmin(_LOADER % (file, packed if len(packed) < SMALL else ""))
    return minified


def pack(content: Any) -> str:
    """``content`` as JSON, deflated, in base64: what the page's ``inflate`` reads.

    Nothing compresses what a kernel sends, and a slow line feels each kilobyte.
    """
    return deflated(json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode())


def deflated(content: bytes) -> str:
    """``content`` deflated, in base64."""
    return base64.b64encode(zlib.compress(content, 9)).decode()


def _module(name: str, css: str) -> bytes:
    """All modules of a widget as one, each in a scope of its own, after those that it imports."""
    ordered: dict[str, str] = {}
    _gather(name, ordered)
    render = _RENDER % (json.dumps(css, ensure_ascii=False), _var(name))
    return "\n".join(map(jsmin, (*ordered.values(), render))).encode()


def _gather(name: str, ordered: dict[str, str]) -> None:
    """Put a module into ``ordered``, as an object of what it exports; first those it imports."""
    if name in ordered:
        return
    source = (_HERE / f"{name}.js").read_text("utf-8")
    for _, other in _IMPORT.findall(source):
        _gather(other, ordered)
    exported = _EXPORT.findall(source)
    source, has_default = _DEFAULT.subn("const widget = ", source)
    if has_default:
        exported.append("widget")
    source = re.sub(r"^export ", "", source, flags=re.MULTILINE)
    source = _IMPORT.sub(lambda found: f"const {{{found[1]}}} = {_var(found[2])};", source)
    ordered[name] = (
        f"const {_var(name)} = (() => {{\n{source}\nreturn {{{','.join(exported)}}};\n}})();"
    )


def _var(name: str) -> str:
    return "$" + name.replace("-", "_")


def _styles(name: str) -> str:
    source = (_HERE / name).read_text("utf-8")
    return _CSS_IMPORT.sub(lambda found: _styles(found[1]), source)
