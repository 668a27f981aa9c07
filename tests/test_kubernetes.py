"""What stands in deploy/kubernetes: its form, and that it agrees with itself and the package.

No cluster is asked, and nothing fetched; the README there says what was tried by hand.
"""

from __future__ import annotations

import copy
import json
import os
import re
import runpy
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from sqlalchemy import create_engine, inspect
from sqlalchemy import text as sql
from sqlalchemy.exc import OperationalError, ProgrammingError
from traitlets.config import Config

from pcn_course.admin.restore import restore
from pcn_course.course import load_course
from pcn_course.grading.gradebook.marks import Marking
from pcn_course.grading.gradebook.room import open_room
from pcn_course.hub.config import LOGINS
from pcn_course.hub.kubernetes import pods as pods_file
from pcn_course.hub.kubernetes.pods import BASE, Pods, pod, read_pods
from pcn_course.hub.kubernetes.volume import back_up, lay_out
from pcn_course.hub.settings import Settings
from tests.support.postgresql import Server, postgresql

ROOT = Path(__file__).parents[1]
HERE = ROOT / "deploy" / "kubernetes"
# What the chart knows, of what we use; a word that it doesn't know makes `helm` refuse all.
KNOWN = {
    "": {"custom", "hub", "proxy", "singleuser", "cull", "scheduling"},
    "hub": {
        "extraFiles", "extraConfig", "config", "loadRoles", "services", "authenticatePrometheus",
        "consecutiveFailureLimit",
        "allowNamedServers", "namedServerLimitPerUser", "concurrentSpawnLimit", "db", "extraEnv",
        "resources",
    },
    "hub.db": {"type", "url", "upgrade", "password", "pvc"},
    "proxy": {"service", "https", "chp"},
    "proxy.https": {"enabled", "type", "hosts", "letsencrypt"},
    "proxy.chp": {"resources"},
    "singleuser": {
        "image", "storage", "memory", "cpu", "cmd", "defaultUrl", "startTimeout",
        "allowPrivilegeEscalation", "cloudMetadata", "networkPolicy",
    },
    "singleuser.networkPolicy": {"enabled", "ingress", "egress", "egressAllowRules"},
    "singleuser.cloudMetadata": {"blockWithIptables", "ip"},
    "cull": {"enabled", "timeout", "every", "users"},
    "scheduling": {"podPriority", "userPlaceholder"},
}  # fmt: skip


@pytest.fixture(scope="module")
def values() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((HERE / "values.yaml").read_text())
    return loaded


@pytest.fixture(scope="module")
def manifests() -> list[dict[str, Any]]:
    files = [path for path in sorted(HERE.glob("*.yaml")) if path.name != "values.yaml"]
    return [one for path in files for one in yaml.safe_load_all(path.read_text())]


def at(values: dict[str, Any], path: str) -> Any:
    for part in filter(None, path.split(".")):
        values = values[part]
    return values


def templates(manifests: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The pods of all jobs and sets."""
    for one in manifests:
        spec = one.get("spec", {})
        spec = spec.get("jobTemplate", {}).get("spec", spec)
        if "template" in spec:
            yield spec["template"]


@pytest.mark.parametrize("path", KNOWN)
def test_the_chart_knows_every_word(values: dict[str, Any], path: str) -> None:
    assert set(at(values, path)) <= KNOWN[path]


def test_the_hub_loads_our_file_and_starts_our_pods(
    values: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lines of extraConfig are run as the chart's configuration runs them."""
    values = copy.deepcopy(values)
    values["custom"]["pcn"]["instructors"] = ["prof"]
    c = Config()
    for text in values["hub"]["extraConfig"].values():
        exec(text, {"c": c, "get_config": lambda path: at(values, path)})  # noqa: S102
    spawner = SimpleNamespace(
        user=SimpleNamespace(name="ada"), name="", image="here/pcn-course:1",
        environment={"A": "1"}, extra_labels={"hub.jupyter.org/network-access-hub": "true"},
    )  # fmt: skip
    c.KubeSpawner.pre_spawn_hook(spawner)
    assert spawner.working_dir == f"{BASE}/students/ada"
    assert spawner.environment.items() >= {"A": "1", "PCN_EXCHANGE": f"{BASE}/exchange"}.items()
    assert spawner.extra_labels == {
        "hub.jupyter.org/network-access-hub": "true", "pcn-role": "student",
    }  # fmt: skip
    assert spawner.init_containers[0]["image"] == "here/pcn-course:1"
    assert re.fullmatch(c.Authenticator.username_pattern, "g.hopper@example.edu")
    assert not re.fullmatch(c.Authenticator.username_pattern, "Ada")


def test_students_pods_have_neither_gradebook_nor_room_nor_rights(values: dict[str, Any]) -> None:
    pods = read_pods({**values["custom"]["pcn"], "instructors": ["prof"], "graders": ["tutor"]})
    for name, teaches in (("ada", False), ("tutor", True), ("prof", True)):
        made = pod(pods, name, image="image")
        assert ("PCN_GRADEBOOK" in made["environment"]) == teaches
        assert any(one["mountPath"] == f"{BASE}/course" for one in made["volume_mounts"]) == teaches
        assert made["pod_security_context"]["runAsNonRoot"]
        assert not made["automount_service_account_token"]
        whole = [
            one for one in made["volume_mounts"] if one["name"] == "pcn" and not one["subPath"]
        ]
        assert not whole


def test_values_and_one_servers_settings_say_the_same(values: dict[str, Any]) -> None:
    one, many = Settings(), values["custom"]["pcn"]
    # What ends a server stands in the settings alone; a pod's server has them, too.
    assert not {"idle_minutes", "forgotten_hours"} & set(many)
    assert not set(one.environment) & set(pod(read_pods(many), "ada", image="")["environment"])
    given = pod(Pods(idle_minutes=20, forgotten_hours=4), "ada", image="")["environment"]
    assert given.items() >= {"PCN_IDLE": "1200", "PCN_FORGOTTEN": "14400"}.items()
    assert values["cull"]["timeout"] > 3600 * one.forgotten_hours, "it ends no page in use"
    assert many["course"] == load_course(ROOT).id
    login = values["hub"]["config"]["JupyterHub"]["authenticator_class"]
    assert login == LOGINS["oauth"], "the passwords of a pilot are for one server"
    assert values["hub"]["config"]["Authenticator"]["allow_all"] is False, "as there, with oauth"
    config = (ROOT / "pcn_course" / "hub" / "config.py").read_text()
    roles = values["hub"]["loadRoles"]
    for scope in (
        scope for role in ("server", "user", "technologist") for scope in roles[role]["scopes"]
    ):
        assert f'"{scope}"' in config, scope
    assert values["hub"]["config"]["JupyterHub"]["admin_access"] is False
    pods = Pods()
    assert values["singleuser"]["memory"] == {
        "guarantee": pods.student_memory[0], "limit": pods.student_memory[1]
    }  # fmt: skip
    assert (values["singleuser"]["cpu"]["guarantee"], values["singleuser"]["cpu"]["limit"]) == (
        pods.student_cpu
    )
    assert values["singleuser"]["cmd"] == pod(pods, "ada", image="")["cmd"]


def test_manifests_agree_with_values(
    values: dict[str, Any], manifests: list[dict[str, Any]]
) -> None:
    image = values["singleuser"]["image"]
    claims = {one["metadata"]["name"] for one in manifests if one["kind"].endswith("VolumeClaim")}
    assert values["custom"]["pcn"]["claim"] in claims
    pods = list(templates(manifests))
    assert len(pods) == 3
    for one in pods:
        spec = one["spec"]
        assert spec["securityContext"]["runAsNonRoot"]
        assert spec["automountServiceAccountToken"] is False
        named = {volume["name"] for volume in spec["volumes"]}
        for container in spec["containers"]:
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
            assert {"requests", "limits"} <= set(container["resources"])
            used = {mount["name"] for mount in container["volumeMounts"]}
            assert used <= named | {"data"}
            assert container["image"] in (f"{image['name']}:{image['tag']}", "postgres:15-bookworm")
        for volume in spec["volumes"]:
            if claim := volume.get("persistentVolumeClaim"):
                assert claim["claimName"] in claims
    [database] = [one for one in manifests if one["kind"] == "Service"]
    assert f"@{database['metadata']['name']}:5432/hub" in values["hub"]["db"]["url"]
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert image["tag"] == version


def test_only_those_who_teach_reach_the_gradebook(
    values: dict[str, Any], manifests: list[dict[str, Any]]
) -> None:
    policies = {
        one["metadata"]["name"]: one["spec"] for one in manifests if "Policy" in one["kind"]
    }
    [rule] = policies["pcn-postgresql"]["ingress"]
    allowed = [one["podSelector"]["matchLabels"] for one in rule["from"]]
    assert {"pcn-role": "teacher"} in allowed
    labels = {name: pod(Pods(graders=("tutor",)), name, image="")["extra_labels"] for name in
              ("ada", "tutor")}  # fmt: skip
    assert labels["tutor"] in allowed
    assert labels["ada"] not in allowed
    rules = values["singleuser"]["networkPolicy"]
    assert rules["enabled"]
    assert not any(rules["egressAllowRules"].values())
    assert rules["egress"] == rules["ingress"] == []


def test_the_backup_runs_nothing_that_those_who_teach_can_write(
    tmp_path: Path, manifests: list[dict[str, Any]]
) -> None:
    [job] = [one for one in manifests if one["kind"] == "CronJob"]
    script = next(templates([job]))["spec"]["containers"][0]["command"][-1]
    assert subprocess.run(["sh", "-n"], input=script, text=True, check=False).returncode == 0
    [line] = [
        one.partition("||")[0]
        for one in script.replace("\\\n", " ").splitlines()
        if "kubernetes.volume backup" in one
    ]
    file = tmp_path / "now.tar.gz"
    words = shlex.split(re.sub(r"/backup/pcn-\$\([^)]*\)\.tar\.gz", str(file), line))
    base = tmp_path / "volume"
    base.mkdir()
    lay_out(base, "pcn")
    mark = tmp_path / "I ran"
    with (base / "course/assignments/nbgrader_config.py").open("a") as config:
        config.write(f"\nopen({str(mark)!r}, 'w').close()\n")
    for name in ("students", "exchange"):
        (base / name).mkdir(exist_ok=True)
    assert words[0] == "python"
    done = subprocess.run(
        [sys.executable, *words[1:]], env={**os.environ, "PCN_BASE": str(base)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Written and verified" in done.stdout
    assert file.stat().st_size > 1000
    assert not mark.exists()


@pytest.fixture(scope="module")
def cluster(manifests: list[dict[str, Any]]) -> Iterator[Server]:
    """PostgreSQL after its first start, with a hub's database and the gradebook's own user."""
    [first] = [one["data"] for one in manifests if one["kind"] == "ConfigMap"]
    with postgresql() as server:
        server.database("hub")
        script = first["gradebook.sh"].replace("psql ", f"psql --host {server.folder} ", 1)
        subprocess.run(
            ["sh", "-euc", script], check=True, capture_output=True,
            env={
                **os.environ, "GRADEBOOK_PASSWORD": "it's long",
                "PATH": f"{server.programs}:{os.environ['PATH']}",
            },
        )  # fmt: skip
        yield server


def as_gradebook(cluster: Server, database: str = "gradebook") -> str:
    return f"postgresql+psycopg://gradebook@/{database}?host={cluster.folder}"


def test_the_gradebooks_password_opens_nothing_of_the_hubs(cluster: Server) -> None:
    for database in ("hub", "postgres"):
        with pytest.raises(OperationalError, match="permission denied for database"):
            create_engine(as_gradebook(cluster, database)).connect()
    for command in (
        "COPY pg_class TO PROGRAM 'cat'",
        "CREATE ROLE another",
        "ALTER ROLE pcn PASSWORD 'mine'",
        "SELECT rolpassword FROM pg_authid",
    ):
        with (
            create_engine(as_gradebook(cluster)).connect() as connection,
            pytest.raises(ProgrammingError, match=r"permission denied|must be|superuser"),
        ):
            connection.execute(sql(command))


def test_the_gradebooks_own_user_keeps_marks_backs_them_up_and_takes_them_back(
    cluster: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base, file = tmp_path / "volume", tmp_path / "night.tar"
    base.mkdir()
    lay_out(base, "pcn")
    (base / "students" / "ada").mkdir()
    monkeypatch.setenv("PCN_GRADEBOOK", as_gradebook(cluster))
    room = open_room(base / "course" / "assignments")
    with room.gradebook() as gradebook:
        gradebook.add_student("ada", last_name="Doe")
    Marking(room, "tutor")  # which makes our tables beside nbgrader's
    room.close()
    assert back_up(base, file).files
    # The README's commands, as PostgreSQL's own user.
    text = (HERE / "README.md").read_text()
    for command in re.findall(r"--command '([^']+)'", text):
        cluster.run(
            "psql", "--host", str(cluster.folder), "--username", "pcn", "--dbname", "hub",
            "--set", "ON_ERROR_STOP=1", "--command", command,
        )  # fmt: skip
    with create_engine(as_gradebook(cluster)).connect() as connection:
        assert not inspect(connection).get_table_names()
    new = tmp_path / "new"
    restore(
        file, new, workspaces=new / "students", exchange=new / "exchange",
        database=as_gradebook(cluster),
    )  # fmt: skip
    again = open_room(new / "course" / "assignments")
    assert [one.name for one in again.students()] == ["Doe"]
    with again.gradebook() as gradebook:
        gradebook.add_student("ben")
    again.close()


def test_the_thirty_newest_backups_stay(tmp_path: Path, manifests: list[dict[str, Any]]) -> None:
    [job] = [one for one in manifests if one["kind"] == "CronJob"]
    script = next(templates([job]))["spec"]["containers"][0]["command"][-1]
    [line] = [one for one in script.splitlines() if "xargs" in one]
    for number in range(33):
        (tmp_path / f"pcn-202701{number + 10:02}T031500Z.tar.gz").touch()
    (tmp_path / "other").touch()
    subprocess.run(["sh", "-euc", line.replace("/backup", str(tmp_path))], check=True)
    left = sorted(one.name for one in tmp_path.iterdir())
    assert len(left) == 31
    assert left[:2] == ["other", "pcn-20270113T031500Z.tar.gz"]


def test_the_image_gets_what_it_needs_and_nobodys_work() -> None:
    tried = runpy.run_path(str(ROOT / "scripts" / "try_image.py"))
    ignored = (ROOT / ".dockerignore").read_text()
    sent = tried["is_sent"]
    taken = {
        "constraints.txt", "pyproject.toml", "README.md", "LICENSE",
        "pcn_course/hub/kubernetes/pods.py",
        "pcn_course/widgets/form.js", "data/course.toml", "notebooks/home.ipynb",
        "notebooks/step-1-goals/step-1-goals.ipynb",
    }  # fmt: skip
    left = {
        ".git/config", ".venv/bin/python", "workspace/step-1-goals/answers.json",
        "assignments/gradebook.db", "tests/conftest.py", ".env", "deploy/kubernetes/values.yaml",
        "notebooks/step-1-goals/answers.json", "notebooks/step-1-goals/.pcn/history/goals.jsonl",
        "pcn_course/__pycache__/cli.cpython-311.pyc", "notebooks/.ipynb_checkpoints/x.ipynb",
    }  # fmt: skip
    assert {path for path in taken | left if sent(path, ignored)} == taken
    steps = list(tried["steps"]((HERE / "Dockerfile").read_text()))
    copied = {one for name, rest in steps if name == "COPY" for one in rest.split()[:-1]}
    for name in copied:
        assert (ROOT / name).exists(), name
        assert sent(name, ignored) or (ROOT / name).is_dir()
    built = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert {built["project"]["readme"], *built["project"]["license-files"]} <= copied
    assert set(built["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"]) <= copied


def test_the_image_runs_our_command_as_nobody_special(values: dict[str, Any]) -> None:
    steps = list(runpy.run_path(str(ROOT / "scripts" / "try_image.py"))["steps"](
        (HERE / "Dockerfile").read_text()
    ))  # fmt: skip
    said = dict(steps)
    uid = Pods().uid
    assert said["USER"] == f"{uid}:{uid}"
    assert any(f"useradd --uid {uid} " in rest for name, rest in steps if name == "RUN")
    assert json.loads(said["CMD"]) == values["singleuser"]["cmd"]
    # KubeSpawner gives the command as arguments: an entry point would take them for its own.
    assert "ENTRYPOINT" not in said
    assert "--compile" in said["RUN"]
    assert "constraints.txt" in said["RUN"]


def test_the_readme_names_what_is_here(values: dict[str, Any]) -> None:
    text = (HERE / "README.md").read_text()
    assert text.count("\n") < 140
    for path in HERE.iterdir():
        if path.is_file() and path.name != "README.md":
            assert path.name in text, path.name
    [version] = re.findall(r"--version (\S+)", text)
    assert f"version {version}" in (HERE / "values.yaml").read_text().splitlines()[0]
    for name in re.findall(r"`(tests/[\w./]+)`", text):
        assert (ROOT / name).exists(), name
    for name in ("pcn-postgresql", "pcn-gradebook"):
        assert f"secret generic {name} " in text


def test_each_secret_that_a_pod_wants_is_made(
    values: dict[str, Any], manifests: list[dict[str, Any]]
) -> None:
    """And the gradebook's password is another than the hub's."""
    text = (HERE / "README.md").read_text().replace("\\\n", " ")
    made = {
        (name, key): given
        for name, rest in re.findall(r"create secret generic (\S+) (.*)", text)
        for key, given in re.findall(r"--from-literal=(\w+)=(\S+)", rest)
    }

    def wanted(part: Any) -> Iterator[tuple[str, str]]:
        if isinstance(part, dict):
            if "secretKeyRef" in part:
                yield part["secretKeyRef"]["name"], part["secretKeyRef"]["key"]
            part = list(part.values())
        for one in part if isinstance(part, list) else ():
            yield from wanted(one)

    teacher = pod(read_pods({**values["custom"]["pcn"], "graders": ["tutor"]}), "tutor", image="")
    assert {*wanted(values), *wanted(manifests), *wanted(teacher)} == set(made)
    password = made["pcn-gradebook", "password"]
    assert f"//gradebook:{password}@" in made["pcn-gradebook", "url"]
    assert made["pcn-postgresql", "password"] not in (password, made["pcn-gradebook", "url"])


def test_the_page_of_sizes_holds_what_its_script_prints() -> None:
    from scripts import scaling

    page = (ROOT / "docs" / "scaling.md").read_text()
    assert scaling.table() in page
    assert scaling.machines() in page
    measured, assumed = scaling.Measured(), scaling.Assumed()
    for name in ("server_mib", "pod_mib", "server_start", "pod_start", "hub_login", "proxy_login",
                 "server_typing", "proxy_typing", "workspace_mb", "room_mb", "backup_mb", "rows",
                 "autograde", "visit_kb", "typing_kb"):  # fmt: skip
        assert re.search(rf"(?<![\d.]){re.escape(str(getattr(measured, name)))}\b", page), name
    made = pod(Pods(), "ada", image="")
    assert made["environment"]["PCN_TELL_EVERY"] == f"{assumed.tell_seconds:g}"
    assert made["mem_guarantee"] == f"{assumed.request_mib}M", "which the hub reads as MiB"
    assert measured.pod_mib < assumed.request_mib
    # By hand, for 1,000: a fifth is there, and each pod keeps 256 MiB free.
    thousand = scaling.size(1_000, measured, assumed)
    assert (thousand.active, thousand.pods_gib, thousand.nodes) == (200, 50, 4)
    assert thousand.rows == 1_000 * 5 * (12 + 8)
    assert thousand.gib_hours == 15 * 7 * 24 * 6 + 1_000 * 24 * 0.25 / 0.75
    # More students never need less.
    sizes = [scaling.size(one, measured, assumed) for one in scaling.SIZES]
    for name in ("active", "one_gib", "nodes", "hubs", "volume_gb", "gib_hours"):
        row = [getattr(one, name) for one in sizes]
        assert row == sorted(row), name


def test_kubespawner_makes_pods_of_it(
    values: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only where jupyterhub-kubespawner is installed, which the course itself never needs."""
    # When it is loaded it looks where a cluster is; it asks none.
    place = tmp_path / "config"
    cluster = {"name": "none", "cluster": {"server": "http://127.0.0.1:9"}}
    context = {"name": "none", "context": {"cluster": "none", "user": "none"}}
    described = {
        "apiVersion": "v1", "kind": "Config", "current-context": "none", "clusters": [cluster],
        "contexts": [context], "users": [{"name": "none", "user": {}}],
    }  # fmt: skip
    place.write_text(yaml.safe_dump(described))
    monkeypatch.setenv("KUBECONFIG", str(place))
    spawning = pytest.importorskip("kubespawner")
    clients = pytest.importorskip("kubernetes_asyncio.client")
    import asyncio

    from jupyterhub import orm
    from jupyterhub.objects import Hub, Server

    c = Config()
    c.KubeSpawner.image = "pcn-course:1"
    c.KubeSpawner.extra_labels = {"hub.jupyter.org/network-access-hub": "true"}
    pods_file.configure(c, {**values["custom"]["pcn"], "graders": ["tutor"]})

    async def made(name: str) -> dict[str, Any]:
        user = SimpleNamespace(name=name, id=1, url=f"/user/{name}/", server=None, settings={})
        spawner = spawning.KubeSpawner(
            config=c, _mock=True, user=user, hub=Hub(), orm_spawner=orm.Spawner(name=""),
            api_token="x", oauth_client_id="x",  # noqa: S106
        )  # fmt: skip
        spawner.server = Server(base_url=user.url, port=8888)
        spawner.pre_spawn_hook(spawner)
        pod = clients.ApiClient().sanitize_for_serialization(await spawner.get_pod_manifest())
        return dict(pod)

    async def both() -> list[dict[str, Any]]:
        return [await made(name) for name in ("ada-", "g.hopper@example.edu", "tutor")]

    ada, hopper, tutor = asyncio.run(both())
    for name, one in (("ada-", ada), ("g.hopper@example.edu", hopper)):
        [container] = one["spec"]["containers"]
        assert container["volumeMounts"][0]["subPath"] == f"students/{name}"
        assert container["args"] == values["singleuser"]["cmd"]
        environment = {entry["name"]: entry.get("value") for entry in container["env"]}
        assert environment["JUPYTERHUB_SERVICE_URL"].startswith("http://0.0.0.0:8888/")
        assert "PCN_GRADEBOOK" not in environment
        assert one["metadata"]["labels"].items() >= {
            "pcn-role": "student", "hub.jupyter.org/network-access-hub": "true"
        }.items()  # fmt: skip
        assert one["spec"]["securityContext"]["fsGroup"] == Pods().uid
    secret = {entry["name"]: entry for entry in tutor["spec"]["containers"][0]["env"]}
    assert secret["PCN_GRADEBOOK"]["valueFrom"]["secretKeyRef"]["name"] == "pcn-gradebook"
    assert ada["metadata"]["name"] != hopper["metadata"]["name"]
