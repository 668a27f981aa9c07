"""What a page may say to a step's kernel. Anything else is refused."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from pcn_course.answers.store import Edit

Client = Annotated[str, msgspec.Meta(pattern="^[0-9A-Za-z-]{1,64}$")]
Word = Annotated[str, msgspec.Meta(max_length=200)]


class Message(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="type", forbid_unknown_fields=True
):
    """What all messages have: the page's view that speaks, and is answered."""

    client: Client


class Code(Message, frozen=True, kw_only=True, tag="code"):
    """The widget's scripts and styles, for a page whose server does not give them out."""


class Open(Message, frozen=True, kw_only=True, tag="open"):
    """The page is there, or there again: it wants to know everything."""


class Save(Message, frozen=True, kw_only=True, tag="save"):
    """Edits by key. ``seq`` rises with each save of a client."""

    seq: Annotated[int, msgspec.Meta(ge=1, le=2**53)]
    fields: Annotated[dict[str, Edit], msgspec.Meta(min_length=1, max_length=1000)]


class History(Message, frozen=True, kw_only=True, tag="history"):
    """The earlier versions of one answer."""

    key: Word


class Preview(Message, frozen=True, kw_only=True, tag="preview"):
    """What the instructor will see."""


class Feedback(Message, frozen=True, kw_only=True, tag="feedback"):
    """One feedback page, by the id that the state gave it."""

    id: Word


class Again(Message, frozen=True, kw_only=True, tag="again"):
    """A wish that the instructor look again at a criterion, or at the whole (``None``)."""

    criterion: Word | None
    text: Annotated[str, msgspec.Meta(max_length=20_000)]


class Submit(Message, frozen=True, kw_only=True, tag="submit"):
    """Hand in. ``confirm``: also after the due date; ``student``: the id for an upload.

    ``version`` is that of the step that the page shows.
    """

    confirm: bool
    student: Word | None
    version: Word = ""


class Look(Message, frozen=True, kw_only=True, tag="look"):
    """What can be made of the saved answers: the step's panels; ``whole``: with long lists."""

    whole: bool = False


class Advise(Message, frozen=True, kw_only=True, tag="advise"):
    """Advice on a text that is being written in the prompt or column ``key``; it is not kept."""

    key: Word
    text: Annotated[str, msgspec.Meta(max_length=20_000)]
    number: Annotated[int, msgspec.Meta(ge=0, le=2**53)]


class List(Message, frozen=True, kw_only=True, tag="list"):
    """People in a file (base64); ``mapping`` says which column holds what. Nothing is kept."""

    name: Word
    data: Annotated[str, msgspec.Meta(max_length=6_000_000)]
    mapping: Annotated[dict[Word, Word], msgspec.Meta(max_length=40)] | None


class File(Message, frozen=True, kw_only=True, tag="file"):
    """A file made of the saved answers, to be downloaded."""

    what: Word


Request = Open | Save | History | Preview | Feedback | Again | Submit | Look | Advise | List | File


class NotInProtocolError(ValueError):
    """A message isn't in the protocol; its text names the kind and place, never the content."""


def read(content: Any, kind: Any = Request) -> Any:
    """The message that ``content`` is, one of ``kind``.

    Raises:
        NotInProtocolError: it is none.
    """
    try:
        return msgspec.convert(content, kind)
    except (msgspec.ValidationError, RecursionError) as error:
        # msgspec quotes what it read; the place is all that may go into a log.
        _, _, place = str(error).partition(" - at `")
        where = place.rstrip("`") or "$"
        raise NotInProtocolError(f"a message outside the protocol, at {where}") from None
