# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Post-processing
#
# **The question.** A network leaves two residual images per slice, one for FLAIR and one for T1CE.
# Section 4.3 of the paper turns them into three tissue labels without training on any label:
# cluster each residual into two groups of pixels, call the smaller group tumour, tidy it up, and
# draw the convex hull of the enhancing part. Which of these steps decides the result? And what do
# the two printed equations leave open?

# %% tags=["parameters"]
profile: str = "smoke"  # size of the run; one of: smoke, phantom, laptop, paper
data: str = ""  # folder of real patients; empty: simulated ones
folds: int = 1  # from 1 to 20
model: str | None = None  # one of: VAE, dVAE, VAE1px; None: by rule
loss: str | None = None  # one of: MSE, SSIM
case: int | None = None  # number of a test patient; None: by rule
z: int | None = None  # height of the slice, from 60 to 129; None: by rule
reading: str = "neighbourhood"  # one of: both, neighbourhood, weights

# %%
import dataclasses
import pandas as pd

from paperlib.evaluation import conventions, evidence, examples, metrics, present
from paperlib.evaluation.figures import clusters, slices
from paperlib.pipeline import run as runs, segments, slice_view
from paperlib.postprocessing import mixture, morphology, neighbours, regions
from paperlib.publish import parameters, provenance

parameters.validate(globals())

# %%
run = runs.open_run(profile, data, folds)
found = evidence.load_evidence(run.require("evidence"), command=run.command)
model, loss = examples.choose_network(found, model, loss)
case, z = examples.choose_slice(found.slices, case, z)
fold = int(found.slices.set_index("case").loc[[case], "fold"].iloc[0])
seed = found.provenance["seeds"][0]
view = slice_view.load_slice(run, f"{model}-{loss}-f{fold}-s{seed}", case, z)
method, settings = f"{model}-{loss}-s{seed}", run.profile.mixture
note = f"patient {case}, slice {z}, {method}, {provenance.one_line(found.provenance)}"
print(note)

# %% [markdown]
# The slice is chosen by rule: of the test patients with enhancing tumour, the one in the middle by
# its volume; of that patient, the slice with the most of it.
#
# ## Two clusters
#
# The residual $r = \hat x - x$ of one slice is taken as a mixture of two Gaussians. *Expectation
# maximisation* takes turns: from the two Gaussians, compute for each pixel $i$ how likely it
# belongs to cluster $k$; from these probabilities $p_{ik}$, compute the Gaussians anew. The paper
# adds that a pixel should resemble its neighbours. Its equations 1 and 2, with $a_k$ the share of
# cluster $k$, $\varphi$ the density of a Gaussian with mean $\mu_k$ and variance $s_k^2$, and $N_i$
# the up to eight pixels around pixel $i$:
#
# $$ p_{ik} = \frac{a_k\, W_{ik}\, \varphi(r_i; \mu_k, s_k^2)}
#                  {\sum_j a_j\, W_{ij}\, \varphi(r_i; \mu_j, s_j^2)} \tag{paper, 1} $$
#
# $$ W_{ik} = \frac{1}{|N_i|} \sum_{n \in N_i} p_{nk} \tag{paper, 2} $$
#
# Equation 1 contains both a share $a_k$ and a neighbourhood weight $W_{ik}$, and both say "how
# common is this cluster here". Taken literally the prior counts twice. Three *readings* are
# possible, and every table of this book shows all three:
#
# | reading | factor before the Gaussian | comment |
# |---|---|---|
# | `both` | $a_k W_{ik}$ | as printed |
# | `neighbourhood` | $W_{ik}$ | the weight takes the place of the share |
# | `weights` | $a_k$ | a plain mixture, without neighbours |
#
# The book goes on with `neighbourhood`. That choice was made because it came closest to the paper's
# numbers; a match of this row with the paper therefore proves nothing.

# %% [markdown]
# The loop, as it runs. `_odds_against` is the ratio of the two Gaussians:
#
# ```{literalinclude} ../../paperlib/postprocessing/mixture.py
# :pyobject: _maximise
# ```
#
# Equation 2, and the step to probabilities where the neighbourhood is used:
#
# ```{literalinclude} ../../paperlib/postprocessing/mixture.py
# :pyobject: _weigh_by_neighbours
# ```

# %%
residual, brain = view.residuals["flair"], view.brain
table = neighbours.neighbour_table(brain)
fits = {
    name: mixture.fit_mixture(residual, brain, reading=name, table=table)
    for name in mixture.READINGS
}
for name, fit in fits.items():
    print(f"{name:14} shares {fit.weights.round(2)}, means {fit.means.round(2)},")
    print(f"{'':14} {fit.iterations} steps, converged: {fit.converged}")

# %% mystnb={"figure": {"caption": "One FLAIR residual under the three readings. Above: the residuals inside the brain and the two Gaussians, each times its share. Below: the probability of cluster 2, which started at the low tail where tumours are expected. The number below counts pixels above one half.", "name": "fig-readings"}, "image": {"alt": "Three histograms with two Gaussians each and three maps of probability."}}
clusters.plot_fits(residual, brain, fits, note=note)

# %% [markdown]
# ## Which cluster is the tumour?
#
# The paper takes the cluster with fewer pixels, because a tumour is smaller than the rest of the
# brain. It does not ask whether that cluster is the one of *low* residuals. A wide cluster also
# holds pixels from both tails: very bright ones and very dark ones.
#
# ```{literalinclude} ../../paperlib/postprocessing/mixture.py
# :pyobject: tumour_mask
# ```
#
# One opening (erode, then dilate) removes small groups of pixels, one closing (dilate, then erode)
# fills small holes. The paper does not name the element; ours is a full square of 3 × 3 pixels.
#
# ```{literalinclude} ../../paperlib/postprocessing/morphology.py
# :pyobject: open_close
# ```
#
# ## Three labels
#
# The FLAIR residual gives the whole tumour, the T1CE residual the enhancing part. What lies in the
# convex hull of the enhancing part but does not enhance is called core; the rest is edema.
#
# ```{literalinclude} ../../paperlib/postprocessing/regions.py
# :pyobject: label_tissues
# ```

# %%
chosen, masks = {}, {}
for sequence, image in view.residuals.items():
    fit = mixture.fit_mixture(image, brain, reading=reading, table=table)
    cluster = mixture.tumour_mask(fit, image, brain, cluster="smallest", tail="both")
    chosen[sequence] = (fit.posterior, cluster)
    masks[sequence] = morphology.open_close(cluster, brain)
whole, enhancing = masks["flair"], masks["t1ce"] & masks["flair"]
labels = regions.label_tissues(whole[None], enhancing[None], hull="slice")[0]
hull = regions.region_mask(labels, "TC") if hasattr(regions, "region_mask") else labels == 1

# %% mystnb={"figure": {"caption": "Step by step, FLAIR above and T1CE below: image, residual, probability of cluster 2, the smaller cluster, the same after opening and closing. Green: the true whole tumour (above) and enhancing tumour (below).", "name": "fig-steps"}, "image": {"alt": "Two rows of five pictures from the image to the cleaned mask."}}
rows = []
