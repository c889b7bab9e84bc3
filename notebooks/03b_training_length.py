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
profile: str = "smoke"  # size; one of: smoke, phantom, phantom-free, laptop, full, paper
data: str = ""  # folder of real patients; empty: simulated ones
folds: int = 1  # from 1 to 20
measure: str = "pixel_ap"  # of the tables; one of: pixel_ap, dice, auroc

# %%
from paperlib.evaluation import evidence, present, training_length
from paperlib.evaluation.figures import training_length as length_figures
from paperlib.pipeline import length_rows, publishing, run as runs
from paperlib.publish import parameters

parameters.validate(globals(), runs.check_choices)

# %%
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
# ```{literalinclude} ../../paperlib/evaluation/convergence.py
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
# ```{literalinclude} ../../paperlib/evaluation/training_length.py
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

# %% mystnb={"figure": {"caption": "The same on simulated patients, two models with three seeds each, where this copy holds them; else this run.", "name": "fig-long-phantom"}, "image": {"alt": "The ten panels of training length for simulated patients."}}
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
# ## Change one thing
#
# ```{exercise-start}
# :label: exercise-length-order
# ```
# The validation loss is what one may look at. Rank the rows of one loss by it instead (lowest is
# best) and compare with the ranks above: does the loss choose the better detector?

# %%
chosen = shown.milestones[shown.milestones["loss"] == shown.milestones["loss"].iloc[0]]
ranked = training_length.row_means(chosen, "validation_loss").rank(axis=1).T
present.show(ranked.map("{:g}".format), caption=f"Ranks by validation loss. {origin}.")

# %% [markdown]
# ```{exercise-end}
# ```

# %% [markdown]
# ```{solution-start} exercise-length-order
# :class: dropdown
# ```
# Rank correlation of the two at every look, within one loss (losses of different kinds cannot be
# compared): 1 means that the lower loss is the better detector. With few rows it takes few values.

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
# - Where the curves of two rows cross, both orders are reproducible results.
# - Seeds belong into the same picture as rows: a gap between rows that is smaller than the gap between
#   seeds ranks nothing.
