"""Pictures, biometrics and marks of a body, in a draft that is about one person."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pcn_course.privacy.draft import Finding

_PATTERNS = {
    "photo": r"(?:photo(?:graph)?|picture|pic|selfie|snapshot|portrait|headshot|video|clip|screenshot)s?|footage|filmed|photographed|videotaped",
    "biometric": r"(?:finger|thumb|palm|hand|foot|voice)[- ]?prints?|dna|genome|(?:iris|retinal?|face) ?scan|facial recognition|"
    r"(?:recording|tape|memo|voicemail|sample)s? (?:of|with|from) (?:[\w’']{1,12} ){0,3}(?:voice|speech|session|client|child|boy|girl)",
    "unique": r"tattoos?|tattooed|birth ?mark|glass eye|port-wine stain|scar (?:on|across|over|down) (?:his|her|the|their) \w{1,12}",
}
_WHOSE = r"my|our|his|her|their|the|an?|one"
_OF = re.compile(rf"\s(?:of|with)(?:\s(?:{_WHOSE})\b)?(?:\s[\w’'-]{{1,20}})?")
_THEIR = re.compile(r"(?:\b(?:his|her|their)|[’']s)\s$")
_KINDS = {kind: re.compile(rf"\b(?:{one})\b", re.IGNORECASE) for kind, one in _PATTERNS.items()}


def bodies(text: str) -> Iterator[Finding]:
    """Yield words for what marks someone; for a picture, only where the words say whose it is."""
    for kind, pattern in _KINDS.items():
        for match in pattern.finditer(text):
            of = _OF.match(text, match.end())
            if of or kind != "photo" or _THEIR.search(text, match.start() - 6, match.start()):
                yield Finding(kind, match.start(), of.end() if of else match.end())
