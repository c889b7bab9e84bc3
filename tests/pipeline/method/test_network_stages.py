"""Whether a network has to be trained is decided without torch."""

import subprocess
import sys

from paperlib.pipeline.method import network_stages

DECIDE = """
import sys
from paperlib import artifacts
from paperlib.pipeline import stages
from paperlib.pipeline.machine import progress
from paperlib.pipeline.method import network_stages
for module in network_stages.TRAINING_CODE + network_stages.INFERENCE_CODE:
    artifacts.code_hash(module)
print(sorted({"torch", "sklearn", "numba", "scipy"} & set(sys.modules)))
"""


def test_neither_the_stages_nor_the_hash_of_their_code_import_what_takes_seconds():
    done = subprocess.run(
        [sys.executable, "-c", DECIDE], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_a_trained_network_is_left_alone_without_its_workers(mini_run, monkeypatch):
    for worker in ("TRAINER", "RECONSTRUCTOR"):
        monkeypatch.setattr(network_stages, worker, "paperlib.there_is_no_such_module")
    for network in mini_run.networks():
        assert not network_stages.train_network(mini_run, network)
        assert not network_stages.reconstruct_slices(mini_run, network)
