"""What a page and a terminal show of a table."""

import re

import numpy as np
import pandas as pd
from evidence_by_hand import METHOD, make_evidence

from paperlib import artifacts
from paperlib.evaluation import present, slice_scores, tables

GROUPED = pd.DataFrame(
    {"paper": ["0.1", "0.2", "0.3"]},
    index=pd.MultiIndex.from_tuples([("first", "a"), ("first", "b"), ("second", "a")]),
)
DRAWS = tables.Draws(20, 0)


def rows_of(html):
    body = html.split("<tbody>")[1]
    rows = re.findall(r"<tr>(.*?)</tr>", body, flags=re.S)
    return [
        [re.sub("<.*?>", "", cell).strip() for cell in re.findall(r"<t[hd].*?</t[hd]>", row, re.S)]
        for row in rows
    ]


def test_groups_get_a_line_of_their_own():
    shown = present.show(GROUPED, caption="c")
    assert rows_of(shown.html) == [
        ["first", ""], ["a", "0.1"], ["b", "0.2"], ["second", ""], ["a", "0.3"],
    ]  # fmt: skip


def test_only_marked_cells_and_group_lines_are_bold():
    bold = np.array([[False], [True], [False]])
    shown = present.show(GROUPED, caption="c", bold=bold)
    rules = dict(re.findall(r"\n(#T_[^{]*?) \{\n  font-weight: (\w+)", shown.html))
    marked = {
        name for names, weight in rules.items() if weight == "bold" for name in names.split(", ")
    }
    assert [name.split("_", 2)[2] for name in marked] == ["row2_col0"]
    normal = {n for names, weight in rules.items() if weight == "normal" for n in names.split(", ")}
    assert {name.split("_", 2)[2] for name in normal} == {f"level1_row{k}" for k in (1, 2, 4)}
    assert "0.2*" in shown.text
    assert "0.1*" not in shown.text


def test_the_same_table_is_the_same_bytes_and_another_has_rules_of_its_own():
    first, again = (present.show(GROUPED, caption="c") for _ in range(2))
    other = present.show(GROUPED, caption="another")
    assert first == again
    identity = re.compile(r"<table id=\"(T_\w+)\"")
    assert identity.search(first.html)[1] != identity.search(other.html)[1]
    assert repr(first) == first.text
    assert first._repr_html_() == first.html


def test_one_level_needs_no_group_lines_and_its_name_stands_in_the_corner():
    frame = pd.DataFrame({"n": ["3"]}, index=pd.Index(["row"], name="rule"))
    shown = present.show(frame, caption="c")
    assert rows_of(shown.html) == [["row", "3"]]
    head = re.findall(r"<th[^>]*>([^<]*)</th>", shown.html.split("<tbody>")[0])
    assert head == ["rule", "n"]


def test_the_name_of_the_groups_stands_before_each():
    named = GROUPED.set_axis(pd.MultiIndex.from_tuples([(0, "a"), (0, "b"), (1, "a")]))
    shown = present.show(named.rename_axis(["fold", "role"]), caption="c")
    assert [row[0] for row in rows_of(shown.html)] == ["fold 0", "a", "b", "fold 1", "a"]


def test_a_caption_says_data_n_and_convention():
    shown = present.show_table_2(make_evidence(), tables.OUTLINE, draws=DRAWS, note="by hand")
    for part in ("a slice without tumour counts 0", "9,000 to 12,000",
                 "1 of 2 not converged", "n = 4 test patients (2 folds), 12 slices",
                 "6 of them tumour-free", "95 % interval", "20 draws", "by hand"):  # fmt: skip
        assert part in shown.html
    cells = rows_of(shown.html)
    vae = next(row for row in cells if row[0] == "VAE")
    assert vae[1] == "0.377"
    assert vae[2].startswith("0.32 [")  # (0.5 + 1 + 2/3 + 1 + 2/3) / 12
    assert [row[0] for row in cells].count("BiAAE") == 2


def test_a_reference_that_is_not_there_says_so():
    for shown in (
        present.show_table_2(None, tables.OUTLINE, draws=DRAWS, note=""),
        present.show_table_3(None, METHOD, draws=DRAWS, note=""),
    ):
        assert shown == present.absent()
        assert "not in this copy" in shown.html


def test_a_reference_is_loaded_where_it_is(tmp_path):
    assert present.load_reference(tmp_path / "real36") is None
    found = make_evidence()
    for kind in ("counts", "scores", "pixels"):
        table = getattr(found, kind) if kind != "pixels" else pd.DataFrame({"method": ["VAE"]})
        artifacts.save_table(tmp_path, f"{kind}-{METHOD}", table)
    for name in ("slices", "milestones"):
        artifacts.save_table(tmp_path, name, getattr(found, name))
    artifacts.save_table(tmp_path, "epochs", pd.DataFrame({"model": ["VAE"]}))
    artifacts.write_json(tmp_path / "provenance.json", found.provenance)
    loaded = present.load_reference(tmp_path)
    assert loaded.patients == 4
    assert loaded.networks == [("VAE", "MSE")]


def whole_evidence():
    found = make_evidence()
    found.provenance["mixture"]["reading"] = "both"
    for name in {*tables.TABLE_3, *slice_scores.GATED_SCORES} - set(found.scores):
        found.scores[name] = found.scores["mean_residual"]
    return found


def test_gates_and_scores_of_networks_say_what_they_were_measured_on():
    found = whole_evidence()
    gates = present.show_gates(found, METHOD, note="by hand")
    cells = rows_of(gates.html)
    rules = [row[0] for row in cells if row[1]]
    assert rules == list(slice_scores.RULES) * len(slice_scores.GATED_SCORES)
    assert "n = 4 test patients (2 of 2 folds), 6 slices with and 6 without tumour" in gates.html
    networks = present.show_network_scores(found, draws=DRAWS, note="by hand")
    (row,) = rows_of(networks.html)
    assert row[0] == METHOD
    assert [cell.split()[0] for cell in row[1:]] == ["0.89", "0.50", "0.83", "0.50"]
    assert "0.835" in networks.html


def test_table_3_holds_the_matched_control_unless_it_is_short():
    found = whole_evidence()
    whole = present.show_table_3(found, METHOD, draws=DRAWS, note="")
    assert "same height and area" in whole.html
    height = next(row for row in rows_of(whole.html) if row[0].startswith("slice height"))
    assert height[-1].startswith("0.50")
    assert (
        "same height"
        not in present.show_table_3(found, METHOD, draws=DRAWS, note="", short=True).html
    )


def test_section_53_has_eleven_conventions_a_region():
    shown = present.show_conventions(
        whole_evidence(), METHOD, reading="both", rule="max_healthy", draws=DRAWS, note="by hand"
    )
    cells = [row for row in rows_of(shown.html) if len(row) > 1 and row[1]]
    assert len(cells) == 3 * 11
    assert "50% of the slices keep their mask" in shown.html
    assert cells[0][0] == "every slice, empty = 1"


def test_a_network_of_fewer_folds_says_so_in_table_2():
    found = whole_evidence()
    assert present.partly_tested(found) == {}
    missing = (found.scores["fold"] == 1) & (found.scores["role"] == "test")
    part = found._replace(scores=found.scores[~missing])
    assert present.partly_tested(part) == {"VAE-MSE": " (1 of 2 folds)"}
    shown = present.show_table_2(part, tables.OUTLINE, draws=DRAWS, note="")
    assert "VAE (1 of 2 folds)" in shown.html
    assert "best network of a loss among those tested in every fold" in shown.html


def test_nothing_is_shown_of_a_reference_that_is_not_there():
    ways = {"reading": "both", "rule": "height", "draws": DRAWS, "note": ""}
    for shown in (
        present.show_gates(None, "", note=""),
        present.show_network_scores(None, draws=DRAWS, note=""),
        present.show_conventions(None, "", **ways),
    ):
        assert shown == present.absent()


def test_cohorts_stand_side_by_side_and_one_that_is_missing_is_left_out():
    draws, found = DRAWS, whole_evidence()
    cohorts = {"first": found, "second": found, "third": None}
    shown = present.compare_cohorts(cohorts, METHOD, draws=draws, note="made by hand")
    table = tables.table_3(found, METHOD, draws=draws)
    first = table.iloc[0]
    cell = f"{first['value']:.2f} [{first['low']:.2f},\u00a0{first['high']:.2f}]"
    assert shown.html.count(cell) >= 2
    assert "second" in shown.html
    assert "third" not in shown.html
    assert f"{first['tumour_slices']:.0f} slices with tumour" in shown.html
    assert present.compare_cohorts({"x": None}, METHOD, draws=draws, note="") == present.absent()
