import numpy as np
import pytest

from paperlib.evaluation.figures import contact_sheet
from paperlib.evaluation.figures.contact_sheet import Sheet

SLICES, SIDE = 20, 16


@pytest.fixture
def sheet():
    rng = np.random.default_rng(0)
    brain = np.zeros((SLICES, SIDE, SIDE))
    brain[2:18, 4:12, 4:12] = 1
    images = {name: brain * rng.normal(size=brain.shape) for name in ("flair", "t1ce")}
    residuals = {name: -images[name] for name in images}
    segmentation = np.zeros(brain.shape, np.uint8)
    segmentation[8:11, 5:9, 5:9] = 2
    examined = np.arange(SLICES) // 7 == 1
    flagged = np.isin(np.arange(SLICES), (8, 9, 10))
    return Sheet(images, residuals, segmentation, examined, flagged)


def _texts(figure):
    return [text.get_text() for axis in figure.axes for text in axis.texts]


def test_every_examined_slice_is_there_and_the_others_say_that_they_are_not(sheet):
    figure = contact_sheet.contact_sheet(sheet, title="P, research use only", lines=["3 ml"])
    texts = _texts(figure)
    overview = texts[texts.index("L") + 1 :]
    pairs = dict(zip(overview[::2], overview[1::2], strict=True))
    examined = {f"z {z}": "" if z in (8, 9, 10) else "not flagged" for z in range(7, 14)}
    assert pairs == {"z 5": "not examined", **examined, "z 15": "not examined"}
    assert figure.texts[0].get_text() == "P, research use only"
    assert figure.texts[1].get_text().startswith("3 ml\n\nThe patient's left is on the right.")


def test_slices_that_were_not_examined_are_darker(sheet):
    figure = contact_sheet.contact_sheet(sheet, title="", lines=[])
    picture = np.asarray(figure.axes[1].images[0].get_array())
    first, eighth = picture[:SIDE, :SIDE], picture[:SIDE, SIDE : 2 * SIDE]
    assert first.max() <= contact_sheet.DIMMED < eighth.max()
    assert first.max() > 0


def test_close_ups_go_through_the_tumour(sheet):
    figure = contact_sheet.contact_sheet(sheet, title="", lines=[])
    assert [t for t in _texts(figure) if t.startswith("z ")][:3] == ["z 8", "z 9", "z 10"]
    picture = np.asarray(figure.axes[0].images[0].get_array())
    assert picture.shape == (3 * SIDE, 5 * SIDE, 3)
    labelled = picture[SIDE : 2 * SIDE, 4 * SIDE :]
    plain = picture[SIDE : 2 * SIDE, :SIDE]
    changed = (labelled != plain).any(axis=2)
    np.testing.assert_array_equal(changed, sheet.segmentation[9] > 0)


def test_without_a_tumour_close_ups_go_through_what_was_examined(sheet):
    empty = sheet._replace(segmentation=np.zeros_like(sheet.segmentation))
    figure = contact_sheet.contact_sheet(empty, title="", lines=[])
    assert [t for t in _texts(figure) if t.startswith("z ")][:3] == ["z 8", "z 10", "z 12"]


def test_a_sheet_without_an_examined_slice_is_refused(sheet):
    nothing = sheet._replace(examined=np.zeros(SLICES, bool))
    with pytest.raises(ValueError, match="No slice was examined"):
        contact_sheet.contact_sheet(nothing, title="", lines=[])
