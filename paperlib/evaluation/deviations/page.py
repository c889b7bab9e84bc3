"""The deviations page: every choice with what it did, largest effect first.

Other pages link to an entry by its anchor, such as `12_deviations.html#deviation-reading`.
"""

import math
from collections.abc import Sequence

import pandas as pd
from markupsafe import Markup

from paperlib.evaluation import present
from paperlib.evaluation.claims.anchored_table import Group, Line, linked, render
from paperlib.evaluation.claims.answers import Absent, Answer
from paperlib.evaluation.claims.numbers import Cohorts
from paperlib.evaluation.claims.sentence import Link
from paperlib.evaluation.deviations import impossible
from paperlib.evaluation.deviations.deviation import (
    DECIDED,
    KINDS,
    Deviation,
    Deviations,
    setting_value,
)
from paperlib.evaluation.deviations.effects import (
    ABLATION,
    DEVIATIONS,
    PHANTOM,
    REAL,
    Ranked,
    missing_rows,
)
from paperlib.evaluation.evidence import Evidence
from paperlib.evaluation.measures.statistics import Interval
from paperlib.evaluation.present import Shown

HEADS = ["the paper", "here", "why; what else is possible"]
ROWS = Link("10_ablations", "all-rows", "ablations")
DATA = {ABLATION: "phantom, ablation", REAL: "real", PHANTOM: "phantom"}
NOT_MEASURED, NOT_YET = "Not measured.", "Not measured yet."


def show_measured(
    effects: pd.DataFrame, ranked: Ranked, table: pd.DataFrame, *, note: str,
    deviations: Deviations = DEVIATIONS,
) -> Shown:  # fmt: skip
    """Return the deviations whose effect is known, the largest first.

    Args:
        effects: From `effects.measure_effects`.
        ranked: From `effects.rank_deviations`.
        table: From `ablations.compare_rows`; names the rows that are missing.
        note: Data, profiles and commits, in words.
        deviations: By key.
    """
    groups = [
        _group(key, deviations[key], _effect_cell(key, deviations[key], effects, table))
        for key in ranked.measured
    ]
    caption = (
        f"{len(groups)} choices with a measured effect, sorted by the size of the largest. Value "
        "[95 % interval, paired by patient], n patients: the alternative minus ours; no interval "
        "where numbers are stored per network. A row of the ablations decides the place where "
        "there is one, else real "
        f"patients. Sections of the paper in brackets. Data: {note}."
    )
    return render(groups, heads=HEADS, caption=caption)


def describe(answer: Answer) -> str:
    """Return an effect in one line, or why there is none."""
    if isinstance(answer, Absent):
        return f"{answer.verdict}: {answer.reason}"
    return f"{_signed(answer.value)}{_ends(answer)}, n = {answer.patients}"


def show_unmeasured(
    effects: pd.DataFrame,
    ranked: Ranked,
    table: pd.DataFrame,
    *,
    deviations: Deviations = DEVIATIONS,
) -> Shown:
    """Return the deviations whose effect is not known, those that only wait for a row first.

    Args:
        effects: From `effects.measure_effects`.
        ranked: From `effects.rank_deviations`.
        table: From `ablations.compare_rows`.
        deviations: By key.
    """
    groups = [
        _group(key, deviations[key], _effect_cell(key, deviations[key], effects, table))
        for key in [*ranked.waiting, *ranked.unmeasured]
    ]
    caption = (
        f"{len(ranked.waiting)} choices whose ablation rows are not in this copy, then "
        f"{len(ranked.unmeasured)} whose effect nobody measured here, in the order of the paper."
    )
    return render(groups, heads=HEADS, caption=caption)


def show_kinds(*, deviations: Deviations = DEVIATIONS) -> Shown:
    """Return how many choices are of each kind, and which; of the commonest kind none is named."""
    lines = []
    for kind, words in KINDS.items():
        own = [(key, one.title) for key, one in deviations.items() if one.kind == kind]
        links = [Markup('<a href="#deviation-{}">{}</a>').format(*each) for each in own]
        named = "all others" if kind == DECIDED else Markup(", ").join(links)
        lines.append(Line([kind, words, f"{len(own)}", named]))
    caption = f"All {len(deviations)} choices by kind."
    return render([Group("", lines)], heads=["kind", "means", "choices", "which"], caption=caption)


def show_sizes() -> Shown:
    """Return the sizes of every column of Table 1 under several paddings, from live layers."""
    return present.show(
        impossible.try_paddings(),
        caption="Sizes of the maps, from the slice to the latent, and of the image that comes "
        f"back, read from the layers. {impossible.INEXACT}: the stride leaves a remainder, the "
        "size was rounded down. Only “as built here” uses output padding; d(k − 1)/2 is "
        "rounded down, too.",
    )


def show_latent_paths() -> Shown:
    """Return where BiAAE's latent path ends for each stride and padding."""
    return present.show(
        impossible.try_latent_paths(),
        caption="BiAAE: two blocks with kernels of four on the VAE's latent, the same stride and "
        "padding in both; do they end at the size of the image path, "
        f"{impossible.IMAGE_PATH_SIDE} × {impossible.IMAGE_PATH_SIDE}? {impossible.INEXACT}: "
        "rounded down.",
    )


def show_readings(cohorts: Cohorts, *, note: str) -> Shown:
    """Return what becomes of the tumour cluster under every reading of equation 1."""
    forms = {"Dice": "{:.2f}", "empty": "{:.0%}", "not divided": "{:.0%}", "size": "{:.2f}"}
    return _beside(
        [(name, impossible.compare_readings(one)) for name, one in _there(cohorts)],
        forms,
        caption="dVAE with SSIM. Dice: outline, every slice, empty = 0. Empty: slices without "
        "any mask, of all. Not divided: fits with a cluster that starved. Size: predicted over "
        f"true pixels. Data: {note}.",
    )


def show_clusters(cohorts: Cohorts, *, note: str) -> Shown:
    """Return how often the smaller cluster is another one than that of lower residuals."""
    forms = {"differ": "{:.0%}", "tumour slices": "{:.0%}", "n": "{:,.0f}", "tumour n": "{:,.0f}"}
    return _beside(
        [(name, impossible.compare_clusters(one)) for name, one in _there(cohorts)],
        forms,
        caption="dVAE with SSIM: share of the slices in which the smaller cluster is not that of "
        f"lower residuals, of those that the fit divides (n), and of those with tumour. "
        f"Data: {note}.",
    )


def show_latent_gates(cohorts: Cohorts, *, note: str) -> Shown:
    """Return what the latent gate flags when it is read literally, and with the mean."""
    return _beside(
        [(name, impossible.compare_latent_gates(one)) for name, one in _there(cohorts)],
        {"sensitivity": "{:.0%}", "false positives": "{:.0%}"},
        caption="Latent distance of dVAE with SSIM: share of the slices with tumour "
        "(sensitivity) and without (false positives) that lie above the threshold. 2sd_literal: "
        f"two deviations; mean_2sd: mean plus two deviations. Data: {note}.",
    )


def show_ceilings(cohorts: Cohorts, *, note: str) -> Shown:
    """Return the numbers of section 5.3 beside the ceiling under the convention of Table 2."""
    return _beside(
        [(name, impossible.compare_ceilings(one)) for name, one in _there(cohorts)],
        {"paper": "{:.2f}", "ceiling": "{:.2f}"},
        caption="Section 5.3, and what the truth itself reaches where a slice without the region "
        f"counts 0. Data: {note}.",
    )


def _there(cohorts: Cohorts) -> list[tuple[str, Evidence]]:
    return [(name, one) for name, one in zip(("real", "phantom"), cohorts, strict=True) if one]


def _beside(
    tables: Sequence[tuple[str, pd.DataFrame]], forms: dict[str, str], *, caption: str
) -> Shown:
    known = {name: table for name, table in tables if len(table)}
    if not known:
        return present.absent()
    texts = {
        (name, column): table[column].map(form.format)
        for name, table in known.items()
        for column, form in forms.items()
    }
    return present.show(pd.DataFrame(texts), caption=caption)


def _group(key: str, one: Deviation, effect: Markup) -> Group:
    title = Markup("{} <span style='font-weight: normal'>(section {}; {})</span>").format(
        one.title[0].upper() + one.title[1:], one.section, one.kind
    )
    here = _marked(one.here)
    for name in one.settings:
        short = name.partition(".")[2]
        here += Markup("<br><code>{} = {}</code>").format(short, setting_value(name))
    cells = [_marked(one.paper), here, _marked(one.why)]
    return Group(title, [Line(cells), Line([effect])], f"deviation-{key}")


def _effect_cell(key: str, one: Deviation, effects: pd.DataFrame, table: pd.DataFrame) -> Markup:
    lines: list[str] = []
    own = effects[effects["key"] == key]
    for (data, unit, beside), part in own.groupby(["data", "unit", "beside"], sort=False):
        about = f"{'beside it, ' if beside else ''}{unit}, {DATA[str(data)]}"
        values = Markup("; ").join([_effect_text(line) for _, line in part.iterrows()])
        n = part["patients"].max()
        lines.append(Markup("<em>{}, n = {:.0f}.</em> {}.").format(about, n, values))
    left = missing_rows(one, table)
    if own["beside"].all():  # nothing, or nothing that is an alternative
        lines.insert(0, NOT_YET if left else "" if one.note else NOT_MEASURED)
    links = [linked(link) for link in (ROWS if one.rows else None, one.link) if link]
    waiting = Markup("Rows not run yet: {}.").format(", ".join(left)) if left else ""
    pointers = Markup("→ {}").format(Markup(", ").join(links)) if links else ""
    rest = Markup(" ").join([part for part in (waiting, one.note, pointers) if part])
    between = Markup(" ") if own.empty else Markup(" <br>")
    return Markup("<strong>Effect.</strong> ") + between.join(filter(None, [*lines, rest]))


def _effect_text(line: pd.Series) -> Markup:
    answer = Interval(*line[["value", "low", "high", "patients"]])
    verdict = f" ({line['verdict']})" if line["verdict"] else ""
    return Markup("{}: <strong>{}</strong>{}{}").format(
        line["words"], _signed(answer.value), _ends(answer), verdict
    )


def _ends(answer: Interval) -> str:
    if math.isnan(answer.low):
        return ""
    return f" [{_signed(answer.low)},\u00a0{_signed(answer.high)}]"


def _signed(value: float) -> str:
    return f"{value:+.3f}".replace("-", "−")


def _marked(text: str) -> Markup:
    """Return a text in which `this` is code."""
    parts = text.split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if place % 2 else Markup.escape(part)
        for place, part in enumerate(parts)
    )
