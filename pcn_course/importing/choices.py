"""Which option of a choice a cell means, by its words."""

from __future__ import annotations

import re

from pcn_course.importing.cells import words_of

# By what words an option of a choice is known, the first that fits; "-" for words that fit none.
# What tells most stands first: a university hospital is health care, a school of social work is
# a university, a police department is justice.
_OPTIONS = r"""
role implementation-team: implementation|implementers?|project team|team members?
role lived-experience: (?:lived|living) experience|consumers?|clients?|patients?|service users?
role lived-experience: care ?givers?|carers?|parents?|survivors?|famil(?:y|ies)
role advisor-or-expert: advis[eo]rs?|advisory|experts?|consultants?
role mentor: mentors?
role peer: peers?|colleagues?|classmates?|cohort
role broadcaster: broadcasters?|broadcasts?|newsletters?
role stakeholder: stakeholders?
sector health: health ?care|hospitals?|clinics?|hospices?|medical|health (?:cent\w+|systems?)
sector health: nursing homes?|pharmac\w+
sector university: universit\w*|colleges?|professors?|research\w*|faculty|lecturers?|academi\w+
sector university: school of (?:social work|medicine|public health|nursing|law)
sector justice: courts?|police|sheriff\w*|legal aid|justice|probation|parole|attorneys?|law
sector justice: lawyers?|judges?|prisons?|jails?|corrections
sector policy: policy|foundations?|funders?|funding|grantmak\w+|legislat\w+|senat\w+|congress\w*
sector policy: philanthrop\w+
sector schools: schools?|k 12|kindergartens?|preschools?|teachers?|elementary
sector nonprofit: non ?profits?|not for profit|ngos?|charit\w+|501c3|united way|red cross
sector nonprofit: salvation army
sector public-agency: public agenc\w+|public sector|department of|dept of|county|city of|state of
sector public-agency: governments?|federal|bureau|ministry|municipal\w*|human services
sector public-agency: child welfare
sector health: health|nurs\w+|physicians?|doctors?|therap\w+|psychiatr\w+|medicine
sector community: communit\w+|famil(?:y|ies)|faith|church\w*|mosques?|synagogues?|temples?|tribes?
sector community: tribal|parish\w*|neighbo\w+|carers?|peer support|volunteers?
sector nonprofit: associations?|alliance|coalition|shelters?|services
sector schools: education
sector business: business\w*|inc|llc|ltd|corp\w*|compan(?:y|ies)|gmbh|consulting|banks?|retail
sector business: start ?ups?|private sector|self employed
sector other: other|something else
group lived-experience: lived experience|consumers?|service users?
group family-friends: famil(?:y|ies)|friends?|carers?|care ?givers?
group community: communit\w+|tribal|tribes?|indigenous
group policy-funding: policy|law|legal|fund\w+
group research-data: research\w*|data|evaluation|statistics
group social-work: social work\w*|[md]sw|l[cm]sw
group discipline: disciplines?|medicine|nursing|psychology|education|public health
group other: other|something else
lived-experience not-said: not mine|not said|not known|unknown|unsure|maybe
lived-experience no: no|none|n|false
lived-experience yes: yes|y|true|lived experience
place international: international\w*|global\w*|abroad|overseas|worldwide|foreign
place national: national\w*|nation ?wide|country|us|usa|united states|federal
place state: state|state ?wide|regional|region|provinc\w+
place local: local\w*|city|county|town|neighbo\w+|nearby|on site|same building
status withdrawn: withdr\w+
status planned: plan\w*|not (?:yet )?(?:asked|invited|sent)|to do|later
status declined: declin\w*|refus\w*|said no
status sent: sent|asked|invited|waiting|pending|no answer
status accepted: accept\w*|agreed|joined|yes
status declined: no
consent role-only: role|anonymous\w*
consent -: not (?:yet )?asked|unknown
consent no: no|not|none|refus\w*|declin\w*
consent asked: asked|waiting|pending
consent yes: yes|y|agreed|given|consent\w*|ok
"""


def _patterns() -> dict[str, list[tuple[str, re.Pattern[str]]]]:
    known: dict[str, list[tuple[str, re.Pattern[str]]]] = {}
    for line in _OPTIONS.strip().splitlines():
        option, words = line.split(": ")
        field, value = option.split()
        pattern = re.compile(rf"\b(?:{words})\b")
        known.setdefault(field, []).append((value.removeprefix("-"), pattern))
    return known


KNOWN_OPTIONS = _patterns()
# What is said of a choice that stays empty.
NOUNS = {
    "role": "part that they play",
    "sector": "sector",
    "group": "kind of knowledge",
    "lived-experience": "lived experience",
    "place": "distance",
    "status": "invitation",
    "consent": "consent",
}


def choice_of(field: str, text: str) -> str:
    """The option of a choice that the words say, or ""."""
    words = words_of(text)
    exact = words.replace(" ", "-")
    if any(exact == value for value, _ in KNOWN_OPTIONS[field]):
        return exact
    return next((value for value, known in KNOWN_OPTIONS[field] if known.search(words)), "")
