"""What a page and a terminal show of a table."""

import re

import numpy as np
import pandas as pd
from evidence_by_hand import METHOD, make_evidence
from html_rows import rows_of

from paperlib import artifacts
from paperlib.evaluation import present

GROUPED = pd.DataFrame(
    {"paper": ["0.1", "0.2", "0.3"]},
    index=pd.MultiIndex.from_tuples([("first", "a"), ("first", "b"), ("second", "a")]),
)


def test_groups_get_a_line_of_their_own():
    shown = present.show(GROUPED, caption="c")
    assert rows_of(shown.html) == [
        ["first", ""], ["a", "0.1"], ["b", "0.2"], ["second", ""], ["a", "0.3"],
    ]  # fmt: skip


def test_a_row_apart_from_its_group_is_put_below_its_line():
    apart = GROUPED.iloc[[0, 2, 1]]
    bold = np.array([[False], [False], [True]])
    shown = present.show(apart, caption="c", bold=bold)
    assert rows_of(shown.html) == rows_of(present.show(GROUPED, caption="c").html)
    assert shown.text == present.show(GROUPED, caption="c", bold=bold[[0, 2, 1]]).text


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


def test_no_line_ends_inside_an_interval():
    frame = pd.DataFrame({"WT": ["0.67 [-0.59, +0.74]"], "two": ["0.1 / 0.2 [n = 3, no more]"]})
    shown = present.show(frame, caption="c")
    assert "0.67 [-0.59,\N{NO-BREAK SPACE}+0.74]</td>" in shown.html
    assert "0.1 / 0.2 [n = 3, no more]</td>" in shown.html
    assert "[-0.59, +0.74]" in shown.text
