"""Results in words and numbers: the paper's tables beside ours, and the numbers of prose."""
