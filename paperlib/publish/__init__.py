"""From executed notebooks to a book that cannot show a failed run."""
