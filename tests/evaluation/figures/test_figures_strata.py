"""What the figures of the limits page show."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgba

from paperlib.evaluation.figures import strata as figures
from paperlib.evaluation.patients.strata import ALL, HULL


def _table(shift=0.0):
    lines = []
    for stratum, group, patients in ((ALL, "all", 9), ("grade", "HGG", 6), ("grade", "LGG", 3)):
        for aggregation in ("volume", "every_slice"):
            for place, region in enumerate(("WT", "TC", "ET")):
                value = shift + 0.1 * place + patients / 100 + (aggregation == "every_slice")
                named = {"stratum": stratum, "group": group, "patients": patients}
                cell = {"value": value, "low": value - 0.05, "high": value + 0.05}
                lines.append({**named, "aggregation": aggregation, "region": region, **cell})
    return pd.DataFrame(lines)


def _cohorts():
    parts = {"dVAE-SSIM-s0": _table(), "B3": _table(0.2), HULL: _table(0.5)}
    return {"this run": parts, "real patients": parts}


def test_a_group_is_a_line_with_value_interval_and_number_of_patients():
    figure = figures.plot_strata(_cohorts(), aggregation="volume", note="data")
    assert len(figure.axes) == 6
    first, _, enhancing = figure.axes[:3]
    assert [text.get_text() for text in first.get_yticklabels()] == [
        "all patients (9)",
        "grade: HGG (6)",
        "LGG (3)",
    ]
    lines = {line.get_label(): line for line in first.lines}
    np.testing.assert_allclose(lines["dVAE-SSIM-s0"].get_xdata(), [0.09, 0.06, 0.03])
    np.testing.assert_allclose(lines["B3"].get_xdata(), [0.29, 0.26, 0.23])
    np.testing.assert_allclose(lines["hull of the true ET"].get_xdata(), [0.59, 0.56, 0.53])
    assert (lines["dVAE-SSIM-s0"].get_ydata() < lines["B3"].get_ydata()).all()
    ends = [segment[:, 0] for segment in first.collections[0].get_segments()]
    np.testing.assert_allclose(ends, [[0.04, 0.14], [0.01, 0.11], [-0.02, 0.08]])
    np.testing.assert_allclose(enhancing.lines[0].get_xdata(), [0.29, 0.26, 0.23])
    assert first.get_title(loc="left") == "this run\nwhole tumour"


def test_the_aggregation_asked_for_is_drawn():
    figure = figures.plot_strata({"one": {"B3": _table()}}, aggregation="every_slice")
    np.testing.assert_allclose(figure.axes[0].lines[0].get_xdata(), [1.09, 1.06, 1.03])


def test_a_patient_is_a_mark_per_method_and_one_without_enhancing_tumour_has_a_ring():
    known = pd.DataFrame(
        {"WT_ml": [10.0, 80, 0], "ET_ml": [1.0, 0, 0], "WT_volume": [0.2, 0.6, 1.0]}
    )
    cohorts = {"this run": {"dVAE-SSIM-s0": known, "B3": known.assign(WT_volume=0.5)}}
    figure = figures.plot_volume(cohorts, note="data")
    network, plain, rings = figure.axes[0].collections
    np.testing.assert_allclose(network.get_offsets(), [[10, 0.2], [80, 0.6]])
    np.testing.assert_allclose(plain.get_offsets(), [[10, 0.5], [80, 0.5]])
    np.testing.assert_allclose(rings.get_offsets(), [[80, 0.6]])
    assert network.get_facecolor()[0][:3] == pytest.approx(to_rgba("#0072B2")[:3])
    assert figure.axes[0].get_title(loc="left") == "this run, n = 2 patients with tumour"


def test_cohorts_stand_side_by_side():
    known = pd.DataFrame({"WT_ml": [10.0], "ET_ml": [1.0], "WT_volume": [0.2]})
    figure = figures.plot_volume({"this run": {"B3": known}, "real patients": {"B3": known}})
    assert [axis.get_title(loc="left") for axis in figure.axes] == [
        "this run, n = 1 patients with tumour",
        "real patients, n = 1 patients with tumour",
    ]
