"""Scores of slices: how they rank and gate, and what else would explain it (section 4.2)."""
