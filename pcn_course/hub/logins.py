"""What two ways of logging in need beside what their packages do."""

from __future__ import annotations

from ltiauthenticator.lti13.auth import LTI13Authenticator
from nativeauthenticator import NativeAuthenticator
from nativeauthenticator.orm import UserInfo

LONGEST = 72
"""As many bytes of a password as bcrypt can tell apart; it fails on a longer one."""


class PilotLogin(NativeAuthenticator):
    """Sign-up with a name and a password, for a pilot."""

    def is_password_strong(self, password: str) -> bool:
        """Whether a new password will do: long enough, not a usual one, and not too long."""
        return len(password.encode()) <= LONGEST and bool(super().is_password_strong(password))


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
