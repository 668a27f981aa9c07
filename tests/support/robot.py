"""A student without a browser: what the page does over HTTP and the websocket, and nothing else.

    async with Robot("http://127.0.0.1:8000", "ada") as ada:
        took = await ada.open_step("step-1-goals")  # seconds from the login to a usable form
        ada.write("live-project", "A referral pathway")
        await ada.all_saved()
        receipt = await ada.submit()

It does as ``page.js`` and ``saving.js`` do: it fetches what a page names, joins the page's kernel,
saves what was written and believes nothing but an acknowledgement, tries again with longer and
longer pauses, and joins again when the line, the kernel or the server is gone; a server that is
gone is asked for at the hub. Only one page at a time writes, so there is nothing to merge: text
that it didn't write is a fault.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import html
import json
import random
import re
import time
import urllib.parse
import uuid
import zlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, NamedTuple, Self, TypeVar

import httpx
from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClientConnection, WebSocketError, websocket_connect

T = TypeVar("T")
# As in page.js and saving.js, in seconds.
QUIET, AT_MOST, PATIENCE, FIRST_RETRY, LAST_RETRY = 0.7, 5.0, 4.0, 1.0, 15.0
_ASKED_AGAIN = 4.0
_LOOK = 2.5
TOO_MANY = 429
_LOST = (httpx.HTTPError, OSError, WebSocketError, TimeoutError, EOFError)


class RobotError(Exception):
    """Something went as no student's page could bear. The message says what."""


class NoPageError(Exception):
    """There is no page to join just now."""


class Ack(NamedTuple):
    """One save that was acknowledged; times by ``time.monotonic``."""

    sent: float
    """When the oldest words in it were sent for the first time."""
    tried: float
    """When the message that was acknowledged was sent."""
    came: float


@dataclass
class Field:
    """One answer, as ``saving.js`` has it."""

    value: Any = None
    saved: Any = None
    version: int = 0
    sent: list[tuple[int, Any]] = field(default_factory=list)
    acked: int = 0


class Robot:
    """One student, with one page open."""

    def __init__(self, hub: str, name: str, *, found: Callable[[str], None] = print) -> None:
        self.hub = hub.rstrip("/")
        self.name = name
        self.base = f"{self.hub}/user/{urllib.parse.quote(name, safe='')}/"
        self.fields: dict[str, Field] = {}
        self.acks: list[Ack] = []
        self.last: dict[str, dict[str, Any]] = {}
        """The last message of each kind that the page's kernel sent."""
        self.turned_away = 0
        """How often the hub said that it has too much to do."""
        self.joined_again = 0
        self.said: list[tuple[float, str]] = []
        """What the page would have said, and when it began to."""
        self._found = found
        self._client = uuid.uuid4().hex[:16]
        self._http = httpx.AsyncClient(
            verify=False,  # noqa: S501 (it is this machine)
            follow_redirects=True,
            timeout=100,
            headers={"Accept-Language": "en-US"},
        )
        self._has: set[str] = set()
        self._line: Line | None = None
        self._living: asyncio.Task[None] | None = None
        self._news = asyncio.Event()
        self._seq = 0
        self._retry = FIRST_RETRY
        self._since: float | None = None
        self._first_sent: float | None = None
        self._tried: dict[int, float] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._waiting: asyncio.TimerHandle | None = None
        self._troubled = False
        self._begun = 0.0
        self._slow = False
        self._page = ""
        self._answered = asyncio.Event()

    async def __aenter__(self) -> Self:
        """Do nothing yet."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the page and the browser."""
        await self.leave()
        await self._http.aclose()

    # ---- The way to a page ----------------------------------------------------------------------

    async def log_in(self) -> None:
        """Log in at the hub, wait for the server, and be at its first page."""
        self._begun = time.monotonic()
        page = await self._go(self.hub)
        token = re.search(r'name="_xsrf" value="([^"]*)"', page.text)
        action = re.search(r'<form action="([^"]*)"', page.text)
        if not token or not action:
            raise RobotError(f"{page.url} is no login: {page.status_code}")
        where = urllib.parse.urljoin(str(page.url), html.unescape(action[1]))
        words = {"username": self.name, "password": "a word", "_xsrf": html.unescape(token[1])}
        page = await self._until_served(await self._http.post(where, data=words, headers=_VISIT))
        if not str(page.url).startswith(self.base):
            raise RobotError(f"The login led to {page.url}: {page.status_code}")

    async def open_home(self) -> dict[str, Any]:
        """Home, as the page shows it: it has ``cards``."""
        if not self._begun:
            await self.log_in()
        await self.leave()
        return await self._open("voila/render/home.ipynb", "home")

    async def open_step(self, step: str) -> float:
        """Open a step, after home if this is the first; the seconds since the login began."""
        if not self._begun:
            await self.open_home()
        await self.leave()
        state = await self._open(f"voila/render/{step}/{step}.ipynb", "state")
        took = time.monotonic() - self._begun
        self.fields = {prompt["key"]: Field() for prompt in state["step"]["prompts"]}
        self._take(state)
        return took

    async def _open(self, path: str, wanted: str) -> dict[str, Any]:
        self._page = self.base + path
        page = await self._until_served(await self._go(self._page))
        place = _place(page.text)
        if place is None:
            raise RobotError(f"{page.url} is no page of the course: {page.status_code}")
        self.fields = {}
        await asyncio.gather(*map(self._fetch, _needs(page.text, str(page.url))))
        self.last.clear()
        self._living = asyncio.create_task(self._live(place))
        return await self.until(lambda: self.last.get(wanted), 90)

    async def leave(self) -> None:
        """Close the page."""
        for timer in (self._timer, self._waiting):
            if timer:
                timer.cancel()
        self._timer = self._waiting = None
        if self._living:
            self._living.cancel()
            await asyncio.wait([self._living])
            self._living = None
        self._line = None

    async def _go(self, url: str) -> httpx.Response:
        """Visit an address, and again after a while when the hub has too much to do."""
        while True:
            answer = await self._http.get(url, headers=_VISIT)
            if answer.status_code != TOO_MANY:
                return answer
            self.turned_away += 1
            await asyncio.sleep(float(answer.headers.get("Retry-After", 5)))

    async def _until_served(self, page: httpx.Response) -> httpx.Response:
        """The page that comes when the hub has started the server."""
        while "/hub/spawn-pending/" in page.url.path or page.status_code == TOO_MANY:
            if page.status_code == TOO_MANY:
                self.turned_away += 1
                await asyncio.sleep(float(page.headers.get("Retry-After", 5)))
            elif progress := re.search(r'new EventSource\("([^"]+)"', page.text):
                await self._progress(urllib.parse.urljoin(self.hub, html.unescape(progress[1])))
            elif begin := re.search(r'id="start"[^>]*href="([^"]+)"', page.text):
                raise RobotError(f"{self.name}'s server did not start: {begin[1]}")
            page = await self._go(str(page.url))
        return page

    async def _progress(self, url: str) -> None:
        async with self._http.stream("GET", url, headers=_VISIT) as answer:
            async for line in answer.aiter_lines():
                if line.startswith("data:"):
                    said = json.loads(line[5:])
                    if said.get("ready") or said.get("failed"):
                        return

    async def _fetch(self, url: str) -> None:
        """A script or style that the page names; a browser asks for it once."""
        if url not in self._has:
            self._has.add(url)
            answer = await self._http.get(url, headers=_FETCH)
            if not answer.is_success:
                raise RobotError(f"{url}: {answer.status_code}")

    # ---- The line to the kernel: page.js --------------------------------------------------------

    async def _live(self, place: Place | None) -> None:
        """Be joined to the page's kernel, and again whenever that is lost."""
        first = True
        while True:
            line, place = await self._join(place)
            self._line = line
            if not first:
                self.joined_again += 1
                self._say("")
            first = False
            asking = asyncio.create_task(self._ask_for_everything(line))
            try:
                gone = await line.hear(self._hear)
            except asyncio.CancelledError:
                line.close()
                raise
            finally:
                asking.cancel()
                self._line = None
            self._say("cut")
            if gone:
                place = None

    async def _join(self, place: Place | None) -> tuple[Line, Place]:
        pause = 0.25
        while True:
            line = None
            self._slow = False
            try:
                place = place or await self._ask_for_place()
                line = await Line.open(self, place)
                states = await line.states()
                if place.model not in states:
                    raise NoPageError("No such widget.")
            except (NoPageError, *_LOST):
                if line:
                    line.close()
                if place and await self.life(place.kernel) != "unreachable":
                    place = None
            else:
                return line, place
            # Not all at once: when a class lost its servers, all of its pages are here.
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))
            pause = min(2 * pause, 15.0 if self._slow else 5.0)

    async def _ask_for_place(self) -> Place:
        answer = await self._http.get(self._page, headers=_FETCH)
        if place := _place(answer.text):
            return place
        # The hub's own page stands there: it has a button that starts the server.
        if start := re.search(r'id="start"[^>]*?href="([^"]+)"', answer.text):
            self._say("opening the course again")
            url = urllib.parse.urljoin(str(answer.url), html.unescape(start[1]))
            answer = await self._http.get(url, headers=_FETCH)
        self._slow = answer.status_code == TOO_MANY
        self.turned_away += self._slow
        raise NoPageError(f"{answer.status_code}")

    async def life(self, kernel: str) -> str:
        """What the server says of a kernel."""
        try:
            url = f"{self.base}api/kernels/{kernel}"
            answer = await self._http.get(url, headers=_FETCH, timeout=4)
            return str(answer.json()["execution_state"]) if answer.is_success else "gone"
        except (*_LOST, ValueError):
            return "unreachable"

    async def _ask_for_everything(self, line: Line) -> None:
        self._settle()
        self._answered = asyncio.Event()
        while not self._answered.is_set():
            line.send({"type": "open", "client": self._client})
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_ASKED_AGAIN):
                    await self._answered.wait()

    def cookies(self, url: str) -> str:
        """What a browser sends along."""
        sent: str = self._http.build_request("GET", url).headers.get("Cookie", "")
        return sent

    def _say(self, words: str) -> None:
        if words != (self.said[-1][1] if self.said else ""):
            self.said.append((time.monotonic(), words))

    # ---- Writing and saving: saving.js ----------------------------------------------------------

    def write(self, key: str, value: Any) -> None:
        """Have another value in a field."""
        self.fields[key].value = value
        self._plan()

    @property
    def open(self) -> list[str]:
        """The fields with something that is not acknowledged."""
        return [key for key, one in self.fields.items() if one.value != one.saved]

    async def all_saved(self, within: float = 60.0) -> None:
        """Wait until all is acknowledged."""
        await self.until(lambda: not self.open, within)

    async def submit(self, within: float = 120.0) -> dict[str, Any]:
        """Hand in, as the button and the one after it do; the receipt."""
        await self.all_saved()
        self.last.pop("receipt", None)
        self.last.pop("problem", None)
        self._post({"type": "submit", "confirm": False, "student": None})
        said = await self.until(
            lambda: self.last.get("receipt") or self.last.get("problem"), within
        )
        if said["type"] == "problem":
            raise RobotError(f"{self.name}: {said['message']}")
        return said

    async def until(self, look: Callable[[], T | None], within: float = 60.0) -> T:
        """What ``look`` returns as soon as it is true; asked whenever the kernel says something.

        Raises:
            RobotError: it was not, within that time.
        """
        try:
            async with asyncio.timeout(within):
                while not (found := look()):
                    self._news.clear()
                    if self._living and self._living.done():
                        self._living.result()
                    await self._news.wait()
        except TimeoutError:
            raise RobotError(f"{self.name}: not within {within:g} s: {look}") from None
        return found

    def _post(self, message: dict[str, Any]) -> None:
        if self._line:
            self._line.send({**message, "client": self._client})

    def _plan(self, delay: float | None = None) -> None:
        loop = asyncio.get_running_loop()
        if delay is None:
            if self._waiting or self._troubled:
                return  # the answer or the next try takes it along
            now = time.monotonic()
            self._since = self._since or now
            delay = max(0.0, min(QUIET, self._since + AT_MOST - now))
        if self._timer:
            self._timer.cancel()
        self._timer = loop.call_later(delay, self._flush)

    def _flush(self) -> None:
        if self._waiting or not (keys := self.open):
            return
        if self._timer:
            self._timer.cancel()
        self._since = None
        self._seq += 1
        fields = {}
        for key in keys:
            one = self.fields[key]
            fields[key] = {"value": one.value, "base": one.version}
            one.sent = [*one.sent, (self._seq, one.value)][-5:]
        now = time.monotonic()
        self._first_sent = self._first_sent or now
        self._tried[self._seq] = now
        loop = asyncio.get_running_loop()
        self._waiting = loop.call_later(PATIENCE, self._fail, "late")
        self._post({"type": "save", "seq": self._seq, "fields": fields})

    def _fail(self, why: str) -> None:
        self._say(why)
        if self._waiting:
            self._waiting.cancel()
        self._waiting = None
        self._troubled = True
        self._plan(self._retry)
        self._retry = min(2 * self._retry, LAST_RETRY)

    def _settle(self) -> None:
        if self._waiting:
            self._waiting.cancel()
        self._waiting = None
        self._troubled = False
        self._retry = FIRST_RETRY

    def _hear(self, message: dict[str, Any]) -> None:
        """Read what the kernel says to this page."""
        if message.get("client") != self._client:
            return
        if packed := message.get("packed"):
            message = json.loads(zlib.decompress(base64.b64decode(packed)))
        kind = message["type"]
        if kind in ("state", "home", "problem"):
            self._answered.set()
        if kind == "state" and self.fields:
            self._take(message)
        elif kind == "ack":
            self._acknowledge(message)
        elif kind == "refused" and message["seq"] == self._seq:
            self._fail(message["message"])
        self.last[kind] = message
        self._news.set()

    def _acknowledge(self, message: dict[str, Any]) -> None:
        seq, now = message["seq"], time.monotonic()
        if seq == self._seq:
            self._settle()
            self._say("")
        for key, one in self.fields.items():
            sent = next((value for number, value in one.sent if number == seq), None)
            if sent is None or seq < one.acked:
                continue
            if key in message["versions"]:
                one.acked = seq
                one.sent = [pair for pair in one.sent if pair[0] > seq]
                if message["versions"][key] >= one.version:
                    one.saved, one.version = sent, message["versions"][key]
            elif key in message["conflicts"]:
                other = message["conflicts"][key]
                self._theirs(key, other["value"], other["version"])
            elif key in message["invalid"]:
                raise RobotError(f"{key} was refused: {message['invalid'][key]}")
        if seq == self._seq and self._first_sent and not message["conflicts"]:
            self.acks.append(Ack(self._first_sent, self._tried[seq], now))
            self._first_sent = None
            self._tried.clear()
        if self.open:
            self._plan(0 if message["conflicts"] else None)

    def _take(self, state: dict[str, Any]) -> None:
        for key in self.fields:
            found = state["fields"].get(key, {"value": None, "version": 0})
            self._theirs(key, found["value"], found["version"])
        self._flush()

    def _theirs(self, key: str, value: Any, version: int) -> None:
        """What the kernel has of a field: nobody else writes in it."""
        one = self.fields[key]
        if version < one.version or (version == one.version and value != one.saved):
            self._found(
                f"LOST: {self.name} has version {one.version} of {key} acknowledged, "
                f"and the kernel has version {version}"
            )
        elif value not in (None, one.saved, *(sent for _, sent in one.sent)) and one.value:
            self._found(f"{self.name} never wrote what the kernel has in {key}")
        if one.value is None:
            one.value = value
        one.saved, one.version = value, version


class Place(NamedTuple):
    """Where a page's widget lives."""

    kernel: str
    model: str


class Line:
    """One websocket to one kernel."""

    def __init__(self, robot: Robot, place: Place, socket: WebSocketClientConnection) -> None:
        self._robot = robot
        self._place = place
        self._socket = socket
        self._session = uuid.uuid4().hex
        self._control = uuid.uuid4().hex
        self._heard = time.monotonic()
        self._asked = 0.0
        self._early: list[dict[str, Any]] = []

    @classmethod
    async def open(cls, robot: Robot, place: Place) -> Self:
        """Join a kernel."""
        path = f"api/kernels/{place.kernel}/channels?session_id={uuid.uuid4().hex}"
        url = robot.base + path
        origin = robot.hub
        headers = {**_SOCKET, "Cookie": robot.cookies(url), "Origin": origin}
        request = HTTPRequest(url.replace("http", "ws", 1), headers=headers, connect_timeout=20)
        try:
            socket = await websocket_connect(
                request, compression_options={}, max_message_size=64 * 2**20
            )
        except Exception as error:
            raise NoPageError(str(error)) from error
        return cls(robot, place, socket)

    async def states(self) -> dict[str, Any]:
        """The states of all widgets, which nobody needs here: they show that the page's is one."""
        to = {"comm_id": self._control}
        self._ask("comm_open", {**to, "target_name": "jupyter.widget.control", "data": {}},
                  {"version": "1.0.0"})  # fmt: skip
        self._ask("comm_msg", {**to, "data": {"method": "request_states"}})
        async with asyncio.timeout(20):
            async for kind, content in self._messages():
                if kind == "comm_msg" and content["comm_id"] == self._control:
                    return dict(content["data"]["states"])
        raise NoPageError("closed")

    def send(self, content: dict[str, Any]) -> None:
        """Send a message to the page's widget."""
        data = {"method": "custom", "content": content}
        self._ask("comm_msg", {"comm_id": self._place.model, "data": data})

    async def hear(self, read: Callable[[dict[str, Any]], None]) -> bool:
        """Give what the widget says to ``read`` until the line ends; whether the kernel is gone."""
        watching = asyncio.create_task(self._watch())
        try:
            async for kind, content in self._messages():
                if kind == "status" and content.get("execution_state") in ("restarting", "dead"):
                    return True
                ours = kind == "comm_msg" and content["comm_id"] == self._place.model
                if ours and content["data"].get("method") == "custom":
                    read(content["data"]["content"])
            return watching.done() and not watching.cancelled() and watching.result()
        finally:
            watching.cancel()
            self.close()

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    async def _messages(self) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        while (text := await self._socket.read_message()) is not None:
            self._heard, self._asked = time.monotonic(), 0.0
            message = json.loads(text)
            yield message["header"]["msg_type"], message["content"]

    def _ask(self, kind: str, content: Any, metadata: dict[str, str] | None = None) -> None:
        self._asked = self._asked or time.monotonic()
        header = {
            "msg_id": uuid.uuid4().hex, "msg_type": kind, "username": "", "session": self._session,
            "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "version": "5.3",
        }  # fmt: skip
        message = {
            "channel": "shell", "header": header, "parent_header": {}, "metadata": metadata or {},
            "content": content, "buffers": [],
        }  # fmt: skip
        with contextlib.suppress(WebSocketError):
            sending = self._socket.write_message(json.dumps(message))
            # That it failed shows in that nothing comes.
            sending.add_done_callback(lambda done: done.exception())

    async def _watch(self) -> bool:
        """Look into silence; whether the kernel is gone when the line is given up."""
        while True:
            await asyncio.sleep(_LOOK)
            now = time.monotonic()
            if not self._asked and now - self._heard > 15:
                self._ask("kernel_info_request", {})
            if not self._asked or now - self._asked < 5:
                continue
            state = await self._robot.life(self._place.kernel)
            patience = {"unreachable": 0, "busy": 120}.get(state, 20)
            if self._asked and (state == "gone" or time.monotonic() - self._asked > patience):
                self.close()
                return state == "gone"


_VISIT = {
    "Accept": "text/html,*/*", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document",
    "Sec-Fetch-Site": "same-origin",
}  # fmt: skip
_FETCH = {
    "Accept": "text/html,*/*", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "empty",
    "Sec-Fetch-Site": "same-origin",
}  # fmt: skip
_SOCKET = {
    "Sec-Fetch-Mode": "websocket", "Sec-Fetch-Dest": "empty", "Sec-Fetch-Site": "same-origin",
}  # fmt: skip


def _place(page: str) -> Place | None:
    """The kernel and the model that a page names; nothing when the page is not whole."""
    kernel = re.search(r'id="pcn-end" data-kernel="([\w-]+)"', page)
    model = re.search(r'class="pcn-widget" data-model="(\w+)"', page)
    return Place(kernel[1], model[1]) if kernel and model else None


def _needs(page: str, url: str) -> list[str]:
    """The scripts and styles that a page names."""
    head = page.partition("</head>")[0]
    named = re.findall(r'<(?:link|script)\b[^>]*\b(?:href|src)="([^"]+)"', head)
    found = (urllib.parse.urljoin(url, html.unescape(one)) for one in named)
    return [one for one in found if one.startswith("http")]
