"""The tables of a run as text, for a terminal."""

from paperlib.evaluation import evidence, examples, paper_tables, slice_scores, tables
from paperlib.pipeline.run import Run
from paperlib.publish import provenance

GATE_RULE = "max_healthy"  # our reading of the paper's "maximum threshold"


def describe_run(run: Run) -> str:
    """Return Tables 2 and 3 and the conventions of section 5.3 of a run as text."""
    found = evidence.load_evidence(run.require("evidence"), command=run.command)
    method = slice_scores.first_seed(found, *examples.choose_network(found))
    shared = {
        "draws": tables.Draws(),
        "note": provenance.one_line(found.provenance),
    }
    reading = found.provenance["mixture"]["reading"]
    shown = [
        paper_tables.show_table_2(found, target, **shared)
        for target in (tables.OUTLINE, tables.SEMANTIC)
    ]
    shown.append(paper_tables.show_table_3(found, method, **shared, short=True))
    way = {"reading": reading, "rule": GATE_RULE}
    shown.append(paper_tables.show_conventions(found, method, **way, **shared))
    return "\n\n".join(table.text for table in shown)
