"""The hub's configuration: everything that ``deploy/server/jupyterhub_config.py`` sets."""

from __future__ import annotations

import logging
import os
import secrets
import sys
from pathlib import Path

from traitlets.config import Config

from pcn_course.course import CourseError
from pcn_course.exchange import STUDENT_ID
from pcn_course.files import write_whole
from pcn_course.hub.accounts import AccountError
from pcn_course.hub.confine import refused, without_quotas
from pcn_course.hub.health import HealthHandler
from pcn_course.hub.json_logs import hub_logging
from pcn_course.hub.layout import lay_out
from pcn_course.hub.metrics import MeasuredSpawner, count_class
from pcn_course.hub.settings import Settings, SettingsError, read_settings
from pcn_course.hub.spawner import CourseSpawner

LOGINS = {
    "pilot": "pcn_course.hub.pilot.PilotLogin",
    "lti": "pcn_course.hub.logins.LmsLogin",
    "oauth": "oauthenticator.generic.GenericOAuthenticator",
}


def configure(c: Config, settings_file: Path) -> Settings:
    """Set the hub up for a class. Whatever the configuration file sets after this call wins.

    Raises:
        SettingsError: the settings can't be used.
        AccountError: the folders of the class can't be made.
    """
    settings = read_settings(settings_file)
    CourseSpawner.course = lay_out(settings)
    CourseSpawner.settings = settings
    state = settings.state

    c.JupyterHub.spawner_class = MeasuredSpawner
    # What it is to be watched by: numbers for Prometheus, yes or no for a watchman, and logs.
    count_class(settings)
    if settings.logs == "json":
        c.JupyterHub.logging_config = hub_logging()
        logging.captureWarnings(capture=True)
    c.JupyterHub.extra_handlers = [(r"/pcn/health", HealthHandler, {"pcn": settings})]
    c.JupyterHub.db_url = f"sqlite:///{settings.database}"
    # After an upgrade of the package; the hub keeps a copy of its database beside it. For this it
    # starts `alembic` by its name, which lies beside Python and nowhere else.
    c.JupyterHub.upgrade_db = True
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    c.JupyterHub.cookie_secret_file = str(state / "cookie-secret")
    c.JupyterHub.bind_url = f"http://127.0.0.1:{settings.port}"
    if settings.address:
        c.JupyterHub.public_url = f"{settings.address}/"
    c.JupyterHub.subdomain_host = settings.subdomain_host
    c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{settings.hub_port}"
    # The proxy is a process of its own, and neither it nor the servers end with the hub: a restart
    # of the hub is noticed by nobody who writes.
    c.ConfigurableHTTPProxy.should_start = False
    c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{settings.proxy_api}"
    c.ConfigurableHTTPProxy.auth_token = proxy_token(settings)
    c.JupyterHub.cleanup_servers = False
    c.JupyterHub.cleanup_proxy = False
    # A proxy that was started anew knows no way to anybody; so soon does the hub tell it again.
    c.JupyterHub.last_activity_interval = 5

    c.JupyterHub.authenticator_class = LOGINS[settings.login]
    c.Authenticator.username_pattern = rf"^{STUDENT_ID}$"
    # With "oauth", who else may come is said beside what the provider gives; others are let in by a
    # technologist, or by the LMS.
    c.Authenticator.allowed_users = set(settings.technologists)
    c.Authenticator.allow_all = settings.login != "oauth"
    c.PilotLogin.database = str(settings.database)
    # Nobody is the hub's administrator: that role may enter every student's server. A technologist
    # sees who is there, and starts and ends servers.
    c.JupyterHub.services = [{"name": "metrics", "api_token": metrics_token(state)}]
    c.JupyterHub.load_roles = [
        {
            "name": "metrics",
            "description": "Read the numbers at /hub/metrics",
            "scopes": ["read:metrics"],
            "services": ["metrics"],
        },
        {
            # What somebody's server may do at the hub: tell of use, and end itself.
            "name": "server",
            "scopes": ["users:activity!user", "access:servers!server", "delete:servers!server"],
        },
        {
            # What everyone may do: see and start their own server. JupyterHub's own role also makes
            # tokens: one of an instructor's opens a terminal, and any page could ask for it.
            "name": "user",
            "scopes": ["read:users!user", "servers!user", "access:servers!user"],
        },
        {
            "name": "technologist",
            "description": "Look after the hub, without entering anybody's server",
            "scopes": [
                "admin-ui",
                "list:users",
                "read:users",
                "admin:users",
                "servers",
                "read:hub",
                "read:metrics",
            ],
            "users": list(settings.technologists),
        },
    ]
    # An instructor has a second server with the light pages for marking;
    # the spawner refuses all others.
    c.JupyterHub.allow_named_servers = True
    c.JupyterHub.named_server_limit_per_user = 1

    c.Spawner.env_keep = ["PATH", "LANG", "LC_ALL"]
    c.Spawner.start_timeout = 120
    c.Spawner.http_timeout = 60
    # So soon is a server that died known to be gone, and can be opened again.
    c.Spawner.poll_interval = 2
    # Nobody is sent away because many come at once: the spawner lets them wait for their turn.
    c.JupyterHub.concurrent_spawn_limit = 0
    c.JupyterHub.template_vars = {"announcement": ""}
    c.JupyterHub.tornado_settings = {"headers": {"Referrer-Policy": "same-origin"}}
    if settings.address.startswith("https:"):
        # For all of them, also the hub's XSRF cookie, which otherwise is never marked.
        c.JupyterHub.tornado_settings["cookie_options"] = {"secure": True}
    return settings


def main() -> None:
    """``python -m pcn_course.hub.config hub.toml``: check the settings and make all folders."""
    try:
        settings = read_settings(Path(sys.argv[1]))
        course = lay_out(settings)
    except IndexError:
        sys.exit("Name the settings: python -m pcn_course.hub.config /etc/pcn/hub.toml")
    except SettingsError as error:
        sys.exit(error.plain)
    except (AccountError, CourseError, OSError) as error:
        sys.exit(str(error))
    proxy_token(settings)
    metrics_token(settings.state)
    sys.stdout.write(f"{course.title} is ready in {settings.base}.\n")
    for why in filter(None, (refused(), without_quotas(settings.base))):
        sys.stdout.write(f"{why}\n")
    if not settings.address.startswith("https:"):
        sys.stdout.write(
            f"{sys.argv[1]} has no public_url with https: cookies are marked Secure only if the "
            "proxy passes on that the web server speaks https.\n"
        )


def proxy_token(settings: Settings) -> str:
    """The word by which the hub and its proxy know each other, made once.

    It stands in ``proxy.env``, as systemd and a shell read it, with the proxy's options that follow
    from the settings.
    """
    path = settings.state / "proxy.env"
    try:
        before = path.read_text(encoding="ascii")
    except FileNotFoundError:
        before = ""
    token = before.partition("\n")[0].partition("=")[2] or secrets.token_hex(32)
    options = "--host-routing" if settings.subdomain_host else ""
    lines = f"CONFIGPROXY_AUTH_TOKEN={token}\nPCN_PROXY_OPTIONS={options}\n"
    if lines != before:
        write_whole(path, lines.encode(), mode=0o600)
    return token


def metrics_token(state: Path) -> str:
    """The word by which Prometheus may read the hub's numbers, made once; it opens nothing else."""
    path = state / "metrics-token"
    try:
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        token = secrets.token_hex(32)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(token)
        return token


if __name__ == "__main__":
    main()
