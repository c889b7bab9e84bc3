"""Commands on patients: check a folder, segment one patient, score label maps."""

import argparse
import importlib
import json
from pathlib import Path

# Known without an import: a wrong word is answered at once.
METHODS = ("paper", "clean-up", "synthetic")
GATES = ("max_healthy", "mean_2sd", "2sd_literal", "quantile_95", "height")
READINGS = ("both", "neighbourhood", "weights")
CODES = ("brats2018", "brats2023", "msd")


def add_commands(commands) -> None:
    """Add `check`, `segment` and `evaluate` to the command line."""
    command = commands.add_parser("check", help="judge a folder of patients")
    command.add_argument("folder", type=Path)
    command.add_argument("--json", action="store_true", help="machine-readable report")
    command.add_argument("--jobs", type=int, default=1, help="patients read at the same time")
    command.set_defaults(run=_check)
    _add_segment(commands)
    _add_evaluate(commands)


def _add_segment(commands) -> None:
    command = commands.add_parser("segment", help="segment a new patient; research use only")
    command.add_argument("--flair", type=Path, required=True, metavar="FILE", help="NIfTI file")
    command.add_argument("--t1ce", type=Path, required=True, metavar="FILE", help="NIfTI file")
    command.add_argument(
        "--model",
        type=Path,
        required=True,
        metavar="DIR",
        help="runs/<run>/models/<pair> of the paper, beyond-f<fold> beside it of the others, "
        "or a copy",
    )
    command.add_argument(
        "--method",
        choices=METHODS,
        default=METHODS[0],
        help="the paper's, or beyond it: smoothed FLAIR with a clean-up in 3-D, without a network "
        "or with those that learned from synthetic lesions",
    )
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="for the results")
    command.add_argument("--truth", type=Path, metavar="FILE", help="segmentation to compare with")
    command.add_argument(
        "--gate", choices=GATES, help="of the paper's method: which slices keep their labels"
    )
    command.add_argument(
        "--no-gate", action="store_true", help="of the paper's method: all slices do"
    )
    command.add_argument(
        "--reading",
        choices=READINGS,
        default="",
        help="of equation 1, the paper's method; default: the one that the model's run took",
    )
    command.add_argument("--overwrite", action="store_true", help="replace earlier results")
    command.set_defaults(run=_segment, refuse=command.error)


def _add_evaluate(commands) -> None:
    command = commands.add_parser("evaluate", help="score label maps of any method")
    command.add_argument(
        "predictions",
        type=Path,
        metavar="PREDICTIONS",
        help="folder with <patient>.nii.gz, <patient>_seg.nii.gz or <patient>/segmentation.nii.gz",
    )
    command.add_argument(
        "truths", type=Path, metavar="TRUTHS", help="folder of patients, as for check"
    )
    command.add_argument(
        "--codes", choices=CODES, default=CODES[0], help="label codes of the predictions"
    )
    command.add_argument("--json", action="store_true", help="machine-readable scores")
    command.add_argument("--out", type=Path, metavar="DIR", help="for patients.csv, summary.csv")
    command.add_argument("--overwrite", action="store_true", help="replace earlier tables")
    command.set_defaults(run=_evaluate)


def _check(options: argparse.Namespace) -> int:
    check = importlib.import_module("paperlib.data.check")
    try:
        report = check.check_folder(options.folder.expanduser(), jobs=options.jobs)
    except OSError as error:
        if options.json:
            print(json.dumps({"patients": [], "usable": 0, "refused": 0, "error": str(error)}))
        raise
    if options.json:
        print(json.dumps(check.as_json(report), indent=1))
    else:
        print("\n".join(check.describe(report)))
    return 0 if report.usable and not report.refused else 1


def _segment(options: argparse.Namespace) -> int:
    if options.method != METHODS[0]:
        _refuse_options_of_the_paper(options)
    patient_files = importlib.import_module("paperlib.pipeline.new_patients.patient_files")
    lines = patient_files.segment_files(
        patient_files.PatientFiles(options.flair, options.t1ce, options.truth),
        options.model,
        options.out,
        method=options.method,
        gate=None if options.no_gate else options.gate or GATES[0],
        reading=options.reading,
        overwrite=options.overwrite,
    )
    print("\n".join(lines))
    return 0


def _refuse_options_of_the_paper(options: argparse.Namespace) -> None:
    chosen = {"--gate": options.gate, "--no-gate": options.no_gate, "--reading": options.reading}
    if given := [option for option, value in chosen.items() if value]:
        options.refuse(
            f"{' and '.join(given)}: the method {options.method} has no gate to choose, since its "
            "slices are flagged where the tumour that was kept meets them, and no mixture to read "
            f"in several ways. Leave it out, or take --method {METHODS[0]}, where --gate may be "
            f"{', '.join(GATES)} and --reading {', '.join(READINGS)}."
        )


def _evaluate(options: argparse.Namespace) -> int:
    scoring = importlib.import_module("paperlib.pipeline.new_patients.scoring")
    found = scoring.evaluate(options.predictions, options.truths, codes=options.codes)
    if options.out:
        scoring.save(found, options.out, overwrite=options.overwrite)
    if options.json:
        print(json.dumps(scoring.as_json(found), indent=1))
    else:
        print("\n".join(scoring.describe(found)))
    return 0
