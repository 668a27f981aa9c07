"""What handing in late costs: the rules in late.csv, penalties by them, and the time zone."""
