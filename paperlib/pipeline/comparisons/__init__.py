"""What the paper's way is compared with: baselines, the crossed table, perfect decisions."""
