"""The former name of :mod:`pcn_course.hub.backup`, by which nightly timers call it."""

from pcn_course.hub.backup import main

if __name__ == "__main__":
    main()
