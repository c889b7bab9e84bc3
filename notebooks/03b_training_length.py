# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # How long to train
#
# **The question.** The paper ranks its networks by Dice (Table 2) and trains each "until
# convergence"; how long that was, it does not say. [The page before](03_training) showed that
# detection changes along the way. Does the *order* of the networks change, too? If it does, a table
# of networks says how long they were trained as much as which is better.

# %% tags=["parameters"]
profile: str = "smoke"  # one of: smoke, phantom, phantom-free, phantom-foci, laptop, full, paper
data: str = ""  # folder of real patients; empty: simulated ones
folds: int = 1  # from 1 to 20
measure: str = "pixel_ap"  # of the tables; one of: pixel_ap, dice, auroc

# %%
import pandas as pd

from paperlib.evaluation import evidence, paper, present
from paperlib.evaluation.figures import training_length as length_figures
from paperlib.evaluation.networks import training_length
from paperlib.exercises import training_length as exercises
from paperlib.pipeline import run as runs
from paperlib.pipeline.pages import publishing
from paperlib.pipeline.studies import length_rows
from paperlib.publish import parameters

# %%
parameters.validate(globals(), runs.check_choices)
run = runs.open_run(profile, data, folds)
found = evidence.load_evidence(run.require("evidence"), command=run.command)
own = training_length.of_run(found)
real = training_length.load_lengths(publishing.reference_folder("length/real36"))
phantom = training_length.load_lengths(publishing.reference_folder("length/phantom"))
for name, one in {"real patients": real, "phantom": phantom}.items():
    text = training_length.describe_origin(one) if one else "not in this copy, `make length` makes"
    print(f"{name}: {text}{'' if one else ' them; this run is shown instead'}")

# %% [markdown]
# ## What is measured, and against what
#
# `make length` trains networks on FLAIR, one fixed split, far longer than the rest of the book: on
# real patients all six models of the paper with both losses, on simulated ones two models. At every
# doubling of the slice-steps each is shown the same test slices, and this is noted:
#
# ```{literalinclude} ../../paperlib/evaluation/measures/convergence.py
# :pyobject: measure_residual
# ```
#
# An order is compared with the paper's by *Kendall's* $\tau$: with $C$ pairs of rows that both orders
# rank alike and $D$ pairs that they rank the other way round,
#
# $$ \tau = \frac{C - D}{\sqrt{(C + D + T_1)(C + D + T_2)}} $$
#
# where $T_1$ and $T_2$ count pairs tied in one order only. 1 is the same order, 0 no relation, −1 the
# reverse.
#
# ```{literalinclude} ../../paperlib/evaluation/networks/training_length.py
# :pyobject: agreement
# ```
#
# The paper's order is that of its Dice of the outline, after its mixture. Ours is taken from the
# residual itself, before any clustering: it says which network separates tumour better, whatever
# segments it later. The paper chose its weights by validation loss; where that leads is the last
# panel of the figures.
#
# ## First this run
#
# The run of this page, as long as it trained:

# %%
present.show(
    training_length.row_means(own.milestones, measure).T.map("{:.2f}".format),
    caption=f"{training_length.MEASURES[measure]} at slice-steps, by row. "
    f"{training_length.describe_origin(own)}.",
)

# %% [markdown]
# ## Real patients

# %%
shown = real or own
origin = training_length.describe_origin(shown)
wanted = [f"{model}-{loss}-s{seed}" for model, loss, seed in length_rows.followed(real=True)]
missing = training_length.missing_networks(shown, wanted)
print(
    f"{origin}\nnot trained (yet), of those that `make length` follows: {', '.join(missing) or 'none'}"
)

# %% mystnb={"figure": {"caption": "Every network along its training, left and right by loss. Thick: a row of Table 2, the mean where it has several seeds; thin: those seeds. Grey: the plain image, which needs no network. A row is to be judged by how far apart its own seeds are. Real patients where this copy holds them; else this run (see the line under the figure).", "name": "fig-long-rows"}, "image": {"alt": "Ten panels against slice-steps: pixel average precision, Dice, AUROC, correlation with the negative image and validation loss, for each loss function."}}
length_figures.plot_rows(shown.milestones, note=origin)

# %% [markdown]
# In words, computed from the same numbers:

# %%
for name in training_length.FIGURES:
    print(training_length.MEASURES[name])
    for sentence in training_length.describe(shown, name):
        print(f"  {sentence}")

# %% mystnb={"figure": {"caption": "The paper's comparisons along the training, each the mean over its pairs of rows. Above 0: the first is better. Dotted: the paper's own difference, in Dice of its Table 2. Where a line crosses 0, the answer depends on when one stops.", "name": "fig-long-contrasts"}, "image": {"alt": "Two panels of differences between kinds of networks against slice-steps, with the paper's differences as dotted levels."}}
length_figures.plot_contrasts(shown.milestones, note=origin)

# %%
ranks = training_length.rank_table(shown.milestones, measure).map("{:g}".format)
tau = training_length.agreement(shown.milestones, measure).map("{:+.2f}".format)
ranks.loc["Kendall's tau with the paper"] = ["", *tau]
caption = "Rank of every row along the training, 1 is best, seeds averaged, by "
caption += f"{training_length.MEASURES[measure]}; the paper's ranks among the same rows. {origin}."
present.show(ranks.replace("nan", "–").replace("+nan", "–"), caption=caption)

# %% [markdown]
# ## Simulated patients

# %% mystnb={"figure": {"caption": "The same on simulated patients, two models, with the seeds that this copy holds; without any, this run.", "name": "fig-long-phantom"}, "image": {"alt": "The ten panels of training length for simulated patients."}}
simulated = phantom or own
length_figures.plot_rows(simulated.milestones, note=training_length.describe_origin(simulated))

# %%
for name in training_length.FIGURES:
    print(training_length.MEASURES[name])
    for sentence in training_length.describe(simulated, name):
        print(f"  {sentence}")

# %% [markdown]
# ## What cannot be concluded
#
# - **One split.** All networks share one set of test patients; other patients may cross elsewhere.
#   Intervals over patients would be wide, and are not shown.
# - **No stopping point may be read from these curves.** They are made with test labels. Without
#   labels only the validation loss is known, and it asks another question.
# - **Slice-steps are not the paper's epochs.** It had many more patients. With more slices the same
#   number of steps repeats each of them less often.
# - **Dice here is a threshold on the residual**, taken from healthy slices. It is not the paper's
#   mixture; the order is what is compared.
#
# ## Exercises
#
# ```{exercise-start} Predict: two neighbours change places
# :label: exercise-tau
# ```
# Two orders of as many rows as the paper's Table 2 has networks are the same, but two neighbours
# have changed places. There are no ties. How large is Kendall's $\tau$? Guess first: above or below
# one half?

# %%
n = len(paper.OUTLINE)
print(f"{n} rows")

# %% [markdown]
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-tau
# :class: dropdown
# ```
# There are $n(n-1)/2$ pairs. One of them goes from $C$ to $D$, so $C - D$ falls by two: with many rows
# one change of places hardly moves $\tau$, and with three rows it moves it far. A $\tau$ has to be read
# with the number of rows.

# %% tags=["solution"]
# hint: one pair leaves C; where does it go?
tau = 1 - 2 / (n * (n - 1) / 2)

# %% tags=["check"]
exercises.check_tau(tau, n)

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise-start} Change: what the rows are ordered by
# :label: exercise-length-order
# ```
# Everything on this page is measured with the true tumour, which a user does not have. Which key of
# `training_length.MEASURES` needs no label, and is the one that the paper chose its weights by? Say
# also which end is the better one: `1` if higher is better, `-1` if lower. The table then orders
# the rows of one loss by it, too (losses of different kinds cannot be compared).

# %%
loss = shown.milestones["loss"].iloc[0]
chosen = shown.milestones[shown.milestones["loss"] == loss]
places = {training_length.MEASURES[measure]: training_length.row_means(chosen, measure).iloc[-1]}

# %% [markdown]
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-length-order
# :class: dropdown
# ```
# The first line says who *is* the better detector at the last look, the second whom one would choose
# without labels. Where they name different rows, choosing by the loss does not choose the detector.

# %% tags=["solution"]
# hint: which of the keys could you compute for a patient whom nobody has outlined?
other = "validation_loss"
# hint: 1 or -1
direction = -1

# %% tags=["check"]
exercises.check_label_free(other, direction, measure)
values = direction * training_length.row_means(chosen, other).iloc[-1]
places[training_length.MEASURES[other]] = values
frame = pd.DataFrame(places).T.rank(axis=1, ascending=False).map("{:g}".format)
caption = f"Rank of every row trained with {loss} at the last look, 1 is best. {origin}."
present.show(frame, caption=caption)

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise-start} Open: choosing without labels
# :label: exercise-choose
# ```
# You have scans of your own hospital, no outline of any tumour, and six networks along their
# training. You have to use one of them. How do you choose, and what do you tell the reader?
#
# A good answer (1) names what can be measured without labels; (2) says, from this page, how far that
# can be trusted; (3) says why "the best Dice on a few slices that I outlined myself" is a label;
# (4) tells how to report a result that does not depend on the choice.
#
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-choose
# :class: dropdown
# ```
# (1) Losses on healthy slices, and how much of the residual is the image itself. (2) The cell below
# gives, for each loss, the rank correlation of "lower loss" and "better detector" over rows at each
# look; where it is far from 1, or changes its sign along the way, the loss does not choose the
# detector. (3) It would be: the slices that chose may not be used to report, and a choice made on a
# few patients is as uncertain as they are few. Say so and use others for the report. (4) Fix the
# rule before looking, report all networks and lengths, not the best, and put the plain image beside
# them.

# %%
for name, part in shown.milestones.groupby("loss", sort=False):
    lower = -training_length.row_means(part, "validation_loss")
    better = training_length.row_means(part, measure)
    both = lower.corrwith(better, axis=1, method="spearman").dropna()
    print(f"{name}: " + ", ".join(f"{value:+.2f} at {steps:,}" for steps, value in both.items()))

# %% [markdown]
# ```{solution-end}
# ```
#
# ## What we learned
#
# - A comparison of networks is a comparison at a training length; it has to be told.
# - Where the curves of two rows cross, either order could be published: each is right at its length,
#   for these patients and seeds.
# - Seeds belong into the same picture as rows: a gap between rows that is smaller than the gap between
#   seeds ranks nothing.
