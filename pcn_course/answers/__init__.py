"""What a student wrote: kept, its earlier texts, what is open, values read from it."""
