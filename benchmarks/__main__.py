"""`make bench`: every benchmark, one table, also into results/reference/benchmarks.csv."""

import pandas as pd

from benchmarks import (
    bench_memory,
    bench_mixture,
    bench_prepare,
    bench_segment,
    bench_stages,
    bench_training,
)
from paperlib import artifacts
from paperlib.publish import provenance

ROOT = artifacts.ROOT
modules = (
    bench_mixture,
    bench_training,
    bench_prepare,
    bench_stages,
    bench_segment,
    bench_memory,
)
table = pd.DataFrame([row for module in modules for row in module.main()])
table["commit"] = provenance.commit()
table["within"] = table["ratio"] <= table["limit"]
print(table.round(3).to_string(index=False))
target = ROOT / "results" / "reference" / "benchmarks.csv"
table.to_csv(target, index=False, float_format="%.4g")
