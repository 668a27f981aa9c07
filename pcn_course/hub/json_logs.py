"""One JSON object a line, for the hub, the servers and the kernels; never what somebody wrote.

What an error says of itself may quote the text that it stumbled over, so of errors only the kind
and the place are kept. What kernels print is left out for the same reason; their own messages come
by a way of their own.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import logging
import os
import re
import traceback
from typing import Any

from tornado.web import HTTPError

_QUERY = re.compile(r"(/[^\s?\"'<>]*)\?[^\s\"'<>),]*")
_ERROR = re.compile(
    r"^(?:\x1b\[[\d;]*m)*((?:\w+\.)*\w*(?:Error|Exception|Interrupt))\b", re.MULTILINE
)
_KERNEL = "pcn_course.kernel"
_PLACES_ONLY = frozenset({"NotInProtocolError"})
"""Errors of ours that say where, and never what (`pcn_course.widgets.protocol`)."""
_OURS = ("pcn_course",)
_MOST = 2000
"""Characters of a message."""


class JsonFormatter(logging.Formatter):
    """Makes one line of JSON of a record.

    ``strict``: of others' messages only the template is kept, without what was put into it.
    """

    def __init__(
        self,
        fmt: str | None = None,
        datefmt: str | None = None,
        style: Any = "%",
        *args: Any,
        strict: bool = False,
        **fields: str,
    ) -> None:
        """``fields`` stand in each line; the rest is what logging gives a formatter."""
        del fmt, datefmt, style, args
        super().__init__()
        self._strict = strict
        self._fields = {name: value for name, value in fields.items() if value}

    def format(self, record: logging.LogRecord) -> str:
        """Return a record as one line of JSON."""
        when = dt.datetime.fromtimestamp(record.created, dt.UTC)
        line: dict[str, Any] = {
            "time": when.isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": self._message(record),
            **self._fields,
        }
        if record.exc_info and record.exc_info[1]:
            line["exception"] = _told(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False)

    def _message(self, record: logging.LogRecord) -> str:
        if record.name == _KERNEL:
            return _without_words(record.getMessage())
        if isinstance(record.msg, BaseException):
            return _named(record.msg)
        if self._strict and not record.name.startswith(_OURS):
            where = f"{os.path.basename(record.pathname)}:{record.lineno}"  # noqa: PTH119 (a name, no file)
            return f"{record.msg} ({where})" if record.args else f"A message at {where}"
        args = record.args
        if isinstance(args, tuple):
            args = tuple(_named(one) if isinstance(one, BaseException) else one for one in args)
        try:
            text = str(record.msg) % args if args else str(record.msg)
        except (TypeError, ValueError):
            text = str(record.msg)
        if "Traceback" in text:
            first, _, rest = text.partition("\n")
            text = f"{first[:200] if 'Traceback' not in first else ''} {_kinds(rest)}".strip()
        return _QUERY.sub(r"\1", text)[:_MOST]


def _named(error: BaseException) -> str:
    """An error's kind, and of what it says only what can't be somebody's words."""
    if type(error).__name__ in _PLACES_ONLY:
        return f"{type(error).__name__}: {error}"
    if isinstance(error, HTTPError):
        return f"HTTPError {error.status_code}"
    if isinstance(error, OSError) and error.errno:
        return f"{type(error).__name__} ({os.strerror(error.errno)})"
    return type(error).__name__


def _told(error: BaseException) -> str:
    """An error and what led to it: kinds and places, no values."""
    lines: list[str] = []
    one: BaseException | None = error
    while one is not None and len(lines) < 200:
        lines.append(_named(one))
        lines += [
            f"  {frame.filename}:{frame.lineno} in {frame.name}"
            for frame in traceback.extract_tb(one.__traceback__)[-30:]
        ]
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
    return "\n".join(lines)


def _without_words(text: str) -> str:
    """That a kernel printed something, and the kind of error if it was one."""
    return f"A page's kernel printed {len(text)} characters{_kinds(text)}"


def _kinds(text: str) -> str:
    """Which errors a text tells of."""
    kinds = list(dict.fromkeys(_ERROR.findall(text)))
    return f": {', '.join(kinds[:5])}" if kinds else ""


def log_to(
    stream: io.TextIOBase | Any, *, plain: bool, strict: bool = False, **fields: str
) -> None:
    """Have everything of this process logged to ``stream``; ``plain``: in words, for a person."""
    handler = logging.StreamHandler(stream)
    if plain:
        words = "%(asctime)s %(levelname)s %(name)s: %(message)s"
        handler.setFormatter(logging.Formatter(words))
    else:
        handler.setFormatter(JsonFormatter(strict=strict, **fields))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    # A logger of others' may let everything pass.
    handler.setLevel(logging.WARNING if strict else logging.INFO)
    root.setLevel(handler.level)
    logging.captureWarnings(True)


def hub_logging() -> dict[str, Any]:
    """``logging_config`` of the hub; its formatter is that of a lab, too."""
    return {
        "formatters": {"console": {"class": f"{__name__}.{JsonFormatter.__qualname__}"}},
        # What doesn't come by the application's own logger.
        "root": {"level": "WARNING", "handlers": ["console"]},
    }
