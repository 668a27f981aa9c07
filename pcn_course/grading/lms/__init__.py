"""The way through a learning management system: submissions in, grades out, by a roster."""
