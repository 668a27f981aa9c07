"""The gradebook: nbgrader's tables and ours beside them, read and written."""
