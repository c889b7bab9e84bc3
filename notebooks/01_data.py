# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Data
#
# **The question.** The paper trains networks on slices without tumour and tests them on all slices
# of other patients. Which slices are these? How are they made? And how well could one guess that a
# slice holds a tumour *without looking for one*, from its height or its size alone? A method has to
# beat that guess before it can be said to find tumours.

# %% tags=["parameters"]
profile: str = "smoke"  # one of: smoke, phantom, phantom-free, phantom-foci, laptop, full, paper
data: str = ""  # folder of real patients; empty: simulated ones
folds: int = 1  # from 1 to 20
case: int | None = None  # number of a test patient to look at
z: int | None = None  # height of the slice, from 60 to 129; None: the one with most tumour

# %%
import numpy as np
import pandas as pd
import torch

from paperlib import artifacts, config
from paperlib.data import augment, brats, preprocess
from paperlib.evaluation import evidence, examples, paper, present, tables
from paperlib.evaluation.figures import data as data_figures, slices
from paperlib.evaluation.patients import cohort
from paperlib.evaluation.slices import slice_scores

# %%
from paperlib.exercises import data as exercises
from paperlib.pipeline import run as runs
from paperlib.pipeline.method import patients
from paperlib.pipeline.pages import publishing
from paperlib.publish import parameters, provenance

# %%
parameters.validate(globals(), runs.check_choices)
run = runs.open_run(profile, data, folds)
found = evidence.load_evidence(run.require("evidence"), command=run.command)
note = provenance.one_line(found.provenance)
folder = run.require("prepare")
stacks = {n: artifacts.load_array(folder, n) for n in ("flair", "t1ce", "labels", "brain")}
table = patients.load_slices(run)
case = examples.choose_case(slice_scores.load_test_slices(found, cohort.NO_NETWORK), case)
place = cohort.pick_slice(table, case, z)
shown = f"patient {case}, slice z = {table['z'][place]}, {note}"

# %% [markdown]
# ## Two images and a label map
#
# The paper uses the training set of BraTS 2018
# {cite}`menze2015brats,bakas2017advancing,bakas2018identifying`: 285 patients with a glioma, 210 of
# high grade (HGG) and 75 of low grade (LGG). Of the four MR sequences it takes two. **FLAIR** shows
# the whole tumour bright, edema included. **T1CE** (T1-weighted, after contrast medium) shows the
# part that takes up contrast medium. Experts drew the labels: necrotic and non-enhancing core,
# edema, enhancing tumour. The networks never see labels; but the labels decide *which slices* they
# are trained on, so "without any training labels" is not literally true.
#
# This page was made from {result}`run.patients` patients,
# {result}`run.test_patients` of them tested. Where the line under a figure says *phantom*, they are
# simulated.

# %% mystnb={"figure": {"caption": "Figure 1 of the paper, in its arrangement, from this run: (a) T1CE, (b) FLAIR, (c) labels drawn by experts, or for a phantom those it was made with. The patient's left is on the right, as radiologists look at slices.", "name": "fig-sequences"}, "image": {"alt": "One axial slice of a brain three times: T1CE, FLAIR, and coloured tumour labels on black."}}
titles = {"t1ce": "(a) T1CE", "flair": "(b) FLAIR", "labels": "(c) ground truth"}
panels = [slices.Panel(stacks[kind][place], kind, title) for kind, title in titles.items()]
slices.show_grid([panels], note=shown)

# %% [markdown]
# ## How a slice is made
#
# Section 3 of the paper names the steps: crop the volume to 180 × 180 × 70 voxels, scale it to
# 128 × 128 × 70, normalise it to *z-scores*. A z-score says how many standard deviations a pixel
# lies above the mean. The paper prints no formula. Ours takes mean and standard deviation over the
# brain pixels $B$ of the cropped and resized volume, for each patient and sequence. $B$ is where the
# sequence itself exceeds 0; everywhere else, a patient's brain is where FLAIR does. The background
# stays 0:
#
# $$ z_i = \frac{x_i - m}{s}, \qquad m = \frac{1}{|B|} \sum_{j \in B} x_j, \qquad
#    s^2 = \frac{1}{|B|} \sum_{j \in B} (x_j - m)^2 $$
#
# ```{literalinclude} ../../paperlib/data/preprocess.py
# :pyobject: apply_zscore
# ```
#
# ```{literalinclude} ../../paperlib/data/preprocess.py
# :pyobject: crop
# ```
#
# Not in the paper, and decided here: *where* the window lies, which 70 slices are kept, that images
# are resized with anti-aliasing and labels by nearest neighbour, and the clipping. All of it is in
# one place:

# %%
for name, value in vars(run.prepare).items():
    print(f"{name:20} {value}")

# %% [markdown]
# The same steps by hand, from the patient's file:

# %%
stored = brats.read_case(patients.usable_cases(run)[case]).images["flair"]
p = run.prepare
window = preprocess.Window(p.x_low, p.y_low, p.z_low, p.z_high, p.window)
cropped = preprocess.crop(stored, window)
small = preprocess.resize_images(cropped, p.size)
brain = preprocess.resize_labels(cropped > 0, p.size)
scale = preprocess.normalisation(small[brain], method=p.zscore)
zscores = preprocess.apply_zscore(small, brain, scale, clip=(p.clip_low, p.clip_high))
prepared = stacks["flair"][table["case"] == case]
print("as in the prepared run:", np.allclose(zscores, prepared, rtol=0, atol=1e-4))

# %% mystnb={"figure": {"caption": "From the stored volume to what a network sees. Left: one stored FLAIR slice and the window (yellow). Below: z-scores of all brain pixels of this patient; the tumour makes the tail on the right, and it pulls the zero point with it.", "name": "fig-slice-steps"}, "image": {"alt": "A slice at three stages, stored, cropped, and small, above a histogram of z-scores with one peak just below zero."}}
data_figures.plot_slice_steps(
    stored, cropped, zscores, window, z=int(table["z"][place]), note=shown
)

# %% [markdown]
# The mean and the standard deviation come from the *whole* brain. A large bright tumour therefore
# makes all other tissue darker. A method that only measures brightness already gets some of its
# power, and some of its errors, from here. The exercise at the end changes that.

# %% [markdown]
# ## The cohort
#
# A slice *counts* when at least 5 % of its pixels are brain (`brain_share` above). It is
# *tumour-free* when no pixel carries a tumour label after resizing. Patients with few tumour-free
# slices cannot be used to set thresholds.

# %%
cases = artifacts.load_table(folder, "cases")
grades = cohort.by_grade(cases).round(2)
present.show(grades.astype(str), caption=f"Patients and slices of this run. {note}.")

# %% [markdown]
# Patients are split, never slices: two neighbouring slices of one patient are nearly the same
# image. The paper holds out 30 patients (20 HGG, 10 LGG). Here the test patients are
# drawn by grade, with the seed of the settings. The validation patients decide which weights are
# kept and set the thresholds of the networks' scores, so they must hold tumour-free slices; this
# function sees to it:
#
# ```{literalinclude} ../../paperlib/data/split.py
# :pyobject: choose_validation
# ```

# %%
split = cohort.split_table(cases, [patients.load_fold(run, fold) for fold in range(run.folds)])
present.show(split.astype(str), caption=f"Who trains, who sets thresholds, who is tested. {note}.")

# %% [markdown]
# Patients of a folder that the run leaves out, and why. Nothing is repaired silently. A profile may
# also take only the first patients of a large folder.

# %%
left_out = cohort.refused_patients(run.require("check")) if run.data else None
if left_out is None:
    print("Simulated patients: no folder was checked.")
else:
    print(f"{left_out['patient'].nunique()} patients of the folder are refused or unlabelled.")
left_out

# %% [markdown]
# ## What the position of a slice gives away
#
# Tumours do not lie everywhere with the same chance. Near the crown (large z) slices are small and
# mostly tumour-free; in the middle of the brain nearly every slice of these patients holds tumour.

# %% mystnb={"figure": {"caption": "Slices of all patients of this run by height, with tumour below, tumour-free on top. Where one colour is missing, the height alone decides.", "name": "fig-heights"}, "image": {"alt": "Bars over the height of the slice: tumour slices dominate below, tumour-free ones near the crown."}}
data_figures.plot_heights(cohort.slices_per_height(table), note=f"{len(cases)} patients, {note}")

# %% [markdown]
# How far does one come with this? *AUROC*, the area under the receiver operating characteristic, is
# the chance that a slice with tumour gets a higher score than one without: 1 is perfect, 0.5 is
# guessing. Three scores need no network and no training. The first does not even look at the image.
# The paper's number for its best score, the mean residual of a network, is
# {result}`paper.score.mean_residual:.3f`.

# %%
real = present.load_reference(publishing.reference_folder("real36"))
sources = {"this run": found} | ({"36 real patients": real} if real else {})
draws = tables.Draws().number
position = {name: cohort.position_auroc(one, draws=draws) for name, one in sources.items()}
real_note = provenance.one_line(real.provenance) if real else "the reference is not in this copy"

# %% mystnb={"figure": {"caption": "AUROC of scores without any network, test patients only, with 95 % intervals over patients. Dashed: the paper's mean residual. Grey: guessing. The 36 real patients are a reference run; they are shown where this copy of the project holds it.", "name": "fig-position"}, "image": {"alt": "Dots with intervals for slice height, brain area and mean FLAIR, against the paper's number as a dashed line."}}
data_figures.plot_position_scores(
    position, paper=paper.AUROC["mean_residual"], note=f"{note}; 36 real patients: {real_note}"
)

# %% [markdown]
# **How to read it.** A slice score whose AUROC is near these dots has not shown that it sees a
# tumour. It may have seen that the slice is large. The paper gives no such comparison, and no
# number of tumour-free slices. The [page on anomaly scores](04_anomaly_scores) therefore prints
# controls beside every AUROC. The intervals are wide because there are few *patients*; the number
# of slices does not help, as slices of one patient resemble each other.

# %% [markdown]
# ## Augmented copies, and squares of noise
#
# For every training slice the paper adds one copy: flipped, scaled, sheared or slightly rotated. On
# top it puts squares of Gaussian noise, side 15 to 50 pixels, so that odd regions disturb the network
# less. It does not say what the network should return there. We take the **clean** image as the
# target: the network has to fill the square from what lies around it. Ranges and chances are
# decided here:

# %%
settings = config.AugmentSettings()
for name, value in vars(settings).items():
    print(f"{name:20} {value}")

# %% [markdown]
# ```{literalinclude} ../../paperlib/data/augment.py
# :pyobject: apply_transforms
# ```

# %%
training = patients.healthy_of(table, patients.load_fold(run, 0).training)
image = stacks["flair"][training[table["brain_px"][training].argmax()]]
drawn = [augment.draw_transform(image, settings, np.random.default_rng([0, n])) for n in range(5)]
images = torch.from_numpy(np.stack([image] * len(drawn)))[:, None]
inputs, targets = augment.apply_transforms(images, drawn)

# %% mystnb={"figure": {"caption": "One tumour-free training slice and five copies of it as they are drawn. Above: what the network gets. Below: what it should return. A square appears in about half of the copies.", "name": "fig-augment"}, "image": {"alt": "Two rows of six brain slices, slightly rotated and scaled; some in the upper row carry a square of noise."}}
pairs = {"input": inputs, "target": targets}
rows = [
    [slices.Panel(image, "flair", "original" * (name == "input"))]
    + [slices.Panel(copy, "flair") for copy in copies[:, 0].numpy()]
    for name, copies in pairs.items()
]
slices.show_grid(rows, row_titles=list(pairs), note=note)

# %% [markdown]
# ## What a perfect reconstruction would be
#
# The method hopes for a network that returns *this patient's brain without the tumour*. A phantom
# is simulated with and without its tumour, with the same displaced anatomy and the same noise, so
# here the wish can be shown. For real patients nobody knows that image; this page then shows a
# crude stand-in, the tumour filled with the median of the other tissue.

# %%
tumour = stacks["labels"][place] > 0


def without_tumour(sequence):
    image, inside = stacks[sequence][place], stacks["brain"][place] & ~tumour
    if run.data is None:
        return artifacts.load_array(folder, f"healthy_{sequence}")[place]
    return np.where(tumour, np.median(image[inside]), image)


# %% mystnb={"figure": {"caption": "What a perfect network would do. The residual is reconstruction minus image; red means that the image is brighter. The green line is the true tumour. In FLAIR most of the tumour is red; in T1CE only the enhancing part is, and the rest may even be darker than healthy tissue (blue).", "name": "fig-counterfactual"}, "image": {"alt": "FLAIR and T1CE in two rows: the image, the same brain without tumour, and their difference, which is red in the tumour."}}
rows = []
for sequence in ("flair", "t1ce"):
    image, healthy = stacks[sequence][place], without_tumour(sequence)
    row = [
        slices.Panel(image, sequence, "image"),
        slices.Panel(healthy, sequence, "without tumour"),
    ]
    rows.append([*row, slices.Panel(healthy - image, "residual", "residual", tumour)])
slices.show_grid(rows, row_titles=["FLAIR", "T1CE"], note=shown)

# %% [markdown]
# ## Is the phantom good enough, and for what?
#
# Phantoms are made from an average brain, pushed and folded at random, with tumours whose size,
# brightness and place are drawn from distributions. It was fixed in advance what a cohort of them
# must measure. The bands are meant for the 20 test patients of the profile
# `phantom`; with the three of `smoke` a "no" means little.

# %%
reference = present.load_reference(publishing.reference_folder("phantom"))
phantom, measured_real = (reference, found) if run.data else (found, real)
bands = cohort.compare(phantom, measured_real)
texts = bands.map(lambda value: value if isinstance(value, str) else f"{value:.2f}")
both = (phantom, measured_real)
notes = [provenance.one_line(one.provenance) if one else "not in this copy" for one in both]
present.show(texts, caption="What a phantom cohort must measure (from, to), what it measures, and "
             f"real patients where there are any. Phantom: {notes[0]}. Real: {notes[1]}.")  # fmt: skip

# %% [markdown]
# One "yes" is weaker than it looks. The band of the perfect reconstruction names no reading of
# equation 1, and the row takes the plain mixture. With the reading that the rest of this book uses,
# the phantom of the reference run measures
# {result}`phantom.outline.B11_perfect_reconstruction.volume:.2f`, below the band, and the real
# patients {result}`real36.outline.B11_perfect_reconstruction.volume:.2f`.
#
# Brightness, size and contrast of these tumours are **inputs, tuned by hand on 12 real patients**,
# until the plain FLAIR threshold scored as it does on those. So a phantom must not be used to claim
#
# - that a method works on patients, or that one method beats another on patients;
# - any number of the paper;
# - that the plain FLAIR threshold is strong: this was built in, not found;
# - that a slice score is good: height and position of the tumours follow one formula, and the score
#   measures that formula.
#
# It is good for teaching the way of the data, for tests, for timing, and for questions with a known
# truth that change one thing at a time. Phantoms and real patients are never pooled.

# %% [markdown]
# ## Exercises
#
# ```{exercise-start} Predict: twice the signal
# :label: exercise-gain
# ```
# The unit of an MR image is arbitrary. Suppose that every value in this patient's file were twice
# as large. Compared with now, the z-scores of the brain would be `"unchanged"`, `"doubled"` or
# `"shifted"`: which?
#
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-gain
# :class: dropdown
# ```
# Mean and standard deviation double with the values, and the factor cancels. A z-score knows
# nothing of the scanner's unit. It knows, however, what else is in the image: see the third
# exercise.

# %% tags=["solution"]
# hint: put 2x in place of x into the formula of z above; m and s contain x, too
zscores_then = "unchanged"

# %% tags=["check"]
exercises.check_gain(zscores_then, small, brain)

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise-start} Predict: a score turned around
# :label: exercise-turned
# ```
# The score "slice height" is $-z$: the lower the slice, the more suspicious. A colleague forgot the
# minus sign. Which AUROC did he get with $z$ on the slices of this run? The frame below has that
# of $-z$. Ties between heights count one half in both.

# %%
position["this run"].round(3)

# %% [markdown]
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-turned
# :class: dropdown
# ```
# Each pair of a tumour slice and a tumour-free one that was in the right order is now in the wrong
# one. An AUROC far *below* one half is therefore no failure to see something: the score sees it
# and names it the wrong way round. That is why each score of this book says which direction is
# anomalous before it is measured, not after.

# %% tags=["solution"]
# hint: which pairs of slices are in the right order now?
turned = 1 - position["this run"].loc["slice height", "AUROC"]

# %% tags=["check"]
exercises.check_turned(turned, slice_scores.load_test_slices(found, cohort.NO_NETWORK))

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise-start} Change: the zero point
# :label: exercise-zscore
# ```
# Mean and standard deviation come from the whole brain, tumour included. How far does the tumour
# move the zero point of this patient? Below for `"mean_sd"`; `preprocess.ZSCORES` has one more
# method. Take it, and compute by how much the zero point moves then. The table below the check
# gets a second row.

# %%
healthy = brain & (stacks["labels"][table["case"] == case] == 0)
whole, rest = (preprocess.normalisation(small[k], method="mean_sd") for k in (brain, healthy))
moved = {"mean_sd": (whole.centre - rest.centre) / rest.spread}
print(f"zero point moved by {moved['mean_sd']:.2f} sd of healthy tissue")

# %% [markdown]
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-zscore
# :class: dropdown
# ```
# A minority of bright pixels moves the median less than the mean, and the median absolute deviation
# less than the standard deviation. To train with it, set `zscore` in `paperlib/config.py`
# (`PrepareSettings`). All numbers of the book then change: the tumour becomes brighter in z-scores,
# for the networks *and* for the plain threshold.

# %% tags=["solution"]
# hint: a key of preprocess.ZSCORES
method = "median_mad"
whole, rest = (preprocess.normalisation(small[k], method=method) for k in (brain, healthy))
# hint: as above, with your method: difference of two centres, in units of the healthy spread
shift = (whole.centre - rest.centre) / rest.spread

# %% tags=["check"]
exercises.check_zscore(method, shift, small, brain, healthy)
moved[method] = shift
frame = pd.DataFrame({"zero point moved by": moved}).map("{:.2f} healthy spreads".format)
present.show(frame, caption=f"What the tumour of patient {case} does to the zero point. {note}.")

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise-start} Open: a better zero point?
# :label: exercise-leak
# ```
# "The tumour spoils mean and standard deviation", says a colleague. "We have its outline for every
# patient of the data set. Let us leave the tumour out when we compute them." What becomes better,
# what is wrong with it, and how would you get the good part without the bad one?
#
# A good answer (1) says which tissue becomes comparable between patients, and why that helps a
# detector; (2) says what is known about a test patient when he is normalised this way, and whether
# it would be known of a new patient; (3) names what the numbers of such an experiment could still
# be used for; (4) proposes a zero point that no outline is needed for.
#
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-leak
# :class: dropdown
# ```
# (1) Healthy tissue of all patients would get the same zero point and unit, whatever their tumours;
# a threshold in z-scores would mean the same in each. (2) But the outline of a *test* patient is
# what the method is to find. It enters the image before the method runs: a patient with a large
# tumour becomes brighter than he would be otherwise, and the score goes up with the answer. A new
# patient has no outline, so the method could not be used at all. (3) As an upper bound it is
# useful: it says how much of the error comes from the zero point. (4) Median and median absolute
# deviation, a peak of the histogram, or the mean of a tissue that tumours rarely touch.

# %% [markdown]
# ```{solution-end}
# ```

# %% [markdown]
# ## What we learned
#
# - A slice is a crop, a resize and a z-score; the z-score already knows about the tumour.
# - Height and size of a slice tell much about whether it holds a tumour. Every score has to be
#   compared with them.
# - Labels choose the training slices, patients are split, thresholds come from other patients.
# - Phantoms teach and test. They prove nothing about patients.
