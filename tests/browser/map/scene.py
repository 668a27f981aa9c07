"""A page that holds the map alone, with nothing behind it: files come from here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Page, Route

from pcn_course.course import default_root, load_course
from pcn_course.look import LOOK
from pcn_course.widgets import form

HERE = Path(__file__).parent
WIDGETS = Path(form.__file__).parent
ADDRESS = "http://map.test/"
FILES = {"": HERE / "page.html", "look.css": LOOK}


def prompts() -> dict[str, Any]:
    """The two tables of step 2, as a page has them."""
    step = load_course(default_root()).step("connections")
    found = {key: step.prompt(key) for key in ("people", "ties")}
    return {key: form._for_page(prompt) for key, prompt in found.items() if prompt}


def serve(context: BrowserContext) -> None:
    """Let the pages of ``context`` find the map and its styles; all else is not there."""

    def answer(route: Route) -> None:
        name = route.request.url.removeprefix(ADDRESS)
        path = FILES.get(name, WIDGETS / name)
        if route.request.url.startswith(ADDRESS) and path.is_file():
            route.fulfill(path=path)
        else:
            route.fulfill(status=404, body="")

    context.route("**/*", answer)


def open_map(page: Page, rows: Any = (), ties: Any = (), site: str | None = "/") -> Page:
    """``page`` with the map of these rows."""
    page.goto(ADDRESS)
    page.wait_for_function("() => Boolean(window.start)")
    page.evaluate("(given) => start(given)", {**prompts(), "site": site})
    show(page, rows, ties)
    return page


def show(page: Page, rows: Any, ties: Any) -> None:
    """Give the map these rows, and wait until they are painted."""
    page.evaluate(
        """async ([rows, ties]) => {
          made.set(rows, ties);
          await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
        }""",
        [list(rows), list(ties)],
    )
