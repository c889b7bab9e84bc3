"""Pasted lesions: where they may be, what belongs to the mask, and how often each kind occurs."""

import numpy as np
import pytest
from scipy import ndimage

from paperlib.data import lesions

SIDE = 64
BRAIN = np.hypot(*(np.indices((SIDE, SIDE)) - 31.5)) < 28
HEALTHY = np.stack([np.where(BRAIN, 0.1, 0), np.where(BRAIN, -0.2, 0)]).astype(np.float32)
FAR_PX = 8  # beyond five standard deviations of the widest soft edge, where scipy cuts


def paste(seed, images=HEALTHY, brain=BRAIN):
    return lesions.paste_lesions(images, brain, np.random.default_rng(seed))


@pytest.fixture(scope="module")
def many():
    return [paste(seed) for seed in range(2000)]


def within(found, share, draws):
    """Whether a number of successes is within four standard deviations of the expected one."""
    return abs(found - draws * share) < 4 * np.sqrt(draws * share * (1 - share))


def test_kinds_are_pasted_as_often_as_decided(many):
    lesioned = [pasted for pasted in many if pasted.cores]
    assert within(len(lesioned), 0.75, 2000)
    assert within(sum(len(pasted.cores) == 2 for pasted in lesioned), 0.25, len(lesioned))
    assert max(len(pasted.cores) for pasted in many) == 2
    assert within(sum(pasted.distractors > 0 for pasted in many), 0.4, 2000)
    assert {pasted.distractors for pasted in many} == {0, 1, 2}
    cores = [core for pasted in lesioned for core in pasted.cores]
    with_core = [core for core in cores if core]
    large = np.log(30 / 6) / np.log(30 / 4)  # share of radii above 6 pixels
    assert within(len(with_core), 0.6 * large, len(cores))
    for kind, share in (("ring", 0.45), ("solid", 0.3), ("dark", 0.25)):
        assert within(with_core.count(kind), share, len(with_core))


def test_lesions_lie_in_the_brain_and_nothing_else_changes_but_look_alikes(many):
    for pasted in many[:300]:
        assert pasted.mask.any() == bool(pasted.cores)
        assert not pasted.mask[~BRAIN].any()
        np.testing.assert_array_equal(pasted.images[:, ~BRAIN], HEALTHY[:, ~BRAIN])
        if not pasted.distractors:
            near = ndimage.binary_dilation(pasted.mask, iterations=2 * FAR_PX)
            np.testing.assert_array_equal(pasted.images[:, ~near], HEALTHY[:, ~near])


def test_look_alikes_are_dark_in_both_sequences_and_no_part_of_the_mask(many):
    alone = [pasted for pasted in many if pasted.distractors and not pasted.cores]
    dark = [(pasted.images < -0.7).all(axis=0) for pasted in alone]
    assert np.mean([found.any() for found in dark]) > 0.95
    assert not any(pasted.mask.any() for pasted in alone)
    bright_rims = sum((pasted.images[0] > 0.5).any() for pasted in alone if pasted.distractors == 1)
    assert bright_rims > 0.3 * sum(pasted.distractors == 1 for pasted in alone)
    assert not any((pasted.images[1] > 0).any() for pasted in alone)  # T1CE has no rim


def test_look_alikes_leave_the_lesion_as_it_is(many):
    both = [pasted for pasted in many if pasted.distractors and pasted.cores == ("",)]
    assert len(both) > 50
    for pasted in both:  # a lesion without core is never as dark as a look-alike in FLAIR
        assert pasted.images[0][pasted.mask].min() > -0.9


def test_flair_shows_every_lesion_and_t1ce_darkens_where_there_is_no_core(many):
    plain = [p for p in many if p.cores == ("",) and not p.distractors and p.mask.sum() > 80]
    deep = [ndimage.binary_erosion(p.mask, iterations=3) for p in plain]
    flair = [p.images[0][d].mean() for p, d in zip(plain, deep, strict=True) if d.any()]
    t1ce = [p.images[1][d].mean() for p, d in zip(plain, deep, strict=True) if d.any()]
    assert min(flair) > 0.05
    assert 2.3 < max(flair) < 4.3
    untouched = np.isclose(t1ce, -0.2, atol=1e-3).mean()
    assert 0.2 < untouched < 0.4  # 30 % of lesions are not seen in T1CE
    assert -1.25 < min(t1ce) < -1


def test_cores_enhance_as_rings_or_solid_or_not_at_all(many):
    shown = {
        kind: [p for p in many if p.cores == (kind,) and not p.distractors and p.mask.sum() > 800]
        for kind in ("ring", "solid", "dark")
    }
    assert min(len(found) for found in shown.values()) > 5
    for kind, found in shown.items():
        enhances = [(p.images[1] > 0.5) & p.mask for p in found]
        outside = [((p.images[1] > 0.5) & ~p.mask).any() for p in found]
        assert not any(outside)  # the core belongs to the mask
        assert (
            np.mean([e.any() for e in enhances]) > 0.85
            if kind != "dark"
            else not any(e.any() for e in enhances)
        )
        holes = [
            (p.images[1][ndimage.binary_fill_holes(e) & ~e] < -0.1).sum() > 3
            for p, e in zip(found, enhances, strict=True)
        ]
        assert (np.mean(holes) > 0.4) == (kind == "ring")


def test_the_same_seed_pastes_the_same_and_leaves_the_slice_alone():
    before = HEALTHY.copy()
    first, second = paste(7), paste(7)
    np.testing.assert_array_equal(first.images, second.images)
    np.testing.assert_array_equal(first.mask, second.mask)
    assert not np.array_equal(first.images, paste(8).images)
    np.testing.assert_array_equal(HEALTHY, before)


def test_a_slice_with_little_brain_has_no_place_left_for_look_alikes():
    brain = np.zeros((SIDE, SIDE), bool)
    brain[30:32, 30:32] = True
    for seed in range(200):
        pasted = paste(seed, HEALTHY * brain, brain)
        assert not (pasted.mask & ~brain).any()
        assert not (pasted.mask.sum() == 4 and pasted.distractors)


def test_a_slice_without_brain_or_sequence_is_refused():
    with pytest.raises(ValueError, match="2 images and 0 brain pixels"):
        paste(0, brain=np.zeros_like(BRAIN))
    with pytest.raises(ValueError, match="Found 1 images"):
        paste(0, images=HEALTHY[:1])


def vary(images, seed, *, gamma=False):
    return lesions.vary_intensities(images, BRAIN, np.random.default_rng(seed), gamma=gamma)


def test_intensities_stay_within_gain_offset_bias_and_noise():
    flat = np.where(BRAIN, 1.0, 0).astype(np.float32) * np.ones((2, 1, 1), np.float32)
    inner = ndimage.binary_erosion(BRAIN, iterations=6)
    means = []
    for seed in range(300):
        varied = vary(flat, seed)
        assert varied.dtype == np.float32
        assert (varied[:, ~BRAIN] == 0).all()
        for image in varied:
            smooth = ndimage.gaussian_filter(image, 3)[inner]
            assert 0.75 - 0.9 - 0.35 - 0.1 < smooth.min() <= smooth.max() < 1.3 + 0.4 + 0.35 + 0.1
            means.append(image[inner].mean())
    assert np.std(means) > 0.15
    np.testing.assert_array_equal(vary(flat, 3), vary(flat, 3))


def test_a_bent_curve_keeps_the_order_of_brightness():
    ramp = np.where(BRAIN, np.linspace(-2, 3, SIDE), 0).astype(np.float32)
    image = np.stack([ramp, ramp])
    assert not np.array_equal(vary(image, 5), vary(image, 5, gamma=True))
    low, high = ramp[BRAIN].min(), ramp[BRAIN].max()
    bent = lesions._bend(ramp, BRAIN, 0.7)[BRAIN]
    np.testing.assert_allclose([bent.min(), bent.max()], [low, high], rtol=1e-5)
    order = np.argsort(ramp[BRAIN], kind="stable")
    assert (np.diff(bent[order]) >= 0).all()
    middle = lesions._bend(np.array([[0.0, 0.25, 1.0]]), np.ones((1, 3), bool), 0.5)
    np.testing.assert_allclose(middle, [[0, 0.5, 1]])
