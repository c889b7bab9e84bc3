# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Claims
#
# **The question.** Which statements of the paper hold? This page takes every number that it prints
# and every sentence that compares, and puts our measurement and a verdict beside each. The verdict
# is given by a rule in code, whose margins for a value and for "on a par" were fixed before the runs;
# what else had to be decided, and when, [is listed](12_deviations). It rests on real patients only:
# simulated ones stand beside it and prove nothing about the paper. No verdict is better than its
# number of patients, and most of this page is about what that number cannot tell.

# %% tags=["parameters"]
profile: str = "smoke"  # size; one of: smoke, phantom, phantom-free, laptop, full, paper
data: str = ""  # folder of real patients; empty: simulated ones
folds: int = 1  # from 1 to 20
reading: str = "neighbourhood"  # of equation 1; one of: both, neighbourhood, weights

# %%
import pandas as pd

from paperlib.evaluation import evidence, paper, present, statistics, tables
from paperlib.evaluation.claims import contrasts, numbers, page, sentences, unsaid
from paperlib.evaluation.figures import claims as claims_figures
from paperlib.pipeline import publishing, run as runs
from paperlib.publish import parameters, provenance

parameters.validate(globals(), runs.check_choices)

# %%
run = runs.open_run(profile, data, folds)
found = evidence.load_evidence(run.require("evidence"), command=run.command)
names = publishing.REFERENCES
simulated, real36 = [present.load_reference(publishing.reference_folder(n)) for n in names]
real, phantom = numbers.choose_cohorts(found, real=real36, phantom=simulated)
notes = [provenance.one_line(one.provenance) for one in (real, phantom) if one]
draws, note = tables.Draws(), "; ".join(notes)
print(note)

# %% [markdown]
# ## The rule
#
# A number of ours comes with a 95 % interval $[l, u]$ over patients. Beside the paper's number $p$
# and a margin $\delta$ it
#
# $$ \text{agrees if } p - \delta \le l \text{ and } u \le p + \delta, \qquad
#    \text{differs if } u < p - \delta \text{ or } l > p + \delta, $$
#
# and is undecided otherwise. Differences are taken patient by patient and get an interval of their
# own: it excludes zero with the paper's sign, with the other sign, or not at all. "On a par" means
# that the whole interval lies inside a margin around zero.
#
# ```{literalinclude} ../../paperlib/evaluation/statistics.py
# :pyobject: value_verdict
# ```
#
# ```{literalinclude} ../../paperlib/evaluation/claims/contrasts.py
# :pyobject: judge
# ```

# %%
print(f"margin of a value: {contrasts.VALUE_MARGIN}; of “on a par”: {contrasts.ON_A_PAR_MARGIN}")
print(f"“near zero”: {numbers.NEAR_ZERO_MARGIN} z units; “mostly”: more than {numbers.MOSTLY:.0%}")

# %% [markdown]
# One number through the rule: the paper's best outline, as if our value were exactly the same. Only
# the interval keeps it from agreeing, and only patients make that narrower.

# %%
number, spread = paper.OUTLINE["dVAE", "SSIM"], 0.22  # as if this were the sd between patients
for patients in (10, 30, 100, 1000):
    half = 1.96 * spread / patients**0.5
    one = statistics.Interval(number, number - half, number + half, patients)
    print(f"{patients:4} patients: {numbers.judge_number(one, number, tuned=False)}")

# %% [markdown]
# ## Every number
#
# The reading with the neighbourhood was chosen because it came closest to these numbers. It can
# differ from them, but not agree with them.

# %%
ours, beside = (numbers.table_2_claims(one, draws=draws) for one in (real, phantom))
page.show_table_2(ours, beside, note=note)

# %%
others = [
    (numbers.table_3_claims(one, draws=draws), numbers.gated_claims(one, draws=draws))
    for one in (real, phantom)
]
page.show_other_numbers(*others, note=note)

# %% [markdown]
# The three numbers of section 5.3 get no verdict as long as the conventions that can be the paper's
# disagree: the wording does not say which slices were averaged, nor what an empty pair of masks
# counts.

# %% [markdown]
# ## Every sentence
#
# A sentence is judged on what can be counted about it, and its reason is chosen by the verdict.
# Rows marked as our control are not in the paper: they ask whether something simpler does as well.

# %%
table = sentences.evaluate_sentences(real, phantom, draws=draws)
page.show_sentences(table, note=note)

# %% [markdown]
# ## Seven contrasts
#
# Seven differences were named before any run, one for each choice that the paper makes by its
# tables. As one of several tests is easily significant by chance, each is corrected for the number
# of those that could be made. How many patients a difference $\delta$ needs follows from the spread
# $s$ of the paired difference:
#
# $$ n = \left( \frac{(z_{1-\alpha/2} + z_{\text{power}})\, s}{\delta} \right)^2 $$
#
# ```{literalinclude} ../../paperlib/evaluation/statistics.py
# :pyobject: patients_needed
# ```

# %%
seven, simple = (
    contrasts.evaluate_contrasts(one, reading=reading, draws=draws) for one in (real, phantom)
)
page.show_contrasts(seven, simple, reading=reading, note=note)

# %% mystnb={"figure": {"caption": "The seven contrasts: difference in Dice with its interval over patients, real (blue, above) and simulated (grey, below), and the paper's difference (orange). An interval that touches the line at zero decides nothing.", "name": "fig-contrasts"}, "image": {"alt": "Seven horizontal intervals around a vertical line at zero, each for real and simulated patients, with the paper's difference."}}
margin = contrasts.ON_A_PAR_MARGIN
claims_figures.plot_contrasts(seven, simple, margin=margin, note=note)

# %%
page.show_power(seven, note=note)

# %% [markdown]
# ## What cannot be concluded

# %%
unsaid.show_limits(ours, others[0], table, seven)

# %% [markdown]
# - **"Differs" is no refutation.** Ours are other patients, another length of training and many
#   details that the paper leaves open; the [deviations page](12_deviations) lists them.
# - **"Undecided" is no agreement.** It says that these patients are too few.
# - **One seed.** An interval over patients does not hold what another seed would change.
# - **Folds share training patients.** The intervals ignore that and are a little too narrow.
# - **The phantom decides nothing.** It shows whether the code finds what is there.
#
# ## Change one thing
#
# ```{exercise-start}
# :label: exercise-claims
# ```
# The contrasts above are judged under one reading of equation 1. Put `"both"` or `"weights"` in its
# place. Does a verdict change, and would you have known beforehand which reading to take?

# %%
changed = contrasts.evaluate_contrasts(real, reading=reading, draws=draws)
shown = changed.set_index("name")[["value", "low", "high", "verdict"]].round(3).astype(str)
present.show(shown, caption=f"Seven contrasts again. {notes[0]}.")

# %% [markdown]
# ```{exercise-end}
# ```

# %% [markdown]
# ```{solution-start} exercise-claims
# :class: dropdown
# ```
# All three readings beside each other. Whoever may choose afterwards can choose a verdict. Ours was
# chosen by its closeness to the paper; so under it no number may "agree".

# %%
verdicts = {}
for name in ("both", "neighbourhood", "weights"):
    judged = contrasts.evaluate_contrasts(real, reading=name, draws=draws)
    verdicts[name] = judged.set_index("name")["verdict"]
present.show(pd.DataFrame(verdicts), caption=f"Verdict by reading of equation 1. {notes[0]}.")

# %% [markdown]
# ```{solution-end}
# ```
#
# ## What we learned
#
# - A verdict needs a rule, a margin and patients, in this order.
# - With few patients a careful rule mostly answers that it does not know.
