# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Where it reaches its limits
#
# **The question.** A mean over patients hides for whom a method works. Section 6 of the paper names
# three doubts of its own: the method expects every tumour to have all three tissues, it expects one
# tumour per brain and keeps the biggest blob, and it works least where nothing takes up contrast
# agent. The paper gives no number for any of them. This page does: by grade, by enhancing tissue, by
# number of foci and by volume, always beside two methods that need no network.

# %% tags=["parameters"]
profile: str = "smoke"  # one of: smoke, phantom, phantom-free, phantom-foci, laptop, full, paper
data: str = ""  # folder of real patients; empty: simulated ones
folds: int = 1  # from 1 to 20
model: str | None = None  # one of: VAE, dVAE, VAE1px, VAE-CE, AAE, BiAAE; None: by rule
loss: str | None = None  # one of: MSE, SSIM, L1

# %%
import pandas as pd

# %%
from paperlib.evaluation import conventions, evidence, examples, present, tables
from paperlib.evaluation.figures import slices, strata as strata_figures
from paperlib.evaluation.measures import foci, metrics
from paperlib.evaluation.patients import by_patient, strata
from paperlib.evaluation.texts import limits
from paperlib.exercises import limits as exercises
from paperlib.pipeline import run as runs
from paperlib.pipeline.pages import publishing, slice_view
from paperlib.publish import parameters, provenance

# %%
parameters.validate(globals(), runs.check_choices)
run = runs.open_run(profile, data, folds)
found = evidence.load_evidence(run.require("evidence"), command=run.command)
reference = present.load_reference(publishing.reference_folder("real36"))
cohorts = {"this run": found} | ({"real patients": reference} if reference else {})
methods = {"this run": by_patient.choose_methods(found, model, loss)}
if reference:
    methods["real patients"] = by_patient.choose_methods(reference)

# %%
networks = {name: next(iter(of)) for name, of in methods.items()}
for name, one in cohorts.items():
    cohorts[name] = by_patient.only_tested(one, methods[name][networks[name]])
    print(
        f"{name}: {networks[name]}, tested on {cohorts[name].patients} of {one.patients} patients"
    )
if not reference:
    print("The reference run of real patients is not in this copy: this run only.")
found, reference = cohorts["this run"], cohorts.get("real patients")

# %%
draws = tables.Draws()
notes = {name: provenance.one_line(one.provenance) for name, one in cohorts.items()}
note = "; ".join(f"{name}: {networks[name]}, {notes[name]}" for name in cohorts)

# %% [markdown]
# The network is the paper's choice, dVAE with SSIM loss, where the run has it; the lines above say
# which it is. Beside it stand *B3*, the paper's post-processing on the plain image (no network),
# and *B2 fixed*, z-scored FLAIR and T1CE above 1: one comparison per pixel.
#
# ## What follows from the method alone
#
# Two of the three doubts need no experiment. The core $\hat C$ is drawn as the convex hull of the
# enhancing part $\hat E$ inside the whole tumour $\hat W$ (section 4.3), so that without $\hat E$
# there is no core, whatever the image shows:
#
# $$ \hat C = \operatorname{hull}(\hat E) \cap \hat W, \qquad
#    \hat E = \emptyset \;\Rightarrow\; \hat C = \emptyset $$
#
# And whoever keeps one focus only, with a share $s$ of the tumour, cannot exceed
#
# $$ D_{\max} = \frac{2s}{1 + s} $$
#
# even with a perfect mask of that focus. A third one is arithmetic, too: where the truth has no
# enhancing tumour, its Dice is 0 by the convention of section 5.1 or undefined. Millilitres say more
# there, and this page gives them.
#
# ## Who the patients are
#
# Foci are counted in the *true* labels: connected pieces of a least volume, in three dimensions.
# Edema often joins what a radiologist would call two tumours, so the pieces of the core are counted,
# too.
#
# ```{literalinclude} ../../paperlib/evaluation/measures/foci.py
# :pyobject: describe_tumour
# ```
#
# The kinds of patients, with limits that were fixed before any Dice of a kind was seen:
#
# ```{literalinclude} ../../paperlib/evaluation/patients/strata.py
# :pyobject: group_patients
# ```

# %%
print(f"a focus has at least {foci.FOCUS_ML} ml; small: enhancing tumour")
print(f"under {strata.SMALL_ET_ML:g} ml; an interval needs {strata.MIN_PATIENTS} patients")
for name, one in cohorts.items():
    groups = strata.group_patients(one.cases)
    print(f"\n{name}, {len(groups)} test patients: grade and enhancing tumour")
    crossed = pd.crosstab(groups["grade"], groups[strata.ENHANCING])
    print(crossed.rename_axis(index=None, columns=None).to_string())

# %% [markdown]
# In the phantom low grade and no enhancing tissue go together by construction, so it cannot tell
# the two apart. Files that carry no grade, as those of the real patients here, give one row
# "unknown" that repeats the row of all.
#
# ## Dice by kind of patient

# %%
hull = by_patient.Method(strata.HULL)
by_kind = {
    name: {
        method: strata.dice_by_stratum(one, of, draws=draws)
        for method, of in (methods[name] | {hull.name: hull}).items()
    }
    for name, one in cohorts.items()
}

# %% mystnb={"figure": {"caption": "Volume Dice by kind of patient: value and 95 % interval of the mean over the patients of a group, their number in brackets. Black bars: the hull of the true enhancing tumour inside the true outline, what the idea of the core gives with perfect masks. No interval: too few patients. No point: the truth has nothing of the region.", "name": "fig-strata"}, "image": {"alt": "Charts of Dice with intervals for whole tumour, core and enhancing tumour, a row for each group of patients, for simulated and real patients."}}
strata_figures.plot_strata(by_kind, aggregation="volume", note=note)

# %% [markdown]
# Read along a row first: is there a kind of patient for which the network is better than the plain
# threshold? Then along a column: a method that needs bright, large tumours falls from the last
# third to the first; of tumours smaller than those of the first third nothing is known here. A black
# bar at 0 in the column of the core, beside "absent", is the first doubt of section 6 as a picture:
# *perfect* masks give no core there. A point right of that bar found its core by calling something
# enhancing that is not.

# %%
for name, of in by_kind.items():
    for method in list(methods[name])[1:]:
        won, groups = strata.count_groups_won(of[method], of[networks[name]])
        print(f"{name}: {method} lies above {networks[name]} in {won} of {groups} groups,")
        print("  volume Dice of the whole tumour")

# %% [markdown]
# The groups overlap: every patient stands once in each stratum, and one with a small tumour can be
# the one with little enhancing tissue, too. The rows are no independent findings.

# %%
captions = {
    name: f"{networks[name]}, value [95 % interval], {draws.number} draws of patients. "
    f"Volume Dice: mean over patients; a patient without the region counts 0, a "
    f"group without it is {limits.MISSING}. Over every slice, one without the "
    f"region counts 0. Foci: at least {foci.FOCUS_ML} ml. Run: {notes[name]}."
    for name in cohorts
}
network_rows = {name: by_kind[name][networks[name]] for name in cohorts}

# %%
frame = limits.lay_out_strata(network_rows["this run"])
present.show(frame, caption=f"This run. {captions['this run']}")

# %%
shown = present.absent()
if reference:
    frame = limits.lay_out_strata(network_rows["real patients"])
    shown = present.show(frame, caption=f"Real patients. {captions['real patients']}")
shown

# %% [markdown]
# ## Dice against the volume of the tumour
#
# Patient by patient, since thirds are a choice:

# %%
each = {
    name: {method: by_patient.measure_patients(one, of) for method, of in methods[name].items()}
    for name, one in cohorts.items()
}

# %% mystnb={"figure": {"caption": "Volume Dice of the whole tumour of each test patient against its true volume (logarithmic). A patient has one mark per method, one above the other. Rings: the true tumour has no enhancing part (shown at the network's value).", "name": "fig-dice-volume"}, "image": {"alt": "Scatter plots of Dice over tumour volume in millilitres, three marks for each patient, for simulated and real patients."}}
strata_figures.plot_volume(each, note=note)

# %%
columns = {
    name: limits.lay_out_correlations(one, methods[name], draws=draws)
    for name, one in cohorts.items()
}
sizes = " and ".join(f"{one.patients} ({name})" for name, one in cohorts.items())
caption = "Spearman's rank correlation of tumour volume and volume Dice [95 % interval]; "
caption += f"test patients: {sizes}. {note}."
present.show(pd.DataFrame(columns).fillna(limits.MISSING), caption=caption)

# %% [markdown]
# ## What is found where nothing is
#
# The method always looks for three tissues. In patients whose truth has no enhancing tumour, or no
# core, everything predicted of it is wrong. Few patients are like that; slices without the region
# are many, in every patient.

# %%
parts = {
    f"{name}: {method}": by_patient.find_false_volumes(one, of)
    for name, one in cohorts.items()
    for method, of in methods[name].items()
}
caption = "Predicted core (TC) and enhancing tumour (ET) where the truth has none: number of such "
caption += "patients and slices, how many have some predicted, and the ml per patient there, "
caption += f"median and most. No gate is applied. {note}."
present.show(limits.lay_out_false(parts), caption=caption)

# %% [markdown]
# For scale: the same predictions in ml stand beside the true volumes in the table of single
# patients below. The gate of section 5.2 empties whole slices and would remove part of this; it
# looks at FLAIR only and does not ask for enhancement.
#
# ## One tumour or more
#
# Section 4.3 does not mention a choice of components, section 6 speaks of the biggest blob as done.
# Three rules: keep all pieces (used everywhere else in this book), the largest of each slice, or the
# largest of the volume.

# %%
for name, one in cohorts.items():
    share = one.cases["largest_share"].dropna().to_numpy(float)
    several = one.cases["foci"] > 1
    bound = limits.bound_of_one_focus(share)
    print(f"{name}: {several.sum()} of {len(several)} patients with more than one focus;")
    print(f"  the largest focus holds {share.min():.1%} of the tumour or more, so that one")
    print(f"  focus alone, perfectly drawn, costs at most {1 - bound.min():.3f} of volume Dice")

# %%
parts = {}
for name, one in cohorts.items():
    for method, of in methods[name].items():
        if of.reading:
            of_what = {"stratum": strata.WHOLE_FOCI, "region": "WT", "draws": draws}
            table = strata.compare_components(one, of, **of_what)
            parts[f"{name}: {method}"] = table

# %%
caption = "Dice of the whole tumour with all pieces, by number of foci of the whole tumour, and "
caption += "its change when one piece is kept [95 % interval, the same patients drawn]. Without "
caption += f"an interval: under {strata.MIN_PATIENTS} patients. {note}."
present.show(limits.lay_out_components(parts), caption=caption)

# %% [markdown]
# Two effects work against each other. Dropping pieces removes false ones, which helps most where
# much is predicted wrongly. It also bets that the biggest predicted piece is the tumour: where it is
# not, everything is lost. A perfect mask of foci as unequal as these would lose little (see above); a
# larger loss points to the wrong bet.
#
# ## The worst, the median and the best patient
#
# By volume Dice of the network for the whole tumour. All numbers, in the order whole tumour / core /
# enhancing tumour; a Dice of what the truth does not have is left out. *Pixel AP* is the average
# precision of ranking all brain pixels: the residual's, and that of the plain image.

# %%
roles = {}
for name, one in cohorts.items():
    of = methods[name][networks[name]]
    every = conventions.slice_counts(one, of.name, reading=of.reading)
    chosen = examples.choose_extremes(conventions.volume_dice(every))
    roles[name] = dict(reversed(chosen.items()))
frame = limits.lay_out_patients(found, methods["this run"], roles["this run"])
caption = f"This run, three patients of {found.patients}. Run: {notes['this run']}."
present.show(frame, caption=caption)

# %%
shown = present.absent()
if reference:
    of_reference = methods["real patients"], roles["real patients"]
    frame = limits.lay_out_patients(reference, *of_reference)
    caption = f"Real patients, three of {reference.patients}, numbers only: the reference holds "
    caption += f"no picture. Run: {notes['real patients']}."
    shown = present.show(frame, caption=caption)
shown

# %% [markdown]
# And the pictures, for the patients of this run: slices evenly over the height of the tumour. Where
# enhancing tumour (yellow) is predicted on a *blue* T1CE residual, tissue darker than expected was
# called enhancing: the smaller cluster has no sign.

# %%
network = methods["this run"][networks["this run"]]
every = conventions.slice_counts(found, network.name, reading=network.reading)
lines = every.set_index(["case", "z"])[["fold", "dice"]]
origin = f"{network.name}, {notes['this run']}"
model_loss, seed = network.name.rsplit("-s", 1)
kinds = ("flair", "t1ce", "residual", "residual", "labels", "labels")
headings = ("FLAIR", "T1CE", "FLAIR residual", "T1CE residual", "ground truth", "prediction")


# %%
def pictures_of(case, z, titles):
    pair = f"{model_loss}-f{lines.loc[(case, z), 'fold']:.0f}-s{seed}"
    view = slice_view.load_slice(run, pair, case, z)
    pictures = (*view.images.values(), *view.residuals.values(), view.labels, view.segmentation)
    return list(map(slices.Panel, pictures, kinds, titles))


# %%
def show_patient(case):
    heights = by_patient.spread_heights(found.slices, case, count=5)
    names = [f"z = {z}\nDice {lines.loc[(case, z), 'dice']:.2f}" for z in heights]
    rows = [pictures_of(case, z, [""] * 6 if n else headings) for n, z in enumerate(heights)]
    return slices.show_grid(rows, row_titles=names, note=f"patient {case}, {origin}")


# %% mystnb={"figure": {"caption": "The worst patient of this run: five slices from the lowest to the highest with tumour. Dice of the whole tumour in the slice at the left. No gate is applied.", "name": "fig-worst"}, "image": {"alt": "Five rows of six pictures: FLAIR, T1CE, their residuals, ground truth and prediction."}}
worst = next(iter(roles["this run"].values()))
show_patient(worst)

# %% mystnb={"figure": {"caption": "The median patient of this run, shown like the worst.", "name": "fig-median"}, "image": {"alt": "Five rows of six pictures: FLAIR, T1CE, their residuals, ground truth and prediction."}}
show_patient(roles["this run"].get("median", worst))

# %% mystnb={"figure": {"caption": "The best patient of this run, shown like the worst.", "name": "fig-best"}, "image": {"alt": "Five rows of six pictures: FLAIR, T1CE, their residuals, ground truth and prediction."}}
show_patient(roles["this run"]["best"])

# %%
for name, one in cohorts.items():
    lowest = one.slices.sort_values("z").groupby("case")["WT_truth"].first()
    print(f"{name}: {(lowest > 0).sum()} of {len(lowest)} tumours reach their lowest slice")

# %% [markdown]
# ## What cannot be concluded
#
# - **No test between groups.** The groups were named in advance, but they are small, they overlap,
#   and there are many of them. An interval of one group that misses the mean of another is a hint,
#   not a result; an interval over a handful of patients is too narrow.
# - **Nothing about grade on real patients**, as long as the files do not carry it.
# - **Little about several tumours.** Patients with a second focus are few, and their second focus is
#   small. Whether a second tumour *of some size* is found is not answered here.
# - **Foci are those inside the window** of the prepared slices; what touches outside it counts as
#   separate.
# - **Volumes are those of the window.** Volume Dice and millilitres count the prepared slices only; a
#   tumour that reaches the lowest of them, see above, goes on where nothing was looked at.
# - **Not examined**: distances between surfaces, how far two readers differ, white-matter lesions of
#   other origin, age, time. The data hold none of it, or no page here asks for it.
# - **The phantom's tumours are ours.** How bright, how large and how often enhancing they are was
#   decided by us; only the mechanisms carry over.
#
# ## Exercises
#
# ```{exercise-start} Predict: one pixel too many
# :label: exercise-one-pixel
# ```
# A slice has no enhancing tumour. One method predicts none in it; another calls one pixel of
# thousands enhancing. A colleague counts a pair of empty masks as 1, unlike this page. How much Dice
# does the one pixel cost in this slice, when he counts?
#
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-one-pixel
# :class: dropdown
# ```
# Everything. With one empty mask the overlap is empty, whatever the size of the other. So his
# Dice of a patient without enhancing tumour is a yes or a no, and a whole patient hangs on a pixel.
# This page counts such a pair 0: then the pixel costs nothing, nor would a thousand. Neither way
# knows how much is wrong; millilitres do.

# %% tags=["solution"]
# hint: twice the overlap over the sum of both sizes: of no pixel and none, then of one and none
cost = 1.0 - 0.0

# %% tags=["check"]
exercises.check_one_pixel(cost, found.slices)

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise-start} Change: what an empty pair is worth
# :label: exercise-empty-pair
# ```
# Enhancing tumour, mean over every slice of this run: the network beside a method that never finds
# any. The row below counts an empty pair as 0. Count it as 1 for both, and compute what the method
# without any finding then gets. The table below the check gets a second row: who wins?

# %%
parts = [every[f"ET_{part}"].to_numpy() for part in ("overlap", "predicted", "truth")]
nothing = [0 * parts[0], 0 * parts[1], parts[2]]
both = {networks["this run"]: parts, "finds nothing": nothing}
worth = {0: {name: metrics.dice_from_counts(*of, empty=0).mean() for name, of in both.items()}}
pd.DataFrame(worth).T.rename_axis("an empty pair counts").round(3)

# %% [markdown]
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-empty-pair
# :class: dropdown
# ```
# Who never finds anything gets the share of slices where there is nothing: no small number for a
# rare tissue. A method that does find enhancing tumour pays for each slice where it finds some in
# vain. So a Dice of enhancing tumour says little without this convention, and without the line of
# the method that finds nothing.

# %% tags=["solution"]
# hint: see the task
empty = 1
# hint: as in the cell above, for `nothing` and with your `empty`
nothing_dice = metrics.dice_from_counts(*nothing, empty=empty).mean()

# %% tags=["check"]
exercises.check_empty_pair(empty, nothing_dice, parts)
worth[empty] = {n: metrics.dice_from_counts(*of, empty=empty).mean() for n, of in both.items()}
frame = pd.DataFrame(worth).T.rename_axis("an empty pair counts").map("{:.3f}".format)
caption = f"Dice of enhancing tumour, mean over {len(every)} slices. {notes['this run']}."
present.show(frame, caption=caption)

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise-start} Change: the third dimension
# :label: exercise-limits
# ```
# `B12` smooths FLAIR in three dimensions and keeps one piece; `B2 fixed`, below, looks at one pixel
# at a time. Take `"B12"`. By how much does the volume Dice of the whole tumour change, mean over all
# patients of this run? In which group of the table does it change most, and does keeping one piece
# hurt the patients with more than one focus?

# %%
whole = limits.AGGREGATION_NAMES["volume"], "WT"
plain = strata.dice_by_stratum(found, by_patient.Method("B2 fixed"), draws=draws)
by_method = {"B2 fixed": limits.lay_out_strata(plain)[whole]}
plain_dice = by_patient.measure_patients(found, by_patient.Method("B2 fixed"))["WT_volume"].mean()
by_method["B2 fixed"]

# %% [markdown]
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-limits
# :class: dropdown
# ```
# Below the check stand both beside each other. Smoothing over neighbouring slices removes single
# bright pixels, which are many; keeping one piece costs a second focus whole. Which of the two
# matters more depends on who the patients are: that is why the table has groups.

# %% tags=["solution"]
# hint: a name in quotes
name = "B12"
dice = by_patient.measure_patients(found, by_patient.Method(name))["WT_volume"].mean()
# hint: mean volume Dice as `plain_dice` above, but of your method; then the difference
gain = dice - plain_dice

# %% tags=["check"]
exercises.check_third_dimension(name, gain, found)
table = strata.dice_by_stratum(found, by_patient.Method(name), draws=draws)
by_method[name] = limits.lay_out_strata(table)[whole]
caption = f"Volume Dice of the whole tumour [95 % interval]. {notes['this run']}."
present.show(pd.DataFrame(by_method), caption=caption)

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise-start} Open: a better enhancing Dice
# :label: exercise-better-enhancing
# ```
# Another group reports an enhancing Dice far above the one on this page, on patients of its own.
# "So our network is better", it writes. What do you ask before you believe it, and which one number
# would convince you?
#
# A good answer (1) asks what a patient or a slice without enhancing tumour counts, and how many
# there are; (2) asks what was averaged, and whether slices or patients were left out; (3) asks how
# large the enhancing tumours are, and for a method without a network on the same patients; (4) names
# a number that neither the convention nor the patients can lift alone.
#
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-better-enhancing
# :class: dropdown
# ```
# (1) Where an empty pair counts 1, each patient without enhancing tumour gives a full point to
# whoever is silent; where it counts 0 he gives nobody any; where he is left out the mean is over
# others. (2) A mean over volumes, over slices with the region or over slices that a gate let through
# is another number of the same masks. (3) Large tumours have a high Dice under any method: a plain
# threshold on T1CE for the same patients says how easy they are, a table by volume shows it. (4) The
# difference to that threshold, paired by patient and with its interval, by a convention that was
# named before; beside it the wrong millilitres in patients without enhancing tumour.
#
# ```{solution-end}
# ```
#
# ## What we learned
#
# - With perfect masks, a tumour without enhancing tissue has no core in this method: that is its
#   design, not its training.
# - Enhancing tumour and core are also predicted where there are none, and a Dice hides how much.
# - A mean of patients needs its groups and its worst case beside it.
