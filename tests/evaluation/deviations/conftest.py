"""Cohorts small enough to know every effect: the evidence of the claims, with what they lack.

Four patients, a slice with 10 pixels of tumour and a slice without each; every prediction of the
tumour slice has 10 pixels, too. The gate flags the tumour slices.
"""

import sys
from pathlib import Path

import pandas as pd
import pytest

sys.path.append(str(Path(__file__).resolve().parents[1] / "claims"))
from claims_by_hand import make_claims_evidence

OVERLAPS = [8, 6, 4, 8]


@pytest.fixture
def a_cohort():
    def make(cohort="real", *, wrong=0, networks=None):
        found = make_claims_evidence(
            networks or {("dVAE", "SSIM"): OVERLAPS}, cohort=cohort, wrong=wrong
        )
        scores = found.scores.assign(
            mean_residual_image=found.scores["mean_residual"],
            residual_variance=-found.scores["mean_residual"],
        )
        looks = pd.DataFrame(
            {"model": "dVAE", "loss": "SSIM", "sequence": "flair", "fold": 0,
             "slice_steps": [1000, 2000, 4000], "final": [0, 0, 1], "dice": [0.5, 0.1, 0.3]}
        )  # fmt: skip
        return found._replace(scores=scores, milestones=looks)

    return make
