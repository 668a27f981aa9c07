"""nbgrader set up for this course: its configuration, preprocessors, collecting, and patches."""
