"""What this book adds to Sphinx: numbers, origins, links, the code reference, the slice viewer."""
