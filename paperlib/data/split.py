"""Who trains, who sets thresholds, who is tested (section 3): by patient, never by slice."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Integer
from numpy import ndarray


class Fold(NamedTuple):
    """Case numbers of one fold; the three lists share no patient."""

    training: list[int]
    validation: list[int]
    test: list[int]


def test_sets(
    grades: Sequence[str],
    healthy_slices: Integer[ndarray, " case"],
    *,
    folds: int,
    counts: dict[str, int],
    seed: int,
) -> list[list[int]]:
    """Return the test patients of every fold, stratified by grade.

    With one fold, `counts` patients of each grade are drawn. With more, patients are dealt in
    turn from a list ordered by grade and number of healthy slices, so that each is tested once
    and every fold holds healthy slices.

    Args:
        grades: "HGG", "LGG" or "unknown" for each case.
        healthy_slices: Tumour-free slices of each case.
        folds: Number of folds.
        counts: Test patients of each grade, used with one fold.
        seed: Seed of the draw.

    Raises:
        ValueError: If there are fewer patients than a split needs.
    """
    cases = len(grades)
    if folds > 1:
        if cases < 3 * folds:
            raise ValueError(
                f"{cases} patients are too few for {folds} folds; give at least {3 * folds} "
                f"or set FOLDS={max(1, cases // 3)}."
            )
        return _deal(grades, healthy_slices, folds, np.random.default_rng([seed, 0]))
    rng = np.random.default_rng([seed, 1])
    chosen: list[int] = []
    for grade, count in counts.items():
        members = np.flatnonzero(np.array(grades) == grade)
        if count > len(members):
            raise ValueError(
                f"The test set needs {count} {grade} patients, the folder has {len(members)}."
            )
        chosen += rng.permutation(members)[:count].tolist()
    if cases - len(chosen) < 3:
        raise ValueError(f"{cases} patients leave under 3 for training; at least 4 are needed.")
    return [sorted(chosen)]


def choose_validation(
    candidates: Sequence[int],
    healthy_slices: Integer[ndarray, " case"],
    *,
    share: float,
    min_healthy: int,
    min_slices: int,
    seed: int,
) -> list[int]:
    """Return the validation patients among those not tested.

    Args:
        candidates: Case numbers not in the test set.
        healthy_slices: Tumour-free slices of every case.
        share: Share of the candidates, rounded up; at least two patients.
        min_healthy: Healthy slices a patient needs to be chosen.
        min_slices: Healthy slices all of them hold together; more patients join until they do.
        seed: Seed of the draw.

    Raises:
        ValueError: If thresholds cannot be set, with the counts per patient and the cure.
    """
    able = [case for case in candidates if healthy_slices[case] >= min_healthy]
    order = np.random.default_rng([seed, 2]).permutation(able).astype(int).tolist()
    wanted = max(2, int(np.ceil(share * len(candidates))))
    chosen = order[:wanted]
    for case in order[wanted:]:
        if healthy_slices[chosen].sum() >= min_slices:
            break
        chosen.append(case)
    too_few = len(chosen) < 2 or healthy_slices[chosen].sum() < min_slices
    if too_few or len(candidates) - len(chosen) < 1:
        listed = ", ".join(f"case {case}: {healthy_slices[case]}" for case in candidates)
        raise ValueError(
            f"Thresholds need at least 2 patients with {min_healthy} tumour-free slices each and "
            f"{min_slices} together, and others to train on. Found {listed}. "
            "Add patients with tumour-free slices."
        )
    return sorted(chosen)


def stratified_counts(grades: Sequence[str], share: float) -> dict[str, int]:
    """Return how many test patients of each grade make `share` of them, rounded."""
    names, sizes = np.unique(np.array(grades), return_counts=True)
    return {str(name): max(1, round(share * size)) for name, size in zip(names, sizes, strict=True)}


def _deal(
    grades: Sequence[str],
    healthy_slices: Integer[ndarray, " case"],
    folds: int,
    rng: np.random.Generator,
) -> list[list[int]]:
    ties = rng.permutation(len(grades))
    order = sorted(range(len(grades)), key=lambda c: (grades[c], healthy_slices[c], ties[c]))
    hands: list[list[int]] = [[] for _ in range(folds)]
    for start in range(0, len(order), folds):
        seats = rng.permutation(folds)
        for seat, case in zip(seats, order[start : start + folds], strict=False):
            hands[seat].append(case)
    return [sorted(hand) for hand in hands]
