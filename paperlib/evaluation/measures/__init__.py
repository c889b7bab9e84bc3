"""Measures of plain arrays: Dice, ranking, intervals, thresholds, foci, residuals."""
