# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Where this companion differs from the paper
#
# **The question.** The paper leaves many details open, and some of what it prints can be read in
# several ways. Each entry of this page is a choice that somebody else could make differently. Which
# of them move the result, by how much, and of which does nobody know? The page is computed from the
# results, so the choices stand in the order of their effects and not in that of our worries.

# %% tags=["parameters"]
profile: str = "smoke"  # one of: smoke, phantom, phantom-free, phantom-foci, laptop, full, paper
data: str = ""  # folder of real patients; empty: simulated ones
folds: int = 1  # from 1 to 20

# %%
import pandas as pd

from paperlib.data import rules
from paperlib.evaluation import conventions, evidence, present, tables
from paperlib.evaluation.claims import numbers
from paperlib.evaluation.comparisons import ablations
from paperlib.evaluation.deviations import effects, measures, page
from paperlib.evaluation.figures import deviations as effect_figures
from paperlib.evaluation.measures import metrics
from paperlib.evaluation.patients import by_patient

# %%
from paperlib.exercises import deviations as exercises
from paperlib.pipeline import run as runs
from paperlib.pipeline.pages import publishing
from paperlib.pipeline.studies import ablation_rows
from paperlib.publish import parameters, provenance

# %%
parameters.validate(globals(), runs.check_choices)
run = runs.open_run(profile, data, folds)
found = evidence.load_evidence(run.require("evidence"), command=run.command)
folders = [publishing.reference_folder(name) for name in publishing.REFERENCES]
simulated, real36 = [present.load_reference(folder) for folder in folders]
cohorts = numbers.choose_cohorts(found, real=real36, phantom=simulated)
draws = tables.Draws()
origins = [provenance.one_line(one.provenance) for one in cohorts if one]

# %%
rows = ablations.load_rows(publishing.reference_folder("ablations"))
effects.refuse_unknown([study.name for study in ablation_rows.STUDIES])
table = ablations.compare_rows(rows, draws=draws)
origin = "; ".join(origins)
note = f"{origin}; ablations: {ablations.describe_origin(rows)}"
print(note.replace("; ", "\n"))

# %% [markdown]
# ## What an effect is
#
# With $v$ a value under our choice and $v'$ the same value under another one, the effect of the choice
# is
#
# $$ \Delta = v' - v $$
#
# on the same slices of the same patients; its interval comes from drawing patients anew, both values
# with the same draw. Above 0 the alternative gives more. There are two sources:
#
# - **Ablation rows**: one base (dVAE with SSIM on FLAIR, the simulated patients of the profile
#   `phantom`), one change a row. Where a choice has such a row, the row decides its place.
# - **Stored rows**: what follows from the counts and scores of the paper's network without another
#   training, real patients before simulated ones.
#
# Every choice is data, and so is every alternative:
#
# ```{literalinclude} ../../paperlib/evaluation/deviations/deviation.py
# :pyobject: Deviation
# ```
#
# One alternative by hand: equation 1 as it is printed, beside our reading of it.

# %%
reference = cohorts.real or cohorts.phantom or found
answer = measures.change_way(reference, draws, to=measures.Way(reading="both"))
print(page.describe(answer))

# %% [markdown]
# ```{literalinclude} ../../paperlib/evaluation/deviations/measures.py
# :pyobject: change_way
# ```
#
# Choices are of three kinds:

# %%
page.show_kinds()

# %% [markdown]
# ## What moves the result
#
# Of each choice the alternative that moves most. Sizes are compared although they are differences of
# several things; the table says of which.

# %%
found_effects = effects.measure_effects(table, cohorts, draws=draws)
ranked = effects.rank_deviations(found_effects)
counts = [len(part) for part in ranked]
print(f"{sum(counts)} choices: {counts[0]} with a measured effect,")
print(f"{counts[1]} that wait for their ablation rows, {counts[2]} not measured.")

# %% mystnb={"figure": {"caption": "The effect of every choice that was measured, largest first: the alternative that moves most, minus ours. A line is a 95 % interval over patients; without a line the numbers are stored per network and have none. An interval around zero cannot say which way.", "name": "fig-effects"}, "image": {"alt": "One line per choice with a point and its interval around a vertical line at zero, sorted by size; colours for real patients, phantom and ablation rows."}}
effect_figures.plot_effects(found_effects, ranked, note=note)

# %% [markdown]
# How to read it:
#
# - **Sorted by the estimate.** With few patients the order of neighbours is chance.
# - **A small effect here is not a small effect everywhere.** One network, one length of training, one
#   change at a time: two choices together can do what neither does alone.
# - **No entry is a reason to change a default.** That would be choosing by test labels.

# %%
page.show_measured(found_effects, ranked, table, note=note)

# %% [markdown]
# ## Not measured
#
# First the choices that only wait for a row of `make ablations`, then those that nobody measured
# here. *Not measured* is no synonym of *small*.

# %%
page.show_unmeasured(found_effects, ranked, table)

# %% [markdown]
# (deviations-postprocessing)=
# ## What was tuned
#
# One choice came from closeness to the paper's numbers: the reading of equation 1. What rests on it
# can differ from the paper, but its closeness to the paper proves nothing. The
# [claims](11_claims) give it no "agrees".
# ## What the paper prints that cannot be
#
# Some statements contradict the data, themselves or each other. For each of them the evidence:
#
# **150 slices.** The paper prints volumes of 150 axial slices.

# %%
height, read = rules.SHAPE[2], real36.provenance["patients"] if real36 else 0
print(f"BraTS files hold {height} slices. Every other size is refused when a file is read,")
print(f"and the files of all {read} real patients of the reference were read." if read else "")

# %% [markdown]
# **Sizes that do not divide.** Table 1 prints no padding. A layer of kernel $k$, stride $s$,
# dilation $d$ and padding $p$ turns $n$ pixels into
#
# $$ \left\lfloor \frac{n + 2p - d\,(k - 1) - 1}{s} \right\rfloor + 1 $$
#
# and its transpose returns to $n$ only where nothing was rounded down. The VAE's latent layer (kernel
# 3, stride 2) stands on a map of even size, where *no* padding divides: its decoder needs a pixel
# that Table 1 does not have, or returns an image smaller than the slice.

# %%
page.show_sizes()

# %% [markdown]
# The same question for BiAAE, whose latent path is printed without stride and padding:

# %%
page.show_latent_paths()

# %% [markdown]
# **Equation 1 counts the prior twice.** As printed, with $a_k$ the share of cluster $k$,
#
# $$ p_{ik} \propto a_k\, W_{ik}\, \varphi(r_i; \mu_k, s_k^2), \qquad
#    W_{ik} = \frac{1}{|N_i|} \sum_{n \in N_i} p_{nk}. $$
#
# But $W_{ik}$ is a mean of posteriors, which hold $a_k$ already: where a pixel looks like its
# neighbours, both factors say how common the cluster is. A small cluster then loses in each step
# what the step before took from it, and starves. (In our copy of the paper the share carries the
# index of the step and none of the cluster; read like this, it would cancel.)

# %%
page.show_readings(cohorts, note=origin)

# %% [markdown]
# **The smallest cluster.** The paper takes the smaller cluster, for a tumour fills less than the rest of
# the brain. It also expects tumours at *low* residuals. The two are often not the same cluster:

# %%
page.show_clusters(cohorts, note=origin)

# %% [markdown]
# **Two times the standard deviation.** By section 4.2 a slice is ill whose latent distance exceeds
# twice the standard deviation of such distances. A distance is positive; without its mean the
# threshold lies below nearly all of them:

# %%
page.show_latent_gates(cohorts, note=origin)

# %% [markdown]
# **Section 5.3 as Table 2 counts.** Table 2 counts a slice without tumour as 0. Under the same rule
# not even the truth reaches the numbers of section 5.3 for core and enhancing tumour, so that the two
# were not counted alike; [results](06_results) shows every other way of counting.

# %%
page.show_ceilings(cohorts, note=origin)

# %% [markdown]
# (settings-values)=
# ## The settings with their values
#
# Each line names its unit and its source. First from volumes to slices:
#
# ```{literalinclude} ../../paperlib/config.py
# :pyobject: PrepareSettings
# ```
#
# ```{literalinclude} ../../paperlib/config.py
# :pyobject: SplitSettings
# ```
#
# ```{literalinclude} ../../paperlib/config.py
# :pyobject: AugmentSettings
# ```
#
# One network, and what follows its residual:
#
# ```{literalinclude} ../../paperlib/config.py
# :pyobject: TrainingSettings
# ```
#
# ```{literalinclude} ../../paperlib/config.py
# :pyobject: MixtureSettings
# ```
#
# Steps that only the ablations switch:
#
# ```{literalinclude} ../../paperlib/pipeline/studies/ablation_rows.py
# :pyobject: OutlineSettings
# ```
#
# ## Exercises
#
# Each of them counts one prediction: the masks of the paper's network, or of the first that there is.

# %%
method = next(iter(by_patient.choose_methods(reference).values()))
counts = conventions.slice_counts(reference, method.name, reading=method.reading)
of_what = f"{method.name}, {len(counts)} slices of {reference.patients} patients"
of_what += f", {provenance.one_line(reference.provenance)}"
print(of_what)

# %% [markdown]
# ```{exercise-start} Predict: slices with tumour only
# :label: exercise-tumour-slices
# ```
# The cell below prints the mean Dice of the whole tumour over every slice, where a slice without
# tumour counts 0, and the share of slices that have tumour. What is the mean Dice over the slices
# with tumour? No mask has to be looked at for it.

# %%
share, every_slice = (counts["WT_truth"] > 0).mean(), counts["dice"].mean()
print(f"share with tumour {share:.3f}, mean Dice over every slice {every_slice:.3f}")

# %% [markdown]
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-tumour-slices
# :class: dropdown
# ```
# The slices without tumour add nothing to the sum and much to the number that divides it. Both values
# are right, and the ratio between them has nothing to do with the method: it is how much of the brain
# the patients' tumours reach, and which slices were kept. A paper with other slices has another ratio.

# %% tags=["solution"]
# hint: a mean is a sum over a number; which of the two changes?
tumour_dice = every_slice / share

# %% tags=["check"]
exercises.check_tumour_slices(tumour_dice, counts)

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise-start} Change: the way of counting
# :label: exercise-way
# ```
# Below, the same masks are counted over slices and over volumes. Take `"pooled_pixels"` or
# `"tumour_slices"`. By how much does Dice change against the mean over every slice? The table below
# the check gets a new row. Is any of these ways wrong?

# %%
parts = [counts[[f"WT_{part}"]].to_numpy(int) for part in ("overlap", "predicted", "truth")]
pixels, cases = metrics.RegionCounts(*parts), counts["case"].to_numpy()


def dice_counted(aggregation):
    ratios = metrics.aggregate(pixels, cases, aggregation=aggregation, empty=0.0)
    return float(metrics.pooled_value(ratios.sums, ratios.counts)[0])


# %%
counted = {name: dice_counted(name) for name in ("every_slice", "volume")}
pd.Series(counted, name="Dice").round(3)

# %% [markdown]
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-way
# :class: dropdown
# ```
# None is wrong, and none is the others: slices weigh patients by the length of their tumour, volumes
# weigh patients equally, pooled pixels weigh large tumours. A number without its way of counting
# cannot be compared. With an interval, for the paper's network, where it was trained:

# %% tags=["solution"]
# hint: one of the two names in the task, in quotes
aggregation = "pooled_pixels"
# hint: `dice_counted` gives the Dice; `counted` has the one to compare it with
lift = dice_counted(aggregation) - counted["every_slice"]

# %% tags=["check"]
exercises.check_way(aggregation, lift, dice_counted)
counted[aggregation] = dice_counted(aggregation)
frame = pd.DataFrame({"Dice": counted, "against every slice": counted})
frame["against every slice"] -= counted["every_slice"]
present.show(frame.map("{:.3f}".format), caption=f"One prediction, counted in ways. {of_what}.")

# %%
for aggregation in ("volume", "pooled_pixels", "tumour_slices"):
    way = measures.Way(aggregation=aggregation)
    print(aggregation, page.describe(measures.change_way(reference, draws, to=way)))

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise-start} Predict: a prize for silence
# :label: exercise-silence
# ```
# A method never finds any tumour. Under which of the ways below is its Dice of the whole tumour
# highest? Write its name as it is printed.

# %%
ways = conventions.compare_conventions(counts, flagged=None, draws=draws)
ways = ways[ways["region"] == "WT"].set_index("convention")
print("\n".join(ways.index))

# %% [markdown]
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-silence
# :class: dropdown
# ```
# It takes pairs of empty masks, and a way that rewards them. Slices without tumour are many, volumes
# without tumour are none; where such pairs count 0 or are left out, silence earns nothing. This is why
# our tables with a gate, which empties masks, say what an empty pair counts.

# %% tags=["solution"]
# hint: where are both masks empty, and where does that count?
silent_way = "every slice, empty = 1"

# %% tags=["check"]
exercises.check_silence(silent_way, ways)
frame = ways[["value", "nothing", "ceiling"]].map("{:.3f}".format)
frame.columns = ["the prediction", "nothing found", "the truth itself"]
present.show(frame, caption=f"Dice of the whole tumour under each way. {of_what}.")

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise-start} Open: a sentence for the methods
# :label: exercise-methods-sentence
# ```
# Write the sentence that the paper's section 5 lacks: after it, a reader with the same masks gets
# the same Dice. Then choose one more entry of this page and write the sentence that would have made
# it unnecessary.
#
# A good answer (1) says what is averaged, and with which weights; (2) says what a pair of empty masks
# counts, and whether it is the same for all regions; (3) says which slices and patients take part,
# and what was left out; (4) could be turned into code without a question.
#
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-methods-sentence
# :class: dropdown
# ```
# (1) "Dice is computed for each axial slice and each region; we report the mean over all slices, so
# that each slice has the same weight and a patient with more of them has more. (2) A slice in which
# both masks are empty counts 0, for each region alike; one in which a single one is empty has 0 by
# definition. (3) Slices are those with enough brain, from the lowest height to the highest that we
# name, of all test patients; nothing else is left out." (4) No question remains for who writes the
# function. For equation 1: "The share $a_k$ enters through the mean posterior of the eight
# neighbours, and not once more as a factor." Where such a sentence is hard to write, the code decides
# and nobody knows it.
#
# ```{solution-end}
# ```
#
# ## What we learned
#
# - A paper of a few pages leaves dozens of choices open. Each is small to write and some are large in
#   effect.
# - How a prediction is counted moves its number about as much as how it was made.
# - A list of choices without their effects is an apology; with them it is a result.
