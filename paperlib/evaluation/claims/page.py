"""Claims as a reader meets them: every row has an anchor, a verdict, a reason and a link.

Other pages link to a claim by its anchor: `11_claims.html#claim-ssim-best`,
`#number-outline-dVAE-SSIM` or `#contrast-dvae-vae`.
"""

import math
from collections.abc import Sequence

import pandas as pd
from markupsafe import Markup

from paperlib.evaluation import tables
from paperlib.evaluation.claims.anchored_table import Group, Line, linked, render
from paperlib.evaluation.claims.contrasts import ALPHA, CONTRASTS
from paperlib.evaluation.claims.numbers import TUNED
from paperlib.evaluation.claims.sentence import (
    CONVENTIONS,
    DIFFERENCE,
    LENGTH,
    SEMANTIC,
    TABLE_2,
    TABLE_3,
    Link,
)
from paperlib.evaluation.measures.statistics import DIFFERS, UNDECIDED
from paperlib.evaluation.present import Shown
from paperlib.evaluation.texts.layout import MISSING, READING_NAMES

TARGETS = {tables.OUTLINE: ("Outline", TABLE_2), tables.SEMANTIC: ("Semantic", SEMANTIC)}
# What is to be said where a reading of equation 1 ends below the paper.
BELOW = {
    "both": "As printed the share a counts twice, for it is in W, too, and the small cluster "
    "starves.",
    "neighbourhood": "Even the reading that was chosen as the closest stays below.",
    "weights": "It is a plain mixture, without neighbours.",
}


def show_table_2(real: pd.DataFrame, phantom: pd.DataFrame, *, note: str) -> Shown:
    """Return the 24 numbers of Table 2 with a verdict for each reading of equation 1.

    Args:
        real: From `claims.table_2_claims` on real patients, or on None.
        phantom: The same on simulated patients.
        note: Data, profiles, seeds and commits, in words.
    """
    readings = list(dict.fromkeys(real["reading"]))
    groups = []
    for (target, loss), part in real.groupby(["target", "loss"], sort=False):
        title, link = TARGETS[target]
        heading = Markup("{}, {} loss ({})").format(title, loss, linked(link))
        rows = []
        for anchor, cells in part.groupby("anchor", sort=False):
            simulated = phantom[phantom["anchor"] == anchor].set_index("reading")["value"]
            three = [_number(simulated.get(name, math.nan)) for name in readings]
            shown = [_judged_cell(line) for _, line in cells.iterrows()]
            first = cells.iloc[0]
            texts = [first["model"], f"{first['paper']:.3f}", *shown, " / ".join(three)]
            rows.append(Line(texts, str(anchor)))
        groups.append(Group(heading, rows, f"numbers-{target}-{loss}"))
    names = [READING_NAMES[name] for name in readings]
    return render(
        [*groups, Group("Why", [Line([why]) for why in _reasons(real, readings)])],
        heads=["model", "paper", *names, "phantom"],
        caption=f"Table 2: Dice, every slice, a slice without tumour counts 0. Real patients, "
        f"n = {real['n'].max()}: value [95 % interval] and verdict, for each reading of "
        f"equation 1. “{TUNED}”: would agree, but this reading was chosen by closeness to these "
        f"numbers. Phantom: the same readings in this order, no verdict. {MISSING}: not testable "
        f"here, the network was not trained. Data: {note}.",
    )


def show_other_numbers(
    real: tuple[pd.DataFrame, pd.DataFrame],
    phantom: tuple[pd.DataFrame, pd.DataFrame],
    *,
    note: str,
) -> Shown:
    """Return the numbers of Table 3 and of section 5.3.

    Args:
        real: From `claims.table_3_claims` and `claims.gated_claims` on real patients, or None.
        phantom: The same on simulated patients.
        note: Data, profiles, seeds and commits, in words.
    """
    scores = [
        Line(
            [
                line["name"],
                f"{line['paper']:.3f}",
                _interval(line, "{:.2f}"),
                _interval(other, "{:.2f}"),
                _verdict(line["verdict"], line["n"], _score_reason(line), TABLE_3),
            ],
            line["anchor"],
        )
        for (_, line), (_, other) in zip(real[0].iterrows(), phantom[0].iterrows(), strict=True)
    ]
    gated = [
        Line(
            [
                line["name"],
                f"{line['paper']:.2f}",
                _span(line),
                _span(other),
                _verdict(line["verdict"], line["n"], _gate_reason(line), CONVENTIONS),
            ],
            line["anchor"],
        )
        for (_, line), (_, other) in zip(real[1].iterrows(), phantom[1].iterrows(), strict=True)
    ]
    return render(
        [
            Group("Table 3: which slices hold tumour", scores),
            Group("Section 5.3: Dice after the gate, from the lowest to the highest value over "
                  "the conventions that can be the paper's", gated),
        ],
        heads=["number", "paper", "real patients", "phantom", "verdict and why"],
        caption=f"Real patients, n = {max(table['n'].max() for table in real)}: value [95 % "
        f"interval]; phantom beside, no verdict. Data: {note}.",
    )  # fmt: skip


def show_sentences(table: pd.DataFrame, *, note: str) -> Shown:
    """Return the paper's sentences with their measurements.

    Args:
        table: From `sentences.evaluate_sentences`.
        note: Data, profiles, seeds and commits, in words.
    """
    groups = []
    for key, part in table.groupby("key", sort=False):
        first = part.iloc[0]
        rows = [
            Line(
                [
                    line["measured"],
                    _printed(line),
                    _interval(line, line["form"], n=True),
                    _interval(line.filter(like="phantom_").rename(_without_prefix), line["form"]),
                    _verdict(line["verdict"], line["n"], line["why"], line["link"]),
                ]
            )
            for _, line in part.iterrows()
        ]
        title = f"{first['words'].removesuffix('.')} ({first['section']})"
        groups.append(Group(title, rows, f"claim-{key}"))
    return render(
        groups,
        heads=["measured as", "paper", "real patients", "phantom", "verdict and why"],
        caption=f"The paper's sentences in our words. Value [95 % interval over patients]; the "
        f"phantom gets no verdict, nor does a control that the paper does not have. Data: {note}.",
    )


def show_contrasts(real: pd.DataFrame, phantom: pd.DataFrame, *, reading: str, note: str) -> Shown:
    """Return the seven contrasts and their verdicts.

    Args:
        real: From `contrasts.evaluate_contrasts` on real patients.
        phantom: The same on simulated patients.
        reading: Of equation 1 that they were judged on.
        note: Data, profiles, seeds and commits, in words.
    """
    rows = []
    for key, line in real.iterrows():
        link = CONVENTIONS if CONTRASTS[str(key)].gated else TABLE_2
        verdict = _verdict(line["verdict"], line["n"], _contrast_reason(line), link)
        printed = MISSING if math.isnan(line["paper"]) else _signed(f"{line['paper']:+.3f}")
        ours, simulated = (_interval(one, "{:+.3f}") for one in (line, phantom.loc[key]))
        rows.append(Line([line["name"], printed, ours, simulated, verdict], f"contrast-{key}"))
    return render(
        [Group("", rows)],
        heads=["contrast", "paper", "real patients", "phantom", "verdict"],
        caption=f"Seven differences in Dice, named in advance: outline, SSIM, reading "
        f"“{READING_NAMES[reading]}”, every slice, empty = 0 (the gate: empty = 1). Paper: over "
        f"the models compared here. Value [95 % interval, paired]. Data: {note}.",
    )


def show_power(real: pd.DataFrame, *, note: str) -> Shown:
    """Return tests of the seven contrasts and the patients that would be needed.

    Args:
        real: From `contrasts.evaluate_contrasts` on real patients.
        note: Data, profiles, seeds and commits, in words.
    """
    rows = [
        Line(
            [
                line["name"],
                _count(line["n"]),
                _number(line["sd"]),
                *(_p_value(line[name]) for name in ("p", "holm", "smallest_p")),
                *(_count(line[name]) for name in ("needed", "needed_0.03", "needed_0.01")),
            ]
        )
        for _, line in real.iterrows()
    ]
    heads = ["contrast", "n", "sd", "p", "p, Holm", "smallest p", "n for the difference seen"]
    return render(
        [Group("", rows)],
        heads=[*heads, "n for 0.03", "n for 0.01"],
        caption="Real patients. sd: of the difference between patients. p: Wilcoxon's signed-rank "
        "test; Holm: corrected over the contrasts that can be tested; smallest p: what so many "
        f"patients can give at all. n for: patients needed to find such a difference with a power "
        f"of 80 %. Data: {note}.",
    )


def _judged_cell(line: pd.Series) -> str:
    if math.isnan(line["value"]):
        return MISSING
    value = _interval(line, "{:.2f}")
    return Markup("{}<br><strong>{}</strong>").format(value, line["verdict"])


def _reasons(real: pd.DataFrame, readings: Sequence[str]) -> list[str]:
    """Return a line per reading: how many numbers differ, which way, and why they lie below."""
    lines = []
    for reading in readings:
        known = real[(real["reading"] == reading) & real["value"].notna()]
        differ = known[known["verdict"] == DIFFERS]
        below = differ["value"] < differ["paper"]
        name = READING_NAMES[reading]
        text = f"{name}: {len(differ)} of {len(known)} differ, {below.sum()} of them from below."
        lines.append(f"{text} {BELOW[reading]}" if below.mean() > 0.5 else text)
    return [*lines, Markup("See also: {}.").format(linked(LENGTH))]


def _contrast_reason(line: pd.Series) -> str:
    texts = []
    if line["verdict"] not in (UNDECIDED, "") and line["holm"] > ALPHA:
        texts.append(f"By the interval; the corrected test has p = {line['holm']:.2f}.")
    if line["missing"]:
        texts.append(f"Not trained here: {line['missing']}.")
    return " ".join(texts)


def _score_reason(line: pd.Series) -> str:
    if math.isnan(line["value"]):
        return "The paper's network was not trained here."
    if line["value"] > line["paper"]:
        return "Ours is above; what the area of brain alone gives stands beside it there."
    return "Ours is below; what the height of the slice alone gives stands beside it there."


def _gate_reason(line: pd.Series) -> str:
    if not line["admissible"]:
        return "The paper's network was not trained here."
    return (
        f"{line['admissible']} of {line['of']} conventions can be the paper's; one by one: "
        f"{line['verdicts']}."
    )


def _span(line: pd.Series) -> str:
    if math.isnan(line["lowest"]):
        return MISSING
    return f"{line['lowest']:.2f} to {line['highest']:.2f}"


def _verdict(verdict: str, n: float | int, why: str, link: Link) -> str:
    words = f"{verdict} at n = {n:.0f}" if verdict == UNDECIDED else verdict
    text = Markup("<strong>{}</strong>").format(words)
    if why:
        text += Markup("<br>{}").format(why)
    return text + Markup(" → {}").format(linked(link))


def _interval(line: pd.Series, form: str, *, n: bool = False) -> str:
    if math.isnan(line["value"]):
        return MISSING
    value, low, high = (_signed(form.format(line[name])) for name in ("value", "low", "high"))
    shown = value if line["low"] == line["high"] else f"{value} [{low},\u00a0{high}]"
    return f"{shown}, n\u00a0=\u00a0{line['n']:.0f}" if n else shown


def _printed(line: pd.Series) -> str:
    """Return the paper's number, which has three digits where it is no difference."""
    if math.isnan(line["printed"]):
        return MISSING
    return _signed(
        (line["form"] if line["form"] == DIFFERENCE else "{:.3f}").format(line["printed"])
    )


def _signed(text: str) -> str:
    return text.replace("-", "−")


def _without_prefix(name: str) -> str:
    return name.removeprefix("phantom_")


def _number(value: float) -> str:
    return MISSING if math.isnan(value) else f"{value:.2f}"


def _count(value: float) -> str:
    return MISSING if math.isnan(value) else f"{value:,.0f}"


def _p_value(value: float) -> str:
    if math.isnan(value):
        return MISSING
    return f"{value:.3f}" if value >= 0.001 else f"{value:.0e}"
