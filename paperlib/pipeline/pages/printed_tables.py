"""The tables of a run as text, for a terminal."""

from paperlib.evaluation import evidence, examples, tables
from paperlib.evaluation.slices import slice_scores
from paperlib.evaluation.texts import paper_tables
from paperlib.pipeline.run import Run
from paperlib.publish import provenance

GATE_RULE = "max_healthy"  # our reading of the paper's "maximum threshold"


def describe_run(run: Run) -> str:
    """Return Tables 2 and 3 and the conventions of section 5.3 of a run as text."""
    found = evidence.load_evidence(run.require("evidence"), command=run.command)
    method = slice_scores.first_seed(found, *examples.choose_network(found))
    draws, note = tables.Draws(), provenance.one_line(found.provenance)
    reading = found.provenance["mixture"]["reading"]
    shown = [
        paper_tables.show_table_2(found, target, draws=draws, note=note)
        for target in (tables.OUTLINE, tables.SEMANTIC)
    ]
    shown.append(paper_tables.show_table_3(found, method, draws=draws, note=note, short=True))
    shown.append(
        paper_tables.show_conventions(
            found, method, reading=reading, rule=GATE_RULE, draws=draws, note=note
        )
    )
    return "\n\n".join(table.text for table in shown)
