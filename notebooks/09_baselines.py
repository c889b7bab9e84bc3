# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # What a network is compared with
#
# **The question.** A segmentation by anomaly has two halves: something that says what the slice
# should look like, and something that turns the difference into a mask. The paper changes the first
# half, network by network, and keeps the second. So it cannot say whether a network is needed at
# all, nor which half makes the result. Here every first half meets every second half, on the same
# slices, with the same masks and the same way of counting.

# %% tags=["parameters"]
profile: str = "smoke"  # one of: smoke, phantom, phantom-free, phantom-foci, laptop, full, paper
data: str = ""  # folder of real patients; empty: simulated ones
folds: int = 1  # from 1 to 20
case: int | None = None  # number of a test patient to look at; None: the one with most tumour
z: int | None = None  # height of the slice, from 60 to 129; None: where most tumour is

# %%
import numpy as np
import pandas as pd

from paperlib import artifacts
from paperlib.evaluation import evidence, present, tables
from paperlib.evaluation.comparisons import crossed
from paperlib.evaluation.figures import crossed_pages, slices
from paperlib.evaluation.measures import best_threshold, metrics

# %%
from paperlib.exercises import baselines as exercises
from paperlib.models import simple
from paperlib.pipeline import run as runs
from paperlib.pipeline.comparisons import crossed_residuals
from paperlib.pipeline.method import patients
from paperlib.pipeline.pages import publishing
from paperlib.publish import parameters, provenance

parameters.validate(globals(), runs.check_choices)

# %%
run = runs.open_run(profile, data, folds)
found = evidence.load_evidence(run.require("evidence"), command=run.command)
draws = tables.Draws()
places = {name: publishing.reference_folder(name) for name in publishing.REFERENCES}
known = {name: crossed.load_crossed(place) for name, place in places.items()}
notes = {k: provenance.one_line(one.provenance) for k, one in known.items() if one}
for name, one in known.items():
    print(f"{name}: {crossed_pages.describe(one)} {notes.get(name, '')}")
phantom, real = known["phantom"], known["real36"]

# %% [markdown]
# The tables of this page take longer than a book may. They come from `make ablations` and are kept
# with the project; the lines above say from which run, or that this copy has none. The pictures and
# the exercise are from this run.
#
# ## Ways to guess the healthy slice
#
# The residual is the same as everywhere, reconstruction minus image (section 4.2):
#
# $$ r = \hat x - x $$
#
# Only $\hat x$ changes. Without any training it can be a median or a Gaussian mean of the
# neighbourhood, or the other half of the brain:
#
# ```{literalinclude} ../../paperlib/models/simple.py
# :pyobject: mirror
# ```
#
# With healthy slices, but without a network, it can be the mean slice at this height, in units of its
# standard deviation, or the nearest slice that a few principal components can draw, the linear
# relative of an autoencoder:
#
# ```{literalinclude} ../../paperlib/models/simple.py
# :pyobject: norm_at
# ```
#
# And a network can be asked to remove noise instead of squeezing the slice through a bottleneck. A
# *denoising autoencoder* with coarse noise {cite}`kascenas2022denoising` is a strong opponent in
# this field. Here it is a small U-Net:
#
# ```{literalinclude} ../../paperlib/models/unet_tasks.py
# :pyobject: denoising_task
# ```

# %%
largest = found.slices.loc[found.slices["WT_truth"].idxmax()]
case = int(largest["case"]) if case is None else case
own = found.slices[found.slices["case"] == case].set_index("z")
z = int(own["WT_truth"].idxmax()) if z is None else z
fold = int(own["fold"].iloc[0])
fitted = crossed_residuals.fit_healthy(run, fold)
of_run = patients.load_slices(run)
place = of_run.index[(of_run["case"] == case) & (of_run["z"] == z)].to_numpy()
shown = crossed_residuals.load_shown(run, place)

# %%
few = fitted.subspace.directions[:64]
made = {
    "median": simple.masked_median(shown.images, shown.brain, side_px=15),
    "Gaussian": simple.masked_gaussian(shown.images, shown.brain, sigma_px=4.0),
    "mirror": simple.mirror(shown.images, shown.brain),
    "norm": fitted.norms[z].mean[None] * shown.brain,
    f"PCA, {len(few)}": simple.project(fitted.subspace, shown.images, components=64) * shown.brain,
}
print(f"patient {case}, z = {z}: norm of {fitted.norms[z].slices} slices")

# %% mystnb={"figure": {"caption": "One slice and what five methods without a network take for its healthy version (top), and the residuals (bottom). A large tumour fills the window of the median and of the Gaussian, so they draw it, too. The mirror image shows every difference between the halves, once with each sign. The norm and the components draw no tumour, nor the ventricles and folds of this patient.", "name": "fig-simple-reconstructions"}, "image": {"alt": "Two rows of pictures: reconstructions by five simple methods and their residuals."}}
image = shown.images[0]
top = [slices.Panel(image, "flair", "FLAIR")]
top += [slices.Panel(guess[0], "flair", name) for name, guess in made.items()]
below = [slices.Panel(-image, "residual", "r = −x")]
below += [slices.Panel(guess[0] - image, "residual") for guess in made.values()]
note = f"patient {case}, z = {z}, {provenance.one_line(found.provenance)}"
slices.show_grid([top, below], row_titles=("reconstruction", "residual"), note=note)

# %% [markdown]
# ## Ways to make a mask
#
# Five of them look at one slice alone: the paper's mixture with its neighbourhood, the plain mixture
# by our own code and by scikit-learn, k-means, and Otsu's threshold. Three use one threshold for all
# slices: the value that a share of the healthy pixels of other patients exceeds, the one that fits the labels of the
# other test patients best, and the *oracle*, the one that fits the labels it is scored on. The last
# two need labels, so they are no methods for a new hospital. They say what a residual would allow.
#
# ```{literalinclude} ../../paperlib/evaluation/measures/best_threshold.py
# :pyobject: thresholds_of_others
# ```
#
# All masks get the same opening and closing. The thresholds of the last two are sought among a
# dozen that let through ever smaller shares of the brain, and the first of the three. The oracle
# bounds what one threshold can do; a method that looks at each slice alone may exceed it.
#
# ## The crossed table
#
# Simulated patients. Read it along the columns: within one column only the residual differs.

# %% mystnb={"figure": {"caption": "Dice of the whole tumour on FLAIR for every residual (rows) and every way to make a mask (columns), mean over every slice, a slice without tumour counts 0; simulated patients. Right: how well the residual ranks the pixels, without any mask. Above the white line the paper's networks, left of it methods that look at one slice alone.", "name": "fig-crossed"}, "image": {"alt": "A table of Dice values coloured by size, residuals by post-processing, and a column of pixel average precision."}}
crossed_pages.show_table(phantom, note=notes.get("phantom", ""))

# %% [markdown]
# The same for real patients:

# %% mystnb={"figure": {"caption": "As the figure before, for the real patients of the reference run.", "name": "fig-crossed-real"}, "image": {"alt": "A table of Dice values coloured by size for real patients, residuals by post-processing."}}
crossed_pages.show_table(real, note=notes.get("real36", ""))

# %% [markdown]
# One row and three columns carry the argument. The row without reconstruction, $r = -x$, is the
# image itself: what it reaches is not a network's merit. The column with the labels of the others
# gives every residual the same knowledge; the next table has its intervals. And k-means takes the
# *smaller* of two clusters, as the paper does, while Otsu takes the brighter one: on one value per
# pixel both seek the same threshold, so where their columns differ, the rule and not the threshold
# is to blame.

# %%
crossed_pages.show_gain(phantom, crossed.OTHERS, draws=draws, note=notes.get("phantom", ""))

# %%
crossed_pages.show_gain(real, crossed.OTHERS, draws=draws, note=notes.get("real36", ""))

# %% [markdown]
# In words, computed from the same rows:

# %%
for name, one in known.items():
    print(f"{name}: {crossed_pages.say_gain(one, crossed.OTHERS, draws=draws)}")

# %% [markdown]
# An interval of the difference that holds zero gives no reason to prefer the row to the plain image.
# Where the difference is negative, the reconstruction has done harm: it has removed more of the
# tumour than of everything else.
#
# ## How much the components explain
#
# More components draw any slice better, one with a tumour included. There are never more than half
# as many as healthy training slices.

# %%
crossed_pages.show_components(phantom, note=notes.get("phantom", ""))

# %%
crossed_pages.show_components(real, note=notes.get("real36", ""))

# %% [markdown]
# ## With labels
#
# How far is all of this from a network that was shown the labels? A U-Net of the same size as the
# paper's networks, trained on the same patients and slices, both sequences at once:

# %%
crossed_pages.show_supervised(phantom, draws=draws, note=notes.get("phantom", ""))

# %%
crossed_pages.show_supervised(real, draws=draws, note=notes.get("real36", ""))

# %% [markdown]
# The paper sets its gated numbers beside {result}`paper.gated.WT:.2f` for the whole tumour and a
# range of published supervised results. That range comes from other patients, more sequences and
# volumes instead of slices. The column of volumes is the nearest to it, though not the same: a volume
# here ends with the lowest slice that is examined, and [most tumours go on below](07_limits). The
# column of every slice is the one to hold against Table 2.
#
# ## Exercises
#
# ```{exercise-start} Predict: a network that says the same of everybody
# :label: exercise-constant
# ```
# A network has learnt one thing: the mean brightness $c$ of a brain. It returns $\hat x = c$ in each
# pixel of each slice, so that $r = c - x$. Otsu's threshold makes a mask of $-r$. Compared with the
# mask that it makes of the image itself, is it `"smaller"`, `"the same"` or `"larger"`?
#
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-constant
# :class: dropdown
# ```
# A constant moves all values alike, and a threshold that follows the values moves with them. So each
# second half that looks at one slice alone gives a useless network the Dice of the plain image. That
# is no small number, and no merit: the row $r = -x$ has to stand in each table of networks. A
# threshold that is fixed in z-scores would have moved, and the same network would look better or
# worse for no reason but its zero point.

# %% tags=["solution"]
# hint: draw a histogram of x with its threshold; what does minus c do to it?
mask_of_constant = "the same"

# %% tags=["check"]
exercises.check_constant(mask_of_constant, shown.images[0], shown.brain[0])

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise-start} Change: the number of components
# :label: exercise-components
# ```
# The cells below draw one slice from some principal components, and rank the pixels of all slices of
# this patient by what the components leave. Take 4 components. By how much does the average
# precision exceed that of the image itself? The table below the check gets a new row.

# %%
number = 16
guess = simple.project(fitted.subspace, shown.images, components=number) * shown.brain
left = [slices.Panel(guess[0], "flair", f"{number} components")]
left += [slices.Panel(guess[0] - image, "residual", "residual")]
slices.show_grid([left], note=note)

# %%
places = patients.usable_of(of_run, [case])
whole = crossed_residuals.load_shown(run, places)
tumour = artifacts.load_array(run.stage("prepare"), "labels")[places] > 0
seen = whole.images, tumour, whole.brain

# %%
residual = simple.project(fitted.subspace, whole.images, components=number) - whole.images
anomalies = {"the image itself": whole.images, f"{number} components": -residual}
ranked = {
    name: metrics.pixel_average_precision(anomaly, tumour, whole.brain)
    for name, anomaly in anomalies.items()
}
pd.Series(ranked, name="average precision").round(3)

# %% [markdown]
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-components
# :class: dropdown
# ```
# More components follow the brain of this patient more closely; how far they follow the tumour, the
# pictures show. What stays in the residual of healthy tissue, the sulci and the edges of the
# ventricles, is what a small tumour would have to stand out from. No number of components tells the
# two apart. And whatever it is: only what exceeds the first row of the table is the components' work.

# %% tags=["solution"]
# hint: see the task
number = 4
residual = simple.project(fitted.subspace, whole.images, components=number) - whole.images
precision = metrics.pixel_average_precision(-residual, tumour, whole.brain)
# hint: a tumour is brighter than expected; which sign has r there? And what is it compared with?
above_image = precision - ranked["the image itself"]

# %% tags=["check"]
exercises.check_components(number, above_image, fitted.subspace, *seen)
ranked[f"{number} components"] = ranked["the image itself"] + above_image
frame = pd.DataFrame({"average precision": ranked})
frame["above the image"] = frame["average precision"] - ranked["the image itself"]
caption = f"Average precision of all brain pixels of {len(tumour)} slices. {note}."
present.show(frame.map("{:.3f}".format), caption=caption)

# %%
rows = []
for number in (4, 16, len(fitted.subspace.directions)):
    guess = simple.project(fitted.subspace, shown.images, components=number)[0]
    guess = guess * shown.brain[0]
    titles = (f"{number} components", "residual")
    panels = zip((guess, guess - image), ("flair", "residual"), titles, strict=True)
    rows.append([slices.Panel(*panel) for panel in panels])
slices.show_grid(rows, note=note)

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise-start} Explain: the price of honest labels
# :label: exercise-honest-threshold
# ```
# The two last columns of the crossed table, made by hand: of every test patient the slice with the
# most tumour, the plain image, a dozen thresholds. Each row below is a patient, each column a threshold.
# Take for each patient the threshold that is best for all the *other* patients. How much mean Dice
# does the oracle have above it, and where does it come from?

# %%
most = found.slices.loc[found.slices.groupby("case")["WT_truth"].idxmax(), ["case", "z"]]
places = of_run.reset_index().merge(most)["index"].to_numpy()
together = crossed_residuals.load_shown(run, places)
cases = together.slices["case"].to_numpy()
truth = artifacts.load_array(run.stage("prepare"), "labels")[places] > 0
limits = np.quantile(together.images[together.brain], np.linspace(0.6, 0.995, 12))
curves = best_threshold.dice_curves(together.images, truth, together.brain, thresholds=limits)
pd.DataFrame(curves, index=cases, columns=limits.round(2)).round(2)

# %% [markdown]
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-honest-threshold
# :class: dropdown
# ```
# The oracle is the best column of this very table, chosen after the table was seen. The fair one is
# chosen on other patients and meets this one unprepared. The fewer patients, the wider the gap: a
# threshold fits three patients easily. An oracle is an upper bound, and a bound of small samples
# flatters. Even the fair one needs labels, which the method of the paper does without.

# %% tags=["solution"]
others = best_threshold.thresholds_of_others(curves, cases, limits)
columns = [limits.tolist().index(others[patient]) for patient in cases]
# hint: `best_threshold.thresholds_of_others` gives a threshold per patient; find its column
fair = curves[range(len(cases)), columns].mean()
# hint: the oracle takes the column with the best mean for everybody
advantage = curves.mean(axis=0).max() - fair

# %% tags=["check"]
exercises.check_honest_threshold(fair, advantage, curves, cases, limits)

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise-start} Open: a fair opponent
# :label: exercise-fair-opponent
# ```
# You want to publish a new reconstruction network for this task. Which rows and columns does your
# main table have, and what has to be the same in all of them? Name the row that you fear most.
#
# A good answer (1) has a row without any network and one without training by gradient; (2) has at
# least two ways to make a mask, one of which every row would choose; (3) fixes slices, masks, way of
# counting and who has seen labels for all cells; (4) says what the intervals are of, and what a
# second training adds.
#
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-fair-opponent
# :class: dropdown
# ```
# (1) $r = -x$ and a filter or components: what they reach is free. The row to fear is $r = -x$ with a
# threshold from the labels of others. (2) The mask that I like and one that suits each residual, such
# as the threshold from others; and average precision, which needs no mask at all. (3) The same slices
# of the same test patients, the same tidying, the same Dice; a column that has seen labels says so.
# (4) Intervals over patients of the difference to $r = -x$, paired, with as many draws in each cell;
# and each network from several seeds, since patients say nothing about another training.
#
# ```{solution-end}
# ```
#
# ## What we learned
#
# - A residual is judged beside the plain image, after the same post-processing, never alone.
# - A Dice has two halves. A table of networks with one way to make masks shows one column only.
# - What labels can buy is a row of its own, not a number from another data set.
