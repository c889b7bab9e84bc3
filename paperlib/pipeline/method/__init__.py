"""The paper's own way through a run, sections 3 to 5: patients, networks, segments, all rows."""
