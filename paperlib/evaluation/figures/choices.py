"""What was tried beyond the paper, as a page shows it: one change a row, and the nested choice."""

import pandas as pd

from paperlib import artifacts
from paperlib.evaluation import present
from paperlib.evaluation.comparisons import choices
from paperlib.evaluation.comparisons.beyond import SCORED, Beyond
from paperlib.evaluation.figures.beyond import absent, describe
from paperlib.evaluation.measures import statistics
from paperlib.evaluation.present import Shown
from paperlib.evaluation.tables import Draws

PROTOTYPES_NOTED = "699203c"  # of this project; what made them was never part of it
WORDS = ("networks", "outline", "components", "enhancing tumour")  # for `beyond.WAY`


def show_changes(found: Beyond | None, *, draws: Draws, note: str = "") -> Shown:
    """Return what each single change of the chosen way gains or costs.

    Args:
        found: Rows, or None where there are none.
        draws: Of the intervals over patients.
        note: Data, profile, seed and commit, in words.
    """
    if found is None:
        return absent()
    lines, chosen = {}, choices.chosen_way(found)
    for way, drawn in choices.one_change(found, draws=draws).items():
        own = way == chosen
        new = {
            word: part
            for word, part, usual in zip(WORDS, way, chosen, strict=True)
            if own or part != usual
        }
        name = ("the chosen way" if own else " and ".join(new), ", ".join(new.values()))
        lines[name] = {region: _cell(drawn[region], sign="" if own else "+") for region in SCORED}
    frame = pd.DataFrame(lines).T.rename_axis(["what changes", "to"])
    caption = (
        "The chosen way first, with its volume Dice; below, the paired difference of one change "
        f"each [95 % interval over patients]. {len(choices.tried(found))} ways were run in all. "
        f"{describe(found)}; {draws.number} draws; {note}."
    )
    return present.show(frame, caption=caption)


def show_folds(found: Beyond | None, *, note: str = "") -> Shown:
    """Return the Dice of each way in each fold: a gain that holds is seen in all of them.

    Args:
        found: Rows, or None where there are none.
        note: Data, profile, seed and commit, in words.
    """
    if found is None:
        return absent()
    table = choices.by_fold(found)
    patients = found.evidence.slices.groupby("fold")["case"].nunique()
    frame = table.map("{:.3f}".format)
    frame.columns = [f"fold {fold}, n = {patients[fold]}" for fold in table.columns]
    frame.index.names = ["method", "outline"]
    caption = f"Mean volume Dice of the whole tumour. {describe(found)}; {note}."
    return present.show(frame, caption=caption)


def show_again(found: Beyond | None, *, draws: Draws, note: str = "") -> Shown:
    """Return what other trainings of the same networks changed.

    Args:
        found: Rows with those of other trainings, or None where there are none.
        draws: Of the intervals over patients.
        note: Data, profile, seed and commit, in words.
    """
    if found is None or not found.trainings:
        return absent()
    lines: dict[tuple[str, ...], dict[str, str]] = {}
    for way, trainings in choices.trained_again(found, draws=draws).items():
        line = lines[way[:2]] = {}
        for name, (mean, difference) in trainings.items():
            line[name] = f"{mean:.3f}"
            line[f"{name}, difference"] = _cell(difference, sign="+")
    frame = pd.DataFrame(lines).T.rename_axis(["method", "outline"])
    caption = (
        "Volume Dice of the whole tumour in other trainings by the same code with the same seeds "
        "and versions on other processors, and the paired difference to the tables above [95 % "
        f"interval over patients]. {describe(found)}; {draws.number} draws; {note}."
    )
    return present.show(frame, caption=caption)


def show_nested(found: Beyond | None, *, draws: Draws, note: str = "") -> Shown:
    """Return the Dice when the patients of other folds choose the way.

    Args:
        found: Rows of several folds, or None where there are none.
        draws: Of the intervals over patients.
        note: Data, profile, seed and commit, in words.
    """
    if found is None:
        return absent()
    if found.evidence.slices["fold"].nunique() < 2:
        text = "All these patients are of one fold: nobody is left to choose for them."
        return Shown(f"<p><em>{text}</em></p>", text)
    values, chosen = choices.nested(found, draws=draws)
    picked = pd.Series(chosen).value_counts()
    frame = pd.DataFrame({region: [_cell(drawn)] for region, drawn in values.items()})
    frame.index = pd.Index(["the way that the other folds choose"])
    ways = "; ".join(f"{way} ({number} of {len(chosen)} folds)" for way, number in picked.items())
    caption = (
        f"Volume Dice of a nested choice among {len(choices.tried(found))} ways by the mean of WT, "
        f"TC and ET [95 % interval over patients]. Chosen: {ways}. {describe(found)}; "
        f"{draws.number} draws; {note}."
    )
    return present.show(frame, caption=caption)


def show_prototypes() -> Shown:
    """Return what was tried with prototypes before the stage existed, as it was noted then."""
    table = pd.read_csv(artifacts.ROOT / "results" / "reference" / "beyond" / "prototypes.csv")
    known = table["its Dice"].notna()
    table["compared with"] = table["compared with"].where(known, "–")
    table["its Dice"] = table["its Dice"].map("{:.3f}".format).where(known, "–")
    frame = table.assign(Dice=table["Dice"].map("{:.3f}".format)).set_index("what was tried")
    caption = (
        "Volume Dice of prototypes on the same real patients, one network a fold unless said. "
        "A way with two values was noted twice, as the rest of the recipe changed. "
        "Their code is not kept: these numbers say what to expect, and cannot be recomputed here. "
        f"Noted down in commit {PROTOTYPES_NOTED}."
    )
    return present.show(frame, caption=caption)


def _cell(drawn: statistics.Bootstrapped, *, sign: str = "") -> str:
    value, low, high, _ = statistics.interval(drawn)
    return f"{value:{sign}.3f} [{low:{sign}.2f}, {high:{sign}.2f}]"
