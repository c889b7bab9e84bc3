"""The paper's numbers and sentences, each with a verdict from real patients."""
