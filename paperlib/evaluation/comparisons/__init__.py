"""Differences between ways: one decision made perfect, one setting changed, residuals crossed."""
