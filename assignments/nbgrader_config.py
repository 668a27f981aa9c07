"""nbgrader for this course: run its commands in this folder. README, "For instructors"."""

from pathlib import Path

from pcn_course.grading.config import configure

c = get_config()  # noqa: F821 (nbgrader provides it)
configure(c, here=Path(__file__))

# Where students hand in when they share a server with you. Without it they upload ZIPs to your LMS.
# c.Exchange.root = "/srv/nbgrader/exchange"
# There, a submission counts only if its folder belongs to the system user of its student's name. If
# your system users have other names, turn that off: any student can then submit as any other.
# c.ExchangeCollect.check_owner = False

# The course's time zone: of due dates, and of times in your LMS's files. Default: this machine's.
# c.Lms.timezone = "America/New_York"
