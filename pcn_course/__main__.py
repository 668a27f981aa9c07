"""``python -m pcn_course`` is ``pcn``."""

from pcn_course.cli import main

main()
