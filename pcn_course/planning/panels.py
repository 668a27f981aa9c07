"""What a page shows between its questions, as HTML made from answers: measures, tools, asks, week.

A panel is a fragment without script or style of its own, of headings from ``h4`` on, which the page
places below the panel's title. Its words stand in ``templates/panel-*.html.j2``. Ids begin with
``pcn-panel-`` and the panel's kind. The page acts on ``data-pcn-choose``, ``data-pcn-copy``
``data-pcn-file`` and ``data-pcn-rest``, and filters ``li.pcn-tool`` by its ``data-`` attributes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from pcn_course.answers.values import Row, Values, clock_in_words, date_in_words, line
from pcn_course.course import Course, Tool
from pcn_course.network import coverage, measures, read_network
from pcn_course.network.words import n_people, rounded
from pcn_course.planning.asks import addressee, asks, draft, exchange_sums, loops, missing
from pcn_course.planning.tools import (
    RULE,
    Ranked,
    because,
    checks,
    rank,
    retired,
    said_something,
    traits,
)
from pcn_course.planning.week import week
from pcn_course.render import render

BEST = 5
"""So many tools stand in sight; the others are one click away."""
LOOK_AT = 8
"""So many words are shown that somebody should look at again."""


class UnknownPanelError(LookupError):
    """There is no panel of that kind."""


def panel_html(
    kind: str, course: Course, values: Values, today: dt.date, *, whole: bool = True
) -> str:
    """The panel ``kind`` (``network``, ``coverage``, ``tools``, ``asks`` or ``week``) as HTML.

    ``values`` are answers by step and key; whatever they hold, there is a panel. Without ``whole``,
    a long list ends where it is folded, and an element with ``data-pcn-rest`` names how many more
    entries there are: the page asks for them when someone opens the list.

    Raises:
        UnknownPanelError: no panel of this kind is made here.
    """
    match kind:
        case "network":
            return _network(course, values)
        case "coverage":
            return render("panel-network", "coverage", coverage(course, values), _STATES)
        case "tools":
            return _tools(course, values, today, whole=whole)
        case "asks":
            return _asks(values)
        case "week":
            return _week(course, values, today)
        case _:
            raise UnknownPanelError(f"There is no panel “{kind}”.")


def compare_html(course: Course, values: Values, today: dt.date) -> str:
    """The whole catalogue as one table, in the order of :func:`pcn_course.planning.tools.rank`.

    It is longer than all else of a step, so a page asks for it when somebody wants it.
    """
    rows = [[one.tool.name, *_facts(one.tool)] for one in rank(course, values, today)]
    return render("panel-tools", "compare", ["Tool", *_COLUMNS.values(), "Checked on"], rows)


def look_again(texts: Iterable[str], before: str, kinds: frozenset[str] | None = None) -> str:
    """A note on words that could identify somebody, as HTML; "" where there are none.

    ``kinds`` are those of `pcn_course.privacy` that count, all without it.
    """
    return render("panel-parts", "look_again", before, _to_look_at(texts, kinds))


_SPREAD = (
    "Formula: (1 - sum of squared shares) × K / (K - 1), with K categories offered: 0 if all are "
    "in one, 1 if all are equally filled."
)
_TIES = "n people, t pairs of them tied."
_FORMULAS = {
    "size": "Formula: the number of people on your list.",
    "density": f"Formula: 2t / (n(n - 1)), with {_TIES}",
    "effective-size": f"Formula: n - 2t / n, with {_TIES}",
    "efficiency": f"Formula: effective size / n, with {_TIES}",
    "constraint": (
        "Formula: for each person j, the share of your ties that goes to j plus what leads to j "
        "through others, squared; then the sum of these."
    ),
    "iqv-sector": _SPREAD,
    "iqv-discipline": _SPREAD,
    "iqv-place": _SPREAD,
    "e-i": (
        "Formula: (E - I) / (E + I), with E people outside of your sector and I inside of it: "
        "-1 if all are inside, 1 if all are outside."
    ),
    "mutuality": "Formula: people with both give and get, divided by n.",
    "multiplexity": "Formula: people with two or more kinds of tie, divided by n.",
}

_STATES = {"held": "Held", "perhaps": "Perhaps", "gap": "Gap"}


def _network(course: Course, values: Values) -> str:
    network = read_network(values)
    found = measures(network, course) if network.members else ()
    return render(
        "panel-network",
        "network",
        [
            (
                measure,
                "" if measure.value is None else rounded(measure.value),
                n_people(measure.n),
                _FORMULAS.get(measure.key, ""),
            )
            for measure in found
        ],
    )


_COLUMNS: dict[str, str] = {
    "reach": "Who can see it",
    "direct_messages": "One to one",
    "groups": "Groups",
    "timing": "When",
    "free": "Free",
    "bandwidth": "Bandwidth",
    "phone_only": "By phone alone",
    "real_name_or_phone": "Asks for",
    "accessibility": "Access",
    "export": "Take along",
    "baa": "BAA",
}
LOOK_AT = 8
"""So many words are shown that somebody should look at again."""
_TIMING = {"async": "in your own time", "sync": "live", "both": "both"}


def _tools(course: Course, values: Values, today: dt.date, *, whole: bool) -> str:
    def described(ranked: Ranked) -> tuple[Any, ...]:
        return ranked, traits(ranked.tool), because(ranked)

    tools = [described(one) for one in rank(course, values, today)]
    ordered, limits = said_something(values), checks(values)
    best, others = tools[:BEST], tools[BEST:]
    return render(
        "panel-tools", "tools", RULE, ordered, limits, best, others, whole, retired(course)
    )


def _facts(tool: Tool) -> list[str]:
    facts = {key: getattr(tool, key) for key in _COLUMNS}
    facts["timing"] = _TIMING.get(tool.timing, tool.timing)
    checked = date_in_words(tool.checked_on) or "not checked yet"
    return [fact or "not known" for fact in (*facts.values(), checked)]


_BADGES = {
    "draft": "Not sent",
    "waiting": "Open",
    "answered": "Open",
    "changed": "Open",
    "reported": "Closed",
    "accepted": "Closed",
    "declined": "Closed",
    "closed": "Closed",
}


def _asks(values: Values) -> str:
    drafts = [_draft(ask, values) for ask in asks(values)]
    sums = exchange_sums(values)
    rows = [
        (
            *(one.name, one.asked, one.answered, one.declined, one.reported),
            *(one.give or "not named", one.get or "not named"),
        )
        for one in sums.members
        if one.asked or one.give or one.get
    ]
    return (
        render("panel-asks", "drafts", drafts)
        + render("panel-asks", "loops", loops(values), _BADGES)
        + render("panel-asks", "give_and_get", sums, len(rows), rows)
    )


def _draft(ask: Row, values: Values) -> dict[str, Any]:
    return {
        "who": addressee(ask, values),
        "about": line(ask, "purpose") or "an ask without a purpose yet",
        "sent": {"sent": " (sent)", "closed": " (closed)"}.get(line(ask, "status"), ""),
        "missing": missing(ask, values),
        "message": draft(ask, values),
        "look_at": _to_look_at(line(ask, key) for key in ("purpose", "offer", "use")),
    }


def _to_look_at(texts: Iterable[str], kinds: frozenset[str] | None = None) -> list[str]:
    """What in the texts could identify somebody: what is certain first, and how many more."""
    from pcn_course.privacy import advise  # its words and patterns take a while to load

    advice = {
        (one.kind, "" if one.soft else one.words): one
        for text in texts
        for one in advise(text)
        if kinds is None or one.kind in kinds
    }
    ordered = sorted(advice.values(), key=lambda one: one.soft)
    sentences = [("" if one.soft else f"“{one.words}”: ") + one.why for one in ordered]
    more = len(sentences) - LOOK_AT
    return [*sentences[:LOOK_AT], f"and {more} more"] if more > 0 else sentences


def _week(course: Course, values: Values, today: dt.date) -> str:
    plan = week(course, values)
    quiet = " to ".join(map(clock_in_words, plan.quiet or ()))
    review = ""
    if plan.review:
        days = (plan.review - today).days
        when = {0: "that is today", 1: "that is tomorrow"}.get(days, f"in {days} days")
        if days < 0:
            when = "that day has passed: look at your plan now, or choose another day"
        review = f"{date_in_words(plan.review)} ({when})"
    return render("panel-week", "week", plan, quiet, review)
