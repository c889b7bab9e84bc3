# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Where the error comes from
#
# **The question.** The prediction is not the truth, and the [results](06_results) say by how much.
# Which link of the chain is to blame: the network that does not remove the tumour, the clusters, the
# tidying, the missing gate, the outline that the enhancing part is cut with, or the convex hull that
# stands for the core? And how much of what the network's residual shows is simply the image?
#
# The paper has no such analysis. It is the question to ask before building a better network.

# %% tags=["parameters"]
profile: str = "smoke"  # one of: smoke, phantom, phantom-free, phantom-foci, laptop, full, paper
data: str = ""  # folder of real patients; empty: simulated ones
folds: int = 1  # from 1 to 20
network: str | None = None  # such as dVAE-SSIM-s0; None: the first that was looked into
case: int | None = None  # number of a test patient; None: by rule
z: int | None = None  # height of the slice, from 60 to 129; None: by rule

# %%
import pandas as pd

# %%
from paperlib import labels as bt
from paperlib.evaluation import evidence, examples, present, tables
from paperlib.evaluation.comparisons import attribution, input_share, variants
from paperlib.evaluation.figures import attribution as pictures, slices
from paperlib.evaluation.measures import metrics
from paperlib.exercises import error_sources as exercises
from paperlib.pipeline import run as runs
from paperlib.pipeline.comparisons import attribution as stage
from paperlib.pipeline.pages import publishing, shown as networks
from paperlib.publish import parameters, provenance

# %%
parameters.validate(globals(), runs.check_choices)
run = runs.open_run(profile, data, folds)
found = evidence.load_evidence(run.require("evidence"), command=run.command)
rows = variants.load_rows(run.require("evidence"))
method = variants.choose_method(rows, network)
draws = tables.Draws()
note = f"{method}, {provenance.one_line(found.provenance)}"
print(f"{method}, {rows['case'].nunique()} test patients")

# %% [markdown]
# ## One decision at a time
#
# The chain from section 4.1 to section 4.3 is a row of decisions. Each of them can be replaced by the best
# possible one, made with the truth at hand: an *oracle*. An oracle is no method. It shows how much
# its link costs. "Best" is judged over a volume or a fold, as the table says; a mean over slices can
# fall with it.
#
# | change | what it replaces |
# |---|---|
# | perfect reconstruction | the network: a residual that is the tumour and nothing else |
# | oracle cluster | "the smaller cluster": in each slice the one that fits the truth better |
# | oracle threshold, each volume | the mixture: the threshold on the residual with the best Dice of the volume |
# | oracle threshold, all patients | the same, one for all test patients of a fold, best for their pixels pooled |
# | no opening, no closing | the tidying, which is left out |
# | the paper's gate | no gate: slices below the healthy maximum of the mean residual are emptied |
# | oracle gate | no gate: slices without tumour are emptied |
# | true outline | the whole tumour; the enhancing part is then looked for inside it |
# | true enhancing, core = hull | the enhancing tumour; the core is its convex hull |
# | true core, no hull | the hull: this is the truth |
#
# A perfect reconstruction of a simulated patient is the same patient without the tumour, plus the
# noise of a scan. A real patient has no such twin: there the pixels inside the *true* outline get the
# median of the healthy brain. So on real patients this row knows the outline already, and is an upper
# bound.
#
# The oracle threshold of a volume also knows which patients have no enhancing tumour at all, since
# it may then lie above everything.
#
# Alone, a change may gain little because the next link spoils it. So the changes are also piled on
# top of each other. With $S_0$ our prediction, $S_k$ the prediction after $k$ changes and $S_K$ the
# truth, the steps add up:
#
# $$ D(S_K) = D(S_0) + \sum_{k=1}^{K} \bigl( D(S_k) - D(S_{k-1}) \bigr) $$
#
# $D$ is the Dice of section 5.1, averaged over every slice (a slice without tumour counts 0, so
# that the sum ends at the *ceiling*), or over volumes (nothing predicted where nothing is counts 1,
# so that it ends at 1). A step's share depends on what went before it. Two orders are shown.

# %% [markdown]
# How a patient is segmented with some decisions replaced:
#
# ```{literalinclude} ../../paperlib/pipeline/comparisons/attribution.py
# :pyobject: segment_variant
# ```
#
# The best threshold is exact: all brain pixels are sorted, and the Dice after each one is known from
# a running sum.
#
# ```{literalinclude} ../../paperlib/postprocessing/oracles.py
# :pyobject: best_threshold
# ```
#
# The piling up:
#
# ```{literalinclude} ../../paperlib/evaluation/comparisons/attribution.py
# :pyobject: waterfall
# ```

# %% [markdown]
# ## One slice
#
# The patient is chosen by rule: in the middle by volume of enhancing tumour, the slice with the most
# of it. Above, the network's residual and what is made of it; below, that of a perfect
# reconstruction.

# %%
looked_into = found.slices[found.slices["case"].isin(rows["case"])]
case, z = examples.choose_slice(looked_into, case, z)
fold = int(looked_into.set_index("case").loc[[case], "fold"].iloc[0])
pair = networks.pair_of(method, fold)
patient = next(stage.load_materials(run, pair, [case], {}))
place = patient.patient.slices["z"].tolist().index(z)

# %%
shown = {"network": (), "perfect": ("reconstruction",)}
ways = {"as it is": (), "oracle cluster": ("cluster",)}
ways |= {"oracle threshold": ("threshold",), "not tidied": ("threshold", "morphology")}
truth, brain = patient.patient.labels[place], patient.patient.brain[place]
panels = []
for source in shown.values():
    residual = slices.background_black(patient.residual("flair", source)[place], brain)
    line = [slices.Panel(residual, "residual", "FLAIR residual", truth > 0)]
    masks = {name: stage.segment_variant(patient, (*source, *way))[0] for name, way in ways.items()}
    panels.append(line + [slices.Panel(m[place], "labels", name) for name, m in masks.items()])

# %%
panels[0].append(slices.Panel(truth, "labels", "reference"))
image = patient.patient.images["flair"][place]
panels[1].append(slices.Panel(image, "flair", "FLAIR", truth > 0))

# %% mystnb={"figure": {"caption": "One slice, the same post-processing on two residuals. Above: the network's. Below: that of a perfect reconstruction. From left to right: the FLAIR residual with the true outline (green), the labels of the paper's chain, of the better cluster, of the best threshold, and of that without opening and closing. What differs between the rows is the network's part; what differs along a row is the post-processing's.", "name": "fig-variants"}, "image": {"alt": "Two rows of residuals and label maps, from the network and from a perfect reconstruction."}}
where = f"patient {case}, slice {z}, {note}"
slices.show_grid(panels, row_titles=["network", "perfect"], note=where)

# %% [markdown]
# ## Each change alone

# %%
single = attribution.single_changes(found, rows, method, draws=draws)
caption = (
    f"Dice and, paired by patient, what a change gains over ours [95 % interval]. {note}, n = "
)
caption += (
    f"{rows['case'].nunique()} test patients. Average: {{}}. Every row but ours, the paper's "
)
caption += "gate and the one without opening and closing looks at the truth."
every = caption.format(attribution.VIEWS["every_slice"].name)
present.show(attribution.lay_out_single(single, view="every_slice"), caption=every)

# %%
volume = caption.format(attribution.VIEWS["volume"].name)
present.show(attribution.lay_out_single(single, view="volume"), caption=volume)

# %% [markdown]
# The oracle gate cannot gain anything in the first table: where a slice without tumour counts 0,
# it does not matter what is predicted there.
#
# ## From ours to the truth

# %%
orders = {"network first": variants.NETWORK_FIRST, "network last": variants.NETWORK_LAST}
falls = {
    name: attribution.waterfall(found, rows, method, order=order, draws=draws)
    for name, order in orders.items()
}
for name, fall in falls.items():
    for region, step in attribution.largest_steps(fall, view="every_slice").items():
        print(f"{name:14} {region:17} largest step: {step}")

# %% mystnb={"figure": {"caption": "From our prediction (top) to the truth (bottom), mean over every slice. Each bar is what one more perfect decision adds on top of those above it, with its 95 % interval over patients (black). Upper row: the network is made perfect first. Lower row: the post-processing first. The bars add up exactly to the ceiling.", "name": "fig-waterfall"}, "image": {"alt": "Waterfall charts of Dice for whole tumour, core and enhancing tumour in two orders."}}
pictures.plot_waterfall(falls, view="every_slice", note=note)

# %% mystnb={"figure": {"caption": "The same over volumes, where the truth reaches 1. A volume without the region counts 1 when nothing is predicted: part of the threshold's gain for the enhancing tumour is to know in which patients there is none.", "name": "fig-waterfall-volume"}, "image": {"alt": "The same waterfall charts for the Dice over volumes."}}
pictures.plot_waterfall(falls, view="volume", note=note)

# %% [markdown]
# How to read it. If "perfect reconstruction" of the phantom is long in both orders, the network is
# the weakest link, and what comes after cannot mend it. If it is long only when it comes first,
# network and mixture fail together. For real patients nobody knows the brain without its tumour; its
# stand-in knows the outline, so there the bar is long by construction. The last bar of the core is what the convex hull costs even with a perfect enhancing
# tumour: it belongs to the idea, not to the network.
#
# ## The same for real patients
#
# The reference run, where this copy holds it:

# %%
folder = publishing.reference_folder("real36")
reference, real_rows = present.load_reference(folder), variants.load_rows(folder)
real = found if reference is None or real_rows.empty else reference
if real is found:
    print("The rows of the reference are not in this copy: this section repeats this run.")
    real_rows = rows
real_method = variants.choose_method(real_rows)
real_note = f"{real_method}, {provenance.one_line(real.provenance)}"

# %%
real_single = attribution.single_changes(real, real_rows, real_method, draws=draws)
n = f"{real_rows['case'].nunique()} test patients"
caption = f"As above, mean over every slice, empty = 0. {real_note}, n = {n}."
present.show(attribution.lay_out_single(real_single, view="every_slice"), caption=caption)

# %%
real_falls = {
    name: attribution.waterfall(real, real_rows, real_method, order=order, draws=draws)
    for name, order in orders.items()
}
for name, fall in real_falls.items():
    for region, step in attribution.largest_steps(fall, view="every_slice").items():
        print(f"{name:14} {region:17} largest step: {step}")

# %% mystnb={"figure": {"caption": "The waterfall of the reference run (the line below says of what). On real patients the perfect reconstruction is made with the true outline, so its bar is an upper bound and what follows it a lower one.", "name": "fig-waterfall-real"}, "image": {"alt": "Waterfall charts of Dice for the reference run in two orders."}}
pictures.plot_waterfall(real_falls, view="every_slice", note=real_note)

# %% mystnb={"figure": {"caption": "The reference run over volumes.", "name": "fig-waterfall-real-volume"}, "image": {"alt": "Waterfall charts of the Dice over volumes for the reference run in two orders."}}
pictures.plot_waterfall(real_falls, view="volume", note=real_note)

# %% [markdown]
# ## How much of the residual is the input
#
# A residual is $r = \hat x - x$. A network that reconstructs nothing leaves $r = -x$, and that alone
# finds bright tumours. So the residual has to be held against the image itself. *Average precision*
# (AP) does so without any threshold: it ranks the brain pixels of a patient and asks how pure the top
# of the ranking is. FLAIR is asked for the whole tumour, T1CE for its enhancing part.

# %%
origin = provenance.one_line(found.provenance)
caption = "Average precision of the pixels of a patient, mean over the n patients that have the "
caption += "region; the difference is paired by patient [95 % interval]. "
ranked = input_share.compare_with_input(found, draws=draws)
present.show(input_share.lay_out(ranked), caption=f"{caption}{origin}.")

# %% mystnb={"figure": {"caption": "Each dot is a patient: how well the residual ranks its pixels against how well the image does. On the line, the network adds nothing; below it, the network has lost what the image shows.", "name": "fig-input"}, "image": {"alt": "Scatter plots of average precision of the residual over that of the image, one per network."}}
pictures.plot_against_input(input_share.per_patient(found), note=origin)

# %%
real = reference or found
real_origin = provenance.one_line(real.provenance)
ranked = input_share.compare_with_input(real, draws=draws)
present.show(input_share.lay_out(ranked), caption=f"{caption}{real_origin}.")

# %% mystnb={"figure": {"caption": "The same for the reference run, where this copy holds it; else this run once more.", "name": "fig-input-real"}, "image": {"alt": "Scatter plots of average precision for the reference run, one per network."}}
pictures.plot_against_input(input_share.per_patient(real), note=real_origin)

# %% [markdown]
# The correlation was measured on a fixed subset of slices when training ended. Close to 1 it says
# that the residual *is* the image with its sign turned: the network has learnt little, and it ranks
# about as the image does. A lower one says that it reconstructs; whether it then leaves the tumour
# out is what the dots tell. Bright FLAIR pixels are a strong opponent of this whole kind of method
# {cite}`meissen2021challenging`.
#
# ## Exercises
#
# ```{exercise-start} Predict: half the image
# :label: exercise-half-image
# ```
# A network returns half of each image, $\hat x = x / 2$, tumour and all. Its residual is then half as
# large as that of no network, $r = -x$. How does $-r$ rank the pixels of the patient in the first
# figure, compared with the FLAIR image itself: is its average precision `"lower"`, `"the same"` or
# `"higher"`?
#
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-half-image
# :class: dropdown
# ```
# Average precision asks for the order of the pixels only, and half of each value has the order of
# the values. The network has halved its error and adds nothing. That is why the plain image, the
# residual $-x$ without any network, stands beside every network of this book.

# %% tags=["solution"]
# hint: write down -r; which pixel comes first, which second?
precision = "the same"

# %% tags=["check"]
flair, tumour = patient.patient.images["flair"], patient.patient.labels > 0
exercises.check_half_image(precision, flair, tumour, patient.patient.brain)

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise-start} Change: two oracles at once
# :label: exercise-variant
# ```
# The cell below segments the patient of the first figure with one decision replaced: a perfect
# reconstruction, then the oracle threshold. Replace both at once. By how much does what they gain
# together exceed the sum of what each gains alone?

# %%
alone = [(), ("reconstruction",), ("threshold",)]


def volume_dice(changes):
    codes, _ = stage.segment_variant(patient, changes)
    whole, reference = (bt.region_mask(one, "WT") for one in (codes, patient.patient.labels))
    return metrics.dice(whole, reference, empty=1)


# %%
known = {variants.name_of(one) or "ours": volume_dice(one) for one in alone}
pd.Series(known, name="volume Dice").round(3)

# %% [markdown]
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-variant
# :class: dropdown
# ```
# A good threshold cannot repair a poor residual, and on a good residual the mixture needs little
# help: above zero, each needs the other; below zero, either would do. So there is no such thing as
# *the* share of the network in the error, and the waterfall is drawn in two orders. The answer
# differs between patients: try others by the parameter `case`, and other changes: "cluster",
# "morphology", "outline", "enhancing".

# %% tags=["solution"]
# hint: a tuple with two names
changes = ("reconstruction", "threshold")
both = volume_dice(changes)
# hint: a gain is a Dice minus ours; there are three gains
excess = both + known["ours"] - known["reconstruction"] - known["threshold"]

# %% tags=["check"]
exercises.check_two_oracles(changes, excess, volume_dice)
known["both"] = volume_dice(changes)
frame = pd.DataFrame({"Dice": known, "gain": known}).map("{:.3f}".format)
frame["gain"] = [attribution.signed(value - known["ours"]) for value in known.values()]
caption = f"Volume Dice of the whole tumour with decisions made perfect. Patient {case}, {note}."
present.show(frame, caption=caption)

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise-start} Explain: what the oracle knew
# :label: exercise-oracle-knew
# ```
# Two rows of the table of single changes differ in one thing: "oracle threshold, each volume" and
# "oracle threshold, all patients". Both take a threshold that is best by the labels, the second only
# one for everybody. How much volume Dice of the whole tumour is it worth to know the labels of the
# very patient? The values of the three rows:

# %%
chosen = single[(single["view"] == "volume") & (single["region"] == "WT")]
dice = chosen.set_index("change")["value"].rename(index={"": "ours"})
dice[["ours", "threshold", "pooled"]].round(3)

# %% [markdown]
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-oracle-knew
# :class: dropdown
# ```
# So much of the first row's gain is out of reach for any method that treats all patients alike,
# however well it is tuned. An oracle proves that something good exists: a threshold with this Dice.
# It does not prove that it can be found without labels, nor that the link it replaces is to blame
# for the whole gain: it also mends what came before it. Even the second row has seen the labels of
# the test patients.

# %% tags=["solution"]
# hint: one row minus another
own_labels = dice["threshold"] - dice["pooled"]

# %% tags=["check"]
exercises.check_oracle_knew(own_labels, found, rows, method)

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise-start} Open: better network, better Dice?
# :label: exercise-better-network
# ```
# "In your waterfall the perfect reconstruction is the longest bar. So the next project is a better
# network." Do you agree? Write down what the bar proves, what it does not, and what you would look
# at before the project begins.
#
# A good answer (1) says what a perfect reconstruction knows that no network can know; (2) looks at
# the other order; (3) asks what the post-processing makes of a residual that is better but not
# perfect; (4) proposes something cheaper to do first.
#
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-better-network
# :class: dropdown
# ```
# (1) The bar is the gain with a residual that is the tumour and nothing else. On simulated patients
# it comes from a twin without tumour, on real ones from the true outline itself: an upper bound. (2)
# If the bar is short when it stands last, the network and the threshold fail together; a better
# threshold might get most of it. (3) A step halfway gains anything between nothing and all: the
# mixture may still take the wrong cluster. To see it, mix both residuals with rising weights and plot
# Dice. (4) The table of the residual against the plain image: a network that ranks pixels no better
# than the image has to beat that first, and a threshold on the image costs no training.
#
# ```{solution-end}
# ```
#
# ## What we learned
#
# - The error is divided into parts that add up, and each part has a name and an interval.
# - A part depends on the order in which the links are mended; both orders are given.
# - Before a residual is praised, it is held against the image that it was made from.
