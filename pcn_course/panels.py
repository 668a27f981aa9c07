"""What a page shows between its questions, as HTML made from answers: measures, tools, asks, week.

A panel is a fragment without script or style of its own, of headings from ``h4`` on, which the page
places below the panel's title. Everything that a student or the course wrote is escaped. Ids begin
with ``pcn-panel-`` and the panel's kind. The page acts on ``data-pcn-choose``, ``data-pcn-copy``
``data-pcn-file`` and ``data-pcn-rest``, and filters ``li.pcn-tool`` by its ``data-`` attributes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from pcn_course.asks import Exchange, Loop, addressee, asks, draft, exchange_sums, loops, missing
from pcn_course.characters import escaped
from pcn_course.course import Course, Tool
from pcn_course.network import Measure, Need, coverage, measures, read_network
from pcn_course.rhythm import Entry, Week, week
from pcn_course.toolbox import RULE, Ranked, because, checks, rank, retired, said_something, traits
from pcn_course.values import Row, Values, clock_in_words, date_in_words, line

BEST = 5
"""So many tools stand in sight; the others are one click away."""


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
        f"<li><h4>{escaped(measure.title)}</h4>"
        f'<p dir="auto">{escaped(says)}</p><p>{escaped(measure.question)}</p>'
        + _fold(
            f"network-{measure.key}",
            f"Number and source of “{measure.title}”",
            f"<p>{value}Over {over} (n = {measure.n}). "
            f"{escaped(_FORMULAS.get(measure.key, ''))} Source: {escaped(measure.source)}.</p>",
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
        return f"<p>{escaped(found.says)}</p>{_help(add)}"
    items = "".join(f"<li>{_need(need)}</li>" for need in found.needs)
    return f'<p dir="auto">{escaped(found.says)}</p><ul class="pcn-plain">{items}</ul>'


def _need(need: Need) -> str:
    look = "pcn-done" if need.state == "held" else "pcn-open"
    about = "; ".join(part for part in (need.group, f"for: {need.goal}" * bool(need.goal)) if part)
    parts = [
        f'<h4 dir="auto">{escaped(need.expertise)}</h4>',
        f'<p><span class="pcn-badge {look}">{_STATES[need.state]}</span> ',
        f"{escaped(need.says)}</p>",
        _help(about) if about else "",
    ]
    if need.people:
        parts.append(f"<p>Who could know it:</p>{_list(map(escaped, need.people))}")
    if need.ways:
        parts.append(f"<p>How you could find them:</p>{_list(map(escaped, need.ways))}")
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
        (
            '<p class="pcn-note"><strong>One rule stands above every tool.</strong> '
            f"{escaped(RULE)}</p>"
        )
    ]
    heading = "What fits best, by what you and your people said"
    if not said_something(values):
        heading = "Some tools, in no order of yours yet"
        parts.append(_help(_NOTHING_SAID))
    parts.append(_list(escaped(sentence) for sentence in checks(values)))
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
        parts.append(_fold("tools-retired", "Tools that are no more", _list(map(escaped, gone))))
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
    attributes = " ".join(f'data-{key}="{escaped(value)}"' for key, value in data.items())
    best_for = f"<br>For: {escaped(tool.best_for)}." if tool.best_for else ""
    chosen = ' <span class="pcn-badge pcn-done">✓ Chosen</span>' if one.chosen else ""
    cautions = [escaped(sentence) for sentence in (*one.cautions, one.stale) if sentence]
    return (
        f'<li class="pcn-tool" {attributes}><p><strong>{escaped(tool.name)}</strong>{chosen}: '
        f"{escaped(because(one))}.{best_for}</p>"
        f"{_list(cautions)}"
        f'<p><button type="button" class="pcn-button" data-pcn-choose="tools-chosen" '
        f'data-pcn-value="{escaped(tool.key)}" aria-pressed="{str(one.chosen).lower()}">'
        f"Choose {escaped(tool.name)}</button></p></li>"
    )


def compare_html(course: Course, values: Values, today: dt.date) -> str:
    """The whole catalogue as one table, in the order of :func:`pcn_course.toolbox.rank`.

    It is longer than all else of a step, so a page asks for it when somebody wants it.
    """
    ranked = rank(course, values, today)
    rows = [[escaped(one.tool.name), *_facts(one.tool)] for one in ranked]
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
    checked = date_in_words(tool.checked_on) or "not checked yet"
    return [escaped(fact or "not known") for fact in (*facts.values(), checked)]


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


def _draft(number: int, ask: Row, values: Values) -> str:
    who, status = addressee(ask, values), line(ask, "status")
    sent = {"sent": " (sent)", "closed": " (closed)"}.get(status, "")
    about = line(ask, "purpose") or "an ask without a purpose yet"
    lacks = missing(ask, values)
    name = f"pcn-panel-asks-draft-{number}"
    parts = [
        f'<p class="pcn-note pcn-open">Still missing: {escaped("; ".join(lacks))}.</p>'
        * bool(lacks),
        f'<div class="pcn-example" id="{name}" dir="auto">{escaped(draft(ask, values))}</div>',
        # The greeting's initials are the person's own to read.
        look_again((line(ask, key) for key in ("purpose", "offer", "use")), "send it"),
        f'<p><button type="button" class="pcn-button" data-pcn-copy="{name}">',
        escaped(f"Copy the message to {who}" if who else f"Copy the message of ask {number}"),
        # By ear, two messages to one person are told apart.
        f'<span class="pcn-sr">: {escaped(about)}</span>' * bool(who),
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
    shown = [escaped(quote + one.why) for quote, one in zip(quotes, ordered, strict=True)][:LOOK_AT]
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
        f'<strong dir="auto">{escaped(loop.purpose or "An ask without a purpose")}</strong>'
        f"{escaped(f' · {loop.to}') if loop.to else ''}<br>{escaped(loop.stands)}"
        + (f"<br>Next: {escaped(loop.next)}" if loop.next else "")
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
    return [escaped(cell) for cell in (one.name, *counts, *texts)]


# ---- Week ----------------------------------------------------------------------------------------


def _week(course: Course, values: Values, today: dt.date) -> str:
    plan = week(course, values)
    parts = []
    if plan.rhythm:
        parts.append(f"<p>Your rhythm: {escaped(plan.rhythm)}.</p>")
    if plan.times:
        times = _list(_time(entry, clash=entry in plan.clashes) for entry in plan.times)
        unsaid = f" For {plan.unsaid} you have not said how long." if plan.unsaid else ""
        zone = escaped(plan.zone or "local time")
        parts.append(f"<h4>Your times</h4>{times}")
        parts.append(f"<p>{escaped(plan.total)}{unsaid} Times are given in {zone}.</p>")
    else:
        parts.append(
            _help("Add a weekly time above, and your week stands here. No fixed time is fine, too.")
        )
    if plan.unfinished:
        lack = "One time lacks" if plan.unfinished == 1 else f"{plan.unfinished} times lack"
        parts.append(_help(f"{lack} a day or a start and cannot be placed in the week yet."))
    parts.append(_quiet_hours(plan))
    parts.append(_review(plan, today))
    if plan.times or plan.quiet or plan.review:
        parts.append(
            '<p><button type="button" class="pcn-button" data-pcn-file="calendar">'
            "Download as a calendar (.ics)</button></p>"
            + _help(
                "It opens in Google, Outlook and Apple calendars. When your plan changes, download "
                "it again: the second file updates the first."
            )
        )
    return "".join(parts)


def _time(entry: Entry, *, clash: bool) -> str:
    purpose = f': <span dir="auto">{escaped(entry.purpose)}</span>' if entry.purpose else ""
    badge = ' <span class="pcn-badge pcn-open">In your quiet hours</span>' if clash else ""
    return f"{escaped(entry.when)}{purpose}{badge}"


def _quiet_hours(plan: Week) -> str:
    if plan.half_quiet:
        return _help("Your quiet hours lack a beginning or an end: add it above.")
    if plan.quiet is None:
        return ""
    first, last = plan.quiet
    if first == last:
        return _help("Your quiet hours begin and end at the same time: that is the whole day.")
    hours = f"<p>Quiet hours: {clock_in_words(first)} to {clock_in_words(last)}.</p>"
    if not plan.clashes:
        return hours
    clashes = len(plan.clashes)
    which = "One of your times lies" if clashes == 1 else f"{clashes} of your times lie"
    return (
        f'{hours}<p class="pcn-note pcn-open">{which} within your quiet hours. '
        "Move one of the two, or keep it if you mean it.</p>"
    )


def _review(plan: Week, today: dt.date) -> str:
    if plan.review is None:
        return ""
    days = (plan.review - today).days
    if days < 0:
        when = "that day has passed: look at your plan now, or choose another day"
    else:
        when = {0: "that is today", 1: "that is tomorrow"}.get(days, f"in {days} days")
    after = f" After that: {plan.again}." if plan.again else ""
    date = date_in_words(plan.review)
    return f"<p>You look at this plan again on {date} ({when}).{escaped(after)}</p>"


# ---- Parts ---------------------------------------------------------------------------------------


def _table(name: str, caption: str, head: Iterable[str], rows: Iterable[Sequence[str]]) -> str:
    """A table that scrolls in itself; the first cell of a row is its head. Cells are HTML."""
    columns = "".join(f'<th scope="col">{escaped(column)}</th>' for column in head)
    body = "".join(
        f'<tr><th scope="row" dir="auto">{first}</th>'
        + "".join(f'<td dir="auto">{cell}</td>' for cell in cells)
        + "</tr>"
        for first, *cells in rows
    )
    return (
        f'<div class="pcn-scroll" role="region" aria-label="{escaped(caption)}" tabindex="0" '
        f'id="pcn-panel-{name}"><table class="pcn-table"><caption>{escaped(caption)}</caption>'
        f"<thead><tr>{columns}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _fold(name: str, summary: str, body: str, *, is_open: bool = False) -> str:
    """``body`` (HTML) behind a summary (text). A name keeps it open when the page draws it anew."""
    state = " open" if is_open else ""
    head = f'<summary dir="auto">{escaped(summary)}</summary>'
    return f'<details id="pcn-panel-{name}"{state}>{head}{body}</details>'


def _list(items: Iterable[str]) -> str:
    """A list of HTML items; nothing without any."""
    inner = "".join(f"<li>{item}</li>" for item in items)
    return f"<ul>{inner}</ul>" if inner else ""


def _help(text: str) -> str:
    return f'<p class="pcn-help">{escaped(text)}</p>'
