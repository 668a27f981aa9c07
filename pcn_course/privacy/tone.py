"""Venting about the work, about clients, or about colleagues.

It needs somebody who vents and what it is aimed at: to say that one is tired, or to quote an
unkind word, is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pcn_course.privacy.draft import Draft, Finding

_AIM = (
    r"(?:clients?|patients?|parents?|mothers?|fathers?|moms?|dads?|kids?|famil(?:y|ies)|people|teens?|boss|supervisors?|"
    r"managers?|management|directors?|colleagues?|coworkers?|co-workers?|caseworkers?|workers?|team|agency|job|work|"
    r"office|meetings?|paperwork|documentation|court|judges?|teachers?|principals?|system|organi[sz]ation|department|"
    r"place|nurses?|doctors?|staff|caseload|leadership|foster (?:mom|dad|parents?)|him|her|them|they|she|he|it all|"
    r"all of this|everything|interns?|students?|lawyers?|landlords?|policies)"
)
_BAD = (
    r"(?:idiots?|idiotic|useless|lazy|ungrateful|stupid|incompetent|clueless|pathetic|liars?|hopeless|worthless|morons?|"
    r"manipulative|entitled|dumb|insane|ridiculous|a joke|the worst|a nightmare|nightmares?|a mess|a waste of \w{1,10}|awful|toxic|"
    r"jerks?|losers?|trash|crazy|impossible|unbearable|disgusting|horrible|terrible|annoying|rude|whiny|drama queens?|"
    r"bad (?:moms?|mothers?|parents?|dads?))"
)
_SO = r"(?:so |such |just |really |absolutely |completely |totally |always |all |an? |being |a total |a complete )"
_ME = r"\b(?:I|we|I[’']m|I[’']ve|we[’']re|we[’']ve)\b"
_AIMED = re.compile(rf"\b{_AIM}\b", re.IGNORECASE)
# What follows whom it is aimed at; looked for only there, as there are many.
_OF_AIM = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"{_AIM}\s(?:[\w’']{{1,14}}\s){{0,2}}?(?:is|are|was|were|[’']s)\s{_SO}{{0,3}}{_BAD}\b",
        rf"{_AIM}\s(?:so|such an?)\s{_BAD}\b",
        rf"{_AIM}\s(?:has|have) no (?:clue|idea what)\b",
        rf"{_AIM}\s(?:is|are|was|were|[’']s)\s(?:\w{{1,10}}\s)?(?:circus|zoo|dump|disaster|shit ?show|hellhole|train wreck|hot mess|"
        r"cesspool|dumpster fire|piece of work|pain in the \w{1,5}|on a power trip|backstabbers?|freeloaders?|moochers?|drama)\b",
        rf"{_AIM}\s(?:who |that )?(?:does|do|did|does|know|knows)\snothing (?:but|about|at all|all day|right)\b",
        rf"{_AIM}\s(?:who |that )?(?:will )?never (?:learns?|change[sd]?|listens?|helps?|thanks?|works?)\b",
        rf"{_AIM}\s(?:who |that )?(?:thinks? (?:the )?rules|throws? it all away|makes? excuses|blames? everyone)\b",
        rf"{_AIM}\s(?:acts?|acted|acting|behaves?|behaved) like {_SO}{{0,3}}(?:{_BAD}|bab(?:y|ies)|children|clowns?)\b",
        rf"{_AIM}\s(?:really |just |totally )?sucks?\b",
    )
)
_VENTING = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"(?:{_ME}(?: am| are| have| was)?|^|(?<=[.!?] ))\s?(?:\w{{1,12}}\s){{0,3}}(?:sick(?: and tired)? of|fed up with|done with|tired of|over it with|"
        rf"had it with|had enough of|can[’']?t stand|cannot stand|can[’']t take|cannot take|hate|despise|loathe|dread)\s(?:[\w’']{{1,14}}\s){{0,3}}?{_AIM}\b",
        rf"\b(?:is|are)\s(?:\w{{1,10}}\s)?{_AIM}\s{_SO}{{0,2}}{_BAD}\b",
        rf"\b(?:these|those|such|my|our|another|some|this|that|the same|what an?|with)\s(?:\w{{1,10}}\s)?(?:lazy|stupid|ungrateful|useless|incompetent|clueless|entitled|"
        rf"crazy|idiotic|dumb|pathetic|manipulative|awful|toxic|annoying|whiny)\s{_AIM}\b",
        rf"\bhow {_BAD} (?:this|these|that|my|our|the)\b(?:\s\w{{1,12}}){{0,3}}",
        r"\b(?:our|my|these|those) (?:clients|parents|families|kids) (?:all |just |always )?(?:lie|cheat|whine|complain)\b",
        r"\b(?:I will|I[’']ll|I[’']m going to|I am going to|about to|going to) (?:lose it|snap|scream|lose my mind|explode|quit on the spot)\b",
        rf"\b(?:one more|another day,? another) {_AIM}\b",
        r"\b(?:wtf|smh|ffs|hellhole|shit ?show|bull ?shit|dumpster fire|pain in the (?:ass|butt|neck)|power trip|frequent fl[iy]ers?|"
        r"(?:gaming|milking|playing|working) the system|play(?:s|ing)? the victim|could(?:n[’']t)? care less|freeloaders?|moochers?)\b",
        r"\bwhy do(?:es)? (?:I|we|anyone) (?:even )?(?:try|bother)\b|\bwhat[’']?s? (?:is )?the point of (?:helping|this job|trying)\b",
        r"\bI[’']?\s?(?:a?m) (?:so |just |totally )?over (?:it|them|this|him|her)\b",
        r"\bsick to death\b|\bthe same (?:old )?(?:excuses|drama|nonsense|lies)\b|\b(?:her|his|their) (?:drama|nonsense|whining|excuses|lies)\b",
        rf"\b(?:bunch|pack|load) of (?:{_BAD}|clowns|babies|hypocrites|cowards|sheep)\b",
        r"\bcan[’']t (?:even )?with (?:these|this|those|my|her|him|them)\b(?:\s\w{1,12}){0,2}",
        r"\bjust wants? (?:a handout|handouts|attention|everything for free|free stuff)\b",
        r"\b(?:beyond|way past) (?:frustrated|annoyed|over it|angry)\b|\bso (?:done|over it)\b",
        r"\bdriv(?:es?|ing) (?:me|us) (?:crazy|nuts|insane|mad|up the wall)\b",
        r"\b(?:don[’']t|doesn[’']t|do not|does not) deserve (?:their|his|her|to|help|these|any)\b(?:\s\w{1,12}){0,2}",
        r"\b(?:don[’']t|doesn[’']t|do not) (?:even )?(?:want to be helped|care about their|bother to)\b",
        r"\b(?:lies|lied|lying|lie) (?:right )?to (?:my|our) face\b",
        r"\b(?:wast(?:e|ed|es|ing) (?:of )?(?:my|our) (?:time|day|life)|another wasted \w{1,10}|waste of (?:my |our )?time)\b",
        r"(?:^|(?<=[.!?\n] )|(?<=\n))(?:ugh|argh|rant|rant time|vent|venting|end rant|just venting|grr+)\b[\s:,.!…]{0,3}(?:\w{1,14}\s){0,3}\w{1,14}",
        rf"\b(?:so |completely |totally |really )over (?:\w{{1,10}}\s){{0,3}}{_AIM}\b",
        rf"\b(?:so (?:frustrated|angry|annoyed)|furious|at my wits?[’']? end) (?:with|at) (?:\w{{1,10}}\s){{0,2}}{_AIM}\b",
        r"\b(?:waste of (?:space|air)|(?:never|don[’']t|doesn[’']t) (?:ever )?(?:lift a finger|do a thing|do anything right|give a (?:damn|crap)))\b",
        r"\bnobody (?:here |there |in \w{1,12} )?(?:does anything|cares|ever does)\b",
        r"\b(?:need|have|want) to vent\b",
        r"\b(?:I swear|I could scream|makes? me want to (?:scream|quit)|what is wrong with (?:these|those|this)|why do I (?:even )?bother)\b",
    )
)


def tone(draft: Draft) -> Iterator[Finding]:
    """Venting, a finding for each sentence in which it stands."""
    aims = [found.start() for found in _AIMED.finditer(draft.text)]
    for pattern in _OF_AIM:
        for start in aims:
            aimed = pattern.match(draft.text, start)
            if aimed:
                yield Finding("venting", *aimed.span())
    for pattern in _VENTING:
        for found in pattern.finditer(draft.text):
            words = found.group()
            yield Finding("venting", found.end() - len(words.lstrip()), found.end())
