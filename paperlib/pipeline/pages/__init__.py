"""From a finished run to what is read: executed notebooks, the viewer, the book, tables as text."""
