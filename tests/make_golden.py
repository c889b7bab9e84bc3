"""Write tests/golden: the tables of the smoke profile, and how far each number may drift.

Run it after a change that is meant to move the numbers, and look at the difference:

    python tests/make_golden.py

The value is that of seed 0. Each column has a second one, the tolerance of each row: three times
the larger distance of seeds 1 and 2 from seed 0, because another processor rounds differently and a
training turns that into something like another seed (twice was too little for two threads). Rows
without a network depend on no seed and get the smallest tolerance.
"""

import dataclasses
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from whole_run import run_every_stage

from paperlib import artifacts
from paperlib.config import PROFILES
from paperlib.evaluation import evidence, tables
from paperlib.pipeline.run import Run

FOLDER = Path(__file__).parent / "golden"
SEEDS = (0, 1, 2)
WITHOUT_NETWORK = 0.005  # tolerance of rows that are the same for every seed
DISTANCES = 3  # between seeds, that a number may move
WITH_NETWORK = 0.02  # at least, of rows that are not
SUFFIX = "_tolerance"
DRAWS = tables.Draws(200)


def measure(root: Path, seeds: Sequence[int]) -> dict[int, dict[str, pd.DataFrame]]:
    """Run the smoke profile below `root` and return its tables for each seed."""
    artifacts.ROOT = root
    run = Run(dataclasses.replace(PROFILES["smoke"], seeds=tuple(seeds)))
    run_every_stage(run)
    found = evidence.load_evidence(run.stage("evidence"), command=run.command)
    return {seed: _tables(found, seed) for seed in seeds}


def _tables(found: evidence.Evidence, seed: int) -> dict[str, pd.DataFrame]:
    one = found._replace(provenance={**found.provenance, "seeds": [seed]})
    made = {
        f"table_2_{target}": tables.table_2(one, target, draws=DRAWS)
        for target in (tables.OUTLINE, tables.SEMANTIC)
    }
    made["table_3"] = tables.table_3(one, f"VAE-MSE-s{seed}", draws=DRAWS)
    return {name: table.select_dtypes("number").drop(columns="paper")
            for name, table in made.items()}  # fmt: skip


def with_tolerances(by_seed: Mapping[int, pd.DataFrame]) -> pd.DataFrame:
    """Return the table of the first seed with a tolerance beside each column."""
    first, *others = by_seed.values()
    moved = pd.DataFrame(
        np.max([(other - first).abs().fillna(0) for other in others], axis=0),
        index=first.index,
        columns=first.columns,
    )
    least = np.where(moved.any(axis=1), WITH_NETWORK, WITHOUT_NETWORK)
    golden = {}
    for column in first:
        golden[column] = first[column]
        golden[column + SUFFIX] = np.maximum(DISTANCES * moved[column], least)
    return pd.DataFrame(golden)


def main() -> None:
    """Write the files."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as root:
        by_seed = measure(Path(root), SEEDS)
    for name in by_seed[SEEDS[0]]:
        golden = with_tolerances({seed: found[name] for seed, found in by_seed.items()})
        golden.to_csv(FOLDER / f"{name}.csv", float_format="%.4f")
        print(golden.T.to_string())


if __name__ == "__main__":
    main()
