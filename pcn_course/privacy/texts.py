"""What a warning says: why the words could identify somebody, and what to write instead.

The kinds follow the eighteen of HIPAA's Safe Harbor, 45 CFR 164.514(b)(2)(i), and NASW's Code of
Ethics, whose confidentiality is wider; the sentences are the course's own.
"""

from __future__ import annotations

from pcn_course.privacy.gate import about

FIGURES = (
    "On drafts by writers it had not seen, this check remarked on {recall:.0%} of those that could identify "
    "someone, and {precision:.0%} of the drafts it remarked on could."
).format(**{name: about()["left_out"][name]["mean"] for name in ("recall", "precision")})
"""What was measured when the gates were trained; README.md and docs/instructors.md say the same."""

NOTE = (
    f"No checker can certify that a text is safe. {FIGURES} Read your text once more as someone from "
    "a small town would, who knows the people there. If they could guess who it is about, ask in "
    "supervision instead."
)

TEXTS: dict[str, tuple[str, str]] = {
    "name": (
        "A name or initials point to one person.",
        "Write a role instead: “a client in their 40s”, “a nurse I work with”.",
    ),
    "place": (
        "A place smaller than a state narrows down who is meant.",
        "Write “a rural county”, “a city in the south”, or only the state.",
    ),
    "date": (
        "The date of something that happened to a person can identify that person.",
        "Write only the year, or “last winter”, “some months ago”.",
    ),
    "age": (
        "Few people get this old, so the age can identify somebody.",
        "Write “a person over 89”, or “an older adult”.",
    ),
    "phone": (
        "A telephone number belongs to one person or household.",
        "Leave it out, and offer to pass details on in private.",
    ),
    "fax": (
        "A fax number leads to one office or household.",
        "Leave it out, and offer to pass details on in private.",
    ),
    "email": (
        "An email address often holds a name, and it leads to one person.",
        "Leave it out, and ask people to write to you in private.",
    ),
    "ssn": (
        "A Social Security number identifies one person, and so do its last digits.",
        "Leave it out. Write “their Social Security number” if you need to name it at all.",
    ),
    "record": (
        "A medical record number leads to one patient’s file.",
        "Leave it out, and take the matter up with the clinic.",
    ),
    "plan": (
        "A health plan number belongs to one insured person.",
        "Leave the number out. “Their Medicaid coverage” is enough.",
    ),
    "account": (
        "An account or card number belongs to one person, and it can be misused.",
        "Leave the number out. “Their benefits card” is enough.",
    ),
    "license": (
        "The number of a license or a certificate belongs to one person.",
        "Leave the number out. “Their license” is enough.",
    ),
    "vehicle": (
        "A vehicle can be recognized on the street, and its numbers lead to its owner.",
        "Write “their car”.",
    ),
    "device": (
        "The number of a device leads to the person who uses it.",
        "Leave the number out. “A medical device” or “their phone” is enough.",
    ),
    "url": (
        "A web address or an account’s name can lead straight to a person.",
        "Leave it out, or say in your own words what stands there.",
    ),
    "ip": (
        "An IP address can lead to a person’s connection.",
        "Leave it out, and give it only to those who look after your systems.",
    ),
    "biometric": (
        "Fingerprints, voices and DNA are like nobody else’s.",
        "Keep it to yourself. Describe what you want to learn without it.",
    ),
    "photo": (
        "A picture shows who it is, and it travels on after you shared it.",
        "Describe in words what you want to show, without the picture.",
    ),
    "unique": (
        "A number, code or mark that only one person has can identify that person.",
        "Leave it out. “A case of mine” or “a client” is enough.",
    ),
    "person": (
        "This reads as if it were about one person.",
        "Could a reader who knows them guess who? Ask about your practice, not about the case.",
    ),
    "venting": (
        "This reads as venting about the work or about people, and they may read it.",
        "Say what you need: “I’d like ideas for when plans fall through.” "
        "Talk about the rest with people you trust.",
    ),
}

NAME_IN_LIST = (
    "This looks like somebody’s full name, and your instructor will see this list.",
    "Initials or a role are enough: “KG”, or “carers’ group leader”.",
)
