"""Names: which words are one, and its initials."""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Sequence

from pcn_course.importing.headings import NAMES


def _word_set(words: str) -> frozenset[str]:
    return frozenset(words.split())


# Words that name what somebody does or an organization. Those in `_ALSO_SURNAMES` tell it only
# beside another one, since people are called Church and Dean.
ROLE_WORDS = _word_set(
    """
    academic academy accountant activist administration administrator admissions advisor adviser
    advisory advocate advocacy agency agent aide alliance ally ambassador analyst assistant
    associate association attorney aunt author authority board boss broadcaster bureau business
    captain care carer caregiver caseworker center centre chair chairperson chaplain charity chief
    citizen city clergy clerk client clinic clinical clinician club coach coalition colleague
    college commission commissioner committee community company consultant consumer coordinator
    council counselor counsellor county court daughter department dept deputy designer developer
    director district doctor donor doula driver editor education educator elder employer engineer
    epidemiologist evaluator executive expert facilitator faculty family father federation fellow
    firefighter forum foundation founder fund funder government grandmother grandparent group
    guardian head health home hospice hospital hotline inc initiative inspector institute
    instructor insurer intern interpreter investigator journalist kin lab landlord lawyer lead
    leader league legislator liaison librarian library line llc local manager mayor media mediator
    medical member mental mentor midwife minister ministry mission mother national navigator
    neighbor neighbour network newsletter nonprofit nurse nursing office officer official ombudsman
    organization organisation organizer outreach owner panel parent participant partner party
    pastor patient pediatrician peer people person pharmacist pharmacy physician planner
    podcast police policy practitioner president priest principal probation professor program
    programme project provider psychiatrist psychologist public rabbi recipient regional registrar
    registry representative research researcher resident respite scholar school scientist secretary
    senator senior service sheriff shelter social society specialist sponsor staff stakeholder
    state steward student superintendent supervisor support survivor task teacher team technician
    therapist trainer treasurer tribal tribe trust trustee union university user veteran village
    volunteer ward welfare work worker writer youth
    """
)
_ALSO_SURNAMES = _word_set(
    """
    care chaplain child church court day dean elder father fellow friend head home judge leader line
    mayor member mission parent parish park pastor priest school senior steward student trainer
    trust ward work
    """
)
_TITLES = _word_set("dr prof professor mr mrs ms mx miss rev reverend hon sen rep")
_CREDENTIALS = _word_set(
    """
    ACSW BA BCBA BS BSN BSW CADC CASAC CHW CPA CSW DNP DO DSW EDD ESQ FAAN FNP FRCP JD JR LCPC LCSW
    LGSW LICSW LISW LMFT LMHC LMSW LPC LSW MA MBA MD MDIV MED MFT MHA MPA MPH MPP MS MSED MSN MSSA
    MSSW MSW NCC NP OTR PA PHARMD PHD PMP PSYD QMHP RD RN RSW SPHR SR SSW II III IV
    """
)
_PARTICLES = _word_set(
    """
    af al av bin binti da das de del della den der di do dos du e el ibn la las le los san ten ter
    van von y zu
    """
)
_SENTENCE = _word_set("a an and at by for from in of on or the to who with")
_ORDINAL = re.compile(r",?\s+[2-9](?:nd|rd|th)$", re.IGNORECASE)
"""What follows the name of somebody who has that of a parent: "Kayla Smith 3rd"."""
_PARENTHESIS = re.compile(r"\s*\(([^()]*)\)")
BETWEEN = re.compile(r"\s*[,;:/|]\s*|\s+[-–—]\s+")


def short_name(parts: Sequence[str], kind: str) -> str:
    """What is kept of a name: its initials. Roles and organizations stay as they are.

    ``kind`` is what the column's heading says: below "Name" all counts as a name that isn't plainly
    a role; below "Person" what looks like one; an organization is never shortened.
    """
    text = " ".join(parts)
    names = kind in NAMES
    if kind == "organization" or are_initials(text):
        return text
    if len(parts) > 1:
        return _initials([re.split(r"[,(]", part)[0] for part in parts])
    kept: list[str] = []
    changed = False
    nicknames = _PARENTHESIS.sub(
        lambda found: "" if _is_name(found[1], names=False) else found[0], text
    )
    plain = _PARENTHESIS.sub(lambda found: f", {found[1]}", nicknames)
    said = [piece for piece in BETWEEN.split(_ORDINAL.sub("", plain)) if piece]
    if len(said) > 1 and "," in plain and all(" " not in one for one in said[:2]):
        first, last = said[1], said[0]  # "Gold, Karen"
        if _is_name(first, names) and _is_name(last, names) and not _is_credential(first):
            said[:2] = [f"{first} {last}"]
    for piece in said:
        several = re.split(r"\s+(?:and|&)\s+", piece)
        if kept and all(_is_credential(word) for word in piece.split()):
            changed = True
        elif all(_is_name(one, names and (changed or not kept)) for one in several):
            kept.append(" and ".join(_initials([one]) for one in several))
            changed = True
        else:
            kept.append(piece)
    return ", ".join(filter(None, kept)) if changed or nicknames != text else text


def are_initials(text: str) -> bool:
    """Whether a text is already initials: "A.B.", "AB", "A. B.-C."."""
    return re.fullmatch(r"[^\W\d_](?:[. -]{0,2}[^\W\d_]){0,3}\.?", text) is not None and (
        text.isupper() and (" " not in text or len(text.split()) * 2 >= len(text.replace(".", "")))
    )


def _is_name(text: str, names: bool) -> bool:  # noqa: FBT001 (says what the heading promises)
    """Whether these words are somebody's name."""
    text = _ORDINAL.sub("", text)
    words = re.sub(r"[\"“”„]", " ", text).split()
    titled = len(words) > 1 and _is_title(words[0])
    words = [word for word in words if word not in _PARTICLES and not _is_title(word)]
    most = 8 if names else 5  # given and family names, as in Spanish
    if not 1 <= len(words) <= most or re.search(r"[\d=!+*^<>{}\\_#%$]", text):
        return False
    if any(word.casefold() in _SENTENCE for word in words) or not any(map(_letter, words)):
        return False
    stems = [re.sub(r"(?:['’]s|s['’]?)$", "", _bare(word).casefold()) for word in words]
    told = [
        stem in ROLE_WORDS or _bare(word).casefold() in ROLE_WORDS
        for stem, word in zip(stems, words, strict=True)
    ]
    plain = [hit and stem not in _ALSO_SURNAMES for hit, stem in zip(told, stems, strict=True)]
    if titled:
        return not any(plain)
    if len(words) == 1 and (told[0] or (not names and words[0].isupper())):
        return False
    if names:
        small = any(hit and word.islower() for hit, word in zip(told, words, strict=True))
        return not (plain[-1] or small or sum(told) > 1)
    return not (any(_letter(word).islower() for word in words) or any(plain) or sum(told) > 1)


def _is_title(word: str) -> bool:
    return word.rstrip(".").casefold() in _TITLES


def _is_credential(word: str) -> bool:
    bare = word.replace(".", "").strip("()")
    return bare.upper() in _CREDENTIALS and not bare.istitle() and not bare.islower()


def _bare(word: str) -> str:
    return word.strip(string.punctuation + "“”„‘’…")


def _letter(word: str) -> str:
    """The first letter of a word, or ""."""
    return next((sign for sign in word if sign.isalpha()), "")


def _initials(parts: Sequence[str]) -> str:
    """Up to four initials. Where a sign is a whole name, as in Chinese, the family name's first."""
    shouted = " ".join(parts).isupper()
    words: list[str] = []
    for part in parts:
        called = re.sub(r"[\"“”„]", " ", _ORDINAL.sub("", part))
        found = [word for word in called.split() if _letter(word)]
        words += [
            word
            for at, word in enumerate(found)
            if not (_is_title(word) and len(found) > 1)
            and not (at and not shouted and _is_credential(word))
        ]
    names = [word for word in words if word not in _PARTICLES] or words
    pieces = [
        piece for word in names for piece in re.split(r"[-\u2010–.·]", word) if _letter(piece)
    ]
    letters = [_letter(piece) for piece in pieces]
    if not letters:
        return ""
    if any(map(_is_whole_sign, letters)):
        return _letter(parts[-1]) or letters[0]
    return "".join(letter.upper()[0] for letter in letters[:4])


def _is_whole_sign(letter: str) -> bool:
    return unicodedata.name(letter, "").startswith(("CJK", "HANGUL", "HIRAGANA", "KATAKANA"))
