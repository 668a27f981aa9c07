"""Administration of a course: checks (doctor), removal of data, backup and restore, migration."""
