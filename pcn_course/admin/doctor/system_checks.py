"""Is the machine fit for it: packages, our own files, disks, locks, clock, Jupyter's settings."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import os
import platform
import shutil
import tempfile
import time
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

import pcn_course
from pcn_course import system
from pcn_course.admin.doctor.findings import Finding, fault, good, some, warning
from pcn_course.assets import WIDGETS, whole
from pcn_course.grading.nbgrader.gradebook import put_on_path

PACKAGE = "pcn-course"
TEMPLATE = ("conf.json", "index.html.j2", "static/page.js", "static/page.css", "static/look.css")
LITTLE, VERY_LITTLE = 2_000_000_000, 200_000_000
"""Bytes that should be free on a disk where students write."""
FEW_INODES = 10_000
SHARED = ("nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "afs", "ceph", "glusterfs", "lustre")
"""File systems that several machines share."""
_HERE = Path(pcn_course.__file__).parent


def versions(constraints: Path | None = None) -> Iterator[Finding]:
    """Python and packages, against what the package needs and the versions that were tested."""
    needs = SpecifierSet(metadata.metadata(PACKAGE)["Requires-Python"])
    here = platform.python_version()
    if here in needs:
        yield good("Python", f"This is Python {here}.")
    else:
        yield fault(
            "Python", f"This is Python {here}, and the course needs {needs}.",
            "Make the environment anew with a Python that fits.",
        )  # fmt: skip
    tested = _tested(constraints or _HERE.parent / "constraints.txt")
    wrong, other = list(_unfit()), []
    for name, version in tested.items():
        installed = _installed(name)
        if installed not in (None, version):  # None: only for development, or another system
            other.append(f"{name} {installed} (tested: {version})")
    remedy = "Install anew: pip install --constraint constraints.txt pcn-course."
    if wrong:
        yield fault("packages", f"These don't fit: {some(wrong)}.", remedy)
    elif other:
        yield warning("packages", f"Other versions than were tested: {some(other)}.", remedy)
    else:
        count = f" {len(tested)} are named in constraints.txt." if tested else ""
        yield good("packages", f"All packages that the course needs are here.{count}")
    put_on_path()
    if not shutil.which("alembic"):
        yield fault(
            "alembic", "nbgrader runs alembic by its name, and it is neither here nor on the PATH.",
            "Install anew: pip install --force-reinstall alembic. No gradebook comes without it.",
        )  # fmt: skip


def _unfit() -> Iterator[str]:
    """Packages that the course needs and that are missing or of a wrong version."""
    for line in metadata.requires(PACKAGE) or ():
        requirement = Requirement(line)
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        installed = _installed(requirement.name)
        if installed is None:
            yield f"{requirement.name} is missing"
        elif not requirement.specifier.contains(installed, prereleases=True):
            yield f"{requirement.name} {installed} (needs {requirement.specifier})"


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def files() -> Iterator[Finding]:
    """The page's template and the widgets' scripts are there, and as they were installed."""
    template = _HERE / "share/jupyter/voila/templates/pcn"
    missing = [name for name in TEMPLATE if not (template / name).is_file()]
    try:
        for name in WIDGETS:
            whole(name)
    except OSError as error:
        missing.append(str(error.filename))
    changed = _changed()
    if missing or changed:
        yield fault(
            "files of the package",
            f"Missing or changed since they were installed: {some([*missing, *changed])}.",
            "Install the package anew; changes of your own belong into a checkout.",
        )
    else:
        yield good("files of the package", "The page's template and the widgets are all there.")


def disk(what: str, folder: Path) -> Iterator[Finding]:
    """Room on the disk, in bytes and in files."""
    about = os.statvfs(folder) if hasattr(os, "statvfs") else None
    free = about.f_bavail * about.f_frsize if about else shutil.disk_usage(folder).free
    says = f"{free / 1e9:.1f} GB are free for {what} ({folder})."
    todo = "Make room, or move it to a larger disk: when it is full nobody can save."
    if free < VERY_LITTLE:
        yield fault("disk", says, todo)
    elif free < LITTLE:
        yield warning("disk", says, todo)
    else:
        yield good("disk", says)
    if about and about.f_files and about.f_favail < FEW_INODES:
        yield fault(
            "disk", f"Only {about.f_favail} more files fit there, whatever their size ({folder}).",
            "Delete what isn't needed, or move it to a file system with more inodes.",
        )  # fmt: skip


def locks(what: str, folder: Path, *, database: bool = False) -> Iterator[Finding]:
    """Whether one process keeps another out: two hold a lock at once where it doesn't work."""
    try:
        with (
            tempfile.TemporaryDirectory(dir=folder, prefix=".pcn-doctor-") as place,
            Path(place, "lock").open("wb") as one,
            Path(place, "lock").open("rb+") as other,
        ):
            works = system.lock(one) and not system.lock(other)
    except OSError as error:
        yield fault(
            "writing", f"Nothing can be written to {folder} for {what} ({error.strerror}).",
            "See who owns it and its permissions, and that its disk is not mounted read-only.",
        )  # fmt: skip
        return
    kind = file_system(folder)
    if not works:
        yield fault(
            "locks", f"File locks don't work for {what} ({folder}, {kind}).",
            "Use a local disk, or mount it with locks (NFS: version 4, without “nolock”).",
        )  # fmt: skip
    elif kind in SHARED and database:
        yield warning(
            "locks", f"The gradebook lies on {kind} ({folder}): SQLite can lose data there.",
            "Keep it on a local disk, or use PostgreSQL (c.CourseDirectory.db_url).",
        )  # fmt: skip
    else:
        yield good("locks", f"File locks work for {what} ({kind or 'unknown file system'}).")


def clock(config: Any = None) -> Iterator[Finding]:
    """The clock, and the zone in which times of the LMS are read."""
    from pcn_course.grading.late.time_zone import zone_of
    from pcn_course.grading.lms import LmsError

    now = dt.datetime.now().astimezone()
    newest = max(path.stat().st_mtime for path in _HERE.glob("*.py"))
    if now.timestamp() < newest - 86400:
        yield fault(
            "clock", f"This machine's clock says {now:%Y-%m-%d %H:%M}, before the package was "
            "installed.", "Set the clock (timedatectl set-ntp true): due dates depend on it.",
        )  # fmt: skip
    try:
        zone = zone_of(config) if config is not None else None
    except LmsError as error:
        yield fault("time zone", error.plain, "Mend the line in nbgrader_config.py.")
        return
    if zone is not None:
        yield good("time zone", f"Times of the LMS are read as {zone.key}.")
    elif now.utcoffset() == dt.timedelta() and now.tzname() in ("UTC", "GMT"):
        yield warning(
            "time zone", "This machine's time is UTC, and times of the LMS would be read so.",
            "Set c.Lms.timezone in nbgrader_config.py if you take in ZIPs from an LMS.",
        )  # fmt: skip
    else:
        yield good("time zone", f"Times of the LMS are read as this machine's ({now.tzname()}).")


def jupyter(address: str | None = None) -> Iterator[Finding]:
    """Jupyter's settings for a server that others reach: origin, base address, protections.

    ``address`` is the one that people type, where a proxy stands in front.
    """
    config = _jupyter_config()
    wrong = []
    for section in ("ServerApp", "NotebookApp", "Voila"):
        traits = config.get(section, {})
        if traits.get("allow_origin") == "*" or traits.get("allow_origin_pat") in (".*", "^.*$"):
            wrong.append(f"{section}.allow_origin lets every web page talk to this server")
        if traits.get("disable_check_xsrf"):
            wrong.append(f"{section}.disable_check_xsrf is on")
        if traits.get("allow_unauthenticated_access") and traits.get("ip") not in (
            None, "", "localhost", "127.0.0.1", "::1",
        ):  # fmt: skip
            wrong.append(f"{section} is open to everybody on the network")
    if wrong:
        yield fault(
            "browser origin", f"{some(wrong)}.",
            "Name the one address that people use (https://hub.example.edu), or remove the line.",
        )  # fmt: skip
    prefix = os.environ.get("JUPYTERHUB_SERVICE_PREFIX")
    base = config.get("ServerApp", {}).get("base_url")
    if prefix and base and str(base).strip("/") != prefix.strip("/"):
        yield fault(
            "base address", f"ServerApp.base_url is {base}, and the hub serves under {prefix}.",
            "Remove the setting: the hub gives the right one to each server.",
        )  # fmt: skip
    if address:
        yield from _address(address, str(base or "/"), config)
    elif not wrong:
        where = "behind a hub" if prefix else "on this machine"
        yield good("browser origin", f"Nothing opens this server to other pages ({where}).")


def _address(address: str, base: str, config: Any) -> Iterator[Finding]:
    from urllib.parse import urlsplit

    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        yield fault("address", f"{address} is no web address.", "Write it as https://host/path/.")
        return
    local = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if parts.scheme == "http" and not local:
        yield fault(
            "address", f"{address} goes over the network unencrypted.",
            "Serve it by https: answers and logins can be read on the way.",
        )  # fmt: skip
    if not local and base.strip("/") != parts.path.strip("/") and not _on_hub():
        yield fault(
            "base address", f"People use the path {parts.path or '/'}, the server {base}.",
            f"Set c.ServerApp.base_url = {parts.path or '/'!r}, and have the proxy keep the path.",
        )  # fmt: skip
    origin = f"{parts.scheme}://{parts.netloc}"
    allowed = str(config.get("ServerApp", {}).get("allow_origin") or "")
    if allowed not in ("", origin):
        yield fault(
            "browser origin", f"ServerApp.allow_origin is {allowed}; people use {origin}.",
            f"Set it to {origin}, or remove it and have the proxy pass the Host header on.",
        )  # fmt: skip
    else:
        yield good("browser origin", f"Pages from {origin} are let in, if its proxy passes on the "
                   "Host header and websockets.")  # fmt: skip


def _on_hub() -> bool:
    return "JUPYTERHUB_SERVICE_PREFIX" in os.environ


def _jupyter_config() -> Any:
    from jupyter_core.paths import jupyter_config_path
    from traitlets.config import Config
    from traitlets.config.loader import JSONFileConfigLoader, PyFileConfigLoader

    merged = Config()
    for folder in reversed(jupyter_config_path()):
        for stem in ("jupyter_config", "jupyter_server_config", "voila"):
            for name, loader in (
                (f"{stem}.py", PyFileConfigLoader),
                (f"{stem}.json", JSONFileConfigLoader),
            ):
                if (Path(folder) / name).is_file():
                    merged.merge(loader(name, path=folder).load_config())
    return merged


def file_system(folder: Path) -> str:
    """The kind of file system in which a folder lies, as Linux tells it; empty elsewhere."""
    try:
        lines = Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    real, best, kind = folder.resolve(), -1, ""
    for line in lines:
        _, place, found, *_ = line.split(" ")
        mounted = Path(place.replace("\\040", " "))
        if real.is_relative_to(mounted) and len(mounted.parts) >= best:
            best, kind = len(mounted.parts), found
    return kind


def held(lock: Path) -> bool:
    """Whether some process holds a lock file at this moment, and half a second later still."""
    for wait in (0.5, 0.0):
        try:
            # Not `open`: in a student's folder the name may be a link.
            with os.fdopen(system.open_file(lock, os.O_RDWR), "rb+") as file:
                if system.lock(file):
                    return False
        except OSError:
            return False
        time.sleep(wait)
    return True


def _tested(path: Path) -> dict[str, str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    pairs = (line.split("==") for line in lines if "==" in line and not line.startswith("#"))
    return {canonicalize_name(name): version.strip() for name, version in pairs}


def _changed() -> list[str]:
    """Files of an installed wheel that are not what was installed; nothing for a checkout."""
    found = []
    for file in metadata.files(PACKAGE) or ():
        if file.hash is None or file.suffix == ".pyc" or "pcn_course" not in file.parts:
            continue
        try:
            content = Path(str(file.locate())).read_bytes()
        except OSError:
            found.append(str(file))
            continue
        digest = hashlib.new(file.hash.mode, content).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != file.hash.value:
            found.append(str(file))
    return found
