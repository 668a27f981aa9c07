"""Isolation under one user id: what students see of the exchange is what their pods mount.

The pods are built for real but for Kubernetes, see pods_here.py. All students here are made up.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from pcn_course.exchange import STUDENT_ID
from pcn_course.hub.kubernetes.pods import BASE, NAME, PodError, Pods, pod, read_pods
from pcn_course.hub.roles import LIGHT
from tests.hub.class_server import _TEACH, CHECKOUT, needs_root
from tests.hub.kubernetes.pods_here import UID, PodHere, volume_in

STEP = "step-1-goals"
NAMES = ("ada", "g.hopper@example.edu")
PODS = Pods(instructors=("prof",), graders=("tutor",), uid=UID)
EXCHANGE = f"{BASE}/exchange/pcn"

_JOIN = """
import os, sys
from pathlib import Path
from pcn_course.course import load_course
from pcn_course.hub.exchange_view import make_released, make_view, write_student_config
from pcn_course.workspace import Workspace
home, student = Path.home(), os.environ["JUPYTERHUB_USER"]
course, workspace = load_course(), Workspace(home / "workspace")
view = home / "exchange"
make_view(view, Path(os.environ["PCN_EXCHANGE"]), course.id, student)
write_student_config(home / ".jupyter" / "nbgrader_config.py", view, course.id, student)
"""
# What the page's button does.
_HAND_IN = (
    _JOIN
    + """
from pcn_course.answers.store import Edit
from pcn_course.exchange import HandInError, hand_in
step = course.step("goals")
store = workspace.store(course, step)
if sys.argv[1]:
    before = store.load().fields.get("live-project")
    store.save("a test", {"live-project": Edit(sys.argv[1], before.version if before else 0)})
if sys.argv[2:]:
    sys.stdin.readline()
try:
    print(hand_in(workspace, step, confirm=True).sha256)
except HandInError as error:
    print("refused:", error.plain)
"""
)
_FETCH = (
    _JOIN
    + """
from pcn_course.exchange import fetch_feedback
print([page.read_text() for page in fetch_feedback(workspace, every=0)])
"""
)
# Each line of what is tried is done, and its error's name printed; "done" is what must not be.
_TRY = """
import json, os, shutil, sys
from pathlib import Path
told = {}
for line in json.loads(sys.argv[1]):
    try:
        exec(line)
        told[line] = "done"
    except OSError as error:
        told[line] = os.strerror(error.errno)
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def volume(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A class's volume, on which a step is released, and the two have handed it in."""
    with volume_in(tmp_path_factory.mktemp("class"), 64) as volume:
        teach(volume, f"generate_assignment('{STEP}')", f"release_assignment('{STEP}')")
        handing = []
        for name in NAMES:
            student = PodHere.of(volume, PODS, name).begin()
            handing.append(student.starts(_HAND_IN, f"Written by {name}"))
        for process in handing:
            out, err = process.communicate(timeout=120)
            assert re.fullmatch(r"[0-9a-f]{64}\n", out), out + err
        yield volume


def teach(volume: Path, *commands: str) -> str:
    """Do nbgrader's own work in the instructor's pod."""
    return PodHere.of(volume, PODS, "prof").begin().python(_TEACH, *commands)


def inbound(volume: Path, name: str) -> list[Path]:
    return sorted((volume / "exchange" / "pcn" / "inbound" / name).glob(f"*+{STEP}+*"))


@needs_root
def test_of_another_student_nothing_can_be_listed_read_changed_or_forged(volume: Path) -> None:
    ada, other = NAMES
    theirs = inbound(volume, other)[0].name
    outside = [
        f"os.listdir('{EXCHANGE}/inbound/{other}')",
        f"open('{EXCHANGE}/inbound/{other}/{theirs}/answers.json')",
        f"open('{EXCHANGE}/inbound/{other}/{theirs}/answers.json', 'w')",
        f"os.mkdir('{EXCHANGE}/inbound/{other}/{other}+{STEP}+2027-01-01 10:00:00 UTC+0')",
        f"os.mkdir('{EXCHANGE}/inbound/{other}')",
        f"os.symlink('{EXCHANGE}/inbound/{ada}', '{EXCHANGE}/inbound/{other}')",
        f"os.rename('{EXCHANGE}/inbound/{ada}', '{EXCHANGE}/inbound/{other}')",
        f"os.rmdir('{EXCHANGE}/inbound/{ada}')",
        f"os.listdir('{EXCHANGE}/feedback/{other}')",
        f"os.mkdir('{EXCHANGE}/feedback/{other}')",
        f"open('{EXCHANGE}/feedback/{ada}/forged.html', 'w')",
        f"os.chmod('{EXCHANGE}/feedback/{ada}', 0o777)",
        f"open('{EXCHANGE}/outbound/{STEP}/{STEP}.ipynb', 'a')",
        f"os.mkdir('{EXCHANGE}/outbound/step-9')",
        f"shutil.rmtree('{EXCHANGE}/outbound/{STEP}')",
        f"os.listdir('{BASE}/students/{other}')",
        f"os.listdir('{BASE}/students/{ada}/../{other}')",
        f"os.listdir('{EXCHANGE}/inbound/{ada}/../{other}')",
        f"os.listdir('{BASE}/course/assignments')",
        f"os.listdir('{BASE}/teachers')",
        f"open('{BASE}/course/data/course.toml', 'a')",
        # A link by its own number, from a folder that is mounted into one that can be written.
        f"os.link('{EXCHANGE}/outbound/{STEP}/{STEP}.ipynb', '{EXCHANGE}/inbound/{ada}/x')",
        f"os.rename('{BASE}/students/{ada}/workspace', '{EXCHANGE}/inbound/{ada}/x')",
        "open('/etc/here', 'w')",
        f"os.chroot('{BASE}')",
        "os.setuid(0)",
    ]
    said = json.loads(PodHere.of(volume, PODS, ada).python(_TRY, json.dumps(outside)))
    for line in outside:
        print(f"{said[line]:28} {line}")
    refused = {
        "No such file or directory", "Read-only file system", "Permission denied",
        "Operation not permitted", "Invalid cross-device link", "Device or resource busy",
    }  # fmt: skip
    assert set(said.values()) <= refused
    # nbgrader's own way of releasing would have let everybody write there.
    assert (volume / "exchange").stat().st_mode & 0o777 == 0o755
    # The same lines are no nonsense: where all is mounted, those about the exchange can be done.
    reading = [line for line in outside if other in line and "open" in line and "'w'" not in line]
    teacher = json.loads(PodHere.of(volume, PODS, "prof").python(_TRY, json.dumps(reading)))
    assert set(teacher.values()) == {"done"}


@needs_root
def test_a_pod_sees_no_others_and_no_more_of_the_volume_than_is_mounted(volume: Path) -> None:
    other = PodHere.of(volume, PODS, NAMES[1]).starts("input()")
    seen = PodHere.of(volume, PODS, NAMES[0]).python(
        "import json, os\n"
        f"found = [folder for folder, _, _ in os.walk('{BASE}')]\n"
        "pids = [one for one in os.listdir('/proc') if one.isdecimal()]\n"
        "mounted = [line.split()[4] for line in open('/proc/self/mountinfo')]\n"
        "print(json.dumps([found, pids, mounted, os.getuid(), os.environ.get('PCN_GRADEBOOK')]))"
    )
    other.communicate("\n", timeout=60)
    found, pids, mounted, uid, gradebook = json.loads(seen)
    assert (pids, uid, gradebook) == (["1"], UID, None)
    assert not [path for path in (*found, *mounted) if "hopper" in path or "assignments" in path]
    assert {path for path in mounted if path.startswith(BASE)} == {
        f"{BASE}/{path}"
        for path in (
            "students/ada", "course/data", "course/notebooks",
            "exchange/pcn/outbound", "exchange/pcn/inbound/ada", "exchange/pcn/feedback/ada",
        )
    }  # fmt: skip


@needs_root
@pytest.mark.timeout(240)
def test_twice_at_once_a_full_disk_and_collecting_meanwhile_lose_nothing(volume: Path) -> None:
    ada, other = NAMES
    student = PodHere.of(volume, PODS, ada)
    before = len(inbound(volume, ada))
    lay_links(volume, ada, other)
    # Twice at once, from two windows; and meanwhile all is collected.
    windows = [student.starts(_HAND_IN, "Both at once", "wait") for _ in range(2)]
    for one in windows:
        assert one.stdin
        one.stdin.write("\n")
        one.stdin.flush()
    collected = teach(volume, f"collect('{STEP}', update=True)")
    told = [one.communicate(timeout=120) for one in windows]
    receipts = {out.strip() for out, _ in told}
    assert len(receipts) == 1, told
    assert re.fullmatch(r"[0-9a-f]{64}", receipts.pop())
    assert len(inbound(volume, ada)) in (before + 3, before + 4)  # with the two of lay_links
    whole = taken(volume, ada)
    assert whole in (f"Written by {ada}", "Both at once"), collected
    # A full disk: what arrives is refused in plain words, and what was there before counts.
    room = volume / "full"
    with room.open("wb") as file:
        try:
            while file.write(b"\0" * 2**16):
                file.flush()
        except OSError:
            pass
    said = student.python(_HAND_IN, "")
    assert said.startswith("refused: There is no room left"), said
    room.unlink()
    teach(volume, f"collect('{STEP}', update=True)")
    assert taken(volume, ada) == "Both at once"
    assert taken(volume, other) == f"Written by {other}"
    # Then it goes on.
    assert re.fullmatch(r"[0-9a-f]{64}\n", student.python(_HAND_IN, "After the disk was full"))
    teach(
        volume,
        f"collect('{STEP}', update=True)",
        *(f"autograde('{STEP}', {name!r})" for name in NAMES),
        f"generate_feedback('{STEP}')",
        f"release_feedback('{STEP}')",
    )
    assert taken(volume, ada) == "After the disk was full"
    pages = [PodHere.of(volume, PODS, name).starts(_FETCH) for name in NAMES]
    for name, text, process in zip(
        NAMES, ("After the disk was full", f"Written by {other}"), pages, strict=True
    ):
        out, err = process.communicate(timeout=120)
        assert text in out, name + err
        assert ("hopper" in out) == (name == other)


def lay_links(volume: Path, name: str, other: str) -> None:
    """In a folder of one's own, lead those who see more to another's, with a later date."""
    theirs = inbound(volume, other)[0].name
    PodHere.of(volume, PODS, name).python(
        "import os\n"
        f"os.chdir('{EXCHANGE}/inbound/{name}')\n"
        f"stamp = '{name}+{STEP}+2027-06-01 10:00:00 UTC+'\n"
        f"os.symlink('../{other}/{theirs}', stamp + 'a')\n"
        "os.mkdir(stamp + 'b')\n"
        "for one in ('answers.json', 'submission_secret.txt', 'timestamp.txt'):\n"
        f"    os.symlink('../../{other}/{theirs}/' + one, stamp + 'b/' + one)\n"
    )


def taken(volume: Path, name: str) -> str:
    """What of a student's answers lies in the room."""
    path = volume / "course" / "assignments" / "submitted" / name / STEP / "answers.json"
    return str(json.loads(path.read_text())["fields"]["live-project"]["value"])


@needs_root
def test_what_is_in_a_folders_way_is_said_in_one_line(volume: Path) -> None:
    (volume / "students" / "mallory").symlink_to("ada")
    with pytest.raises(AssertionError, match=r"\n.*/students/mallory is no folder. Move it away."):
        PodHere.of(volume, PODS, "mallory").begin()


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../ada", "ada/..", "ada/b", "/ada", "Ada", "a b", "a\n", "-a", ".a", "ä",
     "a{username}", "x" * 64, "a,b", "a\0"],
)  # fmt: skip
def test_no_name_leads_to_anothers_folder(name: str) -> None:
    with pytest.raises(PodError, match="can't be used here"):
        pod(PODS, name, image="image")


@pytest.mark.parametrize("name", ["ada", "ada-", "a..b", "g.hopper@example.edu", "0", "x" * 63])
def test_a_name_is_its_folder(name: str) -> None:
    assert re.fullmatch(STUDENT_ID, name), "nbgrader takes it, too"
    mounts = pod(PODS, name, image="image")["volume_mounts"]
    own = [one for one in mounts if one.get("subPath", "").endswith(f"/{name}")]
    assert [one.get("readOnly", False) for one in own] == [False, False, True]
    assert all(one["mountPath"] == f"{BASE}/{one['subPath']}" for one in own)
    assert NAME.fullmatch(name)


def test_who_teaches_has_no_servers_beside_the_two() -> None:
    assert pod(PODS, "prof", image="image")["environment"]["PCN_LAB"]
    assert "PCN_LAB" not in pod(PODS, "prof", LIGHT, image="image")["environment"]
    for name, server in (("prof", "other"), ("tutor", LIGHT), ("ada", LIGHT), ("ada", "x")):
        with pytest.raises(PodError, match="one server for each"):
            pod(PODS, name, server, image="image")


def test_settings_that_cannot_be_meant_are_refused() -> None:
    assert read_pods({"graders": ["tutor"]}).role("tutor") == "grader"
    with pytest.raises(PodError, match="no setting teachers"):
        read_pods({"teachers": ["prof"]})
    with pytest.raises(PodError, match="Prof"):
        read_pods({"instructors": ["Prof"]})


def test_the_hubs_part_needs_nothing_of_the_course(tmp_path: Path) -> None:
    """The hub's image is the chart's: of pcn_course it has the two files that helm fills in."""
    values = yaml.safe_load((CHECKOUT / "deploy" / "kubernetes" / "values.yaml").read_text())
    folder = "/usr/local/etc/jupyterhub/"
    readme = (CHECKOUT / "deploy" / "kubernetes" / "README.md").read_text()
    for key, file in values["hub"]["extraFiles"].items():
        name = file["mountPath"].removeprefix(folder)
        assert f"--set-file hub.extraFiles.{key}.stringData={name}" in readme
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(CHECKOUT / name, tmp_path / name)
    program = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from pcn_course.hub.kubernetes.pods import Pods, pod\n"
        "print(pod(Pods(), 'ada', image='image')['working_dir'])"
    )
    command = [sys.executable, "-I", "-S", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == f"{BASE}/students/ada\n", done.stderr
