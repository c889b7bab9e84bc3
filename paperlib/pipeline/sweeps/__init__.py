"""`paperlib sweep`: what its file asks for, the row of each combination, the table at the end."""
