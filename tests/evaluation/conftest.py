"""Beside this file pytest finds `evidence_by_hand` and its like for the tests of every room."""
