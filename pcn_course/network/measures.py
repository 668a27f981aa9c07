"""What can be counted of a network, each measure with its meaning, its n and its source."""

from __future__ import annotations

from collections import Counter

import msgspec

from pcn_course.course import Course
from pcn_course.network.members import ASKED, Member, Network, value_of
from pcn_course.network.words import (
    asked_people,
    capital,
    column_at,
    labels_in,
    n_people,
    prompt_at,
    rounded,
)


class Measure(msgspec.Struct, frozen=True):
    """One measure of this network: either a ``value`` and what it ``says``, or ``why_not``.

    ``n`` is how many members it is computed over; ``source`` names where its formula comes from,
    and ``question`` asks what the student makes of it.
    """

    key: str
    title: str
    value: float | None
    n: int
    says: str
    why_not: str
    source: str
    question: str


class _Found(msgspec.Struct, frozen=True):
    """A measure's result, before title, source and question are put beside it."""

    n: int
    value: float | None = None
    text: str = ""


_BURT = "Burt 1992; Borgatti 1997"
_IQV = "Blau 1977; Gibbs & Poston 1975"
# Title, source of the formula, and the question, by key and in the order shown.
_ABOUT: dict[str, tuple[str, str, str]] = {
    "size": (
        "Size",
        "A plain count",
        "If you could call only three of them this month, whom would you call, and about what?",
    ),
    "density": (
        "Density",
        "Wasserman & Faust 1994",
        "What could happen for your project if two of them met through you? Would both want it?",
    ),
    "effective-size": (
        "Effective size",
        _BURT,
        "From whom do you hear something that nobody else on the list could tell you?",
    ),
    "efficiency": (
        "Efficiency",
        _BURT,
        "Where do you hear the same thing from two people, and when does hearing it twice help?",
    ),
    "constraint": (
        "Constraint",
        "Burt 1992",
        "If one person moved away, which others would become harder for you to reach?",
    ),
    "iqv-sector": (
        "Spread over sectors",
        _IQV,
        "Which sector does your project touch, and who could tell you how it looks from there?",
    ),
    "iqv-discipline": (
        "Spread over kinds of knowledge",
        _IQV,
        "Whose way of knowing would you want to hear before your next decision?",
    ),
    "iqv-place": (
        "Spread over places",
        _IQV,
        "Does your project need people nearby, far away or both, and what for?",
    ),
    "e-i": (
        "Inside and outside of your sector",
        "Krackhardt & Stern 1988",
        "What can people in your own sector tell you that others cannot, and the other way round?",
    ),
    "mutuality": (
        "Mutuality",
        "Course team, after Hitchcock et al. 2019",
        "With whom does it flow one way only, and is that what you both want?",
    ),
    "multiplexity": (
        "Several ties at once",
        "Course team: a plain share",
        "Where several ties meet in one person, what do you need to keep apart?",
    ),
}


def measures(network: Network, course: Course) -> tuple[Measure, ...]:
    """All measures of a network, always the same ones in the same order."""
    found = {
        "size": _size(network, course),
        **_structure(network, course),
        "iqv-sector": _spread(network, course, "sector", "sector", "sectors"),
        "iqv-discipline": _spread(
            network, course, "group", "kind of knowledge", "kinds of knowledge"
        ),
        "iqv-place": _spread(network, course, "place", "place", "places"),
        "e-i": _outside(network, course),
        "mutuality": _mutuality(network, course),
        "multiplexity": _multiplexity(network, course),
    }
    return tuple(_measure(key, found[key]) for key in _ABOUT)


def _measure(key: str, found: _Found) -> Measure:
    title, source, question = _ABOUT[key]
    undefined = found.value is None
    return Measure(
        key=key,
        title=title,
        value=found.value,
        n=found.n,
        says="" if undefined else found.text,
        why_not=f"not computed because {found.text}." if undefined else "",
        source=source,
        question=question,
    )


_NOT_ASKED = "this course does not ask for it"
_NOBODY = "there is nobody on your list yet"


def _size(network: Network, course: Course) -> _Found:
    n, asked = len(network.members), len(network.asked)
    if prompt_at(course, "connections", "people") is None:
        return _Found(n, None, _NOT_ASKED)
    if not n:
        return _Found(0, 0.0, "There is nobody on your list yet.")
    parts = [f"You list {n_people(n)}"]
    if no := sum(member.said_no for member in network.members):
        parts.append(f"{no} of them declined or withdrew")
    if n > asked:
        parts.append(f"ties among them are counted for the first {asked} only")
    return _Found(n, float(n), f"{'; '.join(parts)}.")


def _structure(network: Network, course: Course) -> dict[str, _Found]:
    """The measures made of ties among members: over those asked about, and no others."""
    keys = ("density", "effective-size", "efficiency", "constraint")
    n, t = len(network.asked), len(network.ties)
    why_not = ""
    if any(prompt_at(course, "connections", key) is None for key in ("people", "ties")):
        why_not = _NOT_ASKED
    elif not network.members:
        why_not = _NOBODY
    elif not n:
        why_not = f"ties are counted among the first {ASKED} rows only, and nobody stands there"
    if why_not:
        return {key: _Found(n, None, why_not) for key in keys}

    size = n - 2 * t / n
    who = asked_people(network)
    if n == 2 and t:
        tied = f"{capital(who)} know each other"
    elif t == 1:
        tied = f"Two of {who} know each other"
    elif t:
        tied = f"{t} pairs among {who} know each other"
    else:
        tied = f"None of {who} know each other, as far as you noted"
    contacts = f"{rounded(size)} separate {'contact' if size == 1 else 'contacts'}"
    now = constraint(network) or 0.0
    apart, all_tied = 1 / n, (2 * n - 1) ** 2 / n**3
    says = {
        "effective-size": f"{tied}, so together they count as {contacts}.",
        "efficiency": (
            f"{capital(who)} count as {contacts}, which is {rounded(size / n)} for each of them."
        ),
        "constraint": (
            f"Constraint for {who} is {rounded(now)}; it would be {rounded(apart)} if none of them "
            f"knew each other, and {rounded(all_tied)} if all did."
        ),
    }
    if n == 1:
        one = "With a single person whose ties are counted, {} is always 1."
        says = {key: one.format(key.replace("-", " ")) for key in says}
    return {
        "density": _density_found(network, who),
        "effective-size": _Found(n, size, says["effective-size"]),
        "efficiency": _Found(n, size / n, says["efficiency"]),
        "constraint": _Found(n, now, says["constraint"]),
    }


def density(network: Network) -> float | None:
    """The share of pairs among those asked about that are tied; ``None`` below two of them."""
    n = len(network.asked)
    return 2 * len(network.ties) / (n * (n - 1)) if n > 1 else None


def constraint(network: Network) -> float | None:
    """How far a student's contacts lead to each other (Burt 1992), from 1/n; it can exceed 1.

    The student is tied to all those asked about, who are tied to the student and to each other.
    """
    n = len(network.asked)
    if not n:
        return None
    tied_to: dict[str, set[str]] = {member: set() for member in network.asked}
    for tie in network.ties:
        tied_to[tie.one].add(tie.other)
        tied_to[tie.other].add(tie.one)
    return sum(
        (1 / n + sum(1 / n / (1 + len(tied_to[through])) for through in others)) ** 2
        for others in tied_to.values()
    )


def _density_found(network: Network, who: str) -> _Found:
    n, t = len(network.asked), len(network.ties)
    pairs = n * (n - 1) // 2
    if n < 2:
        where = "on your list" if len(network.members) == n else f"in the first {ASKED} rows"
        return _Found(n, None, f"a pair takes two people, and there is only 1 {where}")
    if n == 2 and t:
        says = f"{capital(who)} know each other"
    elif n == 2:
        says = f"{capital(who)} do not know each other, as far as you noted"
    elif t == 1:
        says = f"In 1 of the {pairs} possible pairs among {who}, the two know each other"
    elif t == pairs:
        says = f"All {pairs} possible pairs among {who} know each other"
    elif t:
        says = f"{t} of the {pairs} possible pairs among {who} know each other"
    else:
        says = (
            f"None of the {pairs} possible pairs among {who} know each other, as far as you noted"
        )
    if beyond := len(network.left_out):
        noted = "1 tie to others is" if beyond == 1 else f"{beyond} ties to others are"
        says += f"; {noted} left out"
    return _Found(n, density(network), f"{says}.")


def _spread(network: Network, course: Course, key: str, one: str, many: str) -> _Found:
    """IQV over the categories that the course offers in the column ``key`` of its people."""
    offered = labels_in(column_at(course, "people", key))
    if not offered:
        return _Found(0, None, _NOT_ASKED)
    if not network.members:
        return _Found(0, None, _NOBODY)
    found = Counter(value_of(member, key) for member in network.members)
    counts = {label: found[value] for value, label in offered.items() if found[value]}
    n, k, total = sum(counts.values()), len(offered), len(network.members)
    if k < 2:
        return _Found(n, None, f"this course offers one {one} only, so there is nothing to compare")
    if not n:
        return _Found(0, None, f"no {one} is noted for anybody on your list")
    iqv = (1 - sum((count / n) ** 2 for count in counts.values())) * k / (k - 1)
    if n < total:
        known = f"{n} of your {total} people {'has' if n == 1 else 'have'} a {one} noted"
    else:
        known = (
            f"Your 1 person has a {one} noted"
            if n == 1
            else f"All your {n} people have a {one} noted"
        )
    shown = "; ".join(f"{label}: {count}" for label, count in counts.items())
    if n == 1:
        scale = "as it always is with one person"
    elif n <= k:
        most = (1 - 1 / n) * k / (k - 1)
        scale = f"on a scale from 0 (all in one) to {rounded(most)} (everybody in a different one)"
    else:
        scale = "on a scale from 0 (all in one) to 1 (as many in each)"
    where = f"in {len(counts)} of the {k} {many} offered ({shown})"
    return _Found(n, iqv, f"{known}, {where}: {rounded(iqv)}, {scale}.")


def _outside(network: Network, course: Course) -> _Found:
    """The E-I index of the student's sector against those of members; unknown ones left out."""
    offered = labels_in(column_at(course, "people", "sector"))
    own = prompt_at(course, "connections", "your-sector")
    if not offered or own is None:
        return _Found(0, None, _NOT_ASKED)
    if not network.members:
        return _Found(0, None, _NOBODY)
    label = (labels_in(own) or offered).get(network.sector)
    sectors = [member.sector for member in network.members if member.sector in offered]
    n, total = len(sectors), len(network.members)
    if label is None:
        return _Found(n, None, "you have not said where you work or belong yourself")
    if not n:
        return _Found(0, None, "no sector is noted for anybody on your list")
    inside = sectors.count(network.sector)
    outside = n - inside
    index = (outside - inside) / n
    says = f"Of {n_people(n)} with a sector noted, {outside} "
    says += f"{'belongs' if outside == 1 else 'belong'} outside of yours ({label}) and {inside} "
    says += f"inside: {rounded(index)}, on a scale from -1 (all inside) to 1 (all outside)"
    if unknown := total - n:
        verb = "is" if unknown == 1 else "are"
        says += f"; {n_people(unknown)} without a sector {verb} left out"
    return _Found(n, index, f"{says}.")


def _mutuality(network: Network, course: Course) -> _Found:
    if not all(column_at(course, "people", key) for key in ("give", "get")):
        return _Found(len(network.members), None, _NOT_ASKED)
    both = sum(mutual(member) for member in network.members)
    return _share(network, both, "You noted both what you give and what you get for {}.")


def _multiplexity(network: Network, course: Course) -> _Found:
    offered = labels_in(column_at(course, "people", "kinds"))
    if not offered:
        return _Found(len(network.members), None, _NOT_ASKED)
    several = sum(len(offered.keys() & set(member.kinds)) > 1 for member in network.members)
    return _share(network, several, "You noted two or more kinds of tie for {}.")


def _share(network: Network, count: int, says: str) -> _Found:
    n = len(network.members)
    if not n:
        return _Found(0, None, _NOBODY)
    if not count:
        whom = f"nobody (0 of {n_people(n)})"
    elif count == n:
        whom = f"all of your {n} people" if n > 1 else "your 1 person"
    else:
        whom = f"{count} of your {n_people(n)}"
    return _Found(n, count / n, says.format(whom))


def mutual(member: Member) -> bool:
    """Whether something goes both ways between the student and a member."""
    return bool(member.give and member.get)
