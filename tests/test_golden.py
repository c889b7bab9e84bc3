"""The smoke profile still gives the numbers that were committed, within their tolerance."""

import numpy as np
import pandas as pd
import pytest
from make_golden import FOLDER, SUFFIX, measure, with_tolerances

from paperlib import artifacts

NAMES = ("table_2_outline", "table_2_semantic", "table_3")


def drifts(found: pd.DataFrame, golden: pd.DataFrame) -> list[str]:
    """Return a line for each number that left its tolerance, each row and column that went."""
    columns = [column for column in golden if not column.endswith(SUFFIX)]
    lines = [f"row {key}: is gone" for key in golden.index.difference(found.index)]
    lines += [f"row {key}: is new" for key in found.index.difference(golden.index)]
    lines += [f"column {name}: is gone" for name in columns if name not in found]
    lines += [f"column {name}: is new" for name in found if name not in columns]
    for key in golden.index.intersection(found.index):
        for column in (name for name in columns if name in found):
            old, new = golden.loc[key, column], found.loc[key, column]
            tolerance = golden.loc[key, column + SUFFIX]
            same_gap = np.isnan(old) and np.isnan(new)
            if not same_gap and not abs(new - old) <= tolerance:
                lines.append(f"row {key}, column {column}: was {old}, is {new} (+-{tolerance})")
    return lines


@pytest.fixture
def golden():
    return {name: pd.read_csv(FOLDER / f"{name}.csv", index_col="key") for name in NAMES}


@pytest.mark.long
def test_the_smoke_profile_gives_the_committed_tables(golden, tmp_path, monkeypatch):
    monkeypatch.setattr(artifacts, "ROOT", tmp_path)
    found = measure(tmp_path, (0,))[0]
    assert set(found) == set(NAMES)
    lines = [f"{name}: {line}" for name in NAMES for line in drifts(found[name], golden[name])]
    assert not lines, "\n".join(lines)


def test_every_committed_number_has_a_tolerance_that_could_be_left(golden):
    for name, table in golden.items():
        columns = [column for column in table if not column.endswith(SUFFIX)]
        tolerances = table[[column + SUFFIX for column in columns]].to_numpy()
        assert len(table) >= 3, name
        assert (tolerances > 0).all(), name
        if name != "table_3":  # rows without a network depend on no seed
            assert (table.loc["B1":, [f"{c}{SUFFIX}" for c in columns]] <= 0.005).all(axis=None)


def _table(**columns):
    return pd.DataFrame(columns, index=pd.Index(["VAE-MSE", "B2"], name="key"))


GOLDEN = _table(value=[0.3, 0.4], value_tolerance=[0.02, 0.005], low=[0.1, np.nan],
                low_tolerance=[0.05, 0.005])  # fmt: skip


def test_numbers_inside_their_tolerance_are_no_drift():
    assert drifts(_table(value=[0.319, 0.404], low=[0.051, np.nan]), GOLDEN) == []


def test_a_drift_names_row_column_old_and_new():
    found = drifts(_table(value=[0.325, 0.41], low=[0.1, np.nan]), GOLDEN)
    assert found == [
        "row VAE-MSE, column value: was 0.3, is 0.325 (+-0.02)",
        "row B2, column value: was 0.4, is 0.41 (+-0.005)",
    ]


def test_a_number_that_appears_or_goes_is_a_drift():
    assert len(drifts(_table(value=[0.3, 0.4], low=[np.nan, 0.1]), GOLDEN)) == 2


def test_a_row_or_column_that_appears_or_goes_is_a_drift():
    found = _table(value=[0.3, 0.4], high=[0.5, 0.6]).rename(index={"B2": "B3"})
    assert drifts(found, GOLDEN) == [
        "row B2: is gone",
        "row B3: is new",
        "column low: is gone",
        "column high: is new",
    ]


def test_a_tolerance_is_three_times_the_distance_between_seeds_of_its_row_and_column():
    seeds = {
        0: _table(value=[0.3, 0.4], low=[np.nan, 0.1]),
        1: _table(value=[0.31, 0.4], low=[np.nan, 0.1]),
        2: _table(value=[0.27, 0.4], low=[np.nan, 0.1]),
    }
    made = with_tolerances(seeds)
    np.testing.assert_allclose(made["value_tolerance"], [0.09, 0.005])
    np.testing.assert_allclose(made["low_tolerance"], [0.02, 0.005])
    pd.testing.assert_series_equal(made["value"], seeds[0]["value"])
