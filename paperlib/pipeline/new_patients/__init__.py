"""A trained pair beyond its run: one new patient segmented, label maps of any method scored."""
