"""Which networks are looked at in detail: the paper's own where the run has it."""

from paperlib.evaluation.paper import PAPERS_CHOICE
from paperlib.pipeline.run import Run


def shown_pairs(run: Run) -> list[str]:
    """Return the pairs of all folds of the paper's choice, or of the first model and loss.

    Of several seeds the first.
    """
    networks = run.networks()
    trained = [(network.model, network.loss) for network in networks]
    shown = PAPERS_CHOICE if PAPERS_CHOICE in trained else trained[0]
    chosen = [
        network.pair
        for network, named in zip(networks, trained, strict=True)
        if named == shown and network.seed == networks[0].seed
    ]
    return list(dict.fromkeys(chosen))


def pair_of(method: str, fold: int) -> str:
    """Return the pair of a network in one fold: "dVAE-SSIM-f2-s0" of "dVAE-SSIM-s0"."""
    named, seed = method.rsplit("-s", 1)
    return f"{named}-f{fold}-s{seed}"
