"""How a network is spoken of: numbers, lists, and the course's own labels."""

from __future__ import annotations

from collections.abc import Iterable

from pcn_course.course import Course, Prompt, UnknownStepError
from pcn_course.network.members import Network


def asked_people(network: Network) -> str:
    """Those whose ties were asked about: "your 8 people", "the first 15 of your 60 people"."""
    n, total = len(network.asked), len(network.members)
    return f"your {n_people(n)}" if n == total else f"the first {n} of your {n_people(total)}"


def n_people(n: int) -> str:
    """A number of people: "1 person", "8 people"."""
    return f"{n} {'person' if n == 1 else 'people'}"


def n_ties(n: int) -> str:
    """A number of ties: "1 tie", "8 ties"."""
    return f"{n} {'tie' if n == 1 else 'ties'}"


def rounded(value: float) -> str:
    """A number with two decimals at most, and none where they are zero."""
    # Adding zero makes a negative zero positive.
    return f"{round(value, 2) + 0.0:.2f}".rstrip("0").rstrip(".")


def and_list(words: Iterable[str]) -> str:
    """All of several: "a, b and c"."""
    return _joined(words, "and")


def or_list(words: Iterable[str]) -> str:
    """Any of several: "a, b or c"."""
    return _joined(words, "or")


def _joined(words: Iterable[str], last: str) -> str:
    """A list in words; with semicolons where a part has a comma itself."""
    *rest, final = list(words) or [""]
    if not rest:
        return final
    if any("," in part for part in (*rest, final)):
        return f"{'; '.join(rest)}; {last} {final}"
    return f"{', '.join(rest)} {last} {final}"


def in_words(value: str) -> str:
    """An option's value where no label is known."""
    return value.replace("-", " ")


def capital(text: str) -> str:
    """With a capital to begin with."""
    return text[:1].upper() + text[1:]


def prompt_at(course: Course, step: str, key: str) -> Prompt | None:
    """A prompt of a step, if the course has both."""
    try:
        return course.step(step).prompt(key)
    except UnknownStepError:
        return None


def column_at(course: Course, table: str, key: str) -> Prompt | None:
    """A column of one of step 2's tables, or ``None`` if this course has no such column."""
    prompt = prompt_at(course, "connections", table)
    columns = prompt.columns if prompt else ()
    return next((column for column in columns if column.key == key), None)


def labels_in(prompt: Prompt | None) -> dict[str, str]:
    """The labels of a prompt's options by value, in their order."""
    return {option.value: option.label for option in prompt.options} if prompt else {}
