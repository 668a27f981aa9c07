"""What people meet who read with their ears, tab through a page, zoom in, or print it.

Each function looks at a page as it is now, and returns what is wrong with it, in words: an empty
list is what a test wants.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Frame, Page

_EYES = Path(__file__).with_suffix(".js").read_text("utf-8").strip().removesuffix(";")
TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")

_AXE = """async ([within, runOnly]) => {
  const found = await axe.run(within || document, {
    runOnly, resultTypes: ["violations"], elementRef: false });
  return found.violations.flatMap(({ id, help, nodes }) => nodes.map((node) =>
    `${id}: ${help}\\n    ${node.html.slice(0, 300)}\\n    ` +
    [...node.any, ...node.all, ...node.none].map((check) => check.message).join("; ")));
}"""


def axe(page: Page | Frame, within: str = "", *, colors: bool = False) -> list[str]:
    """What axe-core finds by the rules of WCAG 2.2 AA and of best practice.

    ``colors``: by those alone that a change from light to dark can break.
    """
    colored = {"type": "rule", "values": ("color-contrast", "link-in-text-block")}
    rules = colored if colors else {"type": "tag", "values": TAGS}
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    found: list[str] = page.evaluate(_AXE, [within, rules])
    return found


# ---- The accessibility tree -----------------------------------------------------------------

_CONTROLS = {
    *("button", "link", "textbox", "searchbox", "checkbox", "radio", "combobox", "listbox"),
    *("slider", "spinbutton", "switch", "tab", "menuitem", "Date", "DateTime", "InputTime"),
    *("DisclosureTriangle", "DisclosureTriangleGrouped", "PopUpButton", "ToggleButton"),
}
_GROUPS = {
    *("group", "radiogroup", "dialog", "alertdialog", "navigation", "region"),
    *("Iframe", "IframePresentational", "toolbar", "tablist", "image", "img", "heading"),
}
_PLACES = {
    *("group", "radiogroup", "dialog", "navigation", "RootWebArea", "form", "region"),
    *("Date", "InputTime"),
}
"""What a control's name is heard together with."""


def tree(page: Page, within: str = "") -> list[str]:
    """What is unnamed in the accessibility tree, and what of a place has its name twice.

    ``within``: a selector; only what lies in its first element is looked at.
    """
    devtools = page.context.new_cdp_session(page)
    try:
        return _faults(*_nodes(devtools, within))
    finally:
        devtools.detach()


def controls(page: Page) -> list[tuple[str, str]]:
    """Role and name of each control, in the tree's order."""
    devtools = page.context.new_cdp_session(page)
    try:
        root, nodes = _nodes(devtools, "")
        return [
            (_role(node), _name(node)) for node in _below(root, nodes) if _role(node) in _CONTROLS
        ]
    finally:
        devtools.detach()


def _nodes(devtools: Any, within: str) -> tuple[str, dict[str, Any]]:
    """The id of the node to begin with, and all nodes by id."""
    nodes = {one["nodeId"]: one for one in devtools.send("Accessibility.getFullAXTree")["nodes"]}
    root = next(iter(nodes))
    if within:
        document = devtools.send("DOM.getDocument", {"depth": 0})["root"]["nodeId"]
        found = devtools.send("DOM.querySelector", {"nodeId": document, "selector": within})
        described = devtools.send("DOM.describeNode", {"nodeId": found["nodeId"]})["node"]
        backend = described["backendNodeId"]
        root = next(key for key, one in nodes.items() if one.get("backendDOMNodeId") == backend)
    return root, nodes


def _below(root: str, nodes: dict[str, Any]) -> list[dict[str, Any]]:
    found = []
    ahead = [root]
    while ahead:
        node = nodes.get(ahead.pop())
        if node is not None:
            found.append(node)
            ahead.extend(reversed(node.get("childIds", [])))
    return [node for node in found if not node.get("ignored")]


def _faults(root: str, nodes: dict[str, Any]) -> list[str]:
    faults = []
    heard: Counter[tuple[str, str, str]] = Counter()
    for node in _below(root, nodes):
        role, name = _role(node), _name(node)
        if role in _CONTROLS | _GROUPS and not name and not _named_otherwise(node, nodes):
            faults.append(f"a {role} without a name: {_text(node, nodes)[:60]}")
        if role in _CONTROLS:
            place = _place(node, nodes)
            heard[place, role, name] += 1
    for (place, role, name), times in heard.items():
        # Two links of one name may lead to one place; in our pages none does.
        if times > 1:
            faults.append(f"{times} times a {role} named “{name}” in {place}")
    return faults


def _place(node: dict[str, Any], nodes: dict[str, Any]) -> str:
    """The groups that a control is heard in, as one text."""
    names = []
    at = nodes.get(node.get("parentId", ""))
    while at:
        if not at.get("ignored") and _role(at) in _PLACES and _name(at):
            names.append(f"{_role(at)} “{_name(at)}”")
        at = nodes.get(at.get("parentId", ""))
    return " in ".join(names)


def _named_otherwise(node: dict[str, Any], nodes: dict[str, Any]) -> bool:
    """Whether it is part of a date or time field, or what a button opens, and goes by its name."""
    if any(_role(one).startswith("Disclosure") for one in _below(node["nodeId"], nodes)[1:2]):
        return True
    at = nodes.get(node.get("parentId", ""))
    while at and _role(at) not in ("Date", "InputTime"):
        at = nodes.get(at.get("parentId", ""))
    return at is not None


def _text(node: dict[str, Any], nodes: dict[str, Any]) -> str:
    return " ".join(filter(None, map(_name, _below(node["nodeId"], nodes))))


def _role(node: dict[str, Any]) -> str:
    return str(node.get("role", {}).get("value", ""))


def _name(node: dict[str, Any]) -> str:
    return str(node.get("name", {}).get("value", "")).strip()


# ---- What the eye meets ---------------------------------------------------------------------


def cut_off(page: Page) -> list[str]:
    """What makes the page scroll sideways, leaves the window, is cut, or lies on other words."""
    return _wrong(page, "cutOff")


def faint(page: Page) -> list[str]:
    """Texts below 4.5:1, disabled ones and placeholders too, and fields' borders below 3:1."""
    return _wrong(page, "faint")


def small(page: Page) -> list[str]:
    """What is to be pressed and is smaller than 24 by 24 px."""
    return _wrong(page, "small")


def unbounded(page: Page) -> list[str]:
    """Parts that only their ground sets apart: lost in the system's own colours."""
    return _wrong(page, "unbounded")


def on_paper(page: Page) -> list[str]:
    """What paper shows too much or too little of, after the page was printed once."""
    page.emulate_media(media="print")
    found = _wrong(page, "onPaper")
    page.emulate_media(media="null")
    return found


def tab_through(page: Page, most: int = 400) -> tuple[list[str], list[str]]:
    """Press Tab from the top to the end: the stops, and where the focus can't be seen."""
    page.evaluate("() => { pcnStops = new Set(); scrollTo(0, 0); document.activeElement?.blur(); }")
    stops: list[str] = []
    faults: list[str] = []
    for _ in range(most):
        page.keyboard.press("Tab")
        stop = _look(page, "focused")
        if stop is None:
            # A date or time field holds several stops of its own.
            if page.evaluate("/^(date|time)$/.test(document.activeElement?.type)"):
                continue
            return stops, faults
        stops.append(stop["what"])
        faults += stop["wrong"]
    return stops, [*faults, f"the focus does not come to an end within {most} stops"]


def _wrong(page: Page, name: str) -> list[str]:
    return list(_look(page, name))


def _look(page: Page, name: str) -> Any:
    return page.evaluate(f"{_EYES}.{name}()")


SPACING = """
* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important }
p { margin-bottom: 2em !important }
"""
"""What WCAG 1.4.12 lets a reader set."""
