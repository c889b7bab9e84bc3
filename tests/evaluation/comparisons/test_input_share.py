"""Residual against input on three patients, by hand."""

import pandas as pd
import pytest

from paperlib.evaluation.comparisons import input_share
from paperlib.evaluation.evidence import Evidence
from paperlib.evaluation.tables import Draws

NAN = float("nan")
AP = {"VAE-MSE-s0": [0.5, 0.3, 0.9], "VAE-MSE-s1": [0.7, 0.5, 0.7], "AAE-SSIM-s0": [0.8, 0.9, 0.4]}
IMAGE = [0.7, 0.6, 0.5]


def make_found():
    lines = [
        {"method": method, "sequence": "flair", "region": "WT", "fold": 0, "case": case}
        | {"ap": ap, "image_ap": IMAGE[case]}
        for method, aps in AP.items()
        for case, ap in enumerate(aps)
    ]
    lines += [
        {"method": "AAE-SSIM-s0", "sequence": "t1ce", "region": "ET", "fold": 0, "case": case}
        | {"ap": ap, "image_ap": ap}
        for case, ap in enumerate((0.2, NAN, 0.4))
    ]
    lines.append({"method": "z", "sequence": "flair", "case": 0, "ap": 0.7})
    milestones = [
        {"model": model, "loss": loss, "seed": seed, "sequence": sequence, "final": final}
        | {"input_correlation": value if final else 0.0}
        for model, loss, seed, sequence, value in (
            ("VAE", "MSE", 0, "flair", 0.9),
            ("VAE", "MSE", 1, "flair", 0.7),
            ("AAE", "SSIM", 0, "flair", 0.6),
            ("AAE", "SSIM", 0, "t1ce", 0.5),
        )
        for final in (0, 1)
    ]
    empty = pd.DataFrame()
    return Evidence(
        empty, empty, empty, pd.DataFrame(lines), pd.DataFrame(milestones), empty, {"seeds": [0, 1]}
    )


def test_seeds_are_averaged_within_a_patient_and_missing_regions_left_out():
    found = input_share.per_patient(make_found())
    of = found.set_index(["row", "sequence", "case"])["ap"].sort_index()
    assert of["VAE-MSE", "flair"].to_dict() == pytest.approx({0: 0.6, 1: 0.4, 2: 0.8})
    assert of["AAE-SSIM", "t1ce"].to_dict() == {0: 0.2, 2: 0.4}
    assert set(found["row"]) == {"VAE-MSE", "AAE-SSIM"}  # the image is no network


def test_the_difference_to_the_image_is_paired_by_patient():
    table = input_share.compare_with_input(make_found(), draws=Draws(300, 0))
    line = table.loc["VAE-MSE", "flair"]
    assert line["patients"] == 3
    assert line["ap"] == pytest.approx(0.6)
    assert line["image_ap"] == pytest.approx(0.6)
    assert line["difference"] == pytest.approx(0)
    assert line["better"] == pytest.approx(1 / 3)
    # Differences -0.1, -0.2, +0.3; the mean of three drawn ones lies between the ends.
    assert -0.201 < line["low"] < -0.1
    assert 0.1 < line["high"] < 0.301
    assert line["input_correlation"] == pytest.approx(0.8)
    same = table.loc["AAE-SSIM", "t1ce"]
    assert (same["difference"], same["low"], same["high"]) == (0, 0, 0)
    assert (same["patients"], same["better"]) == (2, 0)


def test_texts_are_grouped_by_what_the_sequence_shows():
    table = input_share.compare_with_input(make_found(), draws=Draws(20, 0))
    frame = input_share.lay_out(table)
    assert frame.index.tolist() == [
        ("FLAIR, whole tumour", "VAE-MSE"),
        ("FLAIR, whole tumour", "AAE-SSIM"),
        ("T1CE, enhancing tumour", "AAE-SSIM"),
    ]
    line = frame.loc["FLAIR, whole tumour", "AAE-SSIM"]
    assert line["AP of −residual"] == "0.70"
    assert line["difference"].startswith("+0.10 [")
    assert line["correlation of r with −x"] == "0.60"
    assert line["patients ranked better"] == "67\u00a0%"
