"""Tables 2 and 3 and section 5.3 on a page: cells, captions, what is missing."""

from evidence_by_hand import METHOD, make_evidence
from html_rows import rows_of

from paperlib.evaluation import present, tables
from paperlib.evaluation.slices import slice_scores
from paperlib.evaluation.texts import paper_tables

DRAWS = tables.Draws(20, 0)


def test_a_caption_says_data_n_and_convention():
    shown = paper_tables.show_table_2(make_evidence(), tables.OUTLINE, draws=DRAWS, note="by hand")
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
        paper_tables.show_table_2(None, tables.OUTLINE, draws=DRAWS, note=""),
        paper_tables.show_table_3(None, METHOD, draws=DRAWS, note=""),
    ):
        assert shown == present.absent()
        assert "not in this copy" in shown.html


def whole_evidence():
    found = make_evidence()
    found.provenance["mixture"]["reading"] = "both"
    for name in {*tables.TABLE_3, *slice_scores.GATED_SCORES} - set(found.scores):
        found.scores[name] = found.scores["mean_residual"]
    return found


def test_gates_and_scores_of_networks_say_what_they_were_measured_on():
    found = whole_evidence()
    gates = paper_tables.show_gates(found, METHOD, note="by hand")
    cells = rows_of(gates.html)
    rules = [row[0] for row in cells if row[1]]
    assert rules == list(slice_scores.RULES) * len(slice_scores.GATED_SCORES)
    assert "n = 4 test patients (2 of 2 folds), 6 slices with and 6 without tumour" in gates.html
    networks = paper_tables.show_network_scores(found, draws=DRAWS, note="by hand")
    (row,) = rows_of(networks.html)
    assert row[0] == METHOD
    assert [cell.split()[0] for cell in row[1:]] == ["0.89", "0.50", "0.83", "0.50"]
    assert "0.835" in networks.html


def test_table_3_holds_the_matched_control_unless_it_is_short():
    found = whole_evidence()
    whole = paper_tables.show_table_3(found, METHOD, draws=DRAWS, note="")
    assert "same height and area" in whole.html
    height = next(row for row in rows_of(whole.html) if row[0].startswith("slice height"))
    assert height[-1].startswith("0.50")
    assert (
        "same height"
        not in paper_tables.show_table_3(found, METHOD, draws=DRAWS, note="", short=True).html
    )


def test_section_53_has_eleven_conventions_a_region():
    shown = paper_tables.show_conventions(
        whole_evidence(), METHOD, reading="both", rule="max_healthy", draws=DRAWS, note="by hand"
    )
    cells = [row for row in rows_of(shown.html) if len(row) > 1 and row[1]]
    assert len(cells) == 3 * 11
    assert "50% of the slices keep their mask" in shown.html
    assert cells[0][0] == "every slice, empty = 1"


def test_a_network_of_fewer_folds_says_so_in_table_2():
    found = whole_evidence()
    assert paper_tables.partly_tested(found) == {}
    missing = (found.scores["fold"] == 1) & (found.scores["role"] == "test")
    part = found._replace(scores=found.scores[~missing])
    assert paper_tables.partly_tested(part) == {"VAE-MSE": " (1 of 2 folds)"}
    shown = paper_tables.show_table_2(part, tables.OUTLINE, draws=DRAWS, note="")
    assert "VAE (1 of 2 folds)" in shown.html
    assert "best network of a loss among those tested in every fold" in shown.html


def test_nothing_is_shown_of_a_reference_that_is_not_there():
    ways = {"reading": "both", "rule": "height", "draws": DRAWS, "note": ""}
    for shown in (
        paper_tables.show_gates(None, "", note=""),
        paper_tables.show_network_scores(None, draws=DRAWS, note=""),
        paper_tables.show_conventions(None, "", **ways),
    ):
        assert shown == present.absent()


def test_cohorts_stand_side_by_side_and_one_that_is_missing_is_left_out():
    draws, found = DRAWS, whole_evidence()
    cohorts = {"first": found, "second": found, "third": None}
    shown = paper_tables.compare_cohorts(cohorts, METHOD, draws=draws, note="made by hand")
    table = tables.table_3(found, METHOD, draws=draws)
    first = table.iloc[0]
    cell = f"{first['value']:.2f} [{first['low']:.2f},\u00a0{first['high']:.2f}]"
    assert shown.html.count(cell) >= 2
    assert "second" in shown.html
    assert "third" not in shown.html
    assert f"{first['tumour_slices']:.0f} slices with tumour" in shown.html
    assert (
        paper_tables.compare_cohorts({"x": None}, METHOD, draws=draws, note="") == present.absent()
    )
