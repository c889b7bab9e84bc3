"""Networks beside a run's own: `make ablations`, one change a row, and `make length`."""
