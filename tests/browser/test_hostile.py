"""Answers that try to break out of the page, and messages that the page would never send."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Dialog, FrameLocator, WebSocket, expect

from tests.soak.witness import on_disk
from tests.support.network import Witness
from tests.support.servers import AppServer, until

pytestmark = pytest.mark.browser

STEP = "step-1-goals"
LINE, DECISION, TEXT, AIMS, STYLE, PEOPLE = (
    "live-project",
    "next-decision",
    "what-you-do",
    "professional-goals-and-current-projects",
    "who-you-are-as-collaborator-and-learner",
    "who-to-connect-with-and-why",
)
MARKUP = (
    "<script>window.pwned = 1; alert('script')</script>"
    "<img src=x onerror=\"window.pwned = 1; alert('img')\"><svg onload=alert('svg')>"
    "</textarea></iframe></script><!-- --><style>body { display: none }</style>"
    '<a href="javascript:alert(1)">here</a>'
    '<meta http-equiv=refresh content="0;url=//evil.invalid/">'
    "<link rel=stylesheet href=//evil.invalid/a.css><iframe src=//evil.invalid/></iframe>"
)
TEMPLATE = "{{ 7 * 7 }} {% raw %} ${7*7} #{7*7} %s %(x)s \\u003cscript\\u003e &lt;b&gt; ]]> \"' `"
ALL_SCRIPTS = (
    "עברית من اليمين \u202ebackwards\u202c 中文テスト ไทย e\u0301 👩🏽‍⚕️👨‍👩‍👧‍👦🏳️‍🌈 "
    "\u200b\ufeff\u2028\u2029end"
)
MARKDOWN = (
    "# no heading\n\n**no bold** [no link](javascript:alert(1)) ![x](//evil.invalid/x.png)\n```"
)
CONTROLS = "before\0after\x01\x1b[31m\x7f\x85 then\tmore"
LONE = "half a pair: \ud83d, and on"
MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    with AppServer(tmp_path_factory.mktemp("hostile") / "workspace") as server:
        yield server


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, locale="en-US")
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    context.set_default_timeout(60_000)
    yield context
    context.close()


class Visit:
    """The page of a step, and what must not happen in it."""

    def __init__(self, context: BrowserContext, server: AppServer) -> None:
        self.server = server
        self.dialogs: list[str] = []
        self.errors: list[str] = []
        self.sockets: list[WebSocket] = []
        self.sent: list[str] = []
        self.witness = Witness(context)
        self.page = context.new_page()
        self.page.on("dialog", self._dismiss)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("websocket", self._watch)
        self.page.goto(server.address)
        self.page.goto(server.url(f"{STEP}/{STEP}.ipynb"))
        self.ready()

    def _dismiss(self, dialog: Dialog) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    def _watch(self, socket: WebSocket) -> None:
        self.sockets.append(socket)
        socket.on("framesent", lambda frame: self.sent.append(str(frame)))

    def ready(self) -> None:
        expect(self.page.locator(".pcn-field").first).to_be_visible(timeout=60_000)

    def field(self, key: str) -> Any:
        return self.page.locator(f'[data-key="{key}"]').locator("textarea, input").first

    def paste(self, key: str, text: str) -> None:
        self.page.evaluate("(text) => navigator.clipboard.writeText(text)", text)
        self.field(key).click()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.press("Control+v")

    def value(self, key: str) -> str:
        value: str = self.field(key).input_value()
        return value

    def saved(self, within: float = 60) -> None:
        """All is saved: the page says so, and it is so."""
        status = self.page.locator(".pcn-status")
        expect(status).to_have_text(re.compile(r"^Saved \d"), timeout=1000 * within)
        expect(self.page.locator(".pcn-alert")).to_be_hidden()

    def reload(self) -> None:
        self.page.reload()
        self.ready()

    def preview(self) -> FrameLocator:
        self.page.locator(".pcn-preview").click()
        self.page.locator("dialog.pcn-dialog iframe").wait_for()
        return self.page.frame_locator("dialog.pcn-dialog iframe")

    def close_preview(self) -> None:
        self.page.keyboard.press("Escape")
        expect(self.page.locator("dialog")).to_have_count(0)

    def nothing_happened(self) -> None:
        """No script of an answer ran, and nobody else was asked for anything."""
        assert self.dialogs == []
        assert self.errors == []
        for frame in self.page.frames:
            assert frame.evaluate("window.pwned") is None
        assert self.witness.others(f"127.0.0.1:{self.server.port}") == []
        assert self.page.url.startswith(f"http://127.0.0.1:{self.server.port}/")


@pytest.fixture
def visit(context: BrowserContext, server: AppServer) -> Visit:
    return Visit(context, server)


def kept(server: AppServer, key: str) -> str:
    return on_disk(server.workspace, STEP)[key]


def check_same(found: str, wanted: str) -> None:
    """As ``assert found == wanted``, for texts that nobody wants to see compared in full."""
    if found == wanted:
        return
    pairs = zip(found, wanted, strict=False)
    at = next((n for n, (one, other) in enumerate(pairs) if one != other), len(wanted))
    here, there = found[at : at + 40], wanted[at : at + 40]
    raise AssertionError(
        f"{len(found)} characters, {len(wanted)} wanted; from {at} on {here!r}, not {there!r}"
    )


def test_hostile_answers_are_kept_and_shown_as_text(visit: Visit, server: AppServer) -> None:
    answers = {TEXT: MARKUP, AIMS: TEMPLATE, STYLE: ALL_SCRIPTS, PEOPLE: MARKDOWN}
    visit.field(LINE).click()
    visit.page.keyboard.type(MARKUP)
    for key, text in answers.items():
        visit.paste(key, text)
    visit.saved()
    answers[LINE] = MARKUP
    for key, text in answers.items():
        check_same(visit.value(key), text)
        check_same(kept(server, key), text)

    frame = visit.preview()
    shown = frame.locator("body").inner_text()
    for text in answers.values():
        for line in text.splitlines():
            assert line.strip() in shown
    assert frame.locator("script, img, iframe, svg, link, form").count() == 0
    visit.nothing_happened()
    visit.close_preview()

    visit.reload()
    for key, text in answers.items():
        check_same(visit.value(key), text)
    # The step that quotes the first one, and home.
    quoting = "step-2-connections"
    visit.page.goto(server.url(f"{quoting}/{quoting}.ipynb"))
    visit.ready()
    visit.page.goto(server.url("home.ipynb"))
    expect(visit.page.locator(".pcn-card").first).to_be_visible()
    visit.nothing_happened()


def test_letters_that_are_none_break_nothing(visit: Visit, server: AppServer) -> None:
    """NUL and other control characters, and halves of surrogate pairs."""
    for key, text in ((TEXT, CONTROLS), (AIMS, LONE)):
        visit.field(key).evaluate(
            "(el, units) => { el.value = String.fromCharCode(...units);"
            " el.dispatchEvent(new Event('input', { bubbles: true })); }",
            _units(text),
        )
    visit.saved()
    check_same(kept(server, TEXT), CONTROLS)
    check_same(
        kept(server, AIMS), LONE.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    )
    frame = visit.preview()
    shown = frame.locator("body").inner_text()
    assert "before" in shown
    assert "after" in shown
    assert "half a pair" in shown
    visit.close_preview()
    visit.reload()
    check_same(visit.value(TEXT), CONTROLS)
    visit.field(TEXT).press("Control+End")
    visit.page.keyboard.type(" and more")
    visit.saved()
    check_same(kept(server, TEXT), CONTROLS + " and more")
    visit.nothing_happened()


# A browser alone takes minutes to lay out a megabyte of Hebrew without any paragraph.
@pytest.mark.parametrize(("word", "in_line"), [("megabyte ", MEGABYTE), ("מגה-בייט 👩🏽‍⚕️ ", 10)])
def test_a_megabyte_is_saved_comes_back_and_can_be_gone_on_with(
    visit: Visit, server: AppServer, word: str, in_line: int
) -> None:
    line = (word * in_line)[: MEGABYTE - 1].rstrip() + "\n"
    text = (line * (MEGABYTE // len(line))).strip()
    assert len(text) > 0.99 * MEGABYTE
    visit.paste(TEXT, text)
    visit.saved()
    check_same(kept(server, TEXT), text)
    visit.field(TEXT).press("Control+End")
    visit.page.keyboard.type(" and more")
    visit.saved()
    text += " and more"
    check_same(kept(server, TEXT), text)
    visit.reload()
    check_same(visit.value(TEXT), text)
    frame = visit.preview()
    shown = frame.locator("body").inner_text().count(word.strip())
    assert shown >= text.count(word.strip())
    visit.close_preview()
    visit.field(DECISION).fill(f"Beside {word}")
    visit.saved()
    check_same(kept(server, DECISION), f"Beside {word}")
    check_same(kept(server, TEXT), text)
    visit.nothing_happened()


def test_megabytes_in_all_fields_at_once_are_saved(visit: Visit, server: AppServer) -> None:
    """As after a long time without a line: everything goes out in one message."""
    texts = visit.page.locator(".pcn-field textarea")
    count = texts.count()
    assert count >= 6
    text = "the whole report " * (MEGABYTE * 19 // 10 // 17)
    texts.evaluate_all(
        "(all, text) => all.forEach((el, n) => { el.value = `${n} ${text}`;"
        " el.dispatchEvent(new Event('input', { bubbles: true })); })",
        text,
    )
    visit.saved(within=120)
    kept_now = on_disk(server.workspace, STEP)
    assert sum(text.strip() in value for value in kept_now.values()) == count
    visit.reload()
    for number in range(count):
        check_same(texts.nth(number).input_value(), f"{number} {text}")
    texts.evaluate_all(
        "(all) => all.forEach((el, n) => { el.value = `short ${n}`;"
        " el.dispatchEvent(new Event('input', { bubbles: true })); })"
    )
    visit.saved(within=120)
    visit.nothing_happened()


HOSTILE_MESSAGES: list[Any] = [
    {"type": "run", "client": "x", "code": "import os; os._exit(1)  # secretmark"},
    {"type": "save", "client": "x"},
    {"type": "save", "client": "x", "seq": 1, "fields": {"secretmark": "not an edit"}},
    {"type": "save", "client": "x", "seq": -1, "fields": {LINE: {"value": "a", "base": 0}}},
    {"type": "save", "client": "../secretmark", "seq": 1, "fields": {}},
    {"type": "open", "client": "x", "more": "secretmark"},
    {"type": "history", "client": "x", "key": ["secretmark"]},
    {"type": "feedback", "client": "x", "id": 7},
    {"type": "submit", "client": "x", "confirm": "yes", "student": None},
    {"type": ["secretmark"]},
    {"client": "x"},
    {},
    [],
    None,
    "secretmark",
    17,
]
SPEAK = """async ({ url, messages }) => {
  const socket = new WebSocket(url);
  await new Promise((resolve, reject) => { socket.onopen = resolve; socket.onerror = reject; });
  const heard = [];
  socket.onmessage = ({ data }) => heard.push(JSON.parse(data));
  for (const message of messages) {
    socket.send(typeof message === "string" ? message : JSON.stringify(message));
  }
  const session = url.split("session_id=")[1];
  socket.send(JSON.stringify({ channel: "shell", parent_header: {}, metadata: {}, buffers: [],
    content: {}, header: { msg_id: "last", msg_type: "kernel_info_request", session, username: "",
    date: new Date().toISOString(), version: "5.3" } }));
  while (!heard.some((one) => one.parent_header?.msg_id === "last") && socket.readyState === 1) {
    await new Promise((resume) => setTimeout(resume, 50));
  }
  socket.close();
  return heard;
}"""


def test_messages_outside_the_protocol_are_refused_logged_and_break_nothing(
    visit: Visit, server: AppServer
) -> None:
    visit.field(LINE).fill("Before the messages")
    visit.saved()
    before = (server.workspace / STEP / "answers.json").read_bytes()
    refused = kernel_log(server).count("refused")  # counted, since two files grow
    comm = next(
        json.loads(one)["content"]["comm_id"] for one in visit.sent if '"type":"open"' in one
    )

    def message(kind: str, content: Any) -> dict[str, Any]:
        header = {"msg_id": f"{kind}-{id(content)}", "msg_type": kind, "session": "by-hand"}
        header |= {"username": "", "date": "2026-11-22T10:00:00Z", "version": "5.3"}
        return {
            "channel": "shell",
            "header": header,
            "parent_header": {},
            "metadata": {},
            "content": content,
            "buffers": [],
        }

    def to_form(data: Any) -> dict[str, Any]:
        return message("comm_msg", {"comm_id": comm, "data": data})

    messages: list[Any] = [
        to_form({"method": "custom", "content": content}) for content in HOSTILE_MESSAGES
    ]
    messages += [
        to_form({"method": "update", "state": {"_esm": "window.pwned = 1"}, "buffer_paths": []}),
        to_form({"method": "no-such-method", "content": "secretmark"}),
        to_form({}),
        to_form(None),
        message("comm_msg", {"comm_id": "no such comm", "data": {}}),
        message("comm_msg", {}),
        message("comm_open", {"comm_id": "one", "target_name": "no.such.target", "data": {}}),
        message("execute_request", {"code": "raise SystemExit", "silent": False}),
        message("shutdown_request", {"restart": False}) | {"channel": "iopub"},
    ]
    url = visit.sockets[-1].url.split("?")[0] + "?session_id=by-hand"
    heard = visit.page.evaluate(SPEAK, {"url": url, "messages": messages})
    replies = [one for one in heard if one["header"]["msg_type"] == "comm_msg"]
    assert not [one for one in replies if one["content"]["comm_id"] == comm], replies
    assert not [one for one in heard if one["header"]["msg_type"] == "execute_reply"]

    until(lambda: kernel_log(server).count("refused") >= refused + len(HOSTILE_MESSAGES))
    assert "secretmark" not in kernel_log(server)
    assert (server.workspace / STEP / "answers.json").read_bytes() == before
    visit.field(LINE).fill("After the messages")
    visit.saved()
    check_same(kept(server, LINE), "After the messages")
    visit.reload()
    check_same(visit.value(LINE), "After the messages")
    visit.nothing_happened()


def test_noise_on_the_line_breaks_nothing(visit: Visit, server: AppServer) -> None:
    """What is no message at all."""
    url = visit.sockets[-1].url.split("?")[0] + "?session_id=noise"
    noise = [
        "",
        "no JSON",
        "[]",
        "{}",
        '{"channel": "shell"}',
        "\0",
        "[" * 100_000,
        "null",
        "1e999",
    ]
    visit.page.evaluate(SPEAK, {"url": url, "messages": noise})
    visit.field(LINE).fill("After the noise")
    visit.saved()
    check_same(kept(server, LINE), "After the noise")


def kernel_log(server: AppServer) -> str:
    """What kernels wrote, and what the server logged."""
    folder: Path = server.workspace / ".pcn/server"
    return "\n".join(path.read_text("utf-8", "replace") for path in sorted(folder.glob("*.txt")))


def _units(text: str) -> list[int]:
    """The UTF-16 code units of a text, lone surrogates included."""
    raw = text.encode("utf-16-le", "surrogatepass")
    return [int.from_bytes(raw[at : at + 2], "little") for at in range(0, len(raw), 2)]
