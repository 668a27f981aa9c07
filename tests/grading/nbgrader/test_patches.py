"""What is replaced in nbgrader is what it was when the patch was written."""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import inspect
import re
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from traitlets.config import Config, SingletonConfigurable

import pcn_course
from pcn_course.grading.gradebook.room import open_room
from pcn_course.grading.nbgrader.patches import PATCHES, Patch, apply, owner_of, stock
from tests.support.room import make_room

PACKAGE = Path(pcn_course.__file__).parent
OTHERS = (
    "nbgrader", "nbconvert", "nbformat", "traitlets", "alembic", "IPython", "ipykernel", "voila",
    "jupyter_server", "jupyter_client", "tornado", "sqlalchemy",
)  # fmt: skip
TARGETS = [target for patch in PATCHES for target in patch.targets]


def code(patch: Patch) -> str:
    """The code that a patch replaces; of a module also its lines that use what is replaced."""
    parts: dict[str, None] = {}
    for target in patch.targets:
        owner, name = owner_of(target)
        original = stock(target)
        if inspect.ismodule(owner):
            lines = inspect.getsource(owner).splitlines()
            used = [line.strip() for line in lines if re.search(rf"\b{name}\b", line)]
            parts["\n".join([target, *used])] = None
        if inspect.isfunction(original):
            parts[inspect.getsource(original)] = None
        elif inspect.isclass(original):
            own = vars(patch.by(original, Config()))
            methods = [
                vars(original)[one] for one in own if inspect.isfunction(vars(original).get(one))
            ]
            parts["\n".join(map(inspect.getsource, methods))] = None
    return "\n".join(parts)


@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: patch.name)
def test_nbgrader_has_what_is_replaced_as_it_was(patch: Patch) -> None:
    for target in patch.targets:
        owner, name = owner_of(target)
        assert hasattr(owner, name), f"nbgrader has no {target}, which “{patch.name}” replaces"
    now = hashlib.sha256(code(patch).encode()).hexdigest()[:16]
    assert now == patch.source, (
        f"nbgrader {metadata.version('nbgrader')} changed what “{patch.name}” replaces:\n"
        f"{code(patch)}\nAdapt the patch to it, then write source={now!r}."
    )
    assert patch.reason.endswith(".")


@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: patch.name)
def test_a_patch_takes_what_nbgraders_own_takes(patch: Patch) -> None:
    for target in patch.targets:
        original = stock(target)
        if inspect.isfunction(original):
            theirs = [one.kind for one in inspect.signature(original).parameters.values()]
            inspect.signature(patch.by).bind(
                original, Config(), *range(theirs.count(inspect.Parameter.POSITIONAL_OR_KEYWORD))
            )


def test_patches_are_applied_twice_and_wrap_nothing_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(set(TARGETS)) == len(TARGETS)
    for target in TARGETS:
        owner, name = owner_of(target)
        monkeypatch.setattr(owner, name, getattr(owner, name))
    apply(Config())
    apply(Config())
    for target in TARGETS:
        owner, name = owner_of(target)
        placed = getattr(owner, name)
        assert placed is not stock(target)
        if inspect.isfunction(placed):
            assert placed.__wrapped__ is stock(target)  # type: ignore[attr-defined]


def test_every_use_of_a_pattern_or_a_gradebook_is_reached() -> None:
    globs = next(patch for patch in PATCHES if patch.name == "literal folders")
    for target in globs.targets:
        uses = re.findall(r"\bglob\.\w+", inspect.getsource(owner_of(target)[0]))
        assert set(uses) == {"glob.glob"}, target


def test_ipython_looks_for_its_shell_where_the_grading_shell_is_put() -> None:
    for method in (SingletonConfigurable.initialized, SingletonConfigurable.instance):
        assert "cls._instance" in inspect.getsource(method)


def test_no_other_package_holds_anything_of_ours_that_the_table_does_not_name(
    tmp_path: Path,
) -> None:
    """Voilà, jupyter_server and ipykernel are changed nowhere: subclasses and settings do."""
    open_room(make_room(tmp_path / "course", ()).root)  # applies the room's configuration
    for name in ("app.launcher", "app.server", "app.application", "app.kernels", "widgets"):
        with contextlib.suppress(ModuleNotFoundError):
            importlib.import_module(f"pcn_course.{name}")
    importlib.import_module("pcn_course.grading.nbgrader.shell")
    known = {(id(owner), name) for owner, name in map(owner_of, TARGETS)}
    found = [
        f"{module}: {getattr(owner, '__name__', owner)}.{name}"
        for module, owner in _owners()
        for name, value in list(vars(owner).items())
        if _is_ours(value) and (id(owner), name) not in known
    ]
    assert found == []


def _owners() -> Iterator[tuple[str, Any]]:
    """All loaded modules of these packages, and the classes that are theirs."""
    for module, loaded in list(sys.modules.items()):
        if module.partition(".")[0] in OTHERS and ".tests" not in module:
            yield module, loaded
            for value in list(vars(loaded).values()):
                if inspect.isclass(value) and value.__module__ == module:
                    yield module, value


def _is_ours(value: Any) -> bool:
    value = getattr(value, "__func__", value)
    if inspect.isclass(value):
        return value.__module__.startswith("pcn_course")
    code = getattr(value, "__code__", None)
    return code is not None and Path(code.co_filename).is_relative_to(PACKAGE)
