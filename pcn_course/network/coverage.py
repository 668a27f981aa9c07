"""The expertise that a project needs against the expertise at hand, and who could fill a gap."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from pcn_course.answers.values import Row, Values, line, rows
from pcn_course.course import Course
from pcn_course.network.members import Member, read_network
from pcn_course.network.words import and_list, in_words, labels_in, or_list, prompt_at


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
    prompt = prompt_at(course, "goals", "expertise-that-helps")
    if prompt is None:
        return Coverage((), "This course does not ask which expertise your project needs.")
    names = {line(row, "id"): line(row, "goal") for row in rows(values, "goals", "goal-list")}
    labels = labels_in(next((one for one in prompt.columns if one.key == "group"), None))
    members = read_network(values).members
    needs = tuple(
        _need(row, members, labels, names)
        for row in rows(values, "goals", "expertise-that-helps")
        if line(row, "expertise")
    )
    return Coverage(needs, _covered(needs, members))


def _need(
    row: Row, members: Sequence[Member], labels: Mapping[str, str], goals: Mapping[str, str]
) -> Need:
    key, group = line(row, "id"), line(row, "group")
    label = labels.get(group) or in_words(group)
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
            by = and_list(one.name + _NOT_YET.get(one.status, "") for one in held)
            says = [f"Held by {by}."]
        case "perhaps":
            verb = "knows" if len(perhaps) == 1 else "know"
            alike_names = or_list(member.name for member in perhaps)
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
            says.append(f"{and_list(refused)} declined or withdrew and {verb} not counted.")
        if said := line(row, "held-by"):
            says.append(
                f"In step 1 you wrote “{said}” here: if that is somebody on your list, tick this "
                "need for them in step 2."
            )
    people, ways = ((), ()) if held else _COULD_FILL.get(group, _COULD_FILL["other"])
    goal = goals.get(line(row, "goal")) or line(row, "goal-shown")
    return Need(
        id=key,
        expertise=line(row, "expertise"),
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
    named = f": {and_list(gaps)}" if gaps else ""
    needed = "need" if total == 1 else "needs"
    return f"Of the {total} {needed} of your project, {and_list(parts)}{named}."
