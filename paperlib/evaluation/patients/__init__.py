"""Patients: what a cohort is like, each patient alone, and for whom a method works."""
