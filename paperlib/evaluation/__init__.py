"""Section 5: metrics, intervals, tables and figures."""
