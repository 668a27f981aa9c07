"""Sign-up with a name and a password, for a pilot, with the holes of nativeauthenticator closed.

This file is also loaded by a hub in which nothing else of the course is installed: it imports
nothing but what that hub has. ``deploy/kubernetes/values.yaml`` says how. As a program it makes
accounts of those who can't sign up, and prints their passwords::

    python pilot.py sqlite:////srv/pcn/hub/hub.sqlite NAME…
"""

from __future__ import annotations

import secrets
import sys
from typing import Any

import bcrypt
from jupyterhub.orm import new_session_factory
from jupyterhub.scopes import needs_scope
from nativeauthenticator import NativeAuthenticator
from nativeauthenticator.handlers import (
    AuthorizationAreaHandler,
    DiscardHandler,
    LocalBase,
    ToggleAuthorizationHandler,
)
from nativeauthenticator.orm import UserInfo
from traitlets import Set

LONGEST = 72
"""As many bytes of a password as bcrypt can tell apart; it fails on a longer one."""
AREA = """{% extends "page.html" %}
{% block main %}
<div class="container">
  <h1>People who signed up</h1>
  <table class="table">
    <thead><tr><th>Name</th><th>Admitted</th><th>Actions</th></tr></thead>
    <tbody>
      {% for user in users %}
      {% set name = user.username | urlencode %}
      {% set acts = [("authorize", "Unauthorize", "no")] if user.is_authorized
                    else [("authorize", "Authorize", "yes"), ("discard", "Discard", "")] %}
      <tr>
        <td>{{ user.username }}</td>
        <td>{{ "Yes" if user.is_authorized else "No" }}</td>
        <td>
          {% for act, label, admit in acts %}
          <form method="post" action="{{ base_url }}{{ act }}/{{ name }}" class="d-inline">
            <input type="hidden" name="_xsrf" value="{{ xsrf }}">
            <input type="hidden" name="admit" value="{{ admit }}">
            <button class="btn btn-secondary">{{ label }}</button>
          </form>
          {% endfor %}
          <a href="{{ base_url }}change-password/{{ name }}">Change password</a>
        </td>
      </tr>
      {% endfor %}
    </tbody>
  </table>
</div>
{% endblock %}
"""
"""The page at ``/hub/authorize``: forms, where nativeauthenticator has links."""


class AreaHandler(LocalBase):
    """``GET /hub/authorize``: who signed up."""

    @needs_scope("admin:users")
    async def get(self) -> None:
        """Send the page."""
        page = self.settings["jinja2_env"].from_string(AREA)
        users = self.db.query(UserInfo).all()
        self.finish(await page.render_async(**self.template_namespace, users=users))


class AdmitHandler(LocalBase):
    """``POST /hub/authorize/NAME``: admit someone, or no longer.

    nativeauthenticator does this on a GET, so a picture in any page that a technologist looked at
    admitted whoever signed up. JupyterHub asks for its XSRF token on a POST.
    """

    @needs_scope("admin:users")
    async def post(self, name: str) -> None:
        """Admit ``name`` if the form says so."""
        if user := UserInfo.find(self.db, name):
            user.is_authorized = self.get_body_argument("admit", "") == "yes"
            self.db.commit()
        self.redirect(f"{self.hub.base_url}authorize")


class DiscardFormHandler(DiscardHandler):
    """``POST /hub/discard/NAME``: remove someone who was not admitted; never on a GET."""

    async def get(self, name: str) -> None:  # noqa: ARG002
        """Refuse."""
        self.send_error(405)

    async def post(self, name: str) -> None:
        """Remove ``name``."""
        await super().get(name)


class PilotLogin(NativeAuthenticator):
    """Sign-up with a name and a password, for a pilot."""

    reserved = Set(help="Names that no one can sign up with: of those who teach.").tag(config=True)

    def is_password_strong(self, password: str) -> bool:
        """Whether a new password will do: long enough, not a usual one, and not too long."""
        return len(password.encode()) <= LONGEST and bool(super().is_password_strong(password))

    def user_exists(self, username: str) -> bool:
        """Return True if nobody can sign up with this name: it is taken, or reserved."""
        name = self.normalize_username(username)
        return name in self.reserved or bool(super().user_exists(name))

    def get_handlers(self, app: Any) -> list[Any]:
        """nativeauthenticator's pages, but for those that change something on a GET."""
        ours = {
            AuthorizationAreaHandler: AreaHandler,
            ToggleAuthorizationHandler: AdmitHandler,
            DiscardHandler: DiscardFormHandler,
        }
        return [
            (address, ours.get(handler, handler)) for address, handler in super().get_handlers(app)
        ]


def _is_valid(user: UserInfo, password: str) -> bool:
    return len(password.encode()) <= LONGEST and bool(_asks_bcrypt(user, password))


# Both the authenticator and its page ask this, and a password that is too long ended in an error.
_asks_bcrypt = UserInfo.is_valid_password
UserInfo.is_valid_password = _is_valid


def make_account(database: str, name: str) -> str:
    """Make an account, or give the one that exists a new password; return the password.

    Raises:
        DatabaseSchemaMismatch: the database is of another version of JupyterHub.
        SQLAlchemyError: it can't be used.
    """
    password = secrets.token_urlsafe(15)
    kept = bcrypt.hashpw(password.encode(), bcrypt.gensalt())
    session = new_session_factory(database)()
    try:
        user = UserInfo.find(session, name)
        if user is None:
            session.add(UserInfo(username=name, password=kept, is_authorized=True))
        else:
            user.password, user.is_authorized = kept, True
        session.commit()
    finally:
        session.close()
    return password


if __name__ == "__main__":
    for _name in sys.argv[2:]:
        sys.stdout.write(f"{_name}\t{make_account(sys.argv[1], _name)}\n")
