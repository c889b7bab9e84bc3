"""Choices about patients, slices and what the networks are shown (section 3)."""

from collections.abc import Mapping
from types import MappingProxyType

from paperlib.data import preprocess
from paperlib.evaluation.claims.sentence import COHORT, SEQUENCES, Link
from paperlib.evaluation.deviations.deviation import DIFFERS, Deviation

STEPS = Link("01_data", "how-a-slice-is-made", "how a slice is made")
POSITION = Link("01_data", "what-the-position-of-a-slice-gives-away", "position of a slice")
COPIES = Link("01_data", "augmented-copies-and-squares-of-noise", "augmented copies")
GATES = Link("04_anomaly_scores", "gates", "gates")

ON_DATA: Mapping[str, Deviation] = MappingProxyType(
    {
        "patients": Deviation(
            "whose images",
            "3",
            "Trains and tests on the 285 patients of the BraTS 2018 training set.",
            "Simulated patients, a few dozen real ones with cross-validation, or the reader's own "
            "folder.",
            "Data of patients cannot be shipped. Simulated patients have a known truth and cost "
            "minutes; real ones are few here.",
            DIFFERS,
            note="No single change: with the patients everything else changes, too. Both stand "
            "side by side in every table.",
            link=COHORT,
        ),
        "z-range": Deviation(
            "which slices of the volume",
            "3",
            "Crops to 70 slices; does not say which.",
            "A fixed range, counted from the feet; the orientation is read from the file.",
            "Leaves out brain stem and most of the cerebellum. Another range has another share of "
            "tumour-free slices, which count 0 in Table 2.",
            settings=("PrepareSettings.z_low", "PrepareSettings.z_high"),
            rows=("z-narrow", "z-wide"),
            link=POSITION,
        ),
        "window": Deviation(
            "where the crop lies",
            "3",
            "Crops to 180 × 180; does not say where.",
            "One window for all patients; a warning where it loses more brain than the limit.",
            "Does not depend on patient or split. A centred one cuts off more brain.",
            settings=(
                "PrepareSettings.x_low",
                "PrepareSettings.y_low",
                "PrepareSettings.lost_brain_warning",
            ),
            link=STEPS,
        ),
        "resizing": Deviation(
            "interpolation",
            "3",
            "Scales to 128 × 128.",
            "Images linearly with anti-aliasing, labels and masks by nearest neighbour.",
            "Labels must not be mixed; aliasing would be learnt as texture. Cubic images are "
            "possible.",
            link=STEPS,
        ),
        "zscore": Deviation(
            "what a z-score is relative to",
            "3",
            "Z-scores, without formula or mask.",
            "Mean and deviation of the brain in the cropped and resized volume, per patient and "
            "sequence; the background stays 0. A scale of one slice needs "
            f"{preprocess.MIN_SLICE_PIXELS} brain pixels.",
            "Median and its deviation, the full image, each slice on its own are possible. The "
            "mean includes the tumour: a large one shifts all other tissue down. The row of the "
            "true healthy brain is an oracle.",
            settings=("PrepareSettings.zscore",),
            rows=("zscore-median", "zscore-image", "zscore-slice", "zscore-oracle"),
            link=STEPS,
        ),
        "clip": Deviation(
            "clipping of z-scores",
            "3",
            "Nothing.",
            "Z-scores are clipped.",
            "Single bright vessels would rule the loss. A lower upper limit would cut the "
            "enhancing tumour of some patients.",
            settings=("PrepareSettings.clip_low", "PrepareSettings.clip_high"),
            link=STEPS,
        ),
        "brain-share": Deviation(
            "slices with little brain",
            "3",
            "Nothing.",
            "They are in no training set and in no mean, ours or the baselines'.",
            "A slice of a few pixels has no anatomy; with every slice counted equally it would "
            "weigh as much as any other.",
            settings=("PrepareSettings.brain_share",),
            link=COHORT,
        ),
        "tumour-slice": Deviation(
            "what makes a tumour slice",
            "3",
            "Trains on slices without tumour annotations.",
            "The same, after resizing: a slice has tumour from the first pixel on.",
            "A higher limit would let the rim of tumours pass as healthy.",
            settings=("PrepareSettings.min_tumour_px",),
            link=COHORT,
        ),
        "train-slices": Deviation(
            "slices to learn from",
            "4",
            "Only slices without tumour annotations; calls this “without any training labels”.",
            "The same. Labels thus choose the training slices.",
            "All slices, or as many random ones, need no label at all; the rows say what the "
            "labels are worth.",
            settings=("TrainingSettings.train_slices",),
            rows=("all-slices", "random-slices"),
        ),
        "guard": Deviation(
            "distance from the tumour",
            "4",
            "Nothing.",
            "None: a healthy slice may lie next to a tumour slice.",
            "The tissue beside a tumour is displaced and swollen. A safety distance costs "
            "training slices.",
            settings=("TrainingSettings.guard_mm",),
            rows=("guard-5", "guard-10"),
        ),
        "test-set": Deviation(
            "who is tested",
            "3",
            "A random test set of 20 high-grade and 10 low-grade patients.",
            "Split by patient, stratified by grade where known, seed and lists stored; "
            "cross-validation on request. With one fold a share of the patients is tested.",
            "With few patients every one should be tested once. Folds share training patients; "
            "the intervals ignore that.",
            settings=("SplitSettings.test_share",),
            link=COHORT,
        ),
        "validation": Deviation(
            "who sets weights and thresholds",
            "3",
            "Mentions validation; gives no size.",
            "A share of the training patients, at least two, with so many healthy slices each; "
            "more patients until there are enough slices.",
            "A threshold from few slices of few patients is fragile; larger shares cost training "
            "patients.",
            settings=(
                "SplitSettings.validation_share",
                "SplitSettings.min_healthy_slices",
                "SplitSettings.min_validation_slices",
            ),
            link=GATES,
        ),
        "augmentation": Deviation(
            "augmented copies",
            "3",
            "One augmented copy per sample: flip, scale, shear, slight rotation; no ranges.",
            "Ranges of our own; left-right flips only; drawn anew in each epoch, seeded.",
            "Front-back flips make brains that do not exist. Fixed copies are possible.",
            settings=(
                "AugmentSettings.flip_probability",
                "AugmentSettings.rotation_deg",
                "AugmentSettings.scale",
                "AugmentSettings.shear_deg",
            ),
            rows=("no-geometry", "no-augmentation"),
            link=COPIES,
        ),
        "squares": Deviation(
            "squares of noise",
            "3",
            "Adds “square patches” of Gaussian noise, 15 to 50 pixels; no number or level.",
            "On some of the copies one square, overlapping the brain, standard normal in z units.",
            "One to three squares, or squares on the originals, are possible.",
            settings=(
                "AugmentSettings.square_probability",
                "AugmentSettings.squares_low",
                "AugmentSettings.squares_high",
            ),
            rows=("squares-3", "no-squares"),
            link=COPIES,
        ),
        "clean-target": Deviation(
            "what is to be rebuilt",
            "3",
            "Noise is to make the autoencoder robust; no target.",
            "The target is the clean image: noise and hidden parts are to be repaired.",
            "With the disturbed image as target the network would learn to copy noise.",
            link=COPIES,
        ),
        "sequences": Deviation(
            "one network or a joint one",
            "4",
            "FLAIR and T1CE; does not say whether one network sees both.",
            "One network per sequence.",
            "A joint network with two channels is possible.",
            rows=("joint",),
            link=SEQUENCES,
        ),
    }
)
