import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from paperlib.evaluation.figures import style, training
from paperlib.evaluation.networks import trainings


@pytest.fixture
def epochs():
    rows = [
        {
            "model": model,
            "objective": objective,
            "seed": 0,
            "fold": fold,
            "sequence": sequence,
            "slice_steps": steps,
            "reconstruction": 0.4,
            "validation_loss": 0.3 + fold,
            "kl_nats": 50.0,
            "active_units": 7.0,
        }
        for model in ("VAE", "dVAE")
        for objective in ("MSE", "SSIM")
        for fold in (0, 1)
        for sequence in ("flair", "t1ce")
        for steps in (500, 1000)
    ]
    return pd.DataFrame(rows)


def titles(figure):
    return [axis.get_title() for axis in figure.axes]


def legend(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_losses_have_a_panel_per_sequence_and_loss_and_two_lines_per_network(epochs):
    figure = training.plot_losses(epochs, note="phantom")
    assert titles(figure) == [
        "FLAIR, MSE loss",
        "FLAIR, SSIM loss",
        "T1CE, MSE loss",
        "T1CE, SSIM loss",
    ]
    assert [len(axis.lines) for axis in figure.axes] == [8] * 4
    solid, dotted = figure.axes[0].lines[:2]
    assert solid.get_ydata().tolist() == [0.3, 0.3]
    assert dotted.get_ydata().tolist() == [0.4, 0.4]
    assert legend(figure) == ["VAE", "dVAE", "validation", "training"]


def test_the_latent_has_kl_and_active_units_of_every_network(epochs):
    figure = training.plot_latent(epochs)
    assert [len(axis.lines) for axis in figure.axes] == [8] * 4
    assert figure.axes[0].get_yscale() == "log"
    assert figure.axes[1].get_ylim()[0] == 0
    assert figure.axes[1].lines[0].get_ydata().tolist() == [7.0, 7.0]


@pytest.fixture
def table():
    rows = [
        (row, final, steps, value)
        for row, value in (("VAE-MSE", 0.6), ("other-SSIM", 0.4))
        for final, steps in ((0, 1000), (0, 2000), (1, 2100))
    ]
    index = pd.MultiIndex.from_tuples(
        [row[:3] for row in rows], names=["row", "final", "slice_steps"]
    )
    columns = pd.MultiIndex.from_product([trainings.MEASURES, ["mean", "min", "max"]])
    values = [[row[3], row[3] - 0.1, row[3] + 0.1] * len(trainings.MEASURES) for row in rows]
    return pd.DataFrame(values, index=index, columns=columns)


def test_training_length_has_a_panel_per_measure_and_the_plain_level_where_there_is_one(table):
    figure = training.plot_training_length(
        table, {"pixel_ap": 0.75}, measures=trainings.MEASURES, note="phantom"
    )
    assert titles(figure) == list(trainings.MEASURES.values())
    assert [len(axis.lines) for axis in figure.axes] == [5, 4, 4, 4]
    assert figure.axes[0].lines[-1].get_ydata() == [0.75, 0.75]
    assert legend(figure) == ["VAE-MSE", "other-SSIM", "plain image", "weights kept"]


def test_the_weights_kept_are_a_diamond_apart_from_the_line(table):
    figure = training.plot_training_length(table, {}, measures=trainings.MEASURES)
    way, kept, _, hollow = figure.axes[0].lines
    assert way.get_xdata().tolist() == pytest.approx([1000, 2000], rel=0.03)
    assert way.get_ydata().tolist() == [0.6, 0.6]
    assert kept.get_xdata().tolist() == pytest.approx([2100], rel=0.03)
    assert kept.get_marker() == "D"
    assert hollow.get_markerfacecolor() == "white"


def test_bars_reach_from_the_lowest_to_the_highest_network(table):
    figure = training.plot_training_length(table, {}, measures=trainings.MEASURES)
    first, second = (bars.get_segments() for bars in figure.axes[0].collections)
    assert [segment[:, 1].tolist() for segment in first] == [pytest.approx([0.5, 0.7])] * 3
    assert second[0][0, 0] / first[0][0, 0] == pytest.approx(training.ROWS_APART)


def test_a_network_that_is_not_in_table_1_gets_a_colour_of_its_own(table):
    figure = training.plot_training_length(table, {}, measures=trainings.MEASURES)
    colours = [to_hex(line.get_color()).upper() for line in figure.axes[0].lines[::2]]
    assert colours == [style.MODEL_COLOURS["VAE"], style.OTHER_MODEL_COLOUR]


def test_a_single_milestone_still_makes_a_figure(table):
    only = table.xs(1, level="final", drop_level=False)
    figure = training.plot_training_length(only, {}, measures=trainings.MEASURES)
    assert figure._repr_png_().startswith(b"\x89PNG")


def test_many_rows_are_not_drawn_beyond_their_axis(table):
    models = [f"model {number}" for number in range(12)]
    many = pd.concat([table.xs("VAE-MSE", level="row")] * 12, keys=[f"{m}-MSE" for m in models],
                     names=["row"])  # fmt: skip
    figure = training.plot_training_length(many, {}, measures=trainings.MEASURES)
    axis = figure.axes[0]
    low, high = axis.get_xlim()
    drawn = np.concatenate([line.get_xdata() for line in axis.lines])
    assert low < drawn.min()
    assert drawn.max() < high
