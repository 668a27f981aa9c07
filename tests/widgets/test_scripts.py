"""Scripts that know no page, by Node's own test runner."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.node import node

HERE = Path(__file__).parent
FILES = sorted(HERE.glob("*.test.mjs"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_units(path: Path) -> None:
    ran = node("--test", "--test-reporter=spec", path)
    assert ran.returncode == 0, ran.stdout
    print(ran.stdout)
