"""What the marking page may say to its kernel. Anything else is refused."""

from __future__ import annotations

from typing import Annotated

import msgspec

from pcn_course.grading.gradebook.scores import MAX_COMMENT
from pcn_course.widgets import protocol
from pcn_course.widgets.protocol import Word

Handle = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{16}$")]
"""What a page calls a submission: nothing of its student can be read from it."""
Hash = Annotated[str, msgspec.Meta(pattern="^([0-9a-f]{64})?$")]
"""Of a submission's answers; empty where there are none."""
Number = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Id = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]
Text = Annotated[str, msgspec.Meta(max_length=MAX_COMMENT)]
Points = Annotated[float, msgspec.Meta(ge=0, le=1000)]
Name = Annotated[str, msgspec.Meta(max_length=60)]


class Asked(protocol.Message, frozen=True, kw_only=True):
    """What all have that are answered: ``seq``, by which the page knows the answer again."""

    seq: Number


class Open(Asked, frozen=True, kw_only=True, tag="open"):
    """The page is there, or there again. ``marker``: who marks, where nobody has signed in."""

    marker: Name = ""


class OnStep(Asked, frozen=True, kw_only=True):
    """What is about a step. ``second``: as a second marker, who sees no other marks."""

    step: Word
    second: bool = False


class List(OnStep, frozen=True, kw_only=True, tag="list"):
    """All submissions of a step, without their answers."""


class Names(OnStep, frozen=True, kw_only=True, tag="names"):
    """Who wrote which submission."""


class Undo(OnStep, frozen=True, kw_only=True, tag="undo"):
    """Take back the marker's last change in this step; ``version`` is as in `Give`."""

    version: Word = ""


class OnOne(OnStep, frozen=True, kw_only=True):
    """What is about one submission."""

    student: Handle


class Read(OnOne, frozen=True, kw_only=True, tag="read"):
    """One submission with its answers."""


class Give(OnOne, frozen=True, kw_only=True, tag="give"):
    """A mark; ``seen`` is the one that stood there when the marker decided.

    ``sha256`` are the answers that they read, ``version`` is that of the rubric that the page
    shows; an older page doesn't say them.
    """

    criterion: Word
    points: Points | None
    seen: Points | None
    sha256: Hash | None = None
    version: Word = ""


class Say(OnOne, frozen=True, kw_only=True, tag="say"):
    """A comment; ``seen`` is the one that it was made of."""

    criterion: Word
    comment: Text
    seen: Text


class Highlight(OnOne, frozen=True, kw_only=True, tag="highlight"):
    """A passage with a comment; ``start`` counts code points of the answer."""

    prompt: Word
    row: Word | None
    column: Word | None
    start: Number
    passage: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_COMMENT)]
    comment: Text
    criterion: Word | None


class Unhighlight(OnOne, frozen=True, kw_only=True, tag="unhighlight"):
    """A passage's mark is to go."""

    id: Id


class Phrases(Asked, frozen=True, kw_only=True, tag="phrases"):
    """The bank of comments, as far as it fits a step and a criterion."""

    step: Word
    criterion: Word


class AddPhrase(Asked, frozen=True, kw_only=True, tag="add-phrase"):
    """A comment for the bank; without a criterion it is for all of them."""

    text: Text
    criterion: Word | None


class ChangePhrase(Asked, frozen=True, kw_only=True, tag="change-phrase"):
    """Other words for a comment in the bank."""

    id: Id
    text: Text


class RemovePhrase(Asked, frozen=True, kw_only=True, tag="remove-phrase"):
    """A comment of the bank is to go."""

    id: Id


class UsePhrase(Asked, frozen=True, kw_only=True, tag="use-phrase"):
    """A comment of the bank was used."""

    id: Id


class ExportPhrases(Asked, frozen=True, kw_only=True, tag="export-phrases"):
    """The bank as a file."""


Request = (
    Open
    | List
    | Names
    | Undo
    | Read
    | Give
    | Say
    | Highlight
    | Unhighlight
    | Phrases
    | AddPhrase
    | ChangePhrase
    | RemovePhrase
    | UsePhrase
    | ExportPhrases
)
