"""What describes somebody: rare combinations, marks, pictures and biometrics.

A combination is rare where one sentence holds three kinds of detail about one person, such as an
exact age, a people and a place; or where the words say themselves that there is only one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pcn_course.privacy.draft import Draft, Finding
from pcn_course.privacy.words import CITIES, PEOPLES

_SOMEBODY = (
    r"(?:famil(?:y|ies)|foster (?:family|parents?|home)|household|couple|parents?|mother|father|mom|dad|child|kid|boy|girl|"
    r"teen|teenager|youth|man|woman|person|client|patient|student|veteran|refugee|resident|survivor|"
    r"grandmother|grandfather|grandparent|caregiver|inmate|widow|widower|twins?|siblings|citizen|elder|member)"
)
_NUMBER = (
    r"(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|"
    r"(?:twenty|thirty|forty|fifty|sixty|seventy|eighty)(?:-(?:one|two|three|four|five|six|seven|eight|nine))?)"
)
_CALLING = r"(?:firefighter|officer|deputy|teacher|pastor|priest|imam|doctor|judge|mayor|coach|principal|nurse|chief)"
_ONLY = re.compile(
    rf"\b(?:the |an? |our |my )?(?:only|(?<=the )one|first|last|sole|youngest|oldest|one of (?:two|three|the two|the few))\s"
    rf"(?:known\s|ever\s)?(?:[\w-]{{1,16}}\s){{0,3}}(?:{_SOMEBODY}|{_CALLING})\s(?:here\s|ever\s|left\s)?"
    r"(?:(?:in|at|on) (?:the|our|this|her|his|my|their|all)\s(?:[\w-]{1,14}\s)?(?:state|town|county|school|village|area|region|country|city|"
    r"valley|church|class|grade|team|base|tribe|community|district|program)|with\s(?!whom)[\w-]{1,16}|who\s\w{1,16}|that\s\w{1,16}|to\s\w{1,16}|"
    r"here\b|on (?:the|our) (?:island|reservation))(?:\s[\w’'-]{1,16}){0,4}",
    re.IGNORECASE,
)
_OFFICE = (
    r"(?:sheriff|pastor|priest|rabbi|imam|minister|mayor|judge|principal|superintendent|senator|governor|coach|"
    r"police chief|chief of police|chief|county attorney|district attorney|county commissioner|fire chief|councilman|councilwoman|chancellor|bishop|congressman|congresswoman|"
    r"tribal chair\w{0,6}|tribal chief|prosecutor|coroner|librarian|doctor|dentist|postmaster|teacher)"
)
_KIN = (
    r"(?:son|daughter|wife|husband|child|children|kids?|mother|father|mom|dad|brother|sister|nephew|niece|grand(?:son|daughter|child)|"
    r"girlfriend|boyfriend|partner|ex-wife|ex-husband|ex|family)"
)
_KIN_OF = re.compile(
    rf"\b(?:(?:the|our|a|this|my) (?:\w{{1,14}}\s)?)?{_OFFICE}[’']s\s(?:\w{{1,14}}\s)?{_KIN}\b|"
    rf"\b(?:the|a) {_KIN} of (?:the|our|a) (?:[\w’']{{1,12}} )?{_OFFICE}\b|"
    rf"\b(?:whose|his|her|their) {_KIN} (?:is|was) (?:the|our) (?:\w{{1,14}}\s)?{_OFFICE}\b",
    re.IGNORECASE,
)
_DISASTER = re.compile(
    r"\b(?:surviv(?:ed|or of|ors of)|escaped|lost \w{1,8} \w{1,10} in) the (?:\w{1,14}\s){0,3}"
    r"(?:crash|shooting|flood|fire|tornado|bombing|hurricane|explosion|derailment|collapse|massacre)\b|"
    r"\b(?:lost|died|killed|hurt|injured|orphaned|widowed)(?:\s\w{1,12}){0,3} in the (?:\w{1,14}\s){0,2}"
    r"(?:accident|crash|shooting|flood|fire|tornado|bombing|explosion|collapse|attack|massacre)\b|"
    r"\b(?:former|retired|ex-)\s?(?:nfl|nba|mlb|pro|professional|olympic|olympian|major league|child)\s?\w{0,12}|\bolympian\b|"
    r"\bfamous (?:in|here|around|for)\b|\bwon the lottery\b|"
    r"\bmurder-suicide\b|\bplane crash\b",
    re.IGNORECASE,
)
_BIRTHS = re.compile(
    r"\b(?:triplets|quadruplets|quintuplets|sextuplets|septuplets|conjoined twins)\b", re.IGNORECASE
)
_NEWS = re.compile(
    r"\b(?:(?:all over|in|on|made|hit) (?:all )?(?:the )?(?:local |national |state |evening )?"
    r"(?:news|newspapers?|papers?|headlines|front page|TV)|went viral|front-page)\b",
    re.IGNORECASE,
)
_ILLNESS = (
    r"(?:progeria|huntington[’']s(?: disease)?|tay-sachs|albinism|dwarfism|rett syndrome|prader-willi|"
    r"angelman syndrome|ehlers-danlos|phenylketonuria|pku|batten disease|leprosy|hansen[’']s disease|ebola|"
    r"locked-in syndrome|creutzfeldt-jakob|harlequin ichthyosis|krabbe disease|fatal familial insomnia|"
    r"dissociative fugue|kleine-levin)"
)
_RARE_ILLNESS = re.compile(
    rf"\b(?:{_SOMEBODY}|he|she|who|son|daughter|baby|sister|brother)\s(?:[\w-]{{1,14}}\s){{0,3}}{_ILLNESS}\b|"
    rf"\b(?:his|her|their)\s(?:rare\s)?{_ILLNESS}",
    re.IGNORECASE,
)

# One detail of each kind fits many people; three together may fit one.
_DETAILS = {
    "age": re.compile(
        rf"\b(?:\d{{1,2}}|{_NUMBER})[\s-](?:years?[\s-]old\b|y\.?/?o\b)|"
        r"\b(?:aged?|turned)\s\d{1,2}\b|"
        rf"\b(?:{_SOMEBODY}|he|she|brother|sister|son|daughter|niece|nephew|uncle|aunt)(?:,| is| was)\s\d{{1,2}}(?=[,;.!?)]|$)|"
        r"\b(?:\d{1,2}(?:st|nd|rd|th)|(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth))[\s-]grader?\b",
        re.IGNORECASE,
    ),
    "people": re.compile(rf"\b(?:{'|'.join(sorted(word.title() for word in PEOPLES))})\b"),
    "gender": re.compile(
        r"\b(?:trans(?:gender)?|nonbinary|non-binary|two-spirit|intersex|lesbian|gay|bisexual|queer)\b",
        re.IGNORECASE,
    ),
    "loss": re.compile(
        r"\b(?:lost (?:his|her|their|the) (?:house|home|job|license)|overdosed?|evicted|evacuated|deported|hospitalized|incarcerated|"
        r"(?:was|were|been) (?:raped|stabbed|shot|arrested|kidnapped))\b",
        re.IGNORECASE,
    ),
    "history": re.compile(
        r"\b(?:refugee|asylum seeker|adopt(?:ed|ee)|widow(?:er|ed)?|undocumented|trafficked|orphan(?:ed)?|veteran|"
        r"ex-gang|parolee|paroled|convicted|sex offender|ex-marine|marine|war survivor|pregnant|"
        r"triplet|twin|homeschooled|unaccompanied)\b",
        re.IGNORECASE,
    ),
    "body": re.compile(
        r"\b(?:amputee|blind|deaf|deafblind|quadriplegic|paraplegic|wheelchair|burn survivor|one-armed|albino|"
        r"conjoined|transplant|prosthe\w{1,6}|cleft|schizophreni\w{1,2}|epilep\w{1,3}|hiv|leukemia|down syndrome)\b",
        re.IGNORECASE,
    ),
    "household": re.compile(
        r"\b(?:twins|(?:seven|eight|nine|ten|eleven|twelve|thirteen|1[0-5]) (?:other )?(?:children|kids|siblings)|polygam\w{1,4}|"
        r"surrogate|child bride|arranged marriage|cult)\b",
        re.IGNORECASE,
    ),
    "work": re.compile(
        r"\b(?:firefighter|police officer|deputy|teacher|pastor|priest|nun|imam|dentist|doctor|surgeon|nurse|pilot|"
        r"trucker|rancher|farmer|fisherman|shrimper|judge|lawyer|politician|coach|professor|beekeeper|rodeo|"
        r"cheerleader|quarterback|valedictorian|magician|ballet)\b",
        re.IGNORECASE,
    ),
    "place": re.compile(
        r"\b(?:in|from|near)\s(?:our|this|my|the|a)\s(?:small\s|tiny\s|rural\s|remote\s)?(?:town|county|village|island|reservation|parish|"
        rf"valley|neighborhood|school|hamlet)\b|\b[A-Z][a-z]{{1,20}} County\b|\b(?:{'|'.join(re.escape(city.title()) for city in sorted(CITIES))})\b"
    ),
}  # fmt: skip
_ENOUGH = 3
_ANYBODY = re.compile(rf"\b{_SOMEBODY}\b", re.IGNORECASE)

_POSSESSED = r"(?:his|her|hers|their|the (?:boy|girl|child|client|family|mother|father|man|woman|kid)[’']s|(?:a|my|our|one) client[’']s|client[’']s)"
_OWNED = r"(?:of (?:a|the|my|our|one|this|his|her) (?:client|child|boy|girl|mother|father|kid|family|youth|patient)|of (?:him|her))"
_BODY = re.compile(
    rf"\b(?:{_POSSESSED}\s(?:\w{{1,14}}\s)?(?:finger-?prints?|thumb-?prints?|palm ?prints?|hand ?prints?|footprints?|retina scan|iris scan|"
    r"face ?(?:scan|print|id)|voice ?(?:print|recording|sample|memo)|dna|genetic (?:test|results|data|profile)|genome)"
    r"(?:\s(?:results?|test|profile|sample|scan))?|"
    r"(?:voice |audio |sound )?recordings? of (?:his|her|their|a client[’']s|my client[’']s|the \w{1,12}[’']s) (?:voice|speech|session)|"
    rf"(?:voice |audio )?(?:audio|recording|memo|voicemail|tape|message|clip|sample)s? (?:{_OWNED}|of (?:our|the) session)|"
    rf"(?:finger-?prints?|thumb-?prints?|dna(?: results| test| profile| sample)?|retina scan|iris scan|face scan) {_OWNED})\b",
    re.IGNORECASE,
)
_BODY_WORD = re.compile(
    r"\b(?:(?:finger|thumb|palm|voice)[- ]?prints?|prints|dna|iris scan|retinal? scan|face ?scan|facial recognition|"
    r"(?:recording|clip|tape|audio|sample|memo|voicemail)s? (?:of|with|from) (?:[\w’']{1,12} ){1,3}voice)\b",
    re.IGNORECASE,
)
_PICTURE = re.compile(
    r"\b(?:photos?|photographs?|pictures?|pics?|selfies?|snapshots?|portraits?|headshots?|videos?|clips?|"
    r"images?|screenshots?|footage)\b",
    re.IGNORECASE,
)
_SHARED = re.compile(
    r"\b(?:here(?: is|[’']s| are)|attach(?:ed|ing)?|post(?:ed|ing)?|upload(?:ed|ing)?|took|taken|see|shar(?:e|ed|ing)|"
    r"sent|send|put|show(?:s|ed|ing)?|publish(?:ed)?|look at)\b",
    re.IGNORECASE,
)
_FILMED = re.compile(
    r"\b(?:filmed|photographed|snapped|videoed|videotaped)\s(?:the|a|my|our|one|his|her|him|their|them|some)\b(?:\s[\w’']{1,12}){0,2}",
    re.IGNORECASE,
)
_OCCASION = re.compile(r"\b(?:visit|session|picnic|graduation|camp|home|group)\b", re.IGNORECASE)
_GIVEN_AWAY = re.compile(
    r"\b(?:attached|posted|uploaded|tagged|shared|swipe|below|here[’']s|here is|look at)\b",
    re.IGNORECASE,
)
_SHOWN = re.compile(
    r"\bof the (?-i:[A-Z])[\w’'-]{1,20} (?:family|home|house|kids|twins|children)\b|"
    r"\b(?:of (?:the|a|my|our|one|some|this|two) (?:of (?:my|our|the) )?(?:clients?|boys?|girls?|family|kids?|child(?:ren)?|"
    r"mother|father|residents?|twins|babies|baby|couple|teens?|youth|patients?|students?|families|man|woman|members)|"
    r"of (?:him|her|them)|of (?:his|her|their) \w{1,12}|with (?:one of )?(?:my|our|a|the) (?:clients?|kids?|families|residents?|boys?|girls?|patients?)|"
    r"(?:his|her|their|(?:a |my |our |the )?(?:client|child|boy|girl|family|resident|patient|kid)(?:[’']s|s[’'])) "
    r"(?:\w{1,12} )?(?:photos?|photographs?|pictures?|pics?|selfies?|headshots?|portraits?|videos?|images?|face))\b",
    re.IGNORECASE,
)
_KEPT_OUT = re.compile(
    r"\b(?:out of|never|do not|don[’']t|avoid|without|instead of|policy)\b", re.IGNORECASE
)
_MARK = re.compile(
    r"\b(?:(?:[\w-]{1,14}\s){0,2}(?:tattoos?|tattooed|birthmark|birth mark|glass eye|port-wine stain|facial scar)"
    r"(?:\s(?:on|of|shaped|across|over)\s(?:[\w’'-]{1,14}\s?){1,4})?|"
    r"(?:a|the|his|her|long|big|deep)\s(?:\w{1,12}\s)?scar\s(?:on|across|over|down)\s(?:his|her|the|their)\s\w{1,12})\b",
    re.IGNORECASE,
)


def circumstances(draft: Draft) -> Iterator[Finding]:
    """Rare combinations, marks of a body, biometrics and pictures."""
    text = draft.text
    for pattern in (_ONLY, _KIN_OF, _DISASTER, _RARE_ILLNESS):
        yield from (Finding("rare", *found.span()) for found in pattern.finditer(text))
    for pattern in (_BIRTHS, _NEWS):
        for found in pattern.finditer(text):
            if pattern is _BIRTHS or draft.sentence(found.start()).person:
                yield Finding("rare", *found.span())
    for found in _MARK.finditer(text):
        if draft.sentence(found.start()).person:
            yield Finding("unique", *found.span())
    yield from (Finding("biometric", *found.span()) for found in _BODY.finditer(text))
    for found in _BODY_WORD.finditer(text):
        sentence = draft.sentence(found.start())
        if sentence.person and not _KEPT_OUT.search(sentence.text):
            yield Finding("biometric", *found.span())
    for found in _FILMED.finditer(text):
        if draft.sentence(found.start()).person:
            yield Finding("photo", *found.span())
    for sentence in draft.sentences:
        found_of = {kind: p.search(sentence.text) for kind, p in _DETAILS.items()}
        details = [one for one in found_of.values() if one]
        # An age is somebody's, named or not.
        somebody = sentence.person or found_of["age"] or _ANYBODY.search(sentence.text)
        if len(details) > _ENOUGH or (len(details) == _ENOUGH and somebody):
            start = min(one.start() for one in details)
            end = max(one.end() for one in details)
            yield Finding("rare", sentence.start + start, sentence.start + end)
        picture = _PICTURE.search(sentence.text)
        if (
            picture
            and _SHARED.search(text, max(sentence.start - 80, 0), sentence.end)
            and not _KEPT_OUT.search(sentence.text)
        ):
            shown = _SHOWN.search(sentence.text)
            if (
                shown is None
                and _GIVEN_AWAY.search(sentence.text)
                and (sentence.person or _OCCASION.search(sentence.text))
            ):
                shown = picture
            if shown:
                start, end = min(picture.start(), shown.start()), max(picture.end(), shown.end())
                yield Finding("photo", sentence.start + start, sentence.start + end)
