"""From a finished run to the slice viewer of its book."""

from pathlib import Path

import numpy as np

from paperlib.data import rules
from paperlib.evaluation import examples
from paperlib.evaluation.evidence import Evidence
from paperlib.evaluation.figures import sheets, slices
from paperlib.evaluation.slices import slice_facts, slice_scores
from paperlib.labels import FLAIR, T1CE
from paperlib.pipeline.pages import shown, slice_view
from paperlib.pipeline.run import Run
from paperlib.publish import provenance
from paperlib.publish.book import slice_viewer

PANELS = {
    FLAIR: ("FLAIR", "flair"),
    T1CE: ("T1CE", "t1ce"),
    "residual_flair": ("FLAIR residual", "residual"),
    "residual_t1ce": ("T1CE residual", "residual"),
    "truth": ("truth", "labels"),
    "prediction": ("prediction", "labels"),
}


def write_viewer(run: Run, found: Evidence, root: Path) -> None:
    """Write the slices of some test patients for the book; of real ones none.

    Args:
        run: A finished run.
        found: Its evidence.
        root: The folder of _config.yml.

    Raises:
        FileNotFoundError: If a stage is missing; names the command that makes it.
    """
    slice_viewer.clear(root)
    method = slice_scores.first_seed(found, *examples.choose_network(found))
    note = f"{method}, {provenance.one_line(found.provenance)}"
    depth = rules.SHAPE[2]
    if run.data is not None:
        slice_viewer.write_index(root, [], note=note, depth=depth)
        return
    counts = slice_facts.slice_counts(found, method)
    folds = counts.groupby("case")["fold"].first()
    cases: list[slice_viewer.Case] = []
    for number, title in examples.choose_viewed(counts).items():
        volume = slice_view.load_volume(run, shown.pair_of(method, int(folds[number])), number)
        case = view_case(volume, number, title, slice_facts.case_facts(found, method, number))
        slice_viewer.write_case(root, case)
        if not cases:
            _save_picture(root, volume, case.first, note=f"patient {number}, {note}")
        cases.append(case)
    slice_viewer.write_index(root, cases, note=note, depth=depth)


def view_case(
    volume: slice_view.VolumeView, number: int, title: str, facts: dict[int, dict[str, object]]
) -> slice_viewer.Case:
    """Return a patient as the viewer shows it, opened where it has the most tumour."""
    seen = volume.brain & volume.examined[:, None, None]
    layers = {
        FLAIR: sheets.image_layer(volume.images[FLAIR], volume.brain, slices.FLAIR_WINDOW),
        T1CE: sheets.image_layer(volume.images[T1CE], volume.brain, slices.T1CE_WINDOW),
        "residual_flair": sheets.residual_layer(volume.residuals[FLAIR], seen),
        "residual_t1ce": sheets.residual_layer(volume.residuals[T1CE], seen),
        "truth": sheets.label_layer(volume.labels),
        "prediction": sheets.label_layer(volume.segmentation),
    }
    tumour = ((volume.labels > 0) & seen).sum(axis=(1, 2))
    first = int(volume.z[np.argmax(tumour)]) if tumour.any() else int(np.median(volume.z))
    brain_px = volume.brain.sum(axis=(1, 2))
    return slice_viewer.Case(
        number, title, volume.z, volume.examined, brain_px, layers, facts, first
    )


def _save_picture(root: Path, volume: slice_view.VolumeView, z: int, *, note: str) -> None:
    """Draw what the page shows without JavaScript: every layer of one slice."""
    place = int(np.flatnonzero(volume.z == z)[0])
    stacks = {
        **volume.images,
        **{f"residual_{sequence}": of for sequence, of in volume.residuals.items()},
        "truth": volume.labels,
        "prediction": volume.segmentation,
    }
    panels = [
        slices.Panel(stacks[name][place], kind, title) for name, (title, kind) in PANELS.items()
    ]
    figure = slices.show_grid([panels[:3], panels[3:]], note=f"{note}, slice {z}")
    target = root / slice_viewer.PICTURE
    figure.savefig(target, format="png", metadata={"Software": None})
