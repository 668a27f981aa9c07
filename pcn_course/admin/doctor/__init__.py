"""``pcn doctor``: checks of the system and of a course, and what each one found."""
