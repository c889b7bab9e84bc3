"""Section 4.3: from a residual to three tissue labels."""
