"""A student's network: members and ties, what can be measured, what is covered, what changed.

The student (ego) is tied to every member; ties among members are undirected, and one pair counts
once, however often and in whichever direction it was entered. Rows come from files that anybody
may have changed: what has the wrong type counts as no answer, and nothing here raises for it.

Formulas, with n members, t pairs of them tied, and p_ij the part of i's ties that goes to j:

- density 2t / (n(n-1)) (Wasserman & Faust 1994)
- effective size n - 2t/n, efficiency that divided by n (Burt 1992; Borgatti 1997)
- constraint, the sum over members j of (p_ij + sum over q of p_iq p_qj) squared (Burt 1992)
- IQV, (1 - sum of squared shares) K/(K-1), with K categories offered (Gibbs & Poston 1975)
- E-I index (E - I) / (E + I), with E outside of the student's sector (Krackhardt & Stern 1988)

A measure describes. No value is better than another, and none is ever marked. They are a few sums
over at most fifteen people, so they are written out here: loading a library for graphs would take
longer than a page may take.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import msgspec

from pcn_course.course import Course, Prompt, UnknownStepError

ASKED = 15
"""Ties are asked among this many first rows: pairs grow as n(n-1)/2."""

Values = Mapping[str, Mapping[str, Any]]
Row = Mapping[str, Any]


class Member(msgspec.Struct, frozen=True):
    """One person as listed. Empty text or tuple: not said. ``closeness`` from 1, or ``None``.

    ``sector``, ``group`` and the like are values of options, ``goal`` and ``meets`` ids of rows in
    step 1. ``name`` is initials or a role, or "Person 3" by the place in the list.
    """

    id: str
    name: str
    role: str = ""
    sector: str = ""
    expertise: str = ""
    group: str = ""
    lived_experience: str = ""
    place: str = ""
    channels: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    give: str = ""
    get: str = ""
    closeness: int | None = None
    how_met: str = ""
    goal: str = ""
    meets: tuple[str, ...] = ()
    status: str = ""
    consent: str = ""

    @property
    def said_no(self) -> bool:
        """Whether they declined or withdrew."""
        return self.status in ("declined", "withdrawn")


class Tie(msgspec.Struct, frozen=True):
    """A pair of members (ids, in the order of the list) and all kinds of tie noted for it."""

    one: str
    other: str
    kinds: tuple[str, ...] = ()


class Network(msgspec.Struct, frozen=True):
    """Members in the order of the list, and the ties among those who were ``asked`` about.

    ``asked`` are the ids of members in the first fifteen rows. ``left_out`` are ties that reach
    beyond them, which no measure counts. ``sector`` is the student's own.
    """

    members: tuple[Member, ...] = ()
    ties: tuple[Tie, ...] = ()
    asked: tuple[str, ...] = ()
    left_out: tuple[Tie, ...] = ()
    sector: str = ""


_LINES = (
    *("role", "sector", "expertise", "group", "lived-experience", "place", "give", "get"),
    *("how-met", "goal", "status", "consent"),
)


def read_network(values: Values) -> Network:
    """The network in the answers of step 2; an empty one if there is none."""
    connections = _answers(values, "connections")
    members: dict[str, Member] = {}
    asked = []
    for number, row in _rows(connections.get("people")):
        member = _member(number, row)
        if member is None:
            continue
        # A second row with an id is a person as well; ties lead to the first one.
        while member.id in members:
            member = msgspec.structs.replace(member, id=f"{member.id}#{number}")
        members[member.id] = member
        if number <= ASKED:
            asked.append(member.id)
    order = {name: place for place, name in enumerate(members)}
    kinds: dict[tuple[str, str], list[str]] = {}
    for _, row in _rows(connections.get("ties")):
        ends = {_text(row, "one"), _text(row, "other")}
        if len(ends) == 2 and ends <= order.keys():
            one, other = sorted(ends, key=order.__getitem__)
            kinds.setdefault((one, other), []).append(_text(row, "kind"))
    ties = [Tie(*pair, tuple(dict.fromkeys(filter(None, said)))) for pair, said in kinds.items()]
    within = set(asked)
    return Network(
        members=tuple(members.values()),
        ties=tuple(tie for tie in ties if {tie.one, tie.other} <= within),
        asked=tuple(asked),
        left_out=tuple(tie for tie in ties if not {tie.one, tie.other} <= within),
        sector=_text(connections, "your-sector"),
    )


def _member(number: int, row: Row) -> Member | None:
    """The member in the row with that number, from 1; ``None`` if nothing is filled in."""
    closeness = row.get("closeness")
    whole = isinstance(closeness, int) and not isinstance(closeness, bool) and closeness > 0
    said: dict[str, Any] = {key.replace("-", "_"): _text(row, key) for key in _LINES}
    said |= {key: _list(row, key) for key in ("channels", "kinds", "meets")}
    said["closeness"] = closeness if whole else None
    name = _text(row, "person")
    if not name and not any(said.values()):
        return None
    return Member(id=_text(row, "id") or f"#{number}", name=name or f"Person {number}", **said)


# ---- Measures ------------------------------------------------------------------------------------


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
    if _prompt(course, "connections", "people") is None:
        return _Found(n, None, _NOT_ASKED)
    if not n:
        return _Found(0, 0.0, "There is nobody on your list yet.")
    parts = [f"You list {_people(n)}"]
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
    if any(_prompt(course, "connections", key) is None for key in ("people", "ties")):
        why_not = _NOT_ASKED
    elif not network.members:
        why_not = _NOBODY
    elif not n:
        why_not = f"ties are counted among the first {ASKED} rows only, and nobody stands there"
    if why_not:
        return {key: _Found(n, None, why_not) for key in keys}

    size = n - 2 * t / n
    who = _asked_people(network)
    if n == 2 and t:
        tied = f"{_capital(who)} know each other"
    elif t == 1:
        tied = f"Two of {who} know each other"
    elif t:
        tied = f"{t} pairs among {who} know each other"
    else:
        tied = f"None of {who} know each other, as far as you noted"
    contacts = f"{_number(size)} separate {'contact' if size == 1 else 'contacts'}"
    now = constraint(network) or 0.0
    apart, all_tied = 1 / n, (2 * n - 1) ** 2 / n**3
    says = {
        "effective-size": f"{tied}, so together they count as {contacts}.",
        "efficiency": (
            f"{_capital(who)} count as {contacts}, which is {_number(size / n)} for each of them."
        ),
        "constraint": (
            f"Constraint for {who} is {_number(now)}; it would be {_number(apart)} if none of them "
            f"knew each other, and {_number(all_tied)} if all did."
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
        says = f"{_capital(who)} know each other"
    elif n == 2:
        says = f"{_capital(who)} do not know each other, as far as you noted"
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
    offered = _labels(_column(course, "people", key))
    if not offered:
        return _Found(0, None, _NOT_ASKED)
    if not network.members:
        return _Found(0, None, _NOBODY)
    found = Counter(_of(member, key) for member in network.members)
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
        scale = f"on a scale from 0 (all in one) to {_number(most)} (everybody in a different one)"
    else:
        scale = "on a scale from 0 (all in one) to 1 (as many in each)"
    where = f"in {len(counts)} of the {k} {many} offered ({shown})"
    return _Found(n, iqv, f"{known}, {where}: {_number(iqv)}, {scale}.")


def _outside(network: Network, course: Course) -> _Found:
    """The E-I index of the student's sector against those of members; unknown ones left out."""
    offered = _labels(_column(course, "people", "sector"))
    own = _prompt(course, "connections", "your-sector")
    if not offered or own is None:
        return _Found(0, None, _NOT_ASKED)
    if not network.members:
        return _Found(0, None, _NOBODY)
    label = (_labels(own) or offered).get(network.sector)
    sectors = [member.sector for member in network.members if member.sector in offered]
    n, total = len(sectors), len(network.members)
    if label is None:
        return _Found(n, None, "you have not said where you work or belong yourself")
    if not n:
        return _Found(0, None, "no sector is noted for anybody on your list")
    inside = sectors.count(network.sector)
    outside = n - inside
    index = (outside - inside) / n
    says = f"Of {_people(n)} with a sector noted, {outside} "
    says += f"{'belongs' if outside == 1 else 'belong'} outside of yours ({label}) and {inside} "
    says += f"inside: {_number(index)}, on a scale from -1 (all inside) to 1 (all outside)"
    if unknown := total - n:
        verb = "is" if unknown == 1 else "are"
        says += f"; {_people(unknown)} without a sector {verb} left out"
    return _Found(n, index, f"{says}.")


def _mutuality(network: Network, course: Course) -> _Found:
    if not all(_column(course, "people", key) for key in ("give", "get")):
        return _Found(len(network.members), None, _NOT_ASKED)
    both = sum(_mutual(member) for member in network.members)
    return _share(network, both, "You noted both what you give and what you get for {}.")


def _multiplexity(network: Network, course: Course) -> _Found:
    offered = _labels(_column(course, "people", "kinds"))
    if not offered:
        return _Found(len(network.members), None, _NOT_ASKED)
    several = sum(len(offered.keys() & set(member.kinds)) > 1 for member in network.members)
    return _share(network, several, "You noted two or more kinds of tie for {}.")


def _share(network: Network, count: int, says: str) -> _Found:
    n = len(network.members)
    if not n:
        return _Found(0, None, _NOBODY)
    if not count:
        whom = f"nobody (0 of {_people(n)})"
    elif count == n:
        whom = f"all of your {n} people" if n > 1 else "your 1 person"
    else:
        whom = f"{count} of your {_people(n)}"
    return _Found(n, count / n, says.format(whom))


def _mutual(member: Member) -> bool:
    return bool(member.give and member.get)


# ---- Coverage ------------------------------------------------------------------------------------


class Need(msgspec.Struct, frozen=True):
    """One kind of expertise that the project needs, and who on the list holds it.

    ``held_by`` are names of members of whom the student said so, ``perhaps_by`` of those who bring
    the same kind of knowledge. Whoever declined or withdrew is in neither. Unless it is held,
    ``people`` and ``ways`` say who could fill it and how to find them.
    """

    id: str
    expertise: str
    group: str
    goal: str
    state: Literal["held", "perhaps", "gap"]
    held_by: tuple[str, ...]
    perhaps_by: tuple[str, ...]
    says: str
    people: tuple[str, ...]
    ways: tuple[str, ...]


class Coverage(msgspec.Struct, frozen=True):
    """All needs in the order of step 1, and a sentence about them all.

    ``group`` of a need is its label. Without needs ``says`` tells what is missing.
    """

    needs: tuple[Need, ...]
    says: str

    @property
    def held(self) -> tuple[Need, ...]:
        """Needs that somebody meets."""
        return tuple(need for need in self.needs if need.state == "held")

    @property
    def perhaps(self) -> tuple[Need, ...]:
        """Needs that somebody with the same kind of knowledge may meet."""
        return tuple(need for need in self.needs if need.state == "perhaps")

    @property
    def gaps(self) -> tuple[Need, ...]:
        """Needs that nobody meets."""
        return tuple(need for need in self.needs if need.state == "gap")


# Who could fill a gap, and where and how to find them: never online only.
_COULD_FILL: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "discipline": (
        (
            "a nurse, physician or pharmacist",
            "a teacher or school psychologist",
            "a lawyer, planner or engineer who works on the same problem",
        ),
        (
            "a colleague in an interdisciplinary team, over coffee",
            "a phone call to the front desk of a clinic, school or legal aid office",
            "the email list of their association",
        ),
    ),
    "social-work": (
        (
            "a practitioner who runs a similar program elsewhere",
            "a field instructor or supervisor",
            "somebody who teaches in this area of practice",
        ),
        (
            "your school’s field office, by phone",
            "a chapter meeting or a continuing education day",
            "the author of a program report, by a short email",
        ),
    ),
    "lived-experience": (
        (
            "a peer worker or peer advocate",
            "a member of a council or advisory board of people who use services",
            "somebody who speaks and trains from their own experience",
        ),
        (
            "a peer-run organization, by phone or at its open hours",
            "an introduction by somebody whom they trust",
            "a paid hour at a place and time of their choice; never your own clients",
        ),
    ),
    "family-friends": (
        (
            "a leader of a carers’ or parents’ group",
            "a family advocate or family navigator",
            "a kin carer who advises an agency",
        ),
        (
            "a support group’s contact person, by phone",
            "a visit to a family resource center, by invitation",
            "an introduction by a school or faith community",
        ),
    ),
    "community": (
        (
            "an Elder or a Tribal liaison",
            "a faith leader or the organizer of a neighborhood group",
            "a community health worker or a librarian",
        ),
        (
            "in person, at a community meeting to which you were invited",
            "an introduction by somebody who belongs there",
            "a phone call to the Tribal or community office, to ask how to begin",
        ),
    ),
    "policy-funding": (
        (
            "a program officer at the county or state",
            "a legislative aide",
            "a grants manager or a foundation’s program officer",
        ),
        (
            "the public phone number of the office in charge",
            "a public hearing, board meeting or call for bidders",
            "the grants office where you work or study",
        ),
    ),
    "research-data": (
        (
            "an evaluator or data analyst at an agency",
            "a researcher who published on the question",
            "a librarian who helps with searches and data",
        ),
        (
            "your library’s desk, in person or by phone",
            "the email address printed on an article",
            "the institutional research or evaluation office",
        ),
    ),
    "other": (
        (
            "somebody who solved a similar problem elsewhere",
            "somebody who depends on how it is solved",
        ),
        (
            "ask three people on your list: “Whom would you ask?”",
            "a phone call to a neighboring agency or a help line",
        ),
    ),
}
_NOT_YET = {"planned": " (not asked yet)", "sent": " (no answer yet)"}


def coverage(course: Course, values: Values) -> Coverage:
    """The expertise needed in step 1 against the people of step 2; needs without words left out."""
    prompt = _prompt(course, "goals", "expertise-that-helps")
    if prompt is None:
        return Coverage((), "This course does not ask which expertise your project needs.")
    goals = _answers(values, "goals")
    names = {_text(row, "id"): _text(row, "goal") for _, row in _rows(goals.get("goal-list"))}
    labels = _labels(next((one for one in prompt.columns if one.key == "group"), None))
    members = read_network(values).members
    needs = tuple(
        _need(row, members, labels, names)
        for _, row in _rows(goals.get("expertise-that-helps"))
        if _text(row, "expertise")
    )
    return Coverage(needs, _covered(needs, members))


def _need(
    row: Row, members: Sequence[Member], labels: Mapping[str, str], goals: Mapping[str, str]
) -> Need:
    key, group = _text(row, "id"), _text(row, "group")
    label = labels.get(group) or _words(group)
    meeting = [member for member in members if key and key in member.meets]
    held = [member for member in meeting if not member.said_no]
    # "Something else" twice need not be the same thing.
    alike = [
        member
        for member in members
        if group not in ("", "other") and member.group == group and not member.said_no
    ]
    perhaps = [member for member in alike if member not in held]
    state: Literal["held", "perhaps", "gap"] = "held" if held else "perhaps" if perhaps else "gap"
    match state:
        case "held":
            says = [
                f"Held by {_and(member.name + _NOT_YET.get(member.status, '') for member in held)}."
            ]
        case "perhaps":
            verb = "knows" if len(perhaps) == 1 else "know"
            alike_names = _or(member.name for member in perhaps)
            sentence = (
                f"Perhaps {alike_names} {verb} about it: the kind of knowledge is the same "
                f"({label}). Ask before you count on it."
            )
            says = [sentence]
        case "gap":
            says = ["Nobody on your list so far."]
    if state != "held":
        if refused := [member.name for member in meeting]:
            verb = "is" if len(refused) == 1 else "are"
            says.append(f"{_and(refused)} declined or withdrew and {verb} not counted.")
        if said := _text(row, "held-by"):
            says.append(
                f"In step 1 you wrote “{said}” here: if that is somebody on your list, tick this "
                "need for them in step 2."
            )
    people, ways = ((), ()) if held else _COULD_FILL.get(group, _COULD_FILL["other"])
    goal = goals.get(_text(row, "goal")) or _text(row, "goal-shown")
    return Need(
        id=key,
        expertise=_text(row, "expertise"),
        group=label,
        goal=goal,
        state=state,
        held_by=tuple(member.name for member in held),
        perhaps_by=tuple(member.name for member in perhaps),
        says=" ".join(says),
        people=people,
        ways=ways,
    )


def _covered(needs: Sequence[Need], members: Sequence[Member]) -> str:
    total = len(needs)
    if not total:
        return (
            "No needs are written in step 1 yet, so there is nothing to compare your people with."
        )
    if not members:
        whose = "the 1 need of your project is" if total == 1 else f"all {total} needs are"
        return f"There is nobody on your list yet, so {whose} open."
    states = Counter(need.state for need in needs)
    parts = [
        f"{states['held']} {'is' if states['held'] == 1 else 'are'} held by somebody on your list",
        f"{states['perhaps']} perhaps",
        f"{states['gap']} by nobody so far",
    ]
    gaps = [f"“{need.expertise}”" for need in needs if need.state == "gap"]
    named = f": {_and(gaps)}" if gaps else ""
    return (
        f"Of the {total} {'need' if total == 1 else 'needs'} of your project, {_and(parts)}{named}."
    )


# ---- Then and now --------------------------------------------------------------------------------


def changes(first: Network, last: Network, course: Course | None = None) -> tuple[str, ...]:
    """What is different between two networks, in sentences; one that says so if nothing is.

    A member is the same by id, or by name if the row was deleted and entered again. Sectors are
    named as in ``course``, or by their values.
    """
    if not first.members and not last.members:
        return ("Nobody was on your list then or now, so there is nothing to compare.",)
    last = _as_in(first, last)
    labels = _labels(_column(course, "people", "sector") if course else None)
    sentences = [
        *_changed_members(first, last),
        *_changed_ties(first, last),
        *_changed_sectors(first, last, labels),
        *_changed_numbers(first, last),
    ]
    if not sentences:
        same = f"{_people(len(last.members))} and {_ties(len(_noted(last)))} then and now"
        return (f"Nothing changed in people, ties, sectors, give and get or density: {same}.",)
    return tuple(sentences)


def _as_in(first: Network, last: Network) -> Network:
    """``last`` with the ids that ``first`` gave to the same people."""
    ids = {member.id for member in first.members}
    kept = ids & {member.id for member in last.members}
    by_name = {one.name.casefold(): one.id for one in first.members if one.id not in kept}
    was = {member.id: member.id for member in last.members}
    for member in last.members:
        if member.id not in kept:
            was[member.id] = by_name.pop(member.name.casefold(), member.id)
    replace = msgspec.structs.replace

    def renamed(ties: Iterable[Tie]) -> tuple[Tie, ...]:
        return tuple(replace(tie, one=was[tie.one], other=was[tie.other]) for tie in ties)

    return replace(
        last,
        members=tuple(replace(member, id=was[member.id]) for member in last.members),
        ties=renamed(last.ties),
        left_out=renamed(last.left_out),
        asked=tuple(was[one] for one in last.asked),
    )


def _changed_members(first: Network, last: Network) -> list[str]:
    then, now = _names(first), _names(last)
    joined = [name for key, name in now.items() if key not in then]
    left = [name for key, name in then.items() if key not in now]
    sentences = []
    if len(then) != len(now):
        sentences.append(f"You listed {_people(len(then))} then and list {_people(len(now))} now.")
    elif joined:
        sentences.append(f"You list {_people(len(now))}, as many as then, but not the same.")
    if joined:
        sentences.append(f"New on your list: {_and(joined)}.")
    if left:
        sentences.append(f"No longer on it: {_and(left)}.")
    return sentences


def _changed_ties(first: Network, last: Network) -> list[str]:
    names = _names(first) | _names(last)
    then, now = (
        {frozenset((tie.one, tie.other)): tie for tie in _noted(net)} for net in (first, last)
    )

    def pairs(ties: Iterable[Tie]) -> str:
        return "; ".join(f"{names[tie.one]} and {names[tie.other]}" for tie in ties)

    new = pairs(tie for pair, tie in now.items() if pair not in then)
    gone = pairs(tie for pair, tie in then.items() if pair not in now)
    if not new and not gone:
        return []
    sentences = [f"You noted {_ties(len(then))} among them then and {_ties(len(now))} now."]
    if new:
        sentences.append(f"New ties: {new}.")
    if gone:
        sentences.append(f"Ties no longer noted: {gone}.")
    return sentences


def _changed_sectors(first: Network, last: Network, labels: Mapping[str, str]) -> list[str]:
    then, now = (dict.fromkeys(one.sector for one in net.members) for net in (first, last))

    def named(sectors: Iterable[str]) -> str:
        return _and(labels.get(one) or _words(one) for one in sectors if one)

    sentences = []
    if new := named(one for one in now if one not in then):
        sentences.append(f"Sectors new in your network: {new}.")
    if gone := named(one for one in then if one not in now):
        sentences.append(f"Sectors no longer in it: {gone}.")
    return sentences


def _changed_numbers(first: Network, last: Network) -> list[str]:
    sentences = []
    then, now = (
        f"{sum(map(_mutual, net.members))} of {_people(len(net.members))}" for net in (first, last)
    )
    if then != now:
        sentences.append(f"You noted both give and get for {then} then and for {now} now.")
    was, is_now = (
        "not computed (it takes two people)" if one is None else _number(one)
        for one in (density(first), density(last))
    )
    if was != is_now:
        sentences.append(f"Density was {was} then and is {is_now} now.")
    return sentences


def _noted(network: Network) -> tuple[Tie, ...]:
    """All ties, those beyond the first fifteen rows as well: moving a row ends no tie."""
    return (*network.ties, *network.left_out)


def _names(network: Network) -> dict[str, str]:
    return {member.id: member.name for member in network.members}


# ---- Words ---------------------------------------------------------------------------------------


def _asked_people(network: Network) -> str:
    """Those whose ties were asked about: "your 8 people", "the first 15 of your 60 people"."""
    n, total = len(network.asked), len(network.members)
    return f"your {_people(n)}" if n == total else f"the first {n} of your {_people(total)}"


def _people(n: int) -> str:
    return f"{n} {'person' if n == 1 else 'people'}"


def _ties(n: int) -> str:
    return f"{n} {'tie' if n == 1 else 'ties'}"


def _number(value: float) -> str:
    """A number with two decimals at most, and none where they are zero."""
    # Adding zero makes a negative zero positive.
    return f"{round(value, 2) + 0.0:.2f}".rstrip("0").rstrip(".")


def _and(words: Iterable[str]) -> str:
    return _joined(words, "and")


def _or(words: Iterable[str]) -> str:
    return _joined(words, "or")


def _joined(words: Iterable[str], last: str) -> str:
    """A list in words; with semicolons where a part has a comma itself."""
    *rest, final = list(words) or [""]
    if not rest:
        return final
    if any("," in part for part in (*rest, final)):
        return f"{'; '.join(rest)}; {last} {final}"
    return f"{', '.join(rest)} {last} {final}"


def _words(value: str) -> str:
    """An option's value where no label is known."""
    return value.replace("-", " ")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


# ---- Reading -------------------------------------------------------------------------------------


def _prompt(course: Course, step: str, key: str) -> Prompt | None:
    try:
        return course.step(step).prompt(key)
    except UnknownStepError:
        return None


def _column(course: Course, table: str, key: str) -> Prompt | None:
    """A column of one of step 2's tables, or ``None`` if this course has no such column."""
    prompt = _prompt(course, "connections", table)
    columns = prompt.columns if prompt else ()
    return next((column for column in columns if column.key == key), None)


def _labels(prompt: Prompt | None) -> dict[str, str]:
    """The labels of a prompt's options by value, in their order."""
    return {option.value: option.label for option in prompt.options} if prompt else {}


def _of(member: Member, key: str) -> str:
    text: str = getattr(member, key)
    return text


def _answers(values: Any, step: str) -> Row:
    answers = values.get(step) if isinstance(values, Mapping) else None
    return answers if isinstance(answers, Mapping) else {}


def _rows(table: Any) -> list[tuple[int, Row]]:
    """The rows of a table that are rows, each with its number in the list, from 1."""
    rows = table if isinstance(table, list) else []
    return [(number, row) for number, row in enumerate(rows, 1) if isinstance(row, Mapping)]


def _text(row: Row, key: str) -> str:
    """A cell as one line of text; "" for anything else."""
    value = row.get(key)
    return " ".join(value.split()) if isinstance(value, str) else ""


def _list(row: Row, key: str) -> tuple[str, ...]:
    """A cell of several choices, each once; nothing for anything else."""
    value = row.get(key)
    texts = (one for one in value if isinstance(one, str)) if isinstance(value, list) else ()
    return tuple(dict.fromkeys(text for one in texts if (text := " ".join(one.split()))))
