"""The instructor's face: the notebooks, and what nbgrader is told to do with them.

Nothing is imported here: a command that writes notebooks must not wait for nbgrader.
"""
