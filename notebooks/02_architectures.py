# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Architectures and losses
#
# **The question.** An *autoencoder* squeezes an image through a narrow middle and rebuilds it. If
# it has learned healthy brain only, the hope goes, it cannot rebuild a tumour, and the difference
# between image and reconstruction shows where the tumour is. How narrow is the middle, what is
# asked of the reconstruction, and what do the networks of this run make of one slice?

# %% tags=["parameters"]
profile: str = "smoke"  # one of: smoke, phantom, phantom-free, phantom-foci, laptop, full, paper
data: str = ""  # folder of real patients; empty: simulated ones
folds: int = 1  # from 1 to 20
case: int | None = None  # number of a test patient to look at
z: int | None = None  # height of the slice, from 60 to 129; None: the one with most tumour
model: str = "dVAE"  # whose layers are listed; one of: VAE, dVAE, VAE1px, VAE-CE, AAE, BiAAE

# %%
import numpy as np
import pandas as pd
import torch

from paperlib import artifacts, config
from paperlib.evaluation import evidence, examples, present
from paperlib.evaluation.figures import scheme, slices
from paperlib.evaluation.networks import table1
from paperlib.evaluation.patients import cohort
from paperlib.evaluation.slices import slice_scores

# %%
from paperlib.exercises import architectures as exercises
from paperlib.models import adversaries, architectures, losses
from paperlib.pipeline import run as runs
from paperlib.pipeline.method import patients, segments
from paperlib.publish import parameters, provenance

# %%
parameters.validate(globals(), runs.check_choices)
run = runs.open_run(profile, data, folds)
found = evidence.load_evidence(run.require("evidence"), command=run.command)
note = provenance.one_line(found.provenance)
test = slice_scores.load_test_slices(found, cohort.NO_NETWORK)
case = examples.choose_case(test, case)
place = cohort.pick_slice(patients.load_slices(run), case, z)

# %% [markdown]
# ## Table 1
#
# The paper writes a layer as "conv k, s,d-c": kernel k, stride s, dilation d, c channels. A block is
# a convolution, batch normalisation and a LeakyReLU. Two layers end the encoder, one for the mean
# of the *latent* (the numbers in the narrow middle), one for its standard deviation. The decoder is
# the mirror, with transposed convolutions. VAE-CE, AAE and BiAAE are the VAE's column, trained in
# another way (see {numref}`fig-adversarial`); their last column of Table 1, the discriminator,
# follows after the sizes.
#
# The table is read from the live networks: what they do, not what somebody wrote down.

# %%
layers = table1.encoder_columns(list(architectures.MODELS))
caption = "Table 1 as built: layer in the paper's notation → size of its output, from 128 × 128."
present.show(layers, caption=caption)

# %%
present.show(table1.size_table(list(architectures.MODELS)).astype(str), caption="How narrow the "
             "middle is: pixels of a slice for each latent number, and trainable parameters.")  # fmt: skip

# %% [markdown]
# Beside them stands the *discriminator* of AAE and BiAAE, a network that learns to tell an image from
# its reconstruction. Table 1 prints six blocks. The paper does not say how the map of two by two
# pixels that they end in becomes an answer: here one more convolution makes a map of *logits*, whose
# mean is the answer. BiAAE also judges the latent, by a second path; the two paths are fused. For
# its latent path the paper prints kernels of four; only with stride 1 and padding 1 do they fit.

# %%
caption = "The discriminators as built: layer in the paper's notation → size of its output."
present.show(table1.discriminator_table(), caption=caption)

# %% [markdown]
# The narrower the middle, the less of the tumour can get through; but the less of a healthy sulcus
# can, too. The dVAE has by far the fewest parameters and by far the widest middle.
#
# The paper does not print the *padding*, and without it no size is defined. Here it was chosen so
# that every size divides exactly, in the encoder and back. For the dVAE two paddings do so; without
# any (our choice) both of its kernels of size 6 are needed for that, which makes it the likelier
# reading. All layers of one network:

# %%
present.show(table1.layer_table(model).astype(str), caption=f"All layers of {model}, in order.")

# %% [markdown]
# This is the whole network. `MODELS` is Table 1 as data; a new architecture is one more entry:
#
# ```{literalinclude} ../../paperlib/models/architectures.py
# :pyobject: Autoencoder
# ```
#
# ```{literalinclude} ../../paperlib/models/architectures.py
# :start-at: "MODELS: Mapping"
# :end-before: "# The other models"
# ```

# %% [markdown]
# ### A printed layer that looks away
#
# The second layer of the dVAE has stride 2 *and* dilation 2: it steps by two and looks at every
# second pixel. So it never meets the pixels in between. Count what it reads, by asking which pixels
# of the map before it change its output:

# %%
dilated = architectures.build("dVAE")
layer, side = dilated.encoder[1][0], 123  # the side of its input, see the table above
before = torch.ones(1, layer.in_channels, side, side, requires_grad=True)
influence = torch.autograd.grad(layer(before).sum(), before)[0]
read = (influence != 0).any(dim=(0, 1)).numpy()
print(f"{1 - read.mean():.1%} of the map is never read")

# %% [markdown]
# Its transpose in the decoder leaves the same holes: apart from the bias it writes exact zeros.

# %%
mirror = dilated.decoder[3][0]
with torch.no_grad():
    written = mirror(torch.randn(1, mirror.in_channels, 58, 58)) - mirror.bias[:, None, None]
print(mirror)
print(f"{(written == 0).float().mean():.1%} of its output is exactly the bias")

# %% mystnb={"figure": {"caption": "A corner of the map before the dVAE's second layer. White: read by that layer. Black: never read. The first layer mixes neighbouring pixels, so no pixel of the image is lost entirely, but the pattern can be seen in early reconstructions.", "name": "fig-coverage"}, "image": {"alt": "A regular grid: every second pixel in every second row is white, all others are black."}}
slices.show_grid([[slices.Panel(read[:32, :32], "mask")]], note="dVAE, a corner of 32 × 32")

# %% [markdown]
# We keep the geometry as printed. The exercise below shows what one other number would change.

# %% [markdown]
# ## What is asked of the reconstruction
#
# A *variational* autoencoder {cite}`kingma2013auto` draws its latent from a normal distribution
# whose mean $\mu$ and standard deviation $s$ the encoder gives. Its loss has two terms: rebuild the
# clean image $x$ as $\hat x$, and keep that distribution near a standard normal. With $H \times W$
# pixels:
#
# $$ L = \mathrm{rec}(\hat x, x) + \beta \, \frac{\mathrm{KL}}{H W}, \qquad
#    \mathrm{KL} = \tfrac12 \sum_u \left( \mu_u^2 + s_u^2 - 2 \log s_u - 1 \right) $$
#
# The paper names no $\beta$; ours stands in `TrainingSettings`. KL, the *Kullback-Leibler
# divergence*, is counted in nats.
#
# ```{literalinclude} ../../paperlib/models/losses.py
# :pyobject: kl_divergence
# ```
#
# At test time nothing is drawn: $z = \mu$. The paper compares two reconstruction losses. The first
# is the mean squared error; the second is one minus the *structural similarity* SSIM
# {cite}`wang2004image`, which compares local mean, contrast and pattern in a sliding window:
#
# $$ \mathrm{SSIM} = \frac{(2 m_x m_{\hat x} + c_1)(2 \sigma_{x \hat x} + c_2)}
#    {(m_x^2 + m_{\hat x}^2 + c_1)(\sigma_x^2 + \sigma_{\hat x}^2 + c_2)} $$
#
# ```{literalinclude} ../../paperlib/models/losses.py
# :pyobject: mse
# ```
#
# ```{literalinclude} ../../paperlib/models/losses.py
# :pyobject: ssim
# ```

# %% [markdown]
# ### Three models that differ in training only
#
# **VAE-CE** (*context encoding*, {cite}`zimmerer2018context`) sees each image a second time with
# squares cut out, $x_{ce}$, and shall complete it. This branch takes the latent mean, has no KL term,
# and its target is the clean image. With $\lambda$ = one half:
#
# $$ L = (1 - \lambda) \left( \mathrm{rec}(\hat x, x) + \beta \frac{\mathrm{KL}}{HW} \right)
#    + \lambda \, \mathrm{rec}(g(\mu(x_{ce})), x) $$
#
# ```{literalinclude} ../../paperlib/models/objectives.py
# :pyobject: context_encoding
# ```
#
# **AAE** adds a discriminator $D$, which wants to know image from reconstruction; the autoencoder
# wants to be taken for real. **BiAAE** lets $D$ see the latent as well. In each step $D$ learns once,
# then the autoencoder hears from it, with a weight $w$ that the paper does not print:
#
# $$ L_D = -\log D(x) - \log(1 - D(\hat x)), \qquad
#    L_G = \mathrm{rec}(\hat x, x) + \beta \frac{\mathrm{KL}}{HW} - w \log D(\hat x) $$
#
# ```{literalinclude} ../../paperlib/models/adversaries.py
# :pyobject: generator_feedback
# ```

# %%
vae, judge = architectures.build("VAE"), adversaries.build("AAE")
latent = table1.printed_layers(vae.latent_mean)
layers = {
    "encoder": table1.printed_layers(vae.encoder) + [f"2 × {one}" for one in latent],
    "decoder": table1.printed_layers(vae.decoder),
    "discriminator": table1.printed_layers(judge),
}
weight = config.TrainingSettings("AAE", "MSE").gan_weight

# %% mystnb={"figure": {"caption": "Figure 2 of the paper, redrawn from the networks as they are built: the VAE is the generator, the discriminator sees images and reconstructions. Red: what is minimised. The discriminator learns from its own loss only; the autoencoder from the three others.", "name": "fig-adversarial"}, "image": {"alt": "Boxes for image, encoder, latent, decoder and reconstruction in a row, below them the discriminator that gets image and reconstruction; the losses in red at their places."}}
scheme.plot_scheme(layers, weight=weight)

# %% [markdown]
# The same weight is not the same force: it has to be seen beside the gradient of the reconstruction
# loss, which is far smaller for SSIM than for MSE. The training logs the ratio of the two, and how
# often the discriminator is right; see the [training page](03_training). "An adversarial loss helps",
# or does not, is a sentence about that ratio.

# %% [markdown]
# ### Two numbers that the paper does not give
#
# SSIM was made for images with values from 0 to some maximum. The constants $c_1, c_2$ grow with
# the *data range*, and the first factor compares local means *with their signs*. Z-scores have no
# natural range, and their means change sign. One image and its reconstruction, under three ranges:

# %%
seed = found.provenance["seeds"][0]
fold = int(test.loc[test["case"] == case, "fold"].iloc[0])
tested = {network["pair"] for network in found.provenance["networks"]}
mine = [n for n in run.networks() if (n.fold, n.seed) == (fold, seed) and n.pair in tested]
first = mine[0]
image = artifacts.load_array(run.require("prepare"), first.sequence)[place]
rebuilt = segments.load_residual(run, first).of(np.array([place]))[0] + image
x, x_hat = (torch.from_numpy(np.array(part))[None, None] for part in (image, rebuilt))
saved = artifacts.read_manifest(run.network_folder(first))["intensities"]
intensities = losses.IntensityRange(saved["low"], saved["high"])

# %%
span = intensities.high - intensities.low
for data_range in (1.0, span, 255.0):
    similar = float(losses.ssim(x_hat, x, data_range=data_range))
    print(f"data range {data_range:7.2f}: SSIM {similar:.3f}")

# %% [markdown]
# The same pair, from poor to near perfect. We take the span of healthy training brain without its
# lowest and highest thousandth (the middle line). Now the *domain*: two nearly equal, flat, grey
# images, one a little above the patient's mean and one a little below:

# %%
above, below = torch.full((1, 1, 32, 32), 0.1), torch.full((1, 1, 32, 32), -0.1)
for domain in losses.SSIM_DOMAINS:
    comparison = losses.Comparison(intensities, domain)
    flat = 1 - float(losses.ssim_loss(above, below, comparison))
    pair = 1 - float(losses.ssim_loss(x_hat, x, comparison))
    print(f"domain {domain:8}: SSIM of the flat pair {flat:6.3f}, of image and rebuilt {pair:.3f}")

# %% [markdown]
# On z-scores as they are (`z`, the literal reading and our default) two almost equal greys count as
# opposites, because their means have different signs. After subtracting the low percentile
# (`shifted`) they are alike. Dividing by the span as well (`unit`) changes nothing more, as SSIM
# does not depend on a common factor. So "SSIM gives the best results" is a statement about a range
# and a domain that the paper does not name.

# %% [markdown]
# ## One slice through every network of this run
#
# The upper row is what a network has to beat: no network at all, residual $r = -x$. Below, what each
# network makes of the slice, and the residual $r = \hat x - x$. The rule for the choice of the slice:
# the test patient with the best mix of slices with and without tumour, and the slice with most
# tumour. A model that was not trained with a loss leaves its place empty.

# %%
folder = run.require("prepare")
loaded = {n: artifacts.load_array(folder, n)[place] for n in ("flair", "t1ce", "brain", "labels")}
outline = loaded["labels"] > 0
models, asked = (list(dict.fromkeys(getattr(n, key) for n in mine)) for key in ("model", "loss"))
shown = {}
for n in mine:
    residual = segments.load_residual(run, n).of(np.array([place]))[0] * loaded["brain"]
    rebuilt = slices.background_black(residual + loaded[n.sequence], loaded["brain"])
    shown[n.sequence, n.model, n.loss] = [slices.Panel(rebuilt, n.sequence, "x̂, " + n.loss, outline),
                                          slices.Panel(residual, "residual", "r, " + n.loss, outline)]  # fmt: skip


# %%
def rows_of(sequence):
    image, none = loaded[sequence], [None, None]
    top = [slices.Panel(image, sequence, sequence.upper(), outline)]
    top += [slices.Panel(-image, "residual", "r = −x", outline)]
    return [top] + [[p for a in asked for p in shown.get((sequence, m, a), none)] for m in models]


names, where = ["no network", *models], f"patient {case}, fold {fold}, {note}"

# %% mystnb={"figure": {"caption": "Upper row: the slice in FLAIR beside its own negative. Below: reconstruction and residual of every model of this run, by loss, inside the brain. Green: the true tumour. Look for two things: whether the tumour is missing in the reconstruction, and whether healthy sulci are there. A reconstruction that is nearly flat has a residual like the upper row.", "name": "fig-reconstructions"}, "image": {"alt": "A FLAIR slice and its negative; below, reconstruction and residual for each loss, one row per model."}}
slices.show_grid(rows_of("flair"), row_titles=names, note=where)

# %% mystnb={"figure": {"caption": "The same for T1CE, which has networks of its own. Here only the enhancing part of the tumour is bright.", "name": "fig-reconstructions-t1ce"}, "image": {"alt": "A T1CE slice and its negative; below, reconstruction and residual for each loss, one row per model."}}
slices.show_grid(rows_of("t1ce"), row_titles=names, note=where)

# %% [markdown]
# How much of each residual is simply the image turned around? The correlation of $r$ with $-x$ over
# the brain of this slice says it: 1 means that the network returned something flat, and that its
# residual knows no more than the image. Beside it, how different tumour and other brain are in the
# residual, in standard deviations of the other brain, against the same for the image.

# %%
inside, tumour = loaded["brain"].astype(bool), outline & loaded["brain"]
lines = {}
for network in mine:
    image = loaded[network.sequence]
    r = segments.load_residual(run, network).of(np.array([place]))[0]
    contrast = [(v[inside & ~tumour].mean() - v[tumour].mean()) / v[inside & ~tumour].std()
                for v in (r, -image)]  # fmt: skip
    likeness = np.corrcoef(r[inside], -image[inside])[0, 1]
    lines[f"{network.model}-{network.loss} {network.sequence}"] = [likeness, *contrast]

# %%
columns = ["correlation of r with −x", "contrast in r", "contrast in −x"]
measured = pd.DataFrame.from_dict(lines, orient="index", columns=columns)
present.show(measured.map("{:.2f}".format), caption=f"One slice of patient {case}. {note}.")

# %% [markdown]
# One slice proves nothing; the [next page](03_training) follows the same quantities over many
# slices while the networks are trained.

# %% [markdown]
# ## Exercises
#
# ```{exercise-start} Predict: a network that returns grey
# :label: exercise-flat
# ```
# Suppose a network returns the same grey $c$ in every pixel of the brain, whatever it is shown.
# What stands in the first column of the table above for it: the correlation of $r$ with $-x$?
#
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-flat
# :class: dropdown
# ```
# $r = c - x$ and $-x$ differ by a constant, and a correlation does not see constants. So a residual
# close to 1 in that column carries nothing that the image does not carry, however good it looks as
# a picture of the tumour.

# %% tags=["solution"]
# hint: write r = c - x, and ask what adding a constant does to a correlation
correlation = 1.0

# %% tags=["check"]
exercises.check_flat(correlation, loaded["flair"], loaded["brain"])

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise-start} Change: the dilation of one layer
# :label: exercise-dilation
# ```
# The dVAE's second layer has a dilation of 2 and never reads most of its map. Find a dilation with
# which a layer of the same kernel and stride reads *all* of it. The table gets a second row.

# %%
ones = torch.ones(1, 8, side, side, requires_grad=True)


def unread(dilation):
    layer = torch.nn.Conv2d(8, 16, kernel_size=5, stride=2, dilation=dilation)
    influence = torch.autograd.grad(layer(ones).sum(), ones)[0]
    return f"{1 - (influence != 0).any(dim=(0, 1)).float().mean():.1%}"


shares = {"2, as printed": unread(2)}

# %% [markdown]
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-dilation
# :class: dropdown
# ```
# A kernel of 5 that steps by 2 without dilation covers every pixel. To train such a network it needs
# an entry in `architectures.VARIANTS`: with that one change the map after the layer is larger, so the
# sizes of all layers after it change too, and one output padding has to make them divide again.

# %% tags=["solution"]
# hint: which places along a side does the kernel meet when it steps by two?
dilation = 1

# %% tags=["check"]
exercises.check_dilation(dilation, side)
shares[f"{dilation}, changed"] = unread(dilation)
frame = pd.DataFrame({"never read": shares}).rename_axis("dilation")
present.show(frame, caption=f"Share of a map of {side} × {side} that a layer never reads.")

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise-start} Open: is it the narrow middle?
# :label: exercise-middle
# ```
# "The dVAE wins in Table 2 because its middle is wide and keeps the place of things", says a
# colleague. Looking at the tables of this page: what else differs between dVAE and VAE? Sketch an
# experiment that could prove him wrong.
#
# A good answer (1) names at least two other differences that stand in the tables; (2) changes one of
# them at a time; (3) says what is kept equal, the length of the training included; (4) says which
# outcome would speak against him, and how large a difference has to be to count.
#
# ```{exercise-end}
# ```
#
# ```{solution-start} exercise-middle
# :class: dropdown
# ```
# (1) The dVAE has far fewer parameters, dilated layers, larger kernels, and a layer that never reads
# most of its input. (2) Take the dVAE and change only the number of its latent channels, up and down;
# a second series changes only the dilation, a third only the width of the hidden layers. (3) Same
# patients, loss, weight of the KL term, seeds and slice-steps; and since networks learn at different
# speed, each is looked at along its training, not at one point. (4) If detection does not follow the
# number of latent values while everything else is fixed, he is wrong. A difference counts when it is
# larger than that between seeds of one network, and when an interval over patients leaves out zero.
# The [page on ablations](10_ablations) has some of these rows.

# %% [markdown]
# ```{solution-end}
# ```
#
# ## What we learned
#
# - The networks differ above all in how much can pass through the middle.
# - Table 1 leaves the padding open, and one of its layers never reads most of its input.
# - "SSIM" needs a range and a domain; both change what is learned, and the paper gives neither.
# - A flat reconstruction has a residual that is the image itself. It can score well without having
#   learned anything.
