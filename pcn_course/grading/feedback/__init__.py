"""Feedback: the letter to a student, and its way back, by exchange, LMS, or Word."""
