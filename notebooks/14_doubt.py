# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # When to doubt it
#
# **The question.** A method that segments every patient also segments those that it does not
# understand. Does the better one of the [last page](13_beyond) know when it is wrong? This page asks
# for signs that need no truth, for patients without a tumour, and for those with more than one.

# %% tags=["parameters"]
profile: str = "smoke"  # one of: smoke, phantom, phantom-free, phantom-foci, laptop, full, paper
data: str = ""  # folder of real patients; empty: simulated ones
folds: int = 1  # from 1 to 20

# %%
import numpy as np
import pandas as pd

from paperlib.evaluation import evidence, present, tables
from paperlib.evaluation.comparisons import doubt as signs
from paperlib.evaluation.figures import beyond as figures, doubt

# %%
from paperlib.exercises import doubt as exercises
from paperlib.pipeline import run as runs
from paperlib.pipeline.method import patients, segments
from paperlib.pipeline.new_patients import beyond_patient
from paperlib.pipeline.pages import publishing
from paperlib.postprocessing import outline, volume
from paperlib.publish import parameters, provenance

parameters.validate(globals(), runs.check_choices)

# %%
run = runs.open_run(profile, data, folds)
found = evidence.load_evidence(run.require("evidence"), command=run.command)
draws = tables.Draws()
known, notes, cases = {}, {}, {}
for name in (*publishing.REFERENCES, "phantom-free", "phantom-foci"):
    reference = present.load_reference(publishing.reference_folder(name))
    known[name] = publishing.load_beyond(name, reference)
    cases[name] = reference.cases.set_index("case") if reference else None
    notes[name] = provenance.one_line(known[name].provenance) if known[name] else ""
    print(f"{name}: {figures.describe(known[name])}\n    {notes[name]}")

# %% [markdown]
# The tables come from `make beyond`; `phantom-free` are simulated patients of whom some have no
# tumour, `phantom-foci` such as have two or three foci each.
#
# ## Signs without the truth
#
# Two networks learned from the same healthy slices; they differ in the seed, and one of them saw bent
# curves of intensities, too (`gamma_seeds` of `BeyondSettings`). Each draws its own
# outline: of its own components the one with the widest ball, at its own level. Where these disagree,
# what both say together is more often wrong:
#
# ```{literalinclude} ../../paperlib/pipeline/new_patients/beyond_method.py
# :pyobject: agreement_of_networks
# ```
#
# Other signs: whether the method without networks agrees, how wide a ball fits inside, and in how many
# ways the patient's intensities and field of view are unlike those of the training patients.
# Simulated patients:

# %%
doubt.show_signs(known["phantom"], draws=draws, note=notes["phantom"])

# %% [markdown]
# Real patients:

# %%
doubt.show_signs(known["real36"], draws=draws, note=notes["real36"])

# %% mystnb={"figure": {"caption": "The true Dice of each patient over the agreement of the networks, which is known without the truth.", "name": "fig-agreement"}, "image": {"alt": "Scatter plot of true Dice over agreement, simulated and real patients."}}
shown = {name: known[name] for name in publishing.REFERENCES}
line = "; ".join(f"{name}: {note}" for name, note in notes.items() if note and name in shown)
doubt.plot_agreement(shown, note=line)

# %% [markdown]
# `paperlib segment --method synthetic` prints the agreement and warns where it is below a limit that is
# decided, not learnt. Whom that would have reached:

# %%
limit = beyond_patient.DOUBTFUL
for name, one in shown.items():
    if one:
        said = signs.count_warnings(one, limit=limit)
        print(
            f"{name}: agreement below {limit}: {said['poor, warned']} of {said['poor']} patients with "
            f"Dice below {signs.POOR}, and {said['good, warned']} of the other {said['good']}"
        )

# %% [markdown]
# It cannot warn of what both networks get wrong in the same way: networks of one recipe share their
# blind spots.
#
# ## The worst patients
#
# Real patients, numbers only:

# %%
doubt.show_worst(known["real36"], cases=cases["real36"], note=notes["real36"])

# %% [markdown]
# Their pictures stay with whoever has the patients; this is what they show. In the worst one the tumour
# is faint and lies in the lowest slices; bright rims at the back of the head are kept instead, by both
# networks, so that they agree and do not warn. In both other trainings (the page before compares them)
# they disagreed about the same patient: the sign depends on luck, too. In the second the tumour is
# found, but its thin arms along the ventricles are not. In the third, whose FLAIR was scanned in thick
# slices, a bright band at the back of the head joins the tumour and doubles it: about this one the
# networks nearly agree. Simulated patients, where the sign may fail, too:

# %%
doubt.show_worst(known["phantom"], cases=cases["phantom"], note=notes["phantom"])

# %% [markdown]
# ## No tumour at all
#
# The paper's patients all have a tumour, so it is never asked whether a method would find one where
# there is none. Simulated patients can be healthy:

# %%
doubt.show_no_tumour(known["phantom-free"], note=notes["phantom-free"])

# %% [markdown]
# Healthy brains are few here and simulated, and the radius is read off the same patients: the table
# shows that the sign can work, not how often it fails in a clinic.
#
# ## More than one
#
# A rule that keeps one body loses a second focus by rule. So every component stays that is nearly as
# wide as the widest (`FOCUS_SHARE` of `outline` says how nearly); the other rules stand beside it.
# Simulated patients, those of `phantom-foci` where this copy has their rows:

# %%
simulated = "phantom-foci" if known["phantom-foci"] else "phantom"
doubt.show_foci(known[simulated], cases=cases[simulated], note=notes[simulated])

# %% [markdown]
# Real patients, of whom few have a second focus apart from the first:

# %%
doubt.show_foci(known["real36"], cases=cases["real36"], note=notes["real36"])

# %% [markdown]
# On real patients the rule that keeps all wide components takes nothing from those with one focus, and
# finds more of the others' foci, though far from all; these patients are few. `paperlib segment --method synthetic` follows it
# and says how much it dropped; the rule is a setting, `component` of `BeyondSettings`.
#
# ## Exercises
#
# ```{exercise-start} Predict: a network and its twin
# :label: exercise-twin
# ```
# Somebody has one network only and takes a copy of it as the second. What is their agreement, and
# does it warn? Answer `"low, always"`, `"one, never"` or `"as with two networks"`.
#
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-twin
# :class: dropdown
# ```
# A copy makes the same mistakes. Agreement warns only as far as the errors of the two are
# independent, and two networks of one recipe are not either: they share data and lesions.

# %% tags=["solution"]
# hint: two equal outlines, whatever they are
twin = "one, never"

# %% tags=["check"]
exercises.check_twin(twin)

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise-start} Change: miss nobody
# :label: exercise-miss-nobody
# ```
# Below is the widest ball in what exceeds 1 z of smoothed FLAIR, of each test patient of this run. A
# volume is flagged from a radius on. Which radius flags 95 % of the patients, which all of them?

# %%
sigma_px, radii = run.profile.beyond.flair_sigma_px, {}
tested = sorted({case for fold in range(run.folds) for case in patients.load_fold(run, fold).test})
for number, one in zip(tested, segments.load_patients(run, tested), strict=True):
    score = volume.smooth(one.images["flair"], one.brain, sigma_px=sigma_px)
    kept = outline.keep(outline.clean(score - 1, one.brain), one.brain, rule="ball")
    radii[number] = outline.ball_mm(kept)
radius_of_most = float(np.quantile(list(radii.values()), 1 - signs.CAUGHT, method="lower"))

# %% [markdown]
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-miss-nobody
# :class: dropdown
# ```
# The smallest tumour decides, and with it everything that is as wide in a healthy brain. Whoever
# wants to miss nobody has to say how many false alarms that is worth.

# %% tags=["solution"]
# hint: the narrowest of all balls still has to reach it
radius_of_all = min(radii.values())

# %% tags=["check"]
exercises.check_radius(radius_of_all, radii)
limits = {"95 %": radius_of_most, "all": radius_of_all}
shares = {word: np.mean([r >= limit for r in radii.values()]) for word, limit in limits.items()}
frame = pd.DataFrame({"radius, mm": limits, "share flagged": shares})
line = provenance.one_line(found.provenance)
present.show(frame.map("{:.2f}".format), caption=f"{len(radii)} test patients. {line}.")

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise-start} Open: what to tell the ward
# :label: exercise-tell-the-ward
# ```
# The agreement of a new patient is lower than that of most patients of this page. Write the two
# sentences that the report should hold, and say what nobody can promise.
#
# A good answer (1) says that the outline is doubtful without saying why it should be wrong; (2) says
# what to do: look at the scan, not at the volume; (3) says that a high agreement proves nothing.
#
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-tell-the-ward
# :class: dropdown
# ```
# (1) "Two networks outline this tumour differently, so its volume is not reliable." (2) "Please look
# at the images before using it." (3) Where they agree they may still be wrong together, and no
# threshold of agreement is proven on the scanner of this ward: that takes its own patients.
#
# ```{solution-end}
# ```
#
# ## What we learned
#
# - Two networks of one recipe are a warning that needs no truth: where they disagree, look.
# - A sign orders patients; it does not measure the error, and it is silent about shared mistakes.
# - With networks, keeping all that is wide finds more foci in phantoms made to have several, and costs
#   the others nothing;
#   without them it keeps healthy tissue, too, so the clean-up alone keeps the widest component.
