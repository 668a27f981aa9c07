"""The course as web pages on the student's own machine: a light Voilà behind a key."""
