"""Which files belong to which patient, for every BraTS release (section 3).

Surprising convention: no option names the layout. Every file is compared with the layouts of
`LAYOUTS` in their order and belongs to the first that fits, so one folder may mix releases.
"""

import csv
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from paperlib.labels import BACKGROUND, CORE, EDEMA, ENHANCING, FLAIR, T1CE

LABELS = "labels"
GRADES = ("HGG", "LGG")
NIFTI_ENDING = re.compile(r"\.nii(\.gz)?$")
_GRADE_COLUMN = "Grade"


class Case(NamedTuple):
    """One patient of a folder: where its files are, before any of them is opened.

    Attributes:
        id: The patient's name in its files, e.g. "Brats18_site_1_1".
        layout: A key of `LAYOUTS`.
        grade: "HGG", "LGG" or "unknown".
        files: Path per "flair", "t1ce" and "labels"; a file that does not exist has no key.
    """

    id: str
    layout: str
    grade: str
    files: Mapping[str, Path]


class Layout(NamedTuple):
    """How one release names its files and codes its labels.

    Attributes:
        name: The file's path below its folder, without .nii or .nii.gz.
        words: For every word that `name` may hold, what the file gives: "flair", "t1ce", "labels".
            A word that gives nothing (a T1, a phantom's tissue map) is known and not needed.
        place: Regular expression found in the folders above, grades included.
        mapped: Whether a name_mapping*.csv (BraTS 2020) has to lie in a folder above.
        codes: The file's label codes to those of BraTS 2018.
        channels: What the volumes of a 4-D image are, in order; empty where every file is 3-D.
        hint: What to say about a label code that is not in `codes`.
    """

    name: str
    words: Mapping[str, tuple[str, ...]]
    codes: Mapping[int, int]
    hint: str
    place: str = ""
    mapped: bool = False
    channels: tuple[str, ...] = ()

    def match(self, path: str) -> re.Match[str] | None:
        """Match a path without ending, such as "HGG/A/A_flair"; groups home, id and word."""
        words = "|".join(sorted(self.words, key=len, reverse=True))
        name = self.name.format(id=r"(?P<id>[^/]+?)", word=f"(?P<word>{words})")
        found = re.fullmatch(rf"(?P<home>(?:.*/)?){name}", path)
        return found if found and re.search(self.place, found["home"]) else None

    def file_name(self, case_id: str, wanted: str) -> str:
        """Return the name that the file with `wanted` ("flair", "t1ce", "labels") should have."""
        word = next(word for word, given in self.words.items() if wanted in given)
        return self.name.format(id=case_id, word=word) + ".nii.gz"


def find_cases(folder: Path) -> list[Case]:
    """Find every patient below a folder, whatever its layout, sorted by id.

    Files whose name starts with a dot (macOS writes "._x" beside x) are ignored. A patient that
    occurs twice is listed twice.

    Args:
        folder: A folder of patients, of releases, or of one patient.

    Raises:
        FileNotFoundError: If there is nothing at `folder`.
        NotADirectoryError: If `folder` is a file.
    """
    if not folder.exists():
        raise FileNotFoundError(
            f"No folder at {folder}; expected a folder of BraTS patients. Check the spelling, "
            f"and that the disk is mounted."
        )
    if not folder.is_dir():
        raise NotADirectoryError(
            f"{folder} is a file; expected a folder of BraTS patients. Unpack it if it is an "
            f"archive, otherwise name the folder above it."
        )
    groups: dict[tuple[str, ...], dict[str, Path]] = {}
    grades: dict[tuple[str, ...], str] = {}
    for file, layout, found, mapped_grade in _recognised(folder):
        given = LAYOUTS[layout].words[found["word"]]
        key: tuple[str, ...] = (found["id"], layout, found["home"])
        while not groups.setdefault(key, {}).keys().isdisjoint(given):
            key = (*key, "again")  # x.nii beside x.nii.gz: a second copy of the patient
        groups[key].update(dict.fromkeys(given, file))
        grades[key] = _grade(found["home"], mapped_grade)
    return [Case(key[0], key[1], grades[key], groups[key]) for key in sorted(groups)]


def strange_files(folder: Path) -> list[Path]:
    """Return the NIfTI files below an existing folder that fit no layout, sorted."""
    known = {file for file, *_ in _recognised(folder)}
    return sorted(file for file, _ in walk_files(folder) if file not in known)


def misnamed_labels(case: Case) -> Path | None:
    """Return a file that looks like the missing segmentation of a case under another name.

    BraTS 2020 holds one such file, W39_1998.09.19_Segm.nii. Only the patient's own folder is
    searched: in a folder of several patients nobody knows whose file it is.
    """
    if LABELS in case.files or FLAIR not in case.files:
        return None
    home = case.files[FLAIR].parent
    if home.name != case.id:
        return None
    files = (file for file in sorted(home.iterdir()) if _is_nifti(file.name))
    strange = (file for file in files if not file.name.startswith(case.id))
    return next((file for file in strange if "seg" in file.name.lower()), None)


def _is_nifti(name: str) -> bool:
    return not name.startswith(".") and NIFTI_ENDING.search(name) is not None


def _recognised(folder: Path) -> Iterator[tuple[Path, str, re.Match[str], str | None]]:
    """Yield every file that fits a layout: path, layout, match and grade in the name mapping."""
    top = os.path.basename(os.path.abspath(folder))  # "." may be called HGG
    for file, mapping in walk_files(folder):
        path = NIFTI_ENDING.sub("", f"{top}/{file.relative_to(folder).as_posix()}")
        for name, layout in LAYOUTS.items():
            found = layout.match(path) if mapping or not layout.mapped else None
            if found:
                yield file, name, found, (mapping or {}).get(found["id"])
                break


def walk_files(start: Path) -> Iterator[tuple[Path, Mapping[str, str] | None]]:
    """Yield every NIfTI file below `start` with the name mapping of the folders above it.

    Linked folders are entered, too.
    """
    mappings: dict[Path, Mapping[str, str] | None] = {}
    for root, folders, names in os.walk(start, followlinks=True):
        here = Path(root)
        mappings[here] = _name_mapping(here, names) or mappings.get(here.parent)
        folders[:] = sorted(name for name in folders if _is_to_be_entered(here / name))
        for name in sorted(filter(_is_nifti, names)):
            yield here / name, mappings[here]


def _is_to_be_entered(folder: Path) -> bool:
    """Hidden folders are left out, and links that lead back to a folder above."""
    if folder.name.startswith("."):
        return False
    return not folder.is_symlink() or not folder.parent.resolve().is_relative_to(folder.resolve())


def _name_mapping(folder: Path, names: list[str]) -> Mapping[str, str] | None:
    """Return grade per patient name: every column of the table but the grade holds names."""
    tables = sorted(name for name in names if re.fullmatch(r"name_mapping.*\.csv", name))
    if not tables:
        return None
    grades = {"": "unknown"}  # never empty: a table without grades is a table all the same
    for table in tables:
        with (folder / table).open(encoding="utf-8-sig", errors="replace", newline="") as lines:
            for row in csv.DictReader(lines):
                grade = row.get(_GRADE_COLUMN)
                grades.update({str(name): str(grade) for name in row.values() if name != grade})
    return grades


def _grade(home: str, mapped: str | None) -> str:
    """The nearest folder named after a grade decides, then the name mapping."""
    folders = [part for part in home.split("/") if part in GRADES]
    grade = folders[-1] if folders else mapped
    return grade if grade in GRADES else "unknown"


_CODES = MappingProxyType({0: BACKGROUND, 1: CORE, 2: EDEMA, 4: ENHANCING})
_CODES_HINT = (
    "map the codes to 0 background, 1 necrotic or non-enhancing core, 2 edema, 4 enhancing tumour "
    "(BRATS 2015 wrote the non-enhancing core as 3: make it 1; BraTS 2023 writes enhancing tumour "
    "as 3: keep its file names, which end in -seg, or make it 4)"
)
_FLAT = Layout(
    name="{id}_{word}",
    words=MappingProxyType(
        {
            "flair": (FLAIR,),
            "t1ce": (T1CE,),
            "seg": (LABELS,),
            "t1": (),
            "t2": (),
            "healthy_flair": (),  # the phantom's known truth is no patient of its own
            "healthy_t1ce": (),
            "tissue": (),
        }
    ),
    codes=_CODES,
    hint=_CODES_HINT,
)

LAYOUTS: Mapping[str, Layout] = MappingProxyType(
    {
        "brats2023": Layout(
            name="{id}-{word}",
            words=MappingProxyType(
                {"t2f": (FLAIR,), "t1c": (T1CE,), "seg": (LABELS,), "t1n": (), "t2w": ()}
            ),
            codes=MappingProxyType({0: BACKGROUND, 1: CORE, 2: EDEMA, 3: ENHANCING}),
            hint=(
                "map the codes to 0 background, 1 necrotic core, 2 edema, 3 enhancing tumour "
                "(BraTS 2018 wrote enhancing tumour as 4, BraTS 2024 writes the resection cavity "
                "as 4)"
            ),
        ),
        "brats2018": _FLAT._replace(place=r"(^|/)(HGG|LGG)/"),
        "brats2020": _FLAT._replace(mapped=True),
        "brats2021": _FLAT,
        "msd": Layout(
            name="{word}/{id}",
            words=MappingProxyType(
                {"imagesTr": (FLAIR, T1CE), "imagesTs": (FLAIR, T1CE), "labelsTr": (LABELS,)}
            ),
            codes=MappingProxyType({0: BACKGROUND, 1: EDEMA, 2: CORE, 3: ENHANCING}),
            hint=(
                "map the codes to 0 background, 1 edema, 2 non-enhancing tumour, 3 enhancing "
                "tumour, as Task01 of the Medical Segmentation Decathlon has them"
            ),
            channels=(FLAIR, "t1", T1CE, "t2"),
        ),
    }
)
