"""Additions to the packages that log people in, and the command that makes accounts in a pilot.

``python -P -m pcn_course.hub.logins hub.toml NAME…`` makes the account of someone who teaches or
looks after the hub, because nobody can sign up with such a name.
"""

from __future__ import annotations

import secrets
import sys
from pathlib import Path
from typing import Any

import bcrypt
from jupyterhub.orm import DatabaseSchemaMismatch, new_session_factory
from jupyterhub.scopes import needs_scope
from ltiauthenticator.lti13.auth import LTI13Authenticator
from nativeauthenticator import NativeAuthenticator
from nativeauthenticator.handlers import DiscardHandler, LocalBase, ToggleAuthorizationHandler
from nativeauthenticator.orm import UserInfo
from sqlalchemy.exc import SQLAlchemyError
from traitlets import Set

from pcn_course.hub.accounts import AccountError, account_name
from pcn_course.hub.settings import Settings, SettingsError, read_settings

LONGEST = 72
"""As many bytes of a password as bcrypt can tell apart; it fails on a longer one."""
TEMPLATES = Path(__file__).parent / "templates"
"""Pages that replace those of nativeauthenticator."""


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

    reserved = Set(help="Names that nobody can sign up with: of those who teach.").tag(config=True)

    def is_password_strong(self, password: str) -> bool:
        """Whether a new password will do: long enough, not a usual one, and not too long."""
        return len(password.encode()) <= LONGEST and bool(super().is_password_strong(password))

    def user_exists(self, username: str) -> bool:
        """Return True if nobody can sign up with this name: it is taken, or reserved."""
        name = self.normalize_username(username)
        return name in self.reserved or bool(super().user_exists(name))

    def get_handlers(self, app: Any) -> list[Any]:
        """nativeauthenticator's pages, but for those that change something on a GET."""
        ours = {ToggleAuthorizationHandler: AdmitHandler, DiscardHandler: DiscardFormHandler}
        return [
            (address, ours.get(handler, handler)) for address, handler in super().get_handlers(app)
        ]


def _is_valid(user: UserInfo, password: str) -> bool:
    return len(password.encode()) <= LONGEST and bool(_asks_bcrypt(user, password))


# Both the authenticator and its page ask this, and a password that is too long ended in an error.
_asks_bcrypt = UserInfo.is_valid_password
UserInfo.is_valid_password = _is_valid


class LmsLogin(LTI13Authenticator):
    """A launch from an LMS. Whoever comes without one is told where to begin."""

    custom_html = (
        '<div class="text-center"><h1>Open the course from your LMS</h1><p>Go to this course in '
        "your university’s learning management system, and open it there. What you wrote is safe."
        "</p></div>"
    )


def make_account(settings: Settings, name: str) -> str:
    """Make a pilot's account, or give the one that exists a new password; return the password.

    Raises:
        AccountError: the name can't be used, or the hub's database can't.
    """
    account_name(settings, name)
    password = secrets.token_urlsafe(15)
    kept = bcrypt.hashpw(password.encode(), bcrypt.gensalt())
    database = settings.state / "hub.sqlite"
    try:
        session = new_session_factory(f"sqlite:///{database}")()
        try:
            user = UserInfo.find(session, name)
            if user is None:
                session.add(UserInfo(username=name, password=kept, is_authorized=True))
            else:
                user.password, user.is_authorized = kept, True
            session.commit()
        finally:
            session.close()
    except DatabaseSchemaMismatch:
        raise AccountError(
            f"{database} is of another version of JupyterHub. Start the hub once, then try again."
        ) from None
    except SQLAlchemyError as error:
        raise AccountError(f"{database} can't be used: {error}") from error
    return password


def main() -> None:
    """``python -m pcn_course.hub.logins hub.toml NAME…``: make accounts, print passwords."""
    try:
        file, *names = sys.argv[1:]
        settings = read_settings(Path(file))
        for name in names:
            sys.stdout.write(f"{name}\t{make_account(settings, name)}\n")
    except ValueError:
        sys.exit("Give the settings and names: … pcn_course.hub.logins /etc/pcn/hub.toml NAME…")
    except SettingsError as error:
        sys.exit(error.plain)
    except AccountError as error:
        sys.exit(f"{error} No account was made for it.")


if __name__ == "__main__":
    main()
