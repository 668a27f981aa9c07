"""What a page shows between its questions, as HTML made from answers: measures, tools, asks, week.

A panel is a fragment without script or style of its own, of headings from ``h4`` on, which the page
places below the panel's title. Everything that a student or the course wrote is escaped. Ids begin
with ``pcn-panel-`` and the panel's kind. The page acts on ``data-pcn-choose``, ``data-pcn-copy``
``data-pcn-file`` and ``data-pcn-rest``, and filters ``li.pcn-tool`` by its ``data-`` attributes.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

import msgspec

from pcn_course.asks import Exchange, Loop, addressee, asks, draft, exchange_sums, loops, missing
from pcn_course.characters import one_line
from pcn_course.course import Course, Tool
from pcn_course.network import Measure, Need, coverage, measures, read_network
from pcn_course.toolbox import RULE, Ranked, because, checks, rank, retired, said_something, traits

BEST = 5
"""So many tools stand in sight; the others are one click away."""

Values = Mapping[str, Mapping[str, Any]]


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
            return _coverage(course, values)
        case "tools":
            return _tools(course, values, today, whole=whole)
        case "asks":
            return _asks(values)
        case "week":
            return _week(course, values, today)
        case _:
            raise UnknownPanelError(f"There is no panel “{kind}”.")


# ---- Network and coverage ------------------------------------------------------------------------


def _network(course: Course, values: Values) -> str:
    network = read_network(values)
    if not network.members:
        return _help("Add people above, and what can be said about your network stands here.")
    items = "".join(_measure(measure) for measure in measures(network, course))
    note = _help("Each number describes and none is marked: what you make of it is what counts.")
    return f'{note}<ul class="pcn-plain">{items}</ul>'


def _measure(measure: Measure) -> str:
    says = measure.says or f"{measure.title}: {measure.why_not}"
    over = "1 person" if measure.n == 1 else f"{measure.n} people"
    value = "" if measure.value is None else f"Value: {round(measure.value, 2) + 0.0:g}. "
    return (
        f"<li><h4>{_safe(measure.title)}</h4>"
        f'<p dir="auto">{_safe(says)}</p><p>{_safe(measure.question)}</p>'
        + _fold(
            f"network-{measure.key}",
            f"Number and source of “{measure.title}”",
            f"<p>{value}Over {over} (n = {measure.n}). "
            f"{_safe(_FORMULAS.get(measure.key, ''))} Source: {_safe(measure.source)}.</p>",
        )
        + "</li>"
    )


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


def _coverage(course: Course, values: Values) -> str:
    found = coverage(course, values)
    if not found.needs:
        add = "Add in step 1 which expertise would help, and it is set against your people here."
        return f"<p>{_safe(found.says)}</p>{_help(add)}"
    items = "".join(f"<li>{_need(need)}</li>" for need in found.needs)
    return f'<p dir="auto">{_safe(found.says)}</p><ul class="pcn-plain">{items}</ul>'


def _need(need: Need) -> str:
    look = "pcn-done" if need.state == "held" else "pcn-open"
    about = "; ".join(part for part in (need.group, f"for: {need.goal}" * bool(need.goal)) if part)
    parts = [
        f'<h4 dir="auto">{_safe(need.expertise)}</h4>',
        f'<p><span class="pcn-badge {look}">{_STATES[need.state]}</span> ',
        f"{_safe(need.says)}</p>",
        _help(about) if about else "",
    ]
    if need.people:
        parts.append(f"<p>Who could know it:</p>{_list(map(_safe, need.people))}")
    if need.ways:
        parts.append(f"<p>How you could find them:</p>{_list(map(_safe, need.ways))}")
    return "".join(parts)


# ---- Tools ---------------------------------------------------------------------------------------

_NOTHING_SAID = (
    "Nothing to go by yet: so far this order knows only cost, phone and connection. Say in step 2 "
    "how you reach your people, and tick above what you know and what a tool must cope with."
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
    ranked = rank(course, values, today)
    parts = [
        f'<p class="pcn-note"><strong>One rule stands above every tool.</strong> {_safe(RULE)}</p>'
    ]
    heading = "What fits best, by what you and your people said"
    if not said_something(values):
        heading = "Some tools, in no order of yours yet"
        parts.append(_help(_NOTHING_SAID))
    parts.append(_list(_safe(sentence) for sentence in checks(values)))
    parts.append(f"<h4>{heading}</h4>")
    parts.append(f"<ol>{''.join(_tool(one) for one in ranked[:BEST])}</ol>")
    if others := ranked[BEST:]:
        rest = f'<p data-pcn-rest="{len(others)}">Loading the other tools…</p>'
        if whole:
            rest = f'<ol start="{BEST + 1}">{"".join(_tool(one) for one in others)}</ol>'
        summary = f"The other {len(others)} tools, with what speaks for and against each"
        parts.append(_fold("tools-others", summary, rest))
    parts.append(
        '<p><button type="button" class="pcn-quiet" data-pcn-file="compare">'
        "Compare all tools in a table</button></p>"
    )
    if gone := retired(course):
        parts.append(_fold("tools-retired", "Tools that are no more", _list(map(_safe, gone))))
    return "".join(parts)


def _tool(one: Ranked) -> str:
    tool, known_as = one.tool, traits(one.tool)
    data = {
        "phone": known_as.phone,
        "bandwidth": known_as.bandwidth,
        "public": known_as.public,
        "free": known_as.free,
        "known": "yes" if one.known else "no",
        "used": "yes" if one.used_by else "no",
    }
    attributes = " ".join(f'data-{key}="{_safe(value)}"' for key, value in data.items())
    best_for = f"<br>For: {_safe(tool.best_for)}." if tool.best_for else ""
    chosen = ' <span class="pcn-badge pcn-done">✓ Chosen</span>' if one.chosen else ""
    cautions = [_safe(sentence) for sentence in (*one.cautions, one.stale) if sentence]
    return (
        f'<li class="pcn-tool" {attributes}><p><strong>{_safe(tool.name)}</strong>{chosen}: '
        f"{_safe(because(one))}.{best_for}</p>"
        f"{_list(cautions)}"
        f'<p><button type="button" class="pcn-button" data-pcn-choose="tools-chosen" '
        f'data-pcn-value="{_safe(tool.key)}" aria-pressed="{str(one.chosen).lower()}">'
        f"Choose {_safe(tool.name)}</button></p></li>"
    )


def compare_html(course: Course, values: Values, today: dt.date) -> str:
    """The whole catalogue as one table, in the order of :func:`pcn_course.toolbox.rank`.

    It is longer than all else of a step, so a page asks for it when somebody wants it.
    """
    ranked = rank(course, values, today)
    rows = [[_safe(one.tool.name), *_facts(one.tool)] for one in ranked]
    head = ["Tool", *_COLUMNS.values(), "Checked on"]
    caption = "All tools, in the order of the list above"
    note = _help(
        "BAA: business associate agreement, the contract that HIPAA asks for. It changes nothing "
        "about the rule above."
    )
    return note + _table("tools-table", caption, head, rows)


def _facts(tool: Tool) -> list[str]:
    facts = {key: getattr(tool, key) for key in _COLUMNS}
    facts["timing"] = _TIMING.get(tool.timing, tool.timing)
    checked = _date(tool.checked_on) if tool.checked_on else "not checked yet"
    return [_safe(fact or "not known") for fact in (*facts.values(), checked)]


# ---- Asks ----------------------------------------------------------------------------------------

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
    return _drafts(values) + _loops(loops(values)) + _give_and_get(values)


def _drafts(values: Values) -> str:
    found = asks(values)
    head = "<h4>Messages to send</h4>"
    if not found:
        return head + _help("Add an ask in step 4, and a message to send stands here.")
    hint = _help(
        "Copy a message to where you write, and put the person’s name in there and not here. "
        "Change whatever does not sound like you."
    )
    return head + hint + "".join(_draft(n, ask, values) for n, ask in enumerate(found, start=1))


def _draft(number: int, ask: Mapping[str, Any], values: Values) -> str:
    who, status = addressee(ask, values), one_line(ask.get("status"))
    sent = {"sent": " (sent)", "closed": " (closed)"}.get(status, "")
    about = one_line(ask.get("purpose")) or "an ask without a purpose yet"
    lacks = missing(ask, values)
    name = f"pcn-panel-asks-draft-{number}"
    parts = [
        f'<p class="pcn-note pcn-open">Still missing: {_safe("; ".join(lacks))}.</p>' * bool(lacks),
        f'<div class="pcn-example" id="{name}" dir="auto">{_safe(draft(ask, values))}</div>',
        # The greeting's initials are the person's own to read.
        look_again((one_line(ask.get(key)) for key in ("purpose", "offer", "use")), "send it"),
        f'<p><button type="button" class="pcn-button" data-pcn-copy="{name}">',
        _safe(f"Copy the message to {who}" if who else f"Copy the message of ask {number}"),
        # By ear, two messages to one person are told apart.
        f'<span class="pcn-sr">: {_safe(about)}</span>' * bool(who),
        "</button></p>",
    ]
    summary = f"{f'To {who}: ' if who else ''}{about}{sent}"
    return _fold(f"asks-fold-{number}", summary, "".join(parts), is_open=not sent)


def look_again(texts: Iterable[str], before: str, kinds: frozenset[str] | None = None) -> str:
    """A note on words that could identify somebody, as HTML; "" where there are none.

    ``kinds`` are those of `pcn_course.privacy` that count, all without it.
    """
    from pcn_course.privacy import advise  # its words and patterns take a while to load

    found = {
        (one.kind, "" if one.soft else one.words): one
        for text in texts
        for one in advise(text)
        if kinds is None or one.kind in kinds
    }
    if not found:
        return ""
    ordered = sorted(found.values(), key=lambda one: one.soft)
    quotes = ("" if one.soft else f"“{one.words}”: " for one in ordered)
    shown = [_safe(quote + one.why) for quote, one in zip(quotes, ordered, strict=True)][:LOOK_AT]
    if more := len(found) - len(shown):
        shown.append(f"and {more} more")
    return (
        f'<div class="pcn-note pcn-open"><p>Look at this before you {before}:</p>'
        f"{_list(shown)}</div>"
    )


def _loops(found: Sequence[Loop]) -> str:
    head = "<h4>What came of each ask</h4>"
    if not found:
        return head + _help("Add an ask in step 4, and you see here where it stands.")
    open_ones = sum(loop.open for loop in found)
    be = "is" if open_ones == 1 else "are"
    total = f"{open_ones} of {len(found)} {be} open." if open_ones else "Nothing is open."
    return f"{head}<p>{total}</p>{_list(map(_loop, found))}"


def _loop(loop: Loop) -> str:
    look = "pcn-open" if loop.open else "pcn-done"
    return (
        f'<span class="pcn-badge {look}">{_BADGES[loop.state]}</span> '
        f'<strong dir="auto">{_safe(loop.purpose or "An ask without a purpose")}</strong>'
        f"{_safe(f' · {loop.to}') if loop.to else ''}<br>{_safe(loop.stands)}"
        + (f"<br>Next: {_safe(loop.next)}" if loop.next else "")
    )


def _give_and_get(values: Values) -> str:
    head = "<h4>Given and got</h4>"
    sums = exchange_sums(values)
    shown = [one for one in sums.members if one.asked or one.give or one.get]
    if not shown:
        return head + _help(
            "Add people in step 2 with what you give and get, or send an ask, and both are summed "
            "here for each of them."
        )
    people = len(sums.members)
    told = (
        f"Asks sent: {sums.asked}. Answered: {sums.answered}. Reported back: {sums.reported}. "
        f"Give and get are both named for {sums.both} of {people}."
    )
    rest = people - len(shown)
    left_out = f" Nothing is noted yet for {rest} more." if rest else ""
    columns = ["Person", "Asked", "Answered", "Said no", "Reported back", "You give", "You get"]
    table = _table("asks-sums", "Given and got, for each person", columns, map(_sums_row, shown))
    return f"{head}<p>{told}{left_out} More is not better.</p>{table}"


def _sums_row(one: Exchange) -> list[str]:
    counts = (one.asked, one.answered, one.declined, one.reported)
    texts = (one.give or "not named", one.get or "not named")
    return [_safe(cell) for cell in (one.name, *counts, *texts)]


# ---- Week ----------------------------------------------------------------------------------------

_DAY = 24 * 60


class _Time(msgspec.Struct, frozen=True):
    """One weekly time: its day (0 is Monday), its start and length in minutes (0: not said)."""

    day: int
    start: int
    minutes: int
    purpose: str

    def within(self, quiet: tuple[int, int]) -> bool:
        """Whether any of its minutes is a quiet one; both may run past midnight."""
        first, last = quiet
        silent = {minute % _DAY for minute in range(first, last + _DAY * (last <= first))}
        return not silent.isdisjoint(
            minute % _DAY for minute in range(self.start, self.start + max(self.minutes, 1))
        )


def _week(course: Course, values: Values, today: dt.date) -> str:
    answers = _answers(values, "managing")
    times, unfinished = _weekly_times(answers)
    limits = (_minute(answers.get("quiet-from")), _minute(answers.get("quiet-to")))
    quiet = (limits[0], limits[1]) if limits[0] is not None and limits[1] is not None else None
    parts = []
    if rhythm := _label(course, "managing", "how-often-to-engage", answers):
        parts.append(f"<p>Your rhythm: {_safe(rhythm)}.</p>")
    if times:
        zone = _label(course, "managing", "time-zone", answers) or "local time"
        parts.append(f"<h4>Your times</h4>{_list(_time_in_words(one, quiet) for one in times)}")
        parts.append(f"<p>{_safe(_total(times))} Times are given in {_safe(zone)}.</p>")
    else:
        parts.append(
            _help("Add a weekly time above, and your week stands here. No fixed time is fine, too.")
        )
    if unfinished:
        lack = "One time lacks" if unfinished == 1 else f"{unfinished} times lack"
        parts.append(_help(f"{lack} a day or a start and cannot be placed in the week yet."))
    parts.append(_quiet_hours(limits, times))
    review = _review(course, answers, today)
    parts.append(review)
    if times or quiet or review:
        parts.append(
            '<p><button type="button" class="pcn-button" data-pcn-file="calendar">'
            "Download as a calendar (.ics)</button></p>"
            + _help(
                "It opens in Google, Outlook and Apple calendars. When your plan changes, download "
                "it again: the second file updates the first."
            )
        )
    return "".join(parts)


def _weekly_times(answers: Mapping[str, Any]) -> tuple[list[_Time], int]:
    """The times that have a day and a start, in the order of the week; and how many have not."""
    days = list(_DAYS)
    rows = answers.get("weekly-times")
    times, unfinished = [], 0
    for row in rows if isinstance(rows, list) else ():
        if not isinstance(row, Mapping) or not any(
            value for key, value in row.items() if key != "id"
        ):
            continue
        day, start = one_line(row.get("day")), _minute(row.get("start"))
        if day not in days or start is None:
            unfinished += 1
            continue
        length = one_line(row.get("minutes"))
        minutes = int(length) if re.fullmatch(r"[0-9]{1,3}", length) else 0
        times.append(_Time(days.index(day), start, minutes, one_line(row.get("purpose"))))
    return sorted(times, key=lambda one: (one.day, one.start)), unfinished


_DAYS = {
    "mon": "Monday",
    "tue": "Tuesday",
    "wed": "Wednesday",
    "thu": "Thursday",
    "fri": "Friday",
    "sat": "Saturday",
    "sun": "Sunday",
}


def _time_in_words(one: _Time, quiet: tuple[int, int] | None) -> str:
    day = list(_DAYS.values())[one.day]
    length = f", {one.minutes} minutes" if one.minutes else ""
    words = f"{day}, {_clock(one.start)}{length}"
    purpose = f': <span dir="auto">{_safe(one.purpose)}</span>' if one.purpose else ""
    clash = quiet is not None and one.within(quiet)
    badge = ' <span class="pcn-badge pcn-open">In your quiet hours</span>' if clash else ""
    return f"{_safe(words)}{purpose}{badge}"


def _total(times: Sequence[_Time]) -> str:
    minutes = sum(one.minutes for one in times)
    open_ones = sum(not one.minutes for one in times)
    count = "1 time" if len(times) == 1 else f"{len(times)} times"
    hours, rest = divmod(minutes, 60)
    parts = [f"{hours} {'hour' if hours == 1 else 'hours'}"] if hours else []
    parts += [f"{rest} minutes"] if rest or not hours else []
    unsaid = f" For {open_ones} you have not said how long." if open_ones else ""
    return f"Together {' and '.join(parts)} a week, in {count}.{unsaid}"


def _quiet_hours(limits: tuple[int | None, int | None], times: Sequence[_Time]) -> str:
    first, last = limits
    if first is None and last is None:
        return ""
    if first is None or last is None:
        return _help("Your quiet hours lack a beginning or an end: add it above.")
    if first == last:
        return _help("Your quiet hours begin and end at the same time: that is the whole day.")
    said = f"<p>Quiet hours: {_clock(first)} to {_clock(last)}.</p>"
    clashes = sum(one.within((first, last)) for one in times)
    if not clashes:
        return said
    which = "One of your times lies" if clashes == 1 else f"{clashes} of your times lie"
    return (
        f'{said}<p class="pcn-note pcn-open">{which} within your quiet hours. '
        "Move one of the two, or keep it if you mean it.</p>"
    )


def _review(course: Course, answers: Mapping[str, Any], today: dt.date) -> str:
    day = _as_date(answers.get("review-date"))
    if day is None:
        return ""
    days = (day - today).days
    if days < 0:
        when = "that day has passed: look at your plan now, or choose another day"
    else:
        when = {0: "that is today", 1: "that is tomorrow"}.get(days, f"in {days} days")
    again = _label(course, "managing", "review-again", answers)
    after = f" After that: {again}." if again else ""
    return f"<p>You look at this plan again on {_date(day)} ({when}).{_safe(after)}</p>"


def _clock(minute: int) -> str:
    """A minute of the day as people in the course's country say it: 7:30 am."""
    hour, rest = divmod(minute, 60)
    return f"{hour % 12 or 12}:{rest:02} {'am' if hour < 12 else 'pm'}"


def _minute(value: Any) -> int | None:
    """A time of day in minutes since midnight, or ``None`` for anything else."""
    found = (
        re.fullmatch(r"([01][0-9]|2[0-3]):([0-5][0-9])", value) if isinstance(value, str) else None
    )
    return int(found[1]) * 60 + int(found[2]) if found else None


def _as_date(value: Any) -> dt.date | None:
    try:
        return dt.date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _label(course: Course, step: str, key: str, answers: Mapping[str, Any]) -> str:
    """The words of the option that was chosen; "" if none was or the course has no such prompt."""
    prompts = (prompt for one in course.steps if one.name == step for prompt in one.prompts)
    options = (option for prompt in prompts if prompt.key == key for option in prompt.options)
    return next((option.label for option in options if option.value == answers.get(key)), "")


def _answers(values: Any, step: str) -> Mapping[str, Any]:
    """A step's answers, or none if they are not what they should be."""
    answers = values.get(step) if isinstance(values, Mapping) else None
    return answers if isinstance(answers, Mapping) else {}


# ---- Parts ---------------------------------------------------------------------------------------


def _table(name: str, caption: str, head: Iterable[str], rows: Iterable[Sequence[str]]) -> str:
    """A table that scrolls in itself; the first cell of a row is its head. Cells are HTML."""
    columns = "".join(f'<th scope="col">{_safe(column)}</th>' for column in head)
    body = "".join(
        f'<tr><th scope="row" dir="auto">{first}</th>'
        + "".join(f'<td dir="auto">{cell}</td>' for cell in cells)
        + "</tr>"
        for first, *cells in rows
    )
    return (
        f'<div class="pcn-scroll" role="region" aria-label="{_safe(caption)}" tabindex="0" '
        f'id="pcn-panel-{name}"><table class="pcn-table"><caption>{_safe(caption)}</caption>'
        f"<thead><tr>{columns}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _fold(name: str, summary: str, body: str, *, is_open: bool = False) -> str:
    """``body`` (HTML) behind a summary (text). A name keeps it open when the page draws it anew."""
    state = " open" if is_open else ""
    head = f'<summary dir="auto">{_safe(summary)}</summary>'
    return f'<details id="pcn-panel-{name}"{state}>{head}{body}</details>'


def _list(items: Iterable[str]) -> str:
    """A list of HTML items; nothing without any."""
    inner = "".join(f"<li>{item}</li>" for item in items)
    return f"<ul>{inner}</ul>" if inner else ""


def _help(text: str) -> str:
    return f'<p class="pcn-help">{_safe(text)}</p>'


def _date(day: dt.date) -> str:
    return f"{day:%B} {day.day}, {day.year}"


def _safe(value: Any) -> str:
    """``value`` as text: escaped, and without the characters that no HTML page may hold."""
    text = re.sub(
        r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff]", "\ufffd", str(value)
    )
    return escape(text, quote=True)
