"""What a student asks of people: messages to send, what came of them, and what was given and got.

An ask is bounded: what it is for, how many minutes it takes, what is offered for it, how the
answer is used, and a no that costs nothing (course team). A loop has four parts: asked, answered,
what changed, reported back (FAMCare 2018 on the feedback loop; course team). A no closes a loop as
well as an answer does.

Asks stand in ``managing.asks``, what came of them in ``integrating.loops``, people in
``connections.people``; they point to each other by the ids of entries. Whoever has only one step's
answers, or an entry whose other end was deleted, falls back to the label beside the id. Values
come from files that anybody may have changed: what has the wrong type counts as no answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

import msgspec

from pcn_course.answers.values import Row, Values, date_in_words, day, line, rows, rows_by_id

State = Literal[
    "draft", "waiting", "answered", "changed", "reported", "accepted", "declined", "closed"
]

NO_NAME = "somebody whom you did not name"


class Loop(msgspec.Struct, frozen=True):
    """One ask on its way: where it stands (``stands``), and what is to be done next, if anything.

    ``open`` is a loop in which the student owes or awaits something. A draft is not open, because
    nobody has been asked yet, and neither is anything declined.
    """

    purpose: str
    to: str
    state: State
    stands: str
    next: str
    open: bool


class Exchange(msgspec.Struct, frozen=True):
    """What passed between the student and one member.

    ``asked`` counts asks that were sent, ``answered`` those answered (an accepted invitation is an
    answer), ``declined`` those declined, ``reported`` those whose outcome went back to the member;
    ``give`` and ``get`` are the student's own words.
    """

    member: str
    name: str
    asked: int
    answered: int
    declined: int
    reported: int
    give: str
    get: str

    @property
    def both(self) -> bool:
        """Whether something flows in both directions."""
        return bool(self.give and self.get)

    @property
    def owed(self) -> int:
        """How many answers still wait to hear what became of them."""
        return max(0, self.answered - self.reported)


class Exchanges(msgspec.Struct, frozen=True):
    """All members in the order of the student's list, then others who were asked; and the sums."""

    members: tuple[Exchange, ...]

    @property
    def asked(self) -> int:
        """Return how many requests were sent."""
        return sum(one.asked for one in self.members)

    @property
    def answered(self) -> int:
        """Return how many requests were answered."""
        return sum(one.answered for one in self.members)

    @property
    def reported(self) -> int:
        """Asks whose outcome was reported back."""
        return sum(one.reported for one in self.members)

    @property
    def both(self) -> int:
        """Members with whom give and get are both named."""
        return sum(one.both for one in self.members)


def asks(values: Values) -> tuple[Row, ...]:
    """The asks in which anything is filled in, as they stand."""
    keys = ("purpose", "to", "minutes", "offer", "use", "easy-no")
    return tuple(row for row in rows(values, "managing", "asks") if any(line(row, k) for k in keys))


def addressee(ask: Row, values: Values) -> str:
    """The initials or role of whom an ask goes to; "" where nobody is named."""
    member = rows_by_id(rows(values, "connections", "people")).get(line(ask, "to"))
    return (line(member, "person") if member else "") or line(ask, "to-shown")


def draft(ask: Row, values: Values) -> str:
    """A message that can be sent as it is: plain text, a greeting by initials or role.

    It says what the ask holds and leaves out what is missing; without an easy no of the student's
    own it brings one, because a message should never go out without it.
    """
    who = addressee(ask, values)
    purpose, minutes = line(ask, "purpose"), line(ask, "minutes")
    offer, use = line(ask, "offer"), line(ask, "use")
    invites = line(ask, "kind") == "invitation"
    middle = []
    if minutes:
        middle.append(_time_it_takes(minutes))
    if offer:
        middle.append(f"In return I offer: {_end(offer)}")
    if use:
        head = "What will come of it" if invites else "How I will use your answer"
        middle.append(f"{head}: {_end(use)}")
    paragraphs = [
        # "KG, carers' group leader": what follows a comma is for the student's own list.
        f"Hello {who.partition(',')[0]}," if who else "Hello,",
        _opening(purpose, invites=invites),
        "\n".join(middle),
        _easy_no(line(ask, "easy-no")),
        "Thank you for reading this.",
    ]
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph)


def missing(ask: Row, values: Values | None = None) -> tuple[str, ...]:
    """The parts of a bounded ask that are not there yet, as clauses.

    With ``values`` it is known who brings lived experience: from them nothing should be asked
    without credit or pay.
    """
    offer = "what you offer in return"
    member = rows_by_id(rows(values or {}, "connections", "people")).get(line(ask, "to"))
    if member and _brings_lived_experience(member):
        offer = "the credit or pay that you offer, because this person brings lived experience"
    parts = {
        "purpose": "what it is for",
        "minutes": "how many minutes it takes",
        "offer": offer,
        "use": "how the answer will be used",
        "easy-no": "a way of your own to say no at no cost",
    }
    to = () if addressee(ask, values or {}) or member else ("who it goes to",)
    return to + tuple(clause for key, clause in parts.items() if not line(ask, key))


def loops(values: Values) -> tuple[Loop, ...]:
    """Every ask with what came of it, in the order of the asks; then outcomes whose ask is gone."""
    return tuple(loop for _, its_loops in _joined(values) for loop in its_loops)


def exchange_sums(values: Values) -> Exchanges:
    """Give and get, summed for each member; somebody asked who is on no list comes last."""
    people = rows(values, "connections", "people")
    sums = {
        member: Exchange(member, name, 0, 0, 0, 0, line(row, "give"), line(row, "get"))
        for member, row in rows_by_id(people).items()
        if (name := line(row, "person"))
    }
    for ask, its_loops in _joined(values):
        states = {loop.state for loop in its_loops}
        if states == {"draft"}:
            continue
        member, name = line(ask, "to"), its_loops[0].to
        if member not in sums:
            # An outcome whose ask is gone names nobody, and so do asks without an addressee.
            member = f"not listed: {name}"
        before = sums.get(member) or Exchange(member, name or NO_NAME, 0, 0, 0, 0, "", "")
        answers = states & {"answered", "changed", "reported", "accepted"}
        # Whoever accepts an invitation knows what came of it; two notes on one ask are one ask.
        told = bool(answers) and answers <= {"reported", "accepted"}
        sums[member] = msgspec.structs.replace(
            before,
            asked=before.asked + 1,
            answered=before.answered + bool(answers),
            declined=before.declined + ("declined" in states and not answers),
            reported=before.reported + told,
        )
    return Exchanges(tuple(sums.values()))


def _joined(values: Values) -> Iterable[tuple[Row, list[Loop]]]:
    """Each ask with its loops (one at least), joined by id; an ask that is gone is empty."""
    outcomes: dict[str, list[Row]] = {}
    for row in rows(values, "integrating", "loops"):
        keys = ("ask", "answered", "answered-on", "changed", "reported")
        if any(line(row, key) for key in keys):
            outcomes.setdefault(line(row, "ask"), []).append(row)
    people = rows_by_id(rows(values, "connections", "people"))
    for ask in asks(values):
        member = people.get(line(ask, "to"), {})
        key = line(ask, "id")
        notes = outcomes.pop(key, [{}]) if key else [{}]
        yield ask, [_loop(ask, note, member, addressee(ask, values)) for note in notes]
    for left in outcomes.values():
        for outcome in left:
            yield {}, [_loop({"purpose": outcome.get("ask-shown")}, outcome, {}, "")]


def _loop(ask: Row, outcome: Row, member: Row, to: str) -> Loop:
    who, changed = to or "They", line(outcome, "changed")
    them = to or "them"
    answered_on = date_in_words(day(outcome, "answered-on"))
    answered = f"Answered on {answered_on}." if answered_on else "Answered."
    state = _state(ask, outcome, member)
    stands, then = "", ""
    match state:
        case "draft":
            noted = date_in_words(day(ask, "sent-on"))
            stands = f"Not sent yet{f'; the day noted for it is {noted}' if noted else ''}."
            then = "Send it when it says all that it should."
        case "waiting":
            sent = date_in_words(day(ask, "sent-on"))
            stands = f"Asked{f' on {sent}' if sent else ''}, no answer yet."
            then = (
                "One reminder is fine. If nothing comes, close it: no answer is a no, and no harm."
            )
        case "answered":
            stands = answered
            then = f"Note what changed because of it (“nothing” counts, too), and tell {them}."
        case "changed":
            stands = f"{answered} What changed: {_end(changed)}"
            then = f"Report back to {them}: two lines are enough."
        case "reported":
            what = f"What changed: {_end(changed)}" if changed else "What changed is not noted."
            stands = f"{answered} {what} You reported back."
        case "accepted":
            stands = f"{who} accepted."
        case "declined":
            stands = f"{who} said no. That closes it, and a no is as good an answer as any."
        case "closed":
            stands = "Closed without an answer."
    is_open = state in ("waiting", "answered", "changed")
    return Loop(line(ask, "purpose"), to, state, stands, then, is_open)


def _state(ask: Row, outcome: Row, member: Row) -> State:
    answered, reported = line(outcome, "answered"), line(outcome, "reported") == "yes"
    changed = bool(line(outcome, "changed"))
    if answered == "declined":
        return "declined"
    if not answered and (changed or reported or day(outcome, "answered-on")):
        answered = "yes"
    if answered == "yes":
        if reported:
            return "reported"
        return "changed" if changed else "answered"
    if line(ask, "kind") == "invitation":
        # Whether somebody accepted stands in the list of people.
        match line(member, "status"):
            case "accepted":
                return "accepted"
            case "declined" | "withdrawn":
                return "declined"
    match line(ask, "status"):
        case "closed":
            return "closed"
        case "sent":
            return "waiting"
        case "draft" if not outcome:
            return "draft"
    # What came of it is only noted for what was asked.
    return "waiting" if outcome or day(ask, "sent-on") else "draft"


def _opening(purpose: str, *, invites: bool) -> str:
    if invites:
        about = f" It is for this: {_end(purpose)}" if purpose else ""
        return f"I would like to invite you to a small network of people around my project.{about}"
    if not purpose:
        return "May I ask you something?"
    if purpose.endswith("?"):
        return f"May I ask you something? {purpose}"
    return f"May I ask for your help? It is about this: {_end(purpose)}"


def _time_it_takes(minutes: str) -> str:
    number = re.fullmatch(
        r"(?:about |ca\.? )?(\d{1,3})(?: ?min(?:ute)?s?\.?)?", minutes, re.IGNORECASE
    )
    if not number:
        return f"Time it takes: {_end(minutes)}"
    count = int(number[1])
    return f"It would take about {count} {'minute' if count == 1 else 'minutes'} of your time."


def _easy_no(words: str) -> str:
    if re.fullmatch(r"[\"“„«].*[\"”“»]", words):
        words = words[1:-1].strip()
    if not words:
        return "If this does not suit you, a short no is fine, and so is no reply."
    return f"If this does not suit you, that is fine. {_end(words[:1].upper() + words[1:])}"


def _brings_lived_experience(member: Row) -> bool:
    return line(member, "lived-experience") == "yes" or "lived-experience" in (
        line(member, "role"),
        line(member, "group"),
    )


def _end(text: str) -> str:
    """``text`` with a full stop, unless it ends by itself."""
    return text if re.search(r"[.!?…][\"”’)]*$", text) else f"{text}."
