"""nbgrader's tables of the gradebook, for queries of ours; our own are in `records`."""

from __future__ import annotations

from nbgrader import api

assignment = api.Assignment.__table__
student = api.Student.__table__
submission = api.SubmittedAssignment.__table__
notebook = api.SubmittedNotebook.__table__
"""One notebook of a submission: it has the late penalty."""
cell = api.BaseCell.__table__
graded_cell = api.GradeCell.__table__
task_cell = api.TaskCell.__table__
grade = api.Grade.__table__
comment = api.Comment.__table__
