import numpy as np
import pytest

from paperlib.data import split

GRADES = ["HGG"] * 12 + ["LGG"] * 6
HEALTHY = np.array([0, 1, 5, 12, 14, 20, 22, 25, 30, 9, 15, 18, 11, 10, 3, 17, 21, 16])


def test_one_fold_draws_the_named_numbers_of_each_grade():
    (test,) = split.test_sets(GRADES, HEALTHY, folds=1, counts={"HGG": 4, "LGG": 2}, seed=0)
    assert [GRADES[case] for case in test].count("HGG") == 4
    assert len(test) == 6


def test_the_seed_decides_the_draw():
    draws = [
        split.test_sets(GRADES, HEALTHY, folds=1, counts={"HGG": 4, "LGG": 2}, seed=seed)
        for seed in (0, 0, 1)
    ]
    assert draws[0] == draws[1] != draws[2]


def test_folds_test_each_patient_once_and_balance_grade_and_healthy_slices():
    tests = split.test_sets(GRADES, HEALTHY, folds=3, counts={}, seed=0)
    assert sorted(case for test in tests for case in test) == list(range(18))
    for test in tests:
        assert [GRADES[case] for case in test].count("LGG") == 2
        assert 60 <= HEALTHY[test].sum() <= 110


def test_too_few_patients_for_the_folds_are_refused_with_a_cure():
    with pytest.raises(ValueError, match=r"8 patients are too few for 4 folds.*FOLDS=2"):
        split.test_sets(["HGG"] * 8, HEALTHY[:8], folds=4, counts={}, seed=0)
    with pytest.raises(ValueError, match="needs 7 LGG patients, the folder has 6"):
        split.test_sets(GRADES, HEALTHY, folds=1, counts={"LGG": 7}, seed=0)
    with pytest.raises(ValueError, match="leave under 3 for training"):
        split.test_sets(GRADES, HEALTHY, folds=1, counts={"HGG": 12, "LGG": 4}, seed=0)


def test_validation_patients_hold_enough_healthy_slices_and_are_candidates():
    candidates = list(range(2, 18))
    chosen = split.choose_validation(
        candidates, HEALTHY, share=0.1, min_healthy=10, min_slices=60, seed=0
    )
    assert set(chosen) <= set(candidates)
    assert (HEALTHY[chosen] >= 10).all()
    assert HEALTHY[chosen].sum() >= 60
    fewer = split.choose_validation(
        candidates, HEALTHY, share=0.1, min_healthy=10, min_slices=20, seed=0
    )
    assert len(fewer) == 2


def test_without_healthy_slices_the_counts_and_the_cure_are_named():
    with pytest.raises(ValueError, match=r"case 0: 0, case 1: 1, case 2: 5.*Add patients"):
        split.choose_validation(
            [0, 1, 2], HEALTHY, share=0.1, min_healthy=10, min_slices=30, seed=0
        )
