"""Logging in with a name and a password that a technologist hands out, for a pilot.

JupyterHub brings no login with passwords of its own. PAM would need a password for each student's
system user, and sshd lets such a user open forwarded ports whatever the shell is. So the names and
bcrypt hashes are in a table beside the hub's own, in the same SQLite file, which is backed up with
them. Nobody can sign up: an account is made by ``pcn_course.hub.logins`` and in no other way.
"""

from __future__ import annotations

import asyncio
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import bcrypt
from jupyterhub.auth import Authenticator
from jupyterhub.handlers import BaseHandler
from tornado import web
from traitlets import Unicode
from zxcvbn import zxcvbn

SHORTEST, LONGEST = 10, 72
"""Characters a password has at least, and bytes it has at most: bcrypt takes no more than 72."""
WRONG_PASSWORDS, WAIT_SECONDS = 5, 60
"""So many failed logins with one name, and for so long all others with this name fail, too."""
_STRENGTH = 3
"""Of zxcvbn's scores from 0 to 4: the least one that it calls safely unguessable."""
_TABLE = """
CREATE TABLE IF NOT EXISTS users_info (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    username VARCHAR(128) NOT NULL,
    password BLOB NOT NULL,
    is_authorized BOOLEAN
)
"""
# The hash of a password that nobody has: a name without an account takes as long to refuse.
_NOBODY = b"$2b$12$qKPzCtnU3sfD8V0ku7Jjku3.u22lUm0P/rMhEVvWPvYJ4wKc6TmIC"
PAGE = """{% extends "page.html" %}
{% block main %}
<div class="container">
  <h1>Change password for {{ user.name }}</h1>
  {% if said %}<p class="alert alert-{{ kind }}" role="alert">{{ said }}</p>{% endif %}
  <form method="post">
    <input type="hidden" name="_xsrf" value="{{ xsrf }}">
    {% for name, label, fill in fields %}
    <p>
      <label for="{{ name }}">{{ label }}</label>
      <input id="{{ name }}" name="{{ name }}" type="password" autocomplete="{{ fill }}"
             class="form-control" required>
    </p>
    {% endfor %}
    <button class="btn btn-jupyter">Change password</button>
  </form>
</div>
{% endblock %}
"""
_FIELDS = (
    ("old_password", "Old password", "current-password"),
    ("new_password", "New password", "new-password"),
    ("new_password_confirmation", "New password once more", "new-password"),
)


class Passwords:
    """The accounts of a pilot, in the table that nativeauthenticator made in earlier versions."""

    def __init__(self, database: Path) -> None:
        """``database`` is the hub's SQLite file; it is made when it is missing."""
        self._database = database

    def check(self, name: str, password: str) -> bool | None:
        """Return whether the password is right, None without an account; in a quarter second."""
        with self._opened() as database:
            row = database.execute(
                "SELECT password FROM users_info WHERE username = ? AND is_authorized", (name,)
            ).fetchone()
        given = password.encode()
        # bcrypt fails on what is too long.
        same = bcrypt.checkpw(given[:LONGEST], row[0] if row else _NOBODY)
        return same and len(given) <= LONGEST if row else None

    def give(self, name: str, password: str) -> None:
        """Make an account, or give the one that exists another password."""
        kept = bcrypt.hashpw(password.encode(), bcrypt.gensalt())
        with self._opened() as database:
            database.execute("DELETE FROM users_info WHERE username = ?", (name,))
            database.execute(
                "INSERT INTO users_info (username, password, is_authorized) VALUES (?, ?, 1)",
                (name, kept),
            )

    def take(self, name: str) -> None:
        """Remove an account."""
        with self._opened() as database:
            database.execute("DELETE FROM users_info WHERE username = ?", (name,))

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._database, timeout=10)) as database, database:
            database.execute(_TABLE)
            yield database


def make_account(database: Path, name: str) -> str:
    """Make an account, or give the one that exists a new password; return the password.

    Raises:
        sqlite3.Error: the database can't be used.
    """
    password = secrets.token_urlsafe(15)
    Passwords(database).give(name, password)
    return password


def is_strong(password: str, name: str) -> bool:
    """Return True if ``name`` may have this password: long enough, not too long, not usual."""
    return (
        len(password) >= SHORTEST
        and len(password.encode()) <= LONGEST
        and zxcvbn(password, user_inputs=[name])["score"] >= _STRENGTH
    )


class PilotLogin(Authenticator):
    """A name and a password; checked in threads, and refused for a while after many wrong ones."""

    database = Unicode(help="The hub's SQLite file.").tag(config=True)

    def __init__(self, **about: Any) -> None:
        super().__init__(**about)
        self.passwords = Passwords(Path(self.database))
        self._failed: dict[str, tuple[int, float]] = {}
        # A check keeps one processor busy: a class that comes at once must not take them all.
        self._turns = asyncio.Semaphore(2)

    async def authenticate(self, handler: Any, data: dict[str, str]) -> str | None:  # noqa: ARG002
        """Return the name, or None if the password is wrong or the name has to wait."""
        name = self.normalize_username(data.get("username", ""))
        return name if await self.check(name, data.get("password", "")) else None

    async def check(self, name: str, password: str) -> bool:
        """Return True if the password is right, and not too many were wrong before."""
        async with self._turns:
            count, last = self._failed.get(name, (0, 0.0))
            if count >= WRONG_PASSWORDS and monotonic() - last <= WAIT_SECONDS:
                return False
            right = await asyncio.to_thread(self.passwords.check, name, password)
            if right:
                self._failed.pop(name, None)
            elif right is not None:  # names that nobody has would fill the memory
                count = self._failed.get(name, (0, 0.0))[0]
                self._failed[name] = (count + 1, monotonic())
            return bool(right)

    def delete_user(self, user: Any) -> None:
        """Remove the account of somebody whom a technologist deletes on the hub's page."""
        self.passwords.take(user.name)
        super().delete_user(user)

    def get_handlers(self, app: Any) -> list[Any]:
        """The hub's own login, and a page to change one's password."""
        return [*super().get_handlers(app), (r"/change-password", PasswordHandler)]


class PasswordHandler(BaseHandler):
    """``/hub/change-password``: who knows the old password chooses a new one."""

    @web.authenticated
    async def get(self) -> None:
        """Answer with the login form."""
        await self._send()

    @web.authenticated
    async def post(self) -> None:
        """Change it, or say why not."""
        login: PilotLogin = self.authenticator
        name = self.current_user.name
        old, new, again = (self.get_body_argument(key, "", strip=False) for key, *_ in _FIELDS)
        if new != again:
            await self._send("The two new passwords are not the same.")
        elif not is_strong(new, name):
            await self._send(
                f"Be sure your new password has at least {SHORTEST} characters and is not too "
                f"common. It can have {LONGEST} at most."
            )
        elif not await login.check(name, old):
            await self._send("The old password is wrong.")
        else:
            await asyncio.to_thread(login.passwords.give, name, new)
            await self._send("Your password has been changed successfully.", "success")

    async def _send(self, said: str = "", kind: str = "danger") -> None:
        page = self.settings["jinja2_env"].from_string(PAGE)
        namespace = {**self.template_namespace, "said": said, "kind": kind, "fields": _FIELDS}
        self.finish(await page.render_async(**namespace))
