"""A network then and now, in sentences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from pcn_course.course import Course
from pcn_course.network.measures import density, mutual
from pcn_course.network.members import Network, Tie
from pcn_course.network.words import (
    and_list,
    column_at,
    in_words,
    labels_in,
    n_people,
    n_ties,
    rounded,
)


def changes(first: Network, last: Network, course: Course | None = None) -> tuple[str, ...]:
    """What is different between two networks, in sentences; one that says so if nothing is.

    A member is the same by id, or by name if the row was deleted and entered again. Sectors are
    named as in ``course``, or by their values.
    """
    if not first.members and not last.members:
        return ("Nobody was on your list then or now, so there is nothing to compare.",)
    last = _as_in(first, last)
    labels = labels_in(column_at(course, "people", "sector") if course else None)
    sentences = [
        *_changed_members(first, last),
        *_changed_ties(first, last),
        *_changed_sectors(first, last, labels),
        *_changed_numbers(first, last),
    ]
    if not sentences:
        same = f"{n_people(len(last.members))} and {n_ties(len(last.all_ties))} then and now"
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
        sentences.append(
            f"You listed {n_people(len(then))} then and list {n_people(len(now))} now."
        )
    elif joined:
        sentences.append(f"You list {n_people(len(now))}, as many as then, but not the same.")
    if joined:
        sentences.append(f"New on your list: {and_list(joined)}.")
    if left:
        sentences.append(f"No longer on it: {and_list(left)}.")
    return sentences


def _changed_ties(first: Network, last: Network) -> list[str]:
    names = _names(first) | _names(last)
    then, now = (
        {frozenset((tie.one, tie.other)): tie for tie in net.all_ties} for net in (first, last)
    )

    def pairs(ties: Iterable[Tie]) -> str:
        return "; ".join(f"{names[tie.one]} and {names[tie.other]}" for tie in ties)

    new = pairs(tie for pair, tie in now.items() if pair not in then)
    gone = pairs(tie for pair, tie in then.items() if pair not in now)
    if not new and not gone:
        return []
    sentences = [f"You noted {n_ties(len(then))} among them then and {n_ties(len(now))} now."]
    if new:
        sentences.append(f"New ties: {new}.")
    if gone:
        sentences.append(f"Ties no longer noted: {gone}.")
    return sentences


def _changed_sectors(first: Network, last: Network, labels: Mapping[str, str]) -> list[str]:
    then, now = (dict.fromkeys(one.sector for one in net.members) for net in (first, last))

    def named(sectors: Iterable[str]) -> str:
        return and_list(labels.get(one) or in_words(one) for one in sectors if one)

    sentences = []
    if new := named(one for one in now if one not in then):
        sentences.append(f"Sectors new in your network: {new}.")
    if gone := named(one for one in then if one not in now):
        sentences.append(f"Sectors no longer in it: {gone}.")
    return sentences


def _changed_numbers(first: Network, last: Network) -> list[str]:
    sentences = []
    then, now = (
        f"{sum(map(mutual, net.members))} of {n_people(len(net.members))}" for net in (first, last)
    )
    if then != now:
        sentences.append(f"You noted both give and get for {then} then and for {now} now.")
    was, is_now = (
        "not computed (it takes two people)" if one is None else rounded(one)
        for one in (density(first), density(last))
    )
    if was != is_now:
        sentences.append(f"Density was {was} then and is {is_now} now.")
    return sentences


def _names(network: Network) -> dict[str, str]:
    return {member.id: member.name for member in network.members}
