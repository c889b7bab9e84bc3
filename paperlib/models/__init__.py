"""Section 4.1: the autoencoders, their losses and their training."""
