"""Reads ``data/`` into a :class:`Course`, and lists everything that is wrong with it at once."""

from __future__ import annotations

import csv
import datetime as dt
import functools
import os
import re
import tomllib
from collections import Counter
from collections.abc import Hashable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from pcn_course.course.faults import CourseError, Fault, Source, convert
from pcn_course.course.model import (
    SIMPLE_KINDS,
    TOOLS,
    Course,
    Option,
    Panel,
    Part,
    Prompt,
    Reading,
    Rubric,
    Step,
    StructurePoint,
    Tool,
)

FORMAT = 1
T = TypeVar("T", bound=msgspec.Struct)
_PACKAGE = Path(__file__).parents[1]
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class _CourseFile(Part, frozen=True):
    """What ``course.toml`` may say."""

    format: int
    id: str
    title: str
    steps: tuple[str, ...] = ()
    due: dict[str, dt.datetime] = msgspec.field(default_factory=dict)


class _StepFile(Part, frozen=True):
    """What a step's file may say."""

    id: str
    name: str
    title: str
    short: str
    summary: str
    minutes: int
    reading: Reading
    prompts: tuple[Prompt, ...]
    structure: tuple[StructurePoint, ...]
    covered: tuple[str, ...] = ()
    panels: tuple[Panel, ...] = ()


class _EveryStepFile(Part, frozen=True):
    """What ``every-step.toml`` may say: prompts that end every step."""

    prompts: tuple[Prompt, ...]


def default_root() -> Path:
    """The folder that holds the course (``data/`` and ``notebooks/``).

    The environment variable ``PCN_COURSE`` names it; else it is the checkout that the package is
    installed from; else the copy inside the installed package. It is never searched for from the
    current folder upwards: a submission could put a course of its own there.
    """
    if named := os.environ.get("PCN_COURSE"):
        return Path(named)
    checkout = _PACKAGE.parent
    return checkout if (checkout / "data" / "course.toml").is_file() else _PACKAGE / "_bundled"


def load_course(root: Path | None = None) -> Course:
    """Load and validate the course in ``root`` (by default :func:`default_root`).

    What was loaded is kept until one of its files changes.

    Raises:
        CourseError: with all faults of all files, each with its file and place.
    """
    root = default_root() if root is None else Path(root)
    return _loaded(root, tuple(map(_state, (root / "data", *_files(root)))))


def _files(root: Path) -> list[Path]:
    data = root / "data"
    return [*sorted(data.glob("*.*")), *sorted((data / "steps").glob("*.toml"))]


def _state(path: Path) -> Hashable:
    try:
        stat = path.stat()
    except OSError:
        return str(path), None
    return str(path), stat.st_mtime_ns, stat.st_size, stat.st_ino


@functools.lru_cache(maxsize=4)
def _loaded(root: Path, _states: Hashable) -> Course:
    data = root / "data"
    faults: list[Fault] = []
    head = _load(data / "course.toml", root, faults, _CourseFile)
    shared = _load(data / "every-step.toml", root, faults, _EveryStepFile, optional=True)
    rubric = _load(data / "rubric.toml", root, faults, Rubric)
    files = sorted((data / "steps").glob("*.toml"), key=lambda path: _natural(path.stem))
    if not files:
        faults.append(Fault("data/steps", "", "there are no steps: add at least one .toml file"))
    loaded = {path.stem: _load(path, root, faults, _StepFile) for path in files}
    tools = _load_tools(data / "tools.csv", root, faults)

    if head:
        source, course_file = head
        _check_head(source, course_file, loaded.keys())
        order = [stem for stem in dict.fromkeys(course_file.steps) if stem in loaded]
        order += [stem for stem in loaded if stem not in order]
    else:
        order = list(loaded)
    common = shared[1].prompts if shared else ()
    if shared:
        _check_prompts(shared[0], common)
    reads = [read for stem in order if (read := loaded[stem])]
    due = head[1].due if head else {}
    steps = [_step(read, number, common, due) for number, (_, read) in enumerate(reads, start=1)]
    for (source, _), step in zip(reads, steps, strict=True):
        _check_names(source, step, steps)
        _check_step(source, step, len(common), rubric[1] if rubric else None)
        _check_quotes(source, step, steps, complete=len(steps) == len(loaded))
        _check_references(source, step, steps, complete=len(steps) == len(loaded))
    if rubric:
        _check_rubric(*rubric)
    if faults or not head or not rubric:
        raise CourseError(sorted(faults, key=lambda fault: fault.file))
    return Course(
        id=head[1].id,
        title=head[1].title,
        steps=tuple(_with_tools(step, tools) for step in steps),
        rubric=rubric[1],
        tools=tools,
        root=root,
    )


def _natural(name: str) -> list[tuple[int, str]]:
    """Sort key by which step-10 follows step-9."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", name)]


def _load(
    path: Path, root: Path, faults: list[Fault], kind: type[T], *, optional: bool = False
) -> tuple[Source, T] | None:
    """Read one TOML file; its faults are noted, and ``None`` means that it can't be used."""
    source = Source(path, root, faults)
    if not path.exists() and optional:
        return None
    try:
        source.text = path.read_text(encoding="utf-8")
        raw = tomllib.loads(source.text)
    except FileNotFoundError:
        source.fault("", "this file is missing")
    except UnicodeDecodeError:
        source.fault("", "is not UTF-8 text; save it again as UTF-8")
    except tomllib.TOMLDecodeError as error:
        source.fault("", f"is not valid TOML: {error}")
    except OSError as error:
        source.fault("", f"can't be read: {error.strerror}")
    else:
        built = source.build(kind, raw)
        return (source, built) if built is not None else None
    return None


def _step(
    read: _StepFile, number: int, common: tuple[Prompt, ...], due: dict[str, dt.datetime]
) -> Step:
    settings = {name: getattr(read, name) for name in _StepFile.__struct_fields__}
    settings["prompts"] = (*read.prompts, *common)
    return Step(**settings, number=number, due=due.get(read.id))


def _with_tools(step: Step, tools: tuple[Tool, ...]) -> Step:
    current = [tool for tool in tools if tool.status == "current"]
    offered = tuple(Option(value=tool.key, label=tool.name) for tool in current)
    prompts = tuple(_offering(prompt, offered) for prompt in step.prompts)
    return msgspec.structs.replace(step, prompts=prompts)


def _offering(prompt: Prompt, tools: tuple[Option, ...]) -> Prompt:
    """``prompt`` with the catalogue's tools as options, where it takes them from there."""
    columns = tuple(_offering(column, tools) for column in prompt.columns)
    options = tools if prompt.options_from == TOOLS else prompt.options
    return msgspec.structs.replace(prompt, columns=columns, options=options)


def _check_head(source: Source, head: _CourseFile, known: Iterable[str]) -> None:
    known = set(known)
    if head.format != FORMAT:
        source.fault("format", f"is {head.format}, but this version reads format {FORMAT}")
    if not _SLUG.fullmatch(head.id):
        source.fault("id", _slug_rule(head.id))
    for stem in head.steps:
        if stem not in known:
            source.fault("steps", f"names “{stem}”, but there is no data/steps/{stem}.toml")
    for stem, when in head.due.items():
        if stem not in known:
            source.fault(f"due: {stem}", f"there is no data/steps/{stem}.toml")
        if when.tzinfo is None:
            source.fault(f"due: {stem}", "needs its distance from UTC, as in …T23:59:00-05:00")
    for stem in _doubles(head.steps):
        source.fault("steps", f"names “{stem}” twice")


def _check_names(source: Source, step: Step, steps: list[Step]) -> None:
    if step.id != source.path.stem:
        source.fault("id", f"is “{step.id}”, but must be the file's name, “{source.path.stem}”")
    for field in ("id", "name"):
        if not _SLUG.fullmatch(getattr(step, field)):
            source.fault(field, _slug_rule(getattr(step, field)))
    if [other.name for other in steps].count(step.name) > 1:
        source.fault("name", f"“{step.name}” is the name of another step, too")


def _check_step(source: Source, step: Step, common: int, rubric: Rubric | None) -> None:
    own = step.prompts[: len(step.prompts) - common]
    _check_prompts(source, own)
    keys = [prompt.key for prompt in step.prompts]
    for key in _doubles(keys):
        if key not in _doubles([prompt.key for prompt in own]):
            source.fault("prompts", f"the key “{key}” is taken by data/every-step.toml")
    for number, point in enumerate(step.structure, start=1):
        for key in point.prompts:
            prompt = step.prompt(key)
            if prompt is None:
                source.fault(f"structure {number}: prompts", f"there is no prompt “{key}”")
            elif prompt.private:
                source.fault(f"structure {number}: prompts", f"“{key}” is private: nobody sees it")
            elif not prompt.required:
                remedy = "set required = true there, or leave it out here"
                source.fault(f"structure {number}: prompts", f"“{key}” isn't required; {remedy}")
    for key in step.covered:
        if key not in keys:
            source.fault("covered", f"there is no prompt “{key}”")
    for number, panel in enumerate(step.panels, start=1):
        if panel.after not in keys:
            source.fault(f"panels {number}: after", f"there is no prompt “{panel.after}”")
    total = sum(point.points for point in step.structure)
    if rubric and abs(total - rubric.structure) > 1e-9:
        wanted = f"but data/rubric.toml gives {rubric.structure:g} for structure"
        source.fault("structure", f"the points add up to {total:g}, {wanted}")


def _check_quotes(source: Source, step: Step, steps: list[Step], *, complete: bool) -> None:
    """A quote names an answer of an earlier step that isn't private."""
    for number, prompt in enumerate(step.prompts, start=1):
        if not prompt.quote:
            continue
        place = f"prompts {number} “{prompt.key}”: quote"
        name, _, key = prompt.quote.partition(".")
        target = next((one for one in steps if one.name == name), None)
        if target is None:
            if complete:
                source.fault(place, f"“{prompt.quote}” names a step that doesn't exist: “{name}”")
        elif (quoted := target.prompt(key)) is None:
            source.fault(place, f"“{prompt.quote}”: the step “{name}” has no prompt “{key}”")
        elif quoted.private:
            source.fault(place, f"“{prompt.quote}” is private and can't be quoted")
        elif target.number >= step.number:
            source.fault(place, f"“{prompt.quote}” isn't in an earlier step")


def _check_references(source: Source, step: Step, steps: list[Step], *, complete: bool) -> None:
    """``options_from`` names the catalogue, or a public table of this step or an earlier one."""
    for number, prompt in enumerate(step.prompts, start=1):
        place = f"prompts {number} “{prompt.key}”"
        for inner, one in [
            (place, prompt),
            *(
                (f"{place} › columns {at} “{column.key}”", column)
                for at, column in enumerate(prompt.columns, start=1)
            ),
        ]:
            if not one.refers:
                continue
            name, dot, key = one.options_from.rpartition(".")
            target = next((other for other in steps if other.name == name), None) if dot else step
            table = target.prompt(key) if target else None
            if target is None and not complete:
                continue
            if target is None or table is None or table.kind != "table" or table.private:
                remedy = f"write {TOOLS}, a table's key, or step.key of an earlier step's table"
                message = f"“{one.options_from}” names no table: {remedy}"
                source.fault(f"{inner}: options_from", message)
            elif target.number > step.number:
                message = f"“{one.options_from}” isn't in this step or an earlier one"
                source.fault(f"{inner}: options_from", message)


def _check_prompts(source: Source, prompts: tuple[Prompt, ...]) -> None:
    for key in _doubles(prompt.key for prompt in prompts):
        twice = [n for n, prompt in enumerate(prompts, start=1) if prompt.key == key]
        source.fault(f"prompts {twice[-1]} “{key}”: key", f"the key “{key}” is used twice")
    for number, prompt in enumerate(prompts, start=1):
        _check_prompt(source, prompt, f"prompts {number} “{prompt.key}”")


def _check_prompt(source: Source, prompt: Prompt, place: str) -> None:
    if not _SLUG.fullmatch(prompt.key):
        source.fault(f"{place}: key", _slug_rule(prompt.key))
    if not prompt.label.strip():
        source.fault(f"{place}: label", "is empty; every field needs a name")
    if prompt.private and prompt.required:
        source.fault(f"{place}: required", "a private prompt can't be required: nobody sees it")
    chooses = prompt.kind in ("choice", "choices")
    if prompt.options and prompt.options_from:
        source.fault(f"{place}: options", "are given beside options_from; keep one of the two")
    if chooses != bool(prompt.options or prompt.options_from):
        rule = "needs options" if chooses else "takes no options"
        source.fault(f"{place}: options", f"a prompt of the kind “{prompt.kind}” {rule}")
    for value in _doubles(option.value for option in prompt.options):
        source.fault(f"{place}: options", f"the value “{value}” is used twice")
    if prompt.kind == "scale" and not 2 <= prompt.points <= 11:
        source.fault(f"{place}: points", "a scale has 2 to 11 points")
    _check_table(source, prompt, place)


def _check_table(source: Source, prompt: Prompt, place: str) -> None:
    if (prompt.kind == "table") != bool(prompt.columns):
        rule = "needs columns" if prompt.kind == "table" else "takes no columns"
        source.fault(f"{place}: columns", f"a prompt of the kind “{prompt.kind}” {rule}")
    if not 1 <= prompt.max_rows <= 500:
        source.fault(f"{place}: max_rows", "must be from 1 to 500")
    for key in _doubles(column.key for column in prompt.columns):
        source.fault(f"{place}: columns", f"the key “{key}” is used twice")
    for number, column in enumerate(prompt.columns, start=1):
        inner = f"{place} › columns {number} “{column.key}”"
        if column.kind not in SIMPLE_KINDS:
            source.fault(f"{inner}: kind", "a column can't be a table")
        elif number == 1 and column.more:
            source.fault(f"{inner}: more", "the first column names the entry and is always shown")
        elif column.key == "id":
            source.fault(f"{inner}: key", "“id” is kept for the entry itself; choose another")
        else:
            _check_prompt(source, column, inner)


def _check_rubric(source: Source, rubric: Rubric) -> None:
    if rubric.structure < 0:
        source.fault("structure", "can't be negative")
    for one in _doubles(criterion.id for criterion in rubric.criteria):
        source.fault("criteria", f"the id “{one}” is used twice")
    for number, criterion in enumerate(rubric.criteria, start=1):
        place = f"criteria {number} “{criterion.id}”"
        if not _SLUG.fullmatch(criterion.id):
            source.fault(f"{place}: id", _slug_rule(criterion.id))
        points = [level.points for level in criterion.levels]
        if points != sorted(set(points), reverse=True) or not points or points[-1] != 0:
            source.fault(f"{place}: levels", "must go from the most points down to 0, each once")


def _load_tools(path: Path, root: Path, faults: list[Fault]) -> tuple[Tool, ...]:
    name = path.relative_to(root).as_posix()
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file))
    except FileNotFoundError:
        faults.append(Fault(name, "", "this file is missing"))
        return ()
    except (UnicodeDecodeError, csv.Error) as error:
        faults.append(Fault(name, "", f"is not a CSV file in UTF-8: {error}"))
        return ()
    header = rows[0] if rows else []
    columns = list(Tool.__struct_fields__)
    if header != columns:
        faults.append(Fault(name, "line 1", f"the columns must be {','.join(columns)}"))
        return ()
    tools = []
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(columns):
            message = f"has {len(row)} values for {len(columns)} columns; quote values with commas"
            faults.append(Fault(name, f"line {number}", message))
            continue
        raw: dict[str, Any] = dict(zip(columns, (cell.strip() for cell in row), strict=True))
        for many in ("aims", "steps"):
            raw[many] = [one.strip() for one in str(raw[many]).split(";") if one.strip()]
        raw["checked_on"] = raw["checked_on"] or None
        found = _convert_row(raw, name, f"line {number}, {row[0]}")
        faults.extend(found)
        if not found:
            tools.append(Tool(**raw))
    twice = _doubles(tool.name for tool in tools)
    faults.extend(Fault(name, "", f"the tool “{one}” is listed twice") for one in twice)
    return tuple(tools)


def _convert_row(raw: dict[str, Any], file: str, place: str) -> list[Fault]:
    """Turn a row's texts into a tool's types, in place; the faults in it come back."""
    faults = []
    for column in msgspec.structs.fields(Tool):
        try:
            raw[column.name] = convert(raw[column.name], column.type)
        except ValueError as error:
            faults.append(Fault(file, f"{place}: {column.name}", str(error)))
    return faults


def _doubles(values: Iterable[str]) -> list[str]:
    return [value for value, count in Counter(values).items() if count > 1]


def _slug_rule(value: str) -> str:
    return f"“{value}” must be small letters, digits and single hyphens, as in what-you-do"
