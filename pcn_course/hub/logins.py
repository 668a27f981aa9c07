"""A login by the LMS, and the command that makes accounts in a pilot.

``python -P -m pcn_course.hub.logins hub.toml NAME…`` makes an account for each name, and prints the
passwords to be handed out.
"""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path

from ltiauthenticator.lti13.auth import LTI13Authenticator

from pcn_course.hub.accounts import AccountError, account_name
from pcn_course.hub.pilot import make_account
from pcn_course.hub.settings import SettingsError, read_settings


class LmsLogin(LTI13Authenticator):
    """A launch from an LMS. Whoever comes without one is told where to begin."""

    custom_html = (
        '<div class="text-center"><h1>Open the course from your LMS</h1><p>Go to this course in '
        "your university’s learning management system, and open it there. What you wrote is safe."
        "</p></div>"
    )


def main() -> None:
    """Make the accounts that the command line names, and print their passwords."""
    try:
        file, *names = sys.argv[1:]
        settings = read_settings(Path(file))
        for name in names:
            account_name(settings, name)  # or it says why no one can have it
            sys.stdout.write(f"{name}\t{make_account(settings.database, name.lower())}\n")
    except ValueError:
        sys.exit("Give the settings and names: … pcn_course.hub.logins /etc/pcn/hub.toml NAME…")
    except SettingsError as error:
        sys.exit(error.plain)
    except AccountError as error:
        sys.exit(str(error))
    except sqlite3.Error as error:
        sys.exit(f"{settings.database} can't be used: {error}")


if __name__ == "__main__":
    main()
