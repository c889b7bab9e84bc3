# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Training
#
# **The question.** The paper trains each network until it converges and takes the weights with the
# lowest validation loss (section 5.1). It does not say how long that was. How do the losses fall
# here, and what happens to the *detection of tumours* on the way? The second question matters more
# than it seems: the lower loss is not the better detector.

# %% tags=["parameters"]
profile: str = "smoke"  # one of: smoke, phantom, phantom-free, phantom-foci, laptop, full, paper
data: str = ""  # folder of real patients; empty: simulated ones
folds: int = 1  # from 1 to 20
sequence: str = "flair"  # whose training is followed; one of: flair, t1ce

# %%
import pandas as pd

from paperlib.evaluation import evidence, present
from paperlib.evaluation.figures import training as training_figures
from paperlib.evaluation.networks import trainings
from paperlib.exercises import training as exercises
from paperlib.pipeline import run as runs
from paperlib.pipeline.pages import publishing
from paperlib.publish import parameters, provenance

# %%
parameters.validate(globals(), runs.check_choices)
run = runs.open_run(profile, data, folds)
found = evidence.load_evidence(run.require("evidence"), command=run.command)
note = provenance.one_line(found.provenance)
print(f"{note}; {len(found.provenance['networks'])} networks")
for name, value in vars(run.networks()[0]).items():
    print(f"{name:20} {value}")

# %% [markdown]
# ## How it is trained
#
# Each network is trained alone, with the optimiser Adam. One step draws a batch of slices and their
# augmented copies, draws the latent, and lowers
#
# $$ L = \mathrm{rec}(\hat x, x) + \beta \, \frac{\mathrm{KL}}{H W} $$
#
# of the [page before](02_architectures). All steps are this function:
#
# ```{literalinclude} ../../paperlib/models/training.py
# :pyobject: _step
# ```
#
# **Budget.** The unit of training length in this book is the *slice-step*: one slice seen by the
# optimiser, copies counted. Every network of a run gets the same number, for this run
# {result}`run.slice_steps:,` (the profile `paper` instead trains until the validation loss has not
# fallen for a number of epochs). An equal budget is fair in cost. It is not the same as convergence:
#
# ```{literalinclude} ../../paperlib/models/training.py
# :pyobject: _stop_reason
# ```

# %% mystnb={"figure": {"caption": "Losses along the training, one line per network. Solid: reconstruction loss on clean validation slices, latent at its mean. Dotted: on the training batches, with augmentation, squares of noise and a drawn latent; it is therefore higher, and the gap is not overfitting.", "name": "fig-losses"}, "image": {"alt": "Panels of training and validation loss against slice-steps for each sequence and loss function."}}
training_figures.plot_losses(found.epochs, note=note)

# %% [markdown]
# ## What the latent carries
#
# Two numbers tell whether the middle of the network is used. The *KL divergence* says how far the
# latent distribution is from a standard normal that carries no information, in nats per slice. A
# latent number is an *active unit* when its mean varies between the slices of a batch. With too
# strong a pull towards the standard normal both fall to zero, the network returns the same grey
# brain for every slice, and the residual is the image itself.

# %% mystnb={"figure": {"caption": "KL divergence and active units along the training, one line per network. The networks have different numbers of latent units, so levels may only be compared within one architecture.", "name": "fig-latent"}, "image": {"alt": "KL divergence and number of active units against slice-steps, for FLAIR and T1CE."}}
training_figures.plot_latent(found.epochs, note=note)

# %% [markdown]
# ## Who stopped, and why
#
# A row whose networks met the end of their budget before their validation loss stopped falling is
# marked *not converged*, here and wherever it is compared with the paper. Where there are fewer than
# 20 training patients, validation losses are too unsteady to choose by, and the last weights are
# kept; otherwise those with the lowest validation loss, as in the paper.

# %%
lengths = trainings.length_table(found)
present.show(lengths.astype(str), caption="Training of every row: networks (folds and seeds), "
             f"slice-steps, and why it ended. {note}.")  # fmt: skip

# %% [markdown]
# ## Training length changes the order of the rows
#
# At 1,000 slice-steps, at 2,000, at 4,000 and so on, each network was shown the same few test
# slices, and this was measured:
#
# ```{literalinclude} ../../paperlib/evaluation/measures/convergence.py
# :pyobject: measure_residual
# ```
#
# *Pixel average precision* asks how well $-r$ ranks tumour pixels above others, over all
# thresholds: 1 is perfect, the share of tumour pixels is guessing. Grey lines are the plain image
# (FLAIR brightness), which needs no network.

# %%
table = trainings.over_networks(found.milestones, sequence)
plain = trainings.plain_levels(found, sequence)
print({name: round(level, 3) for name, level in plain.items()})

# %% mystnb={"figure": {"caption": "What the residuals show along the training, in this run. Lines: means over the networks of a row; bars: from the lowest to the highest. Diamonds (hollow for dashed lines): the weights that were kept, drawn at the end of the training. Grey: the plain image, for Dice and AUROC on all test slices. No stopping point is chosen by this figure.", "name": "fig-length"}, "image": {"alt": "Four panels against slice-steps: pixel average precision, Dice, AUROC and the correlation of the residual with the negative image."}}
training_figures.plot_training_length(
    table, plain, measures=trainings.MEASURES, note=f"{sequence.upper()}, {note}"
)

# %% [markdown]
# Read the lower right panel first. A network that has learned little mostly returns something flat,
# so its residual is nearly $-x$: the correlation is near 1, and the residual detects a bright tumour
# about as well as *plain FLAIR does without a network*. (Some rows start with a pattern of their own
# instead; then everything is low at first.) Then the network learns to rebuild. It rebuilds healthy
# folds, which helps, and the brightness of the tumour, which hurts. Each row goes through this
# change at its own time. So
#
# - a network can have a *better* loss and be a *worse* detector;
# - at one common length, one row may stand before its change and another behind it. Their order
#   then says *when* they were stopped, not which architecture or loss is better;
# - two runs that differ in length can publish opposite orders, each reproducible.
#
# The same numbers as a table. The last line is what all later pages use.

# %%
order = trainings.order_table(found.milestones, sequence, "pixel_ap")
texts = order.map(lambda value: value if isinstance(value, str) else f"{value:.2f}")
present.show(texts, caption="Pixel average precision along the training; `plain` is the image "
             f"without a network. {sequence.upper()}, {note}.")  # fmt: skip

# %% [markdown]
# ### The same on real patients
#
# The reference run holds 36 real patients in folds: every line is a mean over folds, every bar its
# spread. Only numbers are in this project, no image and no weight of a patient.

# %%
real = present.load_reference(publishing.reference_folder("real36")) or found
real_note = provenance.one_line(real.provenance)
if real is found:
    print("The reference run is not in this copy: the figure and table below repeat this run.")
real_table = trainings.over_networks(real.milestones, sequence)
real_plain = trainings.plain_levels(real, sequence)

# %% mystnb={"figure": {"caption": "The figure above for the reference run on real patients, where this copy of the project holds it; else this run once more (see the line under the figure).", "name": "fig-length-real"}, "image": {"alt": "The same four panels of training length for the reference run."}}
training_figures.plot_training_length(
    real_table, real_plain, measures=trainings.MEASURES, note=f"{sequence.upper()}, {real_note}"
)

# %%
order = trainings.order_table(real.milestones, sequence, "pixel_ap")
texts = order.map(lambda value: value if isinstance(value, str) else f"{value:.2f}")
present.show(texts, caption="Pixel average precision along the training. "
             f"{sequence.upper()}, {real_note}.")  # fmt: skip

# %% [markdown]
# ## Exercises
#
# ```{exercise-start} Predict: how many epochs?
# :label: exercise-epochs
# ```
# Papers count *epochs*. One epoch of this book shows every training slice once, and one augmented
# copy of each. Here are slice-steps and training slices of the first network of this run. How many
# epochs was its training? Guess first whether it is nearer to 1, 10 or 100.

# %%
network = found.provenance["networks"][0]
print(network["pair"], {name: network[name] for name in ("slice_steps", "training_slices")})

# %% [markdown]
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-epochs
# :class: dropdown
# ```
# The same number of slice-steps is many epochs of a small data set and few of a large one. A length
# in epochs without the number of slices says as little as one in hours without the machine.

# %% tags=["solution"]
# hint: how many slices are shown in one epoch, copies counted?
epochs = network["slice_steps"] / (2 * network["training_slices"])

# %% tags=["check"]
exercises.check_epochs(epochs, network, run.networks()[0].batch_size)

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise-start} Change: what the loss is compared with
# :label: exercise-length
# ```
# The paper keeps the weights with the lowest validation loss. Does a lower validation loss go with
# a better detector? The cell computes the rank correlation of loss and pixel average precision
# along the training of each row (1: they fall and rise together, −1: as one falls the other rises).
# Choose another key of `trainings.MEASURES`, and compute the share of rows in which it rose while
# the loss fell. The table gets a second column.

# %%
way = real.milestones[real.milestones["sequence"] == sequence]


def follow(measure):
    pairs = way.groupby(["model", "loss", "fold", "seed"])[["validation_loss", measure]]
    ranks = pairs.corr(method="spearman").xs("validation_loss", level=-1)[measure]
    return ranks.groupby(["model", "loss"]).mean()


followed = {trainings.MEASURES["pixel_ap"]: follow("pixel_ap")}

# %% [markdown]
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-length
# :class: dropdown
# ```
# A positive number in the table means: while the loss improved (fell), the measure fell, too. Taking
# the weights with the best detection instead would be choosing by test labels, which is not
# allowed; and without labels one cannot know where that was. In a run too short for more than one
# look nothing can be correlated; the table then says nan.

# %% tags=["solution"]
# hint: a key of trainings.MEASURES other than "pixel_ap"
measure = "dice"
# hint: follow(measure) has one number a row; which sign means "one fell while the other rose"?
helped = (follow(measure) < 0).mean()

# %% tags=["check"]
exercises.check_followed(measure, helped, way)
followed[trainings.MEASURES[measure]] = follow(measure)
frame = pd.DataFrame(followed).map("{:.2f}".format)
frame.index = frame.index.map("-".join)
present.show(frame, caption="Rank correlation with the validation loss along the training, mean "
             f"over folds. {sequence.upper()}, {real_note}.")  # fmt: skip

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise-start} Open: "until convergence"
# :label: exercise-converged
# ```
# A paper reports that its network beats another by a few hundredths of Dice, both "trained until
# convergence". You may ask the authors four questions. Which, and what could the answers change?
#
# A good answer asks (1) how convergence was defined and for how long each network was trained;
# (2) how detection looked along the training, not only at its end; (3) how far apart several seeds
# of one network are; (4) whether anything was chosen with labels; and says for each what the
# claim would lose.
#
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-converged
# :class: dropdown
# ```
# (1) "By which rule did training stop, on which loss, with how much patience, and after how many
# slices?" If the rule stopped one network before its change and the other behind it, the order is
# one of stopping. (2) "What was the Dice at half and at twice that length?" If the curves cross, both
# orders are true, and neither is about the networks. (3) "What is the difference between two seeds
# of the same network?" If it is as large as the difference reported, nothing was shown. (4) "Who
# chose the stopping point, and did he see Dice on labelled slices?" If so, the numbers are those of
# a method that knows labels. The [next page](03b_training_length) asks the second question here.

# %% [markdown]
# ```{solution-end}
# ```
#
# ## What we learned
#
# - The validation loss judges reconstruction. It does not judge detection.
# - A short training is not a harmless approximation: many rows then score like the plain image.
# - Every comparison of rows in this book carries its training length, and "not converged" where
#   that is so. Order at one length is not an order of methods.
