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
const load = (name, source) => {
  const text = source.replace(/"\\.\\/([\\w-]+\\.js)"/g, (_, other) => `"${urls[other]}"`);
  urls[name] = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  return urls[name];
};
modules.forEach((one) => load(...one));
const { default: widget } = await import(urls["%s"]);
const part = (name, source) => import(urls[name] ?? load(name, source));
const render = (view) => {
  const style = document.createElement("style");
  style.textContent = css;
  view.el.append(style);
  return widget.render({ ...view, inflate, part });
};
export default { render };
"""
_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~"
"""Those of `base64.b85encode`: five letters are four bytes, where base64 has five and a third."""
LATE = frozenset({"map.js", "takeover.js"})
"""Modules that only some pages need: they are asked for, and may import those of the bundle."""
_SPACE = re.compile(r"\s+|//[^\n]*|/\*.*?\*/", re.DOTALL)
_TOKEN = re.compile(r"""(["'])(?:(?!\1)[^\\\n]|\\.)*\1|[\w$]+|.""")
_REGEX = re.compile(r"/(?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/[a-z]*")
_BEFORE_REGEX = "(,=:[!&|?{};>"
_GOES_ON = ";{([,"
_GOES_BACK = "}).,;]?:"
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


def late(name: str) -> str:
    """The source of a module that a page asks for when it is wanted: one of ``LATE``.

    Raises:
        LookupError: it is none of these.
    """
    if name not in LATE:
        raise LookupError(name)
    return _lean((_HERE / name).read_text("utf-8"), name)


def _lean(source: str, name: str) -> str:
    """``source`` without comments and most space, named for the browser's developer tools."""
    return f"{_squeezed(source)}\n//# sourceURL=pcn_course/widgets/{name}\n"


def _squeezed(source: str) -> str:
    """JavaScript without comments, and without space that says nothing.

    Strings, templates and regular expressions stay as they are. A line's end stays where it could
    end a statement.
    """
    out: list[str] = []
    at = 0
    last = ";"
    gap = ""
    while at < len(source):
        found = _SPACE.match(source, at)
        if found:
            gap += "\n" if "\n" in found[0] else " "
            at = found.end()
            continue
        if source[at] == "`":
            token = source[at : _template_end(source, at)]
        else:
            starts = last in _BEFORE_REGEX or out[-1:] == ["return"]
            regex = _REGEX.match(source, at) if starts else None
            plain = _TOKEN.match(source, at)
            token = regex[0] if regex else plain[0] if plain else source[at]
        if "\n" in gap and last not in _GOES_ON and token[0] not in _GOES_BACK:
            out.append("\n")
        elif gap and ((_is_word(last) and _is_word(token[0])) or last == token[0]):
            out.append(" ")
        out.append(token)
        last, gap = token[-1], ""
        at += len(token)
    return "".join(out)


def _is_word(letter: str) -> bool:
    return letter.isalnum() or letter in "_$"


def _template_end(source: str, start: int) -> int:
    """Where the template that begins at ``start`` ends, with the templates in it."""
    at, inner = start + 1, 0
    while source[at] != "`" or inner:
        if source[at] == "\\":
            at += 1
        elif source.startswith("${", at):
            inner += 1
            at += 1
        elif inner and source[at] == "{":
            inner += 1
        elif inner and source[at] == "}":
            inner -= 1
        elif inner and source[at] == "`":
            at = _template_end(source, at) - 1
        at += 1
    return at + 1


def _without_comments(css: str) -> str:
    return re.sub(r"/\*.*?\*/\s*", "", css, flags=re.DOTALL)
