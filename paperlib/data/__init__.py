"""Section 3: patients, simulated or real, and how they become slices."""
