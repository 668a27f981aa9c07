"""How quickly long lists of people are handled: reading, searching, typing beside them, merging.

``python -m bench.people`` runs this one alone.
"""

from __future__ import annotations

import statistics
import time
from typing import Any

from bench.support import chromium, say, table, warn_of_load
from pcn_course.importing import read_list
from tests.browser.kinds import made_up
from tests.browser.kinds.made_up import opened, state

SUMMARY = "lists of people: reading 5,000, searching them, typing beside 60"

MANY = 5000
GOALS = {"read": 1500.0, "search": 100.0, "type": 150.0}
"""Milliseconds for a file of 5,000, for a key in the search, for a key in a step with 60 people."""

_HEADINGS = "First Name,Last Name,URL,Email Address,Company,Position,Connected On"
_SEARCH = """(box) => ["s", "so", "som", "some 4", "some 49"].map((text) => {
  const begun = performance.now();
  box.value = text;
  box.dispatchEvent(new Event("input"));
  return performance.now() - begun;
})"""
_TYPE = """async (box) => {
  const times = [];
  for (let n = 0; n < 12; n++) {
    const begun = performance.now();
    box.value = "Word " + n;
    box.dispatchEvent(new Event("input", { bubbles: true }));
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    times.push(performance.now() - begun);
  }
  return times;
}"""


def run(rounds: int, patience: float = 30.0) -> dict[str, Any]:  # noqa: ARG001 (all benches alike)
    """Print and return the milliseconds of each action, over ``rounds`` rounds."""
    warn_of_load()
    took: dict[str, list[float]] = {"read": [_read() for _ in range(rounds)]}
    with chromium() as browser:
        for _ in range(rounds):
            context = browser.new_context()
            made_up.serve(context)
            took.setdefault("search", []).extend(_search(context.new_page()))
            took.setdefault("type", []).extend(_type(context.new_page()))
            context.close()
    medians = {name: statistics.median(times) for name, times in took.items()}
    say(f"\nLists of people: a file of {MANY}, a key in its search, a key in a step with 60\n")
    lines = [
        [name, f"{medians[name]:.0f} ms", f"{max(took[name]):.0f} ms", f"{GOALS[name]:.0f} ms"]
        for name in took
    ]
    say(table(["action", "median", "worst", "goal for the median"], lines))
    return {"medians": medians, "all": took}


def _read() -> float:
    lines = [
        f'Kim{n},Gold{n},https://example.org/k{n},k{n}@example.org,"County {n}, Aging",'
        f'"Coordinator {n}, respite",{n % 28 + 1} Jan 2024'
        for n in range(MANY)
    ]
    content = "\n".join([_HEADINGS, *lines]).encode()
    begun = time.perf_counter()
    read_list("Connections.csv", content)
    return 1000 * (time.perf_counter() - begun)


def _search(page: Any) -> list[float]:
    rows = [{"person": f"Somebody {n}", "role": "peer"} for n in range(MANY)]
    answer = {
        "kind": "list", "columns": ["Name"], "mapping": {"person": "Name"}, "total": MANY,
        "rows": rows, "doubles": {}, "notes": [],
    }  # fmt: skip
    opened(page, state(), list=answer)
    page.locator(".pcn-panel-import button").first.click()
    page.locator("dialog input[type=file]").set_input_files(
        {"name": "people.csv", "mimeType": "text/csv", "buffer": b"Name\nKG\n"}
    )
    times: list[float] = page.locator("dialog input[type=search]").evaluate(_SEARCH)
    return times


def _type(page: Any) -> list[float]:
    row = {"role": "peer", "closeness": 2}
    opened(page, state(people=[{**row, "id": f"p{n}", "person": f"Role {n}"} for n in range(60)]))
    rows = page.locator('.pcn-field[data-key="people"] details.pcn-row')
    rows.first.locator("summary").first.click()
    times: list[float] = rows.first.get_by_label("Initials or role").evaluate(_TYPE)
    return times


if __name__ == "__main__":
    run(4)
