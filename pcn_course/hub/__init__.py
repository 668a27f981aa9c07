"""A whole class on one server: JupyterHub, with an account and folders for each."""
