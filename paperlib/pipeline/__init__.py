"""The stages in order: each loads what it needs, calls the method, saves the result."""
