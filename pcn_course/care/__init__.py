"""Care for a course that runs: is it well, what may go, what is kept twice, what is renewed."""
