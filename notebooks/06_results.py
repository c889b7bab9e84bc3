# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Results
#
# **The question.** Does an autoencoder trained on healthy slices find brain tumours, how well, and
# is one kind of network better than another? Section 5 of the paper answers with two tables, one
# set of three numbers and one figure. This page repeats them, each with an interval, beside methods
# that need no network, and beside the best value that the way of counting allows.

# %% tags=["parameters"]
profile: str = "smoke"  # one of: smoke, phantom, phantom-free, phantom-foci, laptop, full, paper
data: str = ""  # folder of real patients; empty: simulated ones
folds: int = 1  # from 1 to 20
model: str | None = None  # one of: VAE, dVAE, VAE1px, VAE-CE, AAE, BiAAE; None: by rule
loss: str | None = None  # one of: MSE, SSIM, L1
rule: str = "max_healthy"  # gate; one of: max_healthy, mean_2sd, quantile_95, height

# %%
import pandas as pd

# %%
from paperlib.evaluation import conventions, evidence, examples, paper, present, tables
from paperlib.evaluation.figures import dice as dice_figures, slices
from paperlib.evaluation.measures import statistics
from paperlib.evaluation.slices import slice_scores
from paperlib.evaluation.texts import layout, paper_tables
from paperlib.exercises import results as exercises
from paperlib.pipeline import run as runs
from paperlib.pipeline.pages import publishing, slice_view
from paperlib.publish import parameters, provenance

# %%
parameters.validate(globals(), runs.check_choices)
run = runs.open_run(profile, data, folds)
found = evidence.load_evidence(run.require("evidence"), command=run.command)
model, loss = examples.choose_network(found, model, loss)
method, reading = slice_scores.first_seed(found, model, loss), run.profile.mixture.reading
draws = tables.Draws()
note = provenance.one_line(found.provenance)
reference = present.load_reference(publishing.reference_folder("real36"))
real_note = provenance.one_line(reference.provenance) if reference else ""
real = slice_scores.first_seed(reference, *examples.choose_network(reference)) if reference else ""

# %% [markdown]
# ## What is counted
#
# The *Dice* of a prediction $P$ and the reference $T$ is the overlap relative to their mean size:
#
# $$ D = \frac{2\,|P \cap T|}{|P| + |T|} $$
#
# It is 1 for a perfect match and 0 without any overlap. Where both are empty it is undefined, and
# somebody has to decide. Section 5.1 of the paper counts a slice without tumour as 0 and averages
# over every slice. So even the truth, scored as a prediction, stays below 1: it is the *ceiling* in
# the last rows of the tables. In this project that decision has no default:
#
# ```{literalinclude} ../../paperlib/evaluation/measures/metrics.py
# :pyobject: dice_from_counts
# ```
#
# The intervals come from drawing *patients* with replacement. Slices of one patient resemble each
# other and are not drawn on their own. Patients are drawn within their fold; the ends of an interval
# are quantiles of the draws.
#
# ```{literalinclude} ../../paperlib/evaluation/measures/statistics.py
# :pyobject: bootstrap_ratio
# ```

# %% [markdown]
# ## Table 2: outline of the whole tumour
#
# The paper's best outline is {result}`paper.outline.dVAE-SSIM:.3f`, the dVAE with SSIM loss. The
# three columns of ours are the three readings of equation 1 from the
# [previous page](05_postprocessing); the reading with the neighbourhood was chosen because it came
# closest to the paper, so its agreement proves nothing. Below the networks stand methods that need
# none.

# %%
paper_tables.show_table_2(found, tables.OUTLINE, draws=draws, note=note)

# %% [markdown]
# The same for the real patients of the reference run, where this copy holds it:

# %%
paper_tables.show_table_2(reference, tables.OUTLINE, draws=draws, note=real_note)

# %% [markdown]
# In short, for the reading with the neighbourhood:

# %%
runs_shown = {"this run": found} | ({"real patients": reference} if reference else {})
best = {}
for name, one in runs_shown.items():
    outline = tables.table_2(one, tables.OUTLINE, draws=draws)
    whole = outline.drop(index=list(paper_tables.partly_tested(one)))
    best[name] = layout.best_rows(whole, reading=reading)
patients = " and ".join(f"{one.patients} ({name})" for name, one in runs_shown.items())
origins = "; ".join(filter(None, [note, real_note]))
caption = f"Dice of the whole tumour, every slice. Test patients: {patients}. {origins}."
present.show(pd.DataFrame(best), caption=caption)

# %% [markdown]
# Read the last line first. A method without a network at or above the best network means that this
# table, with its post-processing, gives no reason to train one; a row that cleans up in three
# dimensions has a help that networks get on [a later page](13_beyond) only. The row "the paper's
# post-processing without a network" is the most telling: it is the same chain with the plain image in
# place of a residual, so what it reaches is not the network's merit. It is known that bright pixels of
# FLAIR alone are a strong opponent {cite}`meissen2021challenging`.

# %% [markdown]
# ## Table 2: semantic segmentation
#
# The mean of the three tissue labels: necrotic and non-enhancing core, edema, enhancing tumour. The
# paper's best is {result}`paper.semantic.dVAE-SSIM:.3f`. "Hull of the true enhancing tumour" is
# what the idea of section 4 could reach with perfect masks: everything is the truth except that the
# core is drawn as a convex hull. "Perfect reconstruction" is no upper end here: edema, too, differs
# from healthy tissue on T1CE, and where the outline has a residual on T1CE it is called enhancing.

# %%
paper_tables.show_table_2(found, tables.SEMANTIC, draws=draws, note=note)

# %%
paper_tables.show_table_2(reference, tables.SEMANTIC, draws=draws, note=real_note)

# %% [markdown]
# ## Table 3, in short
#
# The scores that decide which slices keep their mask. The [page on scores](04_anomaly_scores) has
# the controls.

# %%
paper_tables.show_table_3(found, method, draws=draws, note=note, short=True)

# %%
paper_tables.show_table_3(reference, real, draws=draws, note=real_note, short=True)

# %% [markdown]
# ## Figure 4: what the masks look like
#
# Patients by rule: best, median and worst Dice of the whole tumour over the volume; of each, the
# slice with the largest tumour.

# %%
every = conventions.slice_counts(found, method, reading=reading)
cases = examples.choose_extremes(conventions.volume_dice(every))
largest = every.loc[every.groupby("case")["WT_truth"].idxmax()].set_index("case")
views = {}
for name, case in cases.items():
    line = largest.loc[case]
    pair = method.replace("-s", f"-f{line['fold']}-s")
    views[name] = slice_view.load_slice(run, pair, case, int(line["z"]))

# %%
titles = ["FLAIR", "T1CE", "FLAIR residual", "T1CE residual"]
titles += ["ground truth", "prediction"]
kinds = ("flair", "t1ce", "residual", "residual", "labels", "labels")
rows = []
for v in views.values():
    pictures = (*v.images.values(), *v.residuals.values(), v.labels, v.segmentation)
    rows.append(list(map(slices.Panel, pictures, kinds, titles)))
values = conventions.volume_dice(every).set_index("case")["dice"]
names = [f"{name}: {values[case]:.2f}" for name, case in cases.items()]

# %% mystnb={"figure": {"caption": "The paper's Figure 4 in its arrangement: FLAIR, T1CE, their residuals, ground truth and prediction, for the test patients with the best, the median and the worst Dice (left, over the volume). No gate is applied.", "name": "fig-cases"}, "image": {"alt": "Rows of patients with six pictures each, from images to prediction."}}
numbers = ", ".join(map(str, cases.values()))
slices.show_grid(rows, row_titles=names, note=f"patients {numbers}, {method}, {note}")

# %% [markdown]
# ## Where the Dice comes from
#
# Large tumours are easier: a rim of the same width costs them less. And slices without tumour, most
# of them near the crown, count 0 in Table 2 whatever is predicted.

# %% mystnb={"figure": {"caption": "Dice of the whole tumour against the area of the tumour in the slice (left) and against the height of the slice (right). The grey bars are the share of tumour-free slices: they pull the mean over every slice down, for each method alike.", "name": "fig-dice-size"}, "image": {"alt": "Scatter plot of Dice over area and two curves of mean Dice over height with grey bars."}}
pixel_mm = run.prepare.window / run.prepare.size
dice_figures.plot_size_and_height(every, pixel_mm=pixel_mm, note=f"{method}, {note}")

# %%
shown = {method: reading, "B3": reading, "B2 fixed": "", "B12": ""}
parts = {}
for name, of in shown.items():
    scored = conventions.slice_counts(found, name, reading=of)
    parts[name] = conventions.by_height(scored).map("{:.2f}".format)
n = []
for part in (every[every["z"] < 100], every[every["z"] >= 100]):
    n.append(f"{len(part)} slices, {(part['WT_truth'] > 0).sum()} with tumour")

# %%
present.show(
    pd.DataFrame(parts).T,
    caption=f"Mean Dice of the whole tumour below (n = {n[0]}) and above (n = {n[1]}); "
    f"in “every slice” one without tumour counts 0. B3: the paper's post-processing "
    f"without a network; B2 fixed: z-scored FLAIR above 1; B12: smoothed FLAIR, cleaned "
    f"up in 3-D. {found.patients} patients, {note}.",
)

# %% [markdown]
# ## Section 5.3: one prediction, many numbers
#
# With the gate the paper reports {result}`paper.gated.WT:.2f` for the whole tumour,
# {result}`paper.gated.TC:.2f` for the core and {result}`paper.gated.ET:.2f` for the enhancing
# tumour. It does not say how slices and empty masks were counted, and that can move the number
# further than the method does: {numref}`fig-conventions` scores *one* gated prediction in eleven
# ways. Metrics that hide this choice are a known trap {cite}`maierhein2024metrics`.

# %%
flagged = slice_scores.flag_slices(found, method, score="mean_residual", rule=rule)
gated = conventions.compare_conventions(every, flagged=flagged, draws=draws)
kept = f"{method}, gate {rule} on the mean residual"
print(f"{kept}: {flagged.mean():.0%} of {len(flagged)} slices keep their mask")

# %% mystnb={"figure": {"caption": "One gated prediction under every convention: value with its 95 % interval (blue), the paper's number (dashed), the ceiling (bar: the truth scored as a prediction), an empty prediction (cross) and one that calls the whole brain tumour in every slice that the gate keeps (square). Where the paper's number lies right of the bar, the convention cannot be the paper's.", "name": "fig-conventions"}, "image": {"alt": "Three charts of Dice under eleven conventions, for whole tumour, core and enhancing tumour."}}
where = f"{kept}, {note}"
dice_figures.plot_conventions(gated, paper=paper.GATED, name="ours, gated", note=where)

# %%
show = {"reading": reading, "rule": rule, "draws": draws}
paper_tables.show_conventions(found, method, **show, note=note)

# %%
paper_tables.show_conventions(reference, real, **show, note=real_note)

# %% [markdown]
# Read the last three columns first. They contain no segmentation. Under "empty = 1" an *empty* prediction
# already scores what the slices without the region are worth, and the more so the smaller the
# region; together with a gate, calling the *whole brain* tumour comes close to that. What the method
# adds is the difference to these columns.
#
# Two conventions cannot be the paper's, because a gate can only lower them: every slice with empty
# = 0, and slices with the region only. Any other is possible as long as the ceiling allows it. What
# is left, for one and the same prediction:

# %%
parts = {"this run": gated}
if reference:
    other = conventions.slice_counts(reference, real, reading=reading)
    flags = slice_scores.flag_slices(reference, real, score="mean_residual", rule=rule)
    parts["real patients"] = conventions.compare_conventions(other, flagged=flags, draws=draws)
spread = pd.concat({name: conventions.spread(one, paper.GATED) for name, one in parts.items()})

# %%
columns = {"holds": "interval holds the paper's number", "below": "lies below", "above": "above"}
texts = spread.astype({"lowest": object, "highest": object})
texts = texts.map(lambda value: f"{value:.2f}" if isinstance(value, float) else str(value))
present.show(
    texts.rename_axis([None, None]).rename(columns=columns),
    caption="Conventions that can be the paper's, the lowest and the highest value of ours under "
    f"them, and where our interval lies under how many of them. {origins}. {kept}.",
)

# %% [markdown]
# "Lies below" is said of an interval below the paper's number by however little; the
# [claims page](11_claims) asks for more than its margin, and so leaves some of these open. Where the
# conventions disagree by that rule, the numbers of section 5.3 can be neither confirmed nor refuted:
# **the paper's convention is not determined**. And as the reading of equation 1 was tuned, even one
# that agreed would prove nothing about the value.
#
# ## What cannot be concluded
#
# How many patients would it take to see a difference? The spread of the difference between the
# network and the same chain without a network, patient by patient, answers it, for the real patients
# where this copy holds them:

# %%
judged, network = (reference, real) if reference else (found, method)
own, without = [conventions.slice_counts(judged, of, reading=reading) for of in (network, "B3")]
difference = (own["dice"] - without["dice"]).groupby(own["case"]).mean()
mean, sd, n = difference.mean(), difference.std(), len(difference)
print(f"{network} minus B3, mean over the slices of a patient: {mean:+.3f}, sd {sd:.3f}")
print(f"n = {n} patients; smallest p possible: {statistics.smallest_p(n):.2g}; with this sd:")

# %%
fewest = next(k for k in range(1, 100) if statistics.smallest_p(k) < 0.05)
for effect in (0.01, 0.03, 0.10):
    needed = max(fewest, statistics.patients_needed(sd, effect, power=0.8, alpha=0.05))
    print(f"a difference of {effect:.2f} needs about {needed} patients (power 80 %)")

# %% [markdown]
# - **No ranking of networks.** The paper's networks differ by a few hundredths, on
#   {result}`paper.test_patients` patients and without intervals. At such an n differences of that
#   size can be chance. Larger ones between our rows hold for one seed and one training length.
# - **No agreement by tuning.** The reading of equation 1 was chosen by closeness to the paper.
# - **No network without its training length.** Where a network stands in its training moves its
#   Dice, too; see the [training page](03_training). A row shows one point of it.
# - **Simulated patients say nothing about real ones.** They check the code and show mechanisms.
# - **Not a clinical result.** One kind of tumour, one collection, few patients, no lesion of any
#   other kind. Nothing here supports a use on patients.
#
# ## Exercises
#
# ```{exercise-start} Predict: the best Dice that can be had
# :label: exercise-ceiling
# ```
# Somebody hands in the *truth* as his prediction. Which mean Dice of the whole tumour does he get by
# section 5.1, where every slice counts, and one in which both masks are empty counts 0?
# `every["WT_truth"]` has the true pixels of each test slice of this run.
#
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-ceiling
# :class: dropdown
# ```
# Each slice with tumour gets 1, each other 0: the ceiling is the share of slices with tumour. It
# belongs to the patients and to the choice of slices, not to any method, and two papers with
# different slices have different ceilings.

# %% tags=["solution"]
# hint: what does a slice with tumour get, and what one without?
ceiling = (every["WT_truth"] > 0).mean()

# %% tags=["check"]
exercises.check_ceiling(ceiling, every)

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise-start} Explain: one prediction, two numbers
# :label: exercise-policies
# ```
# Compute the mean Dice over every slice yourself, for the gated prediction, once with empty pairs
# counting 0 and once with 1. Which one would you print?

# %%
parts = {f"WT_{part}": every[f"WT_{part}"] * flagged for part in ("overlap", "predicted")}
after_gate = every.assign(**parts)
after_gate[["case", "z", "WT_overlap", "WT_predicted", "WT_truth"]].head()

# %% [markdown]
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-policies
# :class: dropdown
# ```
# The two differ by the share of slices in which nothing is true and nothing predicted. A gate makes
# more of them, so with 1 it lifts the number even where it empties good masks elsewhere, and with 0
# it never can. Neither is wrong; printing one without its name is.

# %% tags=["solution"]
sizes = after_gate["WT_predicted"] + after_gate["WT_truth"]
each = 2 * after_gate["WT_overlap"] / sizes
# hint: the formula of D slice by slice gives nan where both masks are empty; fillna helps
counts_zero = each.fillna(0).mean()
# hint: the same with the other policy
counts_one = each.fillna(1).mean()

# %% tags=["check"]
exercises.check_policies(counts_zero, counts_one, after_gate)

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise-start} Change: the method beside it
# :label: exercise-baseline
# ```
# Put a method without a network beside the network: `"B12"` (smoothed FLAIR, cleaned up in 3-D),
# `"B2 fixed"` (z-scored FLAIR above 1) or `"B3"`. Both get the same gate. Under which convention does
# the network look best, by its lead over your method? The table gets a second column.

# %%
beside = {}


def whole_tumour(name):
    counted = conventions.slice_counts(found, name, reading=shown[name])
    scored = conventions.compare_conventions(counted, flagged=flagged, draws=draws)
    return scored[scored["region"] == "WT"].set_index("convention")["value"]


beside[method] = whole_tumour(method)

# %% [markdown]
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-baseline
# :class: dropdown
# ```
# The convention is chosen after the fact by whoever prints only that one. An honest table names
# the convention first, and shows the same line for the plain method.

# %% tags=["solution"]
# hint: one of the names above
other = "B12"
# hint: the name of the line of the table in which the network's lead is largest
best = (beside[method] - whole_tumour(other)).idxmax()

# %% tags=["check"]
exercises.check_lead(other, best, found, shown, flagged)
beside[other] = whole_tumour(other)
frame = pd.DataFrame(beside).map("{:.2f}".format)
present.show(frame, caption=f"Dice of the whole tumour, gate of {method}. {note}.")

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise-start} Open: what did the gate improve?
# :label: exercise-improved
# ```
# Table 2 of the paper has {result}`paper.outline.dVAE-SSIM:.2f` for its best network, section 5.3 has
# {result}`paper.gated.WT:.2f` for the same one with a gate. A reader concludes that the gate is worth
# the difference. Write the paragraph that you would add to the paper.
#
# A good answer (1) says which part of the difference can come from the way of counting alone;
# (2) names the number that is missing to tell the two apart; (3) names a prediction without any
# method that also gains from such a gate; (4) stays with what was measured.
#
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-improved
# :class: dropdown
# ```
# "The two values are not comparable as they stand. In Table 2 a slice without tumour counts 0
# whatever is predicted, so a gate cannot raise that number; the second value therefore follows
# another convention, under which an empty mask in a tumour-free slice counts (1). We give the
# ungated prediction under that second convention, too; the difference of these two is what the gate
# did (2). Under the same convention an empty prediction, and one that calls the whole brain tumour
# wherever the gate lets it, reach the values in the last columns (3). What the method adds lies
# between them and ours, on our test patients, with the interval given (4)." The ungated prediction
# of this page under every convention:

# %%
ungated = conventions.compare_conventions(every, flagged=None, draws=draws)
columns = {}
for name, table in {"no gate": ungated, f"gate {rule}": gated}.items():
    columns[name] = table[table["region"] == "WT"].set_index("convention")["value"]
frame = pd.DataFrame(columns).map("{:.2f}".format).replace("nan", "–")
present.show(frame, caption=f"Dice of the whole tumour. {method}, {note}.")

# %% [markdown]
# ```{solution-end}
# ```
#
# ## What we learned
#
# - A Dice is read with its convention, its ceiling, its interval and the baseline beside it, or not
#   at all.
# - The same chain without a network is the comparison that the paper lacks.
