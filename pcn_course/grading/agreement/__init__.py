"""How far graders agree: figures, and rounds of calibration on synthetic answers."""
