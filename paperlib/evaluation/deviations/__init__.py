"""Where this companion decides, tunes or differs, and what each choice does to the result."""
