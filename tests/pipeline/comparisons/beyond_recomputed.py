"""Rows beyond the paper made again from what the stage read, with other code where it exists."""

import numpy as np
import pandas as pd
import pytest
from scipy import ndimage
from skimage.filters import threshold_otsu
from skimage.morphology import remove_small_objects

from paperlib import artifacts
from paperlib.evaluation.measures import metrics
from paperlib.labels import REGIONS, region_mask
from paperlib.pipeline.comparisons import beyond
from paperlib.pipeline.comparisons.beyond_rows import COUNTED, WAY
from paperlib.pipeline.method import patients, segments
from paperlib.postprocessing import morphology, regions, volume
from paperlib.postprocessing.outline import clearest_outline

PAIR, NETWORK = "VAE-MSE-f0-s0", "VAE-MSE-s0"
RULES = ["all", "largest_3d", "ball", "foci"]
SINGLE = ["clean-up", "synthetic s0", "synthetic s1", "synthetic s2"]
AVERAGED = ["synthetic", "synthetic of 3 networks"]
AVERAGED += ["synthetic with weight 0.5", "synthetic with weight 2"]


def kept(method):
    return "foci" if method.startswith("synthetic") else "ball"


def drawn(methods, readings, rules, prefix=""):
    return {
        (method, prefix + reading, rule, enhancing)
        for method in methods
        for rule in rules
        for reading in (readings if rule != "all" else ["threshold"])
        for enhancing in (["Otsu", "healthy"] if rule == kept(method) else ["Otsu"])
    }


def every_way_has_every_patient(run, volumes):
    expected = drawn(["clean-up"], ["threshold", "clearest", "near"], RULES)
    expected |= drawn(["synthetic"], ["threshold", "clearest", "near", "agreed"], RULES)
    expected |= drawn(SINGLE[1:], ["threshold", "clearest", "near"], ["foci"])
    expected |= drawn(AVERAGED, ["threshold", "clearest", "near", "agreed"], ["foci"])
    groups = volumes.groupby(WAY)
    assert set(groups.groups) == expected
    cases = sorted(patients.load_fold(run, 0).test)
    assert all(sorted(found) == cases for found in groups["case"].agg(list))


def slices_add_up_to_volumes(run, counts, volumes):
    assert (counts["component"] == counts["method"].map(kept)).all()
    slices = patients.load_slices(run)
    places = patients.usable_of(slices, patients.load_fold(run, 0).test)
    assert set(counts.groupby(["method", "reading"]).size()) == {len(places)}
    keys = ["method", "reading", "component", "case"]
    summed = counts.groupby(keys)[COUNTED].sum()
    own = volumes[volumes["enhancing"] == "Otsu"].set_index(keys)[COUNTED]
    pd.testing.assert_frame_equal(summed, own.loc[summed.index])
    assert summed["WT_overlap"].sum() > 0


def limits_are_quantiles_of_healthy_training_slices(run, limits):
    values = {"flair": [], "t1ce": []}
    for patient in segments.load_patients(run, patients.load_fold(run, 0).training):
        healthy = patient.slices["healthy"].to_numpy()
        for (name, found), sigma in zip(values.items(), (1.0, 0.5), strict=True):
            smooth = volume.smooth(patient.images[name], patient.brain, sigma_px=sigma)
            found.append(smooth[healthy][patient.brain[healthy]])
    flair, t1ce = (np.concatenate(found) for found in values.values())
    assert limits["clean-up"] == pytest.approx(np.quantile(flair, 0.99))
    assert limits["synthetic"] == pytest.approx(np.quantile(flair, 0.98))
    assert limits["t1ce"] == pytest.approx(np.quantile(t1ce, 0.99))


def same_counts(volumes, way, patient, outline, enhancing):
    """Compare the row of one patient with masks made here."""
    case = patient.slices["case"].iloc[0]
    row = volumes.set_index([*WAY, "case"]).sort_index().loc[(*way, case)]
    codes = regions.label_tissues(outline, enhancing & outline)
    truth = metrics.region_counts(codes, patient.labels)
    for region in ("WT", "TC", "ET"):
        column = list(REGIONS).index(region)
        for part in ("overlap", "predicted"):
            assert row[f"{region}_{part}"] == getattr(truth, part)[:, column].sum()
    assert row["foci_found"] == foci_touched(outline, patient.labels > 0)
    return int(row["WT_predicted"])


def foci_touched(outline, truth):
    pieces, count = ndimage.label(truth, np.ones((3, 3, 3)))
    sizes = [(180 / 128) ** 2 / 1000 * (pieces == piece).sum() for piece in range(1, count + 1)]
    touched = [(outline & (pieces == piece)).any() for piece in range(1, count + 1)]
    return sum(hit for hit, ml in zip(touched, sizes, strict=True) if ml >= 0.05)


def enhancing_part(patient, outline, limits, enhancing):
    smooth = volume.smooth(patient.images["t1ce"], patient.brain, sigma_px=0.5)
    if enhancing == "healthy":
        return (smooth > limits["t1ce"]) & patient.brain
    if not outline.any():
        return outline
    bright = outline & (smooth > max(0.8, threshold_otsu(smooth[outline])))
    return remove_small_objects(bright, max_size=19, connectivity=3)


def the_clean_up_is_the_smoothed_flair(run, volumes, limits):
    found = 0
    for patient in segments.load_patients(run, patients.load_fold(run, 0).test):
        start = volume.segment_smoothed(
            patient.images["flair"],
            patient.brain,
            threshold=limits["clean-up"],
            spacing_mm=morphology.SPACING_MM,
        )
        score = volume.smooth(patient.images["flair"], patient.brain, sigma_px=1.0)
        drawn_at = {"threshold": start, "clearest": clearest_outline(score, patient.brain, start)}
        drawn_at["near"] = clearest_outline(
            score, patient.brain, start, threshold=limits["clean-up"]
        )
        for reading, outline in drawn_at.items():
            for enhancing in ("healthy", "Otsu"):
                bright = enhancing_part(patient, outline, limits, enhancing)
                way = ("clean-up", reading, "ball", enhancing)
                found += same_counts(volumes, way, patient, outline, bright)
        pieces = clearest_outline(score, patient.brain, several_foci(patient, score, limits))
        bright = enhancing_part(patient, pieces, limits, "Otsu")
        way = ("clean-up", "clearest", "foci", "Otsu")
        found += same_counts(volumes, way, patient, pieces, bright)
    assert found > 100


def several_foci(patient, score, limits):
    positive = (score - limits["clean-up"] > 0) & patient.brain
    kept = wide_pieces(morphology.open_close(positive, patient.brain))
    return np.stack([ndimage.binary_fill_holes(image) for image in kept]) & patient.brain


def wide_pieces(mask):
    """Keep each piece at least .6 times as wide as the widest, measured piece by piece."""
    pieces, count = ndimage.label(mask)
    depths = [
        ndimage.distance_transform_edt(pieces == piece, sampling=morphology.SPACING_MM).max()
        for piece in range(1, count + 1)
    ]
    return np.isin(pieces, [n for n, depth in enumerate(depths, 1) if depth >= 0.6 * max(depths)])


def load_logit(run, seed, patient):
    folder = beyond.network_folder(run, 0, seed)
    places = artifacts.load_array(folder, "place")
    chosen = [places.tolist().index(place) for place in patient.slices.index]
    return artifacts.load_array(folder, "logit")[chosen].astype(float)


def logits_are_averaged_weighted_and_added_to_flair(run, volumes, limits):
    found = 0
    for patient in segments.load_patients(run, patients.load_fold(run, 0).test):
        brain = patient.brain
        flair = volume.smooth(patient.images["flair"], brain, sigma_px=1.0)
        single = [load_logit(run, seed, patient) for seed in (0, 1, 2)]
        of_two = (single[0] + single[1]) / 2
        logits = {f"synthetic s{seed}": (logit, 1) for seed, logit in enumerate(single)}
        logits |= {"synthetic": (of_two, 1), "synthetic of 3 networks": (sum(single) / 3, 1)}
        logits |= {f"synthetic with weight {weight:g}": (of_two, weight) for weight in (0.5, 2)}
        for method, (logit, weight) in logits.items():
            extra = volume.smooth(logit.clip(-8, 8), brain, sigma_px=1.0) / 8
            positive = (flair + weight * extra - limits["synthetic"] > 0) & brain
            cleaned = morphology.open_close(positive, brain)
            kept = wide_pieces(cleaned)
            filled = np.stack([ndimage.binary_fill_holes(image) for image in kept]) & brain
            bright = enhancing_part(patient, filled, limits, "Otsu")
            way = (method, "threshold", "foci", "Otsu")
            found += same_counts(volumes, way, patient, filled, bright)
    assert found > 100


def a_residual_is_drawn_as_flair_is(run, volumes, limits):
    (network,) = [n for n in run.networks() if (n.pair, n.sequence) == (PAIR, "flair")]
    residual, found = segments.load_residual(run, network), 0
    for patient in segments.load_patients(run, patients.load_fold(run, 0).test):
        score = -residual.of(patient.slices.index.to_numpy())
        start = volume.segment_smoothed(
            score, patient.brain, threshold=limits["flair"], spacing_mm=morphology.SPACING_MM
        )
        way = (NETWORK, "smoothed threshold", "ball", "Otsu")
        row = volumes.set_index([*WAY, "case"]).sort_index()
        row = row.loc[(*way, patient.slices["case"].iloc[0])]
        assert row["WT_predicted"] == start.sum()
        found += int(start.sum())
    assert found > 100


def masks_of_the_mixture_are_cleaned_up(run, volumes):
    stored = artifacts.load_array(run.folder / "segments" / PAIR, "segmentation")
    places = artifacts.load_array(run.folder / "segments" / PAIR, "place").tolist()
    known = artifacts.load_table(run.folder / "baselines" / "f0", "counts")
    known = known.query("method == 'B3' and reading == 'neighbourhood' and component == 'all'")
    plain = volumes.query("method == 'B3' and reading == 'neighbourhood' and component == 'all'")
    plain = plain.set_index("case")["WT_predicted"]
    unfilled = known.groupby("case")["WT_predicted"].sum()
    assert (plain >= unfilled.loc[plain.index]).all()  # holes are filled
    assert unfilled.sum() > 100
    for patient in segments.load_patients(run, patients.load_fold(run, 0).test):
        codes = stored[[places.index(place) for place in patient.slices.index]]
        for rule in ("all", "largest_3d", "ball"):
            kept = morphology.keep_component(codes > 0, rule=rule)
            filled = np.stack([ndimage.binary_fill_holes(image) for image in kept])
            way = (NETWORK, "neighbourhood", rule, "mixture")
            same_counts(volumes, way, patient, filled & patient.brain, codes == 4)


def pixels_name_each_method(run, folder):
    pixels = artifacts.load_table(folder, "pixels")
    assert set(pixels["method"]) == {*SINGLE, *AVERAGED}
    for patient in segments.load_patients(run, patients.load_fold(run, 0).test):
        case = int(patient.slices["case"].iloc[0])
        row = pixels[(pixels["method"] == "clean-up") & (pixels["case"] == case)].iloc[0]
        truth = region_mask(patient.labels, "WT")
        if truth.any():
            smooth = volume.smooth(patient.images["flair"], patient.brain, sigma_px=1.0)
            mine = metrics.pixel_average_precision(smooth, truth, patient.brain)
            assert row["ap"] == pytest.approx(mine, rel=1e-4)
