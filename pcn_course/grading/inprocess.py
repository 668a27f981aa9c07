"""``nbgrader autograde`` without a kernel for each submission."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Float

from pcn_course.grading.nbgrader.shell import notebook_session

_LANGUAGE = {
    "codemirror_mode": {"name": "ipython", "version": 3},
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "nbconvert_exporter": "python",
    "pygments_lexer": "ipython3",
    "version": ".".join(map(str, sys.version_info[:3])),
}
"""What a Python kernel says of itself, as it stands in a notebook that one has run."""


class ExecuteHere(NbGraderPreprocessor):
    """Runs the cells of the released notebook in this process, in place of nbgrader's Execute.

    An error in a cell becomes its output, and the cells after it run, as with nbgrader.
    """

    timeout = Float(30, allow_none=True, config=True, help="Seconds for each cell.")

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Run all code cells beside the student's answers."""
        folder = Path(resources["metadata"]["path"])
        with notebook_session(folder) as shell:
            for cell in nb.cells:
                if cell.cell_type == "code" and cell.source.strip():
                    cell.outputs, cell.execution_count = shell.run(cell.source, self.timeout)
        nb.metadata["language_info"] = dict(_LANGUAGE)
        return nb, resources
