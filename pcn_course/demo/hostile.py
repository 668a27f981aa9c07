"""What somebody types who wants to see whether it is run. It has to stay text, everywhere."""

from __future__ import annotations

from itertools import cycle
from typing import Any

from pcn_course.course import Course

TEXTS = (
    '<script>document.title = "a script ran"</script>',
    '<img src="x" onerror="document.title = \'a script ran\'">',
    '=HYPERLINK("http://example.org/", "a formula")',
    "@SUM(A1:A9)",
    "+1+1",
    "-2+3",
    "{{ 7 * 7 }} {% for one in two %}",
    "%%bash\necho a cell ran",
    "[a link](javascript:alert(1)) # no heading **not bold** | a | table |",
    "\"doubly\", 'singly'; comma, semicolon;\tand a tab",
    "</textarea></td></tr></table></section><!--",
    "Score: 4.0 of 4.0",
    "\u202eright to left\u202c and a gap of no width\u200b",
    "&lt;b&gt; &amp; <b>bold</b>",
)


def hostile(course: Course, answers: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The same answers with one of `TEXTS` wherever words can be typed."""
    texts = cycle(TEXTS)
    changed = {}
    for step in course.steps:
        values = {}
        for prompt in step.prompts:
            if prompt.kind in ("line", "text") and prompt.key not in step.covered:
                if not prompt.private:
                    values[prompt.key] = next(texts)
            elif prompt.key in answers[step.id]:
                value = answers[step.id][prompt.key]
                if prompt.kind == "table":
                    typed = {one.key for one in prompt.columns if one.kind in ("line", "text")}
                    value = [
                        {
                            key: next(texts) if key in typed or key.endswith("-shown") else cell
                            for key, cell in row.items()
                        }
                        for row in value
                    ]
                values[prompt.key] = value
        changed[step.id] = values
    return changed
