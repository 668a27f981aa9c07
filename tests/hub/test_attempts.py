"""What a student may try against others and against the server, and what comes of it.

Two kinds: over the network, with the cookies of somebody who has logged in; and as the student's
own system user, as if a fault had given the student a shell, which nobody is given.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import sqlite3
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest
from tornado.web import decode_signed_value

from pcn_course.admin.backup import BACKUPS
from pcn_course.hub.accounts import Account, AccountError, account_name
from pcn_course.hub.confine import ORDER, take_place
from pcn_course.hub.layout import welcome
from tests.hub.class_server import ClassServer, as_server, as_user, needs_proxy, needs_root
from tests.hub.memory import words_in
from tests.hub.people import STEP, Student
from tests.hub.test_backup import guide

pytestmark = [needs_root, needs_proxy, pytest.mark.browser, pytest.mark.timeout(300)]

SUBMISSION = f"+{STEP}+2026-11-20 10:00:00.000000 UTC+"


class Case(NamedTuple):
    """Ada tries something: where, and what she gets."""

    what: str
    path: str
    status: int
    method: str = "GET"
    body: str | None = None


# {peer} is a peer's server, {own} Ada's.
REFUSED = [
    Case("a peer's home", "{peer}voila/render/home.ipynb", 403),
    Case("a peer's step", "{peer}voila/render/step-1-goals/step-1-goals.ipynb", 403),
    Case("a peer's server by a path trick", "{own}%2e%2e/{peer_name}/voila/render/home.ipynb", 403),
    Case("a peer's kernel", "{peer}api/kernels/{kernel}", 403),
    Case("a peer's kernel through her own server", "{own}api/kernels/{kernel}", 404),
    Case("her own kernel, to restart it", "{own}api/kernels/{own_kernel}/restart", 405, "POST"),
    Case("her own kernel, to interrupt it", "{own}api/kernels/{own_kernel}/interrupt", 405, "POST"),
    Case("her own kernel, to delete it", "{own}api/kernels/{own_kernel}", 405, "DELETE"),
    Case("a new kernel", "{own}api/kernels", 405, "POST", "{}"),
    Case("a session", "{own}api/sessions", 405, "POST", "{}"),
    Case("the contents API, to read", "{own}api/contents/step-1-goals", 404),
    Case("the contents API, to write", "{own}api/contents/x.ipynb", 405, "PUT", "{}"),
    Case("a terminal", "{own}api/terminals", 405, "POST"),
    Case("the lab", "{own}lab", 404),
    Case("the tree of files", "{own}tree", 404),
    Case("Voilà's files", "{own}voila/files/step-1-goals/answers.json", 404),
    Case("Voilà's static files", "{own}voila/static/../../../../etc/passwd", 404),
    Case("a file", "{own}files/step-1-goals/step-1-goals.ipynb", 404),
    Case("nbconvert, with the grading cells", "{own}nbconvert/html/home.ipynb", 404),
    Case("a hidden folder", "{own}voila/render/.pcn/x.ipynb", 404),
    Case(
        "a notebook outside",
        "{own}voila/render/..%2f..%2f..%2fcourse%2fassignments%2fmarking.ipynb",
        404,
    ),
    Case("a notebook of the room by a link", "{own}voila/render/link.ipynb", 404),
    Case("formgrader", "{own}formgrader", 404),
    Case("all users", "/hub/api/users", 403),
    Case("a peer's data", "/hub/api/users/{peer_name}", 404),
    Case("a peer's server, to end it", "/hub/api/users/{peer_name}/server", 404, "DELETE"),
    Case("a second server of her own", "/hub/api/users/ada/servers/more", 403, "POST"),
    Case("many of her own, by the hub's form", "/hub/spawn/ada/most", 403, "POST"),
    Case("many of her own, by the hub's page", "/hub/spawn/ada/best", 403),
    Case("the proxy's routes", "/hub/api/proxy", 403),
    Case("the hub's administration", "/hub/admin", 403),
    Case("the hub, to shut it down", "/hub/api/shutdown", 403, "POST", "{}"),
    Case("a new user", "/hub/api/users/eve", 403, "POST"),
]


def test_what_is_refused_over_the_network(hub: ClassServer, students: list[Student]) -> None:
    ada, peer = students[:2]
    (hub.workspace("ada") / "link.ipynb").symlink_to(hub.settings.room / "marking.ipynb")
    told = {
        "own": "/user/ada/",
        "peer": f"/user/{peer.folder}/",
        "peer_name": peer.folder,
        "kernel": kernel_of(peer),
        "own_kernel": kernel_of(ada),
    }
    print()
    wrong = []
    for case in REFUSED:
        got = ada.get(case.path.format_map(told), case.method, case.body)
        print(f"{got}  {case.what}")
        if got != case.status:
            wrong.append(f"{case.what}: {got}, not {case.status}")
    assert not wrong
    assert ada.get(f"{told['own']}api/kernels/{told['own_kernel']}") == 200, "what she may do"
    with closing(sqlite3.connect(hub.settings.state / "hub.sqlite")) as database:
        assert database.execute("SELECT DISTINCT name FROM spawners").fetchall() == [("",)], (
            "the hub keeps nothing of what was refused"
        )


def test_a_token_opens_nothing_of_a_peers(hub: ClassServer, students: list[Student]) -> None:
    ada, peer = students[:2]
    cookies = {one["name"]: one["value"] for one in ada.page.context.cookies(ada.url(""))}
    name = "jupyterhub-user-ada"
    # What the cookie holds, once its signature is taken off: root alone can find out how.
    secret = (hub.workspace("ada") / ".pcn/server/cookie-secret").read_text().strip()
    token = decode_signed_value(secret, name, cookies[name])
    assert token
    bearer = {"Authorization": f"token {token.decode()}", "Cookie": "none=1"}
    assert ada.ask("/user/ada/voila/render/home.ipynb", **bearer).status == 200, "her own"
    assert ada.ask(f"/user/{peer.folder}/voila/render/home.ipynb", **bearer).status == 403
    assert ada.ask("/hub/api/users", **bearer).status == 403
    # Her cookie, sent as if it were the peer's.
    stolen = f"jupyterhub-user-{peer.folder}={cookies[name]}"
    answer = ada.ask(f"/user/{peer.folder}/api/kernels/{kernel_of(peer)}", Cookie=stolen)
    assert answer.status == 403


ASK_KERNEL = """async ([url, type, content]) => {
  const heard = [];
  const socket = new WebSocket(url);
  await new Promise((resolve) => { socket.onopen = resolve; socket.onerror = resolve; });
  if (socket.readyState !== 1) return "refused";
  const send = (msg_type, content) => socket.send(JSON.stringify({
    channel: "shell", parent_header: {}, metadata: {}, content, buffers: [],
    header: {
      msg_id: crypto.randomUUID(), msg_type, username: "", session: "s", date: "", version: "5.3",
    },
  }));
  const answered = new Promise((resolve) => {
    socket.onmessage = ({ data }) => {
      heard.push(JSON.parse(data).header.msg_type);
      if (heard.at(-1) === "kernel_info_reply") resolve();
    };
    socket.onclose = resolve;
  });
  send(type, content);
  send("kernel_info_request", {});
  await answered;
  socket.close();
  return heard.join(" ");
}"""


def test_no_message_runs_code(hub: ClassServer, students: list[Student]) -> None:
    ada, peer = students[:2]

    def ask(owner: Student, kind: str, content: Mapping[str, object]) -> str:
        path = f"api/kernels/{kernel_of(owner)}/channels?session_id=s"
        url = owner.url(path).replace("http", "ws", 1)
        said: str = ada.page.evaluate(ASK_KERNEL, [url, kind, content])
        return said

    mark = hub.workspace("ada") / "was-here"
    code = f"open({str(mark)!r}, 'w')"
    executed = {"code": code, "silent": False, "store_history": False, "user_expressions": {}}
    # The last message is answered, so the one before has been looked at.
    assert ask(ada, "execute_request", executed).split()[-1:] == ["kernel_info_reply"]
    assert "execute_reply" not in ask(ada, "execute_request", executed)
    for kind in ("inspect_request", "complete_request", "history_request"):
        content = {"code": code, "cursor_pos": 4}
        assert kind.replace("request", "reply") not in ask(ada, kind, content)
    forged = {"comm_id": "nobody", "data": {"method": "custom", "content": {"type": code}}}
    ask(ada, "comm_msg", forged)
    ask(ada, "comm_open", {**forged, "target_name": "os"})
    assert not mark.exists()
    assert ask(peer, "kernel_info_request", {}) == "refused"


def kernel_of(student: Student) -> str:
    found: str = student.page.evaluate("document.documentElement.dataset.pcnKernel")
    return found


# As the student's own system user, without the pages between.


@pytest.fixture
def submitted(hub: ClassServer, students: list[Student]) -> Path:
    """What a peer has handed in, as it lies in the exchange."""
    inbound = hub.settings.exchange / hub.course.id / "inbound"
    peer = hub.account("daemon")
    path = inbound / "daemon" / f"daemon{SUBMISSION}aaaa"

    def hand_in() -> str:
        path.mkdir(exist_ok=True)
        path.chmod(0o777)  # as nbgrader does
        (path / "answers.json").write_text("{}")
        (path / "submission_secret.txt").write_text("a" * 128)
        return "done"

    assert as_user(peer, hand_in) == "done"
    return path


def test_what_another_system_user_is_refused(
    hub: ClassServer, students: list[Student], submitted: Path
) -> None:
    ada, settings = hub.account("ada"), hub.settings
    exchange = settings.exchange / hub.course.id
    peer_home = settings.students / "daemon"
    peer_server = hub.pids("daemon")[0]
    mine = settings.students / "ada"

    def listed(path: Path) -> str:
        return str(list(path.iterdir()))

    def wrote(path: Path) -> str:
        path.write_text("forged")
        return "written"

    def done(do: Callable[[], object]) -> str:
        do()
        return "done"

    attempts: dict[str, Callable[[], str]] = {
        "list the class": partial(listed, settings.students),
        "list a peer's home": partial(listed, peer_home),
        "read a peer's answers": (peer_home / "workspace" / STEP / "answers.json").read_text,
        "write a peer's answers": partial(wrote, peer_home / "workspace" / STEP / "answers.json"),
        "read a peer's cookie secret": (
            peer_home / "workspace/.pcn/server/cookie-secret"
        ).read_text,
        "list who handed in": partial(listed, exchange / "inbound"),
        "list a peer's submissions": partial(listed, submitted.parent),
        "read a peer's submission by its whole name": (submitted / "answers.json").read_text,
        "change it": partial(wrote, submitted / "answers.json"),
        "add to it": partial(wrote, submitted / "more.json"),
        "remove it": lambda: done(lambda: shutil.rmtree(submitted)),
        "rename it": lambda: done(lambda: submitted.rename(submitted.with_name("x"))),
        "hand in for a peer": lambda: done((submitted.parent / f"daemon{SUBMISSION}bbbb").mkdir),
        "put a folder among the students'": lambda: done((exchange / "inbound" / "eve").mkdir),
        "swap a peer's folder": lambda: done(
            lambda: (exchange / "inbound" / "daemon").rename(exchange / "inbound" / "old")
        ),
        "link a peer's submission to keep it": lambda: done(
            lambda: (mine / "kept").hardlink_to(submitted / "answers.json")
        ),
        "list a peer's feedback": partial(listed, exchange / "feedback" / "daemon"),
        "list all feedback": partial(listed, exchange / "feedback"),
        "forge her own feedback": partial(wrote, exchange / "feedback" / "ada" / "x.html"),
        "change what was released": partial(wrote, exchange / "outbound" / STEP / f"{STEP}.ipynb"),
        "release a step": lambda: done((exchange / "outbound" / "step-9").mkdir),
        "list the instructor's room": partial(listed, settings.room),
        "read the gradebook": lambda: str((settings.room / "gradebook.db").read_bytes()),
        "change the course": partial(wrote, settings.course / "data" / "course.toml"),
        "read the hub's database": lambda: str((settings.state / "hub.sqlite").read_bytes()),
        "read the proxy's token": (settings.state / "proxy.env").read_text,
        "read a peer's token from its process": Path(f"/proc/{peer_server}/environ").read_text,
        "end a peer's server": lambda: done(lambda: os.kill(peer_server, signal.SIGKILL)),
    }
    print()
    got = {what: as_user(ada, attempt) for what, attempt in attempts.items()}
    for what, said in got.items():
        print(f"{said:17} {what}")
    assert {what: said for what, said in got.items() if said != "PermissionError"} == {}
    # The same tries do something where they may: this is not a user who can do nothing at all.
    assert as_user(ada, partial(wrote, mine / "x")) == "written"
    assert as_user(ada, lambda: done((exchange / "inbound" / "ada" / "x").mkdir)) == "done"
    assert as_user(hub.account("daemon"), (submitted / "answers.json").read_text) == "{}"


def test_what_is_put_into_an_own_folder_counts_for_nobody_else(
    hub: ClassServer, students: list[Student], submitted: Path
) -> None:
    """Names of others, links to what only the instructor may read, and what arrived half."""
    ada = hub.account("ada")
    own = hub.settings.exchange / hub.course.id / "inbound" / "ada"

    def put() -> str:
        for name in (f"daemon{SUBMISSION}cccc", f"ada{SUBMISSION}cccc", f"ada+x{SUBMISSION}dddd"):
            (own / name).mkdir()
            (own / name / "submission_secret.txt").write_text("b" * 128)
        (own / f"daemon{SUBMISSION}cccc" / "answers.json").write_text('{"forged": 1}')
        link = own / f"ada{SUBMISSION}cccc" / "answers.json"
        link.symlink_to(hub.settings.room / "gradebook.db")
        half = own / f"ada{SUBMISSION.replace('10:00', '11:00')}eeee"
        half.mkdir()
        (half / "answers.json").write_text('{"half": ')
        (own / f"ada{SUBMISSION.replace('10:00', '12:00')}ffff").symlink_to(hub.settings.room)
        return "done"

    assert as_user(ada, put) == "done"
    said = hub.teach(f"collect('{STEP}', update=True)")
    taken = hub.settings.room / "submitted"
    assert sorted(path.name for path in taken.iterdir()) == ["ada", "daemon"]
    assert (taken / "daemon" / STEP / "answers.json").read_text() == "{}"
    assert not (taken / "ada" / STEP / "answers.json").exists()
    secret = (taken / "ada" / STEP / "submission_secret.txt").read_text()
    assert secret == "b" * 128, "the one before the half"
    for path in (*own.iterdir(), taken / "ada", taken / "daemon"):
        shutil.rmtree(path) if not path.is_symlink() else path.unlink()
    print(said)


TOKEN = rb"JUPYTERHUB_API_TOKEN=([0-9a-f]{32})"


def test_no_server_and_no_fork_server_holds_the_token_of_another(
    hub: ClassServer, students: list[Student]
) -> None:
    servers = {one.name: hub.server_of(one.name) for one in students}
    tokens = {name: words_in(pid, TOKEN) for name, pid in servers.items()}
    assert [len(one) for one in tokens.values()] == [1] * len(students), tokens
    words = "|".join(one for (one,) in tokens.values()).encode()
    assert len(set(words.split(b"|"))) == len(students)
    for name, pid in servers.items():
        assert words_in(pid, words) == tokens[name], name
    fork_server = parent_of(servers["ada"])
    assert fork_server not in (1, hub.processes["hub"].pid)
    assert words_in(fork_server, words) == []
    assert b"TOKEN" not in Path(f"/proc/{fork_server}/environ").read_bytes()


def test_a_server_takes_no_more_than_its_share(hub: ClassServer, students: list[Student]) -> None:
    """Ada's server turns against the machine; meanwhile a peer writes and is saved."""
    peer, settings = students[1], hub.settings
    # This is so of the process itself, and what follows is tried under the same.
    for pid in (hub.server_of("ada"), *hub.kernels_of("ada")):
        proc = Path(f"/proc/{pid}")
        assert "\nNoNewPrivs:\t1\n" in (proc / "status").read_text()
        assert int((proc / "oom_score_adj").read_text()) == ORDER["student"]
        places = {line.split()[4] for line in (proc / "mountinfo").read_text().splitlines()}
        assert {"/tmp", "/dev/shm"} <= places  # noqa: S108
    hub_order = int(Path(f"/proc/{hub.processes['hub'].pid}/oom_score_adj").read_text())
    assert hub_order < min(ORDER.values())

    as_root = hub.base / "as-root"
    shutil.copy("/usr/bin/id", as_root)
    as_root.chmod(0o4755)
    mib = bytes(2**20)

    def fill(folder: str) -> str:
        with Path(folder, "full").open("wb") as file:
            for _ in range(4 * settings.tmp_mib):
                file.write(mib)
        return "all written"

    def fork() -> str:
        children = []
        try:
            for _ in range(settings.processes + 50):
                if (child := os.fork()) == 0:
                    signal.pause()
                children.append(child)
        finally:
            for child in children:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
        return f"{len(children)} processes"

    def allocate() -> str:
        try:
            return f"{len(bytearray(4 * settings.memory_mib * 2**20))} bytes"
        except MemoryError:
            return "MemoryError"

    def listen() -> str:
        lines = [socket.create_server(("127.0.0.1", 0)) for _ in range(2000)]
        return f"{len(lines)} ports"

    def write_file() -> str:
        with Path("large").open("wb") as file:
            os.truncate(file.fileno(), 2 * settings.file_mib * 2**20)
        return "written"

    def be_ended_later() -> str:
        take_place(-900)
        return "done"

    def who_is_root() -> str:
        said = subprocess.run([as_root, "-u"], check=True, capture_output=True, text=True)
        return said.stdout.strip()

    attempts: dict[str, tuple[Callable[[], str], str]] = {
        "fill /tmp": (partial(fill, "/tmp"), "OSError"),  # noqa: S108
        "fill /dev/shm": (partial(fill, "/dev/shm"), "OSError"),  # noqa: S108
        "have more processes": (fork, "BlockingIOError"),
        "have more memory": (allocate, "MemoryError"),
        "take all ports": (listen, "OSError"),
        "write one large file": (write_file, "OSError"),
        "be ended later": (be_ended_later, "PermissionError"),
        "gain rights": (who_is_root, str(hub.account("ada").uid)),
    }
    print()
    began = time.monotonic()
    got = {}
    for number, (what, (attempt, _)) in enumerate(attempts.items()):
        got[what] = as_server(hub, "ada", attempt)
        print(f"{got[what]:17} {what}")
        peer.write(f"Nobody stops me {number}")
        peer.saved()
    assert got == {what: wanted for what, (_, wanted) in attempts.items()}
    assert time.monotonic() - began < 60
    # Outside there is nothing of it, and with none of this the same tries do something.
    assert not Path("/tmp/full").exists()  # noqa: S108
    assert as_user(hub.account("ada"), who_is_root) == "0"


def test_all_processes_together_have_no_more_memory_than_one_student_may(
    hub: ClassServer, students: list[Student]
) -> None:
    peer = students[1]
    whole = 300 * 2**20
    server = hub.server_of("daemon")

    def have_much() -> str:
        children = []
        for _ in range(5):
            if (child := os.fork()) == 0:
                signal.signal(signal.SIGALRM, signal.SIG_DFL)  # pytest's own would go on with it
                signal.alarm(60)
                memory = bytearray(whole)
                memory[::4096] = b"x" * (whole // 4096)
                signal.pause()
            children.append(child)
        _, status = os.wait()
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        return f"one was ended by signal {os.WTERMSIG(status)}"

    began = time.monotonic()
    assert as_server(hub, "ada", have_much) == "one was ended by signal 9"
    assert time.monotonic() - began < 50
    assert "together they had too much memory" in hub.log("hub")
    peer.write("And I go on")
    peer.saved()
    assert hub.server_of("daemon") == server


def parent_of(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("\nPPid:\t")[2].split("\n")[0])


def test_one_who_teaches_leads_root_nowhere(
    hub: ClassServer, students: list[Student], tmp_path: Path
) -> None:
    """The lab's terminal is for all that is the instructor's, and what root does there goes on."""
    found = pwd.getpwnam(f"{hub.settings.prefix}-teacher")
    teacher = Account(found.pw_name, found.pw_uid, found.pw_gid, Path(found.pw_dir))
    elsewhere = hub.base / "elsewhere"
    elsewhere.mkdir(mode=0o755)
    exchange = hub.settings.exchange / hub.course.id
    notes = (hub.settings.room / BACKUPS).parent
    places = [notes, exchange / "inbound", exchange / "feedback"]

    def link() -> str:
        notes.mkdir(exist_ok=True)
        for path in places:
            path.rename(path.with_name(f"{path.name}-away"))
            path.symlink_to(elsewhere)
        return "done"

    assert as_user(teacher, link) == "done"
    try:
        for _ in range(2):
            with pytest.raises(AccountError, match="a link is on the way"):
                welcome(hub.settings, hub.course, "eve")
        said = guide(hub, tmp_path / "kept", "back-up")
        assert "backups.json can't be written" in said
        assert "Written and verified" in said
        about = elsewhere.stat()
        assert (about.st_uid, about.st_mode & 0o777, [*elsewhere.iterdir()]) == (0, 0o755, [])
    finally:
        for path in places:
            path.unlink()
            path.with_name(f"{path.name}-away").rename(path)
    assert welcome(hub.settings, hub.course, "eve").name == account_name(hub.settings, "eve")
