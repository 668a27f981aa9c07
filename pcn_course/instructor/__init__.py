"""What instructors open: pages over the gradebook, for them alone."""
