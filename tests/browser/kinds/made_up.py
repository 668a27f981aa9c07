"""A step that is made up, in a page without any server: the form alone, and a kernel of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Page, Route, expect

from pcn_course.assets import asset, loader
from pcn_course.look import LOOK

HERE = Path(__file__).parent
FILES = {
    "": HERE / "page.html",
    "kernel.js": HERE / "kernel.js",
    "look.css": LOOK,
    "page.css": LOOK.with_name("page.css"),
}
KINDS = [{"value": "peer", "label": "Peer"}, {"value": "mentor", "label": "Mentor"}]
TOOLS = [{"value": f"tool-{n}", "label": f"Tool {n}"} for n in range(1, 10)]
PEOPLE: dict[str, Any] = {
    "key": "people",
    "kind": "table",
    "label": "Who is in your network?",
    "section": "The people",
    "row": "person",
    "max_rows": 60,
    "folded": True,
    "columns": [
        {"key": "person", "kind": "line", "label": "Initials or role", "warn": "name"},
        {"key": "role", "kind": "choice", "label": "What are they?", "options": KINDS},
        {
            "key": "goal",
            "kind": "choice",
            "label": "Which goal?",
            "options_from": "goals.goal-list",
        },
        {
            "key": "meets",
            "kind": "choices",
            "label": "Which need?",
            "options_from": "goals.needs",
        },
        {"key": "channels", "kind": "choices", "label": "How?", "options": TOOLS},
        {"key": "closeness", "kind": "scale", "label": "How close?", "points": 5},
        {"key": "give", "kind": "line", "label": "What do you give?", "more": True},
        {"key": "how-met", "kind": "line", "label": "How did you meet?", "more": True},
    ],
}
TIES: dict[str, Any] = {
    "key": "ties",
    "kind": "table",
    "label": "Who knows whom?",
    "row": "tie",
    "max_rows": 105,
    "columns": [
        {"key": "one", "kind": "choice", "label": "Who?", "options_from": "people"},
        {"key": "other", "kind": "choice", "label": "With whom?", "options_from": "people"},
        {
            "key": "kind",
            "kind": "choice",
            "label": "In what way?",
            "options": [{"value": "know", "label": "They know each other"}],
        },
    ],
}
PROMPTS: list[dict[str, Any]] = [
    PEOPLE,
    TIES,
    {"key": "quiet-from", "kind": "time", "label": "From what time?"},
    {"key": "tools", "kind": "choices", "label": "Which tools?", "options": TOOLS},
    {
        "key": "wanted",
        "kind": "choices",
        "label": "Which would you like to try?",
        "options": [{"value": f"way-{n}", "label": f"Way {n}"} for n in range(1, 14)],
    },
    {"key": "draft", "kind": "text", "label": "A draft to share", "warn": "share"},
]
PANELS: list[dict[str, Any]] = [
    {"kind": "import", "after": "people", "title": "Do you have a list already?"},
    {"kind": "network", "after": "ties", "title": "Your network"},
    {"kind": "tools", "after": "tools", "title": "What speaks for which tool"},
]
REFS = {
    "goals.goal-list": [{"value": "g1", "label": "A form that is used"}],
    "goals.needs": [
        {"value": "n1", "label": "The payment rules"},
        {"value": "n2", "label": "Lived experience"},
    ],
}


def state(**answers: Any) -> dict[str, Any]:
    """What a kernel says at first, with these answers (their keys have underscores)."""
    values = {key.replace("_", "-"): value for key, value in answers.items()}
    return {
        "course": {"id": "made-up", "title": "Made up"},
        "user": "somebody",
        "step": {
            "id": "step-2-made-up",
            "name": "made-up",
            "number": 2,
            "of": 5,
            "title": "A made-up step",
            "minutes": 5,
            "covered": [],
            "prompts": PROMPTS,
            "panels": PANELS,
        },
        "refs": REFS,
        "fields": {key: {"value": value, "version": 1} for key, value in values.items()},
        "past": [],
        "quotes": {},
        "steps": [],
        "home": "home.ipynb",
        "version": "one",
        "due": None,
        "overdue": False,
        "submitted": None,
        "changed_since": False,
        "feedback": [],
        "notices": [],
        "saved_at": None,
    }


def serve(context: BrowserContext) -> None:
    """Let the pages of ``context`` find the form; all else is not there."""

    def answer(route: Route) -> None:
        name = route.request.url.partition("://")[2].partition("/")[2]
        if name == "widget.js":
            route.fulfill(body=loader("form"), content_type="text/javascript")
        elif name == f"pcn/widgets/{asset('form').file}":
            route.fulfill(body=asset("form").content, content_type="text/javascript")
        elif name in FILES:
            route.fulfill(path=FILES[name])
        else:
            route.fulfill(status=404, body="")

    context.route("**/*", answer)


def opened(page: Page, given: dict[str, Any], *, host: str = "form.test", **answers: Any) -> Page:
    """``page`` with the form in this state; the kernel answers ``answers`` by type of message."""
    page.goto(f"http://{host}/")
    page.wait_for_function("() => Boolean(window.start)")
    page.evaluate("(given) => start(given)", {"state": given, "answers": answers})
    expect(page.locator(".pcn-bar")).to_be_visible()
    return page


def values(page: Page) -> dict[str, Any]:
    """What was saved."""
    saved: dict[str, Any] = page.evaluate("kernel.values()")
    return saved
