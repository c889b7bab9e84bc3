"""What the viewer says about a slice, by hand and against the evidence's own answers."""

import pandas as pd
import pytest
from evidence_by_hand import METHOD, make_evidence

from paperlib.evaluation.slices import slice_facts, slice_scores


@pytest.fixture
def found():
    evidence = make_evidence()
    scores = evidence.scores.assign(t1ce_mean_residual=-evidence.scores["mean_residual"])
    mixture = {"reading": "both", "component": "all"}
    return evidence._replace(scores=scores, provenance={"mixture": mixture})


def test_the_facts_of_a_slice_are_those_of_its_fold(found):
    facts = slice_facts.case_facts(found, METHOD, 3)
    assert list(facts) == [70, 90, 110]
    assert facts[70]["scores"]["mean_residual"] == 105.0
    # Healthy scores of fold 1: 99, 100, 101.
    assert facts[70]["gates"]["mean_residual"]["max_healthy"] == [101.0, True]
    assert facts[90]["gates"]["mean_residual"]["max_healthy"] == [101.0, False]
    assert facts[90]["gates"]["mean_residual"]["quantile_95"] == [pytest.approx(100.9), False]


def test_dice_is_missing_where_there_is_nothing_and_zero_where_the_gate_drops_a_tumour(found):
    lower, middle, upper = slice_facts.case_facts(found, METHOD, 3).values()
    whole = {"truth": 40, "predicted": 80, "dice": pytest.approx(2 * 40 / 120), "emptied": 0.0}
    assert middle["regions"]["WT"] == whole
    assert lower["regions"]["WT"] == {"truth": 40, "predicted": 0, "dice": 0.0, "emptied": 0.0}
    nothing = {"truth": 0, "predicted": 0, "dice": None, "emptied": None}
    assert upper["regions"]["WT"] == nothing
    assert middle["regions"]["ET"] == nothing
    # A prediction where there is no tumour is wrong until the gate drops it.
    wrong = slice_facts.case_facts(found, METHOD, 1)[70]["regions"]["WT"]
    assert wrong == {"truth": 0, "predicted": 20, "dice": 0.0, "emptied": None}


def test_every_gate_answers_as_the_evidence_does(found):
    test = slice_scores.load_test_slices(found, METHOD)
    assert set(slice_facts.RULE_NAMES) == set(slice_scores.RULES)
    for score in slice_scores.GATED_SCORES:
        for rule in slice_scores.RULES:
            flags = slice_scores.flag_slices(found, METHOD, score=score, rule=rule)
            expected = dict(zip(zip(test["case"], test["z"], strict=True), flags, strict=True))
            said = {
                (case, z): slice_["gates"][score][rule][1]
                for case in test["case"].unique()
                for z, slice_ in slice_facts.case_facts(found, METHOD, int(case)).items()
            }
            assert said == expected


def test_a_patient_without_scores_is_refused_with_those_that_have_some(found):
    with pytest.raises(KeyError, match=r"Patient 9 has no scores .*there are 0, 1, 2, 3"):
        slice_facts.case_facts(found, METHOD, 9)


def test_counts_are_those_of_the_runs_own_reading(found):
    other = found.counts.assign(reading="weights", WT_predicted=0)
    both = found._replace(counts=pd.concat([found.counts, other]))
    assert slice_facts.slice_counts(both, METHOD)["WT_predicted"].sum() == 360
