"""Which tools fit what a student said: the catalogue in an order that explains itself.

The order comes from answers alone: whom the student wants to reach and how, what they know, want
and must cope with (steps 2 and 3), set against the columns of ``data/tools.csv``. A tool that
breaks a limit which nobody can wish away stands below all that don't; nothing is hidden. What the
catalogue doesn't know counts neither for a tool nor as a broken limit, and is said.

Values come from files that anybody may have changed: what has the wrong type counts as no answer.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from typing import Literal

import msgspec

from pcn_course.answers.values import Values, answers_in, date_in_words, line, rows, ticked
from pcn_course.course import Course, Tool

RULE = (
    "No client information goes onto any tool, whether or not its vendor has signed a business "
    "associate agreement (BAA). That holds for private messages too, and for stories without "
    "a name."
)
"""What stands above every ranking."""

YEAR = dt.timedelta(days=365)
"""After this time a row of the catalogue is called old."""

PEOPLE_COUNTED = 5
"""So many people who use a tool count; a sixth makes it no better."""

# What each thing that a student said adds. People weigh most, because a tool that none of them
# uses gives an audience and no network (Hitchcock et al. 2019, step 3). The numbers only order
# the list: they measure nothing and are never shown.
PERSON, KNOWN, WANTED, FEATURE = 4.0, 2.0, 1.5, 1.5
AS_PUBLIC_AS_WISHED, MORE_PUBLIC_THAN_WISHED = 1.0, -3.0
FREE, FREE_AS_NEEDED, NOT_FREE, BY_PHONE, LIGHT, NOT_KNOWN = 0.5, 1.0, -2.0, 0.5, 0.5, -1.0

NUMBERS = (
    *("no", "one", "two", "three", "four", "five", "six"),
    *("seven", "eight", "nine", "ten", "eleven", "twelve"),
)

Answer = Literal["yes", "no", "unknown"]
Bandwidth = Literal["none", "low", "medium", "high", "unknown"]


class Traits(msgspec.Struct, frozen=True):
    """What the catalogue says of a tool, in the few words that can be filtered by.

    ``bandwidth`` takes the heavier of two when the catalogue names two; ``public`` is no when a
    private way to use the tool exists; ``free`` is yes for a free plan with limits, too.
    """

    phone: Answer
    bandwidth: Bandwidth
    public: Answer
    free: Answer


class Ranked(msgspec.Struct, frozen=True):
    """One tool in its place, with what speaks for it and what to be careful about.

    ``reasons`` are clauses ("it is free"), ``cautions`` and ``stale`` sentences. ``breaks`` holds
    the cautions that come from a limit of the student's which the tool does not keep.
    """

    tool: Tool
    score: float
    reasons: tuple[str, ...]
    cautions: tuple[str, ...]
    breaks: tuple[str, ...]
    stale: str
    used_by: int
    known: bool
    chosen: bool


def rank(course: Course, values: Values, today: dt.date) -> tuple[Ranked, ...]:
    """All current tools, those that fit best first; equal ones in the catalogue's order."""
    said = _Said.of(values)
    ranked = [_judge(tool, said, today) for tool in course.tools if tool.status == "current"]
    return tuple(sorted(ranked, key=lambda one: (bool(one.breaks), -one.score)))


def because(ranked: Ranked) -> str:
    """What speaks for a tool, as the end of a sentence: "because four of your people use it"."""
    if not ranked.reasons:
        return "nothing that you said speaks for it yet"
    return f"because {'; '.join(ranked.reasons)}"


def traits(tool: Tool) -> Traits:
    """The catalogue's columns in the words of the filters."""
    bandwidth: dict[str, Bandwidth] = {
        "none": "none",
        "low": "low",
        "low-medium": "medium",
        "medium": "medium",
        "high": "high",
    }
    return Traits(
        phone=_yes_or_no(tool.phone_only),
        bandwidth=bandwidth.get(tool.bandwidth, "unknown"),
        public=_is_public(tool.reach),
        free="yes" if tool.free.startswith("limited") else _yes_or_no(tool.free),
    )


def retired(course: Course) -> tuple[str, ...]:
    """A sentence for each tool that is no more, with what may take its place."""
    sentences = []
    for tool in course.tools:
        if tool.status == "retired":
            instead = re.sub(r"\s*;\s*", " or ", tool.replacement)
            advice = f" Look at {instead} instead." if instead else ""
            why = _sentence(tool.caution or "Not in use any more")
            sentences.append(f"{tool.name}: {why}{advice}")
    return tuple(sentences)


def checks(values: Values) -> tuple[str, ...]:
    """What to look into for every tool, because no catalogue can know it for a student."""
    limits = _Said.of(values).limits
    says = {
        "blocked": "Ask at work which of these are allowed there, before you invite anybody.",
        "shared-device": "You share a device: sign out each time, and save no passwords on it.",
        "languages": (
            "Ask which languages people prefer, and try whether the tool, or an interpreter on "
            "a call, serves them."
        ),
    }
    return tuple(sentence for limit, sentence in says.items() if limit in limits)


def said_something(values: Values) -> bool:
    """Whether there is anything to rank by."""
    said = _Said.of(values)
    return bool(said.used or said.known or said.wanted or said.limits or said.features) or (
        said.public in ("public", "private")
    )


class _Said(msgspec.Struct, frozen=True):
    """What the student said that matters for tools; ``used`` counts people by a tool's key."""

    used: Counter[str]
    known: frozenset[str]
    wanted: frozenset[str]
    chosen: frozenset[str]
    limits: frozenset[str]
    features: frozenset[str]
    public: str

    @classmethod
    def of(cls, values: Values) -> _Said:
        tools = answers_in(values, "tools")
        people = rows(values, "connections", "people")
        return cls(
            used=Counter(tool for person in people for tool in ticked(person, "channels")),
            known=frozenset(ticked(tools, "tools-known")),
            wanted=frozenset(ticked(tools, "tools-wanted")),
            chosen=frozenset(ticked(tools, "tools-chosen")),
            limits=frozenset(ticked(tools, "your-limits")),
            features=frozenset(ticked(tools, "features-you-prefer")),
            public=line(answers_in(values, "connections"), "public-or-private"),
        )


def _judge(tool: Tool, said: _Said, today: dt.date) -> Ranked:
    key, known_as = tool.key, traits(tool)
    pros: list[tuple[float, str]] = []
    used_by = said.used[key]
    if used_by:
        use = "one of your people uses" if used_by == 1 else f"{_count(used_by)} of your people use"
        pros.append((PERSON * min(used_by, PEOPLE_COUNTED), f"{use} it"))
    if key in said.known:
        pros.append((KNOWN, "you know it already"))
    if key in said.wanted:
        pros.append((WANTED, "you would like to try it"))
    pros += [(FEATURE, clause) for clause in _features(tool, known_as, said.features)]
    if said.public == "public" and known_as.public == "yes":
        pros.append((AS_PUBLIC_AS_WISHED, "it is public, as your network may be"))
    if said.public == "private" and known_as.public == "no":
        pros.append((AS_PUBLIC_AS_WISHED, "it need not be public, as you wish"))
    if known_as.free == "yes":
        limited = tool.free.startswith("limited")
        clause = "it is free within limits" if limited else "it is free"
        pros.append((FREE + FREE_AS_NEEDED * ("cost" in said.limits), clause))
    if known_as.phone == "yes":
        pros.append((BY_PHONE, "it works by phone"))
    if light := _light(known_as):
        pros.append((LIGHT, light))
    breaks = _broken(known_as, said.limits)
    cons = _doubts(tool, known_as, said)
    own = (_sentence(tool.caution),) if tool.caution else ()
    return Ranked(
        tool=tool,
        score=sum(weight for weight, _ in pros) + sum(weight for weight, _ in cons),
        reasons=tuple(dict.fromkeys(clause for _, clause in pros)),
        cautions=(*breaks, *(sentence for _, sentence in cons), *own),
        breaks=breaks,
        stale=_stale(tool, today),
        used_by=used_by,
        known=key in said.known,
        chosen=key in said.chosen,
    )


def _features(tool: Tool, known_as: Traits, wanted: frozenset[str]) -> list[str]:
    """A clause for each feature that the student wants and the catalogue names."""
    messages = tool.direct_messages.startswith(("yes", "is one", "free", "by email"))
    groups = tool.groups.startswith(("yes", "small", "by copying", "conference", "meetings"))
    offers = {
        "private-messages": (messages, "you can write or talk to one person alone"),
        "closed-group": (groups and known_as.public != "yes", "a small group can meet there"),
        "own-time": (tool.timing in ("async", "both"), "people answer in their own time"),
        "live": (tool.timing in ("sync", "both"), "you can talk live"),
        "works-by-phone": (known_as.phone == "yes", "it works by phone"),
        "weak-connection": (bool(_light(known_as)), _light(known_as)),
        "documents": (
            {"work-together", "share"} <= set(tool.aims),
            "you can pass on work and go on with it together",
        ),
        "be-found": ("be-found" in tool.aims, "strangers in your field can find you"),
        "take-along": (tool.export.startswith("yes"), "you can take your contacts or texts along"),
    }
    return [clause for key, (has, clause) in offers.items() if has and key in wanted]


def _broken(known_as: Traits, limits: frozenset[str]) -> tuple[str, ...]:
    """The limits that a tool certainly breaks: not one of them can be wished away."""
    broken = []
    if "slow" in limits and known_as.bandwidth in ("medium", "high"):
        need = "a good connection" if known_as.bandwidth == "high" else "a fair connection"
        broken.append(f"It needs {need}, and you said that one of you has a slow or costly one.")
    if "phone-only" in limits and known_as.phone == "no":
        broken.append("It does not work by phone alone, and you said that it must.")
    if "no-public" in limits and known_as.public == "yes":
        broken.append("What happens there is public, and you said no public account.")
    return tuple(broken)


def _doubts(tool: Tool, known_as: Traits, said: _Said) -> list[tuple[float, str]]:
    """Softer things against a tool, and what is not known of it, each with its weight."""
    doubts = []
    if "slow" in said.limits and known_as.bandwidth == "unknown":
        doubts.append((NOT_KNOWN, "Nothing is noted about slow connections: try it first."))
    # What needs no connection at all needs no computer either.
    if "phone-only" in said.limits and known_as.phone == "unknown" and tool.bandwidth != "none":
        doubts.append((NOT_KNOWN, "Nothing is noted about using it by phone alone: try it first."))
    if "no-public" in said.limits and known_as.public == "unknown":
        doubts.append((NOT_KNOWN, "Nothing is noted about who can see you there: look first."))
    if "public" in tool.reach and known_as.public == "no" and "no-public" in said.limits:
        doubts.append((0.0, f"Who can see it depends ({tool.reach}): check its settings first."))
    if said.public == "private" and known_as.public == "yes" and "no-public" not in said.limits:
        doubts.append((MORE_PUBLIC_THAN_WISHED, "It is public, and you want a private network."))
    if "cost" in said.limits:
        doubts += _costs(tool, known_as)
    if "accessible" in said.limits:
        note = tool.accessibility or "Nothing is noted: try captions, screen reader and keyboard"
        doubts.append((0.0, f"Access: {_sentence(note)}"))
    if "private-messages" in said.features and "but" in tool.direct_messages:
        doubts.append((0.0, f"Private messages: {_sentence(tool.direct_messages)}"))
    return doubts


def _costs(tool: Tool, known_as: Traits) -> list[tuple[float, str]]:
    if known_as.free == "no":
        return [(NOT_FREE, "It costs money, and you said that it must be free.")]
    if known_as.free == "unknown":
        return [(0.0, "Nothing is noted about what it costs you or the other person.")]
    if tool.free.startswith("limited"):
        _, _, limit = tool.free.partition(":")
        return [(0.0, _sentence("It is free only in part" + (limit and f":{limit}")))]
    return []


def _stale(tool: Tool, today: dt.date) -> str:
    day = tool.checked_on
    if day is None:
        return "Not checked yet: look for yourself before you rely on it."
    if today - day > YEAR:
        return f"Last checked on {date_in_words(day)}, more than a year ago: much may have changed."
    return ""


def _light(known_as: Traits) -> str:
    """What there is to say of a tool that asks little of a connection; "" of others."""
    says = {"none": "it needs no internet", "low": "it works on a weak connection"}
    return says.get(known_as.bandwidth, "")


def _is_public(reach: str) -> Answer:
    """Whether a tool can only be used in public; a private way or a closed circle makes it no."""
    words = set(re.findall(r"[a-z-]+", reach.lower()))
    if words & {"private", "members", "link"}:
        return "no"
    if "public" in words:
        return "yes"
    return "no" if "semi-public" in words else "unknown"


def _yes_or_no(text: str) -> Answer:
    if text.startswith("yes"):
        return "yes"
    return "no" if text.startswith("no") else "unknown"


def _sentence(text: str) -> str:
    """``text`` with a capital first letter and an end."""
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def _count(number: int) -> str:
    """A number as a reader says it: in words up to twelve."""
    return NUMBERS[number] if number < len(NUMBERS) else str(number)
