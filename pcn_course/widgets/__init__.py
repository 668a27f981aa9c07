"""What a student sees: a step's form and home, as widgets of native HTML."""
