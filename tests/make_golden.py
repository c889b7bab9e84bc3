"""Write tests/golden: the tables of the smoke profile, and how far each number may drift.

Run it after a change that is meant to move the numbers, and look at the difference:

    python tests/make_golden.py

The value is that of seed 0. Each column has a second one, its tolerance: twice the largest
distance of seeds 1 and 2 from seed 0 in that column over all networks, because another machine
rounds differently and a training turns that into something like another seed. Rows without a
network do not depend on the seed and get the smallest tolerance.
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
TOLERANCE_AT_LEAST = 0.005
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
    golden = {}
    for column in first:
        moved = np.max([(other[column] - first[column]).abs() for other in others], axis=0)
        widest = np.nanmax(moved, initial=0)
        golden[column] = first[column]
        golden[column + SUFFIX] = np.where(
            moved > 0, np.maximum(2 * widest, TOLERANCE_AT_LEAST), TOLERANCE_AT_LEAST
        )
    return pd.DataFrame(golden, index=first.index)


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
