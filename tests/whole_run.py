"""The stages of a whole run, one after the other in one process."""

from paperlib.pipeline import stages
from paperlib.pipeline.pages import shown
from paperlib.pipeline.run import Run


def run_every_stage(run: Run) -> None:
    """Run the stages from the cohort to the evidence by name, as Snakemake does."""
    calls = [("cohort", ""), ("prepare", "")]
    calls += [("network", f"{network.pair}/{network.sequence}") for network in run.networks()]
    calls += [("segment", pair) for pair in run.pairs()]
    calls += [("baselines", str(fold)) for fold in range(run.folds)]
    calls += [("attribution", pair) for pair in shown.shown_pairs(run)]
    for name, item in [*calls, ("gather", "")]:
        stages.STAGES[name](run, stages.Request(item))
