"""The deviations: every setting and row has its place, effects by hand, sorted by size."""

import ast
import dataclasses
import inspect
import io
import re
import tokenize
from pathlib import Path

import jupytext
import numpy as np
import pandas as pd
import pytest

from paperlib import config
from paperlib.evaluation import tables
from paperlib.evaluation.claims.numbers import Cohorts
from paperlib.evaluation.comparisons import ablations
from paperlib.evaluation.deviations import deviation, effects
from paperlib.evaluation.deviations.deviation import KINDS, Alternative, Deviation
from paperlib.evaluation.deviations.effects import ABLATION, DEVIATIONS, PHANTOM, REAL
from paperlib.evaluation.measures.statistics import Interval
from paperlib.pipeline.studies import ablation_rows

DRAWS = tables.Draws(20, 0)
NOTEBOOKS = Path(__file__).resolve().parents[3] / "notebooks"
NO_ROWS = ablations.compare_rows({}, draws=DRAWS)
STUDIES = [study.name for study in ablation_rows.STUDIES]


def marked_fields():
    """Fields of config whose own comment says decided or tuned, with their class."""
    source = inspect.getsource(config)
    comments = {
        token.start[0]: token.string
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    }
    found = []
    for kind in (node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)):
        for field in (node for node in kind.body if isinstance(node, ast.AnnAssign)):
            own = " ".join(
                comments.get(line, "") for line in range(field.lineno, field.end_lineno + 1)
            )
            if re.search("decided|tuned", own):
                found.append(f"{kind.name}.{field.target.id}")
    return found


def an_entry(**changed):
    return Deviation("a title", "3", "Says.", "Does.", "Because.", **changed)


def measuring(value, data=None):
    """An alternative with a known effect, of one kind of cohort only where that is named."""

    def measure(found, _draws):
        if data is not None and found.provenance["cohort"] != data:
            return Interval(np.nan, np.nan, np.nan, 4)
        return Interval(value, value - 0.1, value + 0.1, 4)

    return Alternative("another way", measure)


def a_row(name, difference, **changed):
    line = dict.fromkeys(NO_ROWS.columns, np.nan)
    line |= {"group": "fit", "change": f"{name} changed", "against": "base", "region": "WT"}
    line |= {"empty": 0.0, "retrained": False, "patients": 20, "difference": difference}
    line |= {"difference_low": difference - 0.01, "difference_high": difference + 0.01}
    return pd.DataFrame([line | changed], index=pd.Index([name], name="name"))


@pytest.fixture
def cohorts(a_cohort):
    return Cohorts(a_cohort("real"), a_cohort("phantom"))


def ranked(deviations, cohorts, table=NO_ROWS):
    found = effects.measure_effects(table, cohorts, draws=DRAWS, deviations=deviations)
    return found, effects.rank_deviations(found, deviations)


def test_the_parser_finds_settings_that_are_marked():
    marked = marked_fields()
    assert {"PrepareSettings.z_low", "TrainingSettings.beta", "MixtureSettings.reading"} <= {
        *marked
    }
    assert "PrepareSettings.window" not in marked


@pytest.mark.parametrize("field", marked_fields())
def test_every_decided_setting_is_named_by_an_entry(field):
    assert any(field in one.settings for one in DEVIATIONS.values())


def test_every_range_of_the_augmentation_is_named_by_an_entry():
    ours = {field.name for field in dataclasses.fields(config.AugmentSettings)}
    ours -= {"square_low_px", "square_high_px"}  # paper
    named = {name for one in DEVIATIONS.values() for name in one.settings}
    assert {f"AugmentSettings.{name}" for name in ours} <= named


@pytest.mark.parametrize("key", DEVIATIONS)
def test_an_entry_is_complete(key):
    one = DEVIATIONS[key]
    assert one.kind in KINDS
    assert re.fullmatch(r"[3-6](\.\d)?(, 6)?", one.section)
    assert all(text.rstrip("”").endswith((".", ".”", ")")) for text in (one.paper, one.here))
    assert one.why.endswith(".")
    assert len(one.rows) == len(set(one.rows))
    assert all(deviation.setting_value(name) for name in one.settings)


def test_the_reading_is_what_was_tuned():
    assert [key for key, one in DEVIATIONS.items() if one.kind == deviation.TUNED] == ["reading"]


def test_every_ablation_row_that_an_entry_names_exists():
    named = {name for one in DEVIATIONS.values() for name in one.rows}
    assert named
    assert named <= set(STUDIES)


def test_an_unknown_ablation_row_is_refused():
    with pytest.raises(ValueError, match="'x' names the ablation rows nonsense, which do not"):
        effects.refuse_unknown(STUDIES, {"x": an_entry(rows=("both", "nonsense"))})


def test_an_ablation_row_belongs_to_one_entry():
    rows = [name for one in DEVIATIONS.values() for name in one.rows]
    assert len(rows) == len(set(rows))


def test_what_no_entry_takes_is_no_choice_of_ours():
    taken = {name for one in DEVIATIONS.values() for name in one.rows}
    left = {study.name: study.group for study in ablation_rows.STUDIES if study.name not in taken}
    assert {group for group in left.values()} <= {"base", "gate", "core", "model", "loss",
                                                  "adversary"}  # fmt: skip
    assert {name for name, group in left.items() if group in ("core", "loss", "adversary")} == {
        *("core", "MSE", "AAE", "AAE-MSE", "BiAAE")
    }


LINKS = {key: one.link for key, one in DEVIATIONS.items() if one.link}


@pytest.mark.parametrize("key", LINKS)
def test_a_link_leads_to_a_heading_or_figure_of_its_page(key):
    source = NOTEBOOKS / f"{LINKS[key].page}.py"
    cells = jupytext.read(source, fmt="py:percent").cells
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    headings = re.findall(r"^#+ (.+)$", text, re.M)
    anchors = {re.sub(r"[^a-z0-9]+", "-", heading.lower()).strip("-") for heading in headings}
    anchors |= set(re.findall(r'"name": "(fig-[^"]+)"', source.read_text("utf-8")))
    assert LINKS[key].anchor in anchors


def test_a_setting_is_shown_with_its_default():
    assert deviation.setting_value("PrepareSettings.z_low") == "60"
    assert deviation.setting_value("TrainingSettings.beta") == "MSE 1, L1 1, SSIM 0.1"
    assert deviation.setting_value("TrainingSettings.architecture") == '""'
    with pytest.raises(KeyError, match=r"No setting 'PrepareSettings.nonsense' with a default"):
        deviation.setting_value("PrepareSettings.nonsense")


def test_the_largest_effect_comes_first_whatever_its_sign(cohorts):
    entries = {
        "small": an_entry(alternatives=(measuring(0.1),)),
        "none": an_entry(),
        "large": an_entry(alternatives=(measuring(-0.3), measuring(0.05))),
        "row": an_entry(rows=("later",)),
        "middle": an_entry(alternatives=(measuring(0.2),)),
    }
    _, order = ranked(entries, cohorts)
    assert order == (["large", "middle", "small"], ["row"], ["none"])


def test_the_sorted_entries_of_the_page_have_falling_effects(cohorts):
    found, order = ranked(DEVIATIONS, cohorts)
    sizes = [effects.largest_effect(found, key) for key in order.measured]
    assert len(sizes) > 5
    assert sizes == sorted(sizes, reverse=True)
    assert sorted([*order.measured, *order.waiting, *order.unmeasured]) == sorted(DEVIATIONS)


def test_an_ablation_row_leads_before_real_patients_and_these_before_the_phantom(cohorts):
    both = (measuring(0.4, "phantom"), measuring(0.2, "real"))
    entries = {"x": an_entry(rows=("fits",), alternatives=both)}
    found, _ = ranked(entries, cohorts)
    assert effects.largest_effect(found, "x") == 0.2
    found, order = ranked(entries, cohorts, a_row("fits", -0.05))
    assert effects.largest_effect(found, "x") == pytest.approx(0.05)
    assert list(found["data"]) == [ABLATION, REAL, PHANTOM]
    assert order.measured == ["x"]


def test_numbers_that_only_stand_beside_do_not_sort_an_entry(cohorts):
    beside = measuring(0.9)._replace(beside=True)
    found, order = ranked({"x": an_entry(alternatives=(beside,))}, cohorts)
    assert len(found) == 2
    assert order == ([], [], ["x"])


def test_without_any_evidence_nothing_is_measured():
    found, order = ranked(DEVIATIONS, Cohorts(None, None))
    assert found.empty
    assert order.measured == []
    assert len(order.waiting) + len(order.unmeasured) == len(DEVIATIONS)


def test_a_row_without_the_one_it_is_compared_with_is_missing(cohorts):
    entry = an_entry(rows=("fits", "later"))
    table = pd.concat([a_row("fits", 0.1), a_row("later", np.nan)])
    assert effects.missing_rows(entry, table) == ["later"]
    found, _ = ranked({"x": entry}, cohorts, table)
    assert list(found["words"]) == ["fits changed"]


def test_a_training_is_judged_against_a_new_seed(cohorts):
    table = pd.concat(
        [
            a_row("fits", 0.03, retrained=True),
            a_row("other", 0.08, retrained=True, region="TC"),
            a_row("again", 0.05, retrained=True, group="seed"),
        ]
    )
    found, _ = ranked({"x": an_entry(rows=("fits", "other"))}, cohorts, table)
    assert list(found["verdict"]) == [ablations.AS_A_SEED, ablations.HIGHER]
    assert list(found["unit"]) == [deviation.OUTLINE, "Dice, tumour core"]
