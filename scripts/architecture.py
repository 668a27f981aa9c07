"""Keep ``docs/architecture.md`` true: its sizes and its index of modules come from the code.

``make size`` prints the table of sizes by folder; ``make architecture`` writes both into the page.
"""

from __future__ import annotations

import ast
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "pcn_course"
PAGE = ROOT / "docs" / "architecture.md"
SCRIPTS = (".js", ".css")
BUILT = PACKAGE / "static"


def modules() -> list[Path]:
    """Return the package's modules, those of a folder after its ``__init__.py``."""
    found = (path for path in PACKAGE.rglob("*.py") if "__pycache__" not in path.parts)
    return sorted(found, key=lambda path: (path.parent, path.name != "__init__.py", path.name))


def summary(path: Path) -> str:
    """Return the first line of a module's docstring."""
    return (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").split("\n")[0]


def size() -> str:
    """Return a table by folder: modules, lines with blank ones and comments, statements."""
    counts: dict[str, Counter[str]] = {}
    for path in modules():
        text = path.read_text(encoding="utf-8")
        statements = sum(isinstance(node, ast.stmt) for node in ast.walk(ast.parse(text)))
        counts.setdefault(_folder(path), Counter()).update(
            modules=1, lines=text.count("\n"), statements=statements
        )
    counts["**Python**"] = sum(counts.values(), Counter())
    for path in sorted(PACKAGE.rglob("*")):
        if path.suffix in SCRIPTS and BUILT not in path.parents:
            lines = path.read_text(encoding="utf-8").count("\n")
            counts.setdefault("**Scripts and styles**", Counter()).update(modules=1, lines=lines)
    columns = ("modules", "lines", "statements")
    rows = [(name, *(count[column] or "" for column in columns)) for name, count in counts.items()]
    head = ["| folder | modules | lines | statements |", "|---|---:|---:|---:|"]
    return "\n".join([*head, *("| {} | {} | {} | {} |".format(*row) for row in rows)])


def index() -> str:
    """Return a list of all modules, each with the first line of its docstring."""
    lines = []
    for path in modules():
        if path.name == "__init__.py":
            lines.append(f"\n**`{_folder(path)}`** {summary(path)}\n")
        else:
            name = path.relative_to(PACKAGE).as_posix()
            lines.append(f"- `{name}`: {summary(path)}")
    return "\n".join(lines).strip()


def fill(page: str) -> str:
    """Return the page with today's table and index between their markers."""
    for name, text in (("size", size()), ("index", index())):
        begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
        before, _, rest = page.partition(begin)
        after = rest.partition(end)[2]
        page = f"{before}{begin}{text}\n{end}{after}"
    return page


def _folder(path: Path) -> str:
    return f"{path.parent.relative_to(ROOT).as_posix()}/"


if __name__ == "__main__":
    if sys.argv[1:] == ["size"]:
        print(size())
    else:
        PAGE.write_text(fill(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
