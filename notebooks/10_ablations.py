# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # What each choice costs
#
# **The question.** The paper leaves many choices open, and so this book had to make them: the reading
# of an equation, the weight of a loss, which slices to learn from. Which of them move the result, and
# which do not matter? Every row of this page changes *one* thing of one base, the paper's own choice
# (dVAE, SSIM loss, FLAIR), and asks how much Dice that makes.

# %% tags=["parameters"]
profile: str = "smoke"  # one of: smoke, phantom, phantom-free, phantom-foci, laptop, full, paper
data: str = ""  # folder of real patients; empty: simulated ones
folds: int = 1  # from 1 to 20
case: int | None = None  # number of a test patient; None: by rule
z: int | None = None  # height of the slice, from 60 to 129; None: by rule

# %%
import dataclasses
import numpy as np
import pandas as pd

from paperlib import labels as bt
from paperlib.evaluation import evidence, examples, present, tables
from paperlib.evaluation.comparisons import ablations
from paperlib.evaluation.figures import ablations as ablation_figures, slices
from paperlib.evaluation.measures import metrics, statistics
from paperlib.evaluation.patients import by_patient

# %%
from paperlib.exercises import ablations as exercises
from paperlib.pipeline import run as runs
from paperlib.pipeline.pages import publishing, slice_view
from paperlib.pipeline.studies import ablation_measure, ablation_rows
from paperlib.publish import parameters, provenance

# %%
parameters.validate(globals(), runs.check_choices)
run = runs.open_run(profile, data, folds)
found = evidence.load_evidence(run.require("evidence"), command=run.command)
model, loss = examples.choose_network(found)
case, z = examples.choose_slice(found.slices, case, z)
fold = int(found.slices.set_index("case").loc[[case], "fold"].iloc[0])
pair = f"{model}-{loss}-f{fold}-s{found.provenance['seeds'][0]}"
note = f"patient {case}, slice {z}, {pair}, {provenance.one_line(found.provenance)}"

# %% [markdown]
# ## How it is measured
#
# A *row* is the base with one change. With $D_p$ the sum of Dice over the $n_p$ slices of patient $p$
# and a prime for the changed method, its effect is
#
# $$ \Delta = \frac{\sum_p D'_p - \sum_p D_p}{\sum_p n_p} $$
#
# over the same slices of the same test patients. Its interval comes from drawing patients anew, both
# methods with the same draw: this is what *paired* means, and it makes the interval narrow. As in
# Table 2 of the paper, a slice without tumour counts 0. Only rows with a gate
# are compared with such slices counted 1 where both masks are empty, since otherwise no gate can
# help; and the rows of the hull count the tumour core, since the outline does not know the hull.
#
# An interval over patients says what *other patients* would give. It does not say what *another
# training* would give: the same network trained from another seed is another network. So a row that
# was trained anew has to move more than a new seed did:
#
# ```{literalinclude} ../../paperlib/evaluation/comparisons/ablations.py
# :pyobject: judge
# ```
#
# The rows are data, one line each. This is what a line may change:
#
# ```{literalinclude} ../../paperlib/pipeline/studies/ablation_rows.py
# :pyobject: Study
# ```
#
# Rows that change the segmentation only take the base's network. The others train one network of
# their own, on FLAIR, with the same budget. The steps from residual to outline, each with its switch:
#
# ```{literalinclude} ../../paperlib/pipeline/studies/ablation_measure.py
# :pyobject: outline
# ```
#
# ## One change on one slice
#
# First a look at what such a change does, on a slice of this run: the limit of iterations, which has
# no counterpart in the paper. Everything else stays.

# %%
view = slice_view.load_slice(run, pair, case, z)
base = run.profile.mixture
limits = [5, 20, 100, 1000]
masks = {}
for limit in limits:
    settings = dataclasses.replace(base, max_iterations=limit)
    options, stack = ablation_rows.OutlineSettings(), view.residuals[bt.FLAIR][None]
    found_masks, fits = ablation_measure.outline(stack, view.brain[None], settings, options)
    masks[limit] = found_masks[0]
    print(f"at most {limit:4} iterations: {fits[0].iterations} taken, {masks[limit].sum()} pixels")

# %%
truth = bt.region_mask(view.labels, "WT")
dice = {limit: metrics.dice(mask, truth, empty=0) for limit, mask in masks.items()}
panels = [slices.Panel(view.images[bt.FLAIR], "flair", "FLAIR")]
panels += [slices.Panel(view.labels, "labels", "ground truth")]
panels += [slices.Panel(masks[n], "mask", f"{n} iterations\nDice {dice[n]:.2f}") for n in limits]

# %% mystnb={"figure": {"caption": "One slice, one residual, one change: the outline after at most so many iterations of the mixture. One slice proves nothing; the table below is over all test patients.", "name": "fig-iterations"}, "image": {"alt": "FLAIR, ground truth and four masks of the same slice with different limits of iterations."}}
slices.show_grid([panels[:3], panels[3:]], note=note)

# %% [markdown]
# ## All rows
#
# The rows below were measured once, with `make ablations`, on the simulated patients of the profile
# `phantom`, and are kept with the book; they do not depend on the run of this page. Each is written
# as soon as it is finished, so some may be missing here.

# %%
rows = ablations.load_rows(publishing.reference_folder("ablations"))
wanted = [study.name for study in ablation_rows.STUDIES]
missing = ablations.missing_rows(rows, wanted)
origin = ablations.describe_origin(rows)
print(origin)
print(
    f"{len(wanted) - len(missing)} of {len(wanted)} rows; missing: {', '.join(missing) or 'none'}"
)

# %%
draws = tables.Draws()
table = ablations.compare_rows(rows, draws=draws)
for sentence in ablations.summarise(table):
    print(sentence)

# %% mystnb={"figure": {"caption": "The paired difference in Dice of every row against what it changes, with its 95 % interval over patients; best first. Above: the same network, another segmentation. Below: another training; the grey band is what a new seed alone did. Filled in colour: the interval excludes 0 and, for another training, the difference exceeds the band. A row in brackets is compared with another row than the base. Empty where this copy holds no rows.", "name": "fig-forest"}, "image": {"alt": "Forest plot: one line per change with a point and its interval around zero, in two panels."}}
ablation_figures.plot_differences(table, note=origin)

# %%
caption = "Every row of this page: Dice over every slice [95 % interval over patients], pixel "
caption += "average precision of the residual (mean over patients), and the paired differences; "
caption += (
    f"best first. {draws.number} draws, {table['patients'].max():.0f} test patients. {origin}."
)
present.show(ablations.lay_out(table), caption=caption) if rows else present.absent()

# %% [markdown]
# How to read it:
#
# - **Dice and pixel average precision answer two questions.** The second asks how well the residual
#   ranks the pixels; the first, what the segmentation makes of it. A row that changes the
#   segmentation only moves Dice; its average precision stays.
# - **Undecided is not "no effect".** It says that so many patients cannot tell.
# - **Many rows, many chances.** Of twenty rows without any effect one interval in expectation
#   excludes 0. No row here is a reason to change a default: that would be choosing by test labels.
# - **The phantom is ours.** That a choice matters there says that it can matter; the sign may be
#   another on real patients.
# - **One training length.** How rows compare also depends on how long they were trained, see
#   [how long to train](03b_training_length).
#
# **The adversarial weight.** How hard the same weight pulls depends on the loss beside it, so that
# "adversarial training helps" or "hurts" is a statement about a weight. The gradient ratio says how
# hard: that of the adversarial term over that of the reconstruction, both at the output.

# %%
pulls = ablations.lay_out_adversaries(rows, table)
caption = "Adversarial rows: weight, gradient ratio (mean over the training), Dice of the outline "
caption += f"and its difference against the row named [95 % interval over patients]. {origin}."
present.show(pulls, caption=caption) if len(pulls) else print("no adversarial row is here yet")

# %% [markdown]
# What was left out, and why:

# %%
left = pd.DataFrame({"why": ablation_rows.LEFT_OUT}).rename_axis("left out")
present.show(left, caption="Choices that have a setting and no row.")

# %% [markdown]
# ## Exercises
#
# ```{exercise-start} Predict: by chance alone
# :label: exercise-by-chance
# ```
# Suppose that no row of this page had any effect, and that the rows were independent. How likely is
# it that at least one 95 % interval excludes zero all the same? The number of rows:

# %%
print(f"{len(wanted)} rows")

# %% [markdown]
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-by-chance
# :class: dropdown
# ```
# It is nearly certain: all of so many intervals hold zero only if each of them does. Rows that share
# patients are not independent, which makes the number less certain but not small. So one coloured
# dot in the forest plot is expected, and is no finding. A correction for the number of tests
# ([claims](11_claims)), a second data set or a reason named in advance is what makes it one.

# %% tags=["solution"]
# hint: how likely does one hold zero, and how likely do all of them?
chance = 1 - 0.95 ** len(wanted)

# %% tags=["check"]
exercises.check_by_chance(chance, wanted)

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise-start} Change: no opening, no closing
# :label: exercise-outline-step
# ```
# Leave out opening and closing of the slice above. Which Dice has the outline then? The table below
# the check gets a new row: what do the two steps remove, and does Dice notice?

# %%
brain = view.brain[None]


def outline_of(morphology):
    options = ablation_rows.OutlineSettings(morphology=morphology)
    return ablation_measure.outline(stack, brain, base, options)[0][0]


# %%
mask = outline_of(morphology=True)
outlines = {"opened and closed": mask}
print(f"{mask.sum()} pixels, Dice {metrics.dice(mask, truth, empty=0):.3f}")

# %% [markdown]
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-outline-step
# :class: dropdown
# ```
# Opening removes what is narrower than three pixels, closing fills gaps as narrow. Dice weighs pixels,
# and single pixels weigh little: what matters to a reader of the mask need not move its Dice.

# %% tags=["solution"]
# hint: one word of the cell above
morphology = False
# hint: `metrics.dice` of the new outline, an empty pair as 0
raw_dice = metrics.dice(outline_of(morphology), truth, empty=0)

# %% tags=["check"]
exercises.check_no_tidying(morphology, raw_dice, outline_of, truth)
raw = outlines["as it comes"] = outline_of(morphology)
lines = {n: (m.sum(), metrics.dice(m, truth, empty=0)) for n, m in outlines.items()}
frame = pd.DataFrame(lines, index=["pixels", "Dice"]).T
frame["only here"] = [(mask & ~raw).sum(), (raw & ~mask).sum()]
caption = f"Outline with and without opening and closing, and pixels of one only. {note}."
present.show(frame.map("{:.4g}".format), caption=caption)

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise-start} Change: the same patients or others
# :label: exercise-unpaired
# ```
# Two methods without a network, B12 and a plain threshold, on the test patients of this run. The
# cell below draws patients for both with the same seed, so that each draw compares them on the same
# patients. Draw with another seed for the second method, as if it had been tested elsewhere: how
# wide is the 95 % interval of the difference then?

# %%
place = {"region": list(bt.REGIONS).index("WT"), "draws": draws.number}


def draw(name, seed):
    ratios, of_fold = by_patient.patient_ratios(found, by_patient.Method(name), "every_slice")
    return statistics.bootstrap_ratio(ratios, of_fold, seed=seed, **place).draws


# %%
differences = {"same patients": draw("B12", seed=0) - draw("B2 fixed", seed=0)}
low, high = np.quantile(differences["same patients"], [0.025, 0.975])
print(f"from {low:.3f} to {high:.3f}: {high - low:.3f} wide")

# %% [markdown]
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-unpaired
# :class: dropdown
# ```
# A patient who is hard for one method is mostly hard for the other, too. Drawn together, this cancels
# in the difference; drawn apart, it is chance on top of chance. The unpaired interval asks how two
# methods on two cohorts compare, and needs many more patients for the same answer. So two intervals
# that overlap in a table do not say that two methods are equal: the paired difference does.

# %% tags=["solution"]
# hint: any other whole number
seed = 1
apart = draw("B12", seed=0) - draw("B2 fixed", seed=seed)
# hint: subtract the draws as above, then the distance of the two quantiles
width = np.ptp(np.quantile(apart, [0.025, 0.975]))

# %% tags=["check"]
exercises.check_unpaired(seed, width, draw)
differences["other patients"] = draw("B12", seed=0) - draw("B2 fixed", seed=seed)
ends = {n: np.quantile(one, [0.025, 0.975]) for n, one in differences.items()}
frame = pd.DataFrame(ends, index=["from", "to"]).T.assign(width=lambda f: f["to"] - f["from"])
origin_of_run = provenance.one_line(found.provenance)
caption = f"95 % interval of a difference in Dice, {found.patients} patients. {origin_of_run}."
present.show(frame.map("{:.3f}".format), caption=caption)

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise-start} Open: the best row wins?
# :label: exercise-best-row
# ```
# "The first row of your table beats the base, and its interval excludes zero. Why is it not the new
# default?" Answer your colleague, and describe the experiment that would settle it.
#
# A good answer (1) says what was seen before the row was chosen; (2) counts the rows; (3) asks for
# another seed where something was trained; (4) says on whose patients the experiment runs, and what
# is fixed before it starts.
#
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-best-row
# :class: dropdown
# ```
# (1) The rows were measured on the test patients with their labels. To take the best of them as
# default and report it on the same patients is to fit the settings to the answer. (2) The best of many
# rows is the best partly by luck; its difference is too large on average, even where its interval
# excludes zero. (3) A new training from another seed moves Dice, too: several seeds for the base and
# for the row, else the difference may be the seed's. (4) One row, named now; patients that no row has
# seen, real ones; the way of counting, the smallest difference that matters and the number of patients
# written down before the first number is looked at.
#
# ```{solution-end}
# ```
#
# ## What we learned
#
# - One change a row, the same patients, a paired interval: anything less cannot tell a choice from
#   chance.
# - A new seed is the yardstick of everything that is trained; without it a table of trainings ranks
#   noise.
# - Choices in the segmentation cost no training and are seldom reported; `make ablations` treats
#   them like the rest.
